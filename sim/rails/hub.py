"""A hub of fast payment systems with competing exchange providers, as Nexus plans one.

Takes the settings of the hub; gives one leg for every quote. The payer's bank asks the hub, which
shows the quotes of all providers of the pair; each tier of a provider is a quote of its own,
offered from its least amount on, and routing takes the best. A quote holds for a while; confirmed
later, it is asked for again. Hypothetical for Cambodia, which is no member of one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Literal

from sim.contract.meaning import Reason, WhenClosed
from sim.model.base import FieldPath, Model
from sim.model.defaults import assumed, cited
from sim.model.distributions import DurationDistribution
from sim.model.members import Member
from sim.model.money import AmountText
from sim.model.pricing import Fee
from sim.model.quantities import (
    PPM,
    CalendarDate,
    CountryCode,
    CurrencyPair,
    DecimalText,
    DurationUs,
    EventRate,
    FeePpm,
    Flag,
    Name,
    PositiveDurationUs,
    to_minor,
)
from sim.model.sections import Corridor
from sim.rails.institutions import creditor_at_home, debtor_at_home
from sim.rails.joining import serves
from sim.rails.links import Link
from sim.rails.obligations import Obligation
from sim.rails.payers import CreditorClass
from sim.rails.price import Exchange, exchange_moves
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
from sim.rails.resources import Resource, Station
from sim.rails.stages import (
    CREDITOR_AGENT,
    DEBTOR_AGENT,
    ByRole,
    Move,
    Program,
    serve,
    transit,
)


class QuoteTier(Model):
    """A better rate for larger amounts."""

    at_least: AmountText
    """Least amount sent, in the sender's currency."""
    better: FeePpm
    """By how much the rate is better than the provider's first."""


class HubQuote(Model):
    """What one provider asks for one pair of currencies."""

    rate: DecimalText
    """Units of the second currency the payee gets for a unit of the first, at the start; with the
    market it moves as the mid rate does. At most the mid rate."""
    tiers: tuple[QuoteTier, ...] = ()
    """Better rates for larger amounts, smallest first."""


class HubProvider(Model):
    """An exchange provider of the hub, with accounts in both currencies."""

    quotes: dict[CurrencyPair, HubQuote]
    """Quotes by pair: the payer's currency, then the payee's."""


