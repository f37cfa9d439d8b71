"""What checks of a scenario have in common: how a problem is said, and amounts and bounds.

Takes values and the path they stand at; gives messages, or (path, message) pairs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic import BaseModel

from sim.errors import suggest
from sim.model.base import FieldPath
from sim.model.quantities import to_minor
from sim.rails.stages import Bounds
from sim.units import format_minor

Found = Iterator[tuple[FieldPath, str]]
"""Problems: a path, and what is wrong there."""


def unknown(kind: str, found: str, known: Iterable[str]) -> str:
    """Say that a name is not known, which names are, and the closest one."""
    names = sorted(known)
    shown = ", ".join(names[:20]) or "none"
    return f"unknown {kind} {found!r}; known: {shown}.{suggest(found, names)}"


def several(name: str, members: int) -> str:
    """Say that an entry stands for several institutions where one is needed."""
    return f"{name!r} stands for {members} institutions; needed: a single one"


def beside(model: BaseModel, field: str, others: Iterable[str]) -> Found:
    """Yield the fields that are written beside one which leaves nothing for them to say."""
    if field in model.model_fields_set and getattr(model, field):
        for other in others:
            if other in model.model_fields_set:
                yield (
                    (other,),
                    f"found beside '{field}', where it changes nothing; allowed: one of them",
                )


def check_amounts(currency: str, amount: object, place: FieldPath, *, granule: int = 1) -> Found:
    """Check that an amount is a whole number of minor units, or of a coarser step."""
    try:
        minor = to_minor(str(amount), currency)
    except ValueError as problem:
        yield place, str(problem)
        return
    if minor % granule:
        step = format_minor(granule, currency)
        yield place, f"found '{format_minor(minor, currency)}'; allowed: whole steps of {step}"


def check_bounds(currency: str, limit: Bounds, place: FieldPath) -> Found:
    """Check the two bounds of a limit in one currency, or in the one they are written in."""
    if limit.currency is not None and limit.per_payment is None and limit.per_day is None:
        yield (*place, "currency"), "found a currency without a bound; needed: a bound in it"
    currency = limit.currency or currency
    for field in ("per_payment", "per_day"):
        if getattr(limit, field) is not None:
            yield from check_amounts(currency, getattr(limit, field), (*place, field))
    payment, day = limit.per_payment, limit.per_day
    if payment is not None and day is not None and payment > day:
        yield (
            (*place, "per_payment"),
            f"found {payment}, above the limit per day of {day}; allowed: at most that",
        )
