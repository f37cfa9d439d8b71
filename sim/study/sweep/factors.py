"""Write the factors of a sweep as numbers, with their unit beside them.

Takes the texts a scenario would hold, such as ``0.8 s`` or ``2 000 /day``; gives columns a plot or
a regression can use. Whatever is no number, a policy or a name, stays text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sim.model.number_text import NUMBER, SPACE, plain_digits
from sim.tables.tabular import Cell
from sim.units import DAY_US, HOUR_US, MINUTE_US, SECOND_US

_QUANTITY = re.compile(rf"(-?)({NUMBER})(?:{SPACE}*([^0-9{SPACE[1:-1]}].*))?")
_DURATIONS = {
    "us": 1,
    "ms": 1000,
    "s": SECOND_US,
    "min": MINUTE_US,
    "h": HOUR_US,
    "d": DAY_US,
    "day": DAY_US,
    "days": DAY_US,
}
"""Microseconds of the units in which the values of one factor may differ."""


def factor_columns(name: str, texts: Sequence[str]) -> dict[str, list[Cell]]:
    """Return the columns of a factor: its numbers, and its unit where it has one.

    Parameters
    ----------
    name : str
        Of the factor, and of its first column.
    texts : sequence of str
        Its value at each point.

    Notes
    -----
    All values of a column have one unit, that of the first point; durations written in several are
    converted. Where two units have nothing in common the column stays text.
    """
    found = [_QUANTITY.fullmatch(text.strip()) for text in texts]
    if not texts or any(one is None for one in found):
        return {name: list(texts)}
    units = [one[3] or "" for one in found if one is not None]
    numbers = [_number(one[1] + plain_digits(one[2])) for one in found if one is not None]
    unit = units[0]
    if any(other != unit for other in units):
        if any(other not in _DURATIONS for other in units):
            return {name: list(texts)}
        numbers = [
            number * _DURATIONS[other] / _DURATIONS[unit]
            for number, other in zip(numbers, units, strict=True)
        ]
    columns: dict[str, list[Cell]] = {name: list(numbers)}
    if unit:
        columns[f"{name}_unit"] = [unit] * len(texts)
    return columns


def _number(text: str) -> int | float:
    return float(text) if "." in text else int(text)
