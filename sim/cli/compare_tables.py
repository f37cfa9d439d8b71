"""Show a comparison to people: a table per pair of arms, the difference beside both values.

Takes a :class:`~sim.study.compare.comparison.Comparison`; gives tables for a console.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from sim.cli.summary import make_table
from sim.cli.wording import NOTHING, short
from sim.study.compare.comparison import Comparison, Pair
from sim.study.measure_key import pick
from sim.study.verdicts import SIGNIFICANCE, with_error

_P_SHOWN_MIN = 0.001
_SHOWN = "*"


def pair_tables(found: Comparison) -> Iterator[tuple[str, Table]]:
    """Yield a title and a table for every pair of arms.

    Parameters
    ----------
    found : Comparison
        What was compared.
    """
    grouped: dict[tuple[str, str], list[Pair]] = {}
    for pair in found.pairs:
        grouped.setdefault((pair.a, pair.b), []).append(pair)
    for (a, b), pairs in grouped.items():
        heads = [(head, "right") for head in (a, b, "difference", "p", "luck")]
        table = make_table(("measure", "left"), *heads)
        for column in table.columns:
            column.no_wrap = True
        for pair in pairs:
            table.add_row(
                pair.measure,
                _value(found, a, pair.measure),
                _value(found, b, pair.measure),
                _difference(pair),
                _p_value(pair),
                "" if pair.standard_error_ratio is None else f"{pair.standard_error_ratio:.2f}",
            )
        whose = "the same" if found.has_common_customers else "different"
        yield f"{b} against {a}: {found.replications} replications of {whose} customers", table


def _value(found: Comparison, arm: str, key: str) -> str:
    measure = pick(found.summaries[arm], key)
    return NOTHING if measure is None else short(measure)


def _difference(pair: Pair) -> Text:
    """Write the difference with its sign and half-width; points of a per cent for shares."""
    if pair.difference is None:
        return Text(NOTHING)
    interval = pair.difference.interval
    size, unit = with_error(interval, pair.unit)
    sign = "-" if interval.value < 0 else "+" if interval.value > 0 else ""
    unit = {"percentage points": "pp"}.get(unit, unit)
    mark = _SHOWN if pair.is_shown else " "
    return Text(f"{sign}{size} {unit} {mark}", style="bold" if pair.is_shown else "")


def _p_value(pair: Pair) -> str:
    """Write p after Holm's correction."""
    if pair.difference is None:
        return NOTHING
    return f"{pair.p_holm:.3f}" if pair.p_holm >= _P_SHOWN_MIN else f"<{_P_SHOWN_MIN}"


def legend() -> str:
    """Return what the columns mean."""
    return (
        f"± half of the 95 % interval of the paired difference; p after Holm's correction for "
        f"every pair and measure; {_SHOWN} where it is below {SIGNIFICANCE:g}. Luck: standard "
        f"error of the difference, in parts of what independent luck in each arm would leave."
    )
