"use strict";
(function () {
  const data = JSON.parse(document.getElementById("tape").textContent);
  const byId = (name) => document.getElementById(name);
  const play = byId("play"), seek = byId("seek"), speed = byId("speed"), clock = byId("clock");
  const together = byId("together"), journey = byId("journey"), which = byId("which");
  const maps = [...document.querySelectorAll("svg.map")];
  // Steps are kept as differences; here they are instants again: [ms, place].
  const payments = data.payments.map((row) => {
    const steps = [];
    let at = row[3];
    for (let i = 4; i < row.length; i += 2) { at += row[i]; steps.push([at, row[i + 1]]); }
    return { id: row[0], route: data.routes[row[1]], outcome: data.outcomes[row[2]], steps,
      begin: steps[0][0], end: steps[steps.length - 1][0] };
  });
  const longest = Math.max(...payments.map((one) => one.end - one.begin));
  let now = 0, isPlaying = false, last = 0;
  const limit = () => (together.checked ? longest : data.horizon);
  const written = (ms) => {
    const s = Math.floor(ms / 1000), two = (n) => String(n).padStart(2, "0");
    return `${two(Math.floor(s / 3600))}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}.${Math.floor(ms / 100) % 10}`;
  };
  function placeAt(one, t) {
    let i = 0;
    while (i + 1 < one.steps.length && one.steps[i + 1][0] <= t) i += 1;
    return i;
  }
  function draw() {
    const map = maps.find((one) => one.getBoundingClientRect().width > 0) || maps[0];
    const spots = map.classList.contains("tall") ? data.tall : data.broad;
    const held = new Map(), dots = map.querySelector(".dots"), made = [];
    let inside = 0;
    for (const one of payments) {
      const t = together.checked ? one.begin + now : now;
      if (t < one.begin || t > one.end) continue;
      inside += 1;
      const place = one.steps[placeAt(one, t)][1], count = held.get(place) || 0;
      held.set(place, count + 1);
      if (count >= 60) continue;
      const dot = document.createElementNS("http://www.w3.org/2000/svg", "circle");
      const angle = count * 2.4, far = 10 + 2.2 * Math.sqrt(count * 3);
      dot.setAttribute("cx", (spots[place][0] + far * Math.cos(angle)).toFixed(1));
      dot.setAttribute("cy", (spots[place][1] + far * Math.sin(angle)).toFixed(1));
      dot.setAttribute("r", "3.5");
      dot.setAttribute("class", one.outcome.startsWith("completed") ? "dot" : "dot bad");
      dot.dataset.id = one.id;
      made.push(dot);
    }
    dots.replaceChildren(...made);
    clock.textContent = `${written(now)}, ${inside} under way`;
    seek.max = limit();
    seek.value = now;
  }
  function step(time) {
    if (!isPlaying) return;
    now = Math.min(limit(), now + (time - last) * Number(speed.value));
    last = time;
    if (now >= limit()) toggle();
    draw();
    if (isPlaying) requestAnimationFrame(step);
  }
  function toggle() {
    isPlaying = !isPlaying;
    play.textContent = isPlaying ? "Pause" : "Play";
    if (isPlaying) {
      if (now >= limit()) now = 0;
      last = performance.now();
      requestAnimationFrame(step);
    }
  }
  function row(cells, kind) {
    const line = document.createElement("tr");
    for (const text of cells) {
      const cell = document.createElement(kind);
      cell.textContent = text;
      line.append(cell);
    }
    return line;
  }
  function tell(id) {
    const one = payments.find((payment) => payment.id === id);
    if (!one) { journey.textContent = `Payment ${id} is not on the tape.`; return; }
    const table = document.createElement("table"), title = document.createElement("p");
    title.textContent = `Payment ${one.id}, ${one.route}: ${one.outcome}, `
      + `${((one.end - one.begin) / 1000).toFixed(3)} s`;
    title.className = "strong";
    table.append(row(["at", "place", "after"], "th"));
    for (const [at, place] of one.steps.slice(0, -1)) {
      table.append(row([written(at), data.names[place], `${((at - one.begin) / 1000).toFixed(3)} s`], "td"));
    }
    table.append(row([written(one.end), one.outcome, `${((one.end - one.begin) / 1000).toFixed(3)} s`], "td"));
    journey.replaceChildren(title, table);
    which.value = id;
  }
  play.addEventListener("click", toggle);
  seek.addEventListener("input", () => { now = Number(seek.value); draw(); });
  together.addEventListener("change", () => { now = 0; draw(); });
  byId("tell").addEventListener("click", () => tell(Number(which.value)));
  byId("player").addEventListener("keydown", (event) => {
    const isField = ["INPUT", "SELECT", "BUTTON"].includes(event.target.tagName);
    if (event.key === " " && !isField) { event.preventDefault(); toggle(); }
  });
  for (const map of maps) {
    map.addEventListener("click", (event) => {
      if (event.target.dataset && event.target.dataset.id) tell(Number(event.target.dataset.id));
    });
  }
  addEventListener("resize", draw);
  draw();
})();
