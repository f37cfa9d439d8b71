"""What a family of distributions must be able to say, and which families there are.

Takes classes; gives them by name. A family is one class in one file of this folder: its parameters
with what they allow, its closed-form mean, and its exact law. ``@register`` makes it known to
scenarios, tables, schema and messages.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from sim.draws.laws.law import Law
from sim.errors import suggest

Given = Mapping[str, float]
"""Parameters by name, in base units."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a family.

    Attributes
    ----------
    name : str
        Name in the scenario.
    kind : str
        ``value`` (at least 0), ``positive`` (value above 0), ``sigma``, ``shape``, ``stages``
        (whole), ``tail`` (above 2) or ``share``.
    meaning : str
        What it says.
    """

    name: str
    kind: str
    meaning: str

    @property
    def is_value(self) -> bool:
        """Return whether the parameter is a duration or an amount, not a plain number."""
        return self.kind in ("value", "positive")


MEAN = Parameter("mean", "positive", "expected value")


class Family:
    """The base of every family of distributions.

    Attributes
    ----------
    name : str
        Name in the scenario.
    parameters : tuple of Parameter
        All it knows.
    either : tuple of str
        Two parameters of which exactly one is given.
    rising : tuple of str
        Parameters that must not fall in this order, the last above the first.
    is_written : bool
        Whether scenarios may name it; the others are for tables of our own.
    """

    name: ClassVar[str]
    parameters: ClassVar[tuple[Parameter, ...]]
    either: ClassVar[tuple[str, ...]] = ()
    rising: ClassVar[tuple[str, ...]] = ()
    is_written: ClassVar[bool] = True

    @classmethod
    def mean(cls, given: Given) -> float:
        """Return the expected value from the parameters, in closed form."""
        return given["mean"]

    @classmethod
    def law(cls, given: Given) -> Law:
        """Return the exact law.

        Raises
        ------
        ValueError
            If a parameter is out of its range, or the variance is infinite.
        """
        raise NotImplementedError(cls.name)

    @classmethod
    def is_value(cls, name: str) -> bool:
        """Return whether a parameter is a duration or an amount."""
        return any(item.name == name and item.is_value for item in cls.parameters)

    @classmethod
    def choices(cls) -> tuple[str, ...]:
        """Return the sets of parameters that may be given, as in ``median sigma``."""
        others = [item.name for item in cls.parameters if item.name not in cls.either]
        return tuple(" ".join((one, *others)) for one in cls.either) or (" ".join(others),)


FAMILIES: dict[str, type[Family]] = {}
"""Every family by name, in the order they register."""


def register(family: type[Family]) -> type[Family]:
    """Make a family known under its name."""
    if FAMILIES.setdefault(family.name, family) is not family:
        raise TypeError(f"there is a family {family.name!r} already")
    return family


def build_law(name: str, parameters: Given) -> Law:
    """Build the exact law of a family.

    Parameters
    ----------
    name : str
        One of :data:`FAMILIES`.
    parameters : mapping of str to float
        Every parameter of the family, in base units.

    Returns
    -------
    Law
        Quantiles and moments.

    Raises
    ------
    ValueError
        If the family is unknown, a parameter is missing, unknown or out of its range, or the
        variance is infinite.
    """
    family = FAMILIES.get(name)
    if family is None:
        known = tuple(FAMILIES)
        raise ValueError(
            f"unknown distribution {name!r}; known: {', '.join(known)}.{suggest(name, known)}"
        )
    if frozenset(parameters) not in [frozenset(choice.split()) for choice in family.choices()]:
        raise ValueError(
            f"{name} has the parameters {' '.join(sorted(parameters)) or '(none)'}; "
            f"allowed: {' or '.join(family.choices())}"
        )
    values = {key: float(value) for key, value in parameters.items()}
    for key, value in values.items():
        if not math.isfinite(value):
            raise ValueError(f"{name} {key} is {value}; it must be a finite number")
    return family.law(values)


def above(family: str, values: Given, *names: str) -> None:
    """Refuse parameters that are not above zero."""
    for name in names:
        if name in values and values[name] <= 0.0:
            raise ValueError(f"{family} {name} is {values[name]}; it must be above 0")


def not_below(family: str, values: Given, *names: str) -> None:
    """Refuse parameters that are below zero."""
    for name in names:
        if values[name] < 0.0:
            raise ValueError(f"{family} {name} is {values[name]}; it must be 0 or more")
