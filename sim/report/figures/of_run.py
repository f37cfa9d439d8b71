"""The figures of a run, out of its tables and its measures.

Takes a finished run and its summary; gives figures. Payments of the warm-up are left out, as in
every measure; replications stand together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from sim.analysis.catalogue import COST_PARTS
from sim.analysis.summary import Measure, Measures, Summary
from sim.compiler.occurrences import Luck, occurrences
from sim.model.currencies import declared_of
from sim.model.members import group_names
from sim.model.quantities import to_minor
from sim.report.blocks import Figure
from sim.report.figure import figure, plain
from sim.report.names import reason_words
from sim.scenario.model import Scenario
from sim.tables.finished_run import FinishedRun
from sim.tables.schemas import CAUSES, PAYMENTS_FILE, SERIES_FILE
from sim.tables.tabular import TabularData
from sim.units import MINUTE_US, SECOND_US, using_currencies

_SHARES = (*(at / 50 for at in range(1, 50)), 0.99, 0.995, 0.999)
"""Shares of payments at which the time they took is drawn."""
_SAID = (0.5, 0.9, 0.98, 0.99)
_SERIES_SHOWN = 6
_ROWS_SHOWN = 12
_BINS = 60
_ENDS = 9
"""Ends of payments that are named in a flow; the rest is one."""
_POINTS = 40
"""Places of a balance's course that are drawn, its ends and extremes besides."""
_LEAST = 0.0005
_P99_FROM = 20
"""Payments of an interval from which on its p99 is drawn."""

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Told:
    """What the figures of a run are drawn from.

    Attributes
    ----------
    run : FinishedRun
    summary : Summary
    scenario : Scenario
    """

    run: FinishedRun
    summary: Summary
    scenario: Scenario

    def minor(self, amount: Decimal, currency: str) -> int:
        """Return an amount in minor units of one of the scenario's currencies."""
        with using_currencies(declared_of(self.scenario.currencies)):
            return to_minor(amount, currency)

    @property
    def disrupted(self) -> tuple[tuple[int, int], ...]:
        """Return when something went wrong in the first replication, in microseconds."""
        seed = int(str(self.run.facts["seed"]))
        happened = occurrences(self.scenario, Luck(seed))
        return tuple((one.start_us, one.stop_us) for one in happened if one.start_us < one.stop_us)


def time_figures(told: Told) -> Iterator[Figure]:
    """Yield how long payments took, and what the time went to.

    Parameters
    ----------
    told : Told
    """
    if told.run.has(PAYMENTS_FILE):
        yield from _shares_by_time(told)
    found = told.summary.by["route"] or told.summary.by["corridor"]
    parts = {f"{cause}_mean": cause for cause in CAUSES}
    yield from _stacked(
        "time-by-cause", "Where the time goes, mean of completed payments", found, parts
    )


def money_figures(told: Told) -> Iterator[Figure]:
    """Yield what payments cost whom, by corridor and by route."""
    parts = dict(zip(COST_PARTS, ("FX margin", "payer's fees", "merchant's cost"), strict=True))
    for group in ("corridor", "route"):
        yield from _stacked(
            f"cost-by-{group}",
            f"What payments cost, by {group}, mean of completed payments",
            told.summary.by[group],
            parts,
        )


def _stacked(
    name: str, title: str, found: Mapping[str, Measures], parts: Mapping[str, str]
) -> Iterator[Figure]:
    """Yield bars of parts, one bar for each name of a group, the busiest first."""
    rows: list[tuple[str, str, float]] = []
    words: list[str] = []
    unit = ""
    for row in _busiest(found):
        known = [(part, found[row].get(key)) for key, part in parts.items()]
        whole = sum(float(one) for _, one in known if one is not None and one.value is not None)
        for part, one in known:
            if one is None or one.value is None or not float(one) > _LEAST * whole:
                continue
            unit = one.unit
            rows.append((row, part, float(one)))
            words.append(f"{row}, {part}: {figure(Measure(one.value, one.unit))}")
    if rows:
        data = TabularData(("row", "part", "value"), tuple(rows))
        yield Figure(name, "stacked", title, data, tuple(words), unit)


