"""A run stopped, or killed at any moment, goes on from the command line to the same digest."""

from __future__ import annotations

import json
import os
import random
import signal
import time

import pytest

from tests.support.processes import begin, end, until
from tests.unit.cli.queue import payroute, write_queue

PLACE = ".payroute-checkpoint/checkpoint"


def _facts(out):
    return json.loads((out / "run.json").read_text())


def test_run_stops_says_how_it_goes_on_and_goes_on(tmp_path):
    path, whole, out = write_queue(tmp_path), tmp_path / "whole", tmp_path / "out"
    payroute("run", path, "--out", whole)
    stopped = payroute("run", path, "--out", out, "--stop-at", "1 min")
    assert stopped.exit_code == 0
    assert "--continue" in stopped.stderr
    assert (out / PLACE).exists()
    told = payroute("report", out)
    assert told.exit_code == 2
    assert "did not finish" in told.stderr
    ended = payroute("run", path, "--out", out, "--continue", "--checkpoint", "30s")
    assert ended.exit_code == 0
    assert _facts(out)["digest"] == _facts(whole)["digest"]
    assert (out / "summary.json").read_text() == (whole / "summary.json").read_text()
    assert payroute("audit", out).exit_code == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--checkpoint", "1 s", "--replications", "2"), "--replications"),
        (("--stop-at", "1 s", "--precision", "success_rate±1%"), "--precision"),
        (("--continue", "--add"), "--add"),
        (("--continue", "--watch"), "--watch"),
        (("--checkpoint", "often"), "--checkpoint: found 'often'"),
        (("--checkpoint", "0 s"), "--checkpoint: found '0 s'"),
        (("--continue",), "no checkpoint there"),
    ],
    ids=["replications", "precision", "add", "watch", "no-duration", "nothing", "none-there"],
)
def test_what_has_no_meaning_is_refused(words, told, tmp_path):
    result = payroute("run", write_queue(tmp_path), "--out", tmp_path / "out", *words)
    assert result.exit_code == 2
    assert told in result.stderr


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals of the POSIX kind are sent")
@pytest.mark.parametrize("seed", [1, 2])
def test_run_killed_again_and_again_ends_with_the_digest_of_one_left_alone(seed, tmp_path):
    luck, out = random.Random(seed), tmp_path / "out"
    write_queue(tmp_path)
    words = ("run", "queue.yaml", "--record", "events", "--quiet")
    payroute(*(words[0], tmp_path / words[1], *words[2:]), "--out", tmp_path / "whole")
    words = (*words, "--out", "out", "--checkpoint", "1 s")
    kills = 0
    for number in range(4):
        process = begin(tmp_path, *words, *(("--continue",) if number else ()))
        place, before = out / PLACE, (out / PLACE).read_bytes() if number else b""
        until(process, lambda place=place, b=before: place.exists() and place.read_bytes() != b)
        time.sleep(luck.uniform(0, 0.4))
        code, told = end(process, signal.SIGKILL)
        if code == 0:
            break
        assert code == -signal.SIGKILL, told
        kills += 1
    else:
        # As nobody kills it any more, it comes to its end.
        process = begin(tmp_path, *words, "--continue")
        _, told = process.communicate(timeout=300)
        assert process.returncode == 0, told
    assert kills >= 1
    for fact in ("digest", "payments_digest", "payments", "events"):
        assert _facts(out)[fact] == _facts(tmp_path / "whole")[fact]
    assert not (out / ".payroute-checkpoint").exists()
