"""What a run found out, as a document.

Takes a :class:`~sim.study.result.Result`; gives how many payments and how they ended, how long they
took and why, what they cost, what was tight, and what all this rests on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sim.analysis.catalogue import ACCOUNT_COLUMNS, SYSTEM_COLUMNS, words_of
from sim.analysis.g20 import INDICATORS
from sim.analysis.of_accounts import COST_COLUMNS as ACCOUNT_COSTS
from sim.analysis.of_providers import PROVIDER_MEASURES
from sim.analysis.summary import Measure, Measures, Summary
from sim.analysis.warm_up import Presence
from sim.explain.agenda import put_in
from sim.explain.evidence import GRADES, assumptions, hypothetical_links
from sim.explain.words import moment, span
from sim.model.quantities import to_minor
from sim.model.sections import Account
from sim.report.blocks import (
    Bar,
    Block,
    Cell,
    Column,
    Document,
    Facts,
    Heading,
    Series,
    Table,
    Text,
    Tone,
)
from sim.report.documents.audit import describe_audit
from sim.report.documents.left_open import gave_up, ordered, reconciled
from sim.report.documents.loads import load_blocks
from sim.report.documents.shortages import placed_in_all, shortages
from sim.report.figure import NOTHING, figure, plain
from sim.report.names import COST, GROUP, HEADLINE, STATION, reason_words
from sim.scenario.scenario import LoadedScenario, load_scenario
from sim.study.answer import answer_of
from sim.study.result import Result
from sim.study.slo import QUANTILE_EXCEEDANCES_MIN
from sim.tables.finished_run import SCENARIO_FILE
from sim.tables.schemas import CAUSES
from sim.tables.tabular import TabularData
from sim.units import using_currencies

_COST = "What it cost, mean of completed payments"
_LEAST_SHARE = 0.0005
"""Parts of a whole below this are left out."""
_STATIONS_SHOWN = 5
_ROUTES_SHOWN = 12
FEW_MAX = 100
"""Completed payments below which no figure of a group stands without a warning: a mean of fewer is
mostly chance. A p99 needs ten times as many, so that ten lie above it."""
_NOTES_SHOWN = 5
_TOLD_FROM = 1.01
"""What the open payments must make of p99 to be told."""


def run_document(result: Result) -> Document:
    """Return what is shown of a run."""
    loaded = load_scenario(result.folder / SCENARIO_FILE)
    with using_currencies(loaded.declared):
        return _told(result, loaded)


def _told(result: Result, loaded: LoadedScenario) -> Document:
    summary = result.summary
    covered = "Cross-border payments" if summary.covers == "cross_border" else "All payments"
    ended = "Where the time went up to the last message, mean of completed payments"
    cost = COST if summary.measures["payer_cost_bps"].value is not None else {}
    costs = _parts(summary, cost)
    sections: tuple[tuple[str, *tuple[Block | None, ...]], ...] = (
        (covered, *_first(summary, loaded)),
        ("By corridor", *group_blocks(summary, "corridor")),
        ("By route", *group_blocks(summary, "route")),
        ("By window of time", *group_blocks(summary, "window")),
        ("Why payments ended badly", _reasons(summary)),
        (ended, _parts(summary, {f"{cause}_mean": cause for cause in CAUSES})),
        (_COST, costs, *(_rounding(summary, loaded) if costs is not None else ())),
        ("Against the G20 targets for 2027", _targets(summary)),
        ("Busiest places", _stations(summary)),
        ("Money placed ahead", _accounts(summary, loaded), placed_in_all(summary)),
        ("Systems of large value", _systems(summary)),
        ("FX providers", _providers(summary)),
    )
    blocks = list(_beginning(result, loaded))
    for title, *bodies in sections:
        told = [body for body in bodies if body is not None]
        blocks += [Heading(title), *told] if told else []
    blocks += (*domestic(summary), *course(summary), *_footing(loaded), *_idle(result))
    blocks += _ending(result)
    return Document(tuple(blocks), tidy_measures(summary), _record(result))


def tidy_measures(summary: Summary) -> TabularData:
    """Return every measure, a row each."""
    groups: list[tuple[str, str, Measures]] = [("", "", summary.measures)]
    groups += [
        (group, name, held) for group, names in summary.by.items() for name, held in names.items()
    ]
    return TabularData(
        ("group", "name", "measure", "value", "unit", "low", "high"),
        tuple(
            (group, name, key, one.value, one.unit, one.low, one.high)
            for group, name, held in groups
            for key, one in held.items()
        ),
    )


def _record(result: Result) -> dict[str, object]:
    """Return the summary, the audit's verdict and the folder: the object of ``run --json``."""
    content: dict[str, object] = {**result.summary.as_json()}
    if result.audit is not None:
        content["audit"] = result.audit.as_json()
    if result.verdict is not None:
        content["precision"] = {
            "is_reached": result.verdict.is_reached,
            "targets": list(result.verdict.reasons),
        }
    content["run_folder"] = str(result.folder)
    return content