def _busiest(found: Mapping[str, Measures]) -> list[str]:
    """Return the names of a group by payments, the most first, as many as are drawn."""
    order = sorted(found, key=lambda name: (-float(found[name]["submitted"]), name))
    return [name for name in order if float(found[name]["submitted"]) > 0][:_ROWS_SHOWN]


def _shares_by_time(told: Told) -> Iterator[Figure]:
    """Yield the share of payments credited within a time, by corridor."""
    table = told.run.table(
        PAYMENTS_FILE, ["corridor", "submitted_us", "credited_us", "outcome", "in_warm_up"]
    )
    chosen = table.filter((pc.field("outcome") == "completed") & (pc.field("in_warm_up") == 0))
    corridor = chosen.column("corridor").combine_chunks()
    took = _numbers(chosen, "credited_us") - _numbers(chosen, "submitted_us")
    names = corridor.dictionary.to_pylist()
    codes = corridor.indices.to_numpy(zero_copy_only=False)
    rows: list[tuple[str, float, float]] = []
    words: list[str] = []
    counts = np.bincount(codes, minlength=len(names))
    for at in np.argsort(-counts, kind="stable")[:_SERIES_SHOWN].tolist():
        if counts[at] == 0:
            continue
        times = np.sort(took[codes == at])
        for share in _SHARES:
            # Nearest rank; a share that leaves less than one payment above it is not known.
            if (1 - share) * len(times) < 1 and share != _SHARES[0]:
                continue
            time_s = int(times[int(np.ceil(share * len(times))) - 1]) / SECOND_US
            rows.append((names[at], max(time_s, 1e-3), share))
            said = f"{names[at]}: {share:.0%} within {figure(Measure(time_s, 's'))}"
            words.append(said if share in _SAID else "")
    if rows:
        data = TabularData(("series", "x", "share"), tuple(rows))
        yield Figure(
            "time-shares",
            "steps",
            "How long payments take, by corridor",
            data,
            tuple(words),
            "s, logarithmic",
            note="Share of completed payments credited within a time.",
        )


def flow_figures(told: Told) -> Iterator[Figure]:
    """Yield how many payments went over which route, and where they ended."""
    if not told.run.has(PAYMENTS_FILE):
        return
    columns = ["corridor", "route", "outcome", "reason_code", "creditor_agent", "scope"]
    table = told.run.table(PAYMENTS_FILE, [*columns, "in_warm_up"])
    table = table.filter(pc.field("in_warm_up") == 0)
    if told.summary.covers == "cross_border":
        table = table.filter(pc.field("scope") == told.summary.covers)
    counted = table.group_by(columns).aggregate([([], "count_all")]).to_pylist()
    groups = group_names(told.scenario.institutions)
    first: Counter[tuple[str, str]] = Counter()
    last: Counter[tuple[str, str]] = Counter()
    for row in counted:
        corridor = str(row["corridor"])
        route = str(row["route"] or f"{corridor}/no route").partition("/")[2]
        bank = str(row["creditor_agent"] or "credited")
        end = groups.get(bank, bank) if row["outcome"] == "completed" else "still open"
        if row["reason_code"] is not None:
            end = f"failed {row['reason_code']}"
        first[corridor, route] += row["count_all"]
        last[route, end] += row["count_all"]
    ends: Counter[str] = Counter()
    for (_, end), number in last.items():
        ends[end] += number
    kept = {end for end, _ in sorted(ends.items(), key=lambda item: (-item[1], item[0]))[:_ENDS]}
    folded: Counter[tuple[str, str]] = Counter()
    for (route, end), number in last.items():
        folded[route, end if end in kept else f"{len(ends) - len(kept)} others"] += number
    rows = [(0, *pair, number) for pair, number in sorted(first.items())]
    rows += [(1, *pair, number) for pair, number in sorted(folded.items())]
    words = [f"{start} to {end}: {plain(number)} payments" for _, start, end, number in rows]
    if rows:
        data = TabularData(("layer", "from", "to", "value"), tuple(rows))
        yield Figure("flow", "flow", "From corridor over route to its end", data, tuple(words))


