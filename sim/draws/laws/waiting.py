"""Families of waiting times: exponential, Erlang, gamma, hyperexponential."""

from __future__ import annotations

import math

import numpy as np

from sim.draws.laws.family import MEAN, Family, Given, Parameter, above, register
from sim.draws.laws.law import Floats, Law


@register
class Exponential(Family):
    """Waiting without memory."""

    name = "exponential"
    parameters = (MEAN,)

    @classmethod
    def law(cls, given: Given) -> Law:
        """Return the exact law."""
        above("exponential", given, "mean")
        mean = given["mean"]
        return Law(
            lower=lambda p: -mean * np.log1p(-p),
            upper=lambda q: -mean * np.log(q),
            mean=mean,
            second_moment=2.0 * mean**2,
        )


@register
class Gamma(Family):
    """A sum of exponential stages, of which there need not be a whole number."""

    name = "gamma"
    parameters = (MEAN, Parameter("shape", "shape", "shape, 1 is exponential"))

    @classmethod
    def law(cls, given: Given) -> Law:
        """Return the exact law."""
        from scipy.special import gammainccinv, gammaincinv

        above("gamma", given, "mean", "shape")
        mean, shape = given["mean"], given["shape"]
        scale = mean / shape
        return Law(
            lower=lambda p: scale * np.asarray(gammaincinv(shape, p), dtype=np.float64),
            upper=lambda q: scale * np.asarray(gammainccinv(shape, q), dtype=np.float64),
            mean=mean,
            second_moment=mean**2 * (1.0 + 1.0 / shape),
        )


@register
class Erlang(Family):
    """A sum of equal exponential stages."""

    name = "erlang"
    parameters = (Parameter("shape", "stages", "number of exponential stages"), MEAN)

    @classmethod
    def law(cls, given: Given) -> Law:
        """Return the exact law."""
        above("erlang", given, "mean")
        if given["shape"] < 1.0 or given["shape"] != math.floor(given["shape"]):
            raise ValueError(
                f"erlang shape is {given['shape']}; it must be a whole number from 1 on"
            )
        return Gamma.law(given)


@register
class Hyperexponential(Family):
    """A mixture of two exponential kinds."""

    name = "hyperexponential"
    parameters = (
        Parameter("p", "share", "share of draws with the first mean"),
        Parameter("mean_1", "positive", "expected value of the first kind"),
        Parameter("mean_2", "positive", "expected value of the second kind"),
    )

    @classmethod
    def mean(cls, given: Given) -> float:
        """Return the expected value."""
        return given["p"] * given["mean_1"] + (1 - given["p"]) * given["mean_2"]

    @classmethod
    def law(cls, given: Given) -> Law:
        """Return the exact law."""
        above("hyperexponential", given, "mean_1", "mean_2")
        share, mean_1, mean_2 = given["p"], given["mean_1"], given["mean_2"]
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"hyperexponential p is {share}; it must be from 0 to 1")
        if share in (0.0, 1.0):
            return Exponential.law({"mean": mean_1 if share == 1.0 else mean_2})
        parts = ((share, mean_1), (1.0 - share, mean_2))
        return Law(
            lower=lambda p: _solve_mixture(np.log1p(-p), parts),
            upper=lambda q: _solve_mixture(np.log(q), parts),
            mean=sum(weight * mean for weight, mean in parts),
            second_moment=sum(2.0 * weight * mean**2 for weight, mean in parts),
        )


def _solve_mixture(log_above: Floats, parts: tuple[tuple[float, float], ...]) -> Floats:
    """Solve for the value above which a mixture of exponentials lies with given probability.

    Notes
    -----
    The logarithm of the probability of being above x is convex and falling in x, so Newton's
    method, begun left of the solution, climbs to it without overshooting.
    """
    value = np.zeros_like(log_above)
    for weight, mean in parts:
        value = np.maximum(value, mean * (math.log(weight) - log_above))
    for _ in range(100):
        above = np.zeros_like(value)
        slope = np.zeros_like(value)
        lacking = np.zeros_like(value)
        for weight, mean in parts:
            decay = np.exp(-value / mean)
            above += weight * decay
            slope += weight / mean * decay
            lacking += weight * np.expm1(-value / mean)
        # Near zero the logarithm of almost one is taken from what lacks to one.
        log_at = np.where(lacking > -0.5, np.log1p(np.maximum(lacking, -0.5)), np.log(above))
        step = (log_at - log_above) * above / slope
        value = value + step
        if bool((np.abs(step) <= 1e-14 * value).all()):
            break
    return value
