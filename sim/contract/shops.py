"""Orders at online shops: stock, codes that expire, polls under a token, release and refund.

Takes nothing; specifies the operations ORDER and POLL, ANSWER with a FIRST, the agenda's SHOP_ASKS
and the rows ORDERED, THROTTLED, RELEASED and ORDER_EXPIRED, and gives columns of ``Plan.shop`` and
of a run's totals. A part of :mod:`sim.contract.meaning`.

**Order.** A payment that passes ORDER is an *order* of shop FIRST, at most once. With nothing
``left`` (STOCK at first) it is not taken: it fails with REASON. Otherwise the order is *open* and
the last of the shop's list; where the shop HOLDS, ``left`` falls by 1. Its code is whole and may be
paid up to and including ``now + LIFE_US``, whatever the workload says. ORDERED row (subject = shop,
amount = ``left``, value = LIFE_US), an EXPIRE scheduled at ``now + LIFE_US``, and where PER_CALL is
0 a chain of inquiries begins at SUBJECT, as by INQUIRE. The payment passes on.

**Asking.** The shop learns nothing by itself. POLL, of an inquiry about an order: if the order is
not open, the inquiry ends unasked. Otherwise the next of its chain begins at the stage's SUBJECT,
where that is not -1 and the chain shorter than VALUE. Then the token is looked at: with TOKEN_COUNT
above 0 and ``tat - now * TOKEN_COUNT > (TOKEN_BURST - 1) * TOKEN_PERIOD_US`` (``tat`` 0 at first)
the call is refused (HTTP 429): THROTTLED row (subject = shop), the inquiry goes on at TARGET. Else
``tat = max(tat, now * TOKEN_COUNT) + TOKEN_PERIOD_US``, every order it asks about counts a poll,
and it passes on: through stations, as real load. So TOKEN_BURST requests may come at once and
TOKEN_COUNT in TOKEN_PERIOD_US go on for ever; what was refused is asked again with the next poll.

**Calls for many.** With PER_CALL above 0 orders have no chains. SHOP_ASKS of the agenda: SHOP_ASKS
row (subject = shop, amount = open orders), then the shop's list is cut into calls of PER_CALL, the
last may be shorter, and for each an inquiry begins about its first order (ASKED row, stage = the
ORDER stage of that order, no inquiry before it). All begin before the first of them goes on. A call
asks about the orders it was cut from and that no later call asks about.

**Release.** ANSWER with a FIRST and VALUE 1, behind its ANSWERED row: every order that was asked
about, is open and whose payment has been credited is *released*, in order of the list (RELEASED
row: subject = shop, amount = polls of the order, value = microseconds since the credit); where the
shop does not hold, ``left`` falls by 1 and may fall below 0: oversold. Its EXPIRE is forgotten.

**Expiry.** When its EXPIRE comes, an open order is *expired*: ``left`` rises by 1 where the shop
holds, then ORDER_EXPIRED row (subject = shop, amount = polls, value = ``left``). The payment goes
on, if it is open: its code is checked where it is read, and not behind.

**Refund.** A payment whose order has expired is paid back, whether it was credited before or after,
as the rule of its stream says (a compiled one says: whole and surely). The refund
(:mod:`~sim.contract.refunds`) of a payment that ended before the expiry begins behind the
ORDER_EXPIRED row, any other's at its END; while an order is open or released, END begins none.

**Who is told.** A payment that has ended stays as long as its order is open. Inquiries about an
order (begun by ORDER, POLL or SHOP_ASKS) are told of its payment's outcome when both are over, in
the order in which they began; until then they say IN_PROGRESS. Their chain goes on as long as the
order is open, whatever attempts the payment makes.

**At one instant** the classes of events decide: the agenda's calls (CALENDAR) first, then what is
credited and what polls ask (COMPLETE; payments before inquiries, as their numbers are lower), then
expiry (EXPIRE), then new orders (SUBMIT). A poll in the instant of the credit sees it, one in the
instant of the expiry still releases, and a unit given back by an expiry can be ordered at once.
"""

from __future__ import annotations

from enum import IntEnum

from sim.contract.table import Between, Table


class OrderStatus(IntEnum):
    """How an order stands."""

    NONE = 0
    """The payment is no order."""
    OPEN = 1
    RELEASED = 2
    EXPIRED = 3


class ShopColumn(IntEnum):
    """Columns of ``Plan.shop``."""

    STOCK = 0
    HOLDS = 1
    """1: an order holds its unit from the beginning; 0: the unit is taken when it is released."""
    LIFE_US = 2
    TOKEN_COUNT = 3
    """0: every request is taken."""
    TOKEN_PERIOD_US = 4
    TOKEN_BURST = 5
    PER_CALL = 6
    """Most orders of a call; 0: each order is asked about by itself."""


class ShopTotal(IntEnum):
    """Columns of a shop's totals, counted from the warm-up on."""

    ORDERS = 0
    """Taken."""
    SOLD_OUT = 1
    """Not taken, for want of stock."""
    RELEASED = 2
    EXPIRED = 3
    LATE = 4
    """Payments completed whose order had expired, or expired unseen afterwards: paid back."""
    CALLS = 5
    """Requests to the provider that were not refused."""
    THROTTLED = 6
    SEEN_SUM_US = 7
    """From credit to release, in all and at most."""
    SEEN_MAX_US = 8
    OVERSOLD = 9
    """Most units released or held beyond the stock, of the whole run."""


BURST_MAX = 1 << 20
"""Most requests at once; with RATE_MAX for a period the product stays within an int64."""

SHOPS = Table(
    "shops",
    ShopColumn,
    {
        ShopColumn.STOCK: Between(0, 1 << 40),
        ShopColumn.HOLDS: Between(0, 1),
        ShopColumn.LIFE_US: Between(1),
        ShopColumn.TOKEN_COUNT: Between(0),
        ShopColumn.TOKEN_PERIOD_US: Between(0, 1 << 41),
        ShopColumn.TOKEN_BURST: Between(0, BURST_MAX),
        ShopColumn.PER_CALL: Between(0),
    },
)
"""The table of the plan that these are columns of."""