def _beginning(result: Result, loaded: LoadedScenario) -> Iterator[Block]:
    scenario, facts = loaded.scenario, result.facts
    yield Heading(scenario.scenario, level=1)
    if scenario.question:
        yield Text(scenario.question)
    if scenario.answer:
        yield Text(answer_of(scenario.answer, result.summary, figure), Tone.STRONG)
    runs = int(str(facts["replications"]))
    times = f", {runs} replications" if runs > 1 else ""
    if "replication" in facts:
        times = f", replication {facts['replication']} alone"
    yield Text(
        f"{span(scenario.clock.horizon)} from {moment(scenario.clock.start)}, seed "
        f"{facts['seed']}{times}, {facts['engine']} engine"
    )
    yield Text(
        f"{plain(facts['payments'])} payments, {plain(facts['events'])} events in "
        f"{float(str(facts['engine_seconds'])):.2f} s of the engine's time"
    )
    # Whatever disturbs the run on purpose stands before the figures it explains.
    yield from (Text(line, Tone.CAUTION) for line in put_in(scenario))


def _rounding(summary: Summary, loaded: LoadedScenario) -> Iterator[Block]:
    """Yield what of the FX margin is rounding, where there is a margin."""
    measures = summary.measures
    rounded, margin = measures["payer_cost_rounding_bps"].value, measures["fx_margin_bps"].value
    if rounded is not None and margin:
        yield Text(
            f"Of the FX margin {rounded:+.2f} bps is rounding (`fx.rounding: "
            f"{loaded.scenario.fx.rounding}`)"
        )


def _first(summary: Summary, loaded: LoadedScenario) -> Iterator[Block]:
    """Yield what nobody should miss: the headline, and who ran dry."""
    yield _headline(summary)
    yield from load_blocks(summary)
    yield from gave_up(summary)
    yield from ordered(summary)
    yield from reconciled(summary)
    yield from shortages(summary, loaded)


def _headline(summary: Summary) -> Block:
    measures = summary.measures
    return Facts(
        tuple(
            tuple(
                (words, measures[name])
                for name, words in group.items()
                if measures[name].value is not None
            )
            for group in HEADLINE
        )
    )


def _heads(first: str, names: Sequence[str], spare: Sequence[str] = ()) -> tuple[Column, ...]:
    """Return a column of names and columns of figures."""
    ranks = {name: len(spare) - at for at, name in enumerate(spare)}
    figures = (Column(name, is_number=True, spare=ranks.get(name, 0)) for name in names)
    return (Column(first), *figures)


def _bare(measure: Measure | None) -> Cell:
    """Return a figure without its interval, for tables of many."""
    return None if measure is None else Measure(measure.value, measure.unit, width=measure.width)


def group_blocks(summary: Summary, group: str) -> Iterator[Block]:
    """Yield the table of a group with its intervals, and what in it rests on few payments."""
    # The groups of a window stand behind its name, too; what is shown is the windows themselves.
    found = {name: held for name, held in summary.by[group].items() if not _is_part(group, name)}
    if not found or (group == "route" and len(found) < 2):
        return
    has_cost = any(measures["payer_cost_bps"].value is not None for measures in found.values())
    names = [name for name in GROUP if has_cost or not name.endswith("_bps")]
    busiest = sorted(found, key=lambda name: (-float(found[name]["submitted"]), name))
    # Windows stand in order of time.
    shown = list(found) if group == "window" else busiest[:_ROUTES_SHOWN]
    yield Table(
        _heads(group, [GROUP[name] for name in names], ("merchant", "p50", "payer", "open")),
        tuple((name, *(found[name][key] for key in names)) for name in shown),
    )
    done = {name: float(found[name]["completed"]) * summary.replications for name in shown}
    for rests, needed in (("p99", round(QUANTILE_EXCEEDANCES_MIN / 0.01)), ("any figure", FEW_MAX)):
        few = [f"{name} ({plain(count)})" for name, count in done.items() if 0 < count < needed]
        if few:
            said = f"Few payments for {rests} (fewer than {plain(needed)} completed)"
            yield Text(f"{said}: {', '.join(few)}", Tone.CAUTION)


