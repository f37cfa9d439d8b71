"""Say of every institution what went through it, and how much more could.

Takes a run; gives :class:`Participant` objects. How much more is extrapolated: from one load, as if
the use of a station grew as the load does, and as if nothing else became full before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from sim.analysis.summary import Summary
from sim.contract.plan import Plan
from sim.study.stress.bottleneck import number, utilisation

if TYPE_CHECKING:
    from sim.model.sections import Account

USE_TRUSTED = 0.01
"""Utilisation below which nothing is extrapolated from it."""


@dataclass(frozen=True, slots=True)
class Participant:
    """What an institution carried.

    Attributes
    ----------
    name : str
    completed_rate : float
        Payments per second completed in which it had a part.
    station : str or None
        The busiest of its own stations; None where none has a limit.
    utilisation : float or None
        Share of that station's capacity in use.
    account : str or None
        The account of its own on which most payments lacked money; None where none did.
    short : float
        Payments that waited for money on that account or were refused.
    """

    JSON_KEYS: ClassVar = (
        "name completed_rate_mean=completed_rate station utilisation full_at is_extrapolated "
        "account short_of_money=short"
    )
    is_extrapolated: ClassVar[bool] = True

    name: str
    completed_rate: float
    station: str | None
    utilisation: float | None
    account: str | None
    short: float

    @property
    def full_at(self) -> float | None:
        """Return payments per second through it at which its busiest station would be full."""
        if self.utilisation is None or self.utilisation < USE_TRUSTED:
            return None
        return self.completed_rate / self.utilisation


def find_participants(
    plan: Plan, summary: Summary, accounts: Mapping[str, Account]
) -> tuple[Participant, ...]:
    """Return every institution that had a part in a payment.

    Parameters
    ----------
    plan : Plan
    summary : Summary
    accounts : mapping of str to Account
        Of the scenario: whose they are.

    Notes
    -----
    Stations of an institution are named after it, ``<institution>.<station>``; accounts on a ledger
    ``<institution>@<ledger>:<currency>``; others belong to their ``owner``.
    """
    own_stations: dict[str, tuple[float, str]] = {}
    for name, measures in summary.by["station"].items():
        share = utilisation(plan, name, measures)
        if share is not None:
            owner = name.partition(".")[0]
            own_stations[owner] = max(own_stations.get(owner, (-1.0, "")), (share, name))
    own_accounts: dict[str, tuple[float, str]] = {}
    for name, measures in summary.by["account"].items():
        count = number(measures, "delayed_for_liquidity") + number(measures, "lost_for_liquidity")
        if count > 0:
            owner = accounts[name].owner if name in accounts else name.partition("@")[0]
            own_accounts[owner] = max(own_accounts.get(owner, (0.0, "")), (count, name))
    found = []
    for name, measures in summary.by["agent"].items():
        share, station = own_stations.get(name, (None, None))
        short, account = own_accounts.get(name, (0.0, None))
        rate = number(measures, "completed_rate_mean")
        found.append(Participant(name, rate, station, share, account, short))
    return tuple(found)


def mean_participants(runs: Sequence[tuple[Participant, ...]]) -> tuple[Participant, ...]:
    """Return institutions as means over runs, the one nearest to being full first.

    Parameters
    ----------
    runs : sequence of tuples of Participant
        One per run of the same load.
    """
    grouped: dict[str, list[Participant]] = {}
    for run in runs:
        for one in run:
            grouped.setdefault(one.name, []).append(one)
    found = []
    for name, ones in grouped.items():
        used = [(one.utilisation, one.station) for one in ones if one.utilisation is not None]
        busiest = max(used, key=lambda pair: pair[0], default=(None, None))
        shortest = max(ones, key=lambda one: one.short)
        found.append(
            Participant(
                name,
                sum(one.completed_rate for one in ones) / len(runs),
                busiest[1],
                sum(share for share, _ in used) / len(used) if used else None,
                shortest.account,
                sum(one.short for one in ones) / len(runs),
            )
        )
    found.sort(key=lambda one: (-(one.utilisation or 0.0), -one.completed_rate, one.name))
    return tuple(found)
