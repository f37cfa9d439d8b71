"""Rates read from a file hold from their rows on, and bad rows are told by line."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from sim.compiler.compile import Compiled, compile_scenario
from sim.errors import ScenarioError
from sim.explain.plan import explain_plan
from sim.scenario.loader import dump_resolved
from sim.scenario.scenario import load_scenario
from tests.theory.driver import MINIMAL

ROWS = "at,rate\n15 s,4010\n2025-09-17T12:00:30+07:00,3990.5\n31 s,4004\n"


def _scenario(folder: Path, rows: str, more: str = "") -> Path:
    (folder / "khr.csv").write_text(rows, encoding="utf-8")
    path = folder / "recorded.yaml"
    mid = "USD/KHR: {path: {file: khr.csv}}"
    path.write_text(
        f"scenario: recorded\nextends: {MINIMAL}\nfx: {{step: 10 s, mid: {{{mid}}}}}\n{more}"
    )
    return path


def _compiled(folder: Path, rows: str, more: str = "") -> Compiled:
    return compile_scenario(load_scenario(_scenario(folder, rows, more)))


def _rates(compiled: Compiled, pair: str) -> list[Fraction]:
    plan = compiled.plan
    at = plan.names.pairs.index(pair)
    return [Fraction(int(rate), int(plan.pair_scale[at])) for rate in plan.rate[at]]


def _refused(folder: Path, rows: str, more: str = "") -> str:
    with pytest.raises(ScenarioError) as refused:
        _compiled(folder, rows, more)
    return "\n".join(f"{found.path}: {found.message}" for found in refused.value.problems)


def test_a_row_holds_from_the_first_step_at_or_after_its_instant(tmp_path: Path) -> None:
    compiled = _compiled(tmp_path, ROWS)
    # Steps begin at 0, 10, 20, 30, 40 and 50 s. 4000 until the row of 15 s acts at 20 s; the row
    # of 12:00:30, half a minute after the start, acts at 30 s; that of 31 s at 40 s.
    expected = [4000, 4000, 4010, Fraction("3990.5"), 4004, 4004]
    assert _rates(compiled, "USD/KHR") == expected
    # 4000 / 7.1875 = 556.521739..., 4010 / 7.1875 = 557.913043..., to nine digits.
    crossed = _rates(compiled, "CNY/KHR")
    assert crossed[0] == Fraction(556_521_739, 10**6)
    assert crossed[2] == Fraction(557_913_043, 10**6)


def test_a_jump_comes_on_top_of_a_file(tmp_path: Path) -> None:
    jump = "disruptions: {shock: {fx_jump: USD/KHR, times: 1.1, after: 35 s}}\n"
    rates = _rates(_compiled(tmp_path, ROWS, jump), "USD/KHR")
    # 35 s is met by the step of 40 s: 4004 * 1.1.
    assert rates == [4000, 4000, 4010, Fraction("3990.5"), Fraction("4404.4"), Fraction("4404.4")]


def test_a_run_folder_means_the_same_file_by_its_digest(tmp_path: Path) -> None:
    loaded = load_scenario(_scenario(tmp_path, ROWS))
    written = tmp_path / "elsewhere" / "resolved.yaml"
    written.parent.mkdir()
    written.write_text(dump_resolved(loaded.document), encoding="utf-8")
    again = compile_scenario(load_scenario(written))
    assert _rates(again, "USD/KHR") == _rates(_compiled(tmp_path, ROWS), "USD/KHR")
    (tmp_path / "khr.csv").write_text(ROWS + "50 s,4100\n", encoding="utf-8")
    with pytest.raises(ScenarioError, match="found other rates than those meant"):
        load_scenario(written)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("at,rate\n1 s,4000,x\n", "line 2: found 3 values"),
        ("at,rate\n1 s,4000\n\n2 s,4001\n", "line 3: found 0 values"),
        ("at,rate\n1 s,4000\n1 s,4001\n", "line 3, at: found no later an instant"),
        ("at,rate\n1 x,4000\n", "line 2, at: found '1 x'"),
        ("at,rate\n1 s,-3\n2 s,0\n", "line 3, rate: found '0'"),
        ("when,rate\n1 s,4000\n", "needed: a header line 'at,rate'"),
        ("at,rate\n", "found 0 rows"),
        ("at,rate\n1 s,90 000 000 000\n", "a factor of two"),
    ],
)
def test_what_is_no_rate_is_told_by_line(tmp_path: Path, rows: str, said: str) -> None:
    assert said in _refused(tmp_path, rows)


def test_a_file_stands_in_place_of_a_volatility(tmp_path: Path) -> None:
    more = "demand: {}\n"
    path = _scenario(tmp_path, ROWS, more)
    text = path.read_text().replace("{path:", "{daily_volatility: 1 %, path:")
    path.write_text(text)
    with pytest.raises(ScenarioError, match="found a file beside a daily_volatility"):
        load_scenario(path)


def test_rows_that_never_act_are_told(tmp_path: Path) -> None:
    compiled = _compiled(tmp_path, "at,rate\n51 s,4100\n")
    notes = dict(compiled.notes)
    assert "no row of it acts within the run" in notes["fx", "mid", "USD/KHR", "path"]
    assert "USD/KHR 4000, moves as khr.csv says, every 10 s" in explain_plan(compiled)


def test_pairs_are_crossed_through_another_currency_than_the_dollar(tmp_path: Path) -> None:
    path = tmp_path / "crossed.yaml"
    mid = "USD/CNY: null, EUR/USD: {rate: 1.25}, EUR/CNY: {rate: 8}"
    path.write_text(f"scenario: crossed\nextends: {MINIMAL}\nfx: {{mid: {{{mid}}}}}\n")
    with pytest.raises(ScenarioError, match="no mid rate for CNY/KHR"):
        compile_scenario(load_scenario(path))
    path.write_text(
        path.read_text().replace("EUR/CNY: {rate: 8}", "EUR/CNY: {rate: 8}, EUR/KHR: {rate: 5000}")
    )
    compiled = compile_scenario(load_scenario(path))
    # No rate between the dollar and the yuan is written: 8 / 1.25 yuan a dollar through the euro.
    assert _rates(compiled, "USD/CNY") == [Fraction("6.4")]
    # 5000 / 8 riel a yuan.
    assert _rates(compiled, "CNY/KHR") == [625]
