"""NPCI's storm of 12 April 2025, predicted from stated parameters and held against what was told.

Told (NPCI's root cause analysis, as Moneycontrol reported it in April 2025): from 11:40 to 16:40
India Standard Time payments succeeded in about 50 % of cases for two hours and in about 80 % for
three; banks flooded the switch with "Check Transaction", repeatedly and without waiting; asked to
stop at 16:00, they were stopped by a fix of the switch at 16:15, and all was normal at 16:40.

Stated, and nothing else (capacity and number of polls are not published): the switch of
``test_retry_storm``, 1 000 a second for 200 payments a second and their polls, one every 2 s (from
1.5 to 2.5, as no two banks keep step) while the payment is open; the limit of a response before 16
June 2025, 30 s (calibration: timeouts.upi_pay, "30 s before"); and a queue no longer than the
switch can answer within it, 30 x 1 000. It begins with what a bank's outage of 5 min leaves. Rates
are a twentieth here.

Worked out: a share ``a`` of all that comes is admitted, waits 30 s and polls 14.5 times meanwhile
(30 / 2, less half a poll, as the first comes 2 s after the payment), so ``A = 200 (1 + 14.5 a)``
come a second and ``a = 1000 / A``: A^2 - 200 A - 2 900 000 = 0, A = 1 806, and 55.4 % succeed. Told
were about 50 %: 5 points less, at the edge of what was allowed and half a point beyond it. The
storm feeds itself for ever, whatever the hour: the 80 % of the later hours are not predicted, since
nobody has told what changed at 13:40. Once polls are stopped everybody is admitted at once, and the
queue drains at 1 000 - 200 a second: 30 000 / 800 = 37.5 s, and not 25 min; what a roll-out over
hundreds of banks takes is in none of the parameters. The misses are asserted here, so that a change
that mends them does not go unseen. (Polls in exact step, every 2.000 s, would find the places their
predecessors left in the even rhythm of the switch, crowd out payments, and leave them 48 %: nearer
to what was told, and for no reason there was in April.)
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
import pytest

from sim.compiler.builder import PlanBuilder
from sim.contract.meaning import Cause, Flag, Op, Outcome, Reason, WhenClosed
from sim.contract.plan import Array, Plan
from sim.contract.records import WORKLOAD_WIDTH, WorkloadColumn
from sim.contract.records import RecordColumn as C
from sim.draws.keys import stream_key
from sim.draws.lookup import draw62_many, quantile_many
from sim.draws.quantile import build_table
from tests.theory.driver import ENGINES, Recorder

SECOND = 1_000_000
HOUR = 3600 * SECOND
SWITCH, COMES, EVERY_S, LIMIT_S = 1_000, 200, 2, 30
SHARE = 20
"""Rates are this part of the stated ones; times stay what they are."""
SEED = 20_250_412


@dataclass(frozen=True)
class Storm:
    """What is asked of a storm: how long it lasts, and what is done about polls."""

    horizon_us: int
    stop_us: int = 0
    """From when on the switch turns polls away at the door; 0: never."""
    most: int = 10_000
    first_s: int = EVERY_S
    outage: bool = True
    share: int = SHARE

    def plan(self) -> Plan:
        b = PlanBuilder("april", horizon_us=self.horizon_us, seed=SEED)
        rate = SWITCH // self.share
        switch = b.add_station(
            "upi.switch", rate_count=rate, rate_period_us=SECOND, queue_limit=LIMIT_S * rate
        )
        bank = b.add_station("upi.bank")
        door = b.add_station("upi.door", when_closed=WhenClosed.REJECT)
        none = b.constant_table(0)
        first = self._polls(b, switch, door)
        entry = b.next_stage
        served = {"table": none, "cause": Cause.SERVICE, "reason": Reason.MS03}
        at_bank = b.add_stage(Op.SERVE, "bank", subject=bank, purpose=b.purpose("bank"), **served)
        limit = b.add_stage(Op.DEADLINE, "limit", value=LIMIT_S * SECOND + 1, reason=Reason.AB05)
        b.add_stage(Op.INQUIRE, "polls", subject=first)
        paid = b.add_stage(Op.SERVE, "switch", subject=switch, purpose=b.purpose("pay"), **served)
        b.add_stage(Op.END, "completed", value=Outcome.COMPLETED, reason=Reason.NONE)
        failed = b.add_stage(Op.END, "failed", value=Outcome.REJECTED, reason=-1)
        for stage in (at_bank, limit, paid):
            b.set_stage(stage, target=failed)
        b.add_stream("paid", entry=entry, corridor="c", currency="INR")
        if self.outage:
            b.close_station(bank, 100 * SECOND, 400 * SECOND)
        if self.stop_us:
            b.close_station(door, self.stop_us, self.horizon_us)
        return b.build()

    def _polls(self, b: PlanBuilder, switch: int, door: int) -> int:
        """Add a chain of polls; return its first stage."""
        again = b.table("uniform", {"low": 1.5 * SECOND, "high": 2.5 * SECOND})
        first = again if self.first_s == EVERY_S else b.constant_table(self.first_s * SECOND)
        none = b.constant_table(0)
        refused: list[int] = []
        entries = []
        for number, wait in enumerate((first, again)):
            entries.append(
                b.add_stage(
                    Op.TRANSIT, f"wait {number}", table=wait,
                    purpose=b.purpose("wait"), cause=Cause.TRANSIT,
                )
            )  # fmt: skip
            b.add_stage(Op.ASK, f"ask {number}", value=self.most)
            for place in (door, switch):
                refused.append(
                    b.add_stage(
                        Op.SERVE, "asks", subject=place, table=none, purpose=b.purpose("asks"),
                        cause=Cause.SERVICE, reason=Reason.MS03,
                    )
                )  # fmt: skip
            b.add_stage(Op.ANSWER, "answer", value=1, flags=Flag(0))
        turned_away = b.add_stage(Op.ANSWER, "turned away", value=0)
        for stage in refused:
            b.set_stage(stage, target=turned_away)
        for entry in entries:
            # Whoever asked asks again two seconds later.
            b.set_stage(entry + 1, subject=entries[1])
        return entries[0]

    def workload(self) -> Array:
        """Return payments that come as they come, at the stated rate."""
        rate = COMES / self.share
        count = int(self.horizon_us / SECOND * rate * 1.05) + 100
        gaps = np.empty(count, dtype=np.int64)
        key = np.array(stream_key(SEED, 0, "payment", "arrivals"), dtype=np.int64)
        draw62_many(key, 0, count, 1, 0, gaps)
        quantile_many(build_table("exponential", {"mean": SECOND / rate}), 0, gaps, gaps)
        rows = np.zeros((count, WORKLOAD_WIDTH), dtype=np.int64)
        rows[:, WorkloadColumn.TIME_US] = np.cumsum(gaps)
        rows[:, WorkloadColumn.ORDINAL] = np.arange(count)
        rows[:, WorkloadColumn.ROUTE_SET] = -1
        rows[:, WorkloadColumn.AMOUNT] = 1
        return rows[rows[:, WorkloadColumn.TIME_US] < self.horizon_us]

    def records(self, engine: str = "compiled") -> Array:
        sink = Recorder(wants_log=False)
        ENGINES[engine](self.plan(), iter([self.workload()]), sink)
        return np.concatenate(sink.records)


def _success(records: Array, since_us: int, until_us: int) -> float:
    """Return how many of the payments that came in a span completed."""
    came = (records[:, C.SUBMITTED_US] >= since_us) & (records[:, C.SUBMITTED_US] < until_us)
    return float((records[came, C.OUTCOME] == Outcome.COMPLETED).mean())


def _predicted() -> float:
    """Return the share of success at which polls keep the switch full."""
    polled = COMES * (LIMIT_S / EVERY_S - 0.5)
    comes = COMES / 2 + sqrt(COMES**2 / 4 + polled * SWITCH)
    return SWITCH / comes


def _normal_after_s(records: Array, at_us: int, within_us: int) -> int:
    """Return how long after an instant the last payment came that was not paid in time."""
    late = records[:, C.END_US] - records[:, C.SUBMITTED_US] > within_us
    failed = (records[:, C.OUTCOME] == Outcome.REJECTED) | late
    return int(records[failed, C.SUBMITTED_US].max() - at_us) // SECOND


BEGINS, CHANGES, STOPPED = HOUR // 6, HOUR // 6 + 2 * HOUR, HOUR // 6 + 275 * 60 * SECOND
"""11:40, 13:40 and 16:15, where the scenario starts at 11:30."""


def test_the_worked_figure() -> None:
    assert _predicted() == pytest.approx(0.5537, abs=0.0001)


def test_short_storms_are_alike_in_both_engines(engine: str) -> None:
    storm = Storm(15 * 60 * SECOND, share=200)
    found = storm.records(engine)
    assert np.array_equal(found, storm.records("compiled"))
    assert _success(found, BEGINS, 14 * 60 * SECOND) < 0.75


@pytest.mark.slow
def test_the_two_hours_at_half_are_predicted_to_five_points() -> None:
    records = Storm(STOPPED, stop_us=0).records()
    found = _success(records, BEGINS, CHANGES)
    # What was worked out; about 5 points above what was told.
    assert found == pytest.approx(_predicted(), abs=0.01)
    assert found - 0.50 == pytest.approx(0.05, abs=0.01)
    # The three hours at 80 %: the model stays where it is, some 25 points below. Not predicted.
    later = _success(records, CHANGES, STOPPED - 60 * SECOND)
    assert later == pytest.approx(_predicted(), abs=0.01)
    assert 0.80 - later > 0.20


@pytest.mark.slow
def test_once_polls_are_stopped_all_is_normal_within_a_minute() -> None:
    horizon = STOPPED + HOUR // 2
    records = Storm(horizon, stop_us=STOPPED).records()
    # Everybody is admitted again; answers come within a second once the queue is gone.
    assert _normal_after_s(records, STOPPED, LIMIT_S * SECOND) <= 1
    found = _normal_after_s(records, STOPPED, SECOND)
    assert found == pytest.approx(37.5, abs=4)
    # Told were 25 min: faster by more than the 10 min allowed.
    assert 25 * 60 - found > 10 * 60
    # The negative control: left alone, the storm goes on to the end.
    assert _normal_after_s(Storm(horizon).records(), STOPPED, LIMIT_S * SECOND) >= 1_790


@pytest.mark.slow
@pytest.mark.parametrize(
    "rule", [{"first_s": 90, "most": 3}, {"most": 3}, {"outage": False}], ids=str
)
def test_under_npci_s_rule_there_is_no_storm(rule: dict[str, int]) -> None:
    # First after 90 s, no payment is open any more; three polls a payment are 4 x 200 = 800 a
    # second; and nothing begins without the outage.
    records = Storm(HOUR, **rule).records()  # type: ignore[arg-type]
    assert _success(records, 900 * SECOND, HOUR - 60 * SECOND) > 0.999
