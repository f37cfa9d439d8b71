"""Killed, interrupted or ended at any moment, no command leaves what looks finished and is not."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.support.processes import begin, end, finished_runs, kept_files
from tests.unit.cli.queue import QUEUE, write_queue

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="signals of the POSIX kind are sent"),
]
QUIET = ("--quiet",)
RUN = ("run", "queue.yaml", "--engine", "reference", *QUIET)
COMMANDS = {
    "run": (*RUN, "--record", "events"),
    "replications": ("run", "queue.yaml", "--replications", "4", "--jobs", "2", *QUIET),
    "compare": ("compare", "queue.yaml", "four.yaml", "--replications", "4", "--jobs", "2", *QUIET),
    "sweep": ("sweep", "clerks.yaml", "--jobs", "2", *QUIET),
    "stress": (
        *("stress", "queue.yaml", "--slo", "mean<=3s", "--load", "1x", "--replications", "2"),
        *("--jobs", "2", *QUIET),
    ),
    "sensitivity": (
        *("sensitivity", "minimal.yaml", "--replications", "2", "--sobol", "0", "--top", "1"),
        *("--jobs", "2", *QUIET),
    ),
}
QUICK = ("run", "sweep")
"""Those of which a few are killed in every run of the suite."""
MINIMAL = Path(__file__).parents[3] / "scenarios" / "minimal.yaml"


def _write_all(folder: Path) -> dict[Path, bytes]:
    """Write what the commands read, and files of the user's beside; return them all."""
    (folder / "results" / "three-clerks").mkdir(parents=True)
    write_queue(folder)
    (folder / "four.yaml").write_text(QUEUE.replace("servers: 3", "servers: 4"))
    (folder / "minimal.yaml").write_text(MINIMAL.read_text())
    (folder / "clerks.yaml").write_text(
        "experiment: clerks\nscenario: queue.yaml\nreplications: 2\nmeasures: [success_rate]\n"
        "sweep: {factors: {rails.shop.stations.counter.servers: {values: [2, 3, 4, 5]}}}\n"
    )
    (folder / "results" / "three-clerks" / "notes.txt").write_text("mine")
    (folder / "scenario.yaml").write_text(QUEUE)
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _end_somewhere(
    folder: Path,
    words: tuple[str, ...],
    luck: random.Random,
    seconds: float,
    number: signal.Signals,
) -> int:
    """Begin a command, end it somewhere on its way, and return how it ended."""
    process = begin(folder, *words)
    time.sleep(luck.uniform(0.0, seconds))
    code, told = end(process, number)
    if number == signal.SIGINT:
        # What is refused may be so before it is interrupted.
        assert code in (0, 130, -signal.SIGINT, *((2,) if _may_be_refused(words) else ()))
        assert code != 130 or told.endswith("error: interrupted; what was begun is not a result\n")
    return code


def _may_be_refused(words: tuple[str, ...]) -> bool:
    """Tell whether a command asks for the user's own folder, or adds where nothing may be yet."""
    return "." in words or "--add" in words


def _duration(folder: Path, words: tuple[str, ...]) -> tuple[int, float]:
    """Let a command come to its end; return its exit code and how long it took."""
    begun, process = time.monotonic(), begin(folder, *words)
    _, told = process.communicate(timeout=300)
    assert process.returncode in (0, 3), told
    return process.returncode, time.monotonic() - begun


def _kill(folder: Path, name: str, times: int, seed: int) -> Counter[str]:
    """Kill a command so often at random moments; nothing that was finished is touched by it."""
    luck, counts, words = random.Random(seed), Counter[str](), COMMANDS[name]
    old = folder / "old"
    users = _write_all(old)
    code, seconds = _duration(old, words)
    runs, kept = finished_runs(old), kept_files(old)
    names = {path.name: digest for path, digest in runs.items()}
    assert runs or kept
    for at in range(times):
        # Every other time nothing is there yet: a folder must not begin to look finished.
        where = old if at % 2 else folder / f"new-{at}"
        if where != old:
            _write_all(where)
        ended = _end_somewhere(where, words, luck, seconds, signal.SIGKILL)
        counts["killed" if ended == -signal.SIGKILL else "had ended"] += 1
        found = finished_runs(where)
        if where == old:
            assert found == runs
            assert kept_files(old).items() >= kept.items()
        else:
            # It may be killed after the run took its place, while it is shown.
            assert {path.name: one for path, one in found.items()}.items() <= names.items()
            counts["complete when killed"] += len(found)
        if at < 1:
            assert _duration(where, words)[0] == code
            again = {path.name: one for path, one in finished_runs(where).items()}
            assert again == names
    assert {path: path.read_bytes() for path in users} == users
    assert finished_runs(old) == runs
    return counts


