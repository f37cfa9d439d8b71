"""Where the windows of a scenario lie in its run.

Takes a scenario; gives the spans of each window since the start, cut to what is measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sim.compiler.institutions import find_outages, start_us
from sim.compiler.parts import WindowPart
from sim.model.members import Member
from sim.model.windows import Window
from sim.scenario.model import Scenario

Span = tuple[int, int]
"""From when to when, in microseconds since the start; the end is not in it."""


def window_parts(scenario: Scenario, members: Sequence[Member]) -> list[WindowPart]:
    """Return every window in order of time, by name where they begin together.

    Of a window that lies outside what is measured nothing is left, which the notes say.

    Parameters
    ----------
    scenario : Scenario
    members : sequence of Member
    """
    outages = {one.name: (one.start_us, one.stop_us) for one in find_outages(scenario, members, ())}
    clock, found = scenario.clock, list[WindowPart]()
    for name, window in scenario.windows.items():
        start, stop = window_span(scenario, window, outages)
        cut = max(start, clock.warm_up), min(stop, clock.horizon)
        found.append(WindowPart(name, (cut,) if cut[0] < cut[1] else ()))
    return sorted(found, key=lambda part: (part.spans, part.name))


def window_span(scenario: Scenario, window: Window, disruptions: Mapping[str, Span]) -> Span:
    """Return from when to when a window lies, not cut to the run.

    Parameters
    ----------
    scenario : Scenario
    window : Window
        Checked: exactly one way to say where it lies, and a length where one is needed.
    disruptions : mapping of str to span
        By name.
    """
    length = window.for_ or 0
    if window.during is not None:
        return disruptions[window.during]
    if window.before is not None:
        stop = disruptions[window.before][0]
        return stop - length, stop
    if window.after is not None:
        start = disruptions[window.after][1]
    else:
        start = start_us(scenario, window.from_, window.at)
    return start, start + length
