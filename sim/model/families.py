"""The families of distributions: their parameters, what they allow, and their means.

Takes nothing of ours but number reading; gives :data:`FAMILIES`, one entry per family, which
:mod:`sim.model.distributions` reads scenarios with. Names and meaning of the parameters are those
the table builder expects.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sim.model.number_text import refuse
from sim.model.quantities import PPB, parse_decimal, parse_positive_count, parse_share_ppb

Exact = Mapping[str, int | Decimal]
Mean = Callable[[Mapping[str, float]], float]

_SIGMA_MAX = 5
_SHAPE_MIN, _SHAPE_MAX = Decimal("0.1"), 1000


@dataclass(frozen=True, slots=True)
class Parameter:
    """Describe one parameter of a family.

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

    def read(self, found: object, parse_value: Callable[[object], int]) -> int | Decimal:
        """Read the parameter, or raise ``ValueError`` with the whole message."""
        if self.kind in ("value", "positive"):
            value = parse_value(found)
            if self.kind == "positive" and value == 0:
                refuse(found, "above 0")
            return value
        if self.kind == "stages":
            count = parse_positive_count(found)
            return count if count <= _SHAPE_MAX else refuse(found, f"1 to {_SHAPE_MAX}")
        if self.kind == "share":
            share = parse_share_ppb(found)
            allowed = "a share above 0 and below 1 such as '0.3' or '30 %'"
            return Decimal(share) / PPB if 0 < share < PPB else refuse(found, allowed)
        number = parse_decimal(found)
        if self.kind == "tail" and number <= 2:
            refuse(found, "above 2 (at 2 and below the variance is infinite)")
        if self.kind == "sigma" and number > _SIGMA_MAX:
            refuse(found, f"a number above 0, at most {_SIGMA_MAX}")
        if self.kind == "shape" and not _SHAPE_MIN <= number <= _SHAPE_MAX:
            refuse(found, f"a number from {_SHAPE_MIN} to {_SHAPE_MAX}")
        return number

    @property
    def is_value(self) -> bool:
        """Tell whether the parameter is a duration or an amount, not a plain number."""
        return self.kind in ("value", "positive")


@dataclass(frozen=True, slots=True)
class Family:
    """Describe one family of distributions.

    Attributes
    ----------
    name : str
        Name in the scenario.
    parameters : tuple of Parameter
        All it knows.
    mean : callable
        Expected value from the parameters, closed form.
    either : tuple of str
        Two parameters of which exactly one is given.
    rising : tuple of str
        Parameters that must not fall in this order, the last above the first.
    """

    name: str
    parameters: tuple[Parameter, ...]
    mean: Mean
    either: tuple[str, ...] = ()
    rising: tuple[str, ...] = ()

    def find(self, name: str) -> Parameter | None:
        """Return a parameter by name."""
        return next((item for item in self.parameters if item.name == name), None)

    def is_value(self, name: str) -> bool:
        """Tell whether a parameter is a duration or an amount."""
        return any(item.name == name and item.is_value for item in self.parameters)

    def usage(self) -> str:
        """Say what the family needs, as in ``lognormal: {median|mean, sigma}``."""
        names = [item.name for item in self.parameters if item.name not in self.either]
        first = ["|".join(self.either)] if self.either else []
        return f"{self.name}: {{{', '.join(first + names)}}}"

    def check(self, exact: Exact) -> list[str]:
        """Return what is wrong with parameters that are each right alone."""
        problems = []
        if self.either and sum(name in exact for name in self.either) != 1:
            found = " and ".join(name for name in self.either if name in exact) or "neither"
            one, other = self.either
            problems.append(
                f"found {found}; allowed: exactly one of {one} and {other} (an inherited one is "
                f"deleted with '{other}: null')"
            )
        for item in self.parameters:
            if item.name not in exact and item.name not in self.either:
                problems.append(f"missing; needed: {item.name}, {item.meaning} ({self.usage()})")
        values = [exact[name] for name in self.rising if name in exact]
        if len(values) == len(self.rising) > 0 and (
            sorted(values) != values or values[0] == values[-1]
        ):
            order = " <= ".join(self.rising) if len(values) > 2 else " < ".join(self.rising)
            problems.append(f"found parameters out of order; allowed: {order}, a range above 0")
        return problems

    def json_schema(self, value: dict[str, Any]) -> dict[str, Any]:
        """Return the JSON schema of the parameters."""
        number = {"type": ["string", "number"]}
        schema: dict[str, Any] = {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                item.name: {**(value if item.is_value else number), "description": item.meaning}
                for item in self.parameters
            },
            "required": [item.name for item in self.parameters if item.name not in self.either],
        }
        if self.either:
            schema["oneOf"] = [{"required": [name]} for name in self.either]
        return schema


def _lognormal_mean(given: Mapping[str, float]) -> float:
    return given["mean"] if "mean" in given else given["median"] * math.exp(given["sigma"] ** 2 / 2)


def _weibull_mean(given: Mapping[str, float]) -> float:
    return given["mean"] if "mean" in given else given["scale"] * math.gamma(1 + 1 / given["shape"])


def _plain_mean(given: Mapping[str, float]) -> float:
    return given["mean"]


_MEAN = Parameter("mean", "positive", "expected value")
_FAMILIES = (
    Family(
        "constant", (Parameter("value", "value", "the only value"),), lambda given: given["value"]
    ),
    Family(
        "uniform",
        (Parameter("low", "value", "smallest value"), Parameter("high", "value", "largest value")),
        lambda given: (given["low"] + given["high"]) / 2,
        rising=("low", "high"),
    ),
    Family("exponential", (_MEAN,), _plain_mean),
    Family(
        "erlang", (Parameter("shape", "stages", "number of exponential stages"), _MEAN), _plain_mean
    ),
    Family("gamma", (_MEAN, Parameter("shape", "shape", "shape, 1 is exponential")), _plain_mean),
    Family(
        "lognormal",
        (
            Parameter("median", "positive", "value half of the draws stay below"),
            _MEAN,
            Parameter("sigma", "sigma", "standard deviation of the logarithm"),
        ),
        _lognormal_mean,
        either=("median", "mean"),
    ),
    Family(
        "weibull",
        (
            Parameter("scale", "positive", "value 63.2 % of the draws stay below"),
            _MEAN,
            Parameter("shape", "shape", "shape, 1 is exponential"),
        ),
        _weibull_mean,
        either=("scale", "mean"),
    ),
    Family(
        "triangular",
        (
            Parameter("low", "value", "smallest value"),
            Parameter("mode", "value", "most likely value"),
            Parameter("high", "value", "largest value"),
        ),
        lambda given: (given["low"] + given["mode"] + given["high"]) / 3,
        rising=("low", "mode", "high"),
    ),
    Family(
        "pareto",
        (
            Parameter("minimum", "positive", "smallest value"),
            Parameter("alpha", "tail", "tail index; the smaller, the heavier the tail"),
        ),
        lambda given: given["minimum"] * given["alpha"] / (given["alpha"] - 1),
    ),
    Family(
        "hyperexponential",
        (
            Parameter("p", "share", "share of draws with the first mean"),
            Parameter("mean_1", "positive", "expected value of the first kind"),
            Parameter("mean_2", "positive", "expected value of the second kind"),
        ),
        lambda given: given["p"] * given["mean_1"] + (1 - given["p"]) * given["mean_2"],
    ),
    # Its points are a list, read apart; the entry makes the name known.
    Family("empirical", (), lambda given: math.nan),
)

FAMILIES: dict[str, Family] = {family.name: family for family in _FAMILIES}
"""Every family a scenario may name."""
