"""The search brackets every replication in few runs, and their spread becomes an interval."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sim.study.stress.search import Bracket, Limits, combine, next_loads
from sim.study.stress.trial import LoadRun
from tests.support.loads import made_up_run

NEAR = Limits(0.005, 1e6, completions=1000, is_near=True)
FAR = Limits(0.005, 1e6, completions=1000)


def _searched(
    capacity: float,
    start: tuple[float, ...],
    limits: Limits,
    run: Callable[[float], LoadRun] | None = None,
) -> dict[float, LoadRun]:
    """Let a replication of known capacity search and return what it ran."""
    runs: dict[float, LoadRun] = {}
    for _ in range(100):
        wanted = next_loads(dict(sorted(runs.items())), start, limits)
        if not wanted:
            return runs
        for load in wanted:
            assert load not in runs
            runs[load] = (
                run(load)
                if run is not None
                else made_up_run(load, is_sustained=load <= capacity, utilisation=load / capacity)
            )
    raise AssertionError("the search does not end")


def _ends(runs: dict[float, LoadRun]) -> tuple[float, float]:
    low = max(load for load, run in runs.items() if run.is_sustained)
    return low, min(load for load, run in runs.items() if not run.is_sustained)


@pytest.mark.parametrize(("capacity", "most"), [(120.0, 4), (500.0, 4), (50_000.0, 8)])
def test_a_prediction_leads_a_far_search_to_its_bracket_in_few_runs(
    capacity: float, most: int
) -> None:
    runs = _searched(capacity, (100.0,), FAR)
    low, high = _ends(runs)
    assert low <= capacity <= high
    assert high - low <= 0.005 * high
    assert len(runs) <= most


def test_without_a_prediction_a_far_search_leaps_and_halves() -> None:
    runs = _searched(777.0, (100.0,), FAR, lambda load: made_up_run(load, is_sustained=load <= 777))
    low, high = _ends(runs)
    assert low <= 777 <= high
    assert high - low <= 0.005 * high
    assert len(runs) <= 14


def test_a_search_that_begins_above_capacity_goes_down() -> None:
    runs = _searched(30.0, (100.0,), Limits(0.005, 1e6))
    low, high = _ends(runs)
    assert low <= 30 <= high
    assert high - low <= 0.005 * high


@pytest.mark.parametrize(
    ("capacity", "most"), [(100.2, 2), (100.6, 3), (99.9, 3), (103.0, 8), (90.0, 12)]
)
def test_a_near_search_needs_two_runs_where_luck_agrees_and_creeps_where_not(
    capacity: float, most: int
) -> None:
    runs = _searched(capacity, (100.0, 100.5), NEAR)
    low, high = _ends(runs)
    assert low <= capacity <= high
    assert high - low <= 0.005 * high
    assert len(runs) <= most


def test_a_search_ends_at_the_highest_load_allowed() -> None:
    limits = Limits(0.005, 5000.0)
    runs = _searched(1e9, (100.0,), limits, made_up_run)
    assert [*runs] == [100, 400, 1600, 5000]


def test_a_search_goes_down_no_further_than_can_be_measured() -> None:
    def slow(load: float) -> LoadRun:
        return made_up_run(load, is_sustained=False, completed=20 * load)

    # 20 completions per unit of load; 900 needed and four deviations of 30 to spare: 51 at least.
    runs = _searched(0.0, (400.0,), Limits(0.005, 1e6, completions=900), slow)
    assert min(runs) == 51
    assert len(runs) <= 5


@pytest.mark.parametrize("start", [3.0, 200.0])
def test_a_queue_that_ran_away_sends_the_search_down(start: float) -> None:
    # One is served a second. Far above that nobody who came in the 2000 s of the window is done.
    def crowded(load: float) -> LoadRun:
        if load <= 1:
            return made_up_run(load, completed=2000 * load)
        return made_up_run(load, is_sustained=False, completed=0, waiting=2000 * load)

    runs = _searched(1.0, (start,), FAR, crowded)
    assert max(runs) == start
    low, high = _ends(runs)
    assert low <= 1 <= high
    assert high - low <= 0.005 * high


def test_what_piled_up_is_followed_down_no_further_than_can_be_measured() -> None:
    def crowded(load: float) -> LoadRun:
        return made_up_run(load, is_sustained=False, completed=0, waiting=20 * load)

    # As above: 900 needed of 20 per unit of load, whether they are done or wait.
    runs = _searched(0.0, (400.0,), Limits(0.005, 1e6, completions=900), crowded)
    assert min(runs) == 51


def test_a_load_too_low_to_be_measured_is_raised_until_it_can_be() -> None:
    def few(load: float) -> LoadRun:
        return made_up_run(load, is_valid=20 * load >= 1000, completed=20 * load, submitted=0)

    runs = _searched(0.0, (5.0,), Limits(0.005, 200.0, completions=1000), few)
    assert [*runs][:2] == [5.0, 50.0]
    assert runs[50.0].is_valid


def test_a_load_is_not_raised_where_nothing_is_ever_completed() -> None:
    def nothing(load: float) -> LoadRun:
        return made_up_run(load, is_valid=False, completed=0, submitted=600 * load)

    assert [*_searched(0.0, (5.0,), FAR, nothing)] == [5.0, 50.0]


def test_luck_that_was_no_measurement_is_tried_again_close_by() -> None:
    def unlucky(load: float) -> LoadRun:
        return made_up_run(load, is_valid=load != 100, is_sustained=load <= 150)

    runs = _searched(150.0, (100.0,), FAR, unlucky)
    assert 100.5 in runs
    low, high = _ends({load: run for load, run in runs.items() if run.is_valid})
    assert low <= 150 <= high


def test_the_interval_is_students_widened_by_the_brackets() -> None:
    # Lows 98, 100, 102: mean 100, deviation 2, t(0.975; 2) = 4.302653, so half a width of
    # 4.302653 * 2 / sqrt(3) = 4.968276. Highs are 2 higher; the middles' mean is 101.
    found = combine([Bracket(0, 98, 100), Bracket(1, 100, 102), Bracket(2, 102, 104)])
    assert found is not None
    assert found.value == pytest.approx(101)
    assert found.low == pytest.approx(100 - 4.968276, abs=1e-6)
    assert found.high == pytest.approx(102 + 4.968276, abs=1e-6)


def test_where_luck_agrees_the_bracket_is_left() -> None:
    found = combine([Bracket(number, 100, 101) for number in range(5)])
    assert found is not None
    assert (found.low, found.value, found.high) == (100, 100.5, 101)


@pytest.mark.parametrize(
    ("brackets", "expected"),
    [
        ([Bracket(0, 98, 100)], (99, 98, 100)),
        ([Bracket(0, 98, 100), Bracket(1, 97, None)], (97, 97, None)),
        ([Bracket(0, 98, 100), Bracket(1, None, None)], (99, 98, 100)),
        # The second sustained nothing: its capacity is anywhere below 2.
        ([Bracket(0, 1, 2), Bracket(1, None, 2)], (1.25, 0.0, 2)),
    ],
)
def test_capacity_says_only_what_the_brackets_know(
    brackets: list[Bracket], expected: tuple[float, float, float | None]
) -> None:
    found = combine(brackets)
    assert found is not None
    assert (found.value, found.low, found.high) == expected


def test_there_is_no_capacity_where_nothing_is_sustained() -> None:
    assert combine([Bracket(0, None, 5), Bracket(1, None, None)]) is None
