"""Distributions of durations and of amounts, as a scenario writes them.

Takes ``{lognormal: {median: 0.8 s, sigma: 0.5}}``, ``{constant: 2 s}`` or a bare ``0.8 s``; gives
:class:`DurationDistribution` and :class:`AmountDistribution` with their family, parameters in base
units (microseconds, minor units) and closed-form mean. Tables to draw from are built elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import Any, ClassVar

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from sim.draws.laws import Family
from sim.errors import suggest
from sim.model.base import FieldPath, FieldProblemsError
from sim.model.families import (
    EMPIRICAL,
    FAMILIES,
    NAMES,
    check_parameters,
    family_schema,
    find_parameter,
    read_parameter,
    usage,
)
from sim.model.number_text import describe_found, refuse
from sim.model.quantities import (
    PPB,
    MoneyAmount,
    parse_duration_us,
    parse_money_amount,
    parse_share_ppb,
    write_duration,
    write_share,
)
from sim.model.quantity import Quantity
from sim.units import currency_of, format_minor, format_places

Point = tuple[int, int]
"""Value in base units, and the share of draws at or below it in parts per billion."""

_POINTS_ALLOWED = (
    "a list of at least two pairs [value, share at or below it], both rising, the last share 100 %"
)

_POINTS_DRAWN = (
    "Between two values all are equally likely. The first value has its share to itself and is "
    "drawn up to 1/64 of that share too rarely: tables of quantiles are linear between nodes."
)


@dataclass(frozen=True, slots=True)
class _Draft:
    """What was read, before it becomes a distribution of durations or amounts."""

    family: str
    exact: tuple[tuple[str, int | Decimal], ...]
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class DurationDistribution:
    """Distribution of how long something takes.

    Attributes
    ----------
    family : str
        Name of the family.
    exact : tuple of (str, int or Decimal)
        Parameters as written: microseconds, or plain numbers.
    points : tuple of (int, int)
        Points of an empirical distribution, else empty.
    """

    family: str
    exact: tuple[tuple[str, int | Decimal], ...]
    points: tuple[Point, ...] = ()
    ALLOWED: ClassVar[str] = (
        "a duration such as '0.8 s', or one of " + ", ".join(sorted(NAMES)) + " such as "
        "'{exponential: {mean: 1 s}}'"
    )

    def parameters(self) -> dict[str, float]:
        """Return the parameters in microseconds and plain numbers; empty for points."""
        return {name: float(value) for name, value in self.exact}

    def mean(self) -> float:
        """Return the expected duration in microseconds."""
        return _mean(self.family, self.parameters(), self.points)

    def __str__(self) -> str:
        return _write(self.family, self.exact, self.points, write_duration)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Read the distribution from text or a mapping."""
        return _quantity(cls.ALLOWED, parse_duration_distribution).core_schema()

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Describe every family."""
        return _json_schema(cls.ALLOWED, "0.8 s")


@dataclass(frozen=True, slots=True)
class AmountDistribution:
    """Distribution of amounts of money.

    Attributes
    ----------
    family : str
        Name of the family.
    currency : str
        ISO 4217 letters of every amount in it.
    exact : tuple of (str, int or Decimal)
        Parameters as written: minor units, or plain numbers.
    points : tuple of (int, int)
        Points of an empirical distribution, else empty.
    exponent : int
        Decimal places of the currency, so that the distribution can be written wherever it is;
        -1: as is known there.
    """

    family: str
    currency: str
    exact: tuple[tuple[str, int | Decimal], ...]
    points: tuple[Point, ...] = ()
    exponent: int = field(default=-1, repr=False, compare=False)
    ALLOWED: ClassVar[str] = (
        "an amount such as '80 CNY', or one of " + ", ".join(sorted(NAMES)) + " such as "
        "'{lognormal: {mean: 80 CNY, sigma: 1.2}}'"
    )

    def parameters(self) -> dict[str, float]:
        """Return the parameters in minor units and plain numbers; empty for points."""
        return {name: float(value) for name, value in self.exact}

    def mean(self) -> float:
        """Return the expected amount in minor units."""
        return _mean(self.family, self.parameters(), self.points)

    def __str__(self) -> str:
        return _write(self.family, self.exact, self.points, self._amount)

    def _amount(self, minor: int) -> str:
        if self.exponent < 0:
            return format_minor(minor, self.currency)
        return format_places(minor, self.currency, self.exponent)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Read the distribution from text or a mapping."""
        return _quantity(cls.ALLOWED, parse_amount_distribution).core_schema()

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Describe every family."""
        return _json_schema(cls.ALLOWED, "80 CNY")


def parse_duration_distribution(found: object) -> DurationDistribution:
    """Read a distribution of durations.

    Raises
    ------
    FieldProblemsError
        With every parameter that is wrong; a plain ``ValueError`` for the whole.
    """
    if isinstance(found, DurationDistribution):
        return found
    draft = _read(found, parse_duration_us, DurationDistribution.ALLOWED)
    return DurationDistribution(draft.family, draft.exact, draft.points)


def parse_amount_distribution(found: object) -> AmountDistribution:
    """Read a distribution of amounts, all in one currency.

    Raises
    ------
    FieldProblemsError
        With every parameter that is wrong; a plain ``ValueError`` for the whole.
    """
    if isinstance(found, AmountDistribution):
        return found
    currencies: list[str] = []

    def parse_amount_minor(part: object) -> int:
        amount: MoneyAmount = parse_money_amount(part)
        currencies.append(amount.currency)
        if amount.currency != currencies[0]:
            refuse(part, f"every amount in {currencies[0]}, as the first one")
        return amount.amount_minor

    draft = _read(found, parse_amount_minor, AmountDistribution.ALLOWED)
    exponent = currency_of(currencies[0]).exponent
    return AmountDistribution(draft.family, currencies[0], draft.exact, draft.points, exponent)


def _quantity(allowed: str, parse: Callable[[object], object]) -> Quantity[Any]:
    return Quantity(parse, allowed, ".*", (), str)


def _read(found: object, parse_value: Callable[[object], int], allowed: str) -> _Draft:
    if not isinstance(found, Mapping):
        try:
            # A bare value is a distribution without spread.
            return _Draft("constant", (("value", parse_value(found)),), ())
        except ValueError as error:
            if isinstance(found, str) and found in NAMES:
                raise ValueError(
                    f"found {found!r} without parameters; allowed: {allowed}"
                ) from error
            raise
    names = [str(name) for name in found]
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        known = sorted(NAMES)
        hint = suggest(unknown[0][:40], known)
        text = f"unknown family {describe_found(unknown[0])}; known: {', '.join(known)}"
        raise FieldProblemsError([((unknown[0],), f"{text}.{hint}" if hint else text)])
    # Two families usually are an inherited one and the child's own.
    if len(names) != 1:
        both = " and ".join(names) or "no family"
        raise ValueError(
            f"found {both}; allowed: one family (an inherited one is deleted with "
            f"'{names[0] if names else 'exponential'}: null')"
        )
    body = found[names[0]]
    if names[0] == EMPIRICAL:
        return _Draft(EMPIRICAL, (), _read_points(body, parse_value))
    return _Draft(names[0], _read_parameters(FAMILIES[names[0]], body, parse_value), ())


def _read_parameters(
    family: type[Family], body: object, parse_value: Callable[[object], int]
) -> tuple[tuple[str, int | Decimal], ...]:
    base = (family.name,)
    if not isinstance(body, Mapping):
        if family.name != "constant":
            raise FieldProblemsError(
                [(base, f"found {describe_found(body)}; allowed: {usage(family)}")]
            )
        body = {"value": body}
    problems: list[tuple[FieldPath, str]] = []
    exact: dict[str, int | Decimal] = {}
    for name, part in body.items():
        parameter = find_parameter(family, str(name))
        if parameter is None:
            known = [parameter.name for parameter in family.parameters]
            hint = suggest(str(name)[:40], known)
            text = f"unknown field {describe_found(name)}; known: {', '.join(known)}"
            problems.append(((*base, str(name)), f"{text}.{hint}" if hint else text))
            continue
        try:
            exact[parameter.name] = read_parameter(parameter, part, parse_value)
        except ValueError as error:
            problems.append(((*base, parameter.name), str(error)))
    if not problems:
        problems.extend((base, text) for text in check_parameters(family, exact))
    if problems:
        raise FieldProblemsError(problems)
    # In the family's order and not as written, so that equal distributions are equal.
    return tuple((item.name, exact[item.name]) for item in family.parameters if item.name in exact)


def _read_points(body: object, parse_value: Callable[[object], int]) -> tuple[Point, ...]:
    base: FieldPath = (EMPIRICAL,)
    if isinstance(body, str) or not isinstance(body, Sequence) or len(body) < 2:
        raise FieldProblemsError(
            [(base, f"found {describe_found(body)}; allowed: {_POINTS_ALLOWED}")]
        )
    problems: list[tuple[FieldPath, str]] = []
    points: list[Point] = []
    for position, pair in enumerate(body):
        here: FieldPath = (*base, position)
        if isinstance(pair, str) or not isinstance(pair, Sequence) or len(pair) != 2:
            problems.append((here, f"found {describe_found(pair)}; allowed: [value, share]"))
            continue
        read: list[int] = []
        for column, (part, parse) in enumerate(
            zip(pair, (parse_value, parse_share_ppb), strict=True)
        ):
            try:
                read.append(parse(part))
            except ValueError as error:
                problems.append(((*here, column), str(error)))
        if len(read) == 2:
            if points and (read[0] < points[-1][0] or read[1] <= points[-1][1]):
                problems.append(
                    (here, f"found a pair that does not rise; allowed: {_POINTS_ALLOWED}")
                )
            points.append((read[0], read[1]))
    # What lacks to a hundred per cent would have no value.
    if not problems and points[-1][1] != PPB:
        problems.append(
            (
                (*base, len(points) - 1, 1),
                f"found a last share below 100 %; allowed: {_POINTS_ALLOWED}",
            )
        )
    if problems:
        raise FieldProblemsError(problems)
    return tuple(points)


def _mean(family: str, parameters: Mapping[str, float], points: Sequence[Point]) -> float:
    if family != EMPIRICAL:
        return FAMILIES[family].mean(parameters)
    # The first point carries its own share as an atom; between points the values are uniform.
    parts: list[float] = [points[0][0] * points[0][1]]
    for (low, low_share), (high, high_share) in pairwise(points):
        parts.append((low + high) * (high_share - low_share) / 2)
    return math.fsum(parts) / PPB


def _write(
    family: str,
    exact: Sequence[tuple[str, int | Decimal]],
    points: Sequence[Point],
    write_value: Callable[[int], str],
) -> str:
    if family == EMPIRICAL:
        pairs = (f"[{write_value(value)}, {write_share(share)}]" for value, share in points)
        return f"{{empirical: [{', '.join(pairs)}]}}"
    described = FAMILIES[family]
    texts = {name: _write_parameter(described, name, value, write_value) for name, value in exact}
    if family == "constant":
        return texts["value"]
    return f"{{{family}: {{{', '.join(f'{name}: {text}' for name, text in texts.items())}}}}}"


def _write_parameter(
    family: type[Family],
    name: str,
    value: int | Decimal,
    write_value: Callable[[int], str],
) -> str:
    """Write a parameter as it is read: a value, a share or a plain number."""
    if family.is_value(name):
        return write_value(int(value))
    kinds = {item.name: item.kind for item in family.parameters}
    if kinds[name] == "share":
        return write_share(int(value * PPB))
    return f"{Decimal(value):f}"


def _json_schema(allowed: str, example: str) -> dict[str, Any]:
    value = {"type": "string", "examples": [example]}
    families: dict[str, Any] = {
        name: family_schema(family, value) for name, family in FAMILIES.items()
    }
    families["constant"] = {"anyOf": [value, families["constant"]]}
    pair = {"type": "array", "minItems": 2, "maxItems": 2}
    families[EMPIRICAL] = {
        "type": "array",
        "description": f"{_POINTS_ALLOWED}. {_POINTS_DRAWN}",
        "items": pair,
        "minItems": 2,
    }
    mapping = {
        "type": "object",
        "properties": families,
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }
    return {"description": allowed, "anyOf": [value, mapping]}
