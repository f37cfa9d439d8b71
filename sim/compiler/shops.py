"""Shops and their orders in symbols: what an order does around its payment, and what asks about it.

Takes shops as a user writes them; gives parts of the plan and stages of a stream's prologue. The
meaning is in :mod:`sim.contract.shops`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sim.compiler.parts import Part, ShopPart
from sim.compiler.refunds import StreamRefunds
from sim.contract.layout import CERTAIN, PPM
from sim.contract.meaning import Cause, Op, Outcome, Reason
from sim.contract.refunds import RefundRate
from sim.model.base import FieldPath
from sim.model.shops import Shop
from sim.rails.asking import POLLS_MAX, own_station
from sim.rails.problems import unknown
from sim.rails.resources import BlockLedger, Station
from sim.rails.stages import FAIL, Program, Stage, decide, fixed_time, serve, threshold, transit
from sim.scenario.model import Scenario

_SOLD_OUT = "sold_out"


def shop_parts(scenario: Scenario) -> Iterator[Part]:
    """Yield every shop, and the stations of its own that answer it."""
    for name, shop in sorted(scenario.shops.items()):
        if shop.polls.serve is None:
            yield own_station(name, "api")
        token, per_call = shop.token, shop.polls.per_call
        yield ShopPart(
            name,
            every_us=shop.polls.first if per_call else 0,
            columns={
                "stock": shop.stock,
                "holds": int(shop.hold),
                "life_us": shop.life,
                "token_count": 0 if token is None else token.rate.numerator,
                "token_period_us": 0 if token is None else token.rate.denominator,
                "token_burst": 0 if token is None else token.burst,
                "per_call": per_call or 0,
            },
        )


def unknown_stations(
    scenario: Scenario, places: Iterable[Station | BlockLedger]
) -> list[tuple[FieldPath, str]]:
    """Return the stations shops name that their rails do not have, and what is wrong with them."""
    known, found = {place.name for place in places}, list[tuple[FieldPath, str]]()
    for name, shop in sorted(scenario.shops.items()):
        asked = shop.polls
        if asked.rail is None or asked.serve is None or _answers_at(name, shop) in known:
            continue
        there = {one.partition(".")[2] for one in known if one.startswith(f"{asked.rail}.")}
        found.append((("shops", name, "polls", "serve"), unknown("station", asked.serve, there)))
    return found


def order_taken(name: str, shop: Shop, scan: Program) -> Program:
    """Return what comes before a route is chosen: the order, the payer's decision, the code.

    Parameters
    ----------
    name : str
        Of the shop.
    shop : Shop
    scan : Program
        How a code is scanned in the stream's corridor; empty where nothing is.
    """
    label = f"{name}.order"
    link: Program = ()
    if shop.code == "deep_link":
        # Nothing is scanned, but an app will not pay a link that has expired.
        scan = (Stage(Op.CODE, f"{name}.link", target=FAIL),)
        link = serve(f"{name}.makes_link", _answers_at(name, shop), shop.link_time, target=FAIL)
    return (
        Stage(
            Op.ORDER, label, back_to=_first(name), target=_SOLD_OUT, reason=Reason.OUT_OF_STOCK,
            shop=name,
        ),
        *link,
        *decide(f"{name}.gives_up", threshold(shop.gives_up), target=FAIL, reason=Reason.NOAS),
        *transit(f"{name}.decides", shop.decides, cause=Cause.HUMAN),
        *scan,
    )  # fmt: skip


def order_asides(name: str, shop: Shop) -> Program:
    """Return what stands beside: the end of who finds nothing left, and what the shop asks."""
    end = Stage(Op.END, _SOLD_OUT, mark=_SOLD_OUT, value=int(Outcome.NOT_PAYABLE), own_reason=True)
    return (end, *_asks(name, shop))


def shop_refunds(shop: Shop) -> StreamRefunds:
    """Return how payments of expired orders are paid back: whole, at once, at their own rate."""
    return StreamRefunds(CERTAIN, PPM, 1, shop.refund_after, RefundRate.ORIGINAL, ())


def _answers_at(name: str, shop: Shop) -> str:
    """Return the station that answers a shop."""
    asked = shop.polls
    return f"{name}.api" if asked.serve is None else f"{asked.rail}.{asked.serve}"


def _first(name: str) -> str:
    return f"{name}.polls.1"


def _asks(name: str, shop: Shop) -> Program:
    """Return the stages of inquiries: a chain for each order, or a call about many."""
    refused = f"{name}.polls.refused"
    waits = [] if shop.polls.per_call else _waits(shop)
    found: list[Stage] = []
    for number in range(1, max(len(waits), 1) + 1):
        mark = f"{name}.polls.{number}"
        # The last time stays: it is followed by itself.
        following = f"{name}.polls.{min(number + 1, len(waits))}" if waits else ""
        ask = Stage(
            Op.POLL, f"{mark}.ask", value=POLLS_MAX, back_to=following, target=refused, shop=name
        )
        if waits:
            time = fixed_time(waits[number - 1])
            found += [Stage(Op.TRANSIT, mark, mark=mark, time=time), ask]
        else:
            found.append(Stage(ask.op, mark, mark=mark, value=1, target=refused, shop=name))
        found += [
            *serve(f"{mark}.served", _answers_at(name, shop), shop.polls.time, target=refused),
            Stage(Op.ANSWER, f"{mark}.answer", value=1, shop=name),
        ]
    return (*found, Stage(Op.ANSWER, refused, mark=refused))


def _waits(shop: Shop) -> list[int]:
    """Return the times between questions up to the one that stays, in microseconds."""
    asked = shop.polls
    waits = [asked.first]
    while asked.factor > 1 and waits[-1] < asked.longest:
        waits.append(min(waits[-1] * asked.factor, asked.longest))
    return waits
