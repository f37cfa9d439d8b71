"""Payment cards: authorised now, cleared days later at the rate of that day.

Takes the settings of a scheme; gives the stages of an authorisation, and the clearing files of
every issuer. A card pays in the merchant's currency: the issuer books a claim in it at once, and
turns it into the cardholder's billing currency when the file is cleared, at that day's rate. A card
that sits in a foreign wallet is the same with the wallet's own fees and limits, at the codes the
wallet reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from sim.calendars.calendar import KNOWN
from sim.contract.meaning import Op, Reason, WhenClosed
from sim.contract.records import Register
from sim.model.base import FieldPath, Model
from sim.model.defaults import assumed, cited
from sim.model.distributions import DurationDistribution
from sim.model.members import Member
from sim.model.money import AmountText
from sim.model.pricing import Fee
from sim.model.quantities import (
    BusinessDays,
    CalendarDate,
    CurrencyCode,
    DurationUs,
    EventRate,
    FeePpm,
    Flag,
    Name,
    PositiveCount,
    PositiveDurationUs,
    SharePpb,
    TimeOfDay,
)
from sim.model.sections import Corridor
from sim.rails.institutions import creditor_abroad, creditor_at_home, debtor_at_home
from sim.rails.joining import serves
from sim.rails.links import Link
from sim.rails.obligations import Obligation
from sim.rails.payers import CreditorClass
from sim.rails.price import Exchange
from sim.rails.problems import check_amounts, several, unknown
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
from sim.rails.resources import ClearingFile, ClearingLine, Holding, Resource, Station
from sim.rails.settlement import Settlement
from sim.rails.settlement_agents import below
from sim.rails.stages import (
    DEBTOR_AGENT,
    FAIL,
    ByRole,
    LimitSpec,
    Move,
    Program,
    Stage,
    check_limit,
    decide,
    serve,
    threshold,
    transit,
)
from sim.units import HOUR_US

if TYPE_CHECKING:
    CalendarName = str
else:
    CalendarName = Literal[KNOWN]

_TO_RATE_US = HOUR_US
"""How long before a file is paid its rate is taken."""


class CardIssuer(Model):
    """An institution that issues cards."""

    billing: CurrencyCode
    """Currency cardholders are billed in, at the rate of the day of clearing."""
    spread: FeePpm = assumed(0, "what the issuer adds is a fee of its own; none on the rate")
    """Margin over the mid rate of that day."""


class CardLimit(Model):
    """Bounds on what a cardholder may pay, in the merchant's currency."""

    per_payment: AmountText | None = None
    """Most per payment (AM02)."""
    per_year: AmountText | None = None
    """Most per cardholder and calendar year (AM14), counted from the start of the run."""
    currency: CurrencyCode | None = None
    """Currency the bounds are written in, where it is another than the merchant's: they are
    converted once, at the mid rate of the start, down to whole minor units."""

    @property
    def per_day(self) -> AmountText | None:
        """Return the bound of the period, which here is the year."""
        return self.per_year


class CardClearing(Model):
    """When authorised payments are cleared."""

    calendars: tuple[CalendarName, ...] = ()
    """Countries whose banks must all be open; none: every day."""
    lag: BusinessDays = assumed(
        2, "card files are cleared on the second day; schemes' own days vary"
    )
    """Bank days from the day of the payment to its clearing."""
    at: TimeOfDay = assumed(10 * 3600, "the hour of clearing is not published")
    """Local time at which files are paid; their rate is that of an hour before."""


