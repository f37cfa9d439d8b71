"""Print what a run found out, for people.

Takes a :class:`~sim.study.result.Result`; gives tables on a console about 88 columns wide:
how many payments and how they ended, how long they took and why, what they cost, what was tight,
and what all this rests on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.columns import Columns
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sim.analysis.catalogue import (
    COST_COLUMNS,
    COST_PARTS,
    GROUP_COLUMNS,
    PLACE_COLUMNS,
    SUMMARY_COLUMNS,
    words_of,
)
from sim.analysis.g20 import INDICATORS
from sim.analysis.summary import Measure, Measures, Summary
from sim.cli.audit import describe_audit
from sim.cli.course import course
from sim.cli.wording import NOTHING, amount_text, figure, plain, reason_words, short
from sim.explain.evidence import assumptions, hypothetical_links
from sim.explain.words import moment, span
from sim.model.quantities import to_minor
from sim.model.sections import Account
from sim.scenario.scenario import LoadedScenario, load_scenario
from sim.study.result import Result
from sim.tables.finished_run import SCENARIO_FILE
from sim.tables.schemas import CAUSES

WIDTH = 88
_BAR = 24
_LEAST_SHARE = 0.0005
"""Parts of a whole below this are left out."""
_STATIONS_SHOWN = 5
_ROUTES_SHOWN = 12


def print_result(result: Result, console: Console | None = None) -> None:
    """Print the summary of a run.

    Parameters
    ----------
    result : Result
        What was run.
    console : Console, optional
        Where to; by default standard output.
    """
    console = console or Console(highlight=False)
    width = min(console.width, WIDTH)
    summary = result.summary
    loaded = load_scenario(result.folder / SCENARIO_FILE)
    console.print(_heading(result, loaded), width=width)
    for title, body in (
        (_covered(summary), _headline(summary)),
        ("By corridor", _groups(summary, "corridor")),
        ("By route", _groups(summary, "route")),
        ("Why payments ended badly", _reasons(summary)),
        (
            "Where the time went up to the last message, mean of completed payments",
            _causes(summary),
        ),
        ("What it cost, mean of completed payments", _cost(summary)),
        ("Against the G20 targets for 2027", _targets(summary)),
        ("Busiest places", _stations(summary)),
        ("Money placed ahead", _accounts(summary, loaded)),
    ):
        if body is not None:
            console.print(Text(f"\n{title}", style="bold"))
            console.print(Padding(body, (0, 0, 0, 2), expand=False), width=width)
    console.print()
    for line in (*_domestic(summary), *course(summary), *_footing(loaded), *_ending(result)):
        console.print(line, width=width, soft_wrap=False)


def _heading(result: Result, loaded: LoadedScenario) -> Text:
    scenario, facts = loaded.scenario, result.facts
    text = Text(scenario.scenario, style="bold")
    if scenario.question:
        text.append(f"\n{scenario.question}", style="italic")
    runs = int(str(facts["replications"]))
    times = f", {runs} replications" if runs > 1 else ""
    text.append(
        f"\n{span(scenario.clock.horizon)} from {moment(scenario.clock.start)}, seed "
        f"{facts['seed']}{times}, {facts['engine']} engine\n"
        f"{plain(facts['payments'])} payments, {plain(facts['events'])} events in "
        f"{float(str(facts['engine_seconds'])):.2f} s of the engine's time",
        style="not bold",
    )
    return text


def _covered(summary: Summary) -> str:
    return "Cross-border payments" if summary.covers == "cross_border" else "All payments"


def _headline(summary: Summary) -> RenderableType:
    measures = summary.measures
    shown = []
    for block in SUMMARY_COLUMNS:
        table = make_table(("", "left"), ("", "right"), headed=False)
        for name in block:
            if measures[name].value is not None:
                table.add_row(words_of(name), Text(figure(measures[name]), style="bold"))
        shown.append(table)
    return Columns(shown, padding=(0, 2))


def _groups(summary: Summary, group: str) -> RenderableType | None:
    found = summary.by[group]
    if not found or (group == "route" and len(found) < 2):
        return None
    has_cost = any(measures["payer_cost_bps"].value is not None for measures in found.values())
    heads = [(group, "left"), ("payments", "right"), ("success", "right"), ("p50", "right")]
    heads += [("p99", "right")]
    if has_cost:
        heads += [("payer", "right"), ("merchant", "right")]
    table = make_table(*heads)
    busiest = sorted(found, key=lambda name: (-float(found[name]["submitted"]), name))
    for name in busiest[:_ROUTES_SHOWN]:
        measures = found[name]
        names = (*GROUP_COLUMNS, *COST_COLUMNS) if has_cost else GROUP_COLUMNS
        table.add_row(name, *(short(measures[measure]) for measure in names))
    return table


def _reasons(summary: Summary) -> RenderableType | None:
    found = summary.by["reason"]
    if not found:
        return None
    table = make_table(("reason", "left"), ("payments", "right"), ("share", "right"), ("", "left"))
    for name in sorted(found, key=lambda name: (-float(found[name]["submitted"]), name)):
        measures = found[name]
        words = Text(reason_words(name), style="dim")
        table.add_row(name, short(measures["submitted"]), short(measures["share"]), words)
    return table


def _causes(summary: Summary) -> RenderableType | None:
    parts = [(cause, summary.measures[f"{cause}_mean"]) for cause in CAUSES]
    return _bars([(cause, float(part), figure(part)) for cause, part in parts if _is(part)])


def _cost(summary: Summary) -> RenderableType | None:
    if summary.measures["payer_cost_bps"].value is None:
        return None
    parts = [(words_of(name), summary.measures[name]) for name in COST_PARTS]
    return _bars([(words, float(part), figure(part)) for words, part in parts if _is(part)])


def _is(measure: Measure) -> bool:
    """Tell a part that is there to be shown."""
    return measure.value is not None and float(measure) > 0


def _bars(parts: Sequence[tuple[str, float, str]]) -> RenderableType | None:
    """Return parts of a whole as bars, the largest first."""
    if not parts:
        return None
    total = sum(size for _, size, _ in parts)
    table = make_table(("", "left"), ("", "right"), ("", "right"), ("", "left"), headed=False)
    for words, size, text in sorted(parts, key=lambda part: (-part[1], part[0])):
        if size < total * _LEAST_SHARE:
            continue
        bar = "█" * round(_BAR * size / total)
        table.add_row(words, Text(text, style="bold"), f"{size / total:.0%}", Text(bar, "cyan"))
    return table


def _targets(summary: Summary) -> RenderableType | None:
    if not any(target.value is not None for target in summary.g20.values()):
        return None
    table = make_table(("indicator", "left"), ("here", "right"), ("target", "right"), ("", "left"))
    for name, target in summary.g20.items():
        sign = "at least" if target.unit == "share" else "at most"
        is_met = {True: ("met", "green"), False: ("missed", "red"), None: ("unknown", "dim")}
        words, style = is_met[target.is_met]
        table.add_row(
            INDICATORS[name].words,
            figure(Measure(target.value, target.unit)),
            f"{sign} {figure(Measure(target.target, target.unit))}",
            Text(words, style),
        )
    return table


def _stations(summary: Summary) -> RenderableType | None:
    found = summary.by["station"]

    def load(name: str) -> tuple[float, float, str]:
        used = found[name]["utilisation"].value
        return -float(used or 0), -float(found[name]["queue_mean"]), name

    busiest = [name for name in sorted(found, key=load) if _has_worked(found[name])]
    if not busiest:
        return None
    heads = ((words_of(name), "right") for name in PLACE_COLUMNS)
    table = make_table(("place", "left"), *heads)
    for name in busiest[:_STATIONS_SHOWN]:
        row = found[name]
        table.add_row(name, *(short(row[key]) if key in row else "" for key in PLACE_COLUMNS))
    return table


def _has_worked(measures: Measures) -> bool:
    return any(float(measures[name]) > 0 for name in ("starts", "blocks") if name in measures)


def _accounts(summary: Summary, loaded: LoadedScenario) -> RenderableType | None:
    found = summary.by["account"]
    written = loaded.scenario.accounts
    chosen = [
        name
        for name, row in found.items()
        if name in written or row["delayed_for_liquidity"].value or row["lost_for_liquidity"].value
    ]
    if not chosen:
        return None
    heads = ("lowest", "of opening", "waited", "refused")
    table = make_table(("account", "left"), *((head, "right") for head in heads))
    for name in sorted(chosen):
        row = found[name]
        table.add_row(
            name,
            amount_text(row["liquidity_low_minor"]),
            _left(row["liquidity_low_minor"], written.get(name)),
            short(row["delayed_for_liquidity"]),
            short(row["lost_for_liquidity"]),
        )
    return table


def _left(lowest: Measure, account: Account | None) -> str:
    """Return how much of an account's opening balance was left at its lowest."""
    if lowest.value is None or account is None or account.balance == 0:
        return NOTHING
    return f"{float(lowest) / to_minor(account.balance, account.currency):.1%}"