@pytest.mark.parametrize(
    "name",
    [
        *QUICK,
        *(pytest.param(one, marks=pytest.mark.large) for one in COMMANDS if one not in QUICK),
    ],
)
def test_killed_anywhere_nothing_looks_finished_that_is_not(tmp_path: Path, name: str) -> None:
    counts = _kill(tmp_path, name, 2, seed=5)
    assert counts["killed"] + counts["had ended"] == 2


@pytest.mark.large
def test_killed_two_hundred_times(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    counts = Counter[str]()
    for name, times in zip(COMMANDS, (60, 40, 30, 30, 20, 20), strict=True):
        place = tmp_path / name
        place.mkdir()
        found = _kill(place, name, times, seed=16)
        counts += found
        with capsys.disabled():
            print(f"{name}: {times} times, {dict(found)}")  # noqa: T201
    with capsys.disabled():
        print(f"in all: {dict(counts)}; 0 looked finished and were not")  # noqa: T201
    assert counts["killed"] + counts["had ended"] == 200


ACTIONS = (
    RUN,
    (*RUN, "--record", "events"),
    (*RUN, "--seed", "2"),
    (*RUN, "--set", "demand.customers.rate=1.5 /s"),
    (*RUN, "--replications", "2", "--jobs", "1"),
    (*RUN, "--replications", "3", "--jobs", "1"),
    (*RUN, "--replications", "4", "--jobs", "2", "--add"),
    (*RUN, "--out", "mine", "--force"),
    (*RUN, "--out", "mine", "--force", "--seed", "9"),
    (*RUN, "--out", "."),
    COMMANDS["sweep"],
    (*COMMANDS["sweep"], "--replications", "3"),
    (*COMMANDS["sweep"], "--set", "clock.horizon=1 min"),
    COMMANDS["compare"],
)


def _live(folder: Path, actions: int, seed: int) -> Counter[str]:
    """Spend a day in one folder: run, run again, change, interrupt; nothing finished is lost."""
    users, luck, counts = _write_all(folder), random.Random(seed), Counter[str]()
    ways = (None, None, signal.SIGKILL, signal.SIGINT, signal.SIGTERM)
    runs: dict[Path, str] = {}
    kept: dict[Path, bytes] = {}
    asked: set[tuple[str, ...]] = set()
    for _ in range(actions):
        words, way = luck.choice(ACTIONS), luck.choice(ways)
        if way is None:
            process = begin(folder, *words)
            _, told = process.communicate(timeout=300)
            code = process.returncode
            is_refused = "." in words or (_may_be_refused(words) and code == 2)
            assert code == (2 if is_refused else 0), told
            counts["refused" if is_refused else "finished"] += 1
            if words[0] == "run" and not is_refused:
                asked.add(_question(words))
        else:
            _end_somewhere(folder, words, luck, 4.0, way)
            counts[way.name] += 1
        found, files = finished_runs(folder), kept_files(folder)
        # Only what was asked to be replaced may be another run now.
        named = {path: digest for path, digest in runs.items() if path != folder / "mine"}
        assert found.items() >= named.items()
        assert (folder / "mine" in found) >= (folder / "mine" in runs)
        assert files.items() >= kept.items()
        assert {path: path.read_bytes() for path in users} == users
        runs, kept = found, files
        # Each question that was once answered has its run.
        assert len(runs) >= len(asked)
    counts["answered"] = len(asked)
    counts["runs"], counts["points, tables, studies"] = len(runs), len(kept)
    return counts


def _question(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return what a run is of: replications are one question however many, "mine" is one place."""
    if "mine" in words:
        return ("mine",)
    return words if "--replications" not in words else ("--replications",)


def test_an_hour_in_one_folder_loses_nothing(tmp_path: Path) -> None:
    # With this seed four actions come to their end, four are killed, interrupted or ended.
    counts = _live(tmp_path, 8, seed=8)
    assert counts["finished"] == 4
    assert counts["answered"] == 2
    assert counts["runs"] >= counts["answered"]


@pytest.mark.large
def test_a_day_in_one_folder_loses_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = _live(tmp_path, 100, seed=3)
    with capsys.disabled():
        print(dict(counts))  # noqa: T201
    assert counts["runs"] >= 7


def test_two_processes_never_mix_two_runs_in_one_folder(tmp_path: Path) -> None:
    write_queue(tmp_path)
    words = (*RUN, "--out", "one", "--force", "--set")
    for _ in range(2):
        two = [begin(tmp_path, *words, f"demand.customers.rate={rate} /s") for rate in (1, 2)]
        told = [process.communicate(timeout=120)[1] for process in two]
        codes = [process.returncode for process in two]
        # Both, one after the other, or one that is told to wait.
        assert set(codes) <= {0, 4}
        assert 0 in codes
        for code, words_told in zip(codes, told, strict=True):
            assert (code == 4) == ("another payroute writes there now (process " in words_told)
        assert list(finished_runs(tmp_path)) == [tmp_path / "one"]
