"""Correspondent banking: a payment handed from bank to bank, each within its own hours.

Takes chains of banks with calendars, opening hours and cut-offs; gives one leg for every chain, in
both directions. A bank takes payments in up to its cut-off and works while it is open; what comes
later waits for the next bank day there. Some payments need repair, which takes bank hours of a
person: what is not done by closing goes on when the bank opens again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from sim.calendars.bank_days import BankDays, instant_us, midnights_us
from sim.calendars.calendar import KNOWN, load_calendar
from sim.contract.meaning import Op, Reason
from sim.model.base import FieldPath, Model
from sim.model.defaults import assumed
from sim.model.distributions import DurationDistribution
from sim.model.members import Member
from sim.model.pricing import Fee
from sim.model.quantities import (
    FeePpm,
    Name,
    PositiveCount,
    PositiveDurationUs,
    SharePpb,
    TimeOfDay,
)
from sim.model.sections import Clock, Corridor
from sim.rails.institutions import creditor_at_home, debtor_at_home
from sim.rails.obligations import Obligation
from sim.rails.payers import CreditorClass
from sim.rails.price import Exchange, exchange_moves
from sim.rails.problems import several, unknown
from sim.rails.protocol import (
    CREDITOR,
    DEBTOR,
    CreditorSide,
    DebtorSide,
    Found,
    Leg,
    LegContext,
    LegProgram,
    LegTerms,
    Offer,
    Rail,
    World,
)
from sim.rails.registry import register_rail
from sim.rails.resources import Resource, Station
from sim.rails.stages import (
    CREDITOR_AGENT,
    DEBTOR_AGENT,
    ZERO_TIME,
    ByRole,
    Move,
    Program,
    Stage,
    decide,
    fixed_time,
    serve,
    threshold,
    transit,
)
from sim.rails.unanswered import jump
from sim.units import MINUTE_US

if TYPE_CHECKING:
    CalendarName = str
else:
    CalendarName = Literal[KNOWN]

_PIECE_US = 15 * MINUTE_US
"""A repair is laid down and taken up again in pieces of at most this long."""
_BACK = " back"


class CorrespondentBank(Model):
    """One bank of a chain: when it is open, and how long it takes."""

    calendar: CalendarName
    """Country whose bank days and local time it follows."""
    opens: TimeOfDay = assumed(8 * 3600, "banks' own hours differ; not published as a figure")
    """Local time it opens on bank days."""
    closes: TimeOfDay = assumed(16 * 3600, "banks' own hours differ; not published as a figure")
    """Local time it closes; work begun then is finished."""
    cut_off: TimeOfDay = assumed(15 * 3600, "an hour before closing; banks' own cut-offs differ")
    """Local time up to which payments are taken in for the day."""
    work_time: DurationDistribution = assumed("30 min", "not published for a single bank")
    """Time it takes for one payment."""
    clerks: PositiveCount = assumed(20, "not published; sized so that no queue forms")
    """Payments worked at, or repaired, at the same time."""


@register_rail
class CorrespondentRail(Rail):
    """Chains of correspondent banks."""

    kind: Literal["correspondent"]
    """Selects this kind of rail."""
    banks: dict[Name, CorrespondentBank]
    """Banks of the chains, by institution."""
    chains: tuple[tuple[Name, ...], ...]
    """Banks a payment is handed through, from one end to the other; payments the other way are
    handed through it backwards."""
    spread: FeePpm = assumed(
        15_000, "card and bank margins of 1-3 %; a bank's own is not published"
    )
    """Margin over the mid rate of the first bank, which converts."""
    fees: dict[Name, Fee] = {}
    """Fees, by component; the first bank of the chain earns those that name nobody."""
    repair_share: SharePpb = assumed(20_000_000, "a few in a hundred; no bank publishes its own")
    """Share of payments the first bank of a chain has to repair by hand."""
    repair_time: PositiveDurationUs = assumed(4 * 3_600_000_000, "half a working day")
    """Bank hours one repair takes."""
    refused_share: SharePpb = assumed(50_000_000, "most can be repaired")
    """Share of repaired payments that are refused all the same (RR04)."""
    hop_time: DurationDistribution = assumed("1 s", "messages between banks take seconds")
    """One message from bank to bank."""

    def all_fees(self) -> tuple[tuple[FieldPath, Mapping[str, Fee]], ...]:
        """Return its fees."""
        return (((), self.fees),)

    def problems(self, world: World, name: str) -> Found:
        """Check banks, hours and chains."""
        for key, bank in self.banks.items():
            entry = world.institutions.get(key)
            if entry is None:
                yield ("banks", key), unknown("institution", key, world.institutions)
            elif entry.members > 1:
                yield ("banks", key), several(key, entry.members)
            if not bank.opens < bank.cut_off <= bank.closes:
                yield (
                    ("banks", key, "cut_off"),
                    "found hours that do not follow each other; needed: opens, then cut_off, then "
                    "closes",
                )
            try:
                _open_us(world.clock, bank, bank.closes)
            except ValueError as problem:
                yield ("banks", key, "calendar"), f"{problem}; needed: a run within its years"
        for position, chain in enumerate(self.chains):
            place: FieldPath = ("chains", position)
            for bank_name in chain:
                if bank_name not in self.banks:
                    yield place, unknown("bank", bank_name, self.banks)
            if len(chain) < 2 or len(set(chain)) != len(chain):
                yield (
                    place,
                    "found fewer than two banks, or one twice; needed: a way from bank to bank",
                )

    def idle_settings(self, world: World, name: str, legs: Sequence[Leg]) -> Found:
        """Yield banks and chains no route goes through."""
        used = {bank for leg in legs for bank in self._chain(leg)}
        for key in self.banks:
            if key not in used:
                yield ("banks", key), "no route goes through this bank"
        if all(leg.source == leg.target for leg in legs):
            yield ("spread",), "nothing is converted on this rail"

    def _chain(self, leg: Leg) -> tuple[str, ...]:
        """Return the banks of a leg in the direction of the money."""
        number, _, back = leg.use.removeprefix("chain ").partition(" ")
        chain = self.chains[int(number) - 1]
        return chain[::-1] if back else chain

    def resources(self, world: World, name: str, members: Sequence[Member]) -> Iterator[Resource]:
        """Yield where each bank takes payments in, and where it works at them."""
        for key, bank in sorted(self.banks.items()):
            yield Station(
                f"{name}.{key}.intake", closed_us=_closed_us(world.clock, bank, bank.cut_off)
            )
            yield Station(
                f"{name}.{key}.desk",
                servers=bank.clerks,
                closed_us=_closed_us(world.clock, bank, bank.closes),
            )

    def offers(
        self, world: World, name: str, corridor: Corridor, creditor: CreditorClass
    ) -> Iterator[Offer]:
        """Yield a leg for every chain that connects the two countries, either way."""
        held, paid = corridor.from_.currency, corridor.to.currency
        wanted = (corridor.from_.country, corridor.to.country)
        # A code at a counter is no order to a bank to wire money.
        if creditor.currency or corridor.codes is not None:
            return
        for number, chain in enumerate(self.chains, start=1):
            ends = tuple(world.institutions[chain[at]].country for at in (0, -1))
            for use, way in ((f"chain {number}", ends), (f"chain {number}{_BACK}", ends[::-1])):
                if way == wanted:
                    yield Offer(Leg(name, DEBTOR, CREDITOR, held, paid, use))

    def _exchange(self, leg: Leg) -> Exchange | None:
        if leg.source == leg.target:
            return None
        return Exchange(leg.source, leg.target, self.spread, self._chain(leg)[0])

    def terms(self, at: LegContext) -> LegTerms:
        """Return the first bank's conversion, and the fees."""
        exchange = self._exchange(at.leg)
        return LegTerms(
            exchanges=() if exchange is None else (exchange,),
            fees=self.fees,
            fee_recipient=self._chain(at.leg)[0],
        )

    def debtor_side(self, at: LegContext) -> DebtorSide:
        """Return the payer's bank."""
        return debtor_at_home(at)

    def creditor_side(self, at: LegContext) -> CreditorSide:
        """Return the payee's bank."""
        return creditor_at_home(at)

    def obligations(self, at: LegContext) -> tuple[Obligation, ...]:
        """Return what each bank of the chain owes the next."""
        chain = self._chain(at.leg)
        return tuple(Obligation(at.name, *pair) for pair in pairwise(chain))

    def leg(self, at: LegContext) -> LegProgram:
        """Return bank after bank, and the repair the first one may have to make."""
        chain = self._chain(at.leg)
        repaired = f"{at.name}.repaired"
        execute: list[Stage] = []
        for number, bank in enumerate(chain):
            if number:
                execute += transit(f"{at.name}.{bank}.message", self.hop_time)
            execute += self._work(at, bank)
            if not number:
                execute += decide(
                    f"{at.name}.repair", threshold(self.repair_share), target=f"{at.name}.piece.1"
                )
                execute.append(Stage(Op.POST, repaired, mark=repaired))
        return LegProgram(
            execute=tuple(execute),
            moves=self._moves(at),
            asides=self._repair(at, chain[0], repaired) if self.repair_share else (),
        )

    def _work(self, at: LegContext, bank: str) -> Program:
        """Return the intake up to the cut-off, and the work while the bank is open."""
        place = f"{at.name}.{bank}"
        time = self.banks[bank].work_time
        return (
            *serve(f"{place}.intake", f"{place}.intake", ZERO_TIME, target=at.failing),
            *serve(f"{place}.work", f"{place}.desk", time, target=at.failing),
        )

    def _repair(self, at: LegContext, bank: str, repaired: str) -> Program:
        """Return the pieces of a repair, each begun while the bank is open."""
        count = -(-self.repair_time // _PIECE_US)
        pieces: list[Stage] = []
        for number in range(1, count + 1):
            # The first ones take the microseconds that do not divide.
            piece_us = self.repair_time // count + (number <= self.repair_time % count)
            label = f"{at.name}.piece.{number}"
            pieces.append(
                Stage(
                    Op.SERVE,
                    label,
                    mark=label if number == 1 else "",
                    place=f"{at.name}.{bank}.desk",
                    time=fixed_time(piece_us),
                    target=at.failing,
                    reason=Reason.MS03,
                )
            )
        refused = threshold(self.refused_share)
        return (
            *pieces,
            *decide(f"{at.name}.refused", refused, target=at.failing, reason=Reason.RR04),
            jump(f"{at.name}.go_on", repaired),
        )

    def _moves(self, at: LegContext) -> tuple[Move, ...]:
        """Return the payer's bank to the first, bank to bank, the last to the payee's bank."""
        leg, chain = at.leg, self._chain(at.leg)
        books = [f"book:{bank}:{leg.target}" for bank in chain]
        payer = f"book:{chain[0]}:{leg.source}"
        moves = [Move(ByRole(DEBTOR_AGENT, f"book:{leg.source}"), payer, at.before)]
        exchange = self._exchange(leg)
        if exchange is not None and at.price is not None:
            moves += exchange_moves(at.price, exchange, payer=payer, receiver=books[0])
        moves += [Move(one, other, at.after) for one, other in pairwise(books)]
        return (*moves, Move(books[-1], ByRole(CREDITOR_AGENT, f"book:{leg.target}"), at.after))


def _open_us(clock: Clock, bank: CorrespondentBank, until: int) -> list[tuple[int, int]]:
    """Return from when to when a bank is open on the bank days of a run, in order of time."""
    zone, days = load_calendar(bank.calendar).zone, BankDays.of((bank.calendar,))
    found = []
    for day, _ in midnights_us(clock.start, clock.horizon, zone):
        if days.is_open(day):
            found.append(
                (
                    instant_us(clock.start, day, bank.opens, zone),
                    instant_us(clock.start, day, until, zone),
                )
            )
    return found


def _closed_us(clock: Clock, bank: CorrespondentBank, until: int) -> tuple[tuple[int, int], ...]:
    """Return from when to when a bank is closed; beyond the run it opens no more."""
    spans, since = [], -timedelta(days=2) // timedelta(microseconds=1)
    for opens, closes in _open_us(clock, bank, until):
        spans.append((since, opens))
        since = closes
    # Whatever waits then is open at the end.
    spans.append((since, clock.horizon + 1))
    return tuple(span for span in spans if span[0] < span[1])
