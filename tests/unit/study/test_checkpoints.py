"""A run goes on from its checkpoint to the same digest, summary and tables, or says why not."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sim.errors import OptionError, UserError
from sim.study.case import RunOptions
from sim.study.checkpoints import CHECKPOINT_FOLDER, Stretches, run_in_stretches
from sim.study.result import Result
from sim.study.run import run_scenario
from sim.tables.checkpoint_file import read_checkpoint, write_checkpoint
from sim.units import MINUTE_US, SECOND_US
from tests.support.scenarios import ROOT
from tests.support.tiny import write_tiny

QUIET, EVENTS = RunOptions(record="none"), RunOptions(record="events")

RUNS = [
    # Name, changes, recorded, instants stopped at: anywhere, and on the stroke of a second.
    pytest.param("minimal.yaml", (), "events", (7_000_001, 20 * SECOND_US), id="minimal"),
    pytest.param(
        "rtgs-morning.yaml", (), "stages", (90 * MINUTE_US, 123_456_789), id="large-value"
    ),
    pytest.param(
        "library/trace-replay.yaml", (), "payments", (4 * MINUTE_US,), id="written-payments"
    ),
    pytest.param(
        "library/retry-storm.yaml",
        ("clock.horizon=10 min",),
        "none",
        (4 * MINUTE_US, 5 * MINUTE_US + 1),
        id="storm-learning-and-patience",
    ),
    pytest.param(
        "china-two-way.yaml",
        ("clock.horizon=2 min", "clock.warm_up=20 s"),
        "payments",
        (10 * SECOND_US, 20 * SECOND_US, 61_234_567),
        id="two-way-at-the-warm-up",
    ),
    pytest.param(
        "../sim/study/fuzz/everything.yaml",
        (),
        "events",
        (61 * SECOND_US, 125_000_001),
        id="every-feature",
    ),
    pytest.param(
        "golden-week.yaml",
        ("clock.horizon=3 d",),
        "payments",
        (1_440 * MINUTE_US, 2_900 * MINUTE_US),
        marks=pytest.mark.slow,
        id="golden-week-with-files-and-netting",
    ),
]


def _go_on(
    path: Path, out: Path, options: RunOptions, instants: tuple[int, ...], *changes: str
) -> Result:
    """Run in stretches that end at the instants, each in a call of its own."""
    for number, at in enumerate(instants):
        stretches = Stretches(stop_us=at, continues=number > 0)
        stopped = run_in_stretches(path, stretches, options=options, out=out, overrides=changes)
        assert stopped == out
        assert (out / CHECKPOINT_FOLDER / "checkpoint").exists()
        assert not (out / "summary.json").exists()
    ended = run_in_stretches(
        path, Stretches(continues=True), options=options, out=out, overrides=changes
    )
    assert isinstance(ended, Result)
    return ended


def _decoded(path: Path) -> pa.Table:
    table = pq.read_table(path)
    kinds = [(one.name, one.type) for one in table.schema]
    return table.cast(
        pa.schema(
            [(n, k.value_type if pa.types.is_dictionary(k) else k) for n, k in kinds],
            metadata=table.schema.metadata,
        )
    )


@pytest.mark.parametrize(("name", "changes", "record", "instants"), RUNS)
def test_run_that_stopped_is_the_run_that_did_not(
    name: str, changes: tuple[str, ...], record: str, instants: tuple[int, ...], tmp_path: Path
) -> None:
    path, options = ROOT / "scenarios" / name, RunOptions(record=record)
    whole = run_scenario(path, record=record, out=tmp_path / "whole", overrides=changes)
    instants = tuple(sorted(instants))
    ended = _go_on(path, tmp_path / "stopped", options, instants, *changes)
    for fact in ("digest", "payments_digest", "payments", "events"):
        assert ended.facts[fact] == whole.facts[fact]
    told = [(folder / "summary.json").read_text() for folder in (whole.folder, ended.folder)]
    assert told[0] == told[1]
    tables = {one.name for one in whole.folder.glob("*.parquet")}
    assert {one.name for one in ended.folder.glob("*.parquet")} == tables
    for table in tables:
        # Which number a text has in a file is the file's affair.
        assert _decoded(ended.folder / table).equals(_decoded(whole.folder / table)), table
    assert not (ended.folder / CHECKPOINT_FOLDER).exists()


def test_checkpoints_on_the_way_change_nothing(tmp_path: Path) -> None:
    path = write_tiny(tmp_path)
    whole = run_scenario(path, record="events", out=tmp_path / "whole")
    every = run_in_stretches(
        path, Stretches(every_us=7 * SECOND_US), options=EVENTS, out=tmp_path / "every"
    )
    assert isinstance(every, Result)
    assert every.facts["digest"] == whole.facts["digest"]
    assert every.summary == whole.summary


@pytest.mark.parametrize(
    ("stretches", "instant_us", "expected_us"),
    [
        (Stretches(every_us=10), 0, 10),
        (Stretches(every_us=10), 10, 20),
        (Stretches(every_us=10, stop_us=15), 10, 15),
        (Stretches(every_us=10, stop_us=15), 15, 20),
        (Stretches(every_us=30), 80, 90),
        (Stretches(every_us=30), 90, 100),
        (Stretches(), 0, 100),
    ],
    ids=["first", "next", "stop", "behind-the-stop", "third", "horizon-first", "none"],
)
def test_next_stop_is_the_next_multiple_the_stop_or_the_horizon(
    stretches: Stretches, instant_us: int, expected_us: int
) -> None:
    assert stretches.after(instant_us, 100) == expected_us


def _stopped(folder: Path) -> Path:
    """Stop a small run after 20 seconds and return its folder."""
    out = folder / "out"
    run_in_stretches(write_tiny(folder), Stretches(stop_us=20 * SECOND_US), options=QUIET, out=out)
    return out


@pytest.mark.parametrize(
    ("seed", "options", "changes", "told"),
    [
        (7, QUIET, (), "seed 20250917 -> 7"),
        (None, EVENTS, (), "record none -> events"),
        (None, QUIET, ("demand.customers.rate=2.5 /s",), "scenario "),
        (None, QUIET, ("rails.shop.stations.till.servers=4",), "scenario "),
    ],
    ids=["seed", "record", "demand", "plan"],
)
def test_checkpoint_of_another_run_is_refused_by_what_differs(
    seed: int | None, options: RunOptions, changes: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    out = _stopped(tmp_path)
    with pytest.raises(UserError, match=told):
        run_in_stretches(
            tmp_path / "tiny.yaml",
            Stretches(continues=True),
            seed=seed,
            options=options,
            out=out,
            overrides=changes,
        )


def test_checkpoint_of_another_source_is_refused(tmp_path: Path) -> None:
    out = _stopped(tmp_path)
    place = out / CHECKPOINT_FOLDER / "checkpoint"
    kept = read_checkpoint(place)
    made_by = kept.facts["software"]
    assert isinstance(made_by, dict)
    made_by["payroute"] = "0123456789ab"
    write_checkpoint(place, kept)
    with pytest.raises(UserError, match="payroute 0123456789ab -> "):
        run_in_stretches(tmp_path / "tiny.yaml", Stretches(continues=True), options=QUIET, out=out)


def test_a_run_that_goes_on_took_what_it_took_before_it_stopped(tmp_path: Path) -> None:
    out = _stopped(tmp_path)
    place = out / CHECKPOINT_FOLDER / "checkpoint"
    kept = read_checkpoint(place)
    # As if two hours had been spent on it, one and a half of them by the engine.
    kept.facts.update(wall_seconds=7_200.0, engine_seconds=5_400.0)
    write_checkpoint(place, kept)
    ended = run_in_stretches(
        tmp_path / "tiny.yaml", Stretches(continues=True), options=QUIET, out=out
    )
    assert isinstance(ended, Result)
    assert 7_200 < ended.facts["wall_seconds"] < 7_900
    assert 5_400 < ended.facts["engine_seconds"] < 5_900


@pytest.mark.parametrize("where", [3, 40, 2_000, -1], ids=["format", "head", "facts", "arrays"])
def test_altered_checkpoint_is_no_checkpoint(where: int, tmp_path: Path) -> None:
    place = _stopped(tmp_path) / CHECKPOINT_FOLDER / "checkpoint"
    content = bytearray(place.read_bytes())
    content[where] ^= 1
    place.write_bytes(content)
    with pytest.raises(UserError, match=r"checkpoint of this format|not as it was written"):
        read_checkpoint(place)
    place.write_bytes(bytes(content[: len(content) // 2]))
    with pytest.raises(UserError, match=r"checkpoint of this format|not as it was written"):
        read_checkpoint(place)


def test_run_that_stopped_is_neither_begun_anew_by_mistake_nor_taken_for_a_result(
    tmp_path: Path,
) -> None:
    out, path = _stopped(tmp_path), tmp_path / "tiny.yaml"
    assert json.loads((out / "run.json").read_text())["status"] == "running"
    with pytest.raises(UserError, match="--continue"):
        run_in_stretches(path, Stretches(every_us=SECOND_US), options=QUIET, out=out)
    anew = run_in_stretches(
        path, Stretches(every_us=30 * SECOND_US), options=QUIET, out=out, force=True
    )
    assert isinstance(anew, Result)


@pytest.mark.parametrize(
    ("stretches", "options", "told"),
    [
        (Stretches(stop_us=60 * SECOND_US), QUIET, "before 1 min"),
        (Stretches(every_us=1), RunOptions(engine="reference"), "allowed: compiled"),
        (Stretches(every_us=1), RunOptions(audit=True), "payroute audit"),
    ],
    ids=["stop-at-the-horizon", "reference", "audit"],
)
def test_what_cannot_be_is_refused(
    stretches: Stretches, options: RunOptions, told: str, tmp_path: Path
) -> None:
    with pytest.raises(OptionError, match=told):
        run_in_stretches(write_tiny(tmp_path), stretches, options=options, out=tmp_path / "out")


def test_nothing_to_go_on_from_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no checkpoint there"):
        run_in_stretches(write_tiny(tmp_path), Stretches(continues=True), out=tmp_path / "out")


def test_going_on_behind_the_stop_is_refused(tmp_path: Path) -> None:
    out = _stopped(tmp_path)
    with pytest.raises(OptionError, match="after 20 s"):
        run_in_stretches(
            tmp_path / "tiny.yaml",
            Stretches(stop_us=20 * SECOND_US, continues=True),
            options=QUIET,
            out=out,
        )
