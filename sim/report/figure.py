"""Write a number with its unit and its interval: the one way of all that is shown.

Takes a :class:`~sim.analysis.summary.Measure` or any cell; gives short text.
"""

from __future__ import annotations

from math import isfinite

from sim.analysis.error_bars import decimals_known
from sim.analysis.summary import Measure
from sim.report.blocks import Bar, Cell, Text
from sim.units import SECOND_US, about_unit, format_places, read_minor_unit

NOTHING = "-"
DIGITS = 3
"""Digits of a number without an interval, where its unit says nothing else."""
_TABLE_DIGITS = 4
_CENTS_BELOW = 1000
_ASYMMETRY_MAX = 0.01
"""Difference of the two sides of an interval, as a part of its width, that nobody would read."""
_UNITS = dict.fromkeys(("payments", "quotes", "blocks", "rounds", "servers", "times"), "")
_UNITS |= {"payments/s": "/s"}
_DECIMALS = {"%": 1, "bps": 1}


def figure(measure: Measure, digits: int = DIGITS) -> str:
    """Write a measure with its unit, and its interval where it has one.

    Parameters
    ----------
    measure : Measure
    digits : int
        That count, of a number without an interval.

    Notes
    -----
    An interval as wide above as below is written as ``±`` half its width, with the digits that are
    known; one that is not, as of a share near 0 or 1, by its ends, because half its width would
    claim values it leaves out. A figure of one run that lies in a cell is written likewise.
    """
    if measure.value is None:
        return NOTHING
    if measure.low is None and measure.width:
        off = measure.width / 2
        cell = Measure(measure.value, measure.unit, measure.value - off, measure.value + off)
        return figure(cell, digits)
    if measure.unit.startswith("minor "):
        return _amount(measure.value, measure.unit)
    if measure.low is None or measure.high is None or not isfinite(measure.high - measure.low):
        factor, unit = _scale(measure.unit, float(measure))
        return _with_unit(_number(float(measure) * factor, unit, digits), unit)
    below, above = measure.value - measure.low, measure.high - measure.value
    if abs(above - below) > _ASYMMETRY_MAX * (measure.high - measure.low):
        ends = [figure(Measure(end, measure.unit), digits) for end in (measure.low, measure.high)]
        low, high = (text.rpartition(" ") for text in ends)
        # A unit both ends share is said once.
        return f"{low[0] if low[0] and low[2] == high[2] else ends[0]} to {ends[1]}"
    factor, unit = _scale(measure.unit, float(measure))
    half = factor * (measure.high - measure.low) / 2
    places = decimals_known(half)
    if places is None:
        return _with_unit(f"{_number(float(measure) * factor, unit, digits)} ± 0", unit)
    both = (f"{round(one, places):,.{max(places, 0)}f}" for one in (measure.value * factor, half))
    return _with_unit(" ± ".join(both).replace(",", " "), unit)


def written(cell: Cell, *, is_exact: bool = False) -> str:
    """Write a cell of a table.

    Parameters
    ----------
    cell : Cell
    is_exact : bool
        Whether numbers keep all their digits.
    """
    if cell is None or isinstance(cell, Bar):
        return ""
    if isinstance(cell, Text):
        return cell.words
    if isinstance(cell, Measure):
        return figure(cell)
    if is_exact or isinstance(cell, str | int):
        return repr(cell) if isinstance(cell, float) else str(cell)
    return f"{cell:.{_TABLE_DIGITS}g}" if abs(cell) < 10**_TABLE_DIGITS else f"{cell:.0f}"


def plain(number: object) -> str:
    """Write a whole number in groups of three."""
    return f"{round(float(str(number))):,}".replace(",", " ")


def _scale(unit: str, value: float) -> tuple[float, str]:
    """Return by what a value is multiplied to be written, and in which unit."""
    if unit == "share":
        return 100, "%"
    if unit == "s":
        if 0 < abs(value) < 0.1:
            return 1000, "ms"
        size, name = about_unit(value * SECOND_US)
        return SECOND_US / size, name
    return 1, _UNITS.get(unit, unit)


def _number(value: float, unit: str, digits: int) -> str:
    if unit in _DECIMALS:
        return f"{value:.{_DECIMALS[unit] + digits - DIGITS}f}"
    if value.is_integer() or abs(value) >= 10 ** (digits - 1):
        return plain(value)
    return f"{value:.{digits}g}"


def _with_unit(number: str, unit: str) -> str:
    return f"{number} {unit}" if unit else number


def _amount(value: float, unit: str) -> str:
    """Write an amount of money."""
    known = read_minor_unit(unit)
    if known is None:
        return NOTHING
    currency, exponent = known
    whole = 10**exponent
    if abs(value) < _CENTS_BELOW * whole:
        return format_places(round(value), currency, exponent)
    # Cents of a million only make the column wide.
    return f"{plain(value / whole)} {currency}"
