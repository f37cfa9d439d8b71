"""Families of distributions as exact quantile functions with exact moments.

Takes a family's name and parameters as numbers in base units, gives a :class:`Law`. Each law knows
its quantiles from either end, so that the far upper tail is as exact as the lower one. SciPy is
imported only where a family needs it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.errors import suggest

Floats = npt.NDArray[np.float64]
Quantile = Callable[[Floats], Floats]

TAIL_PROBABILITY = 2.0**-41
"""Probability on each side beyond the last octave of a table."""

_SIGMA_MAX = 6.0


@dataclass(frozen=True, slots=True)
class Law:
    """Hold one distribution, exactly.

    Attributes
    ----------
    lower : callable
        Value at each of an array of probabilities of being at or below it.
    upper : callable
        Value at each of an array of probabilities of being above it.
    mean : float
        Exact mean.
    second_moment : float
        Exact mean square of the distance from the anchor.
    anchor : float
        Point that no normalisation moves: the least value of the support, or the mean of a
        distribution without one.
    tail : float or None
        Root mean square distance from the anchor, given the upper tail of
        :data:`TAIL_PROBABILITY`; None for light tails, where the tail's median serves.
    is_symmetric : bool
        Whether lower and upper mirror each other about the anchor.
    """

    lower: Quantile
    upper: Quantile
    mean: float
    second_moment: float
    anchor: float = 0.0
    tail: float | None = None
    is_symmetric: bool = False


def build_law(family: str, parameters: Mapping[str, float]) -> Law:
    """Build the exact law of a family.

    Parameters
    ----------
    family : str
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
    builder = _BUILDERS.get(family)
    if builder is None:
        raise ValueError(
            f"unknown distribution {family!r}; known: {', '.join(FAMILIES)}."
            f"{suggest(family, FAMILIES)}"
        )
    names, build = builder
    found = frozenset(parameters)
    allowed = [frozenset(choice.split()) for choice in names]
    if found not in allowed:
        raise ValueError(
            f"{family} has the parameters {' '.join(sorted(parameters)) or '(none)'}; "
            f"allowed: {' or '.join(names)}"
        )
    values = {name: float(value) for name, value in parameters.items()}
    for name, value in values.items():
        if not math.isfinite(value):
            raise ValueError(f"{family} {name} is {value}; it must be a finite number")
    return build(values)


def build_empirical_law(values: Floats, cumulative: Floats) -> Law:
    """Build the law whose cumulative distribution is linear between given points.

    Parameters
    ----------
    values : numpy.ndarray of float64, shape (k,)
        Values in base units, not falling, zero or more.
    cumulative : numpy.ndarray of float64, shape (k,)
        Probability of being at or below each value, rising, 1 at the last. Above 0 at the first
        value, it is the probability of exactly that value.

    Returns
    -------
    Law
        Quantiles and moments.

    Raises
    ------
    ValueError
        If the points do not describe a distribution.
    """
    _check_points(values, cumulative)
    if cumulative[0] > 0.0:
        values = np.concatenate((values[:1], values))
        cumulative = np.concatenate((np.zeros(1), cumulative))
    # Interpolating over what remains above a point keeps the upper tail exact.
    above, falling = (1.0 - cumulative)[::-1].copy(), values[::-1].copy()
    least = float(values[0])
    share, distance = np.diff(cumulative), values - least
    left, right = distance[:-1], distance[1:]
    return Law(
        lower=lambda p: np.interp(p, cumulative, values),
        upper=lambda q: np.interp(q, above, falling),
        mean=least + float(np.sum(share * (left + right))) / 2.0,
        second_moment=float(np.sum(share * (left**2 + left * right + right**2))) / 3.0,
        anchor=least,
    )


def _check_points(values: Floats, cumulative: Floats) -> None:
    """Refuse points that are no cumulative distribution."""
    if values.ndim != 1 or values.shape != cumulative.shape or len(values) == 0:
        raise ValueError(
            f"empirical has {values.size} values and {cumulative.size} cumulative probabilities; "
            "it needs at least one point, each a value and a probability"
        )
    if not (np.isfinite(values).all() and np.isfinite(cumulative).all()):
        raise ValueError("empirical has a value or probability that is not a finite number")
    if values[0] < 0.0:
        raise ValueError(f"empirical begins at the value {values[0]}; values must be 0 or more")
    if (np.diff(values) < 0.0).any():
        at = int(np.argmax(np.diff(values) < 0.0))
        raise ValueError(
            f"empirical value {values[at + 1]} follows {values[at]}; values must not fall"
        )
    if cumulative[0] < 0.0 or (np.diff(cumulative) <= 0.0).any():
        raise ValueError(
            f"empirical cumulative probabilities {cumulative.tolist()} must be 0 or more and rise "
            "from each point to the next"
        )
    if cumulative[-1] != 1.0:
        raise ValueError(
            f"empirical ends at the cumulative probability {cumulative[-1]}; the last must be 1"
        )


