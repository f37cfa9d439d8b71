"""Policies and what bars routes, worked out by hand, in both engines and audited."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.audit.run import audit_log
from sim.compiler.builder import SERVERS_UNLIMITED, PlanBuilder
from sim.contract.layout import CERTAIN
from sim.contract.meaning import Flag, LogKind, Op, Outcome, Policy, Reason, WhenClosed
from sim.contract.plan import Array, Plan
from sim.contract.records import WORKLOAD_WIDTH, LogColumn, RecordColumn, WorkloadColumn
from sim.units import SECOND_US
from tests.equivalence.compared import run_both
from tests.theory.driver import load_text, run

S = SECOND_US


def two_routes(
    *,
    fail_over: int = 0,
    policy: Policy = Policy.PRIORITY,
    service_us: tuple[int, int] = (0, 0),
    both_down: bool = False,
    servers: int = SERVERS_UNLIMITED,
    **rule: int,
) -> Plan:
    """Return a plan of two routes over a station each; the first is down from 10 to 60 s."""
    b = PlanBuilder(horizon_us=100 * S, sample_interval_us=10 * S)
    stations = [
        b.add_station(
            "one.gate", servers=servers, when_closed=WhenClosed.REJECT, reason_closed=Reason.AB07
        ),
        b.add_station(
            "two.gate", servers=servers, when_closed=WhenClosed.REJECT, reason_closed=Reason.AB07
        ),
    ]
    number = b.rule(tuple(rule.items()))
    routes = []
    choose = b.add_stage(Op.ROUTE, "choose", purpose=b.purpose("tie"), reason=Reason.AG03)
    tables = [b.constant_table(us) for us in service_us]
    ends: list[tuple[int, int]] = []
    for station, table, name in zip(stations, tables, ("one", "two"), strict=True):
        entry = b.add_stage(
            Op.SERVE, f"{name}.serve", subject=station, table=table,
            purpose=b.purpose(f"{name}.serve"), cause=1, reason=Reason.AB06,
        )  # fmt: skip
        b.add_stage(Op.END, f"{name}.done", value=int(Outcome.COMPLETED), reason=0)
        ends.append((entry, entry))
        routes.append(
            b.add_route(
                name, rail=name, corridor="inside", entry=entry, rule=number,
                expected_us=2 * S if name == "one" else 3 * S, **{"class": -1},
            )
        )  # fmt: skip
    again = b.add_stage(
        Op.ROUTE, "again", flags=int(Flag.NEXT), purpose=b.purpose("tie"), reason=Reason.AG03
    )
    failed = b.add_stage(Op.END, "rejected", value=int(Outcome.REJECTED), reason=-1)
    b.set_stage(choose, target=failed)
    b.set_stage(again, target=failed)
    for entry, _ in ends:
        b.set_stage(entry, target=again)
    b.add_route_set("inside", routes, policy=int(policy), max_attempts=1 + fail_over)
    b.add_stream("customers", entry=choose, corridor="inside", currency="KHR")
    b.close_station(stations[0], 10 * S, 60 * S)
    if both_down:
        b.close_station(stations[1], 10 * S, 60 * S)
    return b.build()


def one_a_second(count: int = 100) -> Array:
    workload = np.zeros((count, WORKLOAD_WIDTH), dtype=np.int64)
    workload[:, [WorkloadColumn.DEBTOR_AGENT, WorkloadColumn.CREDITOR_AGENT]] = -1
    workload[:, WorkloadColumn.TIME_US] = np.arange(count) * S
    workload[:, WorkloadColumn.ORDINAL] = np.arange(count)
    workload[:, WorkloadColumn.AMOUNT] = 100
    return workload


def outcomes(plan: Plan) -> tuple[list[int], list[int]]:
    """Return which payments failed, and the route every payment was put on first."""
    kept = run_both(plan, one_a_second())
    report = audit_log(plan, [kept.log], [kept.record], kept.totals)
    assert report.violations == ()
    order = kept.record[np.argsort(kept.record[:, RecordColumn.PAYMENT])]
    failed = np.flatnonzero(order[:, RecordColumn.OUTCOME] != Outcome.COMPLETED).tolist()
    rows = kept.log[kept.log[:, LogColumn.KIND] == LogKind.ROUTE]
    first = {}
    for row in rows.tolist():
        first.setdefault(row[LogColumn.PAYMENT], row[LogColumn.SUBJECT])
    return failed, [first[payment] for payment in sorted(first)]


BREAKER = {"failures": 5, "window": 10, "open_us": 30 * S}


def test_fixed_priority_loses_who_comes_while_the_first_route_is_down() -> None:
    # Down from 10 to 60 s: the payments of 10, 11, ..., 59 s, fifty of them.
    failed, first = outcomes(two_routes())
    assert failed == list(range(10, 60))
    assert set(first) == {0}


def test_a_breaker_loses_five_and_one_probe() -> None:
    # 10 to 14 fail: five of the last ten, so it opens at 14. 30 s later, at 44, one probes and
    # fails, so it stays open until 74, whose probe succeeds: 75 and later take it again.
    failed, first = outcomes(two_routes(**BREAKER))
    assert failed == [10, 11, 12, 13, 14, 44]
    assert [at for at in range(100) if first[at] == 0] == [
        *range(15), 44, 74, *range(75, 100),
    ]  # fmt: skip


def test_with_one_fail_over_a_breaker_loses_nobody() -> None:
    failed, first = outcomes(two_routes(fail_over=1, **BREAKER))
    assert failed == []
    assert [at for at in range(10, 75) if first[at] == 0] == [10, 11, 12, 13, 14, 44, 74]


def test_news_that_comes_with_samples_is_late() -> None:
    # Samples at 10, 20, 30, ... s, each behind the payment of its instant. It opens at 14, which is
    # seen at 20 only: 15 to 20 take it still, each a probe that fails and opens it anew, the last
    # at 20. So it bars until 50, whose probe fails, and until 80, whose probe succeeds; the sample
    # of 80 shows that: 81 and later take it again.
    failed, first = outcomes(two_routes(sampled=1, **BREAKER))
    assert failed == [*range(10, 21), 50]
    assert [at for at in range(51, 100) if first[at] == 0] == list(range(80, 100))


def test_learning_goes_an_eighth_of_the_way() -> None:
    # Route one takes 3, 5, 1 s in turn ... here by three plans of one service time each; the worked
    # figures: S = 3 000 ms, then 3 000 + (5 000 - 3 000 >> 3) = 3 250, then 3 250 + (1 000 - 3 250
    # >> 3) = 3 250 - 282 (281.25 rounded down) = 2 968.
    assert 3_000 + ((5_000 - 3_000) >> 3) == 3_250
    assert 3_250 + ((1_000 - 3_250) >> 3) == 2_968
    # Route one is expected to take 2 s and takes 4; route two is expected to take 3. The first
    # payment takes one and ends at 4 s: until then one is the better (2 s), from 4 s on S = 4 s and
    # two, of which nothing is learnt, is expected to take 3 s: the payments of 4 s and later
    # (completions come before submissions) take two, whose S is 0.5 s from 4.5 s on.
    plan = two_routes(
        policy=Policy.ADAPTIVE, service_us=(4 * S, S // 2), learns=1, penalty_us=60 * S
    )
    failed, first = outcomes(plan)
    assert first[:4] == [0, 0, 0, 0]
    assert set(first[4:]) == {1}
    assert failed == []


def test_exploring_always_takes_either_alike() -> None:
    plan = two_routes(
        policy=Policy.ADAPTIVE, service_us=(S // 2, S // 2), learns=1, penalty_us=60 * S,
        explore=CERTAIN,
    )  # fmt: skip
    _, first = outcomes(plan)
    # A toss each: 100 of them, within four standard errors (5) of 50.
    assert abs(sum(first) - 50) <= 20


PRICED = """
scenario: priced
clock: {start: 2025-09-17T00:00:00+07:00, horizon: 60 s}
seed: 1
rails:
  dear:
    kind: generic
    operator: bank
    stations: {desk: {}}
    stages: [{name: work, serve: desk, time: 2 s}]
    fees: {service: {component: service, proportional: 1.14 %}}
  slow:
    kind: generic
    operator: bank
    stations: {desk: {}}
    stages: [{name: work, serve: desk, time: 3 s}]
    fees: {service: {component: service, proportional: 0.75 %}}
