"""What became of a sweep, as a document."""

from __future__ import annotations

from collections.abc import Mapping

from sim.report.blocks import Block, Document, Table, Text
from sim.report.figures.of_studies import heat_figures, sweep_figures
from sim.study.sweep.sought import sought_field
from sim.study.sweep.store import TABLE
from sim.study.sweep.study import SweepResult


def sweep_document(found: SweepResult, folder: str, origin: Mapping[str, object]) -> Document:
    """Return the table of points and where it is kept.

    Parameters
    ----------
    found : SweepResult
    folder : str
        Of the points; empty where nobody asks for it.
    origin : mapping
        What made it.
    """
    record = {
        "folder": folder,
        "run": found.run,
        "kept": found.kept,
        "failed": found.failed,
        "points": found.table.records(),
    }
    field = sought_field(found.table.columns)
    ends = [name for name in found.table.columns if name.endswith(("_low", "_high"))]
    blocks: tuple[Block, ...] = (
        *sweep_figures(found, found.factors),
        *heat_figures(found),
        *([Text(_told(field))] if field is not None else []),
        Table.of(found.table, prose=("error", f"{field}_why"), spare=[*reversed(ends), "status"]),
        Text(f"{found.run} points run, {found.kept} kept from before, {found.failed} failed"),
        *([Text(f"table: {folder}/{TABLE}")] if folder else []),
    )
    return Document(blocks, found.table, record, origin)


def _told(field: str) -> str:
    """Return what the columns of a value that was looked for say."""
    return (
        f"{field} is what was found at each point, with its interval; in {field}_in_all every "
        "replication was run and held, and the measures of the row are those runs'"
    )
