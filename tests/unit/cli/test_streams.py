"""What cannot be printed is no bug and loses nothing, whichever way standard output ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from sim.tables.open_run import open_run
from tests.unit.cli.queue import payroute, write_queue

COMMAND = [sys.executable, "-m", "sim"]
UNPRINTED = (
    "error: standard output: [Errno 28] No space left on device; not everything was printed, but "
    "nothing that was kept in files is lost\n"
)
needs_posix = pytest.mark.skipif(os.name != "posix", reason="a shell of the POSIX kind is used")
pytestmark = [pytest.mark.slow, needs_posix]


def _shell(
    folder: Path, line: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run a line of a shell with ``$P`` for the command, and return what came of it."""
    known = {**os.environ, "P": f"{sys.executable} -m sim", **(environment or {})}
    known["PYTHONPATH"] = str(Path(__file__).parents[3])
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=folder,
        env=known,
        capture_output=True,
        check=False,
        timeout=300,
    )


RUN = "$P run queue.yaml --engine reference --out run --quiet"


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        (f"{RUN} > /dev/full", 4, UNPRINTED),
        (f"{RUN} --json > /dev/full", 4, UNPRINTED),
        (f"{RUN} > /dev/full 2>&1", 4, ""),
        (f"{RUN} 2> /dev/full", 0, ""),
        (f"{RUN} >&-", 0, ""),
        (f"{RUN} 2>&-", 0, ""),
        (f"{RUN} <&- >&- 2>&-", 0, ""),
        (f"{RUN} | head -n 1", 0, ""),
        (f"{RUN} | true", 0, ""),
    ],
)
def test_a_run_is_kept_whatever_becomes_of_its_words(
    tmp_path: Path, line: str, code: int, told: str
) -> None:
    write_queue(tmp_path)
    done = _shell(tmp_path, line)
    assert (done.returncode, done.stderr.decode()) == (code, told)
    assert open_run(tmp_path / "run").facts["status"] == "complete"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("$P --help > /dev/full", 4),
        ("$P run --help > /dev/full", 4),
        ("$P --version > /dev/full", 4),
        ("$P schema > /dev/full", 4),
        ("$P schema | true", 0),
        ("$P run --help | true", 0),
        ("$P validate queue.yaml > /dev/full", 4),
        # What was found goes before what became of the words.
        ("$P validate none.yaml > /dev/full", 2),
        ("$P qr decode - <&-", 2),
    ],
)
def test_no_command_takes_it_for_a_bug(tmp_path: Path, line: str, code: int) -> None:
    write_queue(tmp_path)
    done = _shell(tmp_path, line)
    assert done.returncode == code
    assert b"Traceback" not in done.stderr
    assert b"bug" not in done.stderr


@pytest.mark.parametrize(
    ("encoding", "line", "shown"),
    [
        ("ascii", "$P run --help", b"MEASURE+-WIDTH"),
        ("cp1252", "$P run --help", b"MEASURE+-WIDTH"),
        ("ascii", "$P run queue.yaml --precision '±' 2>&1", b"+-"),
        ("ascii", "$P schema --é 2>&1", b"No such option"),
        ("ascii", RUN, b"success rate"),
        ("latin-1", RUN, b"success rate"),
    ],
)
def test_letters_an_encoding_lacks_have_stand_ins(
    tmp_path: Path, encoding: str, line: str, shown: bytes
) -> None:
    write_queue(tmp_path)
    done = _shell(tmp_path, line, {"PYTHONIOENCODING": encoding, "COLUMNS": "200"})
    assert done.returncode in (0, 2)
    assert b"Traceback" not in done.stderr
    # cp1252 and latin-1 know the sign.
    assert shown in done.stdout.replace(b"\xb1", b"+-")


def test_a_pipe_that_does_not_wait_gets_everything(tmp_path: Path) -> None:
    # 64 KiB fit into a pipe; a schema is ten times that.
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with subprocess.Popen([*COMMAND, "schema"], stdout=writing, cwd=tmp_path) as process:
        os.close(writing)
        with os.fdopen(reading, "rb") as stream:
            content = stream.read()
    assert process.returncode == 0
    assert content.decode() == payroute("schema").stdout


def test_a_study_is_kept_before_it_is_shown(tmp_path: Path) -> None:
    path = write_queue(tmp_path)
    (tmp_path / "four.yaml").write_text(path.read_text().replace("servers: 3", "servers: 4"))
    line = "$P compare queue.yaml four.yaml --replications 2 --jobs 1 --json"
    shown = _shell(tmp_path, line)
    unshown = _shell(tmp_path, f"{line} > /dev/full")
    assert (shown.returncode, unshown.returncode) == (0, 4)
    (kept,) = (tmp_path / "results").rglob("*.json")
    assert kept.parent.name == "queue-vs-four"
    told = f"kept in {kept.relative_to(tmp_path)}\n{UNPRINTED}"
    assert unshown.stderr.decode().endswith(told)
    told, held = json.loads(shown.stdout), json.loads(kept.read_text())
    assert held["pairs"] == told["pairs"] != []
    assert held["command"][-2:] == ["1", "--json"]


def test_a_file_that_cannot_be_written_is_told_after_everything_was_shown(tmp_path: Path) -> None:
    path = write_queue(tmp_path)
    (tmp_path / "four.yaml").write_text(path.read_text().replace("servers: 3", "servers: 4"))
    (tmp_path / "results").write_text("a file")
    line = (
        "$P compare queue.yaml four.yaml --replications 2 --jobs 1 --json --quiet "
        "--output queue.yaml/x.md --table queue.yaml/x.csv --arms arms.csv"
    )
    done = _shell(tmp_path, line)
    assert done.returncode == 4
    assert json.loads(done.stdout)["pairs"]
    told = done.stderr.decode().splitlines()
    assert told[0].startswith("warning: the result is shown and not kept: cannot write results/")
    assert (tmp_path / "arms.csv").exists()
    assert told[1].startswith("error: cannot write queue.yaml/x.md: a file of that name is in")
    assert "; cannot write queue.yaml/x.csv: a file of that name is in the way" in told[1]
