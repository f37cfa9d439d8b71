"""Hold every station and ledger of every scenario to Little's law, to the microsecond.

The first payments of each scenario, with a horizon amid the last of them and a warm-up after a
quarter, so that stays reach over both ends of the window. The engines are held to each other,
totals included, by tests/equivalence on the same files; here it is the compiled one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import yaml

from sim.compiler.compile import compile_scenario
from sim.contract.meaning import LogKind
from sim.contract.plan import Array, Plan
from sim.contract.records import LedgerTotal, LogColumn, StationTotal, WorkloadColumn
from sim.contract.run import Totals
from sim.scenario.scenario import load_scenario
from tests.theory.driver import ENGINES, SCENARIOS, SECOND, Recorder
from tests.theory.visits import Stay, Stays, differences, disagreeing_records, rebuild, seen

FILES = sorted(
    path
    for path in SCENARIOS.rglob("*.y*ml")
    if "experiments" not in path.relative_to(SCENARIOS).parts
)
WITHOUT_PLACES = ("rtgs-morning",)
"""Where payments wait for money alone, and neither station nor block ledger holds any."""
PAYMENTS = 5_000
AFTER_US = 4 * SECOND
"""Time after the last submission of a scenario with fewer payments; some are then still inside."""


@dataclass(frozen=True)
class Story:
    """Hold what an engine counted and what its log tells."""

    plan: Plan
    totals: Totals
    log: Array
    records: Array
    stays: Stays


@cache
def _beginning(path: Path) -> Story:
    compiled = compile_scenario(load_scenario(path))
    workload = next(iter(compiled.workload()))[:PAYMENTS].copy()
    last_us = int(workload[-1, WorkloadColumn.TIME_US])
    until_us = last_us if len(workload) == PAYMENTS else last_us + AFTER_US
    horizon_us = min(compiled.plan.horizon_us, until_us)
    plan = replace(compiled.plan, horizon_us=horizon_us, warm_up_us=horizon_us // 4)
    recorder = Recorder(wants_log=True)
    totals = ENGINES["compiled"](plan, [workload], recorder)
    log = np.vstack(recorder.logs)
    return Story(plan, totals, log, np.vstack(recorder.records), rebuild(log, horizon_us))


def _name(path: Path) -> str:
    return path.relative_to(SCENARIOS).as_posix()


def _with_log(story: Story, log: Array) -> Stays:
    return rebuild(log, story.plan.horizon_us)


def _one(story: Story, *kinds: dict[int, list[Stay]]) -> Stay | None:
    """Return the first stay of some length inside the window."""
    plan = story.plan
    for stay in chain.from_iterable(chain.from_iterable(kind.values() for kind in kinds)):
        inside = plan.warm_up_us <= stay.begin_us < stay.end_us < plan.horizon_us - 1
        if stay.is_over and inside:
            return stay
    return None


def _ended_later(story: Story, stay: Stay, *kinds: LogKind) -> Array:
    """Return the log with the row that ended a stay a microsecond later."""
    log = story.log.copy()
    (found,) = np.nonzero(
        (log[:, LogColumn.PAYMENT] == stay.payment)
        & (log[:, LogColumn.TIME_US] == stay.end_us)
        & np.isin(log[:, LogColumn.KIND], kinds)
    )
    log[found[0], LogColumn.TIME_US] += 1
    return log


def test_no_scenario_is_forgotten() -> None:
    trees = {
        path: yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
        for path in SCENARIOS.rglob("*.y*ml")
    }
    assert sorted(path for path, tree in trees.items() if "experiment" not in tree) == FILES
    assert {"minimal.yaml", "china-two-way.yaml", "library/cambodia-2025.yaml"} <= {
        _name(path) for path in FILES
    }


@pytest.mark.slow
@pytest.mark.parametrize("path", FILES, ids=_name)
def test_the_number_in_every_place_is_the_sum_of_the_stays(path: Path) -> None:
    story = _beginning(path)
    plan, totals = story.plan, story.totals
    assert differences(plan, totals, story.stays) == []
    assert disagreeing_records(story.records, story.stays) == []
    # Places without a visit are compared as well: there both sides are 0.
    served = totals.station[:, StationTotal.STARTS] > 0
    committed = totals.ledger[:, LedgerTotal.INCLUDED] > 0
    counted = set(np.array(plan.names.stations)[served])
    counted |= set(np.array(plan.names.ledgers, dtype=str)[committed])
    assert bool(counted) == (path.stem not in WITHOUT_PLACES)
    assert counted <= seen(plan, story.stays)


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", [path for path in FILES if path.stem not in WITHOUT_PLACES], ids=_name
)
def test_a_microsecond_or_a_payment_less_is_noticed(path: Path) -> None:
    story = _beginning(path)
    plan, totals = story.plan, story.totals
    wait = _one(story, story.stays.waits, story.stays.lines)
    assert wait is not None
    # One START or IN_BLOCK a microsecond late: a queue is longer than the engine counted.
    late = _with_log(story, _ended_later(story, wait, LogKind.START, LogKind.IN_BLOCK))
    assert any("QUEUE_AREA" in line for line in differences(plan, totals, late))
    # A record counts the time at a ledger up to the commit, so a late IN_BLOCK is no matter to it.
    at_station = any(wait in stays for stays in story.stays.waits.values())
    expected = [wait.payment] if at_station else []
    assert disagreeing_records(story.records, late) == expected
    # One payment's rows lost.
    without = story.log[story.log[:, LogColumn.PAYMENT] != wait.payment]
    lost = _with_log(story, without)
    assert any("QUEUE_AREA" in line for line in differences(plan, totals, lost))
    assert disagreeing_records(story.records, lost) == [wait.payment]
    # One FINISH a microsecond late; where service takes no time, there is none to shift.
    service = _one(story, story.stays.services)
    assert service is not None or path.stem in ("bulk-ledger", "retry-storm")
    if service is not None:
        slow = _with_log(story, _ended_later(story, service, LogKind.FINISH))
        (line,) = differences(plan, totals, slow)
        assert "BUSY_AREA" in line


@pytest.mark.slow
def test_a_counter_off_by_one_is_noticed() -> None:
    story = _beginning(SCENARIOS / "theory" / "tandem.yaml")
    for place in range(len(story.plan.names.stations)):
        for column in (StationTotal.QUEUE_AREA, StationTotal.BUSY_AREA, StationTotal.WAIT_SUM_US):
            station = story.totals.station.copy()
            station[place, column] += 1
            totals = replace(story.totals, station=station)
            (line,) = differences(story.plan, totals, story.stays)
            assert line.startswith(f"{story.plan.names.stations[place]} {column.name}: ")
    # Nor is a window taken for one that begins later.
    later = replace(story.plan, warm_up_us=story.plan.warm_up_us + 10 * SECOND)
    assert len(differences(later, story.totals, story.stays)) > 4
