"""How a child changes what it inherits, and how ``--set`` changes a whole scenario.

Takes nodes of :mod:`sim.scenario.tree`; gives merged nodes. Maps merge by key, lists and scalars
are replaced, ``null`` deletes, the child wins. Two parents that differ in a scalar or a list leave
a :class:`~sim.scenario.tree.Conflict` behind, which only a child (or ``--set``) can settle.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sim.errors import Problem, suggest
from sim.model.base import FieldPath
from sim.scenario.tree import (
    DEPTH_MAX,
    Absent,
    Conflict,
    Entry,
    Listing,
    Mapping,
    Node,
    Note,
    Place,
    Scalar,
    parse_text,
)


def dotted(path: FieldPath) -> str:
    """Write a path as ``--set`` names it."""
    return ".".join(map(str, path))


def merge_child(
    base: Mapping, child: Mapping, problems: list[Problem], *, path: FieldPath = ()
) -> Mapping:
    """Merge a child over what it inherits.

    Parameters
    ----------
    base, child : Mapping
        What is inherited and what the child says.
    problems : list of Problem
        Collects nulls that delete nothing, which are nearly always spelling mistakes.
    path : tuple of str or int
        Where both stand.

    Notes
    -----
    Evidence noted on a whole mapping covers its parts; when a child changes one part, the note
    moves down to the parts that were not changed.
    """
    # Evidence of a whole section holds for its parts, but not for a part that is changed.
    base, child = _push_note_down(base), _push_note_down(child)
    entries = dict(base.entries)
    for key, entry in child.entries.items():
        inherited = entries.get(key)
        node = entry.node
        here = (*path, key)
        if isinstance(node, Absent):
            # Nearly always a misspelt name.
            if inherited is None:
                problems.append(_nothing_to_delete(entry, here, base))
            # Deleted means not said: the model's default holds again.
            entries.pop(key, None)
        elif inherited and isinstance(node, Mapping) and isinstance(inherited.node, Mapping):
            merged = merge_child(inherited.node, node, problems, path=here)
            entries[key] = Entry(entry.key_place, merged)
        else:
            entries[key] = Entry(entry.key_place, drop_nulls(node))
    return Mapping(entries, child.place)


def _nothing_to_delete(entry: Entry, path: FieldPath, base: Mapping) -> Problem:
    key = str(path[-1])
    names = sorted(base.entries)
    known = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "") if names else "none"
    place = entry.key_place
    message = f"found null, but there is no inherited {key!r} to delete; inherited: {known}."
    return Problem(place.file, place.line, dotted(path), message + suggest(key, names))


def merge_parents(first: Node, second: Node) -> Node:
    """Merge two parents of one child; where they differ, leave a conflict for the child."""
    # Two parents with a common grandparent share its nodes.
    if first is second:
        return first
    # A conflict stays one, whatever a third parent says.
    if isinstance(first, Conflict) or isinstance(second, Conflict):
        return first if isinstance(first, Conflict) else second
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        if first.note != second.note:
            first, second = _push_note_down(first), _push_note_down(second)
        entries = dict(first.entries)
        for key, entry in second.entries.items():
            if key in entries:
                kept = entries[key]
                entries[key] = Entry(kept.key_place, merge_parents(kept.node, entry.node))
            else:
                entries[key] = entry
        return replace(first, entries=entries)
    if is_same(first, second):
        # The same value from both: evidence given by either is kept.
        return first if first.note is not None else second
    return Conflict(first.place, second.place, second.place)


def is_same(first: Node, second: Node) -> bool:
    """Compare what two nodes say, wherever it is written and whatever its evidence."""
    match first, second:
        case Scalar(), Scalar():
            return first.text == second.text
        case Listing(), Listing():
            return len(first.items) == len(second.items) and all(
                map(is_same, first.items, second.items)
            )
        case Mapping(), Mapping():
            return first.entries.keys() == second.entries.keys() and all(
                is_same(entry.node, second.entries[key].node)
                for key, entry in first.entries.items()
            )
        case _:
            return False


def drop_nulls(node: Node) -> Node:
    """Leave out every null: where nothing is inherited, deleting means not saying."""
    if isinstance(node, Mapping):
        entries = {
            key: Entry(entry.key_place, drop_nulls(entry.node))
            for key, entry in node.entries.items()
            if not isinstance(entry.node, Absent)
        }
        return replace(node, entries=entries)
    if isinstance(node, Listing):
        return replace(node, items=tuple(map(drop_nulls, node.items)))
    return node


def list_conflicts(node: Node, path: FieldPath = ()) -> Iterator[tuple[FieldPath, Conflict]]:
    """Yield every conflict between parents that is still open."""
    if isinstance(node, Conflict):
        yield path, node
    elif isinstance(node, Mapping):
        for key, entry in node.entries.items():
            yield from list_conflicts(entry.node, (*path, key))


def _push_note_down(mapping: Mapping) -> Mapping:
    if mapping.note is None:
        return mapping
    entries = {
        key: Entry(entry.key_place, _with_note(entry.node, mapping.note))
        for key, entry in mapping.entries.items()
    }
    return Mapping(entries, mapping.place)


def _with_note(node: Node, note: Note) -> Node:
    if node.note is not None or isinstance(node, (Absent, Conflict)):
        return node
    return replace(node, note=note)


def apply_override(root: Mapping, text: str, problems: list[Problem]) -> Mapping:
    """Apply one ``path.to.field=value`` to a merged scenario.

    Parameters
    ----------
    root : Mapping
        The scenario so far.
    text : str
        Dotted path, ``=`` and a YAML value (flow style); ``null`` deletes the field.
    problems : list of Problem
        Collects what is wrong; a field no model knows is left for the models to report.
    """
    name, equals, value_text = text.partition("=")
    steps = tuple(step.strip() for step in name.split("."))
    path = name.strip()
    # Bounded depth, as for files.
    if not equals or not all(steps) or len(steps) > DEPTH_MAX:
        problems.append(_refusal("", f"found {text[:60]!r}; allowed: path.to.field=value"))
        return root
    # Files are merged by now.
    if steps[0] == "extends":
        problems.append(_refusal(path, "found 'extends'; allowed: only in a file"))
        return root
    node: Node = root
    for count, step in enumerate(steps):
        # Lists are replaced as a whole; a position would mean another entry after the file was
        # edited.
        if isinstance(node, Listing):
            whole = dotted(steps[:count])
            problems.append(
                _refusal(path, f"found an entry of the list {whole!r}; allowed: the whole list")
            )
            return root
        inner = node.entries.get(step) if isinstance(node, Mapping) else None
        if inner is None:
            break
        node = inner.node
    value = parse_text(value_text.strip(), "", problems, prefix=path)
    if value is None:
        return root
    if isinstance(value, Absent) and inner is None and count < len(steps) - 1:
        problems.append(
            _refusal(path, f"found null, but there is no {dotted(steps[: count + 1])!r}")
        )
        return root
    place = Place("", 0)
    # The path becomes a small tree, which then is merged like any child.
    for step in reversed(steps):
        value = Mapping({step: Entry(place, value)}, place)
    assert isinstance(value, Mapping)
    merged = merge_child(root, value, problems)
    return replace(merged, place=root.place)


def _refusal(path: str, message: str) -> Problem:
    return Problem("", 0, path, message)
