"""A scenario answers its question in a sentence with the figures of the run."""

from __future__ import annotations

from pathlib import Path

import pytest

import sim
from sim.errors import ScenarioError
from sim.explain.plan import explain_plan
from sim.report.documents.run import run_document
from sim.report.figure import figure
from sim.report.rendering import render
from sim.study.answer import answer_of
from tests.theory.driver import MINIMAL
from tests.unit.cli.queue import payroute

SENTENCE = (
    "Of {submitted} payments {completed} completed; coming in {corridor/cn_kh/completed} within "
    "{ corridor/cn_kh/p50 }, by card {route/none/completed}."
)


def _written(folder: Path, answer: str) -> Path:
    path = folder / "own.yaml"
    path.write_text(f'scenario: own\nextends: {MINIMAL}\nanswer: "{answer}"\n', encoding="utf-8")
    return path


def test_figures_of_the_run_stand_in_the_answer(tmp_path: Path) -> None:
    path = _written(tmp_path, SENTENCE)
    result = sim.run(path, engine="reference", out=tmp_path / "run")
    summary = result.summary
    # Two payments cross a border in the minimal scenario, one each way, and both complete.
    took = figure(summary.by["corridor"]["cn_kh"]["end_to_end_p50"])
    said = f"Of 2 payments 2 completed; coming in 1 within {took}, by card -."
    assert answer_of(SENTENCE, summary, figure) == said
    shown = render(run_document(result), "terminal").splitlines()
    # Right below the question, and before any figure of its own.
    assert shown[2] == said
    assert "Answer: Of {submitted}" in explain_plan(_compiled(path))


def _compiled(path: Path):  # type: ignore[no-untyped-def]
    from sim.compiler.compile import compile_scenario
    from sim.scenario.scenario import load_scenario

    return compile_scenario(load_scenario(path))


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("{sucess_rate} succeed", "Did you mean 'success_rate'?"),
        ("{corridor/cn_kh/speed}", "unknown measure 'speed' in 'corridor/cn_kh/speed'"),
        ("{corridors/cn_kh/p50}", "unknown group 'corridors'"),
        ("{corridor/cn_hk/p50}", "unknown corridor 'cn_hk'"),
        ("{window/rush/p50}", "unknown window 'rush'"),
        ("{success_rate succeed", "found a brace alone"),
    ],
)
def test_what_cannot_be_a_figure_is_refused_before_a_run(
    tmp_path: Path, answer: str, told: str
) -> None:
    path = _written(tmp_path, answer)
    with pytest.raises(ScenarioError, match=r"own\.yaml:3 answer: ") as found:
        sim.run(path, engine="reference", out=tmp_path / "run")
    assert told in str(found.value)
    assert not (tmp_path / "run").exists()
    checked = payroute("validate", str(path))
    assert checked.exit_code == 2
    assert told in checked.stdout + checked.stderr
