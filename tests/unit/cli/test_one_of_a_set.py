"""``run --replication K`` is that one of a set; ``run --watch`` changes nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from rich.console import Console

import sim
from sim.cli.watching import LiveWatcher
from sim.contract.meaning import LogKind, Outcome
from sim.errors import OptionError
from sim.report.blocks import Figure
from sim.report.documents.report import report_document
from sim.report.figures.journeys import covered_payments
from sim.study.live import LiveFigures, LiveRun
from tests.unit.cli.queue import payroute, write_queue

BRIEF = ("--engine", "reference", "--set", "clock.horizon=30 s")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a set of three and the third of it alone."""
    place = tmp_path_factory.mktemp("set")
    path = write_queue(place)
    for name, words in {"set": ("--replications", "3"), "alone": ("--replication", "2")}.items():
        more = ("--record", "events", "--out", place / name, *words)
        done = payroute("run", path, *BRIEF, *more)
        assert done.exit_code == 0, done.output
    return place


@pytest.mark.parametrize("table", ["payments", "fees", "stages", "events", "series"])
def test_its_rows_are_those_of_the_set(folder: Path, table: str) -> None:
    of_set = pq.read_table(folder / "set" / f"{table}.parquet").to_pylist()
    alone = pq.read_table(folder / "alone" / f"{table}.parquet").to_pylist()
    assert alone == [row for row in of_set if row["replication"] == 2]
    # The first of the set is another run.
    assert len(of_set) > 2 * len(alone) > 0 or table == "fees"


def test_its_measures_are_those_the_set_keeps_of_it(folder: Path) -> None:
    kept = pq.read_table(folder / "set" / "replications.parquet").to_pylist()
    own = {
        row["measure"]: row["value"]
        for row in kept
        if row["replication"] == 2 and row["group"] == "headline"
    }
    summary = json.loads((folder / "alone" / "summary.json").read_text(encoding="utf-8"))
    found = {name: one["value"] for name, one in summary["measures"].items()}
    assert found == {name: own[name] for name in found}
    assert own["completed"] > 10


def test_the_folder_says_which_one_it_is(folder: Path) -> None:
    facts = json.loads((folder / "alone" / "run.json").read_text(encoding="utf-8"))
    assert (facts["replication"], facts["replications"]) == (2, 1)
    assert facts["asked"] == "replication 2 alone"
    assert sim.open(folder / "alone").run.replications == range(2, 3)
    assert sim.open(folder / "set").run.replications == range(3)


def test_it_has_a_folder_of_its_own_and_is_said_to_be_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = write_queue(tmp_path)
    first = payroute("run", path, *BRIEF, "--json")
    third = payroute("run", path, *BRIEF, "--replication", "2", "--json")
    folders = [Path(json.loads(done.stdout)["run_folder"]) for done in (first, third)]
    assert "-r2-" in folders[1].name
    assert "-r2-" not in folders[0].name
    told = payroute("run", path, *BRIEF, "--replication", "2")
    assert "seed 1, replication 2 alone, reference engine" in told.stdout
    # What replication 0 is called is what a run is called.
    zero = payroute("run", path, *BRIEF, "--replication", "0", "--json")
    assert Path(json.loads(zero.stdout)["run_folder"]) == folders[0]


def test_it_is_audited_reproduced_and_explained_as_what_it_is(folder: Path) -> None:
    alone = folder / "alone"
    assert payroute("audit", alone).exit_code == 0
    done = payroute("reproduce", alone)
    assert done.exit_code == 0, done.output
    story = payroute("explain", alone, "--payment", "3")
    assert story.exit_code == 0, story.output
    row = pq.read_table(alone / "payments.parquet").to_pylist()[0]
    assert (
        f"Payment {row['payment_id']} "
        in payroute("explain", alone, "--payment", str(row["payment_id"])).stdout
    )
    wrong = payroute("explain", alone, "--payment", "3", "--replication", "0")
    assert wrong.exit_code == 2
    assert "has 1 replication, allowed: 2" in wrong.stderr


