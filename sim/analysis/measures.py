"""Summarise a run: gather what its measures are computed from, group by group.

Takes the plan, the tallies and durations folded during the run, and the engine's totals, whatever
tables are written; gives a :class:`~sim.analysis.summary.Summary` of the measures that
:mod:`sim.analysis.catalogue` defines. Warm-up and censoring are settled here and nowhere else:
measures cover payments submitted in [warm-up, horizon). Those still open at the horizon count as
``in_progress`` and are left out of times; of shares only those younger than their corridor's
promise are (``open_in_time``), so that what takes longer than promised counts as not successful.
How many are open is told by ``open_share``, and ``end_to_end_p99_kaplan_meier`` and its like count
them as at least so long. Only the rates of completion (``completed_rate_mean`` and
``completed_rate_peak``) count by the instant of completion instead, so that a queue that is too
long shows its capacity. Quantiles are exact up to :data:`~sim.tables.durations.EXACT_MAX` completed
payments of a run; beyond it, and those of waits always, they lie in a cell whose width they carry.

End-to-end time runs from submission to credit, when the creditor may use the money; machine time is
that less the human part. The means by cause run on to the payment's end, notification and
confirmation included, so they add up to more where these follow the credit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from sim.analysis.catalogue import PAYMENT_MEASURES, measured
from sim.analysis.censoring import Survival, kaplan_meier
from sim.analysis.definition import HEADLINE, WINDOW
from sim.analysis.g20 import hold_against_targets
from sim.analysis.liquidity import liquidity_of
from sim.analysis.of_orders import orders_of
from sim.analysis.places import account_measures, net_obligations, station_measures
from sim.analysis.providers import provider_measures
from sim.analysis.rates import common_currency
from sim.analysis.refunds import refunds_of
from sim.analysis.settlement import settled_of
from sim.analysis.sources import Amount, Breaks, Cell, Cells, Held, Payments, quantiles_us
from sim.analysis.summary import Measures, Summary, with_places
from sim.analysis.systems import system_measures
from sim.analysis.warm_up import Presence
from sim.analysis.window_places import window_places
from sim.contract.breaks import BREAK_AGES
from sim.contract.layout import PricingColumn, RouteColumn, StreamColumn
from sim.contract.meaning import Outcome, Reason, Scope
from sim.contract.plan import Plan
from sim.contract.run import Totals
from sim.tables.durations import Between
from sim.tables.folding import TALLY_WIDTH, SummaryFolder, Tally
from sim.tables.payment_rows import stream_pricing
from sim.tables.schemas import SCOPES
from sim.units import SECOND_US


@dataclass(frozen=True, slots=True)
class RunFigures:
    """What one run left behind.

    Attributes
    ----------
    plan : Plan
        Its plan.
    folder : SummaryFolder
        Tallies, from the writer.
    totals : Totals
        From the engine.
    engine : str
        ``compiled`` or ``reference``.
    """

    plan: Plan
    folder: SummaryFolder
    totals: Totals
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
    plan = run.plan
    whole = _of_payments(run)
    windows: dict[str, Measures] = {}
    for name, folder in zip(plan.names.windows, run.folder.windows, strict=True):
        windows |= _in_window(name, _of_payments(replace(run, folder=folder)))
    windows |= window_places(plan, run.totals)
    crossing = _crossing(plan)
    providers = provider_measures(plan, run.totals)
    found = Summary(
        scenario=plan.names.scenario,
        seed=plan.seed,
        engine=run.engine,
        replications=1,
        covers=whole.covers,
        measures=whole.headline,
        by={
            **whole.by,
            "age": _by_age(whole.breaks),
            "station": station_measures(plan, run.totals),
            "account": account_measures(plan, run.totals),
            "system": system_measures(plan, run.totals),
            **({"provider": providers} if providers else {}),
            "window": windows,
        },
        crossing=crossing,
        g20=hold_against_targets(whole.headline, whole.by["corridor"], crossing),
        presence=_presence(run),
        survival=Survival.of(run.folder, whole.covered),
    )
    return with_places(found, plan.names.declared) if plan.names.declared else found


@dataclass(frozen=True, slots=True)
class _OfPayments:
    """The measures of the payments of a run, or of a window of it."""

    covers: str
    covered: Cells
    headline: Measures
    breaks: Breaks | None
    by: dict[str, dict[str, Measures]]


def _in_window(name: str, told: _OfPayments) -> dict[str, Measures]:
    """Return the measures of a window under its name, those of its groups behind a slash.

    What is known of all replications together only (Kaplan and Meier) is left out: it is pooled
    from what the run as a whole keeps.
    """
    known = {one.name for one in PAYMENT_MEASURES if WINDOW in one.groups}
    found: dict[str, Measures] = {name: {k: v for k, v in told.headline.items() if k in known}}
    for group, members in told.by.items():
        found |= {f"{name}/{group}/{member}": held for member, held in members.items()}
    return found


def _of_payments(run: RunFigures) -> _OfPayments:
    """Return all measures of payments of a folder."""
    plan, folder = run.plan, run.folder
    scope_of = plan.stream[:, StreamColumn.SCOPE]
    has_cross = bool((scope_of == Scope.CROSS_BORDER).any())
    cells = range(len(folder.cells))
    by_scope: dict[str, Cells] = {"all": tuple(cells)}
    for at, name in enumerate(SCOPES):
        by_scope[name] = tuple(c for c in cells if scope_of[folder.cells[c][0]] == at)
    covers = SCOPES[Scope.CROSS_BORDER] if has_cross else "all"
    groups = _Groups(run)
    # The peak of all payments is kept behind those of the scopes, hence as the last.
    parts = {
        name: replace(groups.payments(chosen), peak=folder.peak.highest[at])
        for at, (name, chosen) in enumerate(by_scope.items(), -1)
    }
    covered = by_scope[covers]
    whole = replace(_with_whole(parts[covers], run, covered), held=groups.held(covered))
    return _OfPayments(
        covers,
        covered,
        measured(PAYMENT_MEASURES, HEADLINE, whole),
        whole.breaks,
        {
            "scope": {
                name: measured(PAYMENT_MEASURES, "scope", part) for name, part in parts.items()
            },
            "corridor": groups.by("corridor", _corridor_cells(cells, folder, plan)),
            "route": groups.by("route", _route_cells(folder, plan, range(len(plan.route)))),
            "rail": groups.by("rail", _rail_cells(folder, plan)),
            "agent": _agent_measures(folder, plan.names.agents),
            "reason": _reason_measures(folder, covered),
        },
    )


def _with_whole(part: Payments, run: RunFigures, covered: Cells) -> Payments:
    """Add what is known of the covered payments only: obligations, and times of those open."""
    folder = run.folder
    return replace(
        part,
        netting=net_obligations(run.plan, folder.positions),
        settled=settled_of(run.plan, run.totals, folder.owed),
        placed=liquidity_of(run.plan, run.totals),
        breaks=_breaks(folder, {folder.cells[cell][0] for cell in covered}),
        ordered=orders_of(run.plan, run.totals),
        refunded=refunds_of(run.plan, run.totals, {folder.cells[cell][0] for cell in covered}),
        censored_us=kaplan_meier(folder.end_to_end.of(covered), folder.open_age.of(covered)),
    )


def _breaks(folder: SummaryFolder, streams: set[int]) -> Breaks | None:
    """Return what the books of some streams disagreed about."""
    found = folder.breaks
    if found is None or not len(found.at_us):
        return None
    chosen = sorted(streams)
    opened, standing = (int(one[chosen].sum()) for one in (found.opened, found.standing))
    return Breaks(
        opened,
        opened - standing,
        standing,
        int(found.oldest_us[chosen].max(initial=0)),
        tuple(found.found[chosen].sum(axis=0).tolist()),
    )


def _by_age(breaks: Breaks | None) -> dict[str, Measures]:
    """Return how many breaks of each age were found, where books were ever compared."""
    found = () if breaks is None else zip(BREAK_AGES, breaks.found, strict=True)
    return {
        age: measured(PAYMENT_MEASURES, "age", Payments([0] * TALLY_WIDTH, 0, whole=count))
        for age, count in found
    }


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
    """The payments of groups of cells."""

    def __init__(self, run: RunFigures) -> None:
        self._run = run
        self.currency, self._cells = _priced_cells(run)

    def by(self, group: str, members: Mapping[str, Cells]) -> dict[str, Measures]:
        """Return the measures of each member of a group, those nobody used left out."""
        return {
            name: measured(PAYMENT_MEASURES, group, self.payments(cells))
            for name, cells in members.items()
            if cells
        }

    def payments(self, cells: Cells) -> Payments:
        """Return what the run tells of some cells."""
        chosen = [self._cells[cell] for cell in cells]
        tally = sum((cell.tally for cell in chosen), np.zeros(TALLY_WIDTH, dtype=np.int64))
        return Payments(
            tally.tolist(),
            self._run.folder.spans.length_us / SECOND_US,
            tuple(chosen),
            times_us=(self._times_us(cells, machine=False), self._times_us(cells, machine=True)),
            has_patience=bool((self._run.plan.stream[:, StreamColumn.PATIENCE] >= 0).any()),
        )

    def held(self, cells: Cells) -> Held:
        """Return what payers were debited and nobody was credited at the horizon."""
        chosen, total = [self._cells[cell] for cell in cells], Fraction(0)
        held = [cell for cell in chosen if cell.tally[Tally.HELD]]
        if not held:
            return Held(Amount(0, self.currency), None)
        longest = int(self._run.folder.maximum[list(cells), 2].max())
        oldest = Between(longest, longest)
        for cell in held:
            if cell.debited is None:
                return Held(Amount(None, self.currency), oldest)
            total += int(cell.tally[Tally.HELD_AMOUNT]) * cell.debited
        return Held(Amount(round(total), self.currency), oldest)

    def _times_us(self, cells: Cells, *, machine: bool) -> dict[str, Between | None]:
        """Return quantiles and the longest time; nothing where no payment completed."""
        folder = self._run.folder
        durations = (folder.machine if machine else folder.end_to_end).of(cells)
        if not durations.total:
            return {}
        longest = int(folder.maximum[list(cells), int(machine)].max())
        return {**quantiles_us(durations), "max": Between(longest, longest)}


def _priced_cells(run: RunFigures) -> tuple[str, list[Cell]]:
    """Return every cell with what its currencies are worth in one they share, and that currency."""
    plan, names = run.plan, run.plan.names.currencies
    unrouted, debited = stream_pricing(plan), plan.pricing[:, PricingColumn.CURRENCY_DEBITED]
    common, worth = common_currency(plan, [names[int(at)] for at in debited])
    found = []
    for (stream, route), tally in zip(run.folder.cells, run.folder.tally, strict=True):
        pricing = int(unrouted[stream] if route < 0 else plan.route[route, RouteColumn.PRICING])
        rates = [
            None if pricing < 0 else worth.get(names[int(plan.pricing[pricing, column])])
            for column in (PricingColumn.CURRENCY_DEBITED, PricingColumn.CURRENCY_CREDITED)
        ]
        found.append(Cell(tally, *rates))
    return common, found


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


def _agent_measures(folder: SummaryFolder, names: Sequence[str]) -> dict[str, Measures]:
    """Return what follows from sums for every agent that had a part in a payment."""
    length_s = folder.spans.length_us / SECOND_US
    return {
        name: measured(PAYMENT_MEASURES, "agent", Payments(folder.agent[at].tolist(), length_s))
        for at, name in enumerate(names)
        if folder.agent[at].any()
    }


def _reason_measures(folder: SummaryFolder, covered: Cells) -> dict[str, Measures]:
    """Return the covered payments of every reason, by outcome."""
    counts = folder.reasons[list(covered)].sum(axis=0)
    total = int(folder.tally[list(covered), Tally.SUBMITTED].sum())
    length_s = folder.spans.length_us / SECOND_US
    found: dict[str, Measures] = {}
    for reason in Reason:
        row = counts[reason]
        if reason == Reason.NONE or not row.any():
            continue
        count = [0] * TALLY_WIDTH
        count[Tally.SUBMITTED] = int(row.sum())
        for outcome in (
            Outcome.REJECTED,
            Outcome.RETURNED,
            Outcome.IN_PROGRESS,
            Outcome.NOT_PAYABLE,
        ):
            count[Tally[outcome.name]] = int(row[outcome])
        part = Payments(count, length_s, whole=total)
        found[reason.name] = measured(PAYMENT_MEASURES, "reason", part)
    return found


def _crossing(plan: Plan) -> tuple[str, ...]:
    """Return the corridors of which payments cross a border."""
    cross = plan.stream[:, StreamColumn.SCOPE] == Scope.CROSS_BORDER
    corridors = np.unique(plan.stream[cross, StreamColumn.CORRIDOR])
    return tuple(plan.names.corridors[int(at)] for at in corridors)
