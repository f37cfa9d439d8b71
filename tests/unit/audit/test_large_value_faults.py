"""What goes wrong in a large-value system is found by the rule it breaks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sim.contract.meaning import LogKind
from sim.contract.plan import Array
from sim.contract.records import LogColumn as L
from tests.support.large_value import Given, Ran

Fault = Callable[[Array], Array]
TRIANGLE = [("a", "b", 100), ("b", "c", 90), ("c", "a", 95)]


@pytest.fixture(scope="module")
def offset(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Run a gridlock of three, resolved by the third; then A's 20 and 30, of which 20 is covered.

    After the set A holds 10 + 5 - 100 + 95 = 10 and C's 10 to A makes it 20: A's 20 settles in its
    turn, its 30 is returned at the close, and so is what B then owes beyond its 10.
    """
    asked = [*TRIANGLE, ("a", "b", 20), ("a", "c", 30), ("c", "a", 10)]
    system = {"offset": "multilateral", "closes_at": "09:30"}
    return Given(tmp_path_factory.mktemp("offset"), {"a": 15, "b": 0, "c": 15}, asked, system).run()


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Run a net cycle in which A's last payment is returned."""
    system = {"end_of_day": "net", "closes_at": "09:30"}
    asked = [*TRIANGLE, ("a", "c", 30)]
    return Given(tmp_path_factory.mktemp("net"), {"a": 34, "b": 0, "c": 5}, asked, system).run()


def _change(kind: LogKind, column: L, change: int, which: int = 0) -> Fault:
    def fault(log: Array) -> Array:
        log = log.copy()
        log[np.flatnonzero(log[:, L.KIND] == kind)[which], column] += change
        return log

    return fault


def _drop(kind: LogKind, which: int = 0, rows: int = 1) -> Fault:
    def fault(log: Array) -> Array:
        at = np.flatnonzero(log[:, L.KIND] == kind)[which]
        return np.delete(log, range(at, at + rows), axis=0)

    return fault


def _double(kind: LogKind, which: int = 0) -> Fault:
    def fault(log: Array) -> Array:
        at = np.flatnonzero(log[:, L.KIND] == kind)[which]
        return np.insert(log, at, log[at], axis=0)

    return fault


def _cut_event(kind: LogKind) -> Fault:
    """Let a row of a kind, and all that follows in its event, not happen."""

    def fault(log: Array) -> Array:
        at = np.flatnonzero(log[:, L.KIND] == kind)[0]
        same = (log[:, L.TIME_US] == log[at, L.TIME_US]) & (log[:, L.KEY] == log[at, L.KEY])
        return log[~same | (np.arange(len(log)) < at)]

    return fault


def _swap_settlements(log: Array) -> Array:
    """Let the first two of a set settle in the other order."""
    first, second = np.flatnonzero(log[:, L.KIND] == LogKind.SETTLE)[:2]
    order = [*range(first), second, second + 1, first, first + 1, *range(second + 2, len(log))]
    return log[order]


def _wait_for_nothing(log: Array) -> Array:
    """Let a payment that is covered wait, and everything that followed from it not happen."""
    at = np.flatnonzero((log[:, L.KIND] == LogKind.SETTLE) & (log[:, L.VALUE] == 0))[0]
    queued = log[at].copy()
    queued[[L.KIND, L.SUBJECT, L.VALUE]] = LogKind.QUEUED, log[at - 1, L.SUBJECT], 0
    same = (log[:, L.TIME_US] == log[at, L.TIME_US]) & (log[:, L.KEY] == log[at, L.KEY])
    before = log[: at + 1].copy()
    before[at] = queued
    return np.concatenate([before, log[~same & (np.arange(len(log)) > at)]])


def _overtake(log: Array) -> Array:
    """Let A's 30 settle where its 20 is next."""
    log = log.copy()
    queued = log[log[:, L.KIND] == LogKind.QUEUED]
    fourth, fifth = queued[3], queued[4]
    at = np.flatnonzero((log[:, L.KIND] == LogKind.SETTLE) & (log[:, L.VALUE] == 1))[0]
    assert log[at, L.PAYMENT] == fourth[L.PAYMENT]
    log[at, [L.PAYMENT, L.AMOUNT]] = fifth[[L.PAYMENT, L.AMOUNT]]
    log[at + 1, L.AMOUNT] = fifth[L.AMOUNT]
    return log


