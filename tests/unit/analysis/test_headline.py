"""Page one tells the truth: what is late is no success, and what is owed is what stands.

Instants and amounts of the minimal scenario are worked out by hand in ``tests/theory``: the payment
going out is submitted at 3 s, and 2 804 900 minor units of riel leave its payer at 8.7 s.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sim.analysis.places import net_obligations
from sim.analysis.sources import Amount, Netting
from sim.analysis.summary import Summary
from sim.compiler.compile import compile_scenario
from sim.contract.layout import NULL, PricingColumn, RouteColumn, StreamColumn
from sim.contract.meaning import Outcome
from sim.contract.plan import Array, Plan, PlanNames
from sim.contract.records import RECORD_WIDTH, RecordColumn
from sim.scenario.scenario import load_scenario
from sim.study.case import RunOptions
from sim.study.run import run_replication
from sim.tables.positions import PositionFolder
from tests.support.loads import MINIMAL

R = RecordColumn
OUTBOUND = ("demand.inbound=null", "demand.domestic=null")
STUCK = (
    *OUTBOUND,
    "rails.unionpay.debit_first=true",
    "accounts.river_cny_at_unionpay={balance: 40, when_short: queue}",
    "clock.horizon=10 min",
)
"""One payment of 50 yuan whose agent has 40: debited first, it waits until the order ends."""

pytestmark = pytest.mark.parametrize("engine", ["reference", "compiled"])


def _summary(engine: str, *changes: str) -> Summary:
    compiled = compile_scenario(load_scenario(MINIMAL, changes))
    return run_replication(compiled, RunOptions(engine, "none")).summary


def _values(summary: Summary, *names: str) -> list[float | int | None]:
    return [summary[name].value for name in names]


def test_money_that_left_and_did_not_arrive_is_told(engine: str) -> None:
    found = _summary(engine, *STUCK)
    assert _values(found, "in_progress", "debited_not_credited") == [1, 1]
    assert found["debited_not_credited_minor"].value == 2_804_900
    assert found["debited_not_credited_minor"].unit == "minor KHR"
    # Debited at 8.7 s, and the run ends at 600.
    assert found["debited_not_credited_oldest"].value == 600 - 8.7
    assert found.by["corridor"]["kh_cn"]["debited_not_credited"].value == 1
    assert found.by["agent"]["river_bank"]["debited_not_credited"].value == 1


@pytest.mark.parametrize(
    ("promise", "in_time", "success"),
    [
        # The order lives for 14 min, and the payment is 597 s old: nobody knows yet.
        ((), 1, None),
        # Promised within 5 min, or the payer's institution gives up after 5 min: it has failed.
        (("corridors.kh_cn.promise=5 min",), 0, 0.0),
        # At 597 s exactly it is no younger than the promise.
        (("corridors.kh_cn.promise=597 s",), 0, 0.0),
        (("corridors.kh_cn.promise=598 s",), 1, None),
    ],
)
def test_what_is_open_beyond_the_promise_is_no_success(
    engine: str, promise: tuple[str, ...], in_time: int, success: float | None
) -> None:
    found = _summary(engine, *STUCK, *promise)
    assert found["open_in_time"].value == in_time
    for name in ("success_rate", "within_10s", "within_60s", "within_1h", "within_1d"):
        assert found[name].value == success, name
    assert found.g20["within_1h"].is_met is (None if success is None else False)


def test_once_it_came_back_nothing_is_held_and_nothing_is_owed(engine: str) -> None:
    found = _summary(engine, *STUCK, "clock.horizon=1 h")
    assert _values(found, "returned", "debited_not_credited", "success_rate") == [1, 0, 0.0]
    assert found["debited_not_credited_minor"].value == 0
    assert found["debited_not_credited_oldest"].value is None
    assert _values(found, "netting_ratio", "exposure_peak_minor") == [None, 0]


def test_a_payment_that_arrived_is_owed_by_its_agent(engine: str) -> None:
    found = _summary(engine, *OUTBOUND)
    assert _values(found, "completed", "success_rate", "within_10s") == [1, 1.0, 1.0]
    # River Bank owes the acquirer 50.00 yuan; one debt cancels nothing.
    assert found["exposure_peak_minor"].value == 5_000
    assert found["exposure_peak_minor"].unit == "minor CNY"
    assert found["netting_ratio"].value == 0.0


def test_a_payment_waiting_to_be_told_has_arrived(engine: str) -> None:
    # Credited at 9.5 s, told at 9.8: cut off between, and promised within 5 s.
    found = _summary(engine, *OUTBOUND, "clock.horizon=9.6 s", "corridors.kh_cn.promise=5 s")
    assert _values(found, "in_progress", "open_in_time", "success_rate") == [1, 1, None]
    assert found["debited_not_credited"].value == 0


def test_what_no_route_supports_is_not_payable(engine: str) -> None:
    # Half the merchants abroad show codes that the only app here cannot read; number 2 is one.
    found = _summary(
        engine,
        *OUTBOUND,
        "rails.unionpay.schemes=[unionpay]",
        "corridors.kh_cn.foreign_codes.merchants=10",
        "corridors.kh_cn.foreign_codes.schemes={unionpay: 50 %, wechat_pay: 50 %}",
        "demand.outbound.payments=[{at: 3 s, amount: 50, merchant: 0},"
        " {at: 30 s, amount: 50, merchant: 2}]",
    )
    assert _values(found, "completed", "rejected", "not_payable") == [1, 0, 1]
    assert found["success_rate"].value == 0.5
    assert found.by["reason"]["AG03"]["not_payable"].value == 1
    assert found.by["reason"]["AG03"]["rejected"].value == 0


def test_a_domestic_ledger_leaves_nothing_owing(engine: str) -> None:
    found = _summary(engine, "demand.inbound=null", "demand.outbound=null")
    assert found["completed"].value == 1
    assert _values(found, "netting_ratio", "exposure_peak_minor") == [None, None]


def test_the_promise_is_that_of_the_corridor(engine: str) -> None:
    def promises(*changes: str) -> dict[str, int]:
        plan = compile_scenario(load_scenario(MINIMAL, changes)).plan
        return dict(
            zip(plan.names.streams, plan.stream[:, StreamColumn.PROMISE_US].tolist(), strict=True)
        )

    # An order lives for 14 min; the ledger sets no bound, so Nexus' 60 s count.
    life, default = 840_000_000, 60_000_000
    assert promises() == {"domestic": default, "inbound": life, "outbound": life}
    changed = promises(
        "corridors.cn_kh.time_out=40 s",
        "corridors.kh_cn.time_out=40 s",
        "corridors.kh_cn.promise=2 min",
    )
    assert changed == {"domestic": default, "inbound": 40_000_000, "outbound": 120_000_000}
    assert engine


def _owing(obligations: list[tuple[int, int, int, int]], currencies: tuple[int, ...]) -> Plan:
    """Return a plan of routes in some settlement currency, and who owes whom over each."""
    plan, routes = Plan.empty(), len(currencies)
    route = np.zeros((routes, len(RouteColumn)), dtype=np.int64)
    route[:, RouteColumn.PRICING] = range(routes)
    pricing = np.zeros((routes, len(PricingColumn)), dtype=np.int64)
    pricing[:, PricingColumn.CURRENCY_SETTLEMENT] = currencies
    names = PlanNames(currencies=("CNY", "USD"), rails=("one", "two"), agents=("a", "b", "c"))
    return replace(
        plan,
        names=names,
        route=route,
        pricing=pricing,
        obligation=np.array(obligations, dtype=np.int64),
        stream=np.zeros((1, len(StreamColumn)), dtype=np.int64),
        agent_account=np.zeros((3, 1), dtype=np.int64),
    )


def _rows(*payments: tuple[int, int, Outcome]) -> Array:
    rows = np.full((len(payments), RECORD_WIDTH), NULL, dtype=np.int64)
    rows[:, R.STREAM] = 0
    for at, (route, amount, outcome) in enumerate(payments):
        rows[at, [R.ROUTE, R.SETTLEMENT, R.OUTCOME, R.SETTLED_US]] = route, amount, outcome, 1
    return rows


def _netting(plan: Plan, *chunks: Array) -> Netting | None:
    folder = PositionFolder(plan)
    for rows in chunks:
        folder.take(rows)
    return net_obligations(plan, folder)


DONE, BACK, OPEN = Outcome.COMPLETED, Outcome.RETURNED, Outcome.IN_PROGRESS


def test_only_what_stands_is_owed(engine: str) -> None:
    plan = _owing([(0, 0, 0, 1)], (0,))
    # Five payments of 10 yuan that came back: nothing. Five that wait: nothing. Five done: 50.
    for outcome, ratio, peak in ((BACK, None, 0), (OPEN, None, 0), (DONE, 0.0, 5_000)):
        found = _netting(plan, _rows(*[(0, 1_000, outcome)] * 5))
        assert found == Netting(ratio, Amount(peak, "CNY")), outcome
    assert engine


def test_only_obligations_of_one_scheme_and_currency_cancel_out(engine: str) -> None:
    # a owes b 100 over route 0 of the first scheme. b owes a 100 over route 1, of the same scheme,
    # of the other (2), and of the first in dollars (3).
    plan = _owing([(0, 0, 0, 1), (1, 0, 1, 0), (2, 1, 1, 0), (3, 0, 1, 0)], (0, 0, 0, 1))
    there = _rows((0, 10_000, DONE))
    one = _netting(replace(plan, obligation=plan.obligation[:3]), there, _rows((1, 10_000, DONE)))
    # Net 0 of gross 200; a's debt stood at 100 in between.
    assert one == Netting(1.0, Amount(10_000, "CNY"))
    other = _netting(replace(plan, obligation=plan.obligation[:3]), there, _rows((2, 10_000, DONE)))
    assert other == Netting(0.0, Amount(10_000, "CNY"))
    # In dollars, worth 7 yuan each: nothing cancels out, and the deepest debt is b's 100 dollars.
    rate = replace(plan.names, pairs=("USD/CNY",))
    dollars = replace(plan, names=rate, rate=np.array([[7]]), pair_scale=np.array([1]))
    found = _netting(dollars, there, _rows((3, 10_000, DONE)))
    assert found == Netting(0.0, Amount(10_000, "USD"))
    assert engine


def test_a_path_over_two_schemes_leaves_two_debts(engine: str) -> None:
    # a owes b in the first scheme, b owes c in the second, 30 each; then c owes b 10 in the second.
    plan = _owing([(0, 0, 0, 1), (0, 1, 1, 2), (1, 1, 2, 1)], (0, 0))
    found = _netting(plan, _rows((0, 30, DONE), (1, 10, DONE)))
    # Gross 70; net a 30 in the first and b 20 in the second: 1 - 50 / 70.
    assert found is not None
    assert found.ratio == pytest.approx(20 / 70)
    assert found.peak == Amount(30, "CNY")
    assert engine


def test_a_request_nobody_has_answered_is_told(engine: str) -> None:
    """The order's life ends at 848.7 s, the gateway answers at 1 208.9: between them it is open."""
    late = (*OUTBOUND, "rails.unionpay.authorisation_time=1200 s")
    found = {
        end: _summary(engine, *late, f"clock.horizon={end} s") for end in (840, 900, 1_200, 3_600)
    }
    assert [_values(one, "in_progress", "in_doubt") for one in found.values()] == [
        [1, 0],
        [1, 1],
        [1, 1],
        [0, 0],
    ]
    assert found[900].by["corridor"]["kh_cn"]["in_doubt"].value == 1
