"""Find the estimates an answer rests on, and how each of them can be moved.

Takes a loaded scenario; gives one :class:`Assumption` per estimated value: those the file marks
``evidence: estimated`` and the estimated defaults it left alone. A default that applies in many
places (the core system of every bank) is one assumption and moves in all of them; a mix of shares
is one assumption per share, because each of them can be measured.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from sim.model.base import FieldPath
from sim.model.distributions import AmountDistribution, DurationDistribution
from sim.model.evidence import Evidence
from sim.model.magnitude import Form, Magnitude
from sim.model.quantities import PPB, CurrencyCode, EventRate, write_share
from sim.model.quantity import Quantity
from sim.scenario.model import Scenario
from sim.scenario.scenario import LoadedScenario
from sim.scenario.tree import Tree


@dataclass(frozen=True, slots=True)
class Assumption:
    """One estimated value.

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
    form : Form
        What kind of value.
    mix : tuple of (str, int)
        Where it is one of several shares that add up to 100 %: all of them by key, in parts per
        billion. The others make room in proportion.
    grade : Evidence
        How well founded it is.
    choices : tuple of str
        What else a choice could be.
    """

    name: str
    paths: tuple[str, ...]
    source: str
    tree: Tree
    form: Form
    mix: tuple[tuple[str, int], ...] = ()
    grade: Evidence = Evidence.ESTIMATED
    choices: tuple[str, ...] = ()

    @property
    def places(self) -> int:
        """Return in how many places it stands."""
        return len(self.paths)


@dataclass(frozen=True, slots=True)
class _Found:
    """An estimate at one place."""

    path: FieldPath
    source: str
    tree: Tree
    form: Form
    mix: tuple[tuple[str, int], ...]
    grade: Evidence
    owner: str
    """Model and field of a default; empty for a value that is written."""
    choices: tuple[str, ...] = ()


def find_assumptions(
    loaded: LoadedScenario, grades: Collection[Evidence] = (Evidence.ESTIMATED,)
) -> tuple[Assumption, ...]:
    """Return every value of a grade, by name.

    Parameters
    ----------
    loaded : LoadedScenario
        The scenario.
    grades : collection of Evidence
        Those wanted.
    """
    found: list[_Found] = []
    for path, note in loaded.document.evidence.items():
        if note.kind in grades:
            tree = _at(loaded.document.tree, path)
            found += _unmixed(loaded.scenario, path, note.source, tree=tree, grade=note.kind)
    for path, source, grade, owner, tree in _defaults(loaded.scenario, ()):
        if grade in grades:
            found += _unmixed(loaded.scenario, path, source, tree=tree, grade=grade, owner=owner)
    grouped: dict[tuple[object, ...], list[_Found]] = {}
    for one in found:
        key = (one.owner, one.source, len(one.path)) if one.owner else one.path
        grouped.setdefault(key, []).append(one)
    together = [_together(places) for places in grouped.values()]
    return tuple(sorted(together, key=lambda assumption: assumption.name))


_CHOSEN = frozenset({"clock", "seed", "routing"})
"""Sections that say what is asked, of which nobody could have evidence."""
_QUANTITIES = frozenset(
    {Form.SHARE, Form.FEE, Form.WHOLE, Form.AMOUNT, Form.NUMBER, Form.DISTRIBUTION, Form.WEIGHTS}
)


def find_unstated(loaded: LoadedScenario) -> tuple[str, ...]:
    """Return every quantity the file states without saying what it rests on, by dotted path.

    Parameters
    ----------
    loaded : LoadedScenario

    Notes
    -----
    Nothing tells an estimate among them from a figure chosen on purpose, so they are not varied.
    """
    sections = (key for key in loaded.document.tree if key not in _CHOSEN)
    return tuple(
        ".".join(map(str, path))
        for key in sections
        for path in _unstated(loaded, (key,), loaded.document.tree[key])
    )


def _unstated(loaded: LoadedScenario, path: FieldPath, tree: Tree) -> Iterator[FieldPath]:
    # Payments written one by one are the question, too.
    if path in loaded.document.evidence or path[-1] == "payments":
        return
    declared = _declared(loaded.scenario, path)
    if isinstance(tree, dict) and declared.kind not in (DurationDistribution, AmountDistribution):
        for key, item in tree.items():
            yield from _unstated(loaded, (*path, key), item)
    elif isinstance(tree, list) and any(isinstance(item, dict) for item in tree):
        for position, item in enumerate(tree):
            yield from _unstated(loaded, (*path, position), item)
    elif any(isinstance(step, int) for step in path):
        # Entries of lists have no type here: what reads as a quantity is one.
        if Magnitude.read(tree) is not None:
            yield path
    elif tree and _form(tree, path, declared) in _QUANTITIES:
        yield path


def _together(places: Sequence[_Found]) -> Assumption:
    """Make one assumption of all places of a default."""
    first = places[0]
    steps = zip(*(place.path for place in places), strict=True)
    name = ".".join(str(step[0]) if len(set(step)) == 1 else "*" for step in steps)
    paths = tuple(".".join(map(str, place.path)) for place in places)
    return Assumption(
        name,
        paths,
        first.source,
        first.tree,
        first.form,
        mix=first.mix,
        grade=first.grade,
        choices=first.choices,
    )


def _unmixed(
    scenario: Scenario,
    path: FieldPath,
    source: str,
    *,
    tree: Tree,
    grade: Evidence,
    owner: str = "",
) -> Iterator[_Found]:
    """Yield a value, or, of a mix of shares, each share."""
    declared = _declared(scenario, path)
    if isinstance(tree, dict) and declared.is_mix:
        mix = _mix(declared.value)
        for key, share in mix:
            field = f"{owner}.{key}" if owner else ""
            yield _Found((*path, key), source, write_share(share), Form.SHARE, mix, grade, field)
        return
    above = _declared(scenario, path[:-1])
    mix = _mix(above.value) if above.is_mix else ()
    form = _form(tree, path, declared)
    choices = _choices(scenario, tree, declared) if form is Form.WORD else ()
    form = Form.CHOICE if choices else form
    yield _Found(path, source, tree, form, mix, grade, owner, choices)


def _choices(scenario: Scenario, tree: Tree, declared: _Declared) -> tuple[str, ...]:
    """Return what else a word could be, where that is known."""
    known: set[str] = set()
    if get_origin(declared.kind) is Literal:
        known = {str(item) for item in get_args(declared.kind)}
    elif declared.quantity is not None and declared.quantity.parse is _CURRENCY.parse:
        corridors = scenario.corridors.values()
        known = {end.currency for corridor in corridors for end in (corridor.from_, corridor.to)}
        known |= {code for pair in scenario.fx.mid for code in str(pair).split("/")}
    return tuple(sorted(known - {str(tree)}))


@dataclass(frozen=True, slots=True)
class _Declared:
    """A value of the scenario with the type its field declares."""

    value: object
    kind: Any = object
    quantity: Quantity[Any] | None = None

    @property
    def is_mix(self) -> bool:
        """Say whether these are shares that add up to 100 %."""
        if not isinstance(self.value, dict) or get_origin(self.kind) is not dict:
            return False
        quantity = _quantity(get_args(get_args(self.kind)[1])[1:])
        is_share = quantity is not None and quantity.form is Form.SHARE
        return is_share and len(self.value) > 1 and sum(self.value.values()) == PPB


def _declared(scenario: BaseModel, path: FieldPath) -> _Declared:
    """Follow a path through models and mappings."""
    found = _Declared(scenario)
    for step in path:
        value = found.value
        if isinstance(value, BaseModel):
            fields = type(value).model_fields
            name = next(key for key, item in fields.items() if step in (item.alias, key))
            quantity = _quantity(fields[name].metadata)
            found = _Declared(getattr(value, name), fields[name].annotation, quantity)
        elif isinstance(value, dict) and get_origin(found.kind) is dict:
            kind = get_args(found.kind)[1]
            # Keys may be more than text, as pairs of currencies are.
            inner = next((item for key, item in value.items() if str(key) == str(step)), None)
            found = _Declared(inner, kind)
        else:
            # Parts of a distribution and entries of lists have no type of their own.
            return _Declared(None)
        found = _plain(found)
    return found


def _plain(found: _Declared) -> _Declared:
    """Take off ``None`` and annotations, keeping the quantity among them."""
    kind, quantity = found.kind, found.quantity
    while get_origin(kind) in (Annotated, Union, UnionType):
        arguments = get_args(kind)
        if get_origin(kind) is Annotated:
            quantity = quantity or _quantity(arguments[1:])
            kind = arguments[0]
            continue
        rest = [item for item in arguments if item is not type(None)]
        if len(rest) != 1:
            break
        kind = rest[0]
    return _Declared(found.value, kind, quantity)


def _quantity(metadata: Sequence[object]) -> Quantity[Any] | None:
    return next((item for item in metadata if isinstance(item, Quantity)), None)


def _form(tree: Tree, path: FieldPath, declared: _Declared) -> Form:
    """Return what kind of value a field holds."""
    if any(isinstance(step, int) for step in path):
        return Form.LISTED
    if declared.kind in (DurationDistribution, AmountDistribution):
        return Form.DISTRIBUTION
    if isinstance(tree, list):
        is_count = get_origin(declared.kind) is tuple and all(map(str.isdecimal, _texts(tree)))
        return Form.WEIGHTS if is_count and len(tree) > 1 else Form.WORD
    if isinstance(tree, dict):
        inner = _plain(_Declared(None, get_args(declared.kind)[1] if tree else object))
        return Form.WORD if inner.quantity is None else inner.quantity.form
    is_part = declared.kind is object and Magnitude.read(tree) is not None
    if declared.kind is EventRate or is_part:
        # What no model declares is a parameter of a distribution.
        return Form.NUMBER
    return Form.WORD if declared.quantity is None else declared.quantity.form


_CURRENCY: Quantity[Any] = next(
    item for item in get_args(CurrencyCode) if isinstance(item, Quantity)
)


def _texts(tree: Sequence[Tree]) -> list[str]:
    return [item if isinstance(item, str) else "" for item in tree]


def _mix(value: object) -> tuple[tuple[str, int], ...]:
    assert isinstance(value, dict)
    return tuple((str(key), int(share)) for key, share in sorted(value.items()))


def _at(tree: Tree, path: FieldPath) -> Tree:
    for step in path:
        if isinstance(tree, dict):
            tree = tree[str(step)]
        elif isinstance(tree, list):
            tree = tree[int(step)]
    return tree


def _defaults(
    model: BaseModel, path: FieldPath
) -> Iterator[tuple[FieldPath, str, Evidence, str, Tree]]:
    """Yield path, source, grade, owner and text of every default with evidence left unset."""
    for name, field in type(model).model_fields.items():
        place = (*path, field.alias or name)
        extra = field.json_schema_extra
        is_left = name not in model.model_fields_set
        if is_left and isinstance(extra, dict) and "evidence" in extra:
            default = field.get_default(call_default_factory=True)
            written = _as_tree(default, _quantity(field.metadata))
            owner = f"{type(model).__name__}.{name}"
            yield place, str(extra["source"]), Evidence(str(extra["evidence"])), owner, written
        yield from _below(getattr(model, name), place)


def _below(value: object, place: FieldPath) -> Iterator[tuple[FieldPath, str, Evidence, str, Tree]]:
    if isinstance(value, BaseModel):
        yield from _defaults(value, place)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _below(item, (*place, str(key)))
    elif isinstance(value, (list, tuple)):
        for position, item in enumerate(value):
            yield from _below(item, (*place, position))


def _as_tree(default: object, quantity: Quantity[Any] | None) -> Tree:
    """Return a default as it would be written in a file."""
    if isinstance(default, Mapping):
        return {str(key): _as_tree(value, None) for key, value in default.items()}
    if not isinstance(default, str) and quantity is not None and quantity.write is not None:
        return quantity.write(default)
    return str(default)
