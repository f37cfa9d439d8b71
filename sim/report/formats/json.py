"""A document as one JSON object: what programs read, with ``--json`` and to a file."""

from __future__ import annotations

from collections.abc import Mapping

from sim.report.blocks import Document
from sim.report.rendering import Format
from sim.tables.json_text import json_text


def render(document: Document) -> str:
    """Return the record of a document, and what made it, as JSON in ASCII."""
    record = document.record
    content = {**record, **document.origin} if isinstance(record, Mapping) else record
    return json_text(content, ascii_only=True)


FORMAT = Format(render, (".json",))
