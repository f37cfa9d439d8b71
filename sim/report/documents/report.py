"""A run as a page: the answer in words, what it may be trusted with, its figures and its tables.

Takes a :class:`~sim.study.result.Result`; gives a document. What ``payroute run`` prints stands
here too, section by section, so that a figure is said in one way wherever it is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sim.analysis.catalogue import TILES
from sim.analysis.summary import Measure, Summary
from sim.explain.agenda import put_in
from sim.explain.evidence import GRADES, assumptions, hypothetical_links
from sim.explain.words import count, listed, moment, span
from sim.report.blocks import (
    Block,
    Cell,
    Column,
    Document,
    Figure,
    Folded,
    Heading,
    Player,
    Series,
    Table,
    Text,
    Tile,
    Tiles,
    Tone,
)
from sim.report.documents.loads import load_blocks
from sim.report.documents.run import course, domestic, run_document
from sim.report.figure import figure, plain
from sim.report.figures.journeys import journey_blocks
from sim.report.figures.of_run import (
    Told,
    course_figures,
    failure_figures,
    flow_figures,
    liquidity_figures,
    money_figures,
    time_figures,
)
from sim.report.figures.tape import make_recording
from sim.scenario.scenario import LoadedScenario, load_scenario
from sim.study.answer import answer_of
from sim.study.result import Result
from sim.tables.finished_run import SCENARIO_FILE
from sim.units import using_currencies

_TIMES = ("By corridor", "By route", "Where the time went")
_MONEY = ("What it cost", "Against the G20")
_PLACES = ("Busiest places",)
_LIQUIDITY = ("Money placed ahead",)
_FAILURES = ("Why payments ended badly",)


@dataclass(frozen=True, slots=True)
class _Section:
    """A titled part of what a run prints."""

    title: str
    blocks: tuple[Block, ...]


def report_document(result: Result) -> Document:
    """Return everything a page shows of a run.

    Parameters
    ----------
    result : Result
    """
    loaded = load_scenario(result.folder / SCENARIO_FILE)
    with using_currencies(loaded.declared):
        return _told(result, loaded)


def _told(result: Result, loaded: LoadedScenario) -> Document:
    printed = run_document(result)
    sections = _sections(printed.blocks)
    told = Told(result.run, result.summary, loaded.scenario)
    blocks: list[Block] = [*_beginning(result, loaded), *_answer(result.summary)]
    blocks += load_blocks(result.summary)
    blocks += [Tiles(tuple(_tiles(result.summary))), *_trust(result, loaded)]
    recording = make_recording(told)
    blocks += [Player(recording)] if recording is not None else []
    parts: tuple[tuple[str, tuple[Figure, ...], Sequence[str]], ...] = (
        ("Where payments go", tuple(flow_figures(told)), ()),
        ("Time", tuple(time_figures(told)), _TIMES),
        ("Money", tuple(money_figures(told)), _MONEY),
        ("Money placed ahead", tuple(liquidity_figures(told)), _LIQUIDITY),
        ("Over time", tuple(course_figures(told)), ()),
        ("Failures", tuple(failure_figures(told)), _FAILURES),
    )
    used: set[str] = set()
    for title, figures, wanted in parts:
        found = [one for one in sections if one.title.startswith(tuple(wanted) or ("\0",))]
        used |= {one.title for one in found}
        if figures or found:
            blocks += [Heading(title), *figures, *_lower(found, title)]
    blocks += journey_blocks(told)
    places = [one for one in sections if one.title.startswith(_PLACES)]
    used |= {one.title for one in places}
    if places:
        blocks += [Heading("Places"), *_lower(places, "Places")]
    rest = [one for one in sections if one.title and one.title not in used]
    for section in rest:
        blocks += [Heading(section.title), *section.blocks]
    blocks += domestic(result.summary)
    blocks += _assumptions(loaded)
    return Document(tuple(blocks), printed.table, printed.record, _origin(result))


def _sections(blocks: Sequence[Block]) -> list[_Section]:
    """Return what a run prints, section by section; what stands before the first has no title."""
    found: list[tuple[str, list[Block]]] = [("", [])]
    for block in blocks:
        if isinstance(block, Heading):
            found.append((block.words if block.level > 1 else "", []))
        elif not (found[-1][1] and isinstance(block, Text | Series)):
            # What is said after the last section stands elsewhere on a page.
            found[-1][1].append(block)
    return [_Section(title, tuple(held)) for title, held in found]


def _lower(sections: Sequence[_Section], above: str) -> Iterator[Block]:
    """Yield sections under a heading of their own, one level down."""
    for section in sections:
        if section.title != above:
            yield Heading(section.title, level=3)
        yield from section.blocks


def _beginning(result: Result, loaded: LoadedScenario) -> Iterator[Block]:
    scenario, facts = loaded.scenario, result.facts
    yield Heading(scenario.scenario, level=1)
    if scenario.question:
        yield Text(scenario.question)
    if scenario.answer:
        yield Text(answer_of(scenario.answer, result.summary, figure), Tone.STRONG)
    yield Text(
        f"{span(scenario.clock.horizon)} from {moment(scenario.clock.start)}; "
        f"{plain(facts['payments'])} payments, {plain(facts['events'])} events",
        Tone.QUIET,
    )
    yield from (Text(line, Tone.CAUTION) for line in put_in(scenario))


def _answer(summary: Summary) -> Iterator[Block]:
    """Yield the answer in words, out of the measures and nothing else."""
    known = {name: one for name, one in summary.measures.items() if one.value is not None}
    covered = "cross-border payments" if summary.covers == "cross_border" else "payments"
    yield Heading("Answer")
    said = []
    if "success_rate" in known:
        submitted = figure(summary.measures["submitted"])
        said.append(
            f"Of {submitted} {covered} {figure(known['success_rate'])} of those due succeeded."
        )
    if "end_to_end_p50" in known and "end_to_end_p99" in known:
        said.append(
            f"Half took at most {figure(known['end_to_end_p50'])}, 99 % at most "
            f"{figure(known['end_to_end_p99'])}."
        )
    costs = [
        f"the {who} {figure(known[key])}"
        for who, key in (("payer", "payer_cost_bps"), ("merchant", "merchant_cost_bps"))
        if key in known
    ]
    if costs:
        said.append(f"On average of payments it cost {' and '.join(costs)}.")
    missed = [one for one in summary.g20.values() if one.is_met is not None]
    if missed:
        met = sum(bool(one.is_met) for one in missed)
        said.append(f"Of {len(missed)} G20 targets that can be judged, {met} are met.")
    yield Text(" ".join(said) or f"No {covered} to speak of.", Tone.STRONG)


def _tiles(summary: Summary) -> Iterator[Tile]:
    """Yield six figures to take home, those that are known."""
    for key, (name, note) in TILES.items():
        one = summary.measures.get(key)
        if one is not None and one.value is not None:
            yield Tile(name, one, note if one.low is not None else f"{note}, {_runs(summary)}")
    busy = [
        (float(one["utilisation"]), name, one["utilisation"])
        for name, one in summary.by["station"].items()
        if "utilisation" in one and one["utilisation"].value is not None
    ]
    if busy:
        _, name, used = max(busy, key=lambda item: (item[0], item[1]))
        yield Tile("Busiest place", Measure(used.value, used.unit), name)


def _runs(summary: Summary) -> str:
    return "one run" if summary.replications == 1 else f"{summary.replications} runs"


def _trust(result: Result, loaded: LoadedScenario) -> Iterator[Block]:
    """Yield what the figures may be trusted with, and how to get them again."""
    summary, facts = result.summary, result.facts
    rows: list[tuple[Cell, ...]] = []
    if summary.replications > 1:
        rows.append(("Replications", f"{summary.replications}; intervals are 95 %, Student's t"))
    else:
        rows.append(("Replications", "1, so no intervals; --replications 20 gives them"))
    rows += _course_rows(result)
    audit = "passed" if result.audit is not None and result.audit.ok else "not run with this page"
    if result.audit is not None and not result.audit.ok:
        audit = f"FAILED, {count(result.audit.violation_count, 'violation')}"
    rows.append(("Audit", f"{audit}; `payroute audit` replays the run without its engine"))
    grades = [item.grade for item in assumptions(loaded.scenario, loaded.document)]
    told = [f"{grades.count(grade)} {grade}" for grade in GRADES if grade in grades]
    rows.append(("Values it rests on", listed(told)))
    rows.append(("Hypothetical links", listed(hypothetical_links(loaded.scenario))))
    software = facts.get("software")
    made = software if isinstance(software, dict) else {}
    command = facts.get("command")
    words = " ".join(map(str, command)) if isinstance(command, list) else ""
    rows += [
        ("Made by", f"payroute {made.get('version')}, source {made.get('source')}"),
        ("With", words),
        ("Seed and plan", f"seed {facts['seed']}, plan {facts['plan_hash']}"),
        ("Digest", str(facts.get("digest"))),
        ("To repeat it", "`payroute reproduce` on the run folder says whether all is identical"),
    ]
    yield Heading("Can I trust this?")
    yield Table((Column(""), Column("", is_prose=True)), tuple(rows), is_headed=False)
    yield from course(summary)


def _course_rows(result: Result) -> Iterator[tuple[Cell, ...]]:
    """Yield what is known of the start and the end of the run."""
    found = result.run.summary().get("warm_up")
    if isinstance(found, dict):
        left = f"{found.get('used_s')} s left out"
        enough = "enough" if found.get("is_enough") else "not enough"
        yield "Warm-up", f"{left}, {enough} by {found.get('method')}"
    share = result.summary.measures.get("open_share")
    if share is not None and share.value is not None:
        yield "Still open at the end", Measure(share.value, share.unit, share.low, share.high)


def _assumptions(loaded: LoadedScenario) -> Iterator[Block]:
    found = assumptions(loaded.scenario, loaded.document)
    if not found:
        return
    columns = tuple(Column(name, is_prose=name == "source") for name in
                    ("field", "value", "grade", "source"))  # fmt: skip
    yield Heading("Assumptions")
    for grade, meaning in GRADES.items():
        rows = tuple(
            (one.path, one.value, one.grade, one.source) for one in found if one.grade == grade
        )
        if rows:
            yield Folded(
                f"{count(len(rows), 'value')} {grade.value}: {meaning}", Table(columns, rows)
            )


def _origin(result: Result) -> dict[str, object]:
    facts = json.loads(json.dumps(result.facts))
    return {"software": facts.get("software"), "command": facts.get("command")}
