"""When the disruptions of a scenario happen in a run, and whom each occurrence hits.

Takes a scenario and the luck of a replication; gives occurrences as instants and names. Nothing
here knows a station: who is hit by name is turned into places by :mod:`sim.compiler.places`.

Luck is keyed by the disruption's name and the number of the occurrence: the n-th failure of one
disruption is the same whatever else the scenario holds, and a longer horizon goes on with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from sim.model.disruptions import Disruption, Failures
from sim.model.distributions import DurationDistribution
from sim.model.quantities import PPB
from sim.rails.stages import threshold
from sim.scenario.closures import closed_spans
from sim.scenario.model import Scenario
from sim.units import DAY_US, SECOND_US

_CHANCE, _FAILURE, _REPAIR = "disruption.chance", "disruption.failure", "disruption.repair"


class Luck(NamedTuple):
    """What draws are keyed by beside names."""

    seed: int
    replication: int = 0


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A disruption as it falls into a run, once.

    Attributes
    ----------
    name : str
        As the scenario names it.
    start_us, stop_us : int
        From when to when, since the start; not cut to the run. A jump of a rate stops as it starts.
    targets : tuple of str
        Whom it hits: institutions, rails, streams or a pair.
    """

    name: str
    start_us: int
    stop_us: int
    targets: tuple[str, ...]


def occurrences(scenario: Scenario, luck: Luck) -> tuple[Occurrence, ...]:
    """Return every occurrence of every disruption, in order of name, then of time.

    Those that hit nobody by chance did not happen and are left out.
    """
    found = []
    for name, disruption in sorted(scenario.disruptions.items()):
        draws = _Draws(luck, name)
        for number, (start, stop) in enumerate(_spans(scenario, disruption, draws)):
            targets = _hit(disruption, draws, number)
            if targets:
                found.append(Occurrence(name, start, stop, targets))
    return tuple(found)


def start_us(scenario: Scenario, time_of_day: int | None, after: int | None) -> int:
    """Return when something begins: after the start, or at the next such time of day from it on."""
    if after is not None:
        return after
    assert time_of_day is not None
    wait = time_of_day * SECOND_US - day_offset_us(scenario)
    # Already past today, so tomorrow's.
    return wait if wait >= 0 else wait + DAY_US


def day_offset_us(scenario: Scenario) -> int:
    """Return the local time of day at the start, in microseconds."""
    start = scenario.clock.start
    seconds = (start.hour * 60 + start.minute) * 60 + start.second
    return seconds * SECOND_US + start.microsecond


class _Draws:
    """The luck of one disruption; nothing is drawn where nothing is left to chance."""

    def __init__(self, luck: Luck, name: str) -> None:
        self._luck, self._name = luck, name

    def number(self, purpose: str, n: int) -> int:
        """Return the n-th 62-bit draw for a purpose."""
        import numpy as np

        from sim.draws.keys import purpose_id, stream_key
        from sim.draws.lookup import draw62

        key = stream_key(self._luck.seed, self._luck.replication, "disruption", self._name)
        return int(draw62(np.array(key, dtype=np.int64), n, purpose_id(purpose), 0))

    def duration(self, law: DurationDistribution, purpose: str, n: int) -> int:
        """Return the n-th duration drawn from a law, in microseconds."""
        import numpy as np

        from sim.draws.lookup import quantile
        from sim.draws.quantile import build_empirical, build_table

        if law.points:
            table = build_empirical([(value, share / PPB) for value, share in law.points])
        else:
            table = build_table(law.family, law.parameters())
        return int(quantile(np.asarray(table), 0, self.number(purpose, n)))


def _spans(scenario: Scenario, one: Disruption, draws: _Draws) -> Iterator[tuple[int, int]]:
    """Yield from when to when it may happen, in order of time."""
    if one.kind == "closure":
        yield from closed_spans(scenario, one)
    elif one.random is not None:
        yield from _failures(one.random, scenario.clock.horizon, draws)
    else:
        start = start_us(scenario, one.from_, one.after)
        yield start, start + (one.for_ or 0)


def _failures(law: Failures, horizon_us: int, draws: _Draws) -> Iterator[tuple[int, int]]:
    """Yield failures and repairs in turn until the end of the run."""
    now, number = 0, 0
    while True:
        start = now + draws.duration(law.time_to_failure, _FAILURE, number)
        if start >= horizon_us:
            return
        # What is mended in no time has not failed: a microsecond at least keeps them in order.
        now = start + max(draws.duration(law.time_to_repair, _REPAIR, number), 1)
        yield start, now
        number += 1


def _hit(one: Disruption, draws: _Draws, number: int) -> tuple[str, ...]:
    """Return whom an occurrence hits: everybody whose share the one draw lies below."""
    shares = one.shares
    if all(share == PPB for share in shares.values()):
        return tuple(shares)
    drawn = draws.number(_CHANCE, number)
    return tuple(name for name, share in shares.items() if drawn < threshold(share))