def _domestic(summary: Summary) -> Iterable[Text]:
    """Yield the background in one line, where the headline does not cover it."""
    scope = summary.by["scope"].get("domestic")
    if summary.covers != "cross_border" or scope is None or not scope["submitted"].value:
        return
    yield Text(
        f"Domestic payments: {short(scope['submitted'])}, {short(scope['success_rate'])} succeed, "
        f"p50 {short(scope['end_to_end_p50'])}, p99 {short(scope['end_to_end_p99'])}, busiest "
        f"second {short(scope['completed_rate_peak'])}"
    )


def _footing(loaded: LoadedScenario) -> Iterable[Text]:
    """Yield what the figures rest on."""
    grades: dict[str, int] = {}
    for item in assumptions(loaded.scenario, loaded.document):
        grades[item.grade] = grades.get(item.grade, 0) + 1
    if grades:
        told = ", ".join(f"{grades[grade]} {grade}" for grade in _GRADES if grade in grades)
        yield Text(f"Rests on values {told} (`payroute explain` lists them)")
    links = hypothetical_links(loaded.scenario)
    if links:
        yield Text(f"Hypothetical links: {', '.join(links)}", style="yellow")


_GRADES = ("reported", "derived", "estimated", "assumed")


def _ending(result: Result) -> Iterable[Text]:
    if result.audit is not None:
        verdict = describe_audit(result.audit)
        yield Text(verdict[:1].upper() + verdict[1:], "green" if result.audit.ok else "bold red")
    if result.repeat is not None and result.repeat[0]:
        yield Text(result.repeat[1][:1].upper() + result.repeat[1][1:], "dim")
    yield Text.assemble("Run folder: ", (str(result.folder), "bold"))


def make_table(*columns: tuple[str, str], headed: bool = True) -> Table:
    """Return an empty table of the house's looks; columns are (heading, left or right)."""
    table = Table(
        box=box.SIMPLE_HEAD if headed else None,
        show_header=headed,
        header_style="dim",
        pad_edge=False,
        padding=(0, 2, 0, 0),
        show_edge=False,
    )
    for name, side in columns:
        table.add_column(name, justify="right" if side == "right" else "left", overflow="fold")
    return table
