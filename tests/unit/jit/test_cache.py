"""The audit's machine code is compiled again when its sources change, and only then."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

from sim.audit.views import price_words, replay_words
from sim.jit import cache as machine_code
from sim.tables.break_loop import find_breaks
from sim.tables.duration_loop import count_cells
from sim.tables.fold_loop import _fold_table

SIM = Path(machine_code.__file__).resolve().parents[1]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the sources that machine code could come from."""
    for room in (
        "audit",
        "contract",
        "draws",
        "engine",
        "jit",
        "money",
        "routing",
        "tables",
        "workload",
    ):
        shutil.copytree(SIM / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(SIM / "units.py", tmp_path)
    monkeypatch.setattr(machine_code, "_PACKAGE", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("changed", "compiled_again"),
    [
        ("audit/prices.py", {"audit"}),
        ("contract/meaning.py", {"audit", "engine", "tables"}),
        ("units.py", {"audit", "engine", "tables"}),
        ("money/pricing.py", {"engine"}),
        ("draws/threefry.py", {"engine"}),
        ("workload/loop.py", {"engine"}),
        ("workload/load_loop.py", {"engine"}),
        ("tables/fold_loop.py", {"tables"}),
        ("tables/folding.py", {"tables"}),
        ("tables/payment_rows.py", set()),
        ("tables/reading.py", set()),
        ("routing/graph.py", set()),
        ("jit/functions.py", {"audit", "engine", "tables"}),
    ],
)
def test_a_change_compiles_what_it_can_change(
    package: Path, changed: str, compiled_again: set[str]
) -> None:
    digest = machine_code.source_digest.__wrapped__
    rooms = ("audit", "engine", "tables")
    before = {room: digest(room) for room in rooms}
    assert before["audit"] != before["engine"]
    with (package / changed).open("a", encoding="utf-8") as source:
        source.write("# changed\n")
    assert {room for room in rooms if digest(room) != before[room]} == compiled_again


@pytest.mark.parametrize("function", [replay_words, price_words])
def test_what_python_calls_of_the_audit_is_kept_with_the_audit(function: object) -> None:
    assert machine_code._room(function) == "audit"  # type: ignore[arg-type]


@pytest.mark.parametrize("function", [count_cells, find_breaks, _fold_table])
def test_what_folds_payments_is_kept_with_the_tables(function: object) -> None:
    assert machine_code._room(function) == "tables"  # type: ignore[arg-type]


def test_every_loop_of_the_tables_decides_their_machine_code() -> None:
    loops = {f"tables/{path.name}" for path in (SIM / "tables").glob("*_loop.py")}
    assert loops <= set(machine_code._SOURCES["tables"])


def test_a_user_without_a_home_gets_a_directory_of_the_system(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(machine_code.numba.config, "CACHE_DIR", "")
    (only,) = machine_code._bases()
    assert only.is_relative_to(tempfile.gettempdir())