def _is_part(group: str, name: str) -> bool:
    return group == "window" and "/" in name


def _reasons(summary: Summary) -> Block | None:
    found = summary.by["reason"]
    rows = tuple(
        (
            name,
            _bare(found[name]["submitted"]),
            _bare(found[name]["share"]),
            Text(reason_words(name), Tone.QUIET),
        )
        for name in sorted(found, key=lambda name: (-float(found[name]["submitted"]), name))
    )
    columns = (*_heads("reason", ("payments", "share")), Column("", is_prose=True))
    return Table(columns, rows) if rows else None


def _parts(summary: Summary, names: Mapping[str, str]) -> Block | None:
    """Return parts of a whole with bars, the largest first."""
    found = [(words, summary.measures[name]) for name, words in names.items()]
    parts = [(words, part) for words, part in found if part.value is not None and part.value > 0]
    total = sum(float(part) for _, part in parts)
    rows = tuple(
        (
            words,
            Text(figure(part), Tone.STRONG),
            f"{float(part) / total:.0%}",
            Bar((float(part),), (0, total)),
        )
        for words, part in sorted(parts, key=lambda part: (-float(part[1]), part[0]))
        if float(part) >= total * _LEAST_SHARE
    )
    columns = (*_heads("", ("", "")), Column("", spare=1))
    return Table(columns, rows, is_headed=False) if rows else None


def _targets(summary: Summary) -> Block | None:
    if not any(target.value is not None for target in summary.g20.values()):
        return None
    said = {True: ("met", Tone.GOOD), False: ("missed", Tone.BAD), None: ("unknown", Tone.QUIET)}
    return Table(
        (*_heads("indicator", ("here", "target")), Column("")),
        tuple(
            (
                INDICATORS[name].words,
                Measure(one.value, one.unit),
                f"{'at least' if one.unit == 'share' else 'at most'} "
                f"{figure(Measure(one.target, one.unit))}",
                Text(*said[one.is_met]),
            )
            for name, one in summary.g20.items()
        ),
    )


def _stations(summary: Summary) -> Block | None:
    found = summary.by["station"]

    def load(name: str) -> tuple[float, float, str]:
        used = found[name]["utilisation"].value
        return -float(used or 0), -float(found[name]["queue_mean"]), name

    busiest = [name for name in sorted(found, key=load) if _has_worked(found[name])]
    rows = tuple(
        (name, *(_bare(found[name].get(key)) for key in STATION))
        for name in busiest[:_STATIONS_SHOWN]
    )
    spare = ("refused", "longest queue", "mean queue")
    return Table(_heads("place", tuple(STATION.values()), spare), rows) if rows else None


def _has_worked(measures: Measures) -> bool:
    return any(float(measures[name]) > 0 for name in ("starts", "blocks") if name in measures)


def _accounts(summary: Summary, loaded: LoadedScenario) -> Block | None:
    found = summary.by["account"]
    written = loaded.scenario.accounts
    lowest, *harmed = ACCOUNT_COLUMNS
    chosen = [
        name
        for name, row in sorted(found.items())
        if name in written or any(row[key].value for key in harmed)
    ]
    # What money costs is shown where somebody says that it costs anything.
    idle, *costs = ACCOUNT_COSTS
    if any(found[name][key].value is not None for name in chosen for key in costs):
        harmed += [idle, *costs]
    rows = tuple(
        (
            name,
            _bare(found[name][lowest]),
            _left(found[name][lowest], written.get(name)),
            *(_bare(found[name][key]) for key in harmed),
        )
        for name in chosen
    )
    heads = (words_of(lowest), "of opening", *map(words_of, harmed))
    return Table(_heads("account", heads), rows) if rows else None


def _systems(summary: Summary) -> Block | None:
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (name, *(_bare(found[key]) for key in SYSTEM_COLUMNS))
        for name, found in sorted(summary.by["system"].items())
    )
    return Table(_heads("system", [*map(words_of, SYSTEM_COLUMNS)]), rows) if rows else None


def _providers(summary: Summary) -> Block | None:
    columns = tuple(one.name for one in PROVIDER_MEASURES)
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (name, *(_bare(found[key]) for key in columns))
        for name, found in sorted(summary.by.get("provider", {}).items())
    )
    return Table(_heads("provider", [*map(words_of, columns)]), rows) if rows else None


