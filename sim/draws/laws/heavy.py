"""Families whose upper tail is heavy: lognormal, Weibull, Pareto, log-logistic."""

from __future__ import annotations

import math

import numpy as np

from sim.draws.laws.family import MEAN, Family, Given, Parameter, above, not_below, register
from sim.draws.laws.law import TAIL_PROBABILITY, Law

_SIGMA_MAX = 6.0


@register
class Lognormal(Family):
    """A value whose logarithm is normal."""

    name = "lognormal"
    parameters = (
        Parameter("median", "positive", "value half of the draws stay below"),
        MEAN,
        Parameter("sigma", "sigma", "standard deviation of the logarithm"),
    )
    either = ("median", "mean")

    @classmethod
    def mean(cls, given: Given) -> float:
        """Return the expected value."""
        return (
            given["mean"]
            if "mean" in given
            else given["median"] * math.exp(given["sigma"] ** 2 / 2)
        )

    @classmethod
    def law(cls, given: Given) -> Law:
        """Return the exact law."""
        from scipy.special import log_ndtr, ndtri

        above("lognormal", given, "mean", "median")
        not_below("lognormal", given, "sigma")
        sigma = given["sigma"]
        if sigma > _SIGMA_MAX:
            raise ValueError(f"lognormal sigma is {sigma}; a table can hold at most {_SIGMA_MAX}")
        growth = math.exp(sigma**2 / 2.0)
        median = given["median"] if "median" in given else given["mean"] / growth
        # The square of a lognormal, weighted by its probability, is normal again, shifted by two
        # sigma.
        edge = -float(ndtri(TAIL_PROBABILITY))
        tail = sigma**2 + (float(log_ndtr(2.0 * sigma - edge)) - math.log(TAIL_PROBABILITY)) / 2.0
        return Law(
            lower=lambda p: median * np.exp(sigma * np.asarray(ndtri(p), dtype=np.float64)),
            upper=lambda q: median * np.exp(-sigma * np.asarray(ndtri(q), dtype=np.float64)),
            mean=median * growth,
            second_moment=median**2 * growth**4,
            tail=median * math.exp(tail),
        )


@register
class Weibull(Family):
    """A time to failure whose rate rises or falls as a power of age."""

    name = "weibull"
    parameters = (
        Parameter("scale", "positive", "value 63.2 % of the draws stay below"),
        MEAN,
        Parameter("shape", "shape", "shape, 1 is exponential"),
    )
    either = ("scale", "mean")

    @classmethod
    def mean(cls, given: Given) -> float:
        """Return the expected value."""
        return (
            given["mean"]
            if "mean" in given
            else given["scale"] * math.gamma(1 + 1 / given["shape"])
        )

    @classmethod
    def law(cls, given: Given) -> Law:
        """Return the exact law."""
        from scipy.special import gammaincc

        above("weibull", given, "scale", "mean", "shape")
        shape = given["shape"]
        if shape < 0.1:
            raise ValueError(f"weibull shape is {shape}; a table can hold 0.1 or more")
        per_scale = math.gamma(1.0 + 1.0 / shape)
        scale = given["scale"] if "scale" in given else given["mean"] / per_scale
        square = math.gamma(1.0 + 2.0 / shape)
        beyond = float(gammaincc(1.0 + 2.0 / shape, -math.log(TAIL_PROBABILITY)))
        return Law(
            lower=lambda p: scale * (-np.log1p(-p)) ** (1.0 / shape),
            upper=lambda q: scale * (-np.log(q)) ** (1.0 / shape),
            mean=scale * per_scale,
            second_moment=scale**2 * square,
            tail=scale * math.sqrt(square * beyond / TAIL_PROBABILITY),
        )


@register
class Pareto(Family):
    """A smallest value and a tail that falls as a power."""

    name = "pareto"
    parameters = (
        Parameter("minimum", "positive", "smallest value"),
        Parameter("alpha", "tail", "tail index; the smaller, the heavier the tail"),
    )

    @classmethod
    def mean(cls, given: Given) -> float:
        """Return the expected value."""
        return given["minimum"] * given["alpha"] / (given["alpha"] - 1)

    @classmethod
    def law(cls, given: Given) -> Law:
        """Return the exact law."""
        above("pareto", given, "minimum", "alpha")
        minimum, alpha = given["minimum"], given["alpha"]
        if alpha <= 2.0:
            raise ValueError(
                f"pareto alpha is {alpha}; it must be above 2, because at 2 and below the variance "
                "is infinite and no estimate from a run would mean anything. Use a larger alpha, "
                "or a lognormal with a large sigma"
            )
        first, second = alpha / (alpha - 1.0), alpha / (alpha - 2.0)
        edge = TAIL_PROBABILITY ** (-1.0 / alpha)
        return Law(
            lower=lambda p: minimum * np.exp(-np.log1p(-p) / alpha),
            upper=lambda q: minimum * q ** (-1.0 / alpha),
            mean=minimum * first,
            second_moment=minimum**2 * (second - 2.0 * first + 1.0),
            anchor=minimum,
            tail=minimum * math.sqrt(second * edge**2 - 2.0 * first * edge + 1.0),
        )


@register
class Loglogistic(Family):
    """A value whose logarithm is logistic: a body like a lognormal's, a tail like a Pareto's.

    Notes
    -----
    Also known as the Fisk distribution. With ``r = 1 / alpha`` the n-th moment is ``median^n``
    times ``n r pi / sin(n r pi)``, finite for n below alpha.
    """

    name = "loglogistic"
    parameters = (
        Parameter("median", "positive", "value half of the draws stay below"),
        Parameter("alpha", "tail", "tail index; the smaller, the heavier the tail"),
    )

    @classmethod
    def mean(cls, given: Given) -> float:
        """Return the expected value."""
        angle = math.pi / given["alpha"]
        return given["median"] * angle / math.sin(angle)

    @classmethod
    def law(cls, given: Given) -> Law:
        """Return the exact law."""
        above("loglogistic", given, "median", "alpha")
        median, alpha = given["median"], given["alpha"]
        if alpha <= 2.0:
            raise ValueError(
                f"loglogistic alpha is {alpha}; it must be above 2, because at 2 and below the "
                "variance is infinite. Use a larger alpha, or a lognormal with a large sigma"
            )
        angle = 2.0 * math.pi / alpha
        # Beyond a tail as small as the table's the odds are those of a power, to 2^-41 of itself:
        # the mean square there is the integral of u^(-2/alpha) over the tail, divided by the tail.
        edge = TAIL_PROBABILITY ** (-2.0 / alpha) / (1.0 - 2.0 / alpha)
        return Law(
            lower=lambda p: median * np.exp((np.log(p) - np.log1p(-p)) / alpha),
            upper=lambda q: median * np.exp((np.log1p(-q) - np.log(q)) / alpha),
            mean=cls.mean(given),
            second_moment=median**2 * angle / math.sin(angle),
            tail=median * math.sqrt(edge),
        )
