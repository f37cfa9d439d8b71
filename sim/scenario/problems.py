"""Say what is wrong with a scenario in the project's words, not in pydantic's.

Takes a loaded document and a model class; gives the checked model, or every problem at once as
``file:line path: found, allowed, suggestion``. Each error pydantic reports is followed through the
model's annotations, so that tags of unions leave the path and known fields can be listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar, get_args

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from sim.errors import Problem, ScenarioError, suggest
from sim.model.base import FieldPath, FieldProblemsError, Model, describe_found
from sim.scenario.expected import (
    Spot,
    allowed_words,
    discriminator_name,
    find_quantity,
    follow,
    is_listing,
    is_mapping,
    is_model,
    is_plain_union,
    model_fields,
    strip,
    tagged_arms,
)
from sim.scenario.tree import Document

PROBLEMS_MAX = 200
"""More are counted, not listed; nobody reads them and each costs a search for close words."""

ModelType = TypeVar("ModelType", bound=Model)


@dataclass(frozen=True, slots=True)
class _Found:
    """One problem before its place is known."""

    path: FieldPath
    message: str
    is_key: bool = False


def validate_model(document: Document, model: type[ModelType]) -> ModelType:
    """Check a document against a model.

    Parameters
    ----------
    document : Document
        Result of :func:`sim.scenario.loader.load_document`.
    model : type
        Class of the whole scenario, derived from :class:`sim.model.base.Model`.

    Returns
    -------
    Model
        The checked instance.

    Raises
    ------
    ScenarioError
        With every problem, each at its file, line and path.
    """
    try:
        return model.model_validate(document.tree)
    except ValidationError as error:
        details = error.errors(include_url=False)
    found = list(dict.fromkeys(_translate_all(details[:PROBLEMS_MAX], model, document.tree)))
    problems = [_problem(document, item) for item in found]
    if len(details) > PROBLEMS_MAX:
        last = max(problems)
        rest = f"and {len(details) - PROBLEMS_MAX:,} more problems"
        problems.append(Problem(last.file, last.line, "", rest))
    raise ScenarioError(problems)


def _problem(document: Document, found: _Found) -> Problem:
    file, line = document.place(found.path, is_key=found.is_key)
    return Problem(file, line, ".".join(map(str, found.path)), found.message)


def _translate_all(
    details: Iterable[ErrorDetails], expected: Any, value: object
) -> Iterator[_Found]:
    unions: set[FieldPath] = set()
    for detail in details:
        spot = follow(expected, value, detail["loc"])
        if not is_plain_union(spot.expected):
            yield from _translate(detail, spot)
        elif spot.path not in unions:
            # Every arm of the union reports its own error; the arm that fits is asked once.
            unions.add(spot.path)
            yield from _translate_union(spot)


def _translate(detail: ErrorDetails, spot: Spot) -> Iterator[_Found]:
    kind = detail["type"]
    error = detail.get("ctx", {}).get("error")
    if isinstance(error, FieldProblemsError):
        for path, message in error.problems:
            yield _Found((*spot.path, *path), message)
    elif kind in ("value_error", "assertion_error"):
        yield _Found(spot.path, str(error), spot.is_key)
    elif kind == "extra_forbidden":
        yield _unknown_field(spot)
    elif kind == "missing":
        # The spot is the missing field itself; its type and description say what is needed.
        yield _Found(spot.path, f"missing; needed: {_describe_missing(spot)}")
    elif kind in ("union_tag_invalid", "union_tag_not_found"):
        yield _wrong_tag(spot)
    else:
        found = describe_found(spot.value if not spot.is_key else spot.path[-1])
        allowed = _describe(spot.expected) or _pydantic_words(detail)
        words = allowed_words(spot.expected)
        hint = suggest(spot.value[:60], words) if isinstance(spot.value, str) else ""
        message = f"found {found}; allowed: {allowed}"
        yield _Found(spot.path, f"{message}.{hint}" if hint else message, spot.is_key)


def _unknown_field(spot: Spot) -> _Found:
    name = str(spot.path[-1])
    known = sorted(spot.siblings)
    message = f"unknown field {describe_found(name)}; known: {', '.join(known)}"
    hint = suggest(name[:60], known)
    return _Found(spot.path, f"{message}.{hint}" if hint else message, is_key=True)


def _describe_missing(spot: Spot) -> str:
    return " ".join(spot.description.split()) or _describe(spot.expected) or "a value"


def _wrong_tag(spot: Spot) -> _Found:
    name = discriminator_name(spot.expected)
    words = sorted(tagged_arms(spot.expected) or ())
    allowed = ", ".join(words)
    tag = spot.value.get(name) if isinstance(spot.value, dict) else spot.value
    if not name:
        return _Found(spot.path, f"found {describe_found(spot.value)}; allowed: {allowed}")
    if tag is None:
        return _Found((*spot.path, name), f"missing; needed: one of {allowed}")
    hint = suggest(tag[:60], words) if isinstance(tag, str) else ""
    message = f"found {describe_found(tag)}; allowed: {allowed}"
    return _Found((*spot.path, name), f"{message}.{hint}" if hint else message)


def _translate_union(spot: Spot) -> Iterator[_Found]:
    """Report what is wrong with the arm of a union that has the shape of the value."""
    arms = [strip(arm) for arm in get_args(spot.expected)]
    fitting = [arm for arm in arms if _has_shape(arm, spot.value)]
    attempts = [list(_check_arm(arm, spot)) for arm in fitting]
    if not attempts or isinstance(spot.value, str):
        yield _Found(spot.path, _no_arm(arms, spot.value))
        return
    yield from min(attempts, key=len)


def _has_shape(arm: Any, value: object) -> bool:
    if is_model(arm) or is_mapping(arm):
        return isinstance(value, dict)
    if is_listing(arm):
        return isinstance(value, list)
    is_word = bool(allowed_words(arm)) or find_quantity(arm) is not None or arm is str
    return isinstance(value, str) if is_word else True


def _check_arm(arm: Any, spot: Spot) -> Iterator[_Found]:
    try:
        TypeAdapter(arm).validate_python(spot.value)
    except ValidationError as error:
        for item in _translate_all(error.errors(include_url=False), arm, spot.value):
            yield _Found((*spot.path, *item.path), item.message, item.is_key)


def _no_arm(arms: list[Any], value: object) -> str:
    allowed = "; or ".join(dict.fromkeys(_describe(arm) or "another form" for arm in arms))
    words = [word for arm in arms for word in allowed_words(arm)]
    hint = suggest(value[:60], words) if isinstance(value, str) else ""
    message = f"found {describe_found(value)}; allowed: {allowed}"
    return f"{message}.{hint}" if hint else message


def _describe(expected: Any) -> str:
    """Say in words what a type accepts; empty when only pydantic knows."""
    quantity = find_quantity(expected)
    words = allowed_words(expected)
    if quantity is not None:
        return quantity.allowed
    if words:
        return ", ".join(words)
    if is_model(expected):
        return f"a mapping with the fields {', '.join(model_fields(expected))}"
    if tagged_arms(expected) is not None:
        name = discriminator_name(expected)
        kinds = ", ".join(sorted(tagged_arms(expected) or ()))
        return f"a mapping whose {name or 'kind'} is one of {kinds}"
    if is_mapping(expected):
        return "a mapping by name"
    if is_listing(expected):
        return "a list"
    if is_plain_union(expected):
        return "; or ".join(_describe(strip(arm)) or "another form" for arm in get_args(expected))
    allowed = getattr(expected, "ALLOWED", "")
    return "text" if expected is str else str(allowed)


def _pydantic_words(detail: ErrorDetails) -> str:
    return detail["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
