"""Every place of a scenario where a field of the schema stands, and other values to put there.

Takes a loaded scenario; gives :class:`Place` after place with values its type accepts, and the text
of the scenario with one of them in place. Nothing here knows a field by name: what a value may be
follows from the field's type, as the schema says it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sim.model.base import FieldPath
from sim.model.magnitude import Form, Magnitude
from sim.model.quantities import PPB
from sim.model.quantity import Quantity
from sim.scenario.expected import (
    allowed_words,
    field_annotation,
    find_quantity,
    is_listing,
    is_mapping,
    is_model,
    is_plain_union,
    strip,
    tagged_arms,
)
from sim.scenario.scenario import LoadedScenario
from sim.scenario.tree_text import tree_text

_SCALED = (Form.SHARE, Form.FEE, Form.WHOLE, Form.AMOUNT, Form.NUMBER)


@dataclass(frozen=True)
class Place:
    """One field at one place.

    Attributes
    ----------
    owner, field : str
        Class of the model it stands in, and its name there, as users write it.
    path : tuple
        Where it stands.
    others : tuple
        Values that are not the present one; None deletes it.
    """

    owner: str
    field: str
    path: FieldPath
    others: tuple[Any, ...]

    @property
    def name(self) -> str:
        """Return the field as the manual names it."""
        return f"{self.owner}.{self.field}"


def schema_fields(model: type[BaseModel]) -> set[str]:
    """Return every field of a model and of all models below it, as ``Class.field``."""
    found: dict[str, Any] = {}
    _collect(model, found, set())
    return set(found)


def schema_leaves(model: type[BaseModel]) -> set[str]:
    """Return the fields that hold a value, and no further fields."""
    found: dict[str, Any] = {}
    _collect(model, found, set())
    return {name for name, expected in found.items() if not _holds_fields(expected)}


def _holds_fields(expected: Any) -> bool:
    bare = strip(expected)
    if is_model(bare) or tagged_arms(bare) is not None:
        return True
    parts = [part for part in get_args(bare) if not isinstance(part, (Quantity, FieldInfo))]
    return any(_holds_fields(part) for part in parts if part is not Ellipsis)


def _collect(expected: Any, found: dict[str, Any], seen: set[type]) -> None:
    bare = strip(expected)
    arms = tagged_arms(bare)
    if arms is not None:
        for arm in arms.values():
            _collect(arm, found, seen)
    elif is_model(bare):
        if bare not in seen:
            seen.add(bare)
            for name, field in bare.model_fields.items():
                found[f"{bare.__name__}.{field.alias or name}"] = field_annotation(field)
                _collect(field_annotation(field), found, seen)
    else:
        for argument in get_args(bare):
            if not isinstance(argument, (Quantity, FieldInfo)):
                _collect(argument, found, seen)


def places(loaded: LoadedScenario) -> Iterator[Place]:
    """Yield every field at every place of a scenario, those left at their defaults included."""
    words = _words(loaded)
    yield from _model_places(loaded.scenario, (), words)


def _words(loaded: LoadedScenario) -> tuple[str, ...]:
    """Return every name a field could mean here."""
    scenario = loaded.scenario
    found: list[str] = []
    for section in ("institutions", "rails", "accounts", "corridors", "profiles"):
        found += getattr(scenario, section)
    tiers = [tier for rail in scenario.rails.values() for tier in rail.kyc_tiers]
    stations = [name for rail in scenario.rails.values() for name in getattr(rail, "stations", ())]
    return (
        *found,
        *tiers,
        *stations,
        "debtor",
        "creditor",
        "unionpay",
        "wechat_pay",
        "alipay",
        "new_word",
    )


def _model_places(model: BaseModel, path: FieldPath, words: tuple[str, ...]) -> Iterator[Place]:
    for name, field in type(model).model_fields.items():
        key = field.alias or name
        value = getattr(model, name)
        expected = field_annotation(field)
        others = tuple(_others(expected, value, words))
        yield Place(type(model).__name__, key, (*path, key), others)
        yield from _below(value, (*path, key), words)


def _below(value: object, path: FieldPath, words: tuple[str, ...]) -> Iterator[Place]:
    if isinstance(value, BaseModel):
        yield from _model_places(value, path, words)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _below(item, (*path, str(key)), words)
    elif isinstance(value, tuple):
        for position, item in enumerate(value):
            yield from _below(item, (*path, position), words)


def _others(expected: Any, value: object, words: tuple[str, ...]) -> Iterator[Any]:
    """Yield values a type accepts, other than the present one; absent counts as one of them."""
    bare = strip(expected)
    quantity = find_quantity(bare)
    if value is not None:
        yield None
    if is_plain_union(bare):
        for arm in get_args(bare):
            yield from _others(arm, value, words)
    elif quantity is not None:
        yield from _quantities(quantity, value, words)
    elif allowed_words(bare):
        yield from (word for word in allowed_words(bare) if word != value)
    elif bare is str:
        yield "another text"
    elif is_mapping(bare) and isinstance(value, dict):
        for key in value:
            yield {"__without__": str(key)}
        if len(value) == 2 and sum(v for v in value.values() if isinstance(v, int)) == PPB:
            # Shares that add up to a whole are changed together.
            yield dict(zip(map(str, value), ("30 %", "70 %"), strict=True))
    elif is_listing(bare) and not isinstance(value, str):
        item = get_args(bare)[0]
        items = value if isinstance(value, tuple) else ()
        for position in range(len(items)):
            yield {"__without__": position}
        yield from ([other] for other in _others(item, None, words))
        yield from _one_changed(item, value, words)
    elif hasattr(bare, "ALLOWED"):
        currency = getattr(value, "currency", None)
        yield from (["1.25 s", "0.75 s"] if currency is None else [f"7 100 {currency}"])
    else:
        # Amounts, rates and the like, which are types of their own.
        own = _own_quantity(bare)
        if own is not None:
            yield from _quantities(own, value, words)


def _one_changed(item: Any, value: Any, words: tuple[str, ...]) -> Iterator[list[Any]]:
    """Yield a list of values with one of them changed: a list may have to keep its length."""
    written = _written(value or ())
    for position, one in enumerate(value or ()):
        other = next((new for new in _others(item, one, words) if isinstance(new, str)), None)
        if other is not None:
            yield [*written[:position], other, *written[position + 1 :]]


def _own_quantity(bare: Any) -> Quantity[Any] | None:
    from sim.model import money, quantities

    known: dict[str, Any] = {
        "EventRate": quantities._EVENT_RATE,
        "MoneyAmount": money._MONEY_AMOUNT,
    }
    found: Quantity[Any] | None = known.get(getattr(bare, "__name__", ""))
    return found


def _quantities(quantity: Quantity[Any], value: object, words: tuple[str, ...]) -> Iterator[Any]:
    write = quantity.write or str
    if value is not None and quantity.form in _SCALED:
        shown = Magnitude.read(write(value))
        # A share is kept whole where it is written without a unit.
        if shown is not None:
            for factor in (2.0, 0.5):
                yield str(shown.scaled(factor, quantity.form))
    elif value is not None and Magnitude.read(write(value)) is not None:
        shown = Magnitude.read(write(value))
        assert shown is not None
        yield str(shown.scaled(2.0, Form.NUMBER))
    for example in quantity.examples:
        if value is None or write(value) != example:
            yield example
    if quantity.form is Form.WORD:
        yield from (word for word in words if word != value)


def changed_text(loaded: LoadedScenario, place: Place, other: Any) -> str:
    """Return the scenario as YAML text with another value at one place."""
    tree: Any = copy.deepcopy(loaded.document.tree)
    change(tree, loaded.scenario, place, other)
    return tree_text(tree)


def change(tree: Any, scenario: BaseModel, place: Place, other: Any) -> None:
    """Put another value at one place of a scenario's tree.

    Parameters
    ----------
    tree : dict
        As written; changed in place.
    scenario : Scenario
        What the tree means, defaults filled in.
    place : Place
    other : object
        One of the place's own; None takes the field away.

    Raises
    ------
    LookupError
        If the place is not there any more.
    """
    node = tree
    for step in place.path[:-1]:
        # What is left at its defaults is not written yet.
        node = node.setdefault(step, {}) if isinstance(node, dict) else node[step]
    key = place.path[-1]
    if other is None:
        node.pop(key, None)
    elif isinstance(other, dict) and "__without__" in other:
        whole = node.get(key)
        if whole is None:
            value = value_at(scenario, place.path)
            whole = _written(value)
            node[key] = whole
        del whole[other["__without__"]]
    else:
        node[key] = other


def value_at(model: Any, path: FieldPath) -> Any:
    """Return what stands at a place of a scenario."""
    for step in path:
        if isinstance(model, BaseModel):
            names = {field.alias or name: name for name, field in type(model).model_fields.items()}
            model = getattr(model, names[str(step)])
        elif isinstance(model, dict):
            # Keys may be more than text: pairs of currencies, instants.
            model = next(item for key, item in model.items() if str(key) == step)
        else:
            model = model[step]
    return model


def _written(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _written(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_written(item) for item in value]
    return value.model_dump(by_alias=True) if isinstance(value, BaseModel) else str(value)


_FACTORS = (0.001, 0.1, 3.0, 40.0, 1000.0, 10.0**9)
_DURATIONS = (
    {"lognormal": {"median": "10 s", "sigma": "3"}},
    {"pareto": {"minimum": "1 ms", "alpha": "1.1"}},
    {"hyperexponential": {"p": "99 %", "mean_1": "1 ms", "mean_2": "1 h"}},
    {"weibull": {"mean": "1 s", "shape": "0.2"}},
    {"exponential": {"mean": "1 us"}},
    {"uniform": {"low": "0 s", "high": "1 us"}},
    "0 s",
    "100 d",
)
_AMOUNTS = (
    {"lognormal": {"median": "3 CODE", "sigma": "4"}},
    {"pareto": {"minimum": "2 CODE", "alpha": "1.2"}},
    {"uniform": {"low": "0 CODE", "high": "1 CODE"}},
    {"exponential": {"mean": "9 000 CODE"}},
)
"""Corners of the families: the heaviest tails, and next to nothing."""


def extremes(loaded: LoadedScenario, place: Place) -> tuple[Any, ...]:
    """Return values at the edge of what a field may be: nothing, everything, and far away."""
    value = value_at(loaded.scenario, place.path)
    kind = type(value).__name__
    if kind == "DurationDistribution":
        return _DURATIONS
    if kind == "AmountDistribution":
        return tuple(_in_currency(law, value.currency) for law in _AMOUNTS)
    owner = value_at(loaded.scenario, place.path[:-1])
    names = {field.alias or name: name for name, field in type(owner).model_fields.items()}
    expected = field_annotation(type(owner).model_fields[names[place.field]])
    quantity = find_quantity(strip(expected)) or _own_quantity(strip(expected))
    if quantity is None or value is None or quantity.form not in _SCALED:
        return ()
    shown = Magnitude.read((quantity.write or str)(value))
    if shown is None:
        return ()
    if quantity.form in (Form.SHARE, Form.FEE):
        return ("0 %", "100 %", "99.9 %")
    unit = f" {shown.unit}" if shown.unit else ""
    return (f"0{unit}", *(str(shown.scaled(factor, quantity.form)) for factor in _FACTORS))


def _in_currency(law: dict[str, dict[str, str]], code: str) -> dict[str, dict[str, str]]:
    return {
        family: {name: text.replace("CODE", code) for name, text in parameters.items()}
        for family, parameters in law.items()
    }
