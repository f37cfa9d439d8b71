"""Watch how many payments are in the system, and how many wait at each place, while a run goes on.

Takes payment records and samples; gives how these numbers moved between warm-up and horizon, and
whether they grew. Memory is one number per interval of simulated time, and per place and sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.contract.layout import NULL
from sim.contract.meaning import LogKind
from sim.contract.plan import Array, Plan
from sim.contract.records import LogColumn, RecordColumn
from sim.units import SECOND_US

_EDGE = 0.1
"""Share of the window averaged at its start and at its end."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """How a number moved between warm-up and horizon.

    Attributes
    ----------
    start, end : float
        Mean over the first and over the last tenth of the window.
    deviation : float
        Standard deviation around the straight line through the window.
    slope : float
        Of that line, per step of the series.
    rise : float
        How many times the load expected at the start is expected at the end: 1 where it is even.
    """

    start: float
    end: float
    deviation: float
    slope: float = 0.0
    rise: float = 1.0

    @property
    def is_growing(self) -> bool:
        """Say whether the end exceeds the start by three standard deviations.

        Notes
        -----
        The deviation is taken around the trend, not around the mean: of a queue that does nothing
        but grow, growth itself would otherwise be most of the deviation it is held against. Where
        the profile of the demand lets the load itself rise, so many more payments are in the system
        at the end by that alone (Little's law), and the start counts so many times; a load that
        falls excuses nothing.
        """
        return self.end - self.start * max(1.0, self.rise) > 3 * self.deviation

    @property
    def is_falling(self) -> bool:
        """Say whether the end falls short of the start by three standard deviations."""
        return self.start - self.end > 3 * self.deviation


def follow(series: Sequence[float] | Array, *, rise: float = 1.0) -> Backlog:
    """Return how a number moved.

    Parameters
    ----------
    series : sequence of float
        At equal steps from the warm-up to the horizon.
    rise : float
        See :class:`Backlog`.
    """
    values = np.asarray(series, dtype=float)
    if len(values) < 2:
        return Backlog(0.0, 0.0, 0.0)
    edge = max(1, int(len(values) * _EDGE))
    at = np.arange(len(values))
    slope, level = np.polyfit(at, values, 1)
    deviation = float(np.std(values - (level + slope * at)))
    start, end = float(values[:edge].mean()), float(values[-edge:].mean())
    return Backlog(start, end, deviation, float(slope), rise)


class BacklogSink:
    """The number of payments of some demand in the system, as one of a run's sinks.

    Parameters
    ----------
    plan : Plan
        The plan of the run.
    streams : sequence of str
        Names of the demand that is counted, the same whose load is offered: by Little's law the
        two belong together.
    step_us : int
        Interval at which the number is known.
    """

    wants_log = False
    wants_records = True

    def __init__(self, plan: Plan, streams: Sequence[str], step_us: int = SECOND_US) -> None:
        self._plan, self._step_us = plan, step_us
        self._is_counted = np.array([name in streams for name in plan.names.streams], dtype=bool)
        self._change = np.zeros(plan.horizon_us // step_us + 2, dtype=np.int64)

    def take_log(self, rows: Array) -> None:
        """Ignore the log."""

    def take_records(self, rows: Array) -> None:
        """Count who came and who left."""
        last = len(self._change) - 1
        rows = rows[self._is_counted[rows[:, RecordColumn.STREAM]]]
        came = rows[:, RecordColumn.SUBMITTED_US] // self._step_us + 1
        ended = rows[:, RecordColumn.END_US]
        left = ended[ended != NULL] // self._step_us + 1
        self._change += np.bincount(np.minimum(came, last), minlength=last + 1)
        self._change -= np.bincount(np.minimum(left, last), minlength=last + 1)

    def take_progress(self, time_us: int, payments: int, events: int) -> None:
        """Ignore progress."""

    def inside(self, time_us: int) -> int:
        """Return the number in the system at an instant, to the step."""
        return int(self._change[: time_us // self._step_us + 1].sum())

    def series(self) -> Array:
        """Return the number in the system at every step from the warm-up to the horizon."""
        inside: Array = np.cumsum(self._change)
        first = -(-self._plan.warm_up_us // self._step_us)
        return inside[first : self._plan.horizon_us // self._step_us]

    def backlog(self, *, rise: float = 1.0) -> Backlog:
        """Return how the number moved."""
        return follow(self.series(), rise=rise)


class PlaceSink:
    """The sampled queue of every station and ledger and the balance of every watched account.

    Parameters
    ----------
    plan : Plan
        The plan of the run; its sample interval is the step.
    until_us : int, optional
        Instant from which on nothing is kept; by default the horizon.
    """

    wants_log = False
    wants_samples = True
    wants_records = False

    def __init__(self, plan: Plan, until_us: int | None = None) -> None:
        self._plan = plan
        self._until_us = plan.horizon_us if until_us is None else until_us
        names = plan.names
        self._kinds = (
            (LogKind.SAMPLE_STATION, names.stations),
            (LogKind.SAMPLE_LEDGER, names.ledgers),
            (LogKind.SAMPLE_ACCOUNT, names.accounts),
        )
        self._values: dict[str, list[npt.NDArray[np.int64]]] = {}

    def take_log(self, rows: Array) -> None:
        """Keep the samples from the warm-up on."""
        time_us = rows[:, LogColumn.TIME_US]
        rows = rows[(time_us >= self._plan.warm_up_us) & (time_us < self._until_us)]
        for kind, names in self._kinds:
            chosen = rows[rows[:, LogColumn.KIND] == kind]
            chosen = chosen[np.argsort(chosen[:, LogColumn.SUBJECT], kind="stable")]
            subjects, first = np.unique(chosen[:, LogColumn.SUBJECT], return_index=True)
            parts = np.split(chosen[:, LogColumn.AMOUNT], first[1:])
            for subject, part in zip(subjects.tolist(), parts, strict=False):
                self._values.setdefault(names[subject], []).append(part)

    def take_records(self, rows: Array) -> None:
        """Ignore payments."""

    def take_progress(self, time_us: int, payments: int, events: int) -> None:
        """Ignore progress."""

    def moved(self, name: str) -> Backlog:
        """Return how the queue or balance of a place moved; no movement where nothing was seen."""
        parts = self._values.get(name)
        return follow(np.concatenate(parts)) if parts else Backlog(0.0, 0.0, 0.0)

    def per_second(self, name: str) -> float:
        """Return by how much the queue or balance of a place moved per second."""
        step_s = self._plan.sample_interval_us / SECOND_US
        return self.moved(name).slope / step_s if step_s > 0 else 0.0
