"""Which files of a run are not as it left them, and what is said where that ends in an error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sim.errors import InvariantViolation, UserError
from sim.tables.damage import damage_told, damaged_files
from sim.tables.digest import file_digest, seal

FILES = ("a.parquet", "b.parquet", "c.parquet", "d.parquet", "e.parquet")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).write_text(name, encoding="utf-8")
    facts = {"files": {name: file_digest(tmp_path / name) for name in FILES}}
    text = json.dumps({**facts, "seal": seal(facts)})
    (tmp_path / "run.json").write_text(text, encoding="utf-8")
    return tmp_path


def test_what_is_gone_or_changed_is_named(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert damaged_files(folder) == []
    (folder / "b.parquet").unlink()
    (folder / "d.parquet").write_text("other", encoding="utf-8")
    assert damaged_files(folder) == ["b.parquet", "d.parquet"]
    # What is no run was not damaged.
    assert damaged_files(tmp_path_factory.mktemp("empty")) == []


@pytest.mark.parametrize("text", ["[1]", "{", '{"files": 5}', '{"files": {}, "seal": "no"}'])
def test_where_the_list_itself_was_changed_nothing_is_known(folder: Path, text: str) -> None:
    (folder / "run.json").write_text(text, encoding="utf-8")
    assert damaged_files(folder) == ["run.json"]


def test_an_error_that_comes_of_damage_says_so(folder: Path) -> None:
    for name in FILES:
        (folder / name).write_text("other", encoding="utf-8")
    for error in (ValueError("a bad page"), InvariantViolation("no such column")):
        with pytest.raises(UserError, match=r"c\.parquet and 2 more: not as"), damage_told(folder):
            raise error


def test_other_errors_are_told_as_they_are(folder: Path) -> None:
    with pytest.raises(ValueError, match="a bad page"), damage_told(folder):
        raise ValueError("a bad page")
    (folder / "a.parquet").unlink()
    # What was understood and refused is no damage.
    with pytest.raises(UserError, match="no such payment"), damage_told(folder):
        raise UserError("no such payment")
    with damage_told(folder):
        pass
