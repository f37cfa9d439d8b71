"""A comparison keeps the same few customers of every arm, and what became of them there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from sim.report.blocks import Player
from sim.report.documents.compare import compare_document
from sim.report.documents.side_by_side import side_document
from sim.report.figures.tape import Recording, recording_of_arms
from sim.report.rendering import render
from sim.study.compare.comparison import Comparison, compare_arms
from sim.study.compare.customers import (
    ARMS_MAX,
    CUSTOMERS_MAX,
    CustomerWatch,
    RunSample,
    customer_digests,
)
from sim.study.compile_case import compile_replication
from sim.study.pool import LocalPool
from sim.study.result import open_result
from sim.study.run import RunOptions, run_replication, run_scenario
from tests.support.arms import ARMS_PLAN, BALANCES, MINIMAL, changes_of, two_arms
from tests.unit.report.pages import read_page


@pytest.fixture(scope="module")
def found() -> Comparison:
    """Compare both arms."""
    return compare_arms(two_arms(), ARMS_PLAN, LocalPool(1))


def _sample(arm: str, most: int, engine: str = "compiled") -> RunSample:
    [work] = [one for one in two_arms() if one.name == arm]
    compiled = compile_replication(work.text, ARMS_PLAN.seed, 0)
    watch = CustomerWatch(most)
    kept = run_replication(compiled, RunOptions(engine, "none"), watch=watch).kept
    assert isinstance(kept, RunSample)
    return kept


@pytest.mark.parametrize("arm", list(BALANCES))
def test_what_is_kept_is_what_the_tables_of_a_run_say(
    found: Comparison, tmp_path: Path, arm: str
) -> None:
    changes = dict(text.split("=", 1) for text in changes_of(arm))
    run = run_scenario(
        MINIMAL, seed=ARMS_PLAN.seed, record="stages", out=tmp_path / "run", overrides=changes
    ).folder
    payments = {
        row["payment_id"]: row for row in pq.read_table(run / "payments.parquet").to_pylist()
    }
    stages = pq.read_table(run / "stages.parquet").sort_by("queued_us").to_pylist()
    sample = found.samples[arm]
    covered = [one for one in payments.values() if one["scope"] == "cross_border"]
    assert len(sample.payments) == len(covered) > 100
    assert sample.left_out == 0
    for row in sample.payments:
        assert row == {name: payments[row["payment_id"]][name] for name in row}
        visits = [
            {"station": one["station"], "queued_us": one["queued_us"]}
            for one in stages
            if one["payment_id"] == row["payment_id"]
        ]
        assert sample.visits[int(str(row["payment_id"]))] == visits


def test_the_same_few_customers_are_kept_in_every_arm_and_engine() -> None:
    kept = [_sample(arm, 20) for arm in BALANCES]
    kept += [_sample("poor", 20, "reference")]
    assert kept[0] == kept[2]
    who = [[(row["stream"], row["ordinal"]) for row in sample.payments] for sample in kept]
    assert who[0] == who[1]
    assert len(who[0]) == 20
    # With one more place there is one more customer, and all others stay.
    more = {(row["stream"], row["ordinal"]) for row in _sample("poor", 21).payments}
    assert more > set(who[0])
    # Whoever is kept or not: all are counted.
    everybody = _sample("poor", CUSTOMERS_MAX)
    assert kept[0].left_out == len(everybody.payments) - 20


def test_customers_are_chosen_without_regard_to_stream_or_time() -> None:
    streams = np.repeat(np.arange(4, dtype=np.int64), 5000)
    ordinals = np.tile(np.arange(5000, dtype=np.int64), 4)
    digests = customer_digests(("a", "b", "c", "d"), streams, ordinals)
    assert len(set(digests.tolist())) == len(digests)
    lowest = np.argsort(digests)[:4000]
    # A fifth of all: 1,000 of each stream and half of them early, with a standard error of 27
    # and 28 (4,000 of 20,000 without replacement); bounds of four.
    for stream in range(4):
        assert abs(int((streams[lowest] == stream).sum()) - 1000) < 4 * 27
    assert abs(int((ordinals[lowest] < 2500).sum()) - 2000) < 4 * 28
    # Another name is another stream, whatever its place; the same name stays the same.
    moved = customer_digests(("z", "a"), np.full(10, 1, dtype=np.int64), ordinals[:10])
    assert moved.tolist() == digests[:10].tolist()
    other = customer_digests(("z",), np.zeros(10, dtype=np.int64), ordinals[:10])
    assert not set(other.tolist()) & set(digests.tolist())


def test_a_customer_has_one_number_in_both_arms(found: Comparison) -> None:
    recording = recording_of_arms(found)
    assert isinstance(recording, Recording)
    assert [name for name, _ in recording.arms] == ["poor", "rich"]
    by_arm = []
    for name, tape in recording.arms:
        rows = {f"{row['stream']} {row['ordinal']}": row for row in found.samples[name].payments}
        shown = {one[0]: one for one in tape.payments}
        for number, one in shown.items():
            row = rows[recording.customers[number]]
            assert one[3][0][0] == int(str(row["submitted_us"])) // 1000
            assert one[2].startswith(str(row["outcome"]))
        by_arm.append(shown)
    poor, rich = by_arm
    # They start at the same instant, and end as the money lasts.
    assert poor.keys() == rich.keys()
    assert all(poor[at][3][0][0] == rich[at][3][0][0] for at in poor)
    short = [at for at in poor if poor[at][2] == "rejected, AM04"]
    assert len(short) > 10
    assert not any(rich[at][2] == "rejected, AM04" for at in rich)


def test_finished_runs_are_played_as_the_arms_of_a_comparison_are(
    found: Comparison, tmp_path: Path
) -> None:
    for arm in BALANCES:
        changes = dict(text.split("=", 1) for text in changes_of(arm))
        run_scenario(
            MINIMAL,
            seed=ARMS_PLAN.seed,
            record="stages",
            out=tmp_path / arm,
            overrides=changes,
        )
    document = side_document([open_result(tmp_path / arm) for arm in BALANCES])
    [player] = [block for block in document.blocks if isinstance(block, Player)]
    assert player.recording == recording_of_arms(found)
    # Of runs that recorded no stages there is nothing to play.
    run_scenario(MINIMAL, out=tmp_path / "bare", overrides=changes)
    bare = side_document([open_result(tmp_path / name) for name in ("bare", "poor")])
    assert not any(isinstance(block, Player) for block in bare.blocks)


def test_the_queue_that_is_kept_is_that_of_the_series(found: Comparison, tmp_path: Path) -> None:
    changes = dict(text.split("=", 1) for text in changes_of("poor"))
    run = run_scenario(MINIMAL, seed=ARMS_PLAN.seed, out=tmp_path / "run", overrides=changes).folder
    series = pq.read_table(run / "series.parquet").to_pylist()
    rows = [row for row in series if row["measure"] == "queue"]
    sample = found.samples["poor"]
    sums: dict[str, int] = {}
    for row in rows:
        sums[row["name"]] = sums.get(row["name"], 0) + row["value"]
    assert sample.queue_place == max(sums, key=lambda name: (sums[name], name))
    most = [0] * len(sample.queue)
    for row in rows:
        if row["name"] == sample.queue_place:
            at = row["time_us"] * len(most) // sample.horizon_us
            most[at] = max(most[at], row["value"])
    assert list(sample.queue) == most
    assert any(most)


def test_more_arms_than_are_played_leave_nothing_behind() -> None:
    [base] = [one for one in two_arms({"clock.horizon": "20 s"}) if one.name == "rich"]
    many = [type(base)(f"arm_{at}", base.text, base.streams) for at in range(ARMS_MAX + 1)]
    plan = type(ARMS_PLAN)(1, replications=2, measures=("success_rate",), baseline="arm_4")
    found = compare_arms(many, plan, LocalPool(1))
    assert list(found.samples) == ["arm_4", "arm_0", "arm_1", "arm_2"]
    page = render(compare_document(found, {}), "html")
    assert "1 more arm is not played" in page


def test_a_page_plays_and_a_terminal_does_not(found: Comparison) -> None:
    document = compare_document(found, {})
    page = render(document, "html")
    seen = read_page(page)
    assert "Play them side by side" in seen.texts
    assert page.count('<div class="arm">') == 2
    assert len(page.encode()) < 250_000
    for form in ("terminal", "markdown", "latex"):
        assert "side by side" not in render(document, form)
    assert "customers" not in render(document, "json")


def test_nothing_is_played_where_nobody_went_anywhere() -> None:
    empty = RunSample((), {}, 0, 1)
    plan = Comparison(ARMS_PLAN, {}, {}, (), {}, samples={"a": empty, "b": empty})
    assert recording_of_arms(plan) is None
