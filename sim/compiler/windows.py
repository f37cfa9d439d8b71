"""Where the windows of a scenario lie in its run.

Takes a scenario and when its disruptions happen; gives the spans of each window since the start,
cut to what is measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sim.compiler.occurrences import Occurrence, start_us
from sim.compiler.parts import WindowPart
from sim.model.windows import Window
from sim.scenario.closures import Span, merge_spans
from sim.scenario.model import Scenario


def window_parts(scenario: Scenario, happened: Iterable[Occurrence]) -> list[WindowPart]:
    """Return every window in order of time, by name where they begin together.

    Of a window that lies outside what is measured nothing is left, which the notes say.

    Parameters
    ----------
    scenario : Scenario
    happened : iterable of Occurrence
    """
    spans: dict[str, list[Span]] = {name: [] for name in scenario.disruptions}
    for one in happened:
        spans[one.name].append((one.start_us, one.stop_us))
    clock, found = scenario.clock, list[WindowPart]()
    for name, window in scenario.windows.items():
        told = spans[window.disruption] if window.disruption is not None else []
        cut = [
            (max(start, clock.warm_up), min(stop, clock.horizon))
            for start, stop in window_spans(scenario, window, told)
        ]
        found.append(WindowPart(name, tuple(merge_spans([one for one in cut if one[0] < one[1]]))))
    return sorted(found, key=lambda part: (part.spans, part.name))


def window_spans(scenario: Scenario, window: Window, told: list[Span]) -> Iterator[Span]:
    """Yield from when to when a window lies, not cut to the run.

    Of a disruption that happens several times each time counts; what lies before or after one
    reaches as far as the time before or after it, at most.

    Parameters
    ----------
    scenario : Scenario
    window : Window
        Checked: exactly one way to say where it lies, and a length where one is needed.
    told : list of span
        When its disruption happens, in order of time.
    """
    length = window.for_ or 0
    if window.disruption is None:
        start = start_us(scenario, window.from_, window.at)
        yield start, start + length
    elif window.during is not None:
        yield from told
    elif window.before is not None:
        ends = [None, *(stop for _, stop in told)]
        for (start, _), earlier in zip(told, ends, strict=False):
            yield start - length if earlier is None else max(start - length, earlier), start
    else:
        begins = [*(start for start, _ in told[1:]), None]
        # Where it never happens by chance nothing lies behind it.
        for (_, stop), later in zip(told, begins, strict=False):
            yield stop, stop + length if later is None else min(stop + length, later)
