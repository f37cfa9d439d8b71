"""A run folder is a result only when it says so, and is never replaced behind the user's back."""

from __future__ import annotations

import errno
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sim.errors import MachineError, UserError
from sim.tables.digest import plan_hash
from sim.tables.finished_run import open_run
from sim.tables.parquet_stream import machine_errors
from sim.tables.run_folder import (
    FolderChoice,
    RunRequest,
    RunResult,
    begin_run,
    compare_with_earlier,
    complete_run,
)
from tests.unit.tables.corridor import corridor_plan

REQUEST = RunRequest(["payroute", "run", "x.yaml"], "china two way", "aa", "0123456789ab", 0)
RESULT = RunResult(payments=3, events=9, digest="records:00", wall_seconds=1.5)
RUN_KEYS = (
    *("status", "software", "libraries", "command", "scenario", "scenario_hash", "plan_hash"),
    *("seed", "engine", "replications", "started_at", "finished_at", "wall_seconds"),
    *("engine_seconds", "peak_memory_bytes", "payments", "events", "digest", "machine"),
)


def choice(tmp_path: Path) -> FolderChoice:
    return FolderChoice(results=tmp_path / "results")


def test_folder_is_named_after_scenario_plan_and_seed(tmp_path: Path) -> None:
    run = begin_run(choice(tmp_path), REQUEST)
    assert run.path == tmp_path / "results" / "china-two-way" / "0123456789ab-s0"


def test_run_json_says_running_until_it_is_complete(tmp_path: Path) -> None:
    run = begin_run(choice(tmp_path), REQUEST)
    facts = json.loads((run.path / "run.json").read_text())
    assert facts["status"] == "running"
    with pytest.raises(UserError, match=r"did not finish.*'running'.*not a result"):
        open_run(run.path)
    complete_run(run, RESULT, {"measures": {}})
    finished = open_run(run.path)
    assert finished.facts["status"] == "complete"
    assert finished.facts["payments"] == 3
    assert isinstance(finished.facts["peak_memory_bytes"], int)
    assert [key for key in RUN_KEYS if key not in finished.facts] == []
    assert finished.summary() == {"measures": {}}
    made_by = finished.facts["software"]
    assert isinstance(made_by, dict)
    assert made_by.keys() == {"name", "version", "source", "commit", "dirty"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "not a run folder"),
        ("{", "not readable as JSON"),
        ("[]", "not a JSON object"),
        ('{"status": "failed"}', "did not finish"),
        ("{}", "did not finish"),
    ],
)
def test_a_folder_that_is_no_result_is_refused(
    tmp_path: Path, content: str | None, message: str
) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    with pytest.raises(UserError, match=message):
        open_run(tmp_path)


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such folder"):
        open_run(tmp_path / "nowhere")


def test_out_refuses_a_finished_run_unless_forced(tmp_path: Path) -> None:
    out = FolderChoice(out=tmp_path / "mine")
    complete_run(begin_run(out, REQUEST), RESULT, {})
    with pytest.raises(UserError, match="--force"):
        begin_run(out, REQUEST)
    assert open_run(tmp_path / "mine").facts["payments"] == 3
    run = begin_run(replace(out, force=True), REQUEST)
    assert run.earlier is not None


def test_out_takes_an_unfinished_run_and_leaves_other_files_alone(tmp_path: Path) -> None:
    out = FolderChoice(out=tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    begin_run(out, REQUEST)
    (tmp_path / "payments.parquet").write_text("half")
    begin_run(out, REQUEST)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert not (tmp_path / "payments.parquet").exists()


@pytest.mark.parametrize(
    ("digest", "same"), [("records:00", True), ("records:01", False), ("log:00", None)]
)
def test_repeating_a_run_says_whether_the_digest_is_the_same(
    tmp_path: Path, digest: str, same: bool | None
) -> None:
    complete_run(begin_run(choice(tmp_path), REQUEST), RESULT, {})
    again = begin_run(choice(tmp_path), REQUEST)
    told = compare_with_earlier(again, replace(RESULT, digest=digest))
    assert (None if told is None else told[0]) is same


def test_a_different_digest_names_the_versions_that_changed(tmp_path: Path) -> None:
    run = begin_run(choice(tmp_path), REQUEST)
    libraries = run.facts["libraries"]
    assert isinstance(libraries, dict)
    libraries["numpy"] = "0.1"
    complete_run(run, RESULT, {})
    again = begin_run(choice(tmp_path), REQUEST)
    told = compare_with_earlier(again, replace(RESULT, digest="records:01"))
    assert told is not None
    assert "changed since: numpy 0.1 -> " in told[1]


def test_a_path_through_a_file_is_the_machines_no(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError, match=r"part of the path is a file.*--out"):
        begin_run(FolderChoice(out=tmp_path / "file" / "run"), REQUEST)


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "free space"),
        (errno.EACCES, "permission denied"),
        (errno.EROFS, "read-only"),
        (errno.EIO, "another folder"),
    ],
)
def test_what_the_system_refuses_names_a_remedy(number: int, remedy: str) -> None:
    with pytest.raises(MachineError, match=remedy) as raised, machine_errors(Path("x")):
        raise OSError(number, "no")
    assert raised.value.exit_code == 4


def test_plan_hash_counts_everything_but_seed_and_replication() -> None:
    plan = corridor_plan(7)
    assert len(plan_hash(plan)) == 12
    assert plan_hash(plan) == plan_hash(corridor_plan(8))
    assert plan_hash(plan) == plan_hash(replace(plan, replication=4))
    fee = plan.fee.copy()
    fee[0, 2] += 1
    others = [
        replace(plan, fee=fee),
        replace(plan, horizon_us=plan.horizon_us + 1),
        replace(plan, names=replace(plan.names, scenario="other")),
        replace(plan, candidate=np.append(plan.candidate, 0)),
    ]
    hashes = {plan_hash(other) for other in (plan, *others)}
    assert len(hashes) == 5
