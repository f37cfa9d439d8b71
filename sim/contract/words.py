"""The descriptions of the specification, for those who speak of it in words.

Takes an enumeration of :mod:`sim.contract.meaning`; gives the text below each of its members.
"""

from __future__ import annotations

import ast
import inspect
from enum import IntEnum
from functools import cache


@cache
def member_words(members: type[IntEnum]) -> dict[str, str]:
    """Return the text below each member of an enumeration of the specification."""
    (definition,) = ast.parse(inspect.getsource(members)).body
    assert isinstance(definition, ast.ClassDef)
    found = {}
    for stage, text in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(stage, ast.Assign) and isinstance(text, ast.Expr):
            name, value = stage.targets[0], text.value
            if isinstance(name, ast.Name) and isinstance(value, ast.Constant):
                found[name.id] = " ".join(str(value.value).split())
    return found
