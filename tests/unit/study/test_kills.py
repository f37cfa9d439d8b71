"""Killed at random moments while they write, runs and sweeps leave nothing that looks finished."""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from sim.study.case import RunOptions
from sim.study.experiment_file import load_experiment
from sim.study.pool import LocalPool
from sim.study.replicate.replicate import HowMany, run_replications
from sim.study.run import run_scenario
from sim.study.sweep.study import run_sweep
from tests.support.processes import finished_runs, kept_files
from tests.support.tiny import write_tiny

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="processes are forked"),
]
KINDS = ("run", "replications", "sweep")


def _work(kind: str, folder: Path, seed: int) -> None:
    """Do one piece of work: over the run of before, or to a folder of its own."""
    path = folder / "tiny.yaml"
    if kind == "run":
        run_scenario(
            path, seed=seed, engine="reference", record="events", out=folder / "one", force=True
        )
    elif kind == "replications":
        run_replications(
            path,
            HowMany(2),
            options=RunOptions("reference"),
            seed=seed,
            out=folder / "one",
            force=True,
        )
    else:
        run_sweep(load_experiment(folder / "tills.yaml"), str(folder), LocalPool(1), seed=seed)


def _kill(folder: Path, kind: str, times: int) -> Counter[str]:
    """Kill so many processes at work; look at what each left, and what was there before."""
    write_tiny(folder)
    (folder / "tills.yaml").write_text(
        "experiment: tills\nscenario: tiny.yaml\nreplications: 1\nmeasures: [p99]\n"
        "sweep: {factors: {rails.shop.stations.till.servers: {values: [2, 3, 4]}}}\n"
    )
    # Processes come from one that has imported everything, so that kills hit work, not imports.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "sim.tables.writer", "sim.engine.compiled"])
    luck, counts, spent = random.Random(times), Counter[str](), 60.0
    kept: dict[Path, bytes] = {}
    seed = 0
    while counts["killed"] < times:
        seed += 1
        process, begun = context.Process(target=_work, args=(kind, folder, seed)), time.monotonic()
        process.start()
        # Those that come to their end tell how long that takes; the first one alone takes longer.
        process.join(spent if seed <= 3 else luck.uniform(0.0, spent))
        spent = min(spent, time.monotonic() - begun) if seed <= 3 else spent
        process.kill()
        process.join()
        counts["killed" if process.exitcode else "had ended"] += 1
        runs, files = finished_runs(folder), kept_files(folder)
        # One run, that of before or the new one, each whole; no point and no table is lost.
        assert len(runs) == (kind != "sweep")
        assert files.items() >= kept.items()
        kept = files
    _work(kind, folder, seed + 1)
    assert not list(folder.rglob(".payroute-*"))
    return counts


@pytest.mark.parametrize("kind", KINDS)
def test_killed_while_it_writes_a_folder_is_of_one_run(tmp_path: Path, kind: str) -> None:
    assert _kill(tmp_path, kind, 8)["had ended"] >= 1


@pytest.mark.large
def test_two_hundred_kills_leave_nothing_that_looks_finished(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for kind, times in zip(KINDS, (100, 50, 50), strict=True):
        place = tmp_path / kind
        place.mkdir()
        counts = _kill(place, kind, times)
        with capsys.disabled():
            print(f"\n{kind}: {dict(counts)}, 0 look finished and are not")  # noqa: T201
        assert counts["killed"] == times
