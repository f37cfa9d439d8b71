"""The ``manual`` command: every field of a scenario, every column of a table, every measure."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from sim.cli.guard import guarded


class Page(StrEnum):
    """Pages of the manual."""

    FIELDS = "fields"
    TABLES = "tables"
    MEASURES = "measures"


def page_text(page: Page) -> str:
    """Return a page of the manual in Markdown, the same on every machine."""
    from sim.report.manual import measure_manual, scenario_manual, table_manual
    from sim.scenario.model import scenario_model

    if page is Page.FIELDS:
        return scenario_manual(scenario_model())
    return table_manual() if page is Page.TABLES else measure_manual()


@guarded
def manual_command(
    page: Annotated[Page, typer.Argument(help="Which page.")] = Page.FIELDS,
) -> None:
    """Print the manual: scenario fields, columns of tables or measures, in Markdown."""
    typer.echo(page_text(page), nl=False)