institutions: {bank: {country: KH, roles: [issuer, acquirer]}}
corridors:
  inside:
    from: {country: KH, currency: KHR}
    to: {country: KH, currency: KHR}
    rails: [dear, slow]
demand:
  customers: {corridor: inside, payments: [{at: 1 s, amount: 1 000 000}]}
routing: ROUTING
"""


def chosen(folder: Path, text: str, engine: str, stream: str = "customers") -> list[str]:
    """Return the routes of a stream's payments, in order."""
    ran = run(load_text(folder, text), engine)
    names = ran.plan.names
    rows = ran.records[np.argsort(ran.records[:, RecordColumn.PAYMENT])]
    return [
        names.routes[row[RecordColumn.ROUTE]].split("/")[1]
        for row in rows.tolist()
        if names.streams[row[RecordColumn.STREAM]] == stream
    ]


@pytest.mark.parametrize("engine", ["reference", "compiled"])
@pytest.mark.parametrize(
    ("routing", "route"),
    [
        # slow costs 75 bps and takes 3 s, dear costs 114 bps and takes 2 s.
        ("{policy: cheapest}", "slow"),
        ("{policy: fastest}", "dear"),
        ("{policy: fastest, cost_at_most: 100 bps}", "slow"),
        ("{policy: fastest, cost_at_most: 120 bps}", "dear"),
        # At the bound is within it.
        ("{policy: fastest, cost_at_most: 114 bps}", "dear"),
        ("{policy: fastest, cost_at_most: 113.9 bps}", "slow"),
        ("{policy: cheapest, time_at_most: 2.5 s}", "dear"),
        ("{policy: cheapest, time_at_most: 3 s}", "slow"),
        # All barred: as if none were.
        ("{policy: fastest, cost_at_most: 50 bps}", "dear"),
        # 75 bps + 3 s x 40 bps = 195; 114 + 2 x 40 = 194.
        ("{policy: weighted, second_is_worth: 40 bps}", "dear"),
        # 75 + 3 x 38 = 189; 114 + 2 x 38 = 190.
        ("{policy: weighted, second_is_worth: 38 bps}", "slow"),
    ],
)
def test_what_a_route_costs_and_takes_decides(
    tmp_path: Path, engine: str, routing: str, route: str
) -> None:
    assert chosen(tmp_path, PRICED.replace("ROUTING", routing), engine) == [route]


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_a_corridor_may_choose_in_its_own_way(tmp_path: Path, engine: str) -> None:
    text = PRICED.replace("ROUTING", "{policy: cheapest}")
    own = text.replace(
        "    rails: [dear, slow]", "    rails: [dear, slow]\n    routing: {policy: fastest}"
    )
    assert chosen(tmp_path, text, engine) == ["slow"]
    assert chosen(tmp_path, own, engine) == ["dear"]


