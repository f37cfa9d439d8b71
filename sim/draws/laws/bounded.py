"""Families on an interval: constant, uniform, triangular."""

from __future__ import annotations

import numpy as np

from sim.draws.laws.family import Family, Given, Parameter, not_below, register
from sim.draws.laws.law import Floats, Law


@register
class Constant(Family):
    """One value and no other."""

    name = "constant"
    parameters = (Parameter("value", "value", "the only value"),)

    @classmethod
    def mean(cls, given: Given) -> float:
        """Return the expected value."""
        return given["value"]

    @classmethod
    def law(cls, given: Given) -> Law:
        """Return the exact law."""
        not_below("constant", given, "value")
        value = given["value"]
        return Law(
            lower=lambda p: np.full(p.shape, value),
            upper=lambda q: np.full(q.shape, value),
            mean=value,
            second_moment=0.0,
            anchor=value,
        )


@register
class Uniform(Family):
    """Every value of an interval alike."""

    name = "uniform"
    parameters = (
        Parameter("low", "value", "smallest value"),
        Parameter("high", "value", "largest value"),
    )
    rising = ("low", "high")

    @classmethod
    def mean(cls, given: Given) -> float:
        """Return the expected value."""
        return (given["low"] + given["high"]) / 2

    @classmethod
    def law(cls, given: Given) -> Law:
        """Return the exact law."""
        not_below("uniform", given, "low")
        low, high = given["low"], given["high"]
        if high < low:
            raise ValueError(f"uniform high is {high}, below low {low}; it must be low or more")
        width = high - low
        return Law(
            lower=lambda p: low + width * p,
            upper=lambda q: high - width * q,
            mean=low + width / 2.0,
            second_moment=width**2 / 3.0,
            anchor=low,
        )


@register
class Triangular(Family):
    """Most likely at one value, falling in a straight line to both ends."""

    name = "triangular"
    parameters = (
        Parameter("low", "value", "smallest value"),
        Parameter("mode", "value", "most likely value"),
        Parameter("high", "value", "largest value"),
    )
    rising = ("low", "mode", "high")

    @classmethod
    def mean(cls, given: Given) -> float:
        """Return the expected value."""
        return (given["low"] + given["mode"] + given["high"]) / 3

    @classmethod
    def law(cls, given: Given) -> Law:
        """Return the exact law."""
        low, mode, high = given["low"], given["mode"], given["high"]
        not_below("triangular", given, "low")
        if not low <= mode <= high or low == high:
            raise ValueError(
                f"triangular has low {low}, mode {mode}, high {high}; needed: low <= mode <= high "
                "and low < high"
            )
        width, rise, fall = high - low, mode - low, high - mode

        def from_below(p: Floats) -> Floats:
            return np.where(
                p * width < rise,
                low + np.sqrt(p * width * rise),
                high - np.sqrt((1.0 - p) * width * fall),
            )

        def from_above(q: Floats) -> Floats:
            return np.where(
                q * width < fall,
                high - np.sqrt(q * width * fall),
                low + np.sqrt((1.0 - q) * width * rise),
            )

        return Law(
            lower=from_below,
            upper=from_above,
            mean=(low + mode + high) / 3.0,
            second_moment=(rise**2 + rise * width + width**2) / 6.0,
            anchor=low,
        )
