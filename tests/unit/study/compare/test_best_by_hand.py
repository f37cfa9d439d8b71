"""Which arm is best, from values made up: known replications first, then runs for the rest."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sim.analysis.selection import SelectionRule
from sim.analysis.summary import Measure, Summary
from sim.errors import OptionError, UserError
from sim.study.compare import best
from sim.study.compare.comparison import ComparisonPlan, compare_arms
from sim.study.compare.output import arms_table, pairs_table, regret_table


def _summary(value: float | None) -> Summary:
    measures = {"end_to_end_mean": Measure(value, "s")}
    return Summary("made-up", 1, "compiled", 1, "all", measures, {})


def _comparison(values: dict[str, list[float | None]]) -> Any:
    arms = {
        name: SimpleNamespace(
            facts=[SimpleNamespace(replication=at) for at in range(len(held))],
            summaries=[_summary(value) for value in held],
        )
        for name, held in values.items()
    }
    return SimpleNamespace(arms=arms, plan=SimpleNamespace(seed=7, options=None))


def _works(*names: str) -> list[Any]:
    return [SimpleNamespace(name=name, text=f"text of {name}") for name in names]


def test_replications_that_are_known_are_not_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[str, int]] = []

    def run_cases(cases: Any, pool: Any) -> list[Any]:
        ran.extend((case.text, case.replication) for case in cases)
        # The fast arm takes 1 s and the slow one 9, give or take what a replication brings.
        return [
            SimpleNamespace(
                summary=_summary((1.0 if "fast" in case.text else 9.0) + case.replication % 3)
            )
            for case in cases
        ]

    monkeypatch.setattr(best, "run_cases", run_cases)
    told: list[tuple[int, int]] = []
    known = {
        name: [base + at % 3 for at in range(4)] for name, base in (("fast", 1.0), ("slow", 9.0))
    }
    found = best.choose_best(
        _comparison(known), _works("fast", "slow"),
        SelectionRule(indifference=0.5, replications_max=50),
        measure="end_to_end_mean", pool=None, notice=lambda *done: told.append(done),
    )  # type: ignore[arg-type]  # fmt: skip
    assert found.best == "fast"
    # Four of each were known; of the rest each was run once.
    assert min(at for _, at in ran) == 4
    assert len(ran) == len(set(ran))
    assert told[0] == (5, 50)


def test_a_replication_without_the_measure_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(best, "run_cases", lambda cases, pool: [])
    with pytest.raises(UserError, match="a replication has no value of 'end_to_end_mean'"):
        best.choose_best(
            _comparison({"one": [None], "two": [1.0]}), _works("one", "two"),
            SelectionRule(indifference=0.5), measure="end_to_end_mean", pool=None,
        )  # type: ignore[arg-type]  # fmt: skip


def test_a_comparison_is_of_two_arms_and_two_replications() -> None:
    with pytest.raises(OptionError, match="found 1; a comparison needs 2 or more"):
        ComparisonPlan(seed=1, replications=1)
    with pytest.raises(UserError, match="found 1 arm; needed: two or more"):
        compare_arms(_works("one"), ComparisonPlan(seed=1), None)  # type: ignore[arg-type]


def test_tables_hold_what_is_known_and_leave_out_what_is_not() -> None:
    interval = SimpleNamespace(value=2.0, low=1.0, high=3.0)
    pair = SimpleNamespace(
        a="one", b="two", measure="end_to_end_mean", unit="s", difference=None, p_holm=1.0,
        replications=0, standard_error_ratio=None, verdict="cannot be compared",
    )  # fmt: skip
    regret = {"arm": "one", "oracle": "best", "foresees": "cost", "measure": "m", "unit": "s"}
    found: Any = SimpleNamespace(
        summaries={"one": _summary(2.0), "two": _summary(None)},
        controlled={"one": {"end_to_end_mean": SimpleNamespace(interval=interval)}, "two": {}},
        plan=SimpleNamespace(measures=("end_to_end_mean", "success_rate")),
        pairs=[pair],
        regret=[SimpleNamespace(**regret, interval=interval),
                SimpleNamespace(**regret, interval=None)],
    )  # fmt: skip
    arms = arms_table(found)
    assert arms.columns[-3:] == ("controlled", "controlled_low", "controlled_high")
    # No arm has a success rate, and the second no value.
    assert arms.rows == (
        ("one", "end_to_end_mean", "s", 2.0, None, None, 2.0, 1.0, 3.0),
        ("two", "end_to_end_mean", "s", None, None, None, None, None, None),
    )
    [row] = pairs_table(found).rows
    assert row[4:7] == (None, None, None)
    assert [one[-3:] for one in regret_table(found).rows] == [(2.0, 1.0, 3.0), (None, None, None)]
