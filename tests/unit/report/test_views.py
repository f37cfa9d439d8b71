"""Views of results in a notebook: a run, a comparison, a sweep and a stress test of one small shop.

No machine draws anything here; pages with their drawings are tested with them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.errors import UserError
from sim.report.plots import ComparisonPlots, RunPlots, StressPlots, SweepPlots
from sim.report.views import BYTES_MAX, _document, _html, notebook_html, plots, write_report
from sim.study.compare.arms import work_of_scenarios
from sim.study.compare.comparison import ComparisonPlan, compare_arms
from sim.study.experiment_file import load_experiment
from sim.study.pool import LocalPool
from sim.study.run import run_scenario
from sim.study.sweep.study import run_sweep
from tests.support.tiny import SEED, write_tiny
from tests.unit.study.stress.test_verdicts import GOOD, _of_load, _point

RATE = "demand.customers.rate"


def _is_short(html: str) -> bool:
    return html.startswith('<div class="payroute">') and len(html.encode()) < BYTES_MAX


def test_a_run_shows_its_measures_and_where_it_lies(tmp_path: Path) -> None:
    found = run_scenario(write_tiny(tmp_path), engine="reference", out=tmp_path / "out", audit=True)
    html = notebook_html(found)
    assert _is_short(html)
    assert "tiny: " in html
    assert "one run, seed 20250917, reference engine, audit passed; folder" in html
    assert isinstance(plots(found), RunPlots)
    assert _document(found).table.rows


def test_a_comparison_shows_differences_with_their_p(tmp_path: Path) -> None:
    path = write_tiny(tmp_path)
    other = tmp_path / "slower.yaml"
    text = path.read_text(encoding="utf-8").replace("scenario: tiny", "scenario: slower")
    other.write_text(text.replace("mean: 1 s", "mean: 1.2 s"), encoding="utf-8")
    work = work_of_scenarios([path, other], ())
    plan = ComparisonPlan(SEED, replications=3, measures=("end_to_end_mean",))
    found = compare_arms(work.arms, plan, LocalPool())
    html = notebook_html(found)
    assert _is_short(html)
    assert "Comparison of 2 arms" in html
    assert "slower against tiny" in html
    # Service takes a fifth longer.
    assert "+" in html.partition("slower against tiny")[2]
    assert "3 replications; p after Holm&#x27;s correction" in html
    assert isinstance(plots(found), ComparisonPlots)
    assert _document(found).table.rows


def test_a_sweep_shows_its_first_points(tmp_path: Path) -> None:
    write_tiny(tmp_path)
    path = tmp_path / "experiment.yaml"
    path.write_text(
        f"""
experiment: tills
scenario: tiny.yaml
replications: 1
measures: [success_rate]
sweep:
  factors: {{{RATE}: {{values: [1 /s, 2 /s]}}}}
""",
        encoding="utf-8",
    )
    found = run_sweep(load_experiment(path), str(tmp_path / "out"), LocalPool())
    html = notebook_html(found)
    assert _is_short(html)
    assert "2 points run, 0 kept from before, 0 failed" in html
    assert isinstance(plots(found), SweepPlots)
    assert len(_document(found).table.rows) == 2


def test_a_stress_test_shows_its_verdict() -> None:
    found = _of_load(_point(20.0, GOOD, GOOD))
    html = notebook_html(found)
    assert _is_short(html)
    assert "Stress test: PASS" in html
    assert "20 payments/s meet" in html
    assert isinstance(plots(found), StressPlots)
    assert _document(found).table.rows


def test_what_is_no_result_has_no_view() -> None:
    for view in (notebook_html, plots, _document):
        with pytest.raises(TypeError, match="int: no result of a run or a study"):
            view(5)


def test_only_a_run_has_a_place_for_its_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.report.figures.drawing.need_drawing", lambda: None)
    with pytest.raises(UserError, match=r"found no path; allowed: a file such as 'report\.html'"):
        write_report(_of_load(_point(20.0, GOOD, GOOD)))


def test_text_of_a_view_is_no_markup_and_no_book() -> None:
    html = _html("<b>", ["x" * 1_000], [("a", "b"), ("<i>", "&")], ["small"])
    assert "<b>" not in html
    assert "<i>" not in html
    assert "&lt;b&gt;" in html
    assert f"{'x' * 400}…" in html
    assert "x" * 401 not in html
    # A table of a head alone is none.
    assert "<table>" not in _html("t", [], [("a",)], [])