def failure_figures(told: Told) -> Iterator[Figure]:
    """Yield why payments ended badly."""
    found = told.summary.by["reason"]
    order = sorted(found, key=lambda name: (-float(found[name]["submitted"]), name))
    rows = tuple((name, found[name]["submitted"].value) for name in order[:_ROWS_SHOWN])
    if rows:
        words = tuple(
            f"{name}, {reason_words(name)}: {figure(found[name]['submitted'])} payments"
            for name, _ in rows
        )
        data = TabularData(("row", "value"), rows)
        yield Figure("failures", "bars", "Why payments ended badly", data, words, "payments")


def liquidity_figures(told: Told) -> Iterator[Figure]:
    """Yield how low money placed ahead went, and its course."""
    written, found = told.scenario.accounts, told.summary.by["account"]
    rows: list[tuple[str, float]] = []
    for name, account in sorted(written.items()):
        low = found[name]["liquidity_low_minor"] if name in found else None
        if low is not None and low.value is not None and account.balance:
            opening = told.minor(account.balance, account.currency)
            rows.append((name, 100 * float(low) / opening))
    rows.sort(key=lambda row: (row[1], row[0]))
    if rows:
        words = tuple(f"{name}: {left:.1f} % of its opening" for name, left in rows)
        yield Figure(
            "liquidity-lowest",
            "bars",
            "Money placed ahead: lowest point",
            TabularData(("row", "value"), tuple(rows)),
            words,
            "% of opening",
        )
    if told.run.has(SERIES_FILE) and rows:
        lowest = [name for name, _ in rows[:_SERIES_SHOWN]]
        yield from _balances(told, lowest)


def _balances(told: Told, names: Sequence[str]) -> Iterator[Figure]:
    table = told.run.table(SERIES_FILE)
    wanted = (pc.field("measure") == "balance_minor") & (
        pc.field("replication") == told.run.replications[0]
    )
    table = table.filter(wanted)
    made: list[tuple[str, float, float]] = []
    words: list[str] = []
    for name in names:
        rows = table.filter(pc.field("name") == name)
        if not rows.num_rows:
            continue
        currency = told.scenario.accounts[name].currency
        time_us, value = _numbers(rows, "time_us"), _numbers(rows, "value")
        said = _ends_of(value.astype(np.float64))
        for at in sorted({*_thinned(len(value)), *said}):
            amount = int(value[at]) / told.minor(Decimal(1), currency)
            minute = int(time_us[at]) / MINUTE_US
            made.append((f"{name}, {currency}", round(minute, 2), amount))
            most = f"{said.get(at)} {name}: {plain(amount)} {currency} after {minute:.4g} min"
            words.append(most if at in said else "")
    if made:
        yield Figure(
            "liquidity-course",
            "course",
            "Money placed ahead over time",
            TabularData(("panel", "x", "y"), tuple(made)),
            tuple(words),
            x_unit="minutes since the start",
            bands=_bands(told),
            note=_of_first(told),
            is_zoomed=True,
        )


def course_figures(told: Told) -> Iterator[Figure]:
    """Yield load, times and the queue of the busiest ledger, interval by interval."""
    made: list[tuple[str, float, float]] = []
    words: list[str] = []
    horizon = told.scenario.clock.horizon
    edges = np.linspace(0, horizon, _BINS + 1)
    middle = (edges[:-1] + edges[1:]) / 2 / MINUTE_US

    def add(panel: str, values: npt.NDArray[np.float64], unit: str) -> None:
        said = _ends_of(values)
        for at, (minute, value) in enumerate(zip(middle.tolist(), values.tolist(), strict=True)):
            if not np.isnan(value):
                made.append((panel, round(minute, 2), float(f"{value:.6g}")))
                most = f"{said.get(at)} {panel}: {value:.4g}{unit} after {minute:.4g} min"
                words.append(most if at in said else "")

    if told.run.has(PAYMENTS_FILE):
        for panel, values, unit in _payment_courses(told, edges):
            add(panel, values, unit)
    if told.run.has(SERIES_FILE):
        for panel, values in _queue_courses(told, edges):
            add(panel, values, "")
    if made:
        yield Figure(
            "course",
            "course",
            "Load, times and queues over time",
            TabularData(("panel", "x", "y"), tuple(made)),
            tuple(words),
            x_unit="minutes since the start",
            bands=_bands(told),
            note=_of_first(told),
        )


