"""A process that has imported the libraries and forks for every set of checks.

Takes one JSON object per line; gives one per line (:class:`tests.faults.bench.Verdict`). It must
never import anything of ``sim``: each child imports what stands in the folder at that moment.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import select
import signal
import sys
from pathlib import Path
from typing import Any

LIBRARIES = (
    "numpy", "numba", "scipy.stats", "scipy.special", "pyarrow.parquet", "pyarrow.compute",
    "pyarrow.csv", "pydantic", "networkx", "yaml", "typer", "typer.testing", "rich",
    "simpy", "tabulate", "hypothesis", "pytest",
)  # fmt: skip


class Watcher:
    """What pytest tells of the checks."""

    def __init__(self) -> None:
        self.failed: dict[str, str] = {}
        self.unsound: list[str] = []
        self.passed = 0

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self.unsound.append(f"{report.nodeid} cannot be collected: {report.longreprtext}")

    def pytest_runtest_makereport(self, item: Any, call: Any) -> None:
        if call.excinfo is None:
            self.passed += call.when == "call"
            return
        if call.excinfo.typename == "Skipped":
            return
        said = f"{call.excinfo.typename}: {str(call.excinfo.value).strip()}"[:500]
        if _is_own(call.excinfo.value):
            self.failed.setdefault(item.nodeid, said.splitlines()[0])
        else:
            self.unsound.append(f"{item.nodeid}: {said}")


def _is_own(error: BaseException) -> bool:
    """Tell whether an error is what a check says, or the program of itself."""
    from _pytest.outcomes import Failed

    if isinstance(error, BaseExceptionGroup):
        return all(_is_own(part) for part in error.exceptions)
    return isinstance(error, (AssertionError, Failed)) or type(error).__module__.startswith("sim.")


def judge(asked: dict[str, Any]) -> dict[str, Any]:
    """Run checks in this process and return the verdict."""
    import numba
    import pytest

    assert not any(name.partition(".")[0] == "sim" for name in sys.modules)
    sys.dont_write_bytecode = not asked["keeps_bytecode"]
    # A fault in the kernel would have all of it compiled anew, for a few payments.
    os.environ["NUMBA_DISABLE_JIT"] = "1"
    numba.config.DISABLE_JIT = 1
    if sys.dont_write_bytecode:
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    watcher = Watcher()
    # Nothing of what plugins add is asked for, and each of them takes its time.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    options = ["-o", "addopts=", "-p", "no:cacheprovider", "-q", "--no-header"]
    # Where one check is asked, the first of its kind that notices has said enough.
    options += ["-x"] if len(asked["checks"]) == 1 else []
    code = pytest.main([*options, "--strict-markers", *asked["checks"]], plugins=[watcher])
    if not watcher.passed and not watcher.failed and not watcher.unsound:
        watcher.unsound.append(f"no check ran, pytest ended with {int(code)}")
    here = Path.cwd()
    source = Path(importlib.import_module(asked["module"]).__file__ or "")
    if here not in source.parents:
        watcher.unsound.append(f"{asked['module']} was read from {source}")
    # A check that noticed has done so, whatever befell the others of its kind.
    is_sound = not watcher.unsound or bool(watcher.failed)
    return {
        "is_sound": is_sound,
        "failed": watcher.failed,
        "message": "; ".join(watcher.unsound),
    }


def _fork(asked: dict[str, Any]) -> dict[str, Any]:
    """Let a child judge, which leads a group of its own with all it starts."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        os.close(reading)
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        try:
            said = judge(asked)
        except BaseException as error:
            said = {"is_sound": False, "failed": {}, "message": f"{type(error).__name__}: {error}"}
        os.write(writing, json.dumps(said).encode())
        os._exit(0)
    os.close(writing)
    found = b""
    try:
        while select.select([reading], [], [], asked["seconds"])[0]:
            part = os.read(reading, 1 << 16)
            if not part:
                break
            found += part
        else:
            found = b""
    finally:
        os.close(reading)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    if not found:
        return {"is_sound": False, "failed": {}, "message": "it took too long, or crashed"}
    verdict: dict[str, Any] = json.loads(found)
    return verdict


def main() -> None:
    """Answer until nobody asks."""
    for name in LIBRARIES:
        importlib.import_module(name)
    for line in sys.stdin:
        print(json.dumps(_fork(json.loads(line))), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