def test_an_audit_without_a_log_compares_the_rows_of_that_one(folder: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(folder / "alone", bare)
    (bare / "events.parquet").unlink()
    done = payroute("audit", bare)
    assert done.exit_code == 0, done.output


def test_a_page_shows_the_payments_of_that_one(folder: Path) -> None:
    document = report_document(sim.open(folder / "alone"))
    figures = {block.name for block in document.blocks if isinstance(block, Figure)}
    assert len(figures) > 2
    assert covered_payments(sim.open(folder / "alone").run, "all")[0]


def test_python_runs_one_of_a_set(folder: Path, tmp_path: Path) -> None:
    path = write_queue(tmp_path)
    result = sim.run(
        path,
        replication=2,
        engine="reference",
        overrides={"clock.horizon": "30 s"},
        out=tmp_path / "run",
    )
    assert result.facts["payments_digest"] == sim.open(folder / "alone").facts["payments_digest"]
    with pytest.raises(OptionError, match="replication: found 2 together with several"):
        sim.run(path, replication=2, replications=3)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--replication", "2", "--replications", "3"), "--replication: found 2 together"),
        (("--replication", "-1"), "--replication: found -1; allowed: 0 to 999999"),
        (("--replication", "1000000"), "--replication: found 1000000; allowed"),
        (("--watch", "--replications", "3"), "--watch: found together with several"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    done = payroute("run", write_queue(tmp_path), *BRIEF, *words)
    assert done.exit_code == 2
    assert told in done.stderr


# --- watched while it runs -----------------------------------------------------------------------


def test_a_watched_run_has_the_same_figures_and_ends_with_a_line(
    folder: Path, tmp_path: Path
) -> None:
    words = ("run", write_queue(tmp_path), *BRIEF, "--replication", "2", "--record", "events")
    done = payroute(*words, "--watch", "--out", tmp_path / "run")
    assert done.exit_code == 0, done.output
    before, now = (sim.open(at).facts["digest"] for at in (folder / "alone", tmp_path / "run"))
    assert before == now
    rows = pq.read_table(tmp_path / "run" / "payments.parquet").to_pylist()
    failed = sum(row["outcome"] == "rejected" for row in rows)
    ended = sum(row["outcome"] != "in_progress" for row in rows)
    (line,) = [one for one in done.stderr.splitlines() if one.startswith("simulated ")]
    assert line.startswith("simulated 00:00:30 of 00:00:30 | load ")
    assert line.endswith(f"| failed {failed} ({failed / ended:.1%})")
    quiet = payroute(*words, "--watch", "--quiet", "--out", tmp_path / "again")
    assert quiet.stderr == ""


def test_load_is_what_came_since_the_line_before() -> None:
    live = LiveRun()
    console = Console(file=None, record=True, width=200, force_terminal=False, quiet=False)
    watcher = LiveWatcher(live, console)
    watcher.begin(60_000_000)
    live.figures = LiveFigures(ended=40, failed=3, longest="bank.core", queue=1200)
    # 50 payments in the first 10 s.
    watcher.advance(10_000_000, 50, 0)
    watcher.finish()
    # 30 in the 5 s after it.
    watcher.advance(15_000_000, 80, 0)
    watcher.finish()
    first, second = console.export_text().splitlines()
    assert first == (
        "simulated 00:00:10 of 00:01:00 | load 5 /s | longest queue 1 200 at bank.core | "
        "failed 3 (7.5%)"
    )
    assert "00:00:15 of 00:01:00 | load 6 /s" in second


def test_a_terminal_has_one_line_that_changes() -> None:
    console = Console(record=True, width=120, force_terminal=True, force_interactive=True)
    watcher = LiveWatcher(LiveRun(), console)
    watcher.begin(60_000_000)
    for second in range(1, 4):
        watcher.advance(second * 1_000_000, second, 0)
    watcher.finish()
    told = console.export_text(styles=False)
    assert "00:00:03 of 00:01:00" in told


def test_the_longest_queue_is_that_of_the_last_sample(tmp_path: Path) -> None:
    import numpy as np

    from sim.contract.records import LogColumn, RecordColumn
    from sim.study.compile_case import compile_replication
    from tests.support.tiny import tiny_text

    live = LiveRun().begin(compile_replication(tiny_text(tmp_path), 1, 0))

    def sample(queue: int) -> np.ndarray:
        row = np.zeros((1, len(LogColumn)), dtype=np.int64)
        row[0, LogColumn.KIND], row[0, LogColumn.AMOUNT] = LogKind.SAMPLE_STATION, queue
        return row

    for queue, told in ((3, ("shop.till", 3)), (1, ("shop.till", 1)), (0, ("", 0))):
        live.take_log(sample(queue))
        assert (live.figures.longest, live.figures.queue) == told
    records = np.zeros((4, len(RecordColumn)), dtype=np.int64)
    outcomes = (Outcome.COMPLETED, Outcome.REJECTED, Outcome.IN_PROGRESS, Outcome.NOT_PAYABLE)
    records[:, RecordColumn.OUTCOME] = outcomes
    live.take_records(records)
    assert (live.figures.ended, live.figures.failed) == (3, 2)