SPARING = """
scenario: sparing
extends: MINIMAL
clock: {start: 2025-09-17T12:00:00+07:00, horizon: 60 s}
institutions:
  lotus_bank:
    country: KH
    roles: [issuer, acquirer, settlement_agent, fx_provider]
    name: Lotus Bank
    bakong_id: lots
rails:
  alipay_plus:
    settlement_agents:
      river_bank: {prefunding: river_khr_for_alipay}
      lotus_bank: {prefunding: lotus_khr_for_alipay}
accounts:
  river_khr_for_alipay: {balance: 40 000, reserve: 25 000}
  lotus_khr_for_alipay: {owner: lotus_bank, at: bakong, currency: KHR, balance: 900 000}
demand:
  domestic: null
  outbound: null
  inbound: {payments: [{at: 1 s, amount: AMOUNT}]}
routing: {policy: priority, order: [cn_kh/alipay_plus.river_bank], spare_reserves: SPARE}
"""


@pytest.mark.parametrize("engine", ["reference", "compiled"])
@pytest.mark.parametrize(
    ("amount", "spare", "agent"),
    [
        # 40 000 are left and 25 000 are to stay: 10 000 leave 30 000, 15 000 just 25 000.
        ("10 000", "true", "river_bank"),
        ("15 000", "true", "river_bank"),
        # 20 000 would leave 20 000, so they are paid elsewhere; without the rule here.
        ("20 000", "true", "lotus_bank"),
        ("20 000", "false", "river_bank"),
    ],
)
def test_a_reserve_is_spared_while_another_route_is_left(
    tmp_path: Path, engine: str, amount: str, spare: str, agent: str
) -> None:
    text = SPARING.replace("AMOUNT", amount).replace("SPARE", spare)
    assert chosen(tmp_path, text, engine, "inbound") == [f"alipay_plus.{agent}"]
