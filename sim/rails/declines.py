"""Declines of institutions at either end, as stages; and reversals that begin by hand.

Takes the leg at hand; gives branches that are drawn one after the other, reason by reason. A share
is of all who come: each branch is as likely, among those whom the branches before it let pass, as
makes that so.

What is reversed by hand waits at two places of the institution: one that lets pass whoever is there
at midnight, and one that does so at an hour of each bank day. So a decline at any hour of one day
is taken up on the first bank day after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sim.contract.layout import CERTAIN
from sim.contract.meaning import Op, Reason
from sim.model.quantities import PPB
from sim.model.sections import Institution
from sim.rails.protocol import LegContext
from sim.rails.resources import OwnShare, Resource, Station
from sim.rails.stages import (
    CREDITOR_AGENT,
    DEBTOR_AGENT,
    FAIL,
    FAIL_SENT,
    ZERO_TIME,
    ByRole,
    Program,
    Stage,
    decide,
    serve,
    threshold,
)

AUTOMATIC = "reversal.automatic"
DAY, HOUR = "reversal.day", "reversal.hour"
"""Kinds of the share of reversals that begin at once, and of the places the others wait at."""
_DECLINED = "creditor_agent.declined"


def by_hand_places(member: str) -> tuple[str, str]:
    """Return the stations at which reversals of an institution wait for midnight and the hour.

    No outage of the institution closes them: their names begin with nobody's.
    """
    return f"by hand.{member}.day", f"by hand.{member}.hour"


def debit_declines(at: LegContext, institution: str) -> Program:
    """Return what the payer's institution declines beside its business declines."""
    entries = _entries(at, institution, at.corridor.from_.country)
    return tuple(
        stage
        for reason in _reasons(entries, "debit")
        for stage in decide(
            f"debtor_agent.{reason}",
            _share(at, institution, DEBTOR_AGENT, f"debit.{reason}"),
            target=FAIL,
            reason=Reason[reason],
        )
    )


def credit_declines(at: LegContext, institution: str) -> tuple[Program, Program]:
    """Return what the payee's institution declines, and, aside, how it is then reversed."""
    entries = _entries(at, institution, at.corridor.to.country)
    reasons = _reasons(entries, "credit")
    # Before money has moved nothing is to be reversed.
    waits = at.failing not in (FAIL, FAIL_SENT) and has_by_hand(entries)
    target = _DECLINED if waits else at.failing
    branches = tuple(
        stage
        for reason in reasons
        for stage in decide(
            f"creditor_agent.{reason}",
            _share(at, institution, CREDITOR_AGENT, f"credit.{reason}"),
            target=target,
            reason=Reason[reason],
        )
    )
    return branches, _by_hand(at, institution) if branches and waits else ()


def _by_hand(at: LegContext, institution: str) -> Program:
    day, hour = (
        by_hand_places(institution)
        if institution
        else (ByRole(CREDITOR_AGENT, DAY), ByRole(CREDITOR_AGENT, HOUR))
    )
    share = _share(at, institution, CREDITOR_AGENT, AUTOMATIC)
    return (
        # The payer's session would end the wait, whose end nobody awaits.
        Stage(Op.DEADLINE, "disarm", mark=_DECLINED),
        *decide(AUTOMATIC, share, target=at.failing),
        *serve(DAY, day, ZERO_TIME, target=at.failing),
        *serve(HOUR, hour, ZERO_TIME, target=at.failing),
        Stage(Op.DECIDE, "reversal.by_hand", value=CERTAIN, target=at.failing),
    )


@dataclass(frozen=True, slots=True)
class DeclineKinds:
    """What any institution of a scenario declines for: programs name shares by role.

    Attributes
    ----------
    reasons : mapping of str to list of str
        By side, sorted.
    by_hand : bool
        Whether some reversal begins by hand.
    """

    reasons: Mapping[str, list[str]]
    by_hand: bool

    @classmethod
    def of(cls, institutions: Iterable[Institution]) -> DeclineKinds:
        """Return the kinds of declines of some institutions."""
        everybody = tuple(institutions)
        reasons = {side: _reasons(everybody, side) for side in ("debit", "credit")}
        return cls(reasons, has_by_hand(everybody))


def own_declines(member: str, entry: Institution, kinds: DeclineKinds) -> Iterator[Resource]:
    """Yield an institution's thresholds, and the places its reversals wait at."""
    for side, reasons in kinds.reasons.items():
        own = _thresholds(entry, side)
        for reason in reasons:
            yield OwnShare(member, f"{side}.{reason}", own.get(reason, 0))
    if kinds.by_hand:
        yield OwnShare(member, AUTOMATIC, threshold(entry.declines.at_once))
    if entry.declines.has_by_hand:
        for kind, name in zip((DAY, HOUR), by_hand_places(member), strict=True):
            yield Station(name, owner=member, kind=kind)


def has_by_hand(entries: Iterable[Institution]) -> bool:
    """Return whether some reversal of some institution begins by hand."""
    return any(entry.declines.has_by_hand for entry in entries)


def _entries(at: LegContext, institution: str, country: str) -> tuple[Institution, ...]:
    """Return the institutions an end may be: the one named, or those of customers there."""
    institutions = at.world.institutions
    if institution:
        return (institutions[institution],)
    return tuple(e for e in institutions.values() if e.country == country and e.holds_money)


def _reasons(entries: Iterable[Institution], side: str) -> list[str]:
    return sorted({reason for entry in entries for reason in _thresholds(entry, side)})


def _share(at: LegContext, institution: str, role: int, kind: str) -> int | ByRole:
    """Return a threshold of an institution named, or that of whichever the payment has."""
    if not institution:
        return ByRole(role, kind)
    entry = at.world.institutions[institution]
    if kind == AUTOMATIC:
        return threshold(entry.declines.at_once)
    side, _, reason = kind.partition(".")
    return _thresholds(entry, side).get(reason, 0)


def _thresholds(entry: Institution, side: str) -> Mapping[str, int]:
    """Return the 62-bit threshold of each branch, in the order in which they are drawn."""
    declines = entry.declines
    shares = declines.debit if side == "debit" else declines.credit
    left = PPB - (entry.decline if side == "debit" else 0)
    found: dict[str, int] = {}
    for reason, share in sorted(shares.items()):
        if share:
            # Of those who are left, so that it is the share of all that is written.
            found[reason] = share * CERTAIN // left
            left -= share
    return found
