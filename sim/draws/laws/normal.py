"""Normal families: for steps of rates, and a normal cut off from below."""

from __future__ import annotations

import math

import numpy as np

from sim.draws.laws.family import Family, Given, Parameter, above, not_below, register
from sim.draws.laws.law import Floats, Law


@register
class Normal(Family):
    """The normal distribution; negative values too, so not for scenarios."""

    name = "normal"
    parameters = (
        Parameter("mean", "value", "expected value"),
        Parameter("sd", "value", "standard deviation"),
    )
    is_written = False

    @classmethod
    def law(cls, given: Given) -> Law:
        """Return the exact law."""
        from scipy.special import ndtri

        not_below("normal", given, "sd")
        mean, sd = given["mean"], given["sd"]
        return Law(
            lower=lambda p: mean + sd * np.asarray(ndtri(p), dtype=np.float64),
            upper=lambda q: mean - sd * np.asarray(ndtri(q), dtype=np.float64),
            mean=mean,
            second_moment=sd**2,
            anchor=mean,
            is_symmetric=True,
        )


@register
class TruncatedNormal(Family):
    """The normal distribution above a bound."""

    name = "truncated_normal"
    parameters = (
        Parameter("mean", "value", "expected value before truncation"),
        Parameter("sd", "positive", "standard deviation before truncation"),
        Parameter("low", "value", "smallest value"),
    )
    is_written = False

    @classmethod
    def law(cls, given: Given) -> Law:
        """Return the exact law."""
        from scipy.special import erfcx, ndtr, ndtri

        above("truncated_normal", given, "sd")
        not_below("truncated_normal", given, "low")
        mean, sd, low = given["mean"], given["sd"], given["low"]
        cut = (low - mean) / sd
        if cut > 8.0:
            raise ValueError(
                f"truncated_normal low {low} lies {cut:.1f} standard deviations above the mean "
                f"{mean}; allowed: at most 8"
            )
        kept_below, kept = float(ndtr(cut)), float(ndtr(-cut))
        # Inverse Mills ratio, written so that it stays exact far above the mean; far below, where
        # the cut removes nothing, erfcx grows to infinity and the ratio ends at zero.
        ratio = math.sqrt(2.0 / math.pi) / float(erfcx(cut / math.sqrt(2.0)))

        def from_below(p: Floats) -> Floats:
            score = ndtri(kept_below + p * kept) if cut < 0.0 else -ndtri((1.0 - p) * kept)
            return np.maximum(low, mean + sd * np.asarray(score, dtype=np.float64))

        return Law(
            lower=from_below,
            upper=lambda q: np.maximum(
                low, mean - sd * np.asarray(ndtri(q * kept), dtype=np.float64)
            ),
            mean=mean + sd * ratio,
            second_moment=sd**2 * (1.0 - cut * ratio + cut**2),
            anchor=low,
        )
