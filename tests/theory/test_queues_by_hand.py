"""Stations worked out by hand on either engine: who is next, who is refused, who counts.

Takes small scenarios of one station; every instant below was found on paper.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.contract.meaning import LogKind
from sim.contract.records import StationTotal
from tests.theory.driver import SECOND, Ran, load_text, run

DESK = """
scenario: desk
clock: {start: 2025-09-17T00:00:00+07:00, horizon: 120 s, warm_up: WARM}
rails:
  hall:
    kind: generic
    stations: {desk: {STATION}}
    stages: [STAGES]
corridors:
  inside: {from: {country: KH, currency: KHR}, to: {country: KH, currency: KHR}}
demand:
"""
SERVED = "{name: work, serve: desk, time: 10 s}"


def _ran(
    folder: Path,
    engine: str,
    *,
    station: str,
    streams: dict[str, tuple[int, tuple[float, ...]]],
    stages: str = SERVED,
    warm_up: str = "0 s",
) -> Ran:
    """Run streams of (priority, seconds of their payments)."""
    text = DESK.replace("STATION", station).replace("STAGES", stages).replace("WARM", warm_up)
    for name, (priority, times) in streams.items():
        listed = ", ".join(f"{{at: {at} s, amount: 1}}" for at in times)
        text += f"  {name}: {{corridor: inside, priority: {priority}, payments: [{listed}]}}\n"
    return run(load_text(folder, text), engine)


def _starts(ran: Ran) -> list[tuple[float, str]]:
    return [(row[0] / SECOND, row[2]) for row in ran.rows(LogKind.START)]


@pytest.mark.parametrize(
    ("discipline", "order"),
    [
        # Of those who wait at 10, the first to come was slow, the last to come fast.
        ("fifo", ["slow", "slow.1", "middle", "fast", "fast.1"]),
        ("lifo", ["slow", "fast.1", "fast", "middle", "slow.1"]),
        # The lowest number goes first, and of one number the first to come: 1, 1, 3, then 5.
        ("priority", ["slow", "fast", "fast.1", "middle", "slow.1"]),
    ],
)
def test_who_is_next(tmp_path: Path, engine: str, discipline: str, order: list[str]) -> None:
    ran = _ran(
        tmp_path, engine, station=f"servers: 1, discipline: {discipline}",
        streams={"slow": (5, (0, 1)), "middle": (3, (2,)), "fast": (1, (3, 4))},
    )  # fmt: skip
    # One after the other, ten seconds each.
    assert _starts(ran) == [(10.0 * place, name) for place, name in enumerate(order)]


def test_a_queue_holds_as_many_as_it_may_and_no_more(tmp_path: Path, engine: str) -> None:
    ran = _ran(
        tmp_path, engine, station="servers: 1, queue_limit: 2",
        streams={"all": (0, (0, 1, 2, 3, 11, 12))},
    )  # fmt: skip
    # The first is served, two wait, the fourth at 3 finds the queue full. From 10 on one waits, so
    # the one at 11 is the second and the one at 12 is too many again.
    assert _starts(ran) == [(0, "all"), (10, "all.1"), (20, "all.2"), (30, "all.4")]
    assert ran.ended("all.3") == (3 * SECOND, "REJECTED", "MS03")
    assert ran.ended("all.5") == (12 * SECOND, "REJECTED", "MS03")
    assert ran.ended("all.4") == (40 * SECOND, "COMPLETED", "NONE")
    total = ran.totals.station[0]
    assert (total[StationTotal.STARTS], total[StationTotal.REFUSED]) == (4, 2)
    # Waits of 9, 18 and 19 seconds.
    assert total[StationTotal.WAIT_SUM_US] == (9 + 18 + 19) * SECOND
    assert total[StationTotal.QUEUE_MAX] == 2


def test_nobody_overtakes_who_waits_for_the_rate(tmp_path: Path, engine: str) -> None:
    ran = _ran(
        tmp_path, engine, station="rate_limit: 6 /min",
        stages="{name: walk, delay: 9 s}, {name: pass, serve: desk, time: 0 s}",
        streams={"all": (0, (0, 0.5, 10))},
    )  # fmt: skip
    # At the desk at 9, 9.5 and 19. The second may pass at 19, when a wake-up comes behind the third
    # who arrives at this very instant, is allowed as well, and stands behind all the same.
    assert _starts(ran) == [(9, "all"), (19, "all.1"), (29, "all.2")]


def test_a_start_counts_by_its_own_instant(tmp_path: Path, engine: str) -> None:
    ran = _ran(
        tmp_path, engine, station="servers: 1", warm_up="15 s", streams={"all": (0, (0, 1, 2))}
    )
    total = ran.totals.station[0]
    # Starts at 0, 10 and 20: only the last one is measured, with all of the 18 seconds it waited,
    # 13 of which lie before the warm-up's end. Busy from 15 to 30; one waits from 15 to 20.
    assert total[StationTotal.STARTS] == 1
    assert total[StationTotal.WAIT_SUM_US] == 18 * SECOND
    assert total[StationTotal.BUSY_AREA] == 15 * SECOND
    assert total[StationTotal.QUEUE_AREA] == 5 * SECOND
