"""A document as one JSON object: what programs read, with ``--json`` and to a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite

from sim.report.blocks import Document
from sim.report.rendering import Format


def render(document: Document) -> str:
    """Return the record of a document, and what made it, as JSON in ASCII."""
    record = document.record
    content = {**record, **document.origin} if isinstance(record, Mapping) else record
    return json.dumps(finite(content), indent=2, allow_nan=False) + "\n"


def finite(content: object) -> object:
    """Return content with null in place of numbers JSON has no word for."""
    if isinstance(content, float):
        return content if isfinite(content) else None
    if isinstance(content, Mapping):
        return {name: finite(value) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return [finite(value) for value in content]
    return content


FORMAT = Format(render, (".json",))
