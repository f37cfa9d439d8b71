"""Which kinds of rail there are: every class that registered itself, by its ``kind``.

Takes classes; gives them by name, in the order of names. A kind of rail is one file: its class
carries ``@register_rail``, and a scenario may use it from then on. Kinds of the project are
imported by :mod:`sim.rails`; a program of its own may register more before it loads a scenario, and
another package names its own in entry points of the group ``payroute.rails``, by kind.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar, get_args

from pydantic.fields import FieldInfo

from sim.errors import MachineError
from sim.rails.protocol import Rail

GROUP = "payroute.rails"
"""Entry points by which another package adds kinds of rail."""

Kind = TypeVar("Kind", bound=type[Rail])

_KINDS: dict[str, type[Rail]] = {}


def register_rail(kind: Kind) -> Kind:
    """Register a kind of rail under the word its field ``kind`` allows.

    Raises
    ------
    TypeError
        If the class has no field ``kind`` that allows exactly one word, or another class has it.
    """
    word = kind_of(kind)
    if word is None:
        raise TypeError(f"{kind.__name__}: needed: kind: Literal['<name of the kind>']")
    known = _KINDS.setdefault(word, kind)
    if known is not kind:
        raise TypeError(f"{kind.__name__}: {word!r} is already the kind of {known.__name__}")
    return kind


def kind_of(kind: type[Rail]) -> str | None:
    """Return the one word the field ``kind`` of a class allows, None where there is none such."""
    fields: dict[str, FieldInfo] = kind.model_fields
    field = fields.get("kind")
    words = get_args(field.annotation) if field is not None else ()
    return words[0] if len(words) == 1 and isinstance(words[0], str) else None


def load_kinds(wanted: Iterable[str]) -> None:
    """Register kinds that other packages bring, of those wanted; ours go first.

    Parameters
    ----------
    wanted : iterable of str
        Kinds a scenario names.

    Raises
    ------
    MachineError
        If a package that brings one cannot be loaded, or brings no such kind.
    """
    missing = sorted(set(wanted) - set(_KINDS))
    if not missing:
        return
    found = sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, _package(entry)))
    brought = {entry.name: entry for entry in reversed(found)}
    for word in missing:
        if word in brought:
            _load(brought[word])


def _load(entry: EntryPoint) -> None:
    """Register the kind an entry point names."""
    brings = f"rails of kind {entry.name!r}: the package {_package(entry)} brings them and"
    try:
        loaded = entry.load()
    except Exception as error:
        raise MachineError(
            f"{brings} cannot be loaded ({type(error).__name__}: {error}); update or remove it"
        ) from error
    is_rail = isinstance(loaded, type) and issubclass(loaded, Rail)
    if not is_rail or kind_of(loaded) != entry.name:
        raise MachineError(
            f"{brings} names {entry.value}, which is no sim.rails.protocol.Rail with kind: "
            f"Literal[{entry.name!r}]; update or remove it"
        )
    register_rail(loaded)


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else "of an unknown name"


def forget_rail(name: str) -> None:
    """Take a registered kind out again, as tests do with theirs."""
    _KINDS.pop(name)


def rail_kinds() -> tuple[type[Rail], ...]:
    """Return every registered kind, in the order of their names."""
    return tuple(kind for _, kind in sorted(_KINDS.items()))
