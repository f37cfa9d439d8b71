"""What is said of a run's start and end, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import exp
from pathlib import Path

import numpy as np
import pytest

from sim.analysis.summary import Measure, Summary
from sim.analysis.warm_up import Presence
from sim.report.blocks import Block, Document, Table, Text
from sim.report.documents.run import course, group_blocks
from sim.report.figure import written
from sim.report.formats.terminal import chart, render
from sim.study.run import run_scenario
from sim.tables.tabular import TabularData
from sim.units import SECOND_US
from tests.support.tiny import write_tiny


def _presence(inside: Sequence[float], *, warm_up_s: int = 0, payments: int = 1000) -> Presence:
    area = tuple(round(number * SECOND_US) for number in inside)
    return Presence(SECOND_US, warm_up_s * SECOND_US, 1, payments, area)


def _filling(seconds: float) -> list[float]:
    """Return a system that fills up to 100 payments, with a little unrest."""
    unrest = np.random.default_rng(20250917).normal(scale=2, size=600)
    return [100 * (1 - exp(-at / seconds)) + abs(unrest[at]) for at in range(600)]


def _words(presence: Presence, **measures: Measure) -> str:
    summary = Summary("s", 1, "compiled", 1, "all", measures, {}, presence=presence)
    document = Document(tuple(course(summary)), TabularData((), ()), {})
    return render(document).removesuffix("\n")


def test_a_start_that_is_left_in_is_told_with_what_it_does() -> None:
    presence = _presence(_filling(40))
    found = presence.judge()
    assert found is not None
    assert found.needed_us is not None
    # After 100 s all but exp(-2.5) = 8 % of the system is full, after 250 s all but 0.2 %.
    assert 100 <= found.needed_us / SECOND_US <= 250
    # The empty start lacks 100 x 40 of 600 x 100 payment seconds: 6.7 % of the mean.
    assert found.bias == pytest.approx(-0.066, abs=0.01)
    assert "mean is 7 % off" in _words(presence).replace("%", " %").replace("  ", " ")
    assert "set clock.warm_up" in _words(presence)


def test_a_start_that_is_left_out_is_enough() -> None:
    words = _words(_presence(_filling(40), warm_up_s=240))
    assert "Warm-up: 4 min left out, which is enough" in words


def test_a_system_that_only_grows_does_not_settle() -> None:
    presence = _presence([float(at * at) for at in range(600)])
    found = presence.judge()
    assert found is not None
    assert found.as_json()["needed_s"] is None
    assert not found.is_enough
    assert "does not settle" in _words(presence)


def test_too_few_payments_are_not_judged() -> None:
    presence = _presence(_filling(40), payments=499)
    assert presence.judge() is None
    assert _words(presence) == ""


def test_runs_are_averaged_before_they_are_judged() -> None:
    one, other = _presence([10.0] * 600), _presence([30.0] * 600)
    both = one.joined(other)
    assert (both.runs, both.payments) == (2, 2000)
    assert set(both.inside) == {20.0}


@pytest.mark.parametrize(
    ("counted", "told"),
    [
        (Measure(5.02, "s"), None),
        (Measure(8.0, "s"), "p99 of those completed is 5 s; counting the open ones as at least so"),
        (Measure(None, "s"), "longer than the run could see"),
    ],
)
def test_open_payments_are_told_where_they_change_the_picture(
    counted: Measure, told: str | None
) -> None:
    words = _words(
        replace(_presence([1.0] * 600), payments=0),
        open_share=Measure(0.02, "share"),
        end_to_end_p99=Measure(5.0, "s"),
        end_to_end_p99_kaplan_meier=counted,
    )
    assert words == "" if told is None else told in words


def test_a_chart_is_as_high_as_its_largest_part() -> None:
    assert chart([0, 0, 1, 1, 2, 2, 4, 4], 4) == "▁▃▅█"
    assert chart([0, 0], 4) == "▁▁"


def test_the_summary_says_what_was_found(tmp_path: Path) -> None:
    changes = ("clock.horizon=600 s", "clock.warm_up=30 s")
    result = run_scenario(write_tiny(tmp_path), out=tmp_path / "run", overrides=changes)
    content = result.run.summary()["warm_up"]
    assert isinstance(content, dict)
    assert content["used_s"] == 30
    assert content["is_settled"] is True
    assert content["is_enough"] is True


def _group(name: str, completed: float, replications: int = 1) -> list[Block]:
    """Return what is shown of one corridor."""
    measures = {
        "submitted": Measure(completed, "payments"),
        "completed": Measure(completed, "payments"),
        "open_share": Measure(0.25, "share"),
        "success_rate": Measure(0.9, "share", 0.88, 0.92),
        "end_to_end_p50": Measure(5.0, "s", 4.9, 5.1),
        "end_to_end_p99": Measure(9.0, "s", 8.5, 9.5),
        "payer_cost_bps": Measure(None, "bps"),
        "merchant_cost_bps": Measure(None, "bps"),
    }
    by = {"corridor": {name: measures}}
    summary = Summary("", 1, "compiled", replications, "all", measures, by)
    return list(group_blocks(summary, "corridor"))


def test_tables_by_corridor_carry_intervals_and_the_share_still_open() -> None:
    table, *rest = _group("cn_kh", 1_000)
    assert isinstance(table, Table)
    assert [column.name for column in table.columns] == [
        *("corridor", "payments", "open", "success", "p50", "p99"),
    ]
    shown = [written(cell) for cell in table.rows[0]]
    assert shown == ["cn_kh", "1 000", "25.0 %", "90 ± 2 %", "5.00 ± 0.10 s", "9.0 ± 0.5 s"]
    # A thousand completed payments have ten above their p99: nothing to warn of.
    assert rest == []


@pytest.mark.parametrize(
    ("completed", "replications", "told"),
    [
        (1_000, 1, []),
        (999, 1, ["Few payments for p99 (fewer than 1 000 completed): cn_kh (999)"]),
        # Ten replications of a hundred are a thousand.
        (100, 10, []),
        (100, 1, ["Few payments for p99 (fewer than 1 000 completed): cn_kh (100)"]),
        (
            99,
            1,
            [
                "Few payments for p99 (fewer than 1 000 completed): cn_kh (99)",
                "Few payments for any figure (fewer than 100 completed): cn_kh (99)",
            ],
        ),
        # Of none there is no figure to warn of.
        (0, 1, []),
    ],
)
def test_few_payments_are_warned_of(completed: float, replications: int, told: list[str]) -> None:
    _, *rest = _group("cn_kh", completed, replications)
    assert [block.words for block in rest if isinstance(block, Text)] == told
