"""Write JSON that every reader understands.

Takes plain content; gives text whose numbers are finite or null: JSON has no word for infinity and
not-a-number, and a result must not be lost because one figure of it has no value.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite


def finite(content: object) -> object:
    """Return content with null in place of numbers JSON has no word for."""
    if isinstance(content, float):
        return content if isfinite(content) else None
    if isinstance(content, Mapping):
        return {name: finite(value) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return [finite(value) for value in content]
    return content


def json_text(content: object, *, indent: int | None = 2, ascii_only: bool = False) -> str:
    """Return content as JSON, ended by a line feed.

    Parameters
    ----------
    content : object
        Mappings, sequences, texts, numbers, truth values and None.
    indent : int, optional
        Blanks per level; None: everything in one line.
    ascii_only : bool
        Whether other letters are escaped, as what goes to a terminal or a pipe needs.
    """
    text = json.dumps(finite(content), indent=indent, ensure_ascii=ascii_only, allow_nan=False)
    return text + "\n"
