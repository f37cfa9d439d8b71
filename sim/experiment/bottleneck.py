"""Name the place that holds everything up, and why.

Takes a run at or beyond capacity; gives the station, its utilisation and the reason in words.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.analysis.summary import Measures, Summary
from sim.contract.plan import Plan
from sim.contract.spec import StationColumn

_BUSY = 0.9


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """Say what limits a run.

    Attributes
    ----------
    station : str
        As reports name it, or an account waited for.
    reason : str
        Utilisation, queue, block fill or liquidity, in words.
    utilisation : float or None
        Share of its capacity in use; None of an account.
    """

    station: str
    reason: str
    utilisation: float | None


def find_bottleneck(plan: Plan, summary: Summary) -> Bottleneck | None:
    """Return the place with the largest share of its capacity in use.

    Parameters
    ----------
    plan : Plan
        Capacities.
    summary : Summary
        Measures of a run.

    Notes
    -----
    Of a ledger the share is payments included over what its blocks admit; of a station with a rate
    limit, services begun over what the limit admits; of servers, the busy ones. Ties go to the
    longer queue. Accounts count only when no place is nine tenths busy and payments waited for
    money.
    """
    ranked = sorted(
        (
            (share, _number(measures, "queue_mean"), name)
            for name, measures in summary.by["station"].items()
            if (share := utilisation(plan, name, measures)) is not None
        ),
        reverse=True,
    )
    if ranked and ranked[0][0] >= _BUSY:
        return _named(ranked[0][2], ranked[0][0], summary.by["station"][ranked[0][2]])
    short = [
        (_number(measures, "delayed_for_liquidity") + _number(measures, "lost_for_liquidity"), name)
        for name, measures in summary.by["account"].items()
    ]
    waited, account = max(short, default=(0.0, ""))
    if waited > 0:
        reason = f"liquidity: {waited:.0f} payments waited for money on it or were refused for it"
        return Bottleneck(account, reason, None)
    if not ranked:
        return None
    return _named(ranked[0][2], ranked[0][0], summary.by["station"][ranked[0][2]])


def utilisation(plan: Plan, name: str, measures: Measures) -> float | None:
    """Return the share of a place's capacity in use, by servers or by rate, whichever is more."""
    own = measures["utilisation"].value
    shares = [] if own is None else [float(own)]
    if name in plan.names.stations:
        row = plan.station[plan.names.stations.index(name)]
        count, period = int(row[StationColumn.RATE_COUNT]), int(row[StationColumn.RATE_PERIOD_US])
        window_us = plan.horizon_us - plan.warm_up_us
        if count > 0:
            shares.append(_number(measures, "starts") * period / (count * window_us))
    return max(shares, default=None)


def _named(name: str, share: float, measures: Measures) -> Bottleneck:
    queue = _number(measures, "queue_mean")
    most = _number(measures, "queue_max")
    parts = [
        f"{share:.1%} of its capacity in use",
        f"{queue:.0f} waiting on average, {most:.0f} at most",
    ]
    fill = measures.get("block_fill_mean")
    if fill is not None and fill.value is not None:
        parts.insert(1, f"blocks {float(fill):.1%} full")
    return Bottleneck(name, "; ".join(parts), share)


def _number(measures: Measures, name: str) -> float:
    found = measures.get(name)
    return 0.0 if found is None or found.value is None else float(found)
