"""Compute every measure of a run under its one name.

Takes the plan, the tallies folded during the run, the engine's totals and, where payments were
recorded, ``payments.parquet``; gives a :class:`~sim.analysis.summary.Summary`. Warm-up and
censoring are settled here and nowhere else: measures cover payments submitted in [warm-up,
horizon); those still open at the horizon count as ``in_progress`` and are left out of rates and
times. How many these are is told by ``open_share``, and ``end_to_end_p99_kaplan_meier`` and its
like count them as at least so long. Only the rates of completion (``completed_rate_mean`` and
``completed_rate_peak``) count by the instant of completion instead, so that a queue that is too
long shows its capacity. Quantiles are exact where payments were recorded (up to
:data:`~sim.analysis.quantiles.EXACT_PAYMENTS_MAX`), else from histograms (error below 0.4 %).

End-to-end time runs from submission to credit, when the creditor may use the money; machine time is
that less the human part. The means by cause run on to the payment's end, notification and
confirmation included, so they add up to more where these follow the credit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sim.analysis.censoring import Survival, censoring_measures
from sim.analysis.places import account_measures, netting_measures, station_measures
from sim.analysis.quantiles import (
    EXACT_PAYMENTS_MAX,
    QUANTILES,
    Cells,
    HistogramQuantiles,
    PaymentQuantiles,
    QuantileSource,
)
from sim.analysis.summary import Measure, Measures, Summary, Target
from sim.analysis.warm_up import Presence
from sim.contract.layout import RouteColumn, StreamColumn
from sim.contract.meaning import Cause, Outcome, Reason, Scope
from sim.contract.plan import Array, Plan
from sim.contract.run import Totals
from sim.tables.folding import BPS_SCALE, TALLY_WIDTH, SummaryFolder, Tally
from sim.tables.schemas import PAYMENTS_FILE, SCOPES
from sim.units import SECOND_US

G20_TARGETS = {
    "cost_mean": (100.0, "bps"),
    "cost_worst_corridor": (300.0, "bps"),
    "within_1h": (0.75, "share"),
}
"""Targets of the G20 roadmap for retail payments (Financial Stability Board 2021): a global
average cost of at most 1 %, no corridor above 3 %, 75 % within one hour."""

_WITHIN = (
    ("within_10s", Tally.WITHIN_10S),
    ("within_60s", Tally.WITHIN_60S),
    ("within_1h", Tally.WITHIN_1H),
    ("within_1d", Tally.WITHIN_1D),
)


@dataclass(frozen=True, slots=True)
class RunFigures:
    """Hold what one run left behind.

    Attributes
    ----------
    plan : Plan
        Its plan.
    folder : SummaryFolder
        Tallies, from the writer.
    totals : Totals
        From the engine.
    run_folder : Path or None
        Where ``payments.parquet`` lies, for exact quantiles; None: from histograms.
    engine : str
        ``compiled`` or ``reference``.
    """

    plan: Plan
    folder: SummaryFolder
    totals: Totals
    run_folder: Path | None = None
    engine: str = "compiled"


def summarise(run: RunFigures) -> Summary:
    """Compute all measures of one run.

    Parameters
    ----------
    run : RunFigures
        What the run left behind.

    Notes
    -----
    The headline covers cross-border payments; in a plan without any (a bare queue, a domestic
    scenario) it covers all payments, and ``covers`` says so.
    """
    plan, folder = run.plan, run.folder
    source = _quantile_source(run)
    scope_of = plan.stream[:, StreamColumn.SCOPE]
    has_cross = bool((scope_of == Scope.CROSS_BORDER).any())
    cells = range(len(folder.cells))
    by_scope: dict[str, Cells] = {"all": tuple(cells)}
    for at, name in enumerate(SCOPES):
        by_scope[name] = tuple(c for c in cells if scope_of[folder.cells[c][0]] == at)
    covers = SCOPES[Scope.CROSS_BORDER] if has_cross else "all"
    groups = _Groups(run, source)
    scopes = {name: groups.measures(chosen) for name, chosen in by_scope.items()}
    for at, name in enumerate((*SCOPES, "all")):
        peak = folder.peak.highest[at]
        scopes[name]["completed_rate_peak"] = Measure(peak, "payments/s")
    covered = by_scope[covers]
    headline = dict(scopes[covers]) | netting_measures(plan, folder.positions)
    headline |= censoring_measures(folder, covered)
    corridors = groups.by(_corridor_cells(cells, folder, plan))
    return Summary(
        scenario=plan.names.scenario,
        seed=plan.seed,
        engine=run.engine,
        replications=1,
        covers=covers,
        measures=headline,
        by={
            "scope": scopes,
            "corridor": corridors,
            "route": groups.by(_route_cells(folder, plan, range(len(plan.route)))),
            "rail": groups.by(_rail_cells(folder, plan)),
            "agent": _agent_measures(plan, folder),
            "reason": _reason_measures(folder, covered),
            "station": station_measures(plan, run.totals),
            "account": account_measures(plan, run.totals),
        },
        g20=_g20(headline, _cross_corridors(plan, corridors, has_cross)),
        presence=_presence(run),
        survival=Survival.of(folder, covered),
    )


def _presence(run: RunFigures) -> Presence:
    """Return how many payments, of whatever scope, were in the system over the run."""
    followed = run.folder.presence
    inside = tuple(int(area) for area in followed.inside_us())
    return Presence(followed.step_us, run.plan.warm_up_us, 1, run.totals.payments, inside)


def _corridor_cells(cells: Iterable[int], folder: SummaryFolder, plan: Plan) -> dict[str, Cells]:
    """Return the cells of every corridor that saw a payment, by name."""
    found: dict[str, list[int]] = {name: [] for name in plan.names.corridors}
    for cell in cells:
        corridor = int(plan.stream[folder.cells[cell][0], StreamColumn.CORRIDOR])
        found[plan.names.corridors[corridor]].append(cell)
    return {name: tuple(chosen) for name, chosen in found.items() if chosen}


class _Groups:
    """Compute the measures of groups of cells."""

    def __init__(self, run: RunFigures, source: QuantileSource) -> None:
        self._run = run
        self._source = source
        window_us = run.plan.horizon_us - run.plan.warm_up_us
        self._window_s = window_us / SECOND_US

    def by(self, groups: Mapping[str, Cells]) -> dict[str, Measures]:
        """Return the measures of each group, those nobody used left out."""
        return {name: self.measures(cells) for name, cells in groups.items() if cells}

    def measures(self, cells: Cells) -> dict[str, Measure]:
        """Return the measures of one group."""
        folder = self._run.folder
        chosen = list(cells)
        tally = folder.tally[chosen].sum(axis=0) if chosen else _no_tally()
        found = tally_measures(tally, self._window_s)
        longest = folder.maximum[chosen].max(axis=0) if chosen else np.zeros(2, dtype=np.int64)
        done = int(tally[Tally.COMPLETED])
        for machine, prefix in ((False, "end_to_end"), (True, "machine_time")):
            quantiles = self._source.quantiles_us(cells, machine)
            for name in QUANTILES:
                value = None if quantiles is None else quantiles[name] / SECOND_US
                found[f"{prefix}_{name}"] = Measure(value, "s")
            most = int(longest[int(machine)]) / SECOND_US if done else None
            found[f"{prefix}_max"] = Measure(most, "s")
        return found


def headline_units() -> dict[str, str]:
    """Return every measure of the headline with its unit, without a run."""
    found = {name: measure.unit for name, measure in tally_measures(_no_tally(), 1.0).items()}
    for prefix in ("end_to_end", "machine_time"):
        found |= {f"{prefix}_{name}": "s" for name in (*QUANTILES, "max")}
    found |= {f"end_to_end_{name}_kaplan_meier": "s" for name in QUANTILES}
    found |= {"open_share": "share", "completed_rate_peak": "payments/s"}
    return found | {"netting_ratio": "share", "exposure_peak_minor": "minor"}


def tally_measures(tally: Array, window_s: float) -> dict[str, Measure]:
    """Return the measures that follow from sums alone.

    Parameters
    ----------
    tally : ndarray of int64, shape (TALLY_WIDTH,)
        See :class:`~sim.tables.folding.Tally`.
    window_s : float
        Seconds from the warm-up to the horizon.
    """
    count = [int(value) for value in tally]
    done = count[Tally.COMPLETED]
    decided = count[Tally.SUBMITTED] - count[Tally.IN_PROGRESS]
    found = {
        name: Measure(count[column], "payments")
        for name, column in (
            ("submitted", Tally.SUBMITTED),
            ("completed", Tally.COMPLETED),
            ("rejected", Tally.REJECTED),
            ("returned", Tally.RETURNED),
            ("in_progress", Tally.IN_PROGRESS),
        )
    }
    found["success_rate"] = Measure(_ratio(done, decided), "share")
    total = count[Tally.END_TO_END_US]
    human = count[Tally.CAUSE_0_US + Cause.HUMAN]
    found["end_to_end_mean"] = Measure(_ratio(total, done * SECOND_US), "s")
    found["machine_time_mean"] = Measure(_ratio(total - human, done * SECOND_US), "s")
    for name, column in _WITHIN:
        found[name] = Measure(_ratio(count[column], done), "share")
    for cause in Cause:
        value = _ratio(count[Tally.CAUSE_0_US + cause], done * SECOND_US)
        found[f"{cause.name.lower()}_mean"] = Measure(value, "s")
    found |= _cost_measures(count)
    found["offered_rate_mean"] = Measure(_ratio(count[Tally.SUBMITTED], window_s), "payments/s")
    completed_rate = _ratio(count[Tally.COMPLETED_IN_WINDOW], window_s)
    found["completed_rate_mean"] = Measure(completed_rate, "payments/s")
    found["requotes"] = Measure(count[Tally.REQUOTES], "quotes")
    found["quotes_lapsed"] = Measure(count[Tally.QUOTES_LAPSED], "quotes")
    found["returns"] = Measure(count[Tally.RETURNED], "payments")
    found["failed_over"] = Measure(count[Tally.FAILED_OVER], "payments")
    lag = _ratio(count[Tally.LAG_US], count[Tally.LAG_COUNT] * SECOND_US)
    found["settlement_lag_mean"] = Measure(lag, "s")
    return found


def _cost_measures(count: list[int]) -> dict[str, Measure]:
    """Return mean costs in basis points of the amount."""
    priced, sold = count[Tally.PRICED], count[Tally.MERCHANT_PRICED]
    fee = _ratio(count[Tally.PAYER_FEE], priced * BPS_SCALE)
    margin = _ratio(count[Tally.FX_MARGIN], priced * BPS_SCALE)
    cost = None if fee is None or margin is None else fee + margin
    return {
        "payer_cost_bps": Measure(cost, "bps"),
        "payer_fee_bps": Measure(fee, "bps"),
        "fx_margin_bps": Measure(margin, "bps"),
        "fx_drift_bps": Measure(_ratio(count[Tally.FX_DRIFT], priced * BPS_SCALE), "bps"),
        "merchant_cost_bps": Measure(_ratio(count[Tally.MERCHANT_FEE], sold * BPS_SCALE), "bps"),
    }


def _quantile_source(run: RunFigures) -> QuantileSource:
    """Prefer the payments themselves, as long as they fit."""
    few = int(run.folder.tally[:, Tally.COMPLETED].sum()) <= EXACT_PAYMENTS_MAX
    if few and run.run_folder is not None and (run.run_folder / PAYMENTS_FILE).exists():
        return PaymentQuantiles(
            run.run_folder / PAYMENTS_FILE, run.plan, run.folder, run.plan.replication
        )
    return HistogramQuantiles(run.folder)


def _route_cells(folder: SummaryFolder, plan: Plan, routes: Iterable[int]) -> dict[str, Cells]:
    """Return the cells of every route, by name."""
    found: dict[str, list[int]] = {plan.names.routes[route]: [] for route in routes}
    for cell, (_, route) in enumerate(folder.cells):
        if route >= 0:
            found[plan.names.routes[route]].append(cell)
    return {name: tuple(cells) for name, cells in found.items()}


def _rail_cells(folder: SummaryFolder, plan: Plan) -> dict[str, Cells]:
    """Return the cells of every rail, by name."""
    found: dict[str, list[int]] = {name: [] for name in plan.names.rails}
    for cell, (_, route) in enumerate(folder.cells):
        if route >= 0:
            rail = int(plan.route[route, RouteColumn.RAIL])
            if rail >= 0:
                found[plan.names.rails[rail]].append(cell)
    return {name: tuple(cells) for name, cells in found.items()}


def _agent_measures(plan: Plan, folder: SummaryFolder) -> dict[str, Measures]:
    """Return what follows from sums for every agent that had a part in a payment."""
    window_s = (plan.horizon_us - plan.warm_up_us) / SECOND_US
    return {
        name: tally_measures(folder.agent[at], window_s)
        for at, name in enumerate(plan.names.agents)
        if folder.agent[at].any()
    }


def _reason_measures(folder: SummaryFolder, covered: Cells) -> dict[str, Measures]:
    """Return the covered payments of every reason, by outcome."""
    if not covered:
        return {}
    counts = folder.reasons[list(covered)].sum(axis=0)
    total = int(folder.tally[list(covered), Tally.SUBMITTED].sum())
    found: dict[str, Measures] = {}
    for reason in Reason:
        row = counts[reason]
        if reason == Reason.NONE or not row.any():
            continue
        number = int(row.sum())
        measures = {"submitted": Measure(number, "payments")}
        for outcome in (Outcome.REJECTED, Outcome.RETURNED, Outcome.IN_PROGRESS):
            measures[outcome.name.lower()] = Measure(int(row[outcome]), "payments")
        measures["share"] = Measure(_ratio(number, total), "share")
        found[reason.name] = measures
    return found


def _cross_corridors(
    plan: Plan, corridors: Mapping[str, Measures], has_cross: bool
) -> dict[str, Measures]:
    """Return the corridors that carry cross-border payments."""
    cross = {
        plan.names.corridors[int(row[StreamColumn.CORRIDOR])]
        for row in plan.stream
        if row[StreamColumn.SCOPE] == Scope.CROSS_BORDER
    }
    return {name: found for name, found in corridors.items() if name in cross and has_cross}


def _g20(headline: Measures, corridors: Mapping[str, Measures]) -> dict[str, Target]:
    """Hold cost and speed against the published targets; nothing where nothing crosses a border."""
    if not corridors:
        return {}
    costs = [found["payer_cost_bps"].value for found in corridors.values()]
    known = [float(cost) for cost in costs if cost is not None]
    mean, within = headline["payer_cost_bps"].value, headline["within_1h"].value
    figures = {
        "cost_mean": None if mean is None else float(mean),
        "cost_worst_corridor": max(known, default=None),
        "within_1h": None if within is None else float(within),
    }
    found: dict[str, Target] = {}
    for name, (target, unit) in G20_TARGETS.items():
        value = figures[name]
        met = None
        if value is not None:
            met = value >= target if unit == "share" else value <= target
        found[name] = Target(value, target, unit, met)
    return found


def _ratio(part: float, whole: float) -> float | None:
    """Return a quotient, None where there is nothing to divide by."""
    return None if whole == 0 else part / whole


def _no_tally() -> Array:
    return np.zeros(TALLY_WIDTH, dtype=np.int64)
