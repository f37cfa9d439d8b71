"""What is wrong with scenarios, or what they describe, as a document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, astuple

from sim.errors import Problem
from sim.report.blocks import Document, Text
from sim.tables.tabular import TabularData


def validate_document(valid: Sequence[str], problems: Sequence[Problem]) -> Document:
    """Return a line for every valid scenario, and every problem as table and JSON.

    Parameters
    ----------
    valid : sequence of str
        What each valid scenario describes.
    problems : sequence of Problem
        Told to people on standard error.
    """
    table = TabularData(
        ("file", "line", "path", "message"), tuple(astuple(problem) for problem in problems)
    )
    record = {"problems": [asdict(problem) for problem in problems]}
    return Document(tuple(map(Text, valid)), table, record)
