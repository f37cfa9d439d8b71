"""How a scheme settles with the institutions that settle for it: files, fees, days and hours.

Takes the terms of a rail's settings and the scenario's clock; gives the line of each agent with
its clearing files as data (:class:`~sim.rails.resources.ClearingLine`). Any rail whose payments
leave money on a clearing account may use it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal, Protocol

from sim.calendars.bank_days import NO_MAKE_UP_DAY, BankDays, instant_us, midnights_us
from sim.calendars.calendar import KNOWN, load_calendar
from sim.contract.layout import PPM
from sim.model.base import Model
from sim.model.defaults import assumed, cited
from sim.model.money import AmountText
from sim.model.quantities import (
    BusinessDays,
    CurrencyCode,
    FeePpm,
    Flag,
    TimeOfDay,
    to_minor,
)
from sim.model.sections import Clock
from sim.rails.price import Exchange
from sim.rails.problems import Found, check_amounts
from sim.rails.resources import ClearingFile, ClearingLine
from sim.units import DAY_US

if TYPE_CHECKING:
    from datetime import tzinfo

    CalendarName = str
else:
    # Countries with a list are named once, where the lists lie.
    CalendarName = Literal[KNOWN]


class PoolConversion(Model):
    """The sale of a day's pool into the currency that is paid out."""

    to: CurrencyCode
    """Currency that is paid out."""
    spread: FeePpm = assumed(0, "the scheme's rate of the day is not published; none taken")
    """Margin of the scheme over the mid rate."""
    at: TimeOfDay = assumed(9 * 3600, "the hour of the conversion is not published")
    """Local time of the conversion, on the calendar day after the cut-off."""


class Settlement(Model):
    """How a scheme clears and pays what it owes each of its settlement agents."""

    calendars: tuple[CalendarName, ...] = ()
    """Countries whose banks must all be open for money to be paid; none: every day."""
    make_up_days: Flag = assumed(False, "offices work on make-up days, foreign banks do not")
    """Whether a weekend day worked in exchange for a day off counts as a bank day."""
    clock: CalendarName | None = None
    """Country whose local time the hours below follow; by default the first calendar, else the
    scenario's own."""
    cut_off: TimeOfDay = assumed(24 * 3600, "a clearing file per calendar day")
    """Local time at which a day's clearing file is closed."""
    lag: BusinessDays = cited(2, "wallet_gateways.alipay_plus.settlement_lag", "reported")
    """Bank days from the day of the file to its payment."""
    paid_at: TimeOfDay = assumed(10 * 3600, "the hour of the payment is not published")
    """Local time at which the money arrives."""
    interchange: FeePpm = cited(6000, "wallet_gateways.alipay_plus.interchange_rate")
    """Part of the payments less the refunds that the wallet keeps."""
    scheme_fee: FeePpm = cited(2000, "wallet_gateways.alipay_plus.service_rate")
    """Part of the payments that the scheme keeps, also of those refunded later."""
    negative: Literal["carry", "pay"] = assumed("carry", "not published")
    """Whether a file by which the agent owes is set off against later ones, or paid by it."""
    refunds: Literal["files", "pool"] = assumed(
        "files", "set off against the payments of later files"
    )
    """Where refunds are paid from: set off in the `files`, or only out of what the `pool` of the
    day holds, and refused (AM04) beyond."""
    payout_threshold: AmountText | None = None
    """Least that is paid out, in the currency that is paid out; less is carried."""
    conversion: PoolConversion | None = None
    """Sale of the day's pool before it is paid out; absent: paid in the settlement currency."""

    def days(self) -> BankDays:
        """Return the days on which money is paid."""
        return BankDays.of(self.calendars, make_up_days=self.make_up_days)

    def zone(self, clock: Clock) -> tzinfo:
        """Return whose local time the hours follow."""
        code = self.clock or (self.calendars[0] if self.calendars else None)
        zone = clock.start.tzinfo if code is None else load_calendar(code).zone
        assert zone is not None
        return zone

    def problems(self, clock: Clock, currency: str) -> Found:
        """Yield what cannot be: hours that do not follow each other, years without a calendar."""
        paid = self.conversion.to if self.conversion is not None else currency
        if self.conversion is not None and paid == currency:
            yield ("conversion", "to"), f"found {paid}, the settlement currency; allowed: another"
        if self.payout_threshold is not None:
            yield from check_amounts(paid, self.payout_threshold, ("payout_threshold",))
        if self.interchange + self.scheme_fee >= PPM:
            yield (
                ("interchange",),
                f"found {self.interchange / 10**4:g} % beside a scheme_fee of "
                f"{self.scheme_fee / 10**4:g} %; allowed: together less than 100 %",
            )
        if self.make_up_days and not self.days().has_make_up_days:
            yield ("make_up_days",), NO_MAKE_UP_DAY
        if self.cut_off == 0:
            yield (
                ("cut_off",),
                "found 00:00, the end of the day before; allowed: 24:00",
            )
            return
        try:
            files = self.files(clock)
        except ValueError as problem:
            yield ("calendars",), f"{problem}; needed: a run within its years, or no calendar"
            return
        for file in files:
            sold = file.cut_us if file.converted_us is None else file.converted_us
            if not file.cut_us <= sold <= file.settled_us:
                yield (
                    ("paid_at",),
                    "found an hour before the file of the day is closed and sold; allowed: a later "
                    "one, or more bank days",
                )
                return

    def files(self, clock: Clock) -> tuple[ClearingFile, ...]:
        """Return every file that is cut or paid within a run, in order of time.

        Raises
        ------
        ValueError
            If a calendar does not know a year that is needed.
        """
        zone, days, start = self.zone(clock), self.days(), clock.start
        first, one_day = midnights_us(start, 1, zone)[0][0], timedelta(days=1)
        found = [self._file(clock, first, zone, days)]
        # Back to the first that is paid before the start: nothing of that one lies in the run, and
        # files of earlier days are paid no later.
        while found[0].settled_us > 0:
            found.insert(0, self._file(clock, found[0].day - one_day, zone, days))
        while found[-1].opens_us < clock.horizon:
            found.append(self._file(clock, found[-1].day + one_day, zone, days))
        return tuple(found[1:-1])

    def _file(self, clock: Clock, day: date, zone: tzinfo, days: BankDays) -> ClearingFile:
        """Return the file of a day: what came together up to its cut-off."""
        start, next_day = clock.start, day + timedelta(days=1)
        conversion = self.conversion
        return ClearingFile(
            day=day,
            opens_us=instant_us(start, day - timedelta(days=1), self.cut_off, zone),
            cut_us=instant_us(start, day, self.cut_off, zone),
            converted_us=None
            if conversion is None
            else instant_us(start, next_day, conversion.at, zone),
            settled_us=instant_us(start, days.add(day, self.lag), self.paid_at, zone),
        )


