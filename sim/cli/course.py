"""Say how a run went over time: whether its start was left out, and what its end cut off.

Takes a summary; gives lines of text, and a chart one line high of the payments in the system.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from rich.text import Text

from sim.analysis.summary import Summary
from sim.analysis.warm_up import Presence
from sim.cli.wording import figure, plain
from sim.explain.words import span

_BLOCKS = "▁▂▃▄▅▆▇█"
_CHART = 36
_TOLD_FROM = 1.01
"""What the open payments must make of p99 to be told; the histograms know it within 0.4 %."""


def course(summary: Summary) -> Iterator[Text]:
    """Yield what is to be said of the start and the end of a run."""
    if summary.presence is not None:
        yield from _start(summary.presence)
    yield from _end(summary)


def _start(presence: Presence) -> Iterator[Text]:
    """Yield how the run filled up and whether that was left out."""
    found = presence.judge()
    if found is None:
        return
    inside = presence.inside
    yield Text(
        f"In the system over time: {chart(inside, _CHART)} up to {plain(max(inside))} payments"
    )
    used = f"{span(found.used_us)} left out" if found.used_us else "nothing left out"
    if found.needed_us is None:
        words = "the number in the system does not settle within the run (MSER-5): the load moves, "
        yield Text(f"Warm-up: {used}; {words}or more comes than leaves", style="yellow")
    elif found.is_enough:
        yield Text(f"Warm-up: {used}, which is enough (MSER-5 on the number in the system)")
    else:
        yield Text(
            f"Warm-up: {used}; the number in the system settles after {span(found.needed_us)} "
            f"(MSER-5), and its mean is {abs(found.bias or 0):.0%} off with its start: set "
            f"clock.warm_up for a steady state",
            style="yellow",
        )


def _end(summary: Summary) -> Iterator[Text]:
    """Yield what the horizon cut off, where that changes the picture."""
    share = summary.measures.get("open_share")
    if share is None or share.value is None:
        return
    known, counted = (summary.measures[f"end_to_end_p99{end}"] for end in ("", "_kaplan_meier"))
    is_known = known.value is not None and counted.value is not None
    if not share.value or (is_known and float(counted) <= _TOLD_FROM * float(known)):
        return
    beyond = "longer than the run could see" if counted.value is None else figure(counted)
    yield Text(
        f"Still open at the horizon: {figure(share)} of payments. p99 of those completed is "
        f"{figure(known)}; counting the open ones as at least so long (Kaplan-Meier), {beyond}",
        style="yellow",
    )


def chart(values: Sequence[float], width: int) -> str:
    """Draw a series of numbers of at least 0 as blocks, each the mean of its part of the series."""
    parts = min(width, len(values))
    edges = [len(values) * at // parts for at in range(parts + 1)]
    means = [sum(values[low:high]) / (high - low) for low, high in pairwise(edges)]
    most = max(means, default=0)
    if most <= 0:
        return _BLOCKS[0] * parts
    return "".join(_BLOCKS[min(7, int(8 * mean / most))] for mean in means)
