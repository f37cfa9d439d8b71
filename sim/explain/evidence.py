"""What a scenario rests on: every value by how well founded it is, and every hypothetical link.

Takes a compiled scenario; gives lines. Values a scenario states with evidence come from its
document, defaults it left alone from the models; equal ones of many institutions, rails or streams
are told once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel

from sim.compiler.compile import Compiled
from sim.explain.words import count
from sim.model.defaults import defaults_used
from sim.model.evidence import Evidence
from sim.model.quantity import Quantity
from sim.scenario.loader import Document
from sim.scenario.model import Scenario
from sim.scenario.tree import Tree

GRADES = {
    Evidence.REPORTED: "a publication states the figure",
    Evidence.DERIVED: "computed from reported figures",
    Evidence.ESTIMATED: "our estimate from indirect evidence",
    Evidence.ASSUMED: "an assumption without a published figure",
}
"""Every grade and what it means, best founded first."""


@dataclass(frozen=True, slots=True, order=True)
class Assumption:
    """One value and what it rests on.

    Attributes
    ----------
    path : str
        Dotted path of the field.
    grade : str
        Value of :class:`~sim.model.evidence.Evidence`.
    source : str
        Key of the source, or the reason of an assumption.
    value : str
        As people write it.
    is_default : bool
        Whether the scenario left the default alone.
    """

    path: str
    grade: str
    source: str
    value: str
    is_default: bool


def assumptions(scenario: Scenario, document: Document) -> tuple[Assumption, ...]:
    """Return every value of a scenario that carries evidence, and every default that does."""
    found = [
        Assumption(
            ".".join(map(str, note.path)), note.kind.value, note.source, note.value_text, False
        )
        for note in document.evidence.values()
    ]
    for default in defaults_used(scenario):
        path = _as_written(default.path)
        value = _shown(scenario, default.path, default.value)
        found.append(Assumption(path, default.evidence, default.source, value, True))
    return tuple(sorted(found))


def hypothetical_links(scenario: Scenario) -> tuple[str, ...]:
    """Return the links that were not live at the start, with the day assumed for them."""
    return tuple(
        " ".join(filter(None, (name, link.words))) + f" (live from {link.live_from.isoformat()})"
        for name, rail in sorted(scenario.rails.items())
        for link in rail.links()
        if link.is_hypothetical
    )


def evidence_lines(compiled: Compiled) -> Iterator[str]:
    """Yield the assumptions by grade, equal ones together."""
    found = assumptions(compiled.scenario, compiled.document)
    for grade, meaning in GRADES.items():
        chosen = [item for item in found if item.grade == grade.value]
        yield f"{grade.value} ({meaning}): {count(len(chosen), 'value')}"
        for line in _grouped(chosen):
            yield f"  {line}"
    plain = sum(1 for _ in _leaves(compiled.document.tree, ())) - sum(
        1
        for note in compiled.document.evidence
        for _ in _leaves(_below(compiled.document.tree, note), ())
    )
    yield f"stated without evidence: {count(plain, 'value')} of the scenario file"


def _grouped(chosen: list[Assumption]) -> Iterator[str]:
    """Yield one line per kind of value: entries of a section that agree are counted."""
    lines = []
    groups: dict[tuple[str, str, str, bool], list[str]] = {}
    for item in chosen:
        section, _, rest = item.path.partition(".")
        name, _, field = rest.partition(".")
        key = (f"{section}.*.{field}" if field else item.path, item.value, item.source)
        groups.setdefault((*key, item.is_default), []).append(name)
    for (path, value, source, is_default), names in groups.items():
        shown = path.replace("*", names[0]) if len(names) == 1 else path
        times = f" ({len(names)} entries)" if len(names) > 1 else ""
        default = ", default" if is_default else ""
        lines.append(f"{shown}{times} = {value}{default} [{source or 'no source given'}]")
    yield from sorted(lines)


def _as_written(path: str) -> str:
    """Return a path with fields named as the file names them (``from_`` is ``from``)."""
    return ".".join(part.removesuffix("_") for part in path.split("."))


def _shown(scenario: Scenario, path: str, text: str) -> str:
    """Write a default as people write it, by the quantity its field reads."""
    *way, last = path.split(".")
    value: object = scenario
    for step in way:
        if isinstance(value, BaseModel):
            value = getattr(value, step)
        elif isinstance(value, dict):
            value = value[step]
        elif isinstance(value, tuple):
            value = value[int(step)]
    if not isinstance(value, BaseModel):
        return text
    field = type(value).model_fields[last]
    writers = [item.write for item in field.metadata if isinstance(item, Quantity) and item.write]
    held = getattr(value, last)
    if writers:
        return writers[0](held)
    if isinstance(held, dict):
        return ", ".join(f"{key} {_part(part)}" for key, part in sorted(held.items()))
    return str(held)


def _part(value: object) -> str:
    """Write a share kept in parts per billion."""
    return f"{value / 10**7:g} %" if isinstance(value, int) else str(value)


def _below(tree: Tree, path: tuple[str | int, ...]) -> Tree:
    for step in path:
        if isinstance(tree, dict):
            tree = tree[str(step)]
        elif isinstance(tree, list):
            tree = tree[int(step)]
    return tree


def _leaves(tree: Tree, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if isinstance(tree, str):
        yield path
    elif isinstance(tree, dict):
        for key, value in tree.items():
            yield from _leaves(value, (*path, key))
    else:
        for position, value in enumerate(tree):
            yield from _leaves(value, (*path, position))
