"""Follow the location of a pydantic error through a model's annotations.

Takes a model class, the plain tree and a location; gives the path in the user's file (without the
tags and labels pydantic adds), the type expected there and the value found.
"""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, Discriminator, Tag
from pydantic.fields import FieldInfo

from sim.model.base import FieldPath
from sim.model.quantity import Quantity


class Key:
    """Stand for the expected type of a mapping's key."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Say where an error leads: the path, the type expected there and the value found."""

    path: FieldPath
    expected: Any
    value: object
    is_key: bool = False
    description: str = ""
    siblings: tuple[str, ...] = ()


def follow(expected: Any, value: object, location: tuple[int | str, ...]) -> Spot:
    """Walk a location; stop early at a union whose arms pydantic would report one by one."""
    path: FieldPath = ()
    is_key, description = False, ""
    siblings: tuple[str, ...] = ()
    for step in location:
        expected = strip(expected)
        if step == "[key]":
            return Spot(path, Key, path[-1] if path else value, is_key=True)
        if is_plain_union(expected):
            break
        arms = tagged_arms(expected)
        if arms is not None:
            expected = arms.get(str(step), object)
            continue
        if is_model(expected):
            siblings = tuple(model_fields(expected))
            field = model_fields(expected).get(str(step))
            is_key, description = field is None, (field.description or "" if field else "")
            inner: Any = field_annotation(field) if field else object
        else:
            inner = _item_type(expected, step)
            if inner is None:
                break
        value = _value_at(value, step)
        path = (*path, step)
        expected = inner
    return Spot(path, strip(expected), value, is_key, description, siblings)


def strip(expected: Any) -> Any:
    """Take off None, aliases and annotations that do not change how a value is read."""
    while True:
        origin, arguments = get_origin(expected), get_args(expected)
        if origin is Annotated:
            if any(_decides(item) for item in arguments[1:]):
                return expected
            expected = arguments[0]
        elif origin in (Union, types.UnionType):
            rest = tuple(item for item in arguments if item is not type(None))
            if len(rest) == len(arguments):
                return expected
            expected = Union[rest]  # noqa: UP007 - built from a tuple
        elif type(expected).__name__ == "TypeAliasType":
            expected = expected.__value__
        else:
            return expected


def _decides(item: object) -> bool:
    if isinstance(item, FieldInfo):
        return item.discriminator is not None
    return isinstance(item, (Quantity, Discriminator))


def field_annotation(field: FieldInfo) -> Any:
    """Return a field's type together with the parts of its metadata that decide how it is read."""
    annotation: Any = field.annotation
    deciding: list[Any] = [item for item in field.metadata if _decides(item)]
    if field.discriminator is not None:
        chosen = field.discriminator
        deciding.append(chosen if isinstance(chosen, Discriminator) else Discriminator(chosen))
    for item in deciding:
        annotation = Annotated[strip(annotation), item]
    return annotation


def is_model(expected: Any) -> bool:
    """Tell whether a type is a pydantic model."""
    return isinstance(expected, type) and issubclass(expected, BaseModel)


def model_fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return a model's fields by the name a user writes."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def discriminator_name(expected: Any) -> str:
    """Return the field that tells the arms of a union apart; empty when a function does."""
    found = _discriminator(expected)
    return found if isinstance(found, str) else ""


def _discriminator(expected: Any) -> object | None:
    if get_origin(expected) is not Annotated:
        return None
    for item in get_args(expected)[1:]:
        chosen = item.discriminator if isinstance(item, FieldInfo) else item
        if isinstance(chosen, Discriminator):
            return chosen.discriminator
        if isinstance(chosen, str) and isinstance(item, FieldInfo):
            return chosen
    return None


def tagged_arms(expected: Any) -> dict[str, Any] | None:
    """Return the arms of a discriminated union by tag; None for anything else."""
    name = _discriminator(expected)
    if name is None:
        return None
    arms: dict[str, Any] = {}
    union = strip(get_args(expected)[0])
    for arm in get_args(union) if is_plain_union(union) else (union,):
        tags = [item.tag for item in get_args(arm)[1:] if isinstance(item, Tag)]
        bare = strip(arm)
        if not tags and is_model(bare) and isinstance(name, str):
            for field_name, field in bare.model_fields.items():
                if name in (field_name, field.alias):
                    tags = [str(getattr(tag, "value", tag)) for tag in get_args(field.annotation)]
        arms.update(dict.fromkeys(tags, bare))
    return arms


def is_plain_union(expected: Any) -> bool:
    """Tell whether a type is a union without a discriminator."""
    return get_origin(expected) in (Union, types.UnionType)


def is_mapping(expected: Any) -> bool:
    """Tell whether a type is read from a mapping by name."""
    return _is_kind(expected, Mapping)


def is_listing(expected: Any) -> bool:
    """Tell whether a type is read from a list."""
    return any(_is_kind(expected, kind) for kind in (Sequence, set, frozenset))


def _is_kind(expected: Any, kind: type[Any]) -> bool:
    origin = get_origin(expected) or expected
    return isinstance(origin, type) and issubclass(origin, kind) and not issubclass(origin, str)


def allowed_words(expected: Any) -> tuple[str, ...]:
    """Return the words a literal or an enumeration allows."""
    if get_origin(expected) is Literal:
        return tuple(str(getattr(item, "value", item)) for item in get_args(expected))
    if isinstance(expected, type) and issubclass(expected, Enum):
        return tuple(str(member.value) for member in expected)
    return ()


def find_quantity(expected: Any) -> Quantity[Any] | None:
    """Return the quantity a type is read by."""
    for item in get_args(expected)[1:] if get_origin(expected) is Annotated else ():
        if isinstance(item, Quantity):
            return item
    return None


def _item_type(expected: Any, step: int | str) -> Any:
    arguments = get_args(expected)
    if is_mapping(expected):
        return arguments[1] if len(arguments) == 2 else object
    if not isinstance(step, int) or not is_listing(expected):
        return None
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return arguments[0]
    return arguments[min(step, len(arguments) - 1)] if arguments else object


def _value_at(value: object, step: int | str) -> object:
    if isinstance(value, dict):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return None
