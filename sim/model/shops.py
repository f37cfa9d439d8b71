"""Online shops as a user writes them: stock, codes that expire, polls, the provider's token.

Takes text as people write it; gives frozen, checked values. What happens to an order is said in
:mod:`sim.contract.shops`.
"""

from __future__ import annotations

from typing import Literal

from sim.model.base import Model
from sim.model.defaults import assumed, cited
from sim.model.distributions import DurationDistribution
from sim.model.quantities import (
    EventRate,
    Flag,
    Name,
    PositiveCount,
    PositiveDurationUs,
    SharePpb,
)
from sim.units import MINUTE_US, SECOND_US


class Token(Model):
    """How many requests a provider takes of a shop; what is beyond is refused with HTTP 429."""

    rate: EventRate = cited("10 /s", "bakong.open_api.rate_limit", "estimated")
    """Requests that can go on for ever."""
    burst: PositiveCount = assumed(10, "a second's worth; no figure published")
    """Requests that can come at once, after a pause; at most 1 048 576."""


class ShopPolls(Model):
    """How a shop finds out that it has been paid; there is no call from the provider."""

    first: PositiveDurationUs = cited(2 * SECOND_US, "bakong.open_api.poll_initial")
    """Time from the order to the first question about it. With `per_call`, time between two
    rounds."""
    factor: PositiveCount = cited(2, "bakong.open_api.poll_backoff_factor")
    """How much longer each time to the next question is than the one before; 1: all are alike."""
    longest: PositiveDurationUs = cited(MINUTE_US, "bakong.open_api.poll_max")
    """No time grows beyond this."""
    per_call: PositiveCount | None = None
    """Orders one question asks about, as Bakong's list call takes 50: then all open orders are
    asked about in rounds. Absent: each order is asked about by itself."""
    rail: Name | None = None
    """Rail with the station that answers; absent: one of the shop's own without limit."""
    serve: Name | None = None
    """That station, as in `gateway`: it answers beside payments."""
    time: DurationDistribution = assumed("0 s", "a rate limit admits it; its work is not published")
    """Service time of one question there."""


class Shop(Model):
    """A shop that takes orders, shows a code for each, and waits until it is paid."""

    stock: PositiveCount
    """Units there are to order, one an order."""
    hold: Flag = True
    """Whether an order holds its unit until it is paid or expires; if not, it is taken when the
    goods are released, and more can be sold than there are."""
    code: Literal["dynamic", "deep_link", "static"] = "dynamic"
    """What the payer is shown: a dynamic code to scan, in a corridor with `codes`, or a link that
    opens the payer's app. A static code cannot be tracked, and is refused."""
    life: PositiveDurationUs = assumed(10 * MINUTE_US, "NBC's guide polls for ten minutes at most")
    """How long an order may be paid; then it expires, and what is credited later goes back."""
    link_time: DurationDistribution = assumed("0 s", "a link is made; its work is not published")
    """Service time of making a link, where questions are answered."""
    decides: DurationDistribution = assumed(
        {"lognormal": {"median": "30 s", "sigma": "0.7"}}, "a person opens an app; not published"
    )
    """Time of a person from the order to paying it."""
    gives_up: SharePpb = assumed(100_000_000, "some carts are left; no figure for Cambodia")
    """Share of orders whose payers do not pay after all."""
    polls: ShopPolls = ShopPolls()
    """How the shop asks whether orders have been paid."""
    token: Token | None = None
    """How many requests the provider takes; absent: all."""
    refund_after: DurationDistribution = assumed("60 s", "an automatic refund; not published")
    """Time until a payment whose order has expired is paid back."""
