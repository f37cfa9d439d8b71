"""Which kinds of rail there are: every class that registered itself, by its ``kind``.

Takes classes; gives them by name, in the order of names. A kind of rail is one file: its class
carries ``@register_rail``, and a scenario may use it from then on. Kinds of the project are
imported by :mod:`sim.rails`; a program of its own may register more before it loads a scenario.
"""

from __future__ import annotations

from typing import TypeVar, get_args

from pydantic.fields import FieldInfo

from sim.rails.protocol import Rail

Kind = TypeVar("Kind", bound=type[Rail])

_KINDS: dict[str, type[Rail]] = {}


def register_rail(kind: Kind) -> Kind:
    """Register a kind of rail under the word its field ``kind`` allows.

    Raises
    ------
    TypeError
        If the class has no field ``kind`` that allows exactly one word, or another class has it.
    """
    fields: dict[str, FieldInfo] = kind.model_fields  # type: ignore[call-overload]
    field = fields.get("kind")
    words = get_args(field.annotation) if field is not None else ()
    if len(words) != 1 or not isinstance(words[0], str):
        raise TypeError(f"{kind.__name__}: needed: kind: Literal['<name of the kind>']")
    known = _KINDS.setdefault(words[0], kind)
    if known is not kind:
        raise TypeError(f"{kind.__name__}: {words[0]!r} is already the kind of {known.__name__}")
    return kind


def forget_rail(name: str) -> None:
    """Take a registered kind out again, as tests do with theirs."""
    _KINDS.pop(name)


def rail_kinds() -> tuple[type[Rail], ...]:
    """Return every registered kind, in the order of their names."""
    return tuple(kind for _, kind in sorted(_KINDS.items()))
