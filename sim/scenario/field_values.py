"""Every field of a checked scenario with its value as people write it, defaults included.

Takes loaded scenarios; gives values by dotted path, as ``--set`` names them, and the fields in
which two scenarios differ. Values are compared by what they mean: ``1 s`` and ``1000 ms`` are the
same, and so are ``24 000 /day`` and ``1000 /h``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from sim.model.base import FieldPath
from sim.model.evidence import Evidence
from sim.model.magnitude import Magnitude
from sim.scenario.scenario import LoadedScenario
from sim.scenario.tree import Tree, flow_text

Dumped = None | bool | int | str | list["Dumped"] | dict[str, "Dumped"]
"""What a model says of itself: values as people write them."""

_NONE = "none"


@dataclass(frozen=True, slots=True)
class FieldValue:
    """What one scenario says of a field.

    Attributes
    ----------
    words : str
        The value with its unit; of a whole section what is written in it, on one line.
    is_written : bool
        Whether the scenario writes it; else it is a default.
    evidence : str
        Its grade, empty where nothing is said.
    """

    words: str
    is_written: bool
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """A field in which two scenarios differ.

    Attributes
    ----------
    path : str
        As ``--set`` names it; of what is in one alone, the path of the whole entry.
    before, after : FieldValue or None
        None where the scenario has no such entry.
    """

    path: str
    before: FieldValue | None
    after: FieldValue | None


def field_values(loaded: LoadedScenario) -> dict[str, FieldValue]:
    """Return every single value of a scenario by its path, in the order of its sections."""
    side = _Side(loaded)
    return {_dotted(path): side.value(path, held) for path, held in _leaves(side.dumped, ())}


def differing_fields(one: LoadedScenario, other: LoadedScenario) -> tuple[FieldDifference, ...]:
    """Return the fields in which two scenarios differ, in the order of their sections.

    Parameters
    ----------
    one, other : LoadedScenario

    Notes
    -----
    What both write with different grades of evidence differs, too: it is another claim.
    """
    sides = _Side(one), _Side(other)
    return tuple(_differing(sides, sides[0].dumped, sides[1].dumped, ()))


class _Side:
    """One of the two scenarios."""

    def __init__(self, loaded: LoadedScenario) -> None:
        self.dumped = cast(Dumped, loaded.scenario.model_dump(mode="json", by_alias=True))
        self._tree = loaded.document.tree
        self._evidence = loaded.document.evidence

    def value(self, path: FieldPath, held: Dumped) -> FieldValue:
        """Return what is said of a field."""
        written = _follow(self._tree, path)
        note = self._evidence.get(path)
        grade = "" if note is None or note.kind is Evidence.ASSUMED else note.kind.value
        if isinstance(held, dict) and held and written is not None:
            return FieldValue(flow_text(written), True, grade)
        return FieldValue(_words(held), written is not None, grade)


def _differing(
    sides: tuple[_Side, _Side], one: Dumped, other: Dumped, path: FieldPath
) -> Iterator[FieldDifference]:
    first, second = _children(one), _children(other)
    if first is None or second is None or type(one) is not type(other):
        before, after = sides[0].value(path, one), sides[1].value(path, other)
        if not _is_same(one, other) or _grades_differ(before, after):
            yield FieldDifference(_dotted(path), before, after)
        return
    for key in dict.fromkeys((*first, *second)):
        below = (*path, key)
        if key in first and key in second:
            yield from _differing(sides, first[key], second[key], below)
        else:
            # Of what is in one alone a line says enough, however much is in it.
            found = [
                side.value(below, held[key]) if key in held else None
                for side, held in zip(sides, (first, second), strict=True)
            ]
            yield FieldDifference(_dotted(below), found[0], found[1])


def _grades_differ(before: FieldValue, after: FieldValue) -> bool:
    return before.is_written and after.is_written and before.evidence != after.evidence


def _is_same(one: Dumped, other: Dumped) -> bool:
    """Say whether two values mean the same."""
    if one == other and isinstance(one, bool) == isinstance(other, bool):
        return True
    first, second = Magnitude.read(one), Magnitude.read(other)
    if first is None or second is None:
        return False
    # Exactly, whichever of the two units holds the other's number without a remainder.
    return first.in_unit(second.unit) == second or second.in_unit(first.unit) == first


def _children(held: Dumped) -> Mapping[str | int, Dumped] | None:
    """Return what a section or list holds, None of a single value."""
    if isinstance(held, dict):
        return dict(held.items())
    if isinstance(held, list):
        return dict(enumerate(held))
    return None


def _leaves(held: Dumped, path: FieldPath) -> Iterator[tuple[FieldPath, Dumped]]:
    below = _children(held)
    if not below:
        yield path, held
        return
    for key, value in below.items():
        yield from _leaves(value, (*path, key))


def _follow(tree: Tree, path: FieldPath) -> Tree | None:
    """Return what a scenario writes at a path, None where it writes nothing."""
    found: Tree | None = tree
    for step in path:
        if isinstance(found, dict):
            found = found.get(str(step))
        elif isinstance(found, list):
            found = found[int(step)] if int(step) < len(found) else None
        else:
            return None
    return found


def _words(held: Dumped) -> str:
    if held is None or held in ({}, [], ""):
        return _NONE
    if isinstance(held, bool):
        return "true" if held else "false"
    if isinstance(held, dict):
        return f"{{{', '.join(f'{key}: {_words(value)}' for key, value in held.items())}}}"
    if isinstance(held, list):
        return f"[{', '.join(map(_words, held))}]"
    return str(held)


def _dotted(path: FieldPath) -> str:
    return ".".join(map(str, path))
