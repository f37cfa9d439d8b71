"""Run every scenario for a short while: audited, balanced, and the same on both engines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from sim.compiler.compile import compile_scenario
from sim.contract.meaning import Cause, Outcome
from sim.contract.records import RecordColumn
from sim.errors import ScenarioError
from sim.scenario.scenario import LoadedScenario, load_scenario
from tests.theory.driver import SCENARIOS, run

FILES = sorted(path for path in SCENARIOS.rglob("*.yaml") if path.parent.name != "experiments")


def _short(path: Path) -> LoadedScenario:
    """Load a scenario cut short, with a few payments; a written list of payments stays whole."""
    for horizon in ("8 s", "1 min", "1 h"):
        try:
            loaded = load_scenario(path, [f"clock.horizon={horizon}", "clock.warm_up=0 s"])
        except ScenarioError as problem:
            if "horizon" not in str(problem):
                raise
            continue
        # At night, cross-border alone, seconds may well be empty.
        if any(len(chunk) for chunk in compile_scenario(loaded).workload()):
            return loaded
    return load_scenario(path)


@pytest.mark.slow
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_scenario_runs_audited_and_alike_on_both_engines(path: Path) -> None:
    loaded = _short(path)
    # Both runs are replayed by the audit, and every currency must sum to zero.
    first, second = run(loaded, "reference"), run(loaded, "compiled")
    assert (first.log == second.log).all()
    assert (first.records == second.records).all()
    assert len(first.records) == first.totals.payments > 0
    rows = first.records
    ended = rows[rows[:, RecordColumn.OUTCOME] != Outcome.IN_PROGRESS]
    open_ = rows[rows[:, RecordColumn.OUTCOME] == Outcome.IN_PROGRESS]
    causes = slice(RecordColumn.TIME_0, RecordColumn.TIME_0 + len(Cause))
    spent = ended[:, RecordColumn.END_US] - ended[:, RecordColumn.SUBMITTED_US]
    assert (ended[:, causes].sum(axis=1) == spent).all()
    until = first.plan.horizon_us - open_[:, RecordColumn.SUBMITTED_US]
    assert (open_[:, causes].sum(axis=1) == until).all()
    assert (np.sort(rows[:, RecordColumn.PAYMENT]) == np.arange(len(rows))).all()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_scenario_says_its_question_and_evidence_first(path: Path) -> None:
    head = path.read_text(encoding="utf-8").splitlines()[:8]
    assert any(line.startswith("# Question: ") for line in head)
    assert any(line.startswith("# Evidence: ") for line in head)
    tree = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    assert tree["scenario"] == path.stem