@register_rail
class CardRail(Rail):
    """A card scheme, or the cards of a scheme in a foreign wallet."""

    kind: Literal["card"]
    """Selects this kind of rail."""
    operator: Name
    """Institution that runs the scheme, converts at clearing, and earns fees that name nobody."""
    live_from: CalendarDate
    """Day cards were accepted so; a later one than the clock's start needs `hypothetical: true`."""
    hypothetical: Flag = False
    """Marks acceptance that was not live at the clock's start; `explain` and the report say so."""
    issuers: dict[Name, CardIssuer]
    """Institutions that issue cards, with their cardholders' billing currency."""
    currencies: tuple[CurrencyCode, ...] = Field(min_length=1)
    """Currencies merchants are paid in."""
    acquirer: Name | None = None
    """Institution that credits merchants; absent: each merchant's own bank."""
    schemes: tuple[Name, ...] = ()
    """Schemes a code must show for a card in a wallet to pay it (empty: any)."""
    fees: dict[Name, Fee] = {}
    """Fees, by component, such as 2 % for payments abroad, or a wallet's 3 % above 200 CNY."""
    limits: dict[CurrencyCode, CardLimit] = {}
    """Limits by the merchant's currency."""
    clearing: CardClearing = CardClearing()
    """When payments are cleared, and at which day's rate they are billed."""
    rate_limit: EventRate = assumed("2500 /s", "schemes of this size run far below their peak")
    """Most authorisations admitted per second."""
    queue_limit: PositiveCount = assumed(100_000, "not published; large enough not to bind")
    """Requests that may wait for admission; one more is refused (MS03)."""
    authorisation_time: DurationDistribution = assumed(
        {"lognormal": {"median": "0.8 s", "sigma": "0.5"}},
        "taken as a wallet gateway's; no scheme publishes its own",
    )
    """From admission to the issuer's answer through the scheme."""
    hop_time: DurationDistribution = cited(
        {"lognormal": {"median": "0.35 s", "sigma": "0.6"}},
        "corridors.defaults.hub_hop_latency_lognormal",
    )
    """One message between the merchant's side and the scheme."""
    time_limit: PositiveDurationUs = assumed(
        30_000_000, "terminals give up after half a minute; not published"
    )
    """How long a terminal waits for the authorisation (AB06)."""
    technical_decline: SharePpb = cited(
        1_300_000, "reliability.technical_decline.typical_bank", "reported"
    )
    """Share of authorisations that fail for technical reasons (AB10)."""
    reversal_time: DurationUs = assumed(1_000_000, "one confirmed message there and back")
    """Time of a confirmed reversal of an authorisation."""

    def named_institutions(self) -> tuple[tuple[str, str], ...]:
        """Return the operator, and the acquirer where there is one."""
        found = [("operator", self.operator)]
        if self.acquirer is not None:
            found.append(("acquirer", self.acquirer))
        return tuple(found)

    def rates(self) -> tuple[tuple[FieldPath, EventRate | None], ...]:
        """Return the rate of authorisations."""
        return ((("rate_limit",), self.rate_limit),)

    def all_fees(self) -> tuple[tuple[FieldPath, Mapping[str, Fee]], ...]:
        """Return its fees."""
        return (((), self.fees),)

    def links(self) -> tuple[Link, ...]:
        """Return the acceptance of the cards."""
        return (Link("", self.live_from, self.hypothetical),)

    def problems(self, world: World, name: str) -> Found:
        """Check issuers, limits and the days of clearing."""
        for key in self.issuers:
            entry = world.institutions.get(key)
            if entry is None:
                yield ("issuers", key), unknown("institution", key, world.institutions)
            elif entry.members > 1:
                yield ("issuers", key), several(key, entry.members)
            elif not entry.holds_money:
                roles = ", ".join(entry.roles)
                yield ("issuers", key), f"{key!r} holds no customers' money; its roles: {roles}"
        for currency, limit in self.limits.items():
            place: FieldPath = ("limits", currency)
            if currency not in self.currencies:
                yield place, f"found {currency}; allowed: {', '.join(self.currencies)}"
            for field in ("per_payment", "per_year"):
                if getattr(limit, field) is not None:
                    written = limit.currency or currency
                    yield from check_amounts(written, getattr(limit, field), (*place, field))
            if limit.currency is not None and limit.per_payment is None and limit.per_year is None:
                yield (
                    (*place, "currency"),
                    "found a currency without a bound; needed: a bound in it",
                )
        yield from self._stranger_problems(world, name)
        files = self._files_as()
        yield from below(("clearing",), files.problems(world.clock, self.currencies[0]))

    def _stranger_problems(self, world: World, name: str) -> Found:
        """Yield banks whose customers corridors could bring, and that issue no card."""
        for corridor in world.corridors.values():
            if not (serves(world, name, corridor) and self._fits(world, corridor)):
                continue
            for key, entry in world.institutions.items():
                pays = entry.country == corridor.from_.country and entry.payer_share > 0
                if pays and key not in self.issuers:
                    yield (
                        ("issuers",),
                        f"found no issuer {key!r}, a bank in {entry.country} whose customers may "
                        "pay over this rail; needed: an entry for it",
                    )

    def idle_settings(self, world: World, name: str, legs: Sequence[Leg]) -> Found:
        """Yield currencies, limits and time-outs that no payment meets."""
        used = {leg.source for leg in legs}
        for currency in self.limits:
            if currency not in used:
                yield ("limits", currency), "no merchant is paid in this currency over this rail"

    def _fits(self, world: World, corridor: Corridor) -> bool:
        """Say whether cards of a corridor's payers pay in its currency."""
        start, end = corridor.from_, corridor.to
        countries = {
            world.institutions[key].country for key in self.issuers if key in world.institutions
        }
        same = start.currency == end.currency and end.currency in self.currencies
        return same and start.country in countries

    def resources(self, world: World, name: str, members: Sequence[Member]) -> Iterator[Resource]:
        """Yield the scheme's admission, and the claims and files of every issuer."""
        yield Station(
            f"{name}.gateway",
            queue_limit=self.queue_limit,
            rate_limit=self.rate_limit,
            when_closed=WhenClosed.REJECT,
            reason_closed=Reason.AB07,
        )
        used = {one.from_.currency for one in world.corridors.values() if self._fits(world, one)}
        for issuer, terms in sorted(self.issuers.items()):
            for currency in sorted(used):
                yield Holding(
                    _claims(name, issuer, currency),
                    currency,
                    owner=issuer,
                    kind=f"{name}:{currency}",
                )
                yield self._line(world, name, issuer, terms, currency)

    def _line(
        self, world: World, name: str, issuer: str, terms: CardIssuer, currency: str
    ) -> ClearingLine:
        """Return the files by which an issuer's claims in a currency are billed."""
        claims = _claims(name, issuer, currency)
        sold = terms.billing != currency
        closed = f"closed:{claims}"
        return ClearingLine(
            name=f"{name}/{issuer}:{currency}",
            rail=name,
            agent=issuer,
            currency=currency,
            payments=claims,
            closed=closed,
            refunds=f"refunds:{claims}",
            interchange_ppm=0,
            interchange_to=closed,
            scheme_ppm=0,
            scheme_to=closed,
            exchange=Exchange(currency, terms.billing, terms.spread, self.operator)
            if sold
            else None,
            held=f"held:{claims}:{terms.billing}" if sold else closed,
            paid_to=f"book:{issuer}:{terms.billing}",
            threshold_minor=0,
            is_negative_paid=False,
            receivable_minor=0,
            calendars=self.clearing.calendars,
            files=tuple(_at_days_rate(file, sold) for file in self._files_as().files(world.clock)),
        )

    def _files_as(self) -> Settlement:
        """Return the days and hours of the files as a settlement says them."""
        terms = self.clearing
        return Settlement(
            calendars=terms.calendars, lag=terms.lag, paid_at=terms.at, interchange=0, scheme_fee=0
        )

    def offers(
        self, world: World, name: str, corridor: Corridor, creditor: CreditorClass
    ) -> Iterator[Offer]:
        """Yield the leg from a cardholder to a merchant, in the merchant's currency."""
        paid = corridor.to.currency
        shows = not self.schemes or bool(set(self.schemes) & set(creditor.schemes))
        if self._fits(world, corridor) and creditor.currency in ("", paid) and shows:
            yield Offer(Leg(name, DEBTOR, CREDITOR, paid, paid))

    def terms(self, at: LegContext) -> LegTerms:
        """Return the fees; what is converted is converted at clearing."""
        return LegTerms(fees=self.fees, fee_recipient=self.operator)

    def debtor_side(self, at: LegContext) -> DebtorSide:
        """Return the cardholder's bank."""
        return debtor_at_home(at)

    def creditor_side(self, at: LegContext) -> CreditorSide:
        """Return the merchant's bank, or the acquirer."""
        if self.acquirer is None:
            return creditor_at_home(at)
        return creditor_abroad(at, self.acquirer)

    def obligations(self, at: LegContext) -> tuple[Obligation, ...]:
        """Return what the scheme owes the acquirer."""
        if self.acquirer is None:
            return ()
        return (Obligation(at.name, self.operator, self.acquirer),)

    def leg(self, at: LegContext) -> LegProgram:
        """Return the authorisation, and the issuer's claim."""
        name, currency = at.name, at.leg.source
        claims = ByRole(DEBTOR_AGENT, f"{name}:{currency}")
        return LegProgram(
            limit=self._limit(at),
            request=(
                Stage(
                    Op.DEADLINE,
                    f"{name}.time_limit",
                    value=self.time_limit,
                    target=at.securing,
                    reason=Reason.AB06,
                ),
                *transit(f"{name}.to_scheme", self.hop_time),
                *serve(
                    f"{name}.authorise",
                    f"{name}.gateway",
                    self.authorisation_time,
                    target=at.securing,
                    reason=Reason.MS03,
                ),
                *decide(
                    f"{name}.technical",
                    threshold(self.technical_decline),
                    target=at.securing,
                    reason=Reason.AB10,
                ),
                *transit(f"{name}.authorised", self.hop_time),
                Stage(Op.DEADLINE, f"{name}.in_time"),
            ),
            moves=(Move(ByRole(DEBTOR_AGENT, f"book:{currency}"), claims, at.before),),
            reversal_us=self.reversal_time,
            answer=self.hop_time,
        )

    def _limit(self, at: LegContext) -> Program:
        """Return the check of the cardholder's limits of a payment and of a year."""
        currency = at.leg.source
        bounds = self.limits.get(currency)
        if bounds is None:
            return ()
        begins = at.world.clock.start.date()
        first, following = date(begins.year, 1, 1), date(begins.year + 1, 1, 1)
        spec = LimitSpec.of(f"{at.name}.{currency}", Register.DEBITED, currency, bounds)
        of_year = replace(spec, days=(following - first).days, shift=(begins - first).days)
        return check_limit(f"{at.name}.limit", of_year, target=FAIL)


def _claims(name: str, issuer: str, currency: str) -> str:
    """Return the account of what an issuer's cardholders owe until it is cleared."""
    return f"claims:{name}:{issuer}:{currency}"


def _at_days_rate(file: ClearingFile, sold: bool) -> ClearingFile:
    """Return a file that is converted on the day it is paid."""
    return replace(file, converted_us=file.settled_us - _TO_RATE_US if sold else None)
