"""The ``manual`` command: every field of a scenario, every column of a table."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from sim.cli.guard import guarded


class Page(StrEnum):
    """Pages of the manual."""

    FIELDS = "fields"
    TABLES = "tables"


def page_text(page: Page) -> str:
    """Return a page of the manual in Markdown, the same on every machine."""
    from sim.report.manual import scenario_manual, table_manual
    from sim.scenario.model import scenario_model

    return scenario_manual(scenario_model()) if page is Page.FIELDS else table_manual()


@guarded
def manual_command(
    page: Annotated[Page, typer.Argument(help="Which page.")] = Page.FIELDS,
) -> None:
    """Print the manual of scenario fields or of the columns of tables, in Markdown."""
    typer.echo(page_text(page), nl=False)
