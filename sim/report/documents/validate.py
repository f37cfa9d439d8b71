"""What is wrong with scenarios, or what they describe, as a document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, astuple

from sim.errors import Problem
from sim.report.blocks import Document, Text, Tone
from sim.tables.tabular import TabularData


def validate_document(
    valid: Sequence[str], problems: Sequence[Problem], notes: Sequence[Problem] = ()
) -> Document:
    """Return a line for every valid scenario, what changes nothing, and problems as table and JSON.

    Parameters
    ----------
    valid : sequence of str
        What each valid scenario describes.
    problems : sequence of Problem
        Told to people on standard error.
    notes : sequence of Problem
        What is written and changes nothing: told, not refused.
    """
    table = TabularData(
        ("file", "line", "path", "message"), tuple(astuple(problem) for problem in problems)
    )
    record = {
        "problems": [asdict(problem) for problem in problems],
        "notes": [asdict(note) for note in notes],
    }
    told = [Text(f"note: {note}", tone=Tone.CAUTION) for note in notes]
    return Document((*map(Text, valid), *told), table, record)
