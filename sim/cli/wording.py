"""Write measures the way people read them.

Takes :class:`~sim.analysis.summary.Measure` objects; gives short text with units, and the interval
where there is one.
"""

from __future__ import annotations

from sim.analysis.summary import Measure
from sim.contract.meaning import Reason
from sim.contract.words import member_words
from sim.explain.words import about
from sim.units import CURRENCIES, SECOND_US, format_minor, minor_per_major

NOTHING = "-"
_CENTS_BELOW = 1000
_ASYMMETRY_MAX = 0.01
"""Difference of the two sides of an interval, as a part of its width, that nobody would read."""
_UNITS_UNSAID = frozenset({"payments", "quotes", "blocks", "rounds", "servers", "share", "s"})


def figure(measure: Measure) -> str:
    """Write a measure with its unit, and its interval where it has one.

    An interval as wide above as below is written as ``±`` half its width; one that is not, as of a
    share near 0 or 1, by its ends, because half its width would claim values it leaves out.
    """
    text = short(measure)
    if measure.value is None or measure.low is None or measure.high is None:
        return text
    below, above = measure.value - measure.low, measure.high - measure.value
    if abs(above - below) > _ASYMMETRY_MAX * (measure.high - measure.low):
        low, high = (short(Measure(end, measure.unit)) for end in (measure.low, measure.high))
        return _range(low, high)
    half = short(Measure((measure.high - measure.low) / 2, measure.unit))
    number, _, unit = text.partition(" ")
    if unit and half.endswith(f" {unit}") and not unit[0].isdigit():
        return f"{number} ± {half}"
    return f"{text} ± {half}"


def _range(low: str, high: str) -> str:
    """Write the ends of an interval, a unit they share only once."""
    number, _, unit = low.partition(" ")
    if unit and high.endswith(f" {unit}") and not unit[0].isdigit():
        return f"{number} to {high}"
    return f"{low} to {high}"


def short(measure: Measure) -> str:
    """Write a measure with its unit."""
    value = measure.value
    if value is None:
        return NOTHING
    if measure.unit == "share":
        return f"{100 * value:.1f} %"
    if measure.unit == "s":
        return seconds(value)
    text = plain(value) if float(value).is_integer() or abs(value) >= 100 else f"{value:.3g}"
    if measure.unit == "bps":
        text = f"{value:.1f}"
    return text if measure.unit in _UNITS_UNSAID else f"{text} {_unit(measure.unit)}"


def seconds(value: float | None) -> str:
    """Write a duration given in seconds."""
    if value is None:
        return NOTHING
    return f"{1000 * value:.3g} ms" if 0 < value < 0.1 else about(value * SECOND_US)


def amount_text(measure: Measure) -> str:
    """Write an amount of money whose unit is ``minor KHR``."""
    currency = measure.unit.partition(" ")[2]
    if measure.value is None or currency not in CURRENCIES:
        return NOTHING
    whole = minor_per_major(currency)
    if abs(measure.value) < _CENTS_BELOW * whole:
        return format_minor(round(measure.value), currency)
    # Cents of a million only make the column wide.
    return f"{plain(measure.value / whole)} {currency}"


def plain(number: object) -> str:
    """Write a whole number in groups of three."""
    return f"{round(float(str(number))):,}".replace(",", " ")


def reason_words(code: str) -> str:
    """Return what a reason code means, from the specification."""
    return member_words(Reason).get(code, "").partition(";")[0].rstrip(".")


def _unit(unit: str) -> str:
    return {"payments/s": "/s"}.get(unit, unit)