def _above(family: str, values: Mapping[str, float], *names: str) -> None:
    """Refuse parameters that are not above zero."""
    for name in names:
        if name in values and values[name] <= 0.0:
            raise ValueError(f"{family} {name} is {values[name]}; it must be above 0")


def _not_below(family: str, values: Mapping[str, float], *names: str) -> None:
    """Refuse parameters that are below zero."""
    for name in names:
        if values[name] < 0.0:
            raise ValueError(f"{family} {name} is {values[name]}; it must be 0 or more")


def _constant(values: Mapping[str, float]) -> Law:
    _not_below("constant", values, "value")
    value = values["value"]
    return Law(
        lower=lambda p: np.full(p.shape, value),
        upper=lambda q: np.full(q.shape, value),
        mean=value,
        second_moment=0.0,
        anchor=value,
    )


def _uniform(values: Mapping[str, float]) -> Law:
    _not_below("uniform", values, "low")
    low, high = values["low"], values["high"]
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


def _exponential(values: Mapping[str, float]) -> Law:
    _above("exponential", values, "mean")
    mean = values["mean"]
    return Law(
        lower=lambda p: -mean * np.log1p(-p),
        upper=lambda q: -mean * np.log(q),
        mean=mean,
        second_moment=2.0 * mean**2,
    )


def _gamma(values: Mapping[str, float]) -> Law:
    from scipy.special import gammainccinv, gammaincinv

    _above("gamma", values, "mean", "shape")
    mean, shape = values["mean"], values["shape"]
    scale = mean / shape
    return Law(
        lower=lambda p: scale * np.asarray(gammaincinv(shape, p), dtype=np.float64),
        upper=lambda q: scale * np.asarray(gammainccinv(shape, q), dtype=np.float64),
        mean=mean,
        second_moment=mean**2 * (1.0 + 1.0 / shape),
    )


def _erlang(values: Mapping[str, float]) -> Law:
    _above("erlang", values, "mean")
    if values["shape"] < 1.0 or values["shape"] != math.floor(values["shape"]):
        raise ValueError(f"erlang shape is {values['shape']}; it must be a whole number from 1 on")
    return _gamma(values)


def _lognormal(values: Mapping[str, float]) -> Law:
    from scipy.special import log_ndtr, ndtri

    _above("lognormal", values, "mean", "median")
    _not_below("lognormal", values, "sigma")
    sigma = values["sigma"]
    if sigma > _SIGMA_MAX:
        raise ValueError(f"lognormal sigma is {sigma}; a table can hold at most {_SIGMA_MAX}")
    growth = math.exp(sigma**2 / 2.0)
    median = values["median"] if "median" in values else values["mean"] / growth
    # The square of a lognormal, weighted by its probability, is normal again, shifted by 2 sigma.
    edge = -float(ndtri(TAIL_PROBABILITY))
    tail = sigma**2 + (float(log_ndtr(2.0 * sigma - edge)) - math.log(TAIL_PROBABILITY)) / 2.0
    return Law(
        lower=lambda p: median * np.exp(sigma * np.asarray(ndtri(p), dtype=np.float64)),
        upper=lambda q: median * np.exp(-sigma * np.asarray(ndtri(q), dtype=np.float64)),
        mean=median * growth,
        second_moment=median**2 * growth**4,
        tail=median * math.exp(tail),
    )


