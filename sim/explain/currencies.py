"""Currencies a scenario declares, in words.

Takes nothing but what is known while a scenario is told; gives lines.
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.units import declared_currencies, format_minor


def currency_lines() -> Iterator[tuple[str, list[str]]]:
    """Yield the section of declared currencies, with its title, where there are any."""
    lines = []
    for one in declared_currencies().values():
        name = f", {one.name}" if one.name else ""
        least = f"; payments of {format_minor(one.least, one.code)} or more" if one.least else ""
        lines.append(
            f"{one.code}{name}: {format_minor(1, one.code)} is the minor unit; steps of "
            f"{format_minor(one.granule, one.code)}{least}"
        )
    if lines:
        yield "Currencies declared here", lines
