"""Measures kept in arrays say what they said as objects."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path

from sim.analysis.summary import Measure, Summary
from sim.study.align_summaries import blanks_of
from sim.study.case import Case, RunOptions
from sim.study.packed import PackedMeasures, figures, packed, values_in
from sim.study.run import run_scenario
from sim.study.runner import run_case
from tests.support.tiny import write_tiny

LARGE = (1 << 60) - 1


def _summary() -> Summary:
    measures = {
        "submitted": Measure(100, "payments"),
        "success_rate": Measure(0.25, "share"),
        "end_to_end_p50": Measure(1.5, "s", width=0.125),
        "peak_obligation": Measure(LARGE, "minor KHR"),
        "payer_cost_bps": Measure(None, "bps"),
        "refund_share": Measure(1.0, "share"),
    }
    by = {"route": {"a/b": {"submitted": Measure(0, "payments")}}, "agent": {}}
    return Summary("s", 1, "compiled", 1, "all", measures, by)


def test_packed_summary_says_what_the_summary_said() -> None:
    whole = _summary()
    made = packed(whole)
    assert isinstance(made.measures, PackedMeasures)
    assert made == whole
    assert json.dumps(made.as_json()) == json.dumps(whole.as_json())
    # 2^60 - 1 is no float, and a share of 1.0 is no whole number.
    assert made["peak_obligation"].value == LARGE
    assert isinstance(made["submitted"].value, int)
    assert isinstance(made["refund_share"].value, float)
    assert made["payer_cost_bps"].value is None
    assert list(made.by) == ["route", "agent"]
    assert "a/b" in made.by["route"]
    assert "c" not in made.by["route"]
    assert packed(made) is made


def test_packed_summary_travels_and_finds_the_shape_there_is() -> None:
    made = packed(_summary())
    there = pickle.loads(pickle.dumps(made))
    assert there == made
    first, second = values_in(made), values_in(there)
    assert first is not None
    assert second is not None
    assert second.shape is first.shape


def test_changed_or_pooled_summary_is_not_taken_for_a_packed_one() -> None:
    made = packed(_summary())
    assert values_in(replace(made, by={"route": {}})) is None
    pooled = {"success_rate": Measure(0.5, "share", 0.4, 0.6)}
    assert values_in(packed(replace(made, measures=pooled))) is None


def test_figures_leave_out_what_is_unknown_and_give_the_mean_width() -> None:
    one, other = _summary(), packed(_summary())
    sets = (one.measures, other.measures, {})
    assert figures("end_to_end_p50", sets) == ([1.5, 1.5], 0.125)
    assert figures("payer_cost_bps", sets) is None


def test_names_of_packed_and_plain_summaries_are_the_same() -> None:
    whole = _summary()
    assert blanks_of([whole]) == blanks_of([packed(whole), packed(whole)])


def test_case_run_after_others_is_the_run_made_alone(tmp_path: Path) -> None:
    path = write_tiny(tmp_path)
    alone = [
        run_scenario(path, replication=number, record="none", out=tmp_path / f"r{number}")
        for number in range(4)
    ]
    text = (tmp_path / "r0" / "scenario.yaml").read_text(encoding="utf-8")
    seed = int(str(alone[0].facts["seed"]))
    for number in (3, 0, 2, 1):
        found = run_case(Case(text, seed, number, RunOptions(record="none")))
        assert found.totals.digest == alone[number].facts["digest"]
        assert found.totals.payments_digest == alone[number].facts["payments_digest"]
        assert found.summary == alone[number].summary
