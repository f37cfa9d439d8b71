"""A run folder is a result only when it says so, and is never replaced behind the user's back."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sim.errors import MachineError, UserError
from sim.tables.digest import plan_hash
from sim.tables.open_run import open_run
from sim.tables.run_folder import (
    FolderChoice,
    RunRequest,
    RunResult,
    begin_run,
    compare_with_earlier,
    complete_run,
)
from sim.tables.run_place import FINISHED, UNFINISHED, RunPlace, strange_files
from sim.tables.whole_file import machine_errors
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


def finish(where: FolderChoice, request: RunRequest = REQUEST, **named: object) -> Path:
    """Make a finished run with a table and a scenario in it, and return its folder."""
    with begin_run(where, request) as run:
        (run.aside / "payments.parquet").write_bytes(b"payments")
        (run.aside / "scenario.yaml").write_text(request.text)
        complete_run(run, replace(RESULT, **named), {"measures": {}})
    return run.path


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({}, "0123456789ab-s0"),
        ({"seed": 7}, "0123456789ab-s7"),
        ({"asked": "10 replications", "replications": 10}, "0123456789ab-s0-x10"),
        ({"asked": "p99±1 %"}, "0123456789ab-s0-precise"),
        ({"record": "none"}, "0123456789ab-s0-none"),
        ({"engine": "reference"}, "0123456789ab-s0-reference"),
        ({"scenario_hash": "bb"}, "0123456789ab-s0"),
        ({"scenario": "china-two-way"}, "0123456789ab-s0"),
    ],
)
def test_every_question_has_a_folder_of_its_own(
    tmp_path: Path, changed: dict[str, object], name: str
) -> None:
    asked = replace(REQUEST, **changed)
    path = choice(tmp_path).path(asked)
    assert path.parent == tmp_path / "results" / "china-two-way"
    assert path.name.startswith(f"{name}-")
    # Eight digits of what was asked: demand and names make no other plan, and no other name.
    assert len(path.name) == len(name) + 1 + 8
    assert (path == choice(tmp_path).path(REQUEST)) is (changed == {})


def test_run_json_says_running_until_it_is_complete(tmp_path: Path) -> None:
    with begin_run(choice(tmp_path), REQUEST) as run:
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
    # Nothing hidden is left.
    assert sorted(path.name for path in run.path.iterdir()) == ["run.json", "summary.json"]


def test_figures_json_has_no_word_for_are_null(tmp_path: Path) -> None:
    with begin_run(choice(tmp_path), REQUEST) as run:
        result = replace(RESULT, engine_seconds=float("nan"))
        complete_run(run, result, {"a": [float("inf"), {"b": float("nan")}, 1.5]})
    finished = open_run(run.path)
    assert finished.summary() == {"a": [None, {"b": None}, 1.5]}
    assert finished.facts["engine_seconds"] is None
    assert strange_files(run.path, ("run.json", "summary.json")) == []


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
    finish(out)
    with pytest.raises(UserError, match=r"of the same question;.*--force"):
        begin_run(out, REQUEST)
    other = replace(REQUEST, seed=5, asked="3 replications")
    told = r"of another question \(seed 0 -> 5; asked for one run -> 3 replications\)"
    with pytest.raises(UserError, match=told):
        begin_run(out, other)
    assert open_run(tmp_path / "mine").facts["payments"] == 3
    with begin_run(replace(out, force=True), REQUEST) as run:
        assert run.earlier is not None


@pytest.mark.parametrize("is_default", [True, False])
def test_the_old_run_stands_until_the_new_one_is_complete(tmp_path: Path, is_default: bool) -> None:
    where = choice(tmp_path) if is_default else FolderChoice(out=tmp_path / "mine", force=True)
    path = finish(where)
    before = {file.name: file.read_bytes() for file in path.iterdir()}

    def broken_off() -> None:
        with begin_run(where, REQUEST) as run:
            (run.aside / "payments.parquet").write_bytes(b"half")
            assert open_run(path).facts["payments"] == 3
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()
    assert {file.name: file.read_bytes() for file in path.iterdir()} == before


def test_the_rest_of_a_process_that_was_killed_goes_with_the_next_run(tmp_path: Path) -> None:
    path = finish(choice(tmp_path))
    rest = path / UNFINISHED / "run"
    rest.mkdir(parents=True)
    (rest / "payments.parquet").write_bytes(b"half")
    # Whatever number of a process it names: nobody holds the lock.
    (path / UNFINISHED / "lock").write_text(f"process {os.getpid()}, since long ago\n")
    assert open_run(path).facts["payments"] == 3
    assert finish(choice(tmp_path), payments=4) == path
    assert open_run(path).facts["payments"] == 4
    assert not (path / UNFINISHED).exists()


def _cut_off(monkeypatch: pytest.MonkeyPatch, renames: int) -> None:
    """End the process, as far as this one can, after so many files got another name."""
    left, real = [renames], Path.replace

    def replace_or_end(self: Path, target: Path) -> Path:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace_or_end)


@pytest.mark.parametrize("renames", range(8))
def test_cut_off_at_any_rename_a_folder_is_of_one_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renames: int
) -> None:
    where = FolderChoice(out=tmp_path / "mine", force=True)
    path = finish(where, replace(REQUEST, text="old: 1"), payments=1)
    (path / "notes.txt").write_text("mine")
    ended = False
    with monkeypatch.context() as cut:
        # summary.json and run.json aside; taking place; run.json to running; three tables, run.json
        _cut_off(cut, renames)
        try:
            with begin_run(where, replace(REQUEST, text="new: 1")) as run:
                (run.aside / "scenario.yaml").write_text("new: 1")
                complete_run(run, replace(RESULT, payments=2), {})
        except KeyboardInterrupt:
            ended = True
    assert ended is (renames < 7)
    seen = json.loads((path / "run.json").read_text())
    if seen["status"] == "complete" and not (path / FINISHED).exists():
        text = {1: "old: 1", 2: "new: 1"}[seen["payments"]]
        assert (path / "scenario.yaml").read_text() == text
    found = open_run(path)
    is_new = found.facts["payments"] == 2
    assert is_new is (renames > 2)
    assert (path / "scenario.yaml").read_text() == ("new: 1" if is_new else "old: 1")
    # A table of the old run must not pass for one of the new.
    assert (path / "payments.parquet").exists() is not is_new
    assert strange_files(path, tuple(str(name) for name in found.facts["files"])) == []
    assert (path / "notes.txt").read_text() == "mine"
    assert not (path / FINISHED).exists()
    assert not list(path.glob("*.yours*"))


def test_what_the_user_changed_or_put_there_is_never_replaced(tmp_path: Path) -> None:
    out = FolderChoice(out=tmp_path, force=True)
    (tmp_path / "notes.txt").write_text("mine")
    for name in ("scenario.yaml", "payments.parquet", "run.json", "replications.parquet"):
        (tmp_path / name).write_text("mine")
        with pytest.raises(UserError, match=f"found {name}, which this program did not write"):
            begin_run(out, REQUEST)
        assert (tmp_path / name).read_text() == "mine"
        (tmp_path / name).unlink()
    finish(out)
    (tmp_path / "scenario.yaml").write_text("changed")
    facts = json.loads((tmp_path / "run.json").read_text())
    (tmp_path / "run.json").write_text(json.dumps({**facts, "note": "as in the paper"}))
    with pytest.raises(UserError, match=r"found run\.json, summary\.json, scenario\.yaml, pay"):
        begin_run(out, REQUEST)
    (tmp_path / "run.json").write_text(json.dumps(facts))
    with pytest.raises(UserError, match=r"found scenario\.yaml, which"):
        begin_run(out, REQUEST)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_what_the_user_changes_while_a_run_goes_on_is_kept(tmp_path: Path) -> None:
    out = FolderChoice(out=tmp_path, force=True)
    finish(out)
    with begin_run(out, REQUEST) as run:
        (run.aside / "scenario.yaml").write_text("ours")
        (tmp_path / "scenario.yaml").write_text("mine")
        (tmp_path / "summary.yours.json").write_text("older")
        (tmp_path / "summary.json").write_text("mine too")
        finished = complete_run(run, RESULT, {})
    assert finished.kept == ("scenario.yours.yaml", "summary.yours-2.json")
    assert (tmp_path / "scenario.yours.yaml").read_text() == "mine"
    assert (tmp_path / "summary.yours-2.json").read_text() == "mine too"
    assert (tmp_path / "scenario.yaml").read_text() == "ours"
    assert open_run(tmp_path).summary() == {}


def test_of_two_runs_in_one_folder_one_is_told_to_wait(tmp_path: Path) -> None:
    with begin_run(choice(tmp_path), REQUEST) as run:
        told = rf"another payroute writes there now \(process {os.getpid()}, since .*--out"
        with pytest.raises(MachineError, match=told):
            begin_run(choice(tmp_path), REQUEST)
        # The refused one has taken nothing away.
        complete_run(run, RESULT, {})
    assert open_run(run.path).facts["payments"] == 3
    finish(choice(tmp_path))


def test_a_lock_whose_name_was_taken_away_is_none(tmp_path: Path) -> None:
    with begin_run(choice(tmp_path), REQUEST) as run:
        lock = run.path / UNFINISHED / "lock"
        before = lock.stat().st_ino
        lock.unlink()
        place = RunPlace(run.path)
        assert lock.stat().st_ino != before
        place.release()


def test_a_run_that_is_refused_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "scenario.yaml").write_text("mine")
    with pytest.raises(UserError):
        begin_run(FolderChoice(out=tmp_path), REQUEST)
    assert [path.name for path in tmp_path.iterdir()] == ["scenario.yaml"]


@pytest.mark.parametrize(
    ("digest", "same"), [("records:00", True), ("records:01", False), ("log:00", False)]
)
def test_repeating_a_run_says_whether_the_digest_is_the_same(
    tmp_path: Path, digest: str, same: bool
) -> None:
    finish(choice(tmp_path))
    with begin_run(choice(tmp_path), REQUEST) as again:
        told = compare_with_earlier(again, replace(RESULT, digest=digest))
    assert told is not None
    assert told[0] is same


def test_a_replaced_run_of_another_question_is_told(tmp_path: Path) -> None:
    out = FolderChoice(out=tmp_path / "mine", force=True)
    finish(out, replace(REQUEST, text="old"))

    def changed(before: str, after: str) -> list[str]:
        return [f"demand.a.rate {before} -> {after}"]

    for asked, told in (
        (replace(REQUEST, scenario_hash="bb", seed=2), "seed 0 -> 2; scenario text aa -> bb"),
        (
            replace(REQUEST, scenario_hash="bb", text="new", changed_fields=changed),
            "demand.a.rate old -> new",
        ),
    ):
        with begin_run(out, asked) as run:
            found = compare_with_earlier(run, RESULT)
        assert found is not None
        assert found[0] is False
        words = found[1].removeprefix("replaced a finished run of another question: ")
        assert set(words.split("; ")) == set(told.split("; "))


def test_a_different_digest_names_the_versions_that_changed(tmp_path: Path) -> None:
    with begin_run(choice(tmp_path), REQUEST) as run:
        libraries = run.facts["libraries"]
        assert isinstance(libraries, dict)
        libraries["numpy"] = "0.1"
        complete_run(run, RESULT, {})
    with begin_run(choice(tmp_path), REQUEST) as again:
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