def _weibull(values: Mapping[str, float]) -> Law:
    from scipy.special import gammaincc

    _above("weibull", values, "scale", "mean", "shape")
    shape = values["shape"]
    if shape < 0.1:
        raise ValueError(f"weibull shape is {shape}; a table can hold 0.1 or more")
    per_scale = math.gamma(1.0 + 1.0 / shape)
    scale = values["scale"] if "scale" in values else values["mean"] / per_scale
    square = math.gamma(1.0 + 2.0 / shape)
    beyond = float(gammaincc(1.0 + 2.0 / shape, -math.log(TAIL_PROBABILITY)))
    return Law(
        lower=lambda p: scale * (-np.log1p(-p)) ** (1.0 / shape),
        upper=lambda q: scale * (-np.log(q)) ** (1.0 / shape),
        mean=scale * per_scale,
        second_moment=scale**2 * square,
        tail=scale * math.sqrt(square * beyond / TAIL_PROBABILITY),
    )


def _triangular(values: Mapping[str, float]) -> Law:
    low, mode, high = values["low"], values["mode"], values["high"]
    _not_below("triangular", values, "low")
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


def _normal(values: Mapping[str, float]) -> Law:
    from scipy.special import ndtri

    _not_below("normal", values, "sd")
    mean, sd = values["mean"], values["sd"]
    return Law(
        lower=lambda p: mean + sd * np.asarray(ndtri(p), dtype=np.float64),
        upper=lambda q: mean - sd * np.asarray(ndtri(q), dtype=np.float64),
        mean=mean,
        second_moment=sd**2,
        anchor=mean,
        is_symmetric=True,
    )


def _truncated_normal(values: Mapping[str, float]) -> Law:
    from scipy.special import erfcx, ndtr, ndtri

    _above("truncated_normal", values, "sd")
    _not_below("truncated_normal", values, "low")
    mean, sd, low = values["mean"], values["sd"], values["low"]
    cut = (low - mean) / sd
    if cut > 8.0:
        raise ValueError(
            f"truncated_normal low {low} lies {cut:.1f} standard deviations above the mean {mean}; "
            "allowed: at most 8"
        )
    below, above = float(ndtr(cut)), float(ndtr(-cut))
    # Inverse Mills ratio, written so that it stays exact far above the mean; far below, where the
    # cut removes nothing, erfcx grows to infinity and the ratio ends at zero.
    ratio = math.sqrt(2.0 / math.pi) / float(erfcx(cut / math.sqrt(2.0)))

    def from_below(p: Floats) -> Floats:
        score = ndtri(below + p * above) if cut < 0.0 else -ndtri((1.0 - p) * above)
        return np.maximum(low, mean + sd * np.asarray(score, dtype=np.float64))

    return Law(
        lower=from_below,
        upper=lambda q: np.maximum(low, mean - sd * np.asarray(ndtri(q * above), dtype=np.float64)),
        mean=mean + sd * ratio,
        second_moment=sd**2 * (1.0 - cut * ratio + cut**2),
        anchor=low,
    )


def _pareto(values: Mapping[str, float]) -> Law:
    _above("pareto", values, "minimum", "alpha")
    minimum, alpha = values["minimum"], values["alpha"]
    if alpha <= 2.0:
        raise ValueError(
            f"pareto alpha is {alpha}; it must be above 2, because at 2 and below the variance is "
            "infinite and no estimate from a run would mean anything. Use a larger alpha, or a "
            "lognormal with a large sigma"
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


def _hyperexponential(values: Mapping[str, float]) -> Law:
    _above("hyperexponential", values, "mean_1", "mean_2")
    share, mean_1, mean_2 = values["p"], values["mean_1"], values["mean_2"]
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"hyperexponential p is {share}; it must be from 0 to 1")
    if share in (0.0, 1.0):
        return _exponential({"mean": mean_1 if share == 1.0 else mean_2})
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


_BUILDERS: Mapping[str, tuple[tuple[str, ...], Callable[[Mapping[str, float]], Law]]] = {
    "constant": (("value",), _constant),
    "uniform": (("low high",), _uniform),
    "exponential": (("mean",), _exponential),
    "erlang": (("shape mean",), _erlang),
    "gamma": (("mean shape",), _gamma),
    "lognormal": (("median sigma", "mean sigma"), _lognormal),
    "weibull": (("scale shape", "mean shape"), _weibull),
    "triangular": (("low mode high",), _triangular),
    "normal": (("mean sd",), _normal),
    "truncated_normal": (("mean sd low",), _truncated_normal),
    "pareto": (("minimum alpha",), _pareto),
    "hyperexponential": (("p mean_1 mean_2",), _hyperexponential),
}

FAMILIES: tuple[str, ...] = tuple(_BUILDERS)
"""Families :func:`build_law` knows; the empirical one is given by points instead."""
