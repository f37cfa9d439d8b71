"""What measures say where little can be said: no rates, no spread, no customers, one arm."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sim.analysis.comparison import compare_paired
from sim.analysis.completing import complete
from sim.analysis.intervals import share_interval
from sim.analysis.of_orders import ORDER_MEASURES, orders_of
from sim.analysis.places import net_obligations
from sim.analysis.rates import common_currency, worth_in
from sim.analysis.refunds import refunds_of
from sim.analysis.selection import SelectionRule, select_best
from sim.analysis.settlement import settled_of
from sim.analysis.sources import Amount, Ordered
from sim.analysis.summary import Measure, Summary
from sim.analysis.systems import system_measures
from sim.compiler.builder import PlanBuilder
from sim.contract.charges import DESK
from sim.contract.large_value import MemberTotal
from sim.contract.meaning import Op, Outcome
from sim.contract.plan import Plan
from sim.contract.records import RECORD_WIDTH, RecordColumn
from sim.contract.shops import ShopTotal
from sim.tables.positions import PositionFolder


def _market(pairs: dict[str, tuple[int, ...]], *currencies: str) -> Any:
    """Return as much of a plan as rates are worked out from: scaled by 100."""
    names = SimpleNamespace(pairs=tuple(pairs), currencies=currencies)
    rates = np.array(list(pairs.values()), dtype=np.int64).reshape(len(pairs), -1)
    return SimpleNamespace(
        names=names, rate=rates, pair_scale=np.full(len(pairs), 100, dtype=np.int64)
    )


def test_what_a_desk_asks_is_no_rate_of_the_market() -> None:
    desk = f"USD/HKD{DESK}quay"
    plan = _market({desk: (900, 900), "USD/HKD": (780, 800)}, "USD", "HKD")
    assert worth_in(plan, "HKD")["USD"] == Fraction(78, 10)
    assert worth_in(plan, "HKD", -1)["USD"] == 8
    only_asked = _market({desk: (900,)}, "USD", "HKD")
    assert worth_in(only_asked, "HKD") == {"HKD": 1}
    assert worth_in(only_asked, "USD") == {"USD": 1}


def test_dollars_are_the_common_currency_where_there_are_rates_for_all() -> None:
    plan = _market({"USD/KHR": (400_000,)}, "USD", "KHR", "LAK")
    assert common_currency(plan, ["KHR", "USD"])[0] == "USD"
    # Of kip nobody knows the worth: the first stands, and knows what it can.
    common, worth = common_currency(plan, ["KHR", "LAK"])
    assert (common, worth.keys()) == ("KHR", {"KHR", "USD"})
    assert common_currency(plan, [])[0] == ""


def _two_currencies() -> Plan:
    """Return a plan whose two routes are settled in currencies without a rate."""
    b = PlanBuilder(horizon_us=100)
    entry = b.add_stage(Op.END, value=Outcome.COMPLETED, reason=0)
    for agent in ("bank", "other"):
        b.agents.add(agent)
    for code in ("KHR", "LAK"):
        pricing = b.add_pricing(currencies=(code, code, code))
        route = b.add_route(code, rail="rail", corridor="inside", entry=entry, pricing=pricing)
        b.owe(route, "rail", debtor="bank", creditor="other")
        b.add_stream(code, entry=entry, corridor="inside", currency=code)
    return b.build()


def test_obligations_that_cannot_be_added_up_have_no_sum() -> None:
    plan = _two_currencies()
    found = net_obligations(plan, PositionFolder(plan))
    assert found is not None
    assert (found.ratio, found.peak) == (None, Amount(None, "KHR"))


def test_what_an_institution_owes_itself_nobody_owes() -> None:
    # Over "own" a bank is both operator and acquirer; over "way" it owes another 30 of 100 paid.
    b = PlanBuilder(horizon_us=100)
    entry = b.add_stage(Op.END, value=Outcome.COMPLETED, reason=0)
    for agent in ("bank", "other"):
        b.agents.add(agent)
    pricing = b.add_pricing(currencies=("USD", "USD", "USD"))
    for name, creditor in (("own", "bank"), ("way", "other")):
        route = b.add_route(name, rail="rail", corridor="inside", entry=entry, pricing=pricing)
        b.owe(route, "rail", debtor="bank", creditor=creditor)
    b.add_stream("all", entry=entry, corridor="inside", currency="USD")
    plan = b.build()
    folder = PositionFolder(plan)
    rows = np.zeros((2, RECORD_WIDTH), dtype=np.int64)
    rows[:, RecordColumn.OUTCOME] = Outcome.COMPLETED
    rows[:, RecordColumn.ROUTE] = 0, 1
    rows[:, RecordColumn.SETTLEMENT] = 70, 30
    folder.take(rows)
    assert folder.gross.sum() == 30
    assert folder.lowest.min() == -30
    found = net_obligations(plan, folder)
    assert found is not None
    # Nothing of the 30 cancels out; the deepest debt is all of it.
    assert (found.ratio, found.peak) == (0.0, Amount(30, "USD"))


@pytest.mark.parametrize(
    ("values", "total"),
    # Nothing was paid back in kip, or nothing at all: then nothing is missing.
    [((30, 0), 30), ((0, 0), 0), ((30, 40), None)],
)
def test_refunds_without_a_rate_have_no_sum(values: tuple[int, int], total: int | None) -> None:
    plan = _two_currencies()
    changed: Any = SimpleNamespace(
        refund=plan.refund + 1,
        names=plan.names,
        stream=plan.stream,
        rate=plan.rate,
        pair_scale=plan.pair_scale,
    )
    rows = np.array([[1, 0, 1, value] for value in values], dtype=np.int64)
    found = refunds_of(changed, SimpleNamespace(refund=rows), [0, 1])  # type: ignore[arg-type]
    assert found is not None
    assert found.amount == Amount(total, "KHR")
    assert found.payments == 2


def test_files_without_a_rate_have_no_sum() -> None:
    b = PlanBuilder(horizon_us=100)
    for code in ("KHR", "LAK"):
        pool, closed, paid = (b.add_account(f"{kind}:{code}", code) for kind in ("a", "b", "c"))
        b.add_line(
            f"line:{code}", rail="rail", agent="bank", payments=pool, closed=closed, paid_to=paid
        )
    plan = b.build()
    zeros = np.zeros(0, dtype=np.int64)
    owed: Any = SimpleNamespace(
        count=zeros, since_s=zeros, amount=zeros, came=zeros, worth=zeros.astype(float),
        conversion=np.array([-1, -1]), worth_at=lambda *_: zeros.astype(float),
    )  # fmt: skip
    totals: Any = SimpleNamespace(file=np.zeros((0, 3), dtype=np.int64))
    found = settled_of(plan, totals, owed)
    assert found is not None
    amounts = [value for value in vars_of(found) if isinstance(value, Amount)]
    assert amounts == [Amount(None, "KHR")] * 3


def vars_of(record: Any) -> list[object]:
    return [getattr(record, name) for name in record.__dataclass_fields__]


def test_bounds_of_a_system_are_by_currency() -> None:
    b = PlanBuilder(horizon_us=100)
    accounts = [b.add_account(f"{bank}:{code}", code) for code in ("LAK", "USD") for bank in "ab"]
    b.add_system("large", accounts=accounts)
    plan = b.build()
    rows = np.zeros((4, len(MemberTotal)), dtype=np.int64)
    # In kip a paid 70 and got 30, never more than 60 behind; in dollars nothing moved.
    rows[0, [MemberTotal.OUT, MemberTotal.IN, MemberTotal.NET_LOW]] = 70, 30, -60
    rows[1, [MemberTotal.OUT, MemberTotal.IN, MemberTotal.NET_LOW]] = 30, 70, 0
    found = system_measures(plan, SimpleNamespace(member=rows))  # type: ignore[arg-type]
    assert set(found) == {"large:LAK", "large:USD"}
    in_kip, in_dollars = found["large:LAK"], found["large:USD"]
    values = [int(one.value) for one in in_kip.values() if one.value and one.unit.startswith("min")]
    assert sorted(values) == [40, 60, 100]
    assert not any(one.value for one in in_dollars.values())


def test_of_no_shop_there_are_no_orders() -> None:
    plan = _two_currencies()
    none: Any = SimpleNamespace(shop=np.zeros((0, len(ShopTotal)), dtype=np.int64))
    assert orders_of(plan, none) is None


def test_orders_are_measured_by_what_they_are_of() -> None:
    # 8 taken of which 5 were released, seen 20 s late in all and 9 s at most; 24 calls.
    found = Ordered(
        orders=8, sold_out=1, released=5, expired=2, late=1, calls=24, throttled=3,
        seen_sum_us=20_000_000, seen_max_us=9_000_000, oversold=0,
    )  # fmt: skip
    group: Any = SimpleNamespace(ordered=found)
    values = {one.name: one.of(group) for one in ORDER_MEASURES}
    assert values["order_seen_mean"] == pytest.approx(4)
    assert values["order_seen_max"] == pytest.approx(9)
    assert values["polls_per_order"] == 3
    counts = ("orders", "orders_sold_out", "orders_released", "orders_expired", "orders_paid_late")
    assert [values[name] for name in counts] == [8, 1, 5, 2, 1]
    assert (values["polls_throttled"], values["oversold"]) == (3, 0)
    none: Any = SimpleNamespace(ordered=None)
    assert {one.of(none) for one in ORDER_MEASURES} == {None}


def test_arms_that_never_differ_have_no_variance_to_compare() -> None:
    # Equal values and equal arms: no luck at all, so nothing is gained by sharing it.
    assert compare_paired([2.0, 2.0, 2.0], [2.0, 2.0, 2.0]).variance_ratio == 0
    # b is a and one: with common luck nothing is left of a variance of 2 * 1.
    assert compare_paired([1.0, 2.0, 3.0], [2.0, 3.0, 4.0]).variance_ratio == pytest.approx(0)
    for a, b in (([1.0], [2.0]), ([1.0, 2.0], [1.0])):
        with pytest.raises(ValueError, match="as many, at least two"):
            compare_paired(a, b)


@pytest.mark.parametrize(("hits", "trials"), [(1, 0), (-1, 5), (6, 5)])
def test_a_share_is_of_something(hits: int, trials: int) -> None:
    with pytest.raises(ValueError, match=f"found {hits} of {trials}"):
        share_interval(hits, trials)


def test_arms_that_are_equal_to_the_last_digit_end_a_selection() -> None:
    rule = SelectionRule(indifference=1.0, probability=0.9, replications_max=100)
    found = select_best(
        ("b", "a", "c"), lambda _, arms: {arm: float(arm == "c") for arm in arms}, rule
    )
    # Of a and b, which are one and the same, the first by name.
    assert found.best == "a"
    for arms, indifference in ((("a",), 1.0), (("a", "b"), 0.0)):
        with pytest.raises(ValueError, match="two arms and an indifference above 0"):
            select_best(
                arms,
                lambda _, asked: dict.fromkeys(asked, 1.0),
                replace(rule, indifference=indifference),
            )


def test_what_an_earlier_version_did_not_know_has_a_place() -> None:
    known = Measure(7.0, "payments")
    places = {
        "rush": {"submitted": known},
        "rush/station/desk": {},
        "rush/station/ledger": {"blocks": known},
    }
    earlier = Summary("old", 1, "compiled", 1, "all", {}, {"window": places})
    by = complete(earlier).by["window"]
    assert by["rush"]["submitted"] == known
    # A place within a window is completed as a place, and a ledger there as a ledger.
    has = {name: ("success_rate" in one, "refused" in one, "rounds" in one)
           for name, one in by.items()}  # fmt: skip
    assert has == {
        "rush": (True, False, False),
        "rush/station/desk": (False, True, False),
        "rush/station/ledger": (False, False, True),
    }
