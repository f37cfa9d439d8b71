"""The kernel's heap, time-outs, queues and histogram keep the promises of naive twins."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", "tests.support.kernel_twins", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_containers_and_their_naive_twins_agree() -> None:
    done = _run()
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["heap", "later", "queues", "timers", "histogram"])
def test_a_twin_with_a_fault_is_found_out(fault: str) -> None:
    done = _run(fault)
    assert done.returncode == 1
    assert "AssertionError" in done.stderr
