"""Hold the market a run shows to its plan: ``rates.parquet`` and ``prices.parquet``.

Takes a finished run and its plan; reports rates that were not in force, and conversions no price
has. The demanded rows come from the meaning of the plan's columns, not from the code that writes
them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sim.audit.findings import Findings
from sim.audit.names import Words, cells, first_of_name
from sim.contract.charges import DESK, Rounding
from sim.contract.layout import ConversionColumn, PricingColumn, RouteColumn
from sim.contract.meaning import FixedSide
from sim.contract.plan import Array, Plan
from sim.tables.finished_run import FinishedRun
from sim.tables.schemas import PRICES, PRICES_FILE, RATES, RATES_FILE

P = PricingColumn


def check_market(run: FinishedRun, plan: Plan, findings: Findings) -> None:
    """Check that both tables have just the rows of the plan's replication.

    Parameters
    ----------
    run : FinishedRun
        A finished run.
    plan : Plan
        Its plan; rates may be drawn anew for each replication, and only those of one are in it.
    findings : Findings
        Where violations go.
    """
    codes = tuple(plan.names.exponents)
    pairs = {"pair": plan.names.pairs, "base_currency": codes, "quote_currency": codes}
    prices: Words = {
        "route": plan.names.routes,
        "fixed_side": tuple(side.name.lower() for side in FixedSide),
        "rounding": tuple(rounding.name.lower() for rounding in Rounding),
        "pair": plan.names.pairs,
        "provider": plan.names.agents,
        "source_currency": plan.names.currencies,
        "target_currency": plan.names.currencies,
    }
    for file, names, words, due in (
        (RATES_FILE, RATES.names, pairs, list(_rates(plan, codes))),
        (PRICES_FILE, PRICES.names, prices, list(_prices(plan))),
    ):
        if not run.has(file):
            continue
        found = cells(run.table(file), tuple(names), words)
        found = found[found[:, 0] == plan.replication]
        demanded = np.array(due, dtype=np.int64).reshape(-1, len(names))
        for at, name in enumerate(names):
            if name in words:
                demanded[:, at] = first_of_name(demanded[:, at], words[name])
        is_same = found.shape == demanded.shape and bool(
            (_sorted(found) == _sorted(demanded)).all()
        )
        findings.check("market", is_same, f"{file} is not the market of the plan")


def _sorted(rows: Array) -> Array:
    """Return rows in an order that does not depend on how they were written."""
    ordered: Array = rows[np.lexsort(rows.T[::-1])]
    return ordered


def _rates(plan: Plan, codes: tuple[str, ...]) -> Iterator[list[int]]:
    """Yield each pair's rates, each as long as it is another than the one before."""
    places = plan.names.exponents
    for pair, name in enumerate(plan.names.pairs):
        base, _, quote = name.partition(DESK)[0].partition("/")
        last = None
        for step in range(plan.rate.shape[1]):
            rate = int(plan.rate[pair, step])
            if rate != last:
                yield [
                    plan.replication, pair, codes.index(base), codes.index(quote),
                    step * plan.fx_step_us, rate, int(plan.pair_scale[pair]),
                    places[base], places[quote],
                ]  # fmt: skip
            last = rate


def _prices(plan: Plan) -> Iterator[list[int]]:
    """Yield the conversions of every route that carries money."""
    currencies = (P.CURRENCY_DEBITED, P.CURRENCY_SETTLEMENT, P.CURRENCY_CREDITED)
    steps = (P.GRANULE_DEBITED, P.GRANULE_SETTLEMENT, P.GRANULE_CREDITED)
    for route in range(len(plan.route)):
        number = int(plan.route[route, RouteColumn.PRICING])
        # A route that carries no money has no price, and a plan of such routes has no prices.
        if number < 0:
            continue
        price = plan.pricing[number]
        for slot, provider in enumerate((P.PROVIDER_1, P.PROVIDER_2)):
            conversion = int(price[(P.CONVERSION_1, P.CONVERSION_2)[slot]])
            if conversion < 0:
                continue
            sold = plan.conversion[conversion]
            yield [
                plan.replication, route, int(price[P.FIXED_SIDE]), int(price[P.ROUNDING]), slot + 1,
                int(price[currencies[slot]]), int(price[currencies[slot + 1]]),
                int(sold[ConversionColumn.PAIR]), int(sold[ConversionColumn.SPREAD_PPM]),
                int(price[provider]), int(price[steps[slot]]), int(price[steps[slot + 1]]),
            ]  # fmt: skip
