"""A copy of the source in which one fault at a time is planted and checks are run.

Takes faults; gives verdicts. The copy is a folder of its own with ``sim/`` and ``tests/``, so what
runs is what stands there, in every process a check may start. A process of its own
(:mod:`tests.faults.server`) imports the libraries once and forks for every fault.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.faults.fault import ROOT, Fault

COPIED = ("sim", "tests")
LINKED = ("scenarios", "results", "docs", "pyproject.toml", "README.md", "CHANGELOG.md")
SECONDS = 600
"""How long a check may take, on a busy machine; who takes longer has noticed nothing."""


@dataclass(frozen=True)
class Verdict:
    """What checks said of a source.

    ``is_sound`` is False where the checks could not judge: a module that cannot be imported, a
    check nobody finds, an error that is not the program's own. ``failed`` has per check that failed
    what it said.
    """

    is_sound: bool
    failed: dict[str, str]
    message: str

    def noticed(self, fault: Fault) -> str:
        """Return who noticed a fault, every one of its checks; empty where one did not."""
        heard = [
            next((node for node in self.failed if _covers(check, node)), "")
            for check in fault.checks
        ]
        return ", ".join(heard) if self.is_sound and all(heard) else ""


def _covers(check: str, node: str) -> bool:
    return node == check or node.startswith((f"{check}[", f"{check}::"))


class Bench:
    """The copy and the process that runs checks in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in COPIED:
            # With what Python keeps beside the sources: it is valid as long as times are copied.
            shutil.copytree(ROOT / name, folder / name)
        for name in LINKED:
            (folder / name).symlink_to(ROOT / name)
        kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.server"],
            cwd=folder,
            env=kept | {"PYTHONPATH": os.fspath(folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._untouched: dict[tuple[str, ...], Verdict] = {}

    def close(self) -> None:
        """End the process."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.close()
        self._server.wait()
        self._server.stdout.close()

    def untouched(self, fault: Fault) -> Verdict:
        """Return what the checks of a fault say of the source as it is."""
        if fault.checks not in self._untouched:
            self._untouched[fault.checks] = self._ask(fault, keeps_bytecode=True)
        return self._untouched[fault.checks]

    def planted(self, fault: Fault) -> Verdict:
        """Return what the checks of a fault say of the source with it."""
        path = self.folder / fault.file
        text = path.read_text(encoding="utf-8")
        for kept in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
            kept.unlink()
        path.write_text(fault.plant(text), encoding="utf-8")
        try:
            return self._ask(fault, keeps_bytecode=False)
        finally:
            path.write_text(text, encoding="utf-8")

    def _ask(self, fault: Fault, *, keeps_bytecode: bool) -> Verdict:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        asked = {
            "checks": fault.checks,
            "module": fault.module,
            "keeps_bytecode": keeps_bytecode,
            "seconds": SECONDS,
        }
        self._server.stdin.write(json.dumps(asked) + "\n")
        self._server.stdin.flush()
        return Verdict(**json.loads(self._server.stdout.readline()))
