"""Find the estimates an answer rests on, and write them larger or smaller.

Takes a loaded scenario; gives one :class:`Assumption` per estimated value: those the file marks
``evidence: estimated`` and the estimated defaults it left alone. A default that applies in many
places (the core system of every bank) is one assumption and moves in all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pydantic import BaseModel

from sim.model.evidence import Evidence
from sim.model.number_text import Quantity
from sim.scenario.scenario import LoadedScenario
from sim.scenario.tree import Tree

_NUMBER = re.compile(r"\s*(?P<number>\d[\d ]*(?:\.\d+)?)\s*(?P<unit>|%|bps|/?\s*[A-Za-z]+)\s*")
_SHAPES = frozenset({"sigma", "shape", "alpha", "beta", "k"})
"""Parts of a distribution that say how it spreads, not how large it is; they stay."""
_WHOLE_UNITS = frozenset({"", "KHR", "IDR", "VND", "LAK", "KRW", "JPY"})


@dataclass(frozen=True, slots=True)
class Assumption:
    """Be one estimated value.

    Attributes
    ----------
    name : str
        Dotted path; ``*`` where it applies in several places.
    paths : tuple of str
        Every place.
    source : str
        Calibration key, or why it was chosen.
    tree : Tree
        The value as written.
    """

    name: str
    paths: tuple[str, ...]
    source: str
    tree: Tree

    def overrides(self, factor: float) -> tuple[str, ...]:
        """Return the changes that multiply the value everywhere."""
        scaled = scale(self.tree, factor)
        assert scaled is not None
        return tuple(f"{path}={flow(scaled)}" for path in self.paths)

    @property
    def is_scalable(self) -> bool:
        """Say whether the value is a quantity that can be larger or smaller."""
        return scale(self.tree, 1.0) is not None


def find_assumptions(loaded: LoadedScenario) -> tuple[Assumption, ...]:
    """Return every estimated value, by name.

    Parameters
    ----------
    loaded : LoadedScenario
        The scenario.
    """
    found: dict[str, Assumption] = {}
    for path, note in loaded.document.evidence.items():
        if note.kind is Evidence.ESTIMATED:
            name = ".".join(map(str, path))
            found[name] = Assumption(name, (name,), note.source, _at(loaded.document.tree, path))
    grouped: dict[tuple[str, str], list[tuple[str, Tree]]] = {}
    for name, source, tree in _defaults(loaded.scenario, ""):
        grouped.setdefault((_general(name), source), []).append((name, tree))
    for (name, source), places in grouped.items():
        paths = tuple(path for path, _ in places)
        label = paths[0] if len(paths) == 1 else name
        found[label] = Assumption(label, paths, source, places[0][1])
    return tuple(found[name] for name in sorted(found))


def scale(tree: Tree, factor: float) -> Tree | None:
    """Multiply every quantity of a value; None where there is none to multiply.

    Parameters
    ----------
    tree : Tree
        Text, or a mapping of texts as a distribution or amounts by currency are written.
    factor : float
        Above 0.
    """
    if isinstance(tree, str):
        return _scale_text(tree, factor)
    if isinstance(tree, dict):
        changed: dict[str, Tree] = {}
        for key, value in tree.items():
            part = value if key in _SHAPES else scale(value, factor)
            if part is None:
                return None
            changed[key] = part
        return changed or None
    return None


def flow(tree: Tree) -> str:
    """Write a value on one line, as ``--set`` takes it."""
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{key}: {flow(value)}" for key, value in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(map(flow, tree)) + "]"
    return tree


def _scale_text(text: str, factor: float) -> str | None:
    found = _NUMBER.fullmatch(text)
    if found is None:
        return None
    written = found["number"].replace(" ", "")
    unit = found["unit"].replace(" ", "")
    value = Decimal(written) * Decimal(repr(factor))
    if unit == "%":
        value = min(value, Decimal(100))
    if "." not in written and unit in _WHOLE_UNITS:
        # A count stays a count, and never becomes none at all.
        value = max(value.to_integral_value(), Decimal(min(1, int(written))))
    elif len(unit) == 3 and unit.isupper():
        value = value.quantize(Decimal("0.01"))
    else:
        value = value.quantize(Decimal("0.000001"))
    number = format(value.normalize(), "f")
    return f"{number} {unit}".strip()


def _at(tree: Tree, path: tuple[str | int, ...]) -> Tree:
    for step in path:
        if isinstance(tree, dict):
            tree = tree[str(step)]
        elif isinstance(tree, list):
            tree = tree[int(step)]
    return tree


def _defaults(model: BaseModel, path: str) -> Iterator[tuple[str, str, Tree]]:
    """Yield path, source and text of every estimated default left unset."""
    for name, field in type(model).model_fields.items():
        place = f"{path}.{field.alias or name}" if path else field.alias or name
        extra = field.json_schema_extra
        is_left = name not in model.model_fields_set
        if is_left and isinstance(extra, dict) and extra.get("evidence") == Evidence.ESTIMATED:
            default = field.get_default(call_default_factory=False)
            writers = [item.write for item in field.metadata if isinstance(item, Quantity)]
            yield place, str(extra["source"]), _as_tree(default, writers)
            continue
        value = getattr(model, name)
        yield from _below(value, place)


def _below(value: object, place: str) -> Iterator[tuple[str, str, Tree]]:
    if isinstance(value, BaseModel):
        yield from _defaults(value, place)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _below(item, f"{place}.{key}")


def _as_tree(default: object, writers: Sequence[object]) -> Tree:
    """Return a default as it would be written in a file."""
    if isinstance(default, Mapping):
        return {str(key): _as_tree(value, []) for key, value in default.items()}
    if not isinstance(default, str):
        for writer in writers:
            if callable(writer):
                return str(writer(default))
    return str(default)


def _general(path: str) -> str:
    """Replace the name of an entry by ``*``, as in ``institutions.*.core.service_time``."""
    section, dot, rest = path.partition(".")
    if not dot or section not in ("institutions", "corridors", "demand", "rails", "accounts"):
        return path
    return f"{section}.*.{rest.partition('.')[2]}"
