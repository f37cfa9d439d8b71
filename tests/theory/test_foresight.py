"""Oracles and the regret of those who are none, worked out by hand, in both engines and audited."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.contract.meaning import LogKind, Outcome
from sim.contract.policies import FORESEEN_FAILS, Policy
from sim.contract.records import LogColumn, RecordColumn
from sim.policies import forget, register
from sim.units import SECOND_US
from tests.equivalence.compared import Kept, run_both
from tests.theory.test_own_policy import ran, text_of
from tests.theory.test_policies import BREAKER, one_a_second, outcomes, two_routes

S = SECOND_US
RIEL = 100


def narrow(text: str) -> str:
    """Return a scenario whose desks have one server each."""
    return text.replace("desk: {}", "desk: {servers: 1}")


def cost_bps(kept: Kept) -> list[int]:
    """Return what payers paid in fees, in millionths of what was debited, by payment."""
    rows = kept.record[np.argsort(kept.record[:, RecordColumn.PAYMENT])]
    fees, debited = rows[:, RecordColumn.PAYER_FEE], rows[:, RecordColumn.DEBITED]
    both = zip(fees.tolist(), debited.tolist(), strict=True)
    return [fee * 1_000_000 // amount for fee, amount in both]


def test_an_oracle_of_time_knows_that_a_route_is_down_and_when_it_is_back() -> None:
    # One payment a second; route one takes 0.5 s and is down from 10 to 60 s, two takes 0.75 s.
    # Nobody is lost, as everybody sees beforehand over which route it fails: those of 10 to 59 s
    # take two, everybody else one.
    plan = two_routes(policy=Policy.ORACLE_TIME, service_us=(S // 2, 3 * S // 4))
    failed, first = outcomes(plan)
    assert failed == []
    assert first == [0] * 10 + [1] * 50 + [0] * 40
    # A control: who knows nothing loses fifty, a breaker loses six.
    assert len(outcomes(two_routes())[0]) == 50
    assert len(outcomes(two_routes(**BREAKER))[0]) == 6


def test_an_oracle_of_time_counts_who_is_before_it() -> None:
    # One server each: one takes 3 s, two takes 4.5 s; a payment a second, at 0, 1, 2, ...
    # 0 s: one 3, two 4.5: one, free at 3.   1 s: one 3-1+3 = 5, two 4.5: two, free at 5.5.
    # 2 s: one 3-2+3 = 4, two 5.5-2+4.5 = 8: one, free at 6.
    # 3 s: one 6-3+3 = 6, two 5.5-3+4.5 = 7: one, free at 9.
    # 4 s: one 9-4+3 = 8, two 5.5-4+4.5 = 6: two, free at 10.
    # 5 s: one 9-5+3 = 7, two 10-5+4.5 = 9.5: one, free at 12.
    plan = two_routes(policy=Policy.ORACLE_TIME, service_us=(3 * S, 9 * S // 2), servers=1)
    _, first = outcomes(plan)
    assert first[:6] == [0, 1, 0, 0, 1, 0]


def test_what_is_foreseen_is_written_down(tmp_path: Path) -> None:
    # slow: 3 s, 0.75 % of 1 000 000 riel; dear: 2 s, 1.14 %.
    _, routes, scores = ran(tmp_path, text_of("{policy: oracle_cost}", count=1))
    assert (routes, scores) == (["slow"], [7_500 * RIEL])
    kept, routes, scores = ran(tmp_path, text_of("{policy: oracle_time}", count=1))
    assert (routes, scores) == (["dear"], [2 * S])
    # It came to pass: nobody was submitted later.
    assert kept.record[0, RecordColumn.END_US] == 1 * S + 2 * S


def test_bars_hold_for_an_oracle(tmp_path: Path) -> None:
    _, routes, _ = ran(tmp_path, text_of("{policy: oracle_time, cost_at_most: 1 %}", count=1))
    assert routes == ["slow"]


def test_who_is_submitted_later_is_not_foreseen(tmp_path: Path) -> None:
    # Both have one server. At 1 s slow is foreseen to take 3 s, dear 2: dear, until 3 s. At 2 s
    # dear takes 1 + 2 = 3 s, slow 3: equal, the first candidate, slow, or by shares dear. So of
    # the payment of 1 s nobody's later choice is part of what is foreseen.
    kept, routes, scores = ran(tmp_path, narrow(text_of("{policy: oracle_time}", count=2)))
    assert (routes[0], scores) == ("dear", [2 * S, 3 * S])
    ended = kept.record[np.argsort(kept.record[:, RecordColumn.PAYMENT]), RecordColumn.END_US]
    assert ended.tolist() == [3 * S, 5 * S]


def test_without_failures_at_constant_prices_cheapest_has_no_regret(tmp_path: Path) -> None:
    mine, routes, _ = ran(tmp_path, text_of("{policy: cheapest}", count=40))
    best, foreseen, _ = ran(tmp_path, text_of("{policy: oracle_cost}", count=40))
    assert routes == foreseen == ["slow"] * 40
    assert cost_bps(mine) == cost_bps(best)
    assert np.array_equal(np.sort(mine.record, axis=0), np.sort(best.record, axis=0))
    # A control: fastest pays 39 bps more for those it puts on dear.
    other, routes, _ = ran(tmp_path, text_of("{policy: fastest}", count=40))
    regret = sum(cost_bps(other)) - sum(cost_bps(best))
    assert regret == 3_900 * routes.count("dear") > 0


def test_who_tosses_between_two_routes_regrets_half_of_their_difference(tmp_path: Path) -> None:
    # 114 - 75 = 39 bps for every other payment: 19.5 bps. 50 payments, each a fair toss, so the
    # mean is 19.5 with a standard error of 19.5 / sqrt(50) = 2.76; within four of them.
    toss = "{policy: adaptive, explore: 100 %, failure_takes: 1 min}"
    mine, routes, _ = ran(tmp_path, text_of(toss, count=50))
    best, _, _ = ran(tmp_path, text_of("{policy: oracle_cost}", count=50))
    regret = [(a - b) / 100 for a, b in zip(cost_bps(mine), cost_bps(best), strict=True)]
    assert set(regret) == {0.0, 39.0}
    assert sum(regret) / 50 == 39 * routes.count("dear") / 50
    assert abs(sum(regret) / 50 - 19.5) <= 4 * 19.5 / 50**0.5


CROWD = """
scenario: crowd
clock: {start: 2025-09-17T00:00:00+07:00, horizon: 120 s}
seed: 1
rails:
  near:
    kind: generic
    stations: {desk: {servers: 1}}
    stages: [{name: work, serve: desk, time: 4 s}]
  far:
    kind: generic
    stations: {desk: {servers: 60}}
    stages: [{name: work, serve: desk, time: 12 s}]
