"""The list of scenarios that come with the program, as a document."""

from __future__ import annotations

from collections.abc import Mapping

from sim.report.blocks import Column, Document, Table
from sim.tables.tabular import TabularData


def scenarios_document(questions: Mapping[str, str]) -> Document:
    """Return scenarios and what each answers.

    Parameters
    ----------
    questions : mapping of str to str
        By name, in the order they are shown.
    """
    rows = tuple(questions.items())
    table = TabularData(("scenario", "question"), rows)
    shown = Table((Column("scenario"), Column("question")), rows)
    return Document((shown,), table, {"scenarios": table.records()})
