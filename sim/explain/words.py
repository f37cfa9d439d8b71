"""Words for durations, shares, amounts, places and lists, as ``explain`` uses them.

Takes values of the model and the plan; gives short text that is the same on every machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from rich.cells import cell_len

from sim.contract.records import Register
from sim.model.distributions import AmountDistribution, DurationDistribution
from sim.model.quantities import write_duration
from sim.rails.stages import ByRole, Place
from sim.units import SECOND_US, about_unit

REGISTERS = {
    Register.INSTRUCTED: "the instructed amount",
    Register.DEBITED: "the debited amount",
    Register.SETTLEMENT: "the settlement amount",
    Register.CREDITED_GROSS: "the credited amount before fees",
    Register.CREDITED: "the credited amount",
    Register.MID_1: "the first conversion at mid rate",
    Register.SPREAD_1: "the first conversion's margin",
    Register.MID_2: "the second conversion at mid rate",
    Register.SPREAD_2: "the second conversion's margin",
}
"""What a transfer moves, in words."""

_ROLES = ("debtor agent", "creditor agent")
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def moment(start: datetime) -> str:
    """Write an instant, as in ``Wednesday 2025-09-17 18:00:00 +07:00``."""
    offset = start.strftime("%z")
    clock = start.strftime("%Y-%m-%d %H:%M:%S")
    return f"{_WEEKDAYS[start.weekday()]} {clock} {offset[:3]}:{offset[3:]}"


def span(duration_us: int) -> str:
    """Write a duration exactly, as in ``14 min``, ``2.1 s`` or ``350 ms``."""
    text = write_duration(duration_us)
    if duration_us >= SECOND_US and text.endswith((" ms", " us")):
        return f"{Decimal(duration_us) / SECOND_US:f} s"
    if duration_us >= 1000 and text.endswith(" us"):
        return f"{Decimal(duration_us) / 1000:f} ms"
    return text


def about(duration_us: float) -> str:
    """Write a duration to three digits, as in ``3.41 s``."""
    size, unit = about_unit(duration_us)
    return f"{duration_us / size:.3g} {unit}"


def timing(time: DurationDistribution | None) -> str:
    """Write how long something takes, with its mean where it varies."""
    if time is None:
        return "0 s"
    if time.family == "constant":
        return span(round(time.mean()))
    return f"{family(str(time))}, mean {about(time.mean())}"


def amounts(amount: AmountDistribution) -> str:
    """Write how large amounts are."""
    return str(amount) if amount.family == "constant" else family(str(amount))


def family(text: str) -> str:
    """Turn ``{lognormal: {median: 0.8 s, sigma: 0.5}}`` into ``lognormal (median 0.8 s, ...)``."""
    name, found, rest = text.strip("{}").partition(": ")
    if not found:
        return text
    return f"{name} ({rest.strip('{}').replace(': ', ' ')})"


def share(part: Fraction) -> str:
    """Write a share in per cent, without needless digits."""
    text = f"{float(part * 100):.6f}".rstrip("0").rstrip(".")
    return f"{text} %"


def place(where: Place | None) -> str:
    """Write an account or station, by name or by role."""
    if isinstance(where, ByRole):
        return f"{where.kind} of the {_ROLES[where.role]}"
    return where or "nowhere"


def at(time_us: int) -> str:
    """Write an instant of simulated time, as in ``t = 2 min``."""
    return f"t = {span(time_us)}"


def listed(names: Iterable[str]) -> str:
    """Join names with commas; none at all is said in a word."""
    return ", ".join(names) or "none"


def joined(parts: Sequence[str]) -> str:
    """Join parts of a sentence: ``a, b and c``."""
    return " and ".join(part for part in (", ".join(parts[:-1]), *parts[-1:]) if part)


def count(number: int, noun: str) -> str:
    """Write a number of things, as in ``3 servers``."""
    figure = f"{number:,}".replace(",", " ")
    return f"{figure} {noun}{'' if number == 1 else 's'}"


def table(rows: Sequence[Sequence[str]], *, indent: int, right: frozenset[int]) -> list[str]:
    """Lay out rows in columns.

    Parameters
    ----------
    rows : sequence of sequence of str
        The first is the heading.
    indent : int
        Spaces before each line.
    right : frozenset of int
        Columns set to the right.
    """
    # By the room letters take at a terminal: Chinese ones two columns, Khmer signs above none.
    widths = [max(cell_len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = []
        for column, (text, width) in enumerate(zip(row, widths, strict=True)):
            room = " " * (width - cell_len(text))
            cells.append(room + text if column in right else text + room)
        lines.append((" " * indent + "  ".join(cells)).rstrip())
    return lines
