"""What the folders of a run have gathered, as plain values and arrays, and back.

Takes an object of this program whose attributes are numbers, texts, arrays, and lists, tuples and
dictionaries of these; gives a tree JSON can hold, beside it the arrays by number. Putting it back
takes an object made anew from the same plan: what is worked out from the plan is left as it is, and
no code is named in what is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import TypeVar

import numpy as np

from sim.contract.plan import Plan
from sim.errors import InvariantViolation
from sim.tables.breaks import Cell
from sim.tables.fold_arrays import Fold
from sim.tables.log_rows import Visit
from sim.tables.owed import Owing
from sim.tables.parties import Drawn
from sim.tables.spans import Spans

Tree = None | bool | int | float | str | list["Tree"] | dict[str, "Tree"]
Arrays = list[np.ndarray]

_OF_PLAN = (Plan, Owing, Spans)
"""Worked out from the plan, or the plan itself."""
_MADE = {"visit": Visit, "drawn": Drawn, "cell": Cell, "fold": Fold}
"""Records that folders hold any number of, by the name they are kept under."""
_PLAIN = (bool, int, float, str, type(None))

Kept = TypeVar("Kept")


def take_out(value: object, arrays: Arrays) -> Tree:
    """Return what an object holds as a tree; its arrays are appended to a list.

    Parameters
    ----------
    value : object
        Left as it is; arrays are not copied.
    arrays : list of ndarray
        Grows by every array met for the first time, which the tree names by number.

    Raises
    ------
    InvariantViolation
        If something is held that nothing is known of: a folder has learnt something new.
    """
    if isinstance(value, np.ndarray):
        # What two attributes share they go on sharing.
        known = next((at for at, one in enumerate(arrays) if one is value), len(arrays))
        if known == len(arrays):
            arrays.append(value)
        return {"array": known}
    if isinstance(value, np.generic):
        return take_out(value.item(), arrays)
    if isinstance(value, _PLAIN):
        return value
    for name, kind in _MADE.items():
        if isinstance(value, kind):
            return {name: [take_out(part, arrays) for part in _parts(value)]}
    if isinstance(value, list):
        return [take_out(part, arrays) for part in value]
    if isinstance(value, tuple):
        return {"tuple": [take_out(part, arrays) for part in value]}
    if isinstance(value, dict):
        pairs: list[Tree] = [
            [take_out(key, arrays), take_out(held, arrays)] for key, held in value.items()
        ]
        return {"dict": pairs}
    if _is_folder(value):
        return {
            "folder": {name: take_out(held, arrays) for name, held in _attributes(value).items()}
        }
    raise InvariantViolation(f"a checkpoint cannot hold {type(value).__name__}")


def put_back(made: Kept, tree: Tree, arrays: Arrays) -> Kept:
    """Return a value as it was kept.

    Parameters
    ----------
    made : object
        The same made anew from the plan; folders in it are changed in place.
    tree, arrays
        From :func:`take_out`.
    """
    found: object = tree
    if isinstance(tree, list):
        found = [_again(part, arrays) for part in tree]
    elif isinstance(tree, dict):
        ((kind, held),) = tree.items()
        if kind == "folder":
            assert isinstance(held, dict)
            for name, part in held.items():
                setattr(made, name, put_back(getattr(made, name), part, arrays))
            return made
        if kind == "tuple" and isinstance(made, tuple) and any(map(_is_folder, made)):
            parts = zip(made, _list(held), strict=True)
            found = tuple(put_back(one, part, arrays) for one, part in parts)
        else:
            found = _again(tree, arrays)
    return found  # type: ignore[return-value]


def _again(tree: Tree, arrays: Arrays) -> object:
    """Return a value in which there is no folder."""
    if isinstance(tree, list):
        return [_again(part, arrays) for part in tree]
    if not isinstance(tree, dict):
        return tree
    ((kind, held),) = tree.items()
    if kind == "array":
        assert isinstance(held, int)
        return arrays[held]
    if kind == "dict":
        return {
            _again(pair[0], arrays): _again(pair[1], arrays) for pair in map(_list, _list(held))
        }
    parts = [_again(part, arrays) for part in _list(held)]
    return tuple(parts) if kind == "tuple" else _MADE[kind](*parts)


def _list(tree: Tree) -> list[Tree]:
    assert isinstance(tree, list)
    return tree


def _parts(value: object) -> list[object]:
    """Return the fields of a record, in order."""
    if is_dataclass(value):
        return [getattr(value, entry.name) for entry in fields(value)]
    assert isinstance(value, tuple)
    return list(value)


def _is_folder(value: object) -> bool:
    """Say whether a value is one of ours that gathers something."""
    return type(value).__module__.startswith("sim.tables") and hasattr(value, "__dict__")


def _attributes(value: object) -> Mapping[str, object]:
    """Return what an object holds besides what its plan says, Arrow's names of things and locks."""
    return {
        name: held
        for name, held in vars(value).items()
        if not isinstance(held, _OF_PLAN)
        and not type(held).__module__.startswith(("pyarrow", "_thread"))
    }
