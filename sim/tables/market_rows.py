"""Write the market of a run: ``rates.parquet`` and ``prices.parquet``.

Takes the plan; gives Arrow tables. With them and the payments' own rows every amount that was
priced can be computed again from a run folder.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from sim.contract.charges import DESK
from sim.contract.layout import ConversionColumn, PricingColumn, RouteColumn
from sim.contract.plan import Array, Plan
from sim.tables.columns import names_array, text_column, whole_column
from sim.tables.schemas import PRICES, RATES, ROUNDINGS, SIDES

C, P = ConversionColumn, PricingColumn

_SLOTS = (
    (P.CONVERSION_1, P.PROVIDER_1, P.CURRENCY_DEBITED, P.CURRENCY_SETTLEMENT,
     P.GRANULE_DEBITED, P.GRANULE_SETTLEMENT),
    (P.CONVERSION_2, P.PROVIDER_2, P.CURRENCY_SETTLEMENT, P.CURRENCY_CREDITED,
     P.GRANULE_SETTLEMENT, P.GRANULE_CREDITED),
)  # fmt: skip
"""Columns of the two conversions of a price: the conversion, who sells, currencies and steps."""


def rate_rows(plan: Plan, replication: int) -> pa.Table:
    """Return a row per pair and instant from which another rate is in force."""
    pairs = plan.names.pairs
    sides = [name.partition(DESK)[0].split("/") for name in pairs]
    known = tuple(dict.fromkeys(code for both in sides for code in both))
    # A rate that stays is one row, however long: steps in which nothing moves say nothing.
    moved = np.diff(plan.rate, axis=1, prepend=0) != 0
    pair, step = np.nonzero(moved) if len(pairs) else (np.zeros(0, np.int64),) * 2
    numbers = {
        "replication": np.full(len(pair), replication, dtype=np.int64),
        "time_us": step * plan.fx_step_us,
        "rate": plan.rate[pair, step],
        "scale": plan.pair_scale[pair],
    }
    made = {name: whole_column(values.astype(np.int64)) for name, values in numbers.items()}
    made["pair"] = text_column(pair, names_array(pairs))
    places = plan.names.exponents
    for at, side in enumerate(("base", "quote")):
        codes = [both[at] for both in sides]
        place = np.array([known.index(code) for code in codes], dtype=np.int64)
        exponents = np.array([places[code] for code in codes], dtype=np.int64)
        made[f"{side}_currency"] = text_column(place[pair], names_array(known))
        made[f"{side}_exponent"] = whole_column(exponents[pair])
    return pa.Table.from_arrays([made[name] for name in RATES.names], schema=RATES)


def price_rows(plan: Plan, replication: int) -> pa.Table:
    """Return a row per conversion of every route's price."""
    rows: list[list[int]] = []
    for route, pricing in enumerate(plan.route[:, RouteColumn.PRICING].tolist()):
        if pricing >= 0:
            rows += _conversions(plan, route, plan.pricing[pricing])
    table: Array = np.array(rows, dtype=np.int64).reshape(-1, len(PRICES.names) - 1)
    words: dict[str, Sequence[str]] = {
        "route": plan.names.routes,
        "fixed_side": SIDES,
        "rounding": ROUNDINGS,
        "source_currency": plan.names.currencies,
        "target_currency": plan.names.currencies,
        "pair": plan.names.pairs,
        "provider": plan.names.agents,
    }
    made = {"replication": whole_column(np.full(len(table), replication, dtype=np.int64))}
    for at, name in enumerate(PRICES.names[1:]):
        column = np.ascontiguousarray(table[:, at])
        known = words.get(name)
        made[name] = (
            whole_column(column)
            if known is None
            else text_column(column, names_array(tuple(known)))
        )
    return pa.Table.from_arrays([made[name] for name in PRICES.names], schema=PRICES)


def _conversions(plan: Plan, route: int, price: Array) -> list[list[int]]:
    """Return the rows of one route's price, columns in the order of the table."""
    found = []
    for number, (slot, provider, source, target, by_source, by_target) in enumerate(
        _SLOTS, start=1
    ):
        if price[slot] < 0:
            continue
        conversion = plan.conversion[price[slot]]
        found.append(
            [
                route,
                int(price[P.FIXED_SIDE]),
                int(price[P.ROUNDING]),
                number,
                int(price[source]),
                int(price[target]),
                int(conversion[C.PAIR]),
                int(conversion[C.SPREAD_PPM]),
                int(price[provider]),
                int(price[by_source]),
                int(price[by_target]),
            ]
        )
    return found
