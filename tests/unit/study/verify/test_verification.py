"""A machine that computes right passes every check; another fails the check meant for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sim.contract.log_columns import UNUSED
from sim.contract.meaning import LogKind
from sim.contract.records import LogColumn
from sim.study.verify import corruptions, engines, known, loads, theory
from sim.study.verify.figures import Verdict
from sim.study.verify.verification import GROUPS, verify


def failed(verdicts: Iterator[Verdict]) -> list[str]:
    return [verdict.check for verdict in verdicts if not verdict.holds]


def test_published_words_and_worked_payments_come_out() -> None:
    verdicts = [*known.check_generator(), *known.check_by_hand()]
    assert [verdict.check for verdict in verdicts if not verdict.holds] == []
    assert len(verdicts) == 6


def test_a_generator_a_bit_off_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = known.threefry4x32

    def wrong(*words: int) -> tuple[int, int, int, int]:
        first, *others = right(*words)
        return (first ^ 1, *others)

    monkeypatch.setattr(known, "threefry4x32", wrong)
    assert len(failed(known.check_generator())) == 3


def test_a_payment_a_cent_off_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    (stream, (debited, *others)), *rest = known._BY_HAND
    monkeypatch.setattr(known, "_BY_HAND", ((stream, (debited + 1, *others)), *rest))
    assert failed(known.check_by_hand()) == ["minimal, inbound"]


@pytest.mark.slow
def test_load_counted_otherwise_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert failed(loads.check_load()) == []
    right = loads.draw_array_pair

    def wrong(*given: object) -> tuple[object, object]:
        """Let the payments of one in a thousand be decided by another number."""
        first, second = right(*given)  # type: ignore[arg-type]
        second[::1000] = 0
        return first, second

    monkeypatch.setattr(loads, "draw_array_pair", wrong)
    assert len(failed(loads.check_load())) == 1


@pytest.mark.slow
def test_another_law_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    (queue, *_) = theory._queues()
    # A thirtieth more than M/M/1 waits; a run's standard error is some 0.05 s.
    off = theory._Queue(queue.name, queue.law, queue.wait_s * 31 / 30 + 0.2, queue.slower)
    monkeypatch.setattr(theory, "_queues", lambda: iter([off]))
    assert failed(theory.check_theory())[0] == "M/M/1: mean wait"


@pytest.mark.slow
def test_an_audit_that_sees_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from sim.audit.findings import Findings

    monkeypatch.setattr(corruptions, "audited", lambda *_: Findings())
    verdicts = list(corruptions.check_corruptions())
    assert verdicts
    assert not any(verdict.holds for verdict in verdicts)


@pytest.mark.slow
def test_engines_that_differ_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from sim.scenario.shipped import shipped_scenarios

    monkeypatch.setattr(engines, "shipped_scenarios", lambda: {"mm1": shipped_scenarios()["mm1"]})
    right = engines.run_kept

    def late(engine: object, compiled: object) -> object:
        kept, totals = right(engine, compiled)  # type: ignore[arg-type]
        if engine is engines.run_compiled:
            kept._logs[0] = kept._logs[0].copy()
            kept._logs[0][-1, LogColumn.TIME_US] += 1
        return kept, totals

    monkeypatch.setattr(engines, "run_kept", late)
    assert failed(engines.check_engines())[0] == "mm1"


@pytest.mark.slow
def test_everything_passes_on_this_machine() -> None:
    told: list[Verdict] = []
    verdicts = verify(told.append)
    assert [verdict for verdict in verdicts if not verdict.holds] == []
    assert tuple(told) == verdicts
    groups = list(dict.fromkeys(verdict.group for verdict in verdicts))
    assert groups == [
        "random numbers", "by hand", "load", "theory", "two engines", "audit",
        "planted corruptions",
    ]  # fmt: skip
    assert len(GROUPS) == 6


def test_every_kind_of_row_says_which_columns_it_leaves_unused() -> None:
    assert set(UNUSED) == set(LogKind)