def _payment_courses(
    told: Told, edges: npt.NDArray[np.float64]
) -> Iterator[tuple[str, npt.NDArray[np.float64], str]]:
    columns = ["scope", "submitted_us", "credited_us", "replication"]
    table = told.run.table(PAYMENTS_FILE, columns).filter(
        pc.field("replication") == told.run.replications[0]
    )
    minutes = float(edges[1] - edges[0]) / MINUTE_US
    for scope in ("cross_border", "domestic"):
        rows = table.filter(pc.field("scope") == scope)
        if not rows.num_rows:
            continue
        submitted = _numbers(rows, "submitted_us")
        at = np.clip(np.searchsorted(edges, submitted, side="right") - 1, 0, len(edges) - 2)
        count = np.bincount(at, minlength=len(edges) - 1)
        label = scope.replace("_", "-")
        yield f"{label} payments a minute", count / minutes, ""
        done = np.asarray(pc.is_valid(rows.column("credited_us")))
        took = (_numbers(rows, "credited_us") - submitted) / SECOND_US
        p99 = np.full(len(count), np.nan)
        for interval in np.flatnonzero(count >= _P99_FROM).tolist():
            times = np.sort(took[(at == interval) & done])
            if len(times) >= _P99_FROM:
                p99[interval] = times[int(np.ceil(0.99 * len(times))) - 1]
        if not np.isnan(p99).all():
            yield f"p99 of {label} payments, s", p99, " s"


def _queue_courses(
    told: Told, edges: npt.NDArray[np.float64]
) -> Iterator[tuple[str, npt.NDArray[np.float64]]]:
    """Yield the longest queue of each interval, of the place where most wait."""
    table = told.run.table(SERIES_FILE)
    table = table.filter(
        (pc.field("measure") == "queue") & (pc.field("replication") == told.run.replications[0])
    )
    if not table.num_rows:
        return
    means = table.group_by("name").aggregate([("value", "sum")]).to_pylist()
    busiest = max(means, key=lambda row: (row["value_sum"], row["name"]))
    if not busiest["value_sum"]:
        return
    rows = table.filter(pc.field("name") == busiest["name"])
    value, time_us = _numbers(rows, "value"), _numbers(rows, "time_us")
    at = np.clip(np.searchsorted(edges, time_us, side="right") - 1, 0, len(edges) - 2)
    most = np.full(len(edges) - 1, np.nan)
    for interval in np.unique(at).tolist():
        most[interval] = value[at == interval].max()
    yield f"waiting at {busiest['name']}, most", most


def _bands(told: Told) -> tuple[tuple[float, float], ...]:
    """Return when something went wrong, in minutes, within the run."""
    horizon = told.scenario.clock.horizon
    return tuple(
        (max(start_us, 0) / MINUTE_US, min(stop_us, horizon) / MINUTE_US)
        for start_us, stop_us in told.disrupted
        if start_us < horizon
    )


def _of_first(told: Told) -> str:
    runs = told.summary.replications
    shaded = "Shaded: disrupted. " if _bands(told) else ""
    return f"{shaded}Of the first of {runs} replications." if runs > 1 else shaded.strip()


def _ends_of(values: npt.NDArray[np.float64]) -> dict[int, str]:
    """Return where a course is lowest and highest: what is to be known of it without seeing it."""
    if np.isnan(values).all():
        return {}
    return {int(np.nanargmin(values)): "lowest", int(np.nanargmax(values)): "highest"}


def _thinned(length: int) -> list[int]:
    """Return as many places of a series as are drawn, its ends among them."""
    if length <= _POINTS:
        return list(range(length))
    return sorted({round(at * (length - 1) / (_POINTS - 1)) for at in range(_POINTS)})


def _numbers(table: object, name: str) -> Numbers:
    """Return a column as numbers; what never happened is 0."""
    column = table.column(name)  # type: ignore[attr-defined]
    found: Numbers = pc.fill_null(column, 0).to_numpy().astype(np.int64)
    return found