@register_rail
class HubRail(Rail):
    """A hub that links fast payment systems, and the providers that quote on it."""

    kind: Literal["hub"]
    """Selects this kind of rail."""
    operator: Name
    """Who runs the hub, and earns its fees where they name nobody."""
    live_from: CalendarDate
    """Day the hub went live; a later one than the clock's start needs `hypothetical: true`."""
    hypothetical: Flag = False
    """Marks a hub that was not live at the clock's start, or has no member here; `explain` and the
    report say so."""
    access_banks: dict[CountryCode, Name]
    """Settlement access bank by country: it pays and is paid in the system of its country for
    providers, which are no members there."""
    providers: dict[Name, HubProvider]
    """Exchange providers, by institution."""
    fees: dict[Name, Fee] = {}
    """Fees, by component, each with the party that earns it."""
    quote_validity: PositiveDurationUs = cited(600_000_000, "fx.quote_validity", "reported")
    """How long a quote holds, its last instant included."""
    quote_time: DurationDistribution = assumed("0.2 s", "quotes lie ready at the hub")
    """Time in which the hub answers with all quotes."""
    rate_limit: EventRate | None = None
    """Most questions and payments the hub admits per second, evenly spaced; absent: no limit."""
    hop_time: DurationDistribution = cited(
        {"lognormal": {"median": "0.35 s", "sigma": "0.6"}},
        "corridors.defaults.hub_hop_latency_lognormal",
    )
    """One message between a bank and the hub."""
    reversal_time: DurationUs = assumed(1_000_000, "one confirmed message there and back")
    """Time of a confirmed reversal before another quote may be tried."""

    def named_institutions(self) -> tuple[tuple[str, str], ...]:
        """Return the operator."""
        return (("operator", self.operator),)

    def rates(self) -> tuple[tuple[FieldPath, EventRate | None], ...]:
        """Return the rate of the hub."""
        return ((("rate_limit",), self.rate_limit),)

    def all_fees(self) -> tuple[tuple[FieldPath, Mapping[str, Fee]], ...]:
        """Return its fees."""
        return (((), self.fees),)

    def links(self) -> tuple[Link, ...]:
        """Return the hub itself, once for every quote."""
        return tuple(
            Link(_use(provider, tier), self.live_from, self.hypothetical)
            for provider, terms in self.providers.items()
            for tier in range(1 + max((len(q.tiers) for q in terms.quotes.values()), default=0))
        )

    def problems(self, world: World, name: str) -> Found:
        """Check providers, access banks and tiers."""
        for country, bank in self.access_banks.items():
            entry = world.institutions.get(bank)
            place: FieldPath = ("access_banks", country)
            if entry is None:
                yield place, unknown("institution", bank, world.institutions)
            elif entry.members > 1:
                yield place, several(bank, entry.members)
            elif entry.country != country:
                yield place, f"{bank!r} is in {entry.country}; needed: a bank in {country}"
        for key, provider in self.providers.items():
            if key not in world.institutions:
                yield ("providers", key), unknown("institution", key, world.institutions)
            elif "fx_provider" not in world.institutions[key].roles:
                roles = ", ".join(world.institutions[key].roles)
                yield ("providers", key), f"{key!r} is no fx_provider; its roles: {roles}"
            for pair, quote in provider.quotes.items():
                yield from _quote_problems(pair, quote, ("providers", key, "quotes", str(pair)))

    def idle_settings(self, world: World, name: str, legs: Sequence[Leg]) -> Found:
        """Yield quotes nobody asks for, and access banks of countries nobody pays from or to."""
        asked = {(leg.source, leg.target) for leg in legs}
        for key, provider in self.providers.items():
            for pair in provider.quotes:
                if (pair.base, pair.quote) not in asked:
                    yield ("providers", key, "quotes", str(pair)), "no route converts so"
        # A payer may hold another currency than the corridor's; what arrives is what is quoted.
        quoted = {pair.quote for one in self.providers.values() for pair in one.quotes}
        ends = {
            end.country
            for one in world.corridors.values()
            if serves(world, name, one) and one.to.currency in quoted
            for end in (one.from_, one.to)
        }
        for country in self.access_banks:
            if country not in ends:
                yield ("access_banks", country), "no corridor it quotes for begins or ends there"

    def resources(self, world: World, name: str, members: Sequence[Member]) -> Iterator[Resource]:
        """Yield the hub's admission."""
        yield Station(
            f"{name}.gateway",
            rate_limit=self.rate_limit,
            when_closed=WhenClosed.REJECT,
            reason_closed=Reason.AB07,
        )

    def offers(
        self, world: World, name: str, corridor: Corridor, creditor: CreditorClass
    ) -> Iterator[Offer]:
        """Yield a leg for every quote of the corridor's pair, between countries with access."""
        first, last = corridor.from_, corridor.to
        held, paid = first.currency, last.currency
        if first.country not in self.access_banks or last.country not in self.access_banks:
            return
        if creditor.currency not in ("", paid) or first.country == last.country:
            return
        for key, provider in sorted(self.providers.items()):
            quote = provider.quotes.get(CurrencyPair(held, paid))
            for tier in range(0 if quote is None else 1 + len(quote.tiers)):
                yield Offer(Leg(name, DEBTOR, CREDITOR, held, paid, _use(key, tier)))

    def _quote(self, leg: Leg) -> tuple[str, Fraction, int]:
        """Return a leg's provider, rate and least amount in minor units."""
        provider, _, number = leg.use.partition(" from tier ")
        found = self.providers[provider].quotes[CurrencyPair(leg.source, leg.target)]
        rate = Fraction(found.rate)
        if not number:
            return provider, rate, 0
        tier = found.tiers[int(number) - 1]
        least = to_minor(tier.at_least, leg.source)
        return provider, rate * (1 + Fraction(tier.better, PPM)), least

    def _exchange(self, leg: Leg) -> Exchange:
        provider, rate, _ = self._quote(leg)
        return Exchange(leg.source, leg.target, 0, provider, rate)

    def terms(self, at: LegContext) -> LegTerms:
        """Return the provider's conversion and the fees of the parties."""
        return LegTerms(
            exchanges=(self._exchange(at.leg),),
            settlement_currency=at.leg.source,
            fees=self.fees,
            fee_recipient=self.operator,
            quote_validity_us=self.quote_validity,
            least_minor=self._quote(at.leg)[2],
        )

    def debtor_side(self, at: LegContext) -> DebtorSide:
        """Return the sender's bank."""
        return debtor_at_home(at)

    def creditor_side(self, at: LegContext) -> CreditorSide:
        """Return the recipient's bank."""
        return creditor_at_home(at)

    def obligations(self, at: LegContext) -> tuple[Obligation, ...]:
        """Return what the access bank of the payer's country owes the provider."""
        return (Obligation(at.name, self._access(at, payers=True), self._quote(at.leg)[0]),)

    def _access(self, at: LegContext, *, payers: bool) -> str:
        end = at.corridor.from_ if payers else at.corridor.to
        return self.access_banks[end.country]

    def leg(self, at: LegContext) -> LegProgram:
        """Return the question for quotes, and the payment through the hub."""
        name = at.name
        return LegProgram(
            look_up=(
                *transit(f"{name}.ask", self.hop_time),
                *self._hub(at, "quotes", self.quote_time, at.refusing),
                *transit(f"{name}.shown", self.hop_time),
            ),
            execute=(
                *transit(f"{name}.send", self.hop_time),
                *self._hub(at, "pay", self.quote_time, at.failing),
                *transit(f"{name}.on", self.hop_time),
            ),
            moves=self._moves(at),
            confirm=(
                *transit(f"{name}.back", self.hop_time),
                *transit(f"{name}.done", self.hop_time),
            ),
            reversal_us=self.reversal_time,
            answer=self.hop_time,
        )

    def _hub(self, at: LegContext, what: str, time: DurationDistribution, target: str) -> Program:
        return serve(
            f"{at.name}.{what}", f"{at.name}.gateway", time, target=target, reason=Reason.MS03
        )

    def _moves(self, at: LegContext) -> tuple[Move, ...]:
        """Return bank to access bank, the provider's conversion, access bank to bank."""
        assert at.price is not None
        leg = at.leg
        paying = f"book:{self._access(at, payers=True)}:{leg.source}"
        paid = f"book:{self._access(at, payers=False)}:{leg.target}"
        exchange = self._exchange(leg)
        return (
            Move(ByRole(DEBTOR_AGENT, f"book:{leg.source}"), paying, at.before),
            *exchange_moves(at.price, exchange, payer=paying, receiver=paid),
            Move(paid, ByRole(CREDITOR_AGENT, f"book:{leg.target}"), at.after),
        )


def _use(provider: str, tier: int) -> str:
    """Return the word of a leg for one quote."""
    return f"{provider} from tier {tier}" if tier else provider


def _quote_problems(pair: CurrencyPair, quote: HubQuote, place: FieldPath) -> Found:
    """Yield tiers that do not rise."""
    least, better = 0, -1
    for number, tier in enumerate(quote.tiers):
        where = (*place, "tiers", number)
        found = list(check_amounts(pair.base, tier.at_least, (*where, "at_least")))
        yield from found
        if found:
            return
        if to_minor(tier.at_least, pair.base) <= least:
            yield (*where, "at_least"), "found no more than before; allowed: tiers that rise"
        if tier.better <= better:
            yield (*where, "better"), "found no better than before; allowed: tiers that rise"
        least, better = to_minor(tier.at_least, pair.base), tier.better
