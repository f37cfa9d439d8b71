"""Figures of a switch that is asked how payments stand: when it recovers, and when never."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from sim.contract.layout import NULL
from sim.contract.plan import Array
from sim.contract.records import RecordColumn as C
from sim.units import SECOND_US
from tests.published.figure import Found, published
from tests.published.runs import Changes, payments, summary

_STREAMS = ("quiet", "three", "unbounded")
_OPENS_S = 400


def _alone(stream: str, *changes: str) -> Changes:
    """Return the changes that leave one of the switches."""
    others = [name for name in _STREAMS if name != stream]
    left_out = [f"{part}.{name}=null" for name in others for part in ("demand", "disruptions")]
    return ("answer=''", *left_out, *changes)


def _waits(stream: str, changes: Changes) -> tuple[Array, Array]:
    """Return when each payment is submitted and how long it waits up to the end, in seconds."""
    made, rows = payments("retry-storm", _alone(stream, *changes))
    ended = np.where(rows[:, C.END_US] == NULL, made.plan.horizon_us, rows[:, C.END_US])
    at = rows[:, C.SUBMITTED_US]
    return at / SECOND_US, (ended - at) / SECOND_US


def _recovered(stream: str, *changes: str) -> Found:
    """Return how long after the bank is back the last payment comes that waits above a second."""
    at, waits = _waits(stream, changes)
    return Found(float(at[waits > 1].max()) - _OPENS_S)


published(
    key="retry-storm/recovery without questions",
    what="Time after the outage until payments are answered at once again.",
    published=75,
    unit="s",
    tolerance=5,
    source="derived: 300 s of payments at a fifth of the capacity, worked off by the other four",
    why="1 500 payments wait, 1.96 x sqrt(1 500) / 20 = 3.8 s, and the last second",
    ours=lambda: _recovered("quiet"),
    control=lambda: _recovered("three"),
    against="three questions a payment",
    how="worked out",
)
published(
    key="retry-storm/recovery with three questions",
    what="The same with three questions a payment: at the latest after 300 s.",
    published=275,
    unit="s",
    tolerance=45,
    source="derived: (1 + 3) x 5 of 25 a second come, so 1 500 / 5 = 300 s; NPCI caps questions "
    "at three",
    why="between 230 and 320 s: who waits below 6 s asks less, and 1 500 scatter by 1.96 x "
    "sqrt(1 500) / 5 = 15 s",
    ours=lambda: _recovered("three"),
    control=lambda: _recovered("quiet"),
    against="no questions",
    how="worked out",
)


def _later(stream: str) -> Found:
    found = summary("retry-storm", _alone(stream)).by["window"]["later"]
    return Found(100 * float(found["within_10s"]))


published(
    key="retry-storm/never with questions without bound",
    what="Payments answered within 10 s, ten minutes after the outage, asked about every 2 s.",
    published=0,
    unit="%",
    tolerance=0.1,
    source="derived: questions alone take what the switch can answer",
    why="none is",
    ours=lambda: _later("unbounded"),
    control=lambda: _later("three"),
    against="three questions a payment",
    how="worked out",
    is_large=True,
)


def _drift(outage_ms: int, every_s: int) -> tuple[float, float]:
    """Return the delay some seconds after an outage, and by how much it grows in twelve more."""
    at, waits = _waits(
        "unbounded",
        (
            "windows=null",
            "demand.unbounded.rate=200 /s",
            "rails.unbounded_switch.stations.switch.rate_limit=1 000 /s",
            f"rails.unbounded_switch.polls.every={every_s} s",
            "disruptions.unbounded="
            f"{{outage: unbounded_switch, station: bank, after: 10 s, for: {outage_ms} ms}}",
            f"clock.horizon={70_000 + outage_ms} ms",
        ),
    )
    since = at - 10 - outage_ms / 1000

    def delay(first: float) -> float:
        return float(waits[(since >= first) & (since < first + 6)].mean())

    return delay(12), delay(24) - delay(12)


def _threshold(every_s: int) -> Found:
    """Return the delay that neither grows nor falls, between the two outages around it."""
    runs = [_drift(outage_ms, every_s) for outage_ms in range(15_500, 30_000, 500)[: 7 * every_s]]
    for (low, falls), (high, grows) in pairwise(runs):
        if falls < 0 <= grows:
            return Found(low + (high - low) * -falls / (grows - falls), low, high)
    raise AssertionError(runs)


published(
    key="retry-storm/delay from which it never recovers",
    what="Delay at which questions every 2 s take all that payments leave.",
    published=8.0,
    unit="s",
    tolerance=1.0,
    source="derived: 2 x (1 000 / 200 - 1)",
    why="outages of half a second more or less move the delay by about a second",
    ours=lambda: _threshold(2),
    control=lambda: _threshold(3),
    against="questions every 3 s, from 12 s on",
    how="worked out",
)