OFFSET_FAULTS: list[tuple[str, Fault, str]] = [
    ("a leg is a cent more", _change(LogKind.LEG, L.AMOUNT, 1), "large_value"),
    ("a leg takes from another member", _change(LogKind.LEG, L.SUBJECT, 2), "large_value"),
    ("a payment waits with a cent less", _change(LogKind.QUEUED, L.AMOUNT, -1), "large_value"),
    ("a payment waits with another rank", _change(LogKind.QUEUED, L.VALUE, 1), "large_value"),
    ("a payment waits that is covered", _wait_for_nothing, "large_value"),
    ("a payment settles a cent more", _change(LogKind.SETTLE, L.AMOUNT, 1), "large_value"),
    ("a payment settles otherwise", _change(LogKind.SETTLE, L.VALUE, -2), "large_value"),
    ("a payment overtakes another of its payer", _overtake, "large_value"),
    ("a set settles in another order", _swap_settlements, "large_value"),
    ("a set is said to be smaller", _change(LogKind.OFFSET, L.AMOUNT, -1), "offset"),
    ("a set is said to be a net cycle", _change(LogKind.OFFSET, L.VALUE, 1), "offset"),
    ("a set is broken off", _drop(LogKind.SETTLE, 2, 2), "offset"),
    ("a gridlock is left", _cut_event(LogKind.OFFSET), "offset"),
    ("a leg of a set is a cent more", _change(LogKind.MOVED, L.AMOUNT, 1), "clearing"),
    ("a leg of a set takes more than there is", _change(LogKind.MOVED, L.AMOUNT, 100_00), "offset"),
    ("a leg of a set does not move", _drop(LogKind.MOVED, 1), "clearing"),
    ("a leg moves twice", _double(LogKind.MOVED, 2), "clearing"),
    ("a close finds one more", _change(LogKind.SYSTEM_CLOSE, L.AMOUNT, 1), "large_value"),
    ("a payment is returned before the close", _change(LogKind.LEAVE, L.TIME_US, -1), "close"),
    ("a payment stays behind the close", _cut_event(LogKind.LEAVE), "close"),
    ("a close does not happen", _drop(LogKind.SYSTEM_CLOSE), "agenda"),
    ("a system is left out of a sample", _drop(LogKind.SAMPLE_SYSTEM), "sample"),
    ("a member is left out of a sample", _drop(LogKind.SAMPLE_MEMBER, 1), "sample"),
    ("a member is sampled twice", _double(LogKind.SAMPLE_MEMBER, 1), "sample"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "fault", "rule"), OFFSET_FAULTS, ids=[one[0] for one in OFFSET_FAULTS]
)
def test_a_fault_of_queue_or_offset_is_found(
    offset: Ran, name: str, fault: Fault, rule: str
) -> None:
    assert rule in offset.audit_of(fault(offset.log)), name


NET_FAULTS: list[tuple[str, Fault, str]] = [
    ("a net cycle creates a cent", _change(LogKind.MOVED, L.AMOUNT, 1, 1), "clearing"),
    ("a net cycle leaves one out", _change(LogKind.OFFSET, L.AMOUNT, -1), "offset"),
    ("a net cycle does not happen", _cut_event(LogKind.OFFSET), "close"),
    ("a payment fails that nobody returned", _drop(LogKind.LEAVE), "failure"),
]


@pytest.mark.parametrize(("name", "fault", "rule"), NET_FAULTS, ids=[one[0] for one in NET_FAULTS])
def test_a_fault_of_a_net_cycle_is_found(net: Ran, name: str, fault: Fault, rule: str) -> None:
    assert rule in net.audit_of(fault(net.log)), name


def test_totals_of_members_are_compared(net: Ran) -> None:
    net.totals.member[0, 0] += 1
    rules = {found.rule for found in net.audit().violations}
    net.totals.member[0, 0] -= 1
    assert rules == {"totals"}
