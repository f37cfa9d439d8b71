"""Queues, offsets and closes of a large-value system followed by hand, to the dollar.

In both engines, equal to the last bit, and audited (``Given.run``).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.contract.large_value import How, MemberTotal
from sim.contract.meaning import LogKind, Outcome
from sim.contract.records import LogColumn
from tests.support.large_value import Given

DISCIPLINES = [("a", "b", 100), ("a", "c", 10), ("b", "a", 95)]
"""A holds 20, B and C nothing."""
TRIANGLE = [("a", "b", 100), ("b", "c", 90), ("c", "a", 95)]
BOUNDS = [*TRIANGLE, ("a", "c", 30)]


@pytest.mark.parametrize(
    ("system", "settled", "balances"),
    [
        # A's 100 stands before its 10, B has nothing.
        ({"queue": "fifo"}, [], (20, 0, 0)),
        ({"queue": "bypass"}, [(1, How.AT_ONCE)], (10, 0, 10)),
        # 20 - 100 - 10 + 95 = 5, 0 + 100 - 95 = 5, 0 + 10.
        (
            {"offset": "multilateral"},
            [(0, How.OFFSET), (1, How.OFFSET), (2, How.OFFSET)],
            (5, 5, 10),
        ),
    ],
)
def test_disciplines(
    tmp_path: Path,
    system: dict[str, object],
    settled: list[tuple[int, int]],
    balances: tuple[int, ...],
) -> None:
    ran = Given(tmp_path, {"a": 20, "b": 0, "c": 0}, DISCIPLINES, system).run()
    assert ran.settled == settled
    assert ran.balances() == balances
    done = {payment for payment, _ in settled}
    wanted = {p: Outcome.COMPLETED if p in done else Outcome.IN_PROGRESS for p in range(3)}
    assert ran.outcomes == wanted


def test_bilateral_offset(tmp_path: Path) -> None:
    # 100 against 95: A keeps 20 - 100 + 95 = 15, B 0 + 100 - 95 = 5, C has nothing. A's 10 to C is
    # no part of it; it is next in A's queue, and covered by the 15 then.
    ran = Given(tmp_path, {"a": 20, "b": 0, "c": 0}, DISCIPLINES, {"offset": "bilateral"}).run()
    assert ran.settled == [(0, How.OFFSET), (2, How.OFFSET), (1, How.IN_TURN)]
    assert ran.told(LogKind.OFFSET) == [("OFFSET", -1, 0, 2, How.OFFSET)]
    assert ran.balances(before=ran.row_of(LogKind.SETTLE, 2)) == (15, 5, 0)
    assert ran.balances() == (5, 5, 10)


def test_bilateral_offset_overtakes_nobody(tmp_path: Path) -> None:
    # With A's 10 to C in front, C standing in nobody's way but A's: nothing of A is looked at
    # behind it, under FIFO. 20 covers the 10, so it must be more: 30.
    asked = [("a", "c", 30), ("a", "b", 100), ("b", "a", 95)]
    members = {"a": 20, "b": 0, "c": 0}
    fifo = Given(tmp_path, members, asked, {"offset": "bilateral"}).run()
    assert fifo.settled == []
    bypass = Given(tmp_path, members, asked, {"offset": "bilateral", "queue": "bypass"}).run()
    # 20 - 100 + 95 = 15 does not cover the 30.
    assert bypass.settled == [(1, How.OFFSET), (2, How.OFFSET)]
    assert bypass.balances() == (15, 5, 0)


def test_gridlock_is_resolved(tmp_path: Path) -> None:
    # 5 - 100 + 95 = 0, 0 + 100 - 90 = 10, 5 + 90 - 95 = 0: all at once, and no two of them alone.
    ran = Given(tmp_path, {"a": 5, "b": 0, "c": 5}, TRIANGLE, {"offset": "multilateral"}).run()
    assert ran.settled == [(0, How.OFFSET), (1, How.OFFSET), (2, How.OFFSET)]
    assert ran.balances() == (0, 10, 0)


def test_gridlock_stays_where_a_dollar_lacks(tmp_path: Path) -> None:
    # C would be at 4 + 90 - 95 = -1. Without its 95 A cannot pay 100, without that B not 90.
    ran = Given(tmp_path, {"a": 5, "b": 0, "c": 4}, TRIANGLE, {"offset": "multilateral"}).run()
    assert ran.settled == []
    assert ran.balances() == (5, 0, 4)


def test_a_pair_cannot_resolve_a_triangle(tmp_path: Path) -> None:
    ran = Given(tmp_path, {"a": 5, "b": 0, "c": 5}, TRIANGLE, {"offset": "bilateral"}).run()
    assert ran.settled == []


def test_bounds_of_liquidity(tmp_path: Path) -> None:
    # A owes 100 + 30 and is owed 95: 35 net. B is owed 100 and owes 90, C is owed 90 + 30 and owes
    # 95: neither owes net. Lower bound 35. In the order they come A is at -100, -100, -5, -35, B at
    # 100, 10, C at 90, -5, 25: with 100, 0 and 5 nobody waits. Gross 315, netting 1 - 35 / 315.
    ran = Given(tmp_path, {"a": 0, "b": 0, "c": 0}, BOUNDS).run()
    out, came = ran.total(MemberTotal.OUT), ran.total(MemberTotal.IN)
    assert (out, came) == ((130, 90, 95), (95, 100, 120))
    assert sum(max(0, paid - got) for paid, got in zip(out, came, strict=True)) == 35
    assert ran.total(MemberTotal.NET_LOW) == (-100, 0, -5)
    assert sum(out) == 315
    # They do not depend on what settles.
    other = Given(tmp_path, {"a": 1_000, "b": 50, "c": 20}, BOUNDS, {"queue": "bypass"}).run()
    for column in (MemberTotal.OUT, MemberTotal.IN, MemberTotal.NET_LOW):
        assert ran.total(column) == other.total(column)


def test_at_the_upper_bound_nobody_waits(tmp_path: Path) -> None:
    ran = Given(tmp_path, {"a": 100, "b": 0, "c": 5}, BOUNDS).run()
    assert ran.settled == [(payment, How.AT_ONCE) for payment in range(4)]
    assert ran.told(LogKind.QUEUED) == []
    # 100 - 130 + 95, 100 - 90, 5 + 120 - 95.
    assert ran.balances() == (65, 10, 30)


@pytest.mark.parametrize(("a", "c"), [(99, 5), (100, 4)])
def test_a_dollar_below_the_upper_bound_somebody_waits(tmp_path: Path, a: int, c: int) -> None:
    assert Given(tmp_path, {"a": a, "b": 0, "c": c}, BOUNDS).run().told(LogKind.QUEUED) != []


CLOSING = {"end_of_day": "net", "closes_at": "09:30"}


def test_net_cycle_at_the_lower_bound(tmp_path: Path) -> None:
    # 35 - 130 + 95 = 0, 100 - 90 = 10, 120 - 95 = 25: all four in the cycle, and before it none.
    ran = Given(tmp_path, {"a": 35, "b": 0, "c": 0}, BOUNDS, CLOSING).run()
    assert ran.settled == [(payment, How.NET) for payment in range(4)]
    assert ran.balances() == (0, 10, 25)
    assert set(ran.outcomes.values()) == {Outcome.COMPLETED}


def test_net_cycle_below_the_lower_bound(tmp_path: Path) -> None:
    # A lacks 1: its last, the 30, is taken out. Then C is at 90 - 95 = -5: its 95 goes; A at 34 -
    # 100: its 100 goes; B's 90 goes. Nothing settles, all is returned, and nobody's money moved.
    ran = Given(tmp_path, {"a": 34, "b": 0, "c": 0}, BOUNDS, CLOSING).run()
    assert ran.settled == []
    assert ran.balances() == (34, 0, 0)
    assert set(ran.outcomes.values()) == {Outcome.REJECTED}
    assert ran.total(MemberTotal.RETURNED) == (130, 90, 95)


def test_a_member_that_cannot_pay_stops_only_its_own(tmp_path: Path) -> None:
    # With C at 5 the triangle is whole without A's 30: 34 - 100 + 95 = 29, B 10, C 5 + 90 - 95 = 0.
    # 29 does not cover 30, so it is returned.
    ran = Given(tmp_path, {"a": 34, "b": 0, "c": 5}, BOUNDS, CLOSING).run()
    assert ran.settled == [(payment, How.NET) for payment in range(3)]
    assert ran.balances() == (29, 10, 0)
    assert ran.outcomes[3] == Outcome.REJECTED


def test_deferred_net_settlement(tmp_path: Path) -> None:
    # All wait though A could pay each of them, and settle every 10 minutes: at 09:10 in one set.
    system = {"queue": "deferred", "offset": "multilateral", "offset_every": "10 min"}
    ran = Given(tmp_path, {"a": 1_000, "b": 0, "c": 0}, BOUNDS, system).run()
    assert ran.settled == [(payment, How.OFFSET) for payment in range(4)]
    assert ran.told(LogKind.SYSTEM_OFFSET)[0] == ("SYSTEM_OFFSET", -1, 0, 4, -1)
    assert ran.log[ran.row_of(LogKind.OFFSET), 0] == 600_000_000
    # 1,000 - 130 + 95.
    assert ran.balances() == (965, 10, 25)


def test_what_waits_is_carried_over_the_close(tmp_path: Path) -> None:
    ran = Given(tmp_path, {"a": 34, "b": 0, "c": 0}, BOUNDS, {"end_of_day": "carry"}).run()
    assert set(ran.outcomes.values()) == {Outcome.IN_PROGRESS}
    returned = Given(tmp_path, {"a": 34, "b": 0, "c": 0}, BOUNDS, {"closes_at": "09:30"}).run()
    assert set(returned.outcomes.values()) == {Outcome.REJECTED}


@pytest.mark.parametrize(
    ("queue", "system", "members"),
    [
        # First in first out nothing settles: 100 + 10 of A and 95 of B wait.
        ("fifo", (3, 0), {"a": (110, 0), "b": (95, 0), "c": (0, 0)}),
        # Whoever can be paid is: A's 10.
        ("bypass", (2, 1), {"a": (100, 10), "b": (95, 0), "c": (0, 0)}),
    ],
)
def test_samples_show_what_waits_and_what_has_settled(
    tmp_path: Path,
    queue: str,
    system: tuple[int, int],
    members: dict[str, tuple[int, int]],
) -> None:
    rest = {"routing": {"view_interval": "1 s"}}
    ran = Given(tmp_path, {"a": 20, "b": 0, "c": 0}, DISCIPLINES, {"queue": queue}, rest).run()
    names = ran.compiled.plan.names.accounts
    # The first sample is taken before anything comes.
    assert ran.told(LogKind.SAMPLE_SYSTEM)[0][3:] == (0, 0)
    assert ran.told(LogKind.SAMPLE_SYSTEM)[-1][3:] == system
    last = ran.told(LogKind.SAMPLE_MEMBER)[-3:]
    shown = {names[row[2]].partition("@")[0]: (row[3] // 100, row[4] // 100) for row in last}
    assert shown == members
    log = ran.log.copy()
    log[ran.row_of(LogKind.SAMPLE_MEMBER, -3), LogColumn.AMOUNT] += 1
    assert ran.audit_of(log) == {"sample"}
    log = ran.log.copy()
    log[ran.row_of(LogKind.SAMPLE_SYSTEM, -1), LogColumn.VALUE] += 1
    assert ran.audit_of(log) == {"sample"}
