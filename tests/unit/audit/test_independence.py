"""The audit is a reading of its own: it imports nothing that writes, runs, draws or prices."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SIM = Path(__file__).resolve().parents[3] / "sim"
READERS = {"sim.tables.schemas", "sim.tables.reading", "sim.tables.finished_run"}
"""What the audit may know of tables: what was agreed, and how to read it."""
ALLOWED = {"sim.audit", "sim.contract", "sim.errors", "sim.units", "sim.jit", "sim.policies"}
"""The last holds functions of the user's own: of their scores there is no other specification."""


def module_of(path: Path) -> str:
    parts = path.relative_to(SIM.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def path_of(module: str) -> Path | None:
    place = SIM.parent.joinpath(*module.split("."))
    for path in (place.with_suffix(".py"), place / "__init__.py"):
        if path.exists():
            return path
    return None


def imported_by(path: Path) -> Iterator[str]:
    """Yield every module of ours a file imports, wherever in the file it does."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            names = [module, *(f"{module}.{alias.name}" for alias in node.names)]
        yield from (name for name in names if name.startswith("sim.") and path_of(name))


def reached() -> dict[str, str]:
    """Return every module of ours the audit reaches, and the one that imports it."""
    waiting = [(module_of(path), "") for path in sorted((SIM / "audit").glob("*.py"))]
    found: dict[str, str] = {}
    while waiting:
        module, by = waiting.pop()
        if module in found:
            continue
        found[module] = by
        path = path_of(module)
        assert path is not None, module
        waiting += [(name, module) for name in imported_by(path)]
    return found


def is_allowed(module: str) -> bool:
    if module in READERS or module == "sim.tables":
        return True
    return any(module == room or module.startswith(f"{room}.") for room in ALLOWED)


def test_the_audit_reaches_no_writer_no_engine_and_no_draws() -> None:
    wrong = {module: by for module, by in reached().items() if not is_allowed(module)}
    assert wrong == {}


def test_the_walk_reaches_what_there_is() -> None:
    found = reached()
    assert found.keys() >= READERS | {"sim.audit.run", "sim.audit.replay", "sim.contract.meaning"}


@pytest.mark.parametrize("writer", ["writer", "payment_rows", "log_rows", "parquet_stream"])
def test_the_walk_would_see_a_writer(writer: str) -> None:
    assert not is_allowed(f"sim.tables.{writer}")
    assert path_of(f"sim.tables.{writer}") is not None


@pytest.mark.parametrize("reader", sorted(READERS))
def test_readers_write_nothing(reader: str) -> None:
    path = path_of(reader)
    assert path is not None
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            assert not node.attr.startswith("write"), f"{reader}:{node.lineno}"


def test_a_process_that_audits_has_loaded_no_writer() -> None:
    """What is imported at run time is what the source says."""
    code = (
        "import importlib, pathlib, sys\n"
        f"for path in sorted(pathlib.Path({str(SIM / 'audit')!r}).glob('*.py')):\n"
        "    importlib.import_module('sim.audit.' + path.stem)\n"
        "print(*sorted(name for name in sys.modules if name.startswith('sim.')))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=SIM.parent
    )
    loaded = set(done.stdout.split())
    assert {name for name in loaded if not is_allowed(name)} == set()
    assert "sim.audit.tables" in loaded
