"""A document's tidy table as Parquet, with what made it in the metadata."""

from __future__ import annotations

from sim.report.blocks import Document
from sim.report.rendering import Format
from sim.tables.tabular import to_arrow


def render(document: Document) -> bytes:
    """Return the bytes of the file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(to_arrow(document.table, origin=document.origin), sink)
    content = sink.getvalue().to_pybytes()
    assert isinstance(content, bytes)
    return content


FORMAT = Format(render, (".parquet",), is_binary=True)