def _left(lowest: Measure, account: Account | None) -> str:
    """Return how much of an account's opening balance was left at its lowest."""
    if lowest.value is None or account is None or account.balance == 0:
        return NOTHING
    return f"{float(lowest) / to_minor(account.balance, account.currency):.1%}"


def domestic(summary: Summary) -> Iterator[Block]:
    """Yield the background in one line, where the headline does not cover it."""
    scope = summary.by["scope"].get("domestic")
    if summary.covers != "cross_border" or scope is None or not scope["submitted"].value:
        return
    said = {key: figure(Measure(one.value, one.unit)) for key, one in scope.items()}
    yield Text(
        f"Domestic payments: {said['submitted']}, {said['success_rate']} succeed, p50 "
        f"{said['end_to_end_p50']}, p99 {said['end_to_end_p99']}, busiest second "
        f"{said['completed_rate_peak']}"
    )


def course(summary: Summary) -> Iterator[Block]:
    """Yield what is to be said of the start and the end of a run."""
    if summary.presence is not None:
        yield from _start(summary.presence)
    yield from _end(summary)


def _start(presence: Presence) -> Iterator[Block]:
    """Yield how the run filled up and whether that was left out."""
    found = presence.judge()
    if found is None:
        return
    inside = presence.inside
    most = plain(max(inside))
    yield Series("In the system over time:", tuple(inside), f"up to {most} payments")
    used = f"{span(found.used_us)} left out" if found.used_us else "nothing left out"
    if found.needed_us is None:
        yield Text(
            f"Warm-up: {used}; the number in the system does not settle within the run (MSER-5): "
            f"the load moves, or more comes than leaves",
            Tone.CAUTION,
        )
    elif found.is_enough:
        yield Text(f"Warm-up: {used}, which is enough (MSER-5 on the number in the system)")
    else:
        yield Text(
            f"Warm-up: {used}; the number in the system settles after {span(found.needed_us)} "
            f"(MSER-5), and its mean is {abs(found.bias or 0):.0%} off with its start: set "
            f"clock.warm_up for a steady state",
            Tone.CAUTION,
        )


def _end(summary: Summary) -> Iterator[Block]:
    """Yield what the horizon cut off, where that changes the picture."""
    share = summary.measures.get("open_share")
    if share is None or share.value is None:
        return
    known, counted = (summary.measures[f"end_to_end_p99{end}"] for end in ("", "_kaplan_meier"))
    is_known = known.value is not None and counted.value is not None
    if not share.value or (is_known and float(counted) <= _TOLD_FROM * float(known)):
        return
    beyond = "longer than the run could see" if counted.value is None else figure(counted)
    yield Text(
        f"Still open at the horizon: {figure(share)} of payments. p99 of those completed is "
        f"{figure(known)}; counting the open ones as at least so long (Kaplan-Meier), {beyond}",
        Tone.CAUTION,
    )


def _footing(loaded: LoadedScenario) -> Iterator[Block]:
    """Yield what the figures rest on."""
    found = [item.grade for item in assumptions(loaded.scenario, loaded.document)]
    told = [f"{found.count(grade)} {grade}" for grade in GRADES if grade in found]
    if told:
        yield Text(f"Rests on values {', '.join(told)} (`payroute explain` lists them)")
    links = hypothetical_links(loaded.scenario)
    if links:
        yield Text(f"Hypothetical links: {', '.join(links)}", Tone.CAUTION)


def _idle(result: Result) -> Iterator[Block]:
    """Yield what the scenario says that changes nothing in it."""
    notes = result.facts.get("notes")
    # Folders of earlier versions hold none.
    for note in notes[:_NOTES_SHOWN] if isinstance(notes, list) else ():
        yield Text(f"Note: {note}", Tone.CAUTION)
    if isinstance(notes, list) and len(notes) > _NOTES_SHOWN:
        more = len(notes) - _NOTES_SHOWN
        yield Text(f"and {more} more (`payroute validate` lists them)", Tone.CAUTION)


def _ending(result: Result) -> Iterator[Block]:
    if result.audit is not None:
        verdict = describe_audit(result.audit)
        tone = Tone.GOOD if result.audit.ok else Tone.BAD
        yield Text(verdict[:1].upper() + verdict[1:], tone)
    if result.repeat is not None and result.repeat[0]:
        yield Text(result.repeat[1][:1].upper() + result.repeat[1][1:], Tone.QUIET)
    yield Text(f"Run folder: {result.folder}")
