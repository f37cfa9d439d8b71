"""What a repetition of a run found, as a document."""

from __future__ import annotations

from sim.report.blocks import Block, Document, Table, Text, Tone
from sim.study.reproduce import Reproduction
from sim.study.result_json import object_as_json
from sim.tables.tabular import TabularData

SHOWN = 20
"""Differences people are shown."""


def reproduce_document(found: Reproduction) -> Document:
    """Return that all is identical, or every figure that is not."""
    table = TabularData(
        ("figure", "before", "now"),
        tuple((one.figure, str(one.before), str(one.now)) for one in found.differences),
    )
    blocks: list[Block] = []
    if found.is_identical:
        words = f"identical: all {found.figures} figures, digest {found.digest}"
        blocks.append(Text(words, Tone.GOOD))
    else:
        blocks.append(Table.of(TabularData(table.columns, table.rows[:SHOWN])))
        if len(table.rows) > SHOWN:
            blocks.append(Text(f"and {len(table.rows) - SHOWN} more"))
    return Document(tuple(blocks), table, {**object_as_json(found)})
