"""Check shops, and the streams whose payments are their orders.

Takes a scenario; yields what is wrong, with the path of the field and what is allowed.
"""

from __future__ import annotations

from sim.contract.layout import RATE_MAX
from sim.contract.shops import BURST_MAX
from sim.model.shops import Shop
from sim.rails.problems import Found, unknown
from sim.scenario.model import Scenario

_CLOCK_MAX = 1 << 62
"""Rate of a token times the horizon stays below this; see "Bounds" in the contract."""


def shop_problems(scenario: Scenario) -> Found:
    """Yield what is wrong with shops and their orders."""
    ordered = {demand.shop for demand in scenario.demand.values()}
    for name, shop in scenario.shops.items():
        place = ("shops", name)
        if name in scenario.rails or name in scenario.institutions:
            yield place, "found a rail or institution of the same name; allowed: another name"
        if name not in ordered:
            yield place, "found a shop nobody orders from; needed: a stream of demand with `shop`"
        if shop.code == "static":
            yield (
                (*place, "code"),
                "found static, which cannot be tracked by its md5 (error 2 of the provider); "
                "allowed: dynamic, deep_link",
            )
        if "link_time" in shop.model_fields_set and shop.code != "deep_link":
            yield (*place, "link_time"), "found without a link; needed: code: deep_link"
        for path, message in _asking_problems(scenario, shop):
            yield (*place, *path), message
    for name, demand in scenario.demand.items():
        place = ("demand", name)
        if demand.shop is None:
            continue
        if demand.shop not in scenario.shops:
            yield (*place, "shop"), unknown("shop", demand.shop, scenario.shops)
            continue
        if demand.refunds is not None or any(one.refunds for one in demand.payments or ()):
            yield (
                (*place, "refunds"),
                "found refunds of orders; allowed: what the shop says (`refund_after`), of orders "
                "that have expired",
            )
        corridor = scenario.corridors.get(demand.corridor)
        is_scanned = scenario.shops[demand.shop].code == "dynamic"
        if is_scanned and corridor is not None and corridor.codes is None:
            yield (
                (*place, "shop"),
                f"found dynamic codes to scan in corridor {demand.corridor!r}, which has no codes; "
                "allowed: `codes` there, or a shop with code: deep_link",
            )


def _asking_problems(scenario: Scenario, shop: Shop) -> Found:
    """Yield what is wrong with how a shop asks, by path within the shop."""
    asked, token = shop.polls, shop.token
    for field in ("factor", "longest"):
        if asked.per_call is not None and field in asked.model_fields_set:
            message = f"found {field} beside per_call; allowed: rounds that are all alike"
            yield ("polls", field), message
    if asked.factor == 1 and "longest" in asked.model_fields_set and asked.per_call is None:
        yield ("polls", "longest"), "found with factor 1; needed: a factor above 1"
    if (asked.rail is None) != (asked.serve is None):
        yield ("polls",), "found rail or serve alone; needed: both, or neither"
    elif asked.rail is not None and asked.rail not in scenario.rails:
        yield ("polls", "rail"), unknown("rail", asked.rail, scenario.rails)
    if token is None:
        return
    if token.burst > BURST_MAX:
        yield ("token", "burst"), f"found {token.burst:,}; allowed: at most {BURST_MAX:,}"
    is_fine = max(token.rate.numerator, token.rate.denominator >> 10) < RATE_MAX
    if not is_fine or token.rate.numerator * scenario.clock.horizon >= _CLOCK_MAX:
        yield ("token", "rate"), "found a rate beyond the run's arithmetic; needed: a lower one"
