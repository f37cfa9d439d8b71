"""The foreign exchange market as a scenario writes it: mid rates and how they move.

Takes text as people write it (through :mod:`sim.model`); gives frozen, checked values. Paths of
rates are worked out by the compiler (:mod:`sim.compiler.prices`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from sim.contract.charges import Rounding
from sim.model.base import Model
from sim.model.defaults import assumed
from sim.model.quantities import (
    AmountText,
    BusinessDays,
    CurrencyCode,
    CurrencyPair,
    DecimalText,
    DurationUs,
    FeePpm,
    Flag,
    MoneyAmount,
    Name,
    PositiveDurationUs,
    SharePpb,
    TimeOfDay,
)
from sim.model.top_up import CalendarName
from sim.units import HOUR_US

if TYPE_CHECKING:
    RoundingName = str
else:
    # Roundings are named once, where they are specified.
    RoundingName = Literal[tuple(rounding.name.lower() for rounding in Rounding)]

SUFFIXES = (".csv",)
"""How a file of rates may end: text with a header line."""


class RateFile(Model):
    """Recorded or supposed rates of one pair, a row of a file for each."""

    file: str
    """CSV with the columns `at` (time since the start, or an instant with its offset) and `rate`,
    relative to the file that names it; rows in order of time. A rate holds until the next row;
    before the first one `rate` holds. Rates move in steps (`fx.step`): a row acts from the first
    step at or after its instant."""
    digest: str | None = None
    """Digest of the file's bytes (BLAKE2b); another content is refused. Run folders write it."""


class MidRate(Model):
    """The market's mid rate of one pair."""

    rate: DecimalText
    """Units of the second currency per unit of the first, at the start."""
    daily_volatility: SharePpb = 0
    """Standard deviation of the daily log return; 0 keeps the rate constant."""
    path: RateFile | None = None
    """File the rate's course is read from, in place of a volatility; jumps (`disruptions`) come on
    top of it."""


class AmountBand(Model):
    """The margin on larger amounts."""

    at_least: MoneyAmount
    """Least instructed amount it is for, in a currency of the pair; compared with what the payer or
    the payee fixes, where that is in another currency at the mid rates of the start."""
    spread: FeePpm
    """Margin on the whole amount."""


class SpreadHours(Model):
    """A dearer part of the day."""

    from_: TimeOfDay = Field(alias="from")
    """Local time it begins."""
    to: TimeOfDay
    """Local time it ends; not after the begin: on the next day."""
    more: FeePpm
    """What is added to the margin of every amount."""


class ProviderQuote(Model):
    """What a provider takes for exchanging one pair, both ways."""

    spread: FeePpm
    """Margin over the mid rate."""
    amounts: tuple[AmountBand, ...] = ()
    """Margins on larger amounts, smallest first."""
    hours: dict[Name, SpreadHours] = {}
    """Dearer parts of the day, by name; where several meet, all of them are added."""
    closed: FeePpm = 0
    """What is added on days on which banks are not open in all of the provider's `calendars`."""


class Cover(Model):
    """When a provider trades its position back to where it opened."""

    against: CurrencyCode
    """Currency it pays with, or is paid in."""
    beyond: AmountText
    """How far from the opening, either way, the position may be when it is looked at (less what is
    reserved, plus trades on the way) before all of the distance is traded."""
    spread: FeePpm = assumed(500, "half a wholesale spread; not published for riel")
    """Margin over the mid rate the provider itself pays; the mid rate is that of the order."""
    calendars: tuple[CalendarName, ...] = ()
    """Countries whose banks must all be open on the day to trade and to deliver; none: every day,
    at any hour."""
    make_up_days: Flag = assumed(False, "offices work on make-up days, foreign banks do not")
    """Whether a weekend day worked in exchange for a day off counts as a bank day."""
    clock: CalendarName | None = None
    """Country whose local time the hours below follow; by default the first calendar, else the
    scenario's own."""
    look_at: tuple[TimeOfDay, ...] = assumed(("15:00",), "a desk squares its book once a day")
    """Local times of a bank day at which the position is looked at."""
    lead_days: BusinessDays = assumed(0, "delivery on the day, as retail flows need it")
    """Bank days from the trade to the delivery."""
    lead_time: DurationUs = assumed(2 * HOUR_US, "not published; a transfer by hand")
    """Time from the trade to the delivery, after the bank days; what would be delivered outside the
    hours of the first calendar's banks is delivered when they next open. With neither the position
    is reset at once."""


class Inventory(Model):
    """A provider's position in one currency, and how far it may go."""

    opening: AmountText | None = None
    """What it holds at the start; absent: nothing."""
    short: AmountText | None = None
    """How far below zero the position may go; a payment that would take it further is refused by
    this provider (AM23) before money moves. Absent: no bound."""
    long: AmountText | None = None
    """Most it will hold, likewise. Absent: no bound."""
    cover: Cover | None = None
    """When it trades the position back; absent: never."""


class FxProvider(Model):
    """An institution that exchanges currencies: what it takes, when, and how much it can sell."""

    quotes: dict[CurrencyPair, ProviderQuote] = {}
    """Margins by pair; of other pairs, and of what it quotes on a hub, the rail says them."""
    inventory: dict[CurrencyCode, Inventory] = {}
    """Positions that are bounded, by currency: what it bought less what it sold since the start,
    at mid rates. A payment holds what it needs of them from its reservation on; refused or given
    up it gives that back at once, returned it goes back with the money."""
    calendars: tuple[CalendarName, ...] = ()
    """Countries whose banks must all be open on a day, or `closed` is added."""
    clock: CalendarName | None = None
    """Country whose local time days and hours follow; by default the first calendar, else the
    scenario's own."""


class Fx(Model):
    """The foreign exchange market."""

    mid: dict[CurrencyPair, MidRate] = {}
    """Mid rates by pair; pairs without one are crossed through the US dollar, or else through the
    first currency, by its code, that has a rate to both. What is crossed or turned over is kept to
    nine digits."""
    providers: dict[Name, FxProvider] = {}
    """Providers with margins of their own, by institution (role fx_provider): wherever one of them
    converts a pair it quotes, its margin holds in place of the rail's, and no `own_conversion` is
    left at anybody's cost."""
    desks: dict[Name, tuple[Name, ...]] = {}
    """Who else converts for an institution, by its name: providers, the preferred first. Each is a
    route of its own (`corridor/rail.agent.provider`): whatever the policy, the best quote is taken,
    what is equal goes to the first, and a payment that fails over may find another. Pairs none of
    them quotes the institution converts itself."""
    step: PositiveDurationUs = assumed(60_000_000, "rates move once a minute")
    """How often mid rates move."""
    rounding: RoundingName = assumed(
        "once", "schemes bill the payer once, half up, and clear net; no scheme publishes its rule"
    )
    """How often a price with conversions is rounded: `once`, half up, what the payer is billed; or
    `each_step`, up at every conversion and spread."""
