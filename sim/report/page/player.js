"use strict";
(function () {
  const data = JSON.parse(document.getElementById("tape").textContent);
  const byId = (name) => document.getElementById(name);
  const play = byId("play"), seek = byId("seek"), speed = byId("speed"), clock = byId("clock");
  const together = byId("together"), journey = byId("journey"), which = byId("which");
  const boxes = [...document.querySelectorAll("#player .arm")];
  const isOne = data.customers.length === 0;
  // Steps are kept as differences; here they are instants again: [ms, place].
  const arms = data.arms.map((arm, at) => ({
    ...arm,
    maps: [...boxes[at].querySelectorAll("svg.map")],
    payments: arm.payments.map((row) => {
      const steps = [];
      let time = row[3];
      for (let i = 4; i < row.length; i += 2) { time += row[i]; steps.push([time, row[i + 1]]); }
      return { id: row[0], route: arm.routes[row[1]], outcome: arm.outcomes[row[2]], steps,
        begin: steps[0][0], end: steps[steps.length - 1][0] };
    }),
  }));
  const longest = Math.max(...arms.flatMap((arm) => arm.payments.map((one) => one.end - one.begin)));
  let now = 0, isPlaying = false, last = 0, chosen = -1;
  const limit = () => (together.checked ? longest : data.horizon);
  const written = (ms) => {
    const s = Math.floor(ms / 1000), two = (n) => String(n).padStart(2, "0");
    return `${two(Math.floor(s / 3600))}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}.${Math.floor(ms / 100) % 10}`;
  };
  const seconds = (ms) => `${(ms / 1000).toFixed(3)} s`;
  function placeAt(one, t) {
    let i = 0;
    while (i + 1 < one.steps.length && one.steps[i + 1][0] <= t) i += 1;
    return i;
  }
  function drawArm(arm) {
    const map = arm.maps.find((one) => one.getBoundingClientRect().width > 0) || arm.maps[0];
    const spots = map.classList.contains("tall") ? arm.tall : arm.broad;
    const held = new Map(), made = [];
    let inside = 0;
    for (const one of arm.payments) {
      const t = together.checked ? one.begin + now : now;
      if (t < one.begin || t > one.end) continue;
      inside += 1;
      const place = one.steps[placeAt(one, t)][1], count = held.get(place) || 0;
      held.set(place, count + 1);
      if (count >= 60 && one.id !== chosen) continue;
      const dot = document.createElementNS("http://www.w3.org/2000/svg", "circle");
      const angle = count * 2.4, far = 10 + 2.2 * Math.sqrt(Math.min(count, 60) * 3);
      dot.setAttribute("cx", (spots[place][0] + far * Math.cos(angle)).toFixed(1));
      dot.setAttribute("cy", (spots[place][1] + far * Math.sin(angle)).toFixed(1));
      dot.setAttribute("r", one.id === chosen ? "6" : "3.5");
      dot.setAttribute("class", one.outcome.startsWith("completed") ? "dot" : "dot bad");
      if (one.id === chosen) dot.classList.add("chosen");
      dot.dataset.id = one.id;
      made.push(dot);
    }
    map.querySelector(".dots").replaceChildren(...made);
    return inside;
  }
  function draw() {
    const told = arms.map((arm) => `${isOne ? "" : `${arm.name}: `}${drawArm(arm)} under way`);
    clock.textContent = [written(now), ...told].join(", ");
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
  function said(words, isStrong) {
    const line = document.createElement("p");
    line.textContent = words;
    if (isStrong) line.className = "strong";
    return line;
  }
  // What became of a payment in one arm; times since its start stand beside those of the clock.
  function toldOf(arm, id) {
    const box = document.createElement("div");
    const one = arm.payments.find((payment) => payment.id === id);
    if (!one) {
      box.append(said(isOne ? `Payment ${id} is not on the tape.`
        : `${arm.name}: customer ${id} is not on the tape.`, false));
      return box;
    }
    const title = isOne ? `Payment ${one.id}` : arm.name;
    const table = document.createElement("table"), took = seconds(one.end - one.begin);
    table.append(row(["at", "place", "after"], "th"));
    for (const [at, place] of one.steps.slice(0, -1)) {
      table.append(row([written(at), arm.names[place], seconds(at - one.begin)], "td"));
    }
    table.append(row([written(one.end), one.outcome, took], "td"));
    box.append(said(`${title}, ${one.route}: ${one.outcome}, ${took}`, true), table);
    return box;
  }
  function tell(id) {
    chosen = id;
    const parts = arms.map((arm) => toldOf(arm, id));
    if (!isOne && data.customers[id] !== undefined) {
      parts.unshift(said(`Customer ${id}: ${data.customers[id]}`, true));
    }
    journey.replaceChildren(...parts);
    which.value = id;
    draw();
  }
  play.addEventListener("click", toggle);
  seek.addEventListener("input", () => { now = Number(seek.value); draw(); });
  together.addEventListener("change", () => { now = 0; draw(); });
  byId("tell").addEventListener("click", () => tell(Number(which.value)));
  byId("player").addEventListener("keydown", (event) => {
    const isField = ["INPUT", "SELECT", "BUTTON"].includes(event.target.tagName);
    if (event.key === " " && !isField) { event.preventDefault(); toggle(); }
  });
  for (const map of arms.flatMap((arm) => arm.maps)) {
    map.addEventListener("click", (event) => {
      if (event.target.dataset && event.target.dataset.id) tell(Number(event.target.dataset.id));
    });
  }
  addEventListener("resize", draw);
  draw();
})();
