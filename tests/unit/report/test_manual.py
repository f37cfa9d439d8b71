"""The pages of docs/reference are what the descriptions beside the code say."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.analysis.catalogue import CATALOGUE
from sim.cli.manual import Page, page_text
from sim.rails.registry import rail_kinds
from sim.tables.schemas import SCHEMAS
from tests.unit.cli.queue import payroute

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"


@pytest.mark.parametrize("page", list(Page))
def test_the_reference_is_not_stale(page: Page, request: pytest.FixtureRequest) -> None:
    path = REFERENCE / f"{page}.md"
    if request.config.getoption("--update-golden"):
        path.write_text(page_text(page), encoding="utf-8")
    written = path.read_text(encoding="utf-8") if path.exists() else ""
    assert written == page_text(page), f"write it again: payroute manual {page} > {path.name}"


def test_every_kind_of_rail_and_every_table_has_its_section() -> None:
    fields, tables = page_text(Page.FIELDS), page_text(Page.TABLES)
    for kind in rail_kinds():
        assert f"## rails.* (kind: {kind.model_fields['kind'].annotation.__args__[0]})" in fields
        for name in kind.model_fields:
            assert f"| `{name}` |" in fields
    for file, schema in SCHEMAS.items():
        assert f"## {file}" in tables
        for name in schema.names:
            assert f"| `{name}` |" in tables


def test_every_field_and_column_is_described() -> None:
    rows = [
        row
        for page in (Page.FIELDS, Page.TABLES)
        for row in page_text(page).splitlines()
        if row.startswith("| `")
    ]
    assert len(rows) > 250
    assert [row for row in rows if row.rstrip("| ").endswith("|") or row.endswith("|  |")] == []


def test_every_measure_is_listed_once_with_its_unit() -> None:
    rows = [row for row in page_text(Page.MEASURES).splitlines() if row.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == sorted(CATALOGUE)
    for row in rows:
        name = row.split("`")[1]
        assert f"| {CATALOGUE[name].kind.unit} |" in row


def test_the_command_prints_a_page() -> None:
    assert payroute("manual", "tables").stdout == page_text(Page.TABLES)