corridors:
  inside: {from: {country: KH, currency: KHR}, to: {country: KH, currency: KHR}, rails: [near, far]}
demand: {customers: {corridor: inside, payments: [PAYMENTS]}}
routing: {policy: POLICY}
"""


def mean_s(folder: Path, policy: str) -> float:
    payments = ", ".join(f"{{at: {at} s, amount: 1}}" for at in range(40))
    kept, _, _ = ran(folder, CROWD.replace("PAYMENTS", payments).replace("POLICY", policy))
    assert (kept.record[:, RecordColumn.OUTCOME] == Outcome.COMPLETED).all()
    took = kept.record[:, RecordColumn.END_US] - kept.record[:, RecordColumn.SUBMITTED_US]
    return float(took.mean()) / S


def test_regret_can_be_negative_under_congestion(tmp_path: Path) -> None:
    # A payment a second for 40 s; near serves one every 4 s, far anybody in 12 s. Everybody for
    # itself takes near until the wait makes it 12 s: the queue of near stays long and near is no
    # better than far. Who leaves near alone until it is free does better for all.
    # The policy `mine` takes near when nobody is under way there.
    def hear(heard, memory, settings):  # type: ignore[no-untyped-def]
        memory[0] += 1 if heard.event == 0 else -1

    def near_when_free(route, memory, settings):  # type: ignore[no-untyped-def]
        if route.expected_us > 4_000_000:
            return route.expected_us
        return memory[0] * 12_000_001

    register("mine", near_when_free, hear=hear, memory=1)
    try:
        selfish, patient = mean_s(tmp_path, "oracle_time"), mean_s(tmp_path, "mine")
    finally:
        forget("mine")
    # Patient: one in four takes near without a wait, 4 s; three take far, 12 s: 10 s on average.
    assert patient == pytest.approx((10 * 4 + 30 * 12) / 40)
    # Selfish: worse for all, though each choice was the best there was.
    assert patient - selfish < 0


def test_who_sees_that_all_fail_says_so() -> None:
    # Both are closed from 10 to 60 s: nothing helps.
    plan = two_routes(policy=Policy.ORACLE_TIME, both_down=True)
    failed, first = outcomes(plan)
    assert failed == list(range(10, 60))
    # Equally bad, so one is drawn by their shares.
    assert set(first[10:60]) == {0, 1}


def test_scores_of_failures_are_the_same_in_the_log() -> None:
    kept = run_both(two_routes(policy=Policy.ORACLE_TIME, both_down=True), one_a_second())
    rows = kept.log[kept.log[:, LogColumn.KIND] == LogKind.ROUTE]
    found = rows[:, LogColumn.AMOUNT].tolist()
    assert found == [0] * 10 + [FORESEEN_FAILS] * 50 + [0] * 40
