"""Name the place that holds everything up, and why.

Takes a run at or beyond capacity; gives the station, its utilisation and the reason in words.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.analysis.summary import Measures, Summary
from sim.contract.layout import StationColumn
from sim.contract.meaning import Cause
from sim.contract.plan import Plan
from sim.study.stress.backlog import PlaceSink

BUSY = 0.9
"""Share of its capacity from which on a place is called full."""
REFUSING = 0.02
"""Or: share of the payments that came to it that it refused."""


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """What limits a run.

    Attributes
    ----------
    station : str
        As reports name it, or an account waited for.
    reason : str
        Utilisation, queue growth, block fill or liquidity, in words.
    utilisation : float or None
        Share of its capacity in use; None of an account.
    queue_growth : float or None
        Payments per second by which its queue grew, where it did.
    is_full : bool
        Whether it holds payments up: a place that is nine tenths busy or refuses a fiftieth, or an
        account without money. False where it is only the busiest there is.
    """

    station: str
    reason: str
    utilisation: float | None
    queue_growth: float | None = None
    is_full: bool = True


def find_bottleneck(plan: Plan, summary: Summary, places: PlaceSink) -> Bottleneck | None:
    """Return the place with the largest share of its capacity in use.

    Parameters
    ----------
    plan : Plan
        Capacities.
    summary : Summary
        Measures of a run.
    places : PlaceSink
        Queues and balances sampled during the run.

    Notes
    -----
    Of a ledger the share is payments included over what its blocks admit; of a station with a rate
    limit, services begun over what the limit admits; of servers, the busy ones. Ties go to the
    longer queue. Accounts count only when no place is nine tenths busy and payments waited for
    money.
    """
    stations = summary.by["station"]
    ranked = sorted(
        (
            (share, number(measures, "queue_mean"), name)
            for name, measures in stations.items()
            if (share := utilisation(plan, name, measures)) is not None
        ),
        reverse=True,
    )
    if not ranked or ranked[0][0] < BUSY:
        short = _short_of_money(summary, places)
        if short is not None or not ranked:
            return short
    share, _, name = ranked[0]
    return _named(name, share, stations[name], places)


def utilisation(plan: Plan, name: str, measures: Measures) -> float | None:
    """Return the share of a place's capacity in use, by servers or by rate, whichever is more."""
    own = measures["utilisation"].value
    shares = [] if own is None else [float(own)]
    if name in plan.names.stations:
        row = plan.station[plan.names.stations.index(name)]
        count, period = int(row[StationColumn.RATE_COUNT]), int(row[StationColumn.RATE_PERIOD_US])
        window_us = plan.horizon_us - plan.warm_up_us
        if count > 0:
            shares.append(number(measures, "starts") * period / (count * window_us))
    return max(shares, default=None)


def largest_cause(summary: Summary) -> str:
    """Return where the mean payment spends most of its time, in words; empty if nothing is."""
    spent = [
        (number(summary.measures, f"{cause.name.lower()}_mean"), cause.name.lower())
        for cause in Cause
    ]
    seconds, cause = max(spent)
    total = sum(part for part, _ in spent)
    if total == 0:
        return ""
    return f"most of a payment's time is {cause} ({seconds:.3g} s of {total:.3g} s on average)"


def number(measures: Measures, name: str) -> float:
    """Return a measure as a number, 0 where there is none."""
    found = measures.get(name)
    return 0.0 if found is None or found.value is None else float(found)


def _short_of_money(summary: Summary, places: PlaceSink) -> Bottleneck | None:
    """Return the account most payments lacked money on, None where none did."""
    lacked = [
        (number(measures, "delayed_for_liquidity") + number(measures, "lost_for_liquidity"), name)
        for name, measures in summary.by["account"].items()
    ]
    count, account = max(lacked, default=(0.0, ""))
    if count == 0:
        return None
    measures = summary.by["account"][account]
    delayed, lost = (number(measures, f"{what}_for_liquidity") for what in ("delayed", "lost"))
    reason = f"liquidity: {delayed:.0f} payments waited for money on it, {lost:.0f} were refused"
    if places.moved(account).is_falling:
        unit = measures["balance_end_minor"].unit
        reason += f"; its balance fell by {-places.per_second(account):.4g} {unit} per second"
    return Bottleneck(account, reason, None)


def _named(name: str, share: float, measures: Measures, places: PlaceSink) -> Bottleneck:
    """Return a place with every reason it gives."""
    parts = [f"{share:.1%} of its capacity in use"]
    fill = measures.get("block_fill_mean")
    if fill is not None and fill.value is not None:
        parts.append(f"blocks {float(fill):.1%} full")
    waiting, most = number(measures, "queue_mean"), number(measures, "queue_max")
    parts.append(f"{waiting:.0f} waiting on average, {most:.0f} at most")
    growth = places.per_second(name) if places.moved(name).is_growing else None
    if growth is not None:
        parts.append(f"its queue grew by {growth:.3g} payments/s")
    refused = number(measures, "refused")
    if refused > 0:
        parts.append(f"{refused:.0f} payments refused")
    is_refusing = refused > REFUSING * (number(measures, "starts") + refused)
    return Bottleneck(name, "; ".join(parts), share, growth, share >= BUSY or is_refusing)