@dataclass(frozen=True, slots=True)
class Scheme:
    """Who owes: a rail, its operator, who earns the interchange, who credits payees abroad."""

    rail: str
    operator: str
    wallet: str
    acquirer: str


class AgentTerms(Protocol):
    """What a line needs of an agent's terms."""

    @property
    def settled_to(self) -> str | None:
        """Return the account the agent is paid on, None for its own book."""

    @property
    def receivable(self) -> AmountText | None:
        """Return the payments of each day before the start, before fees."""


def outgoing(rail: str, agent: str, currency: str) -> str:
    """Return the account on which payments going out through an agent come together."""
    # Not the one of payments coming in: what is owed to whom is another thing there.
    return f"outgoing:{rail}:{agent}:{currency}"


def agent_lines(
    terms: Settlement,
    agents: Mapping[str, AgentTerms],
    scheme: Scheme,
    currency: str,
    *,
    is_paid_on: bool,
    clock: Clock,
) -> Iterator[ClearingLine]:
    """Yield the line of each agent: accounts, fees and files.

    Parameters
    ----------
    terms : Settlement
    agents : mapping of str to AgentTerms
    scheme : Scheme
    currency : str
        Settlement currency.
    is_paid_on : bool
        Whether the acquirer is paid, of payments going out, and not the agent itself.
    clock : Clock
    """
    rail, sold = scheme.rail, terms.conversion
    paid = currency if sold is None else sold.to
    way = " out" if is_paid_on else ""
    for agent, own in sorted(agents.items()):
        payments = outgoing(rail, agent, currency)
        paid_to, receivable = f"book:{scheme.acquirer}:{paid}", None
        if not is_paid_on:
            payments = f"clearing:{rail}:{agent}:{currency}"
            paid_to, receivable = own.settled_to or f"book:{agent}:{paid}", own.receivable
        closed = f"closed:{payments}"
        yield ClearingLine(
            name=f"{rail}/{agent}:{currency}{way}",
            rail=rail,
            agent=agent,
            currency=currency,
            payments=payments,
            closed=closed,
            refunds="" if terms.refunds == "pool" else f"refunds:{payments}",
            interchange_ppm=terms.interchange,
            interchange_to=f"fees:{scheme.wallet}:{currency}",
            scheme_ppm=terms.scheme_fee,
            scheme_to=f"fees:{scheme.operator}:{currency}",
            exchange=None
            if sold is None
            else Exchange(currency, sold.to, sold.spread, scheme.operator),
            held=closed if sold is None else f"held:{payments}:{paid}",
            paid_to=paid_to,
            threshold_minor=to_minor(terms.payout_threshold or "0", paid),
            is_negative_paid=terms.negative == "pay",
            receivable_minor=to_minor(receivable or "0", currency),
            calendars=terms.calendars,
            files=terms.files(clock),
        )


def elapsed(receivable_minor: int, file: ClearingFile) -> int:
    """Return what of a day's payments had come when the run began in the middle of it."""
    # Evenly over the day: the course of the day before the start is nobody's to know.
    return receivable_minor * -file.opens_us // max(file.cut_us - file.opens_us, DAY_US)
