"""The strict frozen base of every model a user fills in, and how models report problems.

Takes pydantic; gives :class:`Model`, :class:`FieldProblemsError` for checks that span several
fields, and :func:`describe_found`, the way every message quotes what the user wrote.

Values arrive as the text people wrote. A field therefore never has a bare ``int``, ``float`` or
``bool`` type, which pydantic would read from text in its own lenient way (``010`` as ten);
:class:`Model` refuses such a field when its class is defined.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainValidator, WrapValidator

from sim.model.number_text import describe_found
from sim.model.quantity import Quantity

__all__ = ["FieldPath", "FieldProblemsError", "Model", "describe_found"]

FieldPath = tuple[str | int, ...]
"""Keys and list positions that lead to a value, from the outermost in."""

_READERS = (Quantity, BeforeValidator, PlainValidator, WrapValidator)
"""Metadata that takes the reading of text into its own hands."""

_BARE_TYPES = frozenset({int, float, bool, Decimal, datetime, date, time, timedelta})


class FieldProblemsError(ValueError):
    """Report several problems at paths below the model whose validator raises it.

    Parameters
    ----------
    problems : iterable of (path, message)
        Path relative to the model being validated, and what is wrong there.

    Examples
    --------
    >>> raise FieldProblemsError([(("routes", 2, "rail"), "unknown rail 'unionpy'")])
    Traceback (most recent call last):
    sim.model.base.FieldProblemsError: routes.2.rail: unknown rail 'unionpy'
    """

    def __init__(self, problems: Iterable[tuple[FieldPath, str]]) -> None:
        self.problems: tuple[tuple[FieldPath, str], ...] = tuple(problems)
        lines = (f"{'.'.join(map(str, path))}: {message}" for path, message in self.problems)
        super().__init__("\n".join(lines))


def _write_defaults(schema: dict[str, Any], model: type[BaseModel]) -> None:
    """Show defaults as people write them: ``350 ms``, not the integer it is kept as."""
    for name, field in model.model_fields.items():
        shown = schema.get("properties", {}).get(field.alias or name, {})
        default = field.get_default(call_default_factory=False)
        if shown.get("default") is None or default is None:
            continue
        writers = [item.write for item in field.metadata if isinstance(item, Quantity)]
        if any(writers):
            shown["default"] = next(write for write in writers if write)(default)
        elif hasattr(default, "__get_pydantic_core_schema__") and not isinstance(
            default, BaseModel
        ):
            # Amounts, rates and distributions say themselves how they are written.
            shown["default"] = str(default)


class Model(BaseModel):
    """Be the base of every user-facing model: unknown fields refused, instances frozen.

    The string below each field is its description in the schema. Number-like fields use the types
    of :mod:`sim.model.quantities`; a default is given in the base unit (``12 * HOUR_US``).
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        validate_default=True,
        json_schema_extra=_write_defaults,
    )

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: object) -> None:
        """Refuse fields that pydantic would coerce from text by rules that are not ours."""
        for name, field in cls.model_fields.items():
            if any(isinstance(item, _READERS) for item in field.metadata):
                continue
            for bare in _bare_types(field.annotation):
                raise TypeError(
                    f"{cls.__name__}.{name}: found the bare type {bare.__name__}; allowed: a type "
                    f"of sim.model.quantities, which reads text exactly"
                )


def _bare_types(annotation: object) -> Iterator[type]:
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *metadata = get_args(annotation)
        if not any(isinstance(item, _READERS) for item in metadata):
            yield from _bare_types(inner)
    elif origin in (Union, types.UnionType) or _is_container(origin):
        for argument in get_args(annotation):
            yield from _bare_types(argument)
    elif isinstance(annotation, type) and annotation in _BARE_TYPES:
        yield annotation


def _is_container(origin: Any) -> bool:
    return isinstance(origin, type) and issubclass(origin, (Mapping, Sequence, set, frozenset))
