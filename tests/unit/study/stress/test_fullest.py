"""An institution is called the fullest only where luck would not make it so."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from sim.report.documents.stress import roughly, sentences
from sim.study.slo import parse_slo
from sim.study.stress.fullest import find_fullest
from sim.study.stress.participants import Participant
from sim.study.stress.points import LoadPoint, StressPlan
from sim.study.stress.study import Stress
from sim.study.stress.tables import participants_table
from tests.support.loads import made_up_run
from tests.theory.oracle import BOUND

WINDOW_S = 600.0
BANKS = 57
SERVICE_S = 0.05
SERVERS = 65


def _run(rates: np.ndarray, rng: np.random.Generator) -> tuple[Participant, ...]:
    """Return banks to which payments come at these rates, served for exponential times."""
    found = []
    for at, count in enumerate(rng.poisson(rates * WINDOW_S)):
        used = float(rng.gamma(count, SERVICE_S)) / (SERVERS * WINDOW_S)
        name = f"bank_{at + 1:02}"
        found.append(Participant(name, count / WINDOW_S, f"{name}.core", used, None, 0.0))
    return tuple(found)


def _share_told_apart(rates: np.ndarray, runs: int, *, trials: int) -> float:
    """Return how often not all banks are called alike."""
    rng = np.random.default_rng(20250917)
    apart = 0
    for _ in range(trials):
        found = find_fullest([_run(rates, rng) for _ in range(runs)], WINDOW_S)
        apart += len(found) < len(rates)
    return apart / trials


@pytest.mark.parametrize("runs", [1, 2, 5])
def test_banks_that_are_alike_are_seldom_told_apart(runs: int) -> None:
    trials = 100
    allowed = 0.05 + BOUND * sqrt(0.05 * 0.95 / trials)
    alike = np.full(BANKS, 65.0)
    assert _share_told_apart(alike, runs, trials=trials) <= allowed
    # Where one has a tenth more, which is a dozen deviations, it is.
    fuller = alike * np.where(np.arange(BANKS) == 38, 1.1, 1.0)
    assert _share_told_apart(fuller, runs, trials=20) > allowed


@pytest.mark.parametrize("runs", [1, 2])
def test_a_bank_that_is_fuller_is_named_alone(runs: int) -> None:
    rates = 65.0 * np.where(np.arange(BANKS) == 38, 1.1, 1.0)
    rng = np.random.default_rng(1)
    found = find_fullest([_run(rates, rng) for _ in range(runs)], WINDOW_S)
    assert [one.name for one in found] == ["bank_39"]


def test_what_is_hardly_used_is_not_extrapolated() -> None:
    idle = (Participant("a", 1.0, "a.core", 0.001, None, 0.0),)
    assert find_fullest([idle, idle], WINDOW_S) == ()
    assert find_fullest([], WINDOW_S) == ()
    busy = (*idle, Participant("b", 1.0, "b.core", 0.1, None, 0.0))
    assert [one.name for one in find_fullest([busy], WINDOW_S)] == ["b"]


def _tested(rates: np.ndarray) -> Stress:
    rng = np.random.default_rng(2)
    runs = tuple(made_up_run(100.0, participants=_run(rates, rng)) for _ in range(3))
    plan = StressPlan(parse_slo("p99<=5s"), ("customers",), 1, replications=3)
    return Stress(plan, 100.0, (LoadPoint(100.0, 1.0, runs),), False)


def test_nobody_is_named_where_all_are_alike() -> None:
    found = _tested(np.full(BANKS, 65.0))
    [line] = [line for line in sentences(found) if "near to being full" in line]
    # 65 payments a second of 0.05 s with 65 servers are 5 %, so 1300 would fill one.
    assert line == (
        "57 of 57 institutions are about equally near to being full, at 5.0 % each: luck alone may "
        "set them so far apart. Each would be full at about 1,300 payments/s through it "
        "(extrapolated from 5.0 % of use)."
    )
    assert "bank_" not in line
    assert len(found.fullest()) == BANKS
    # Two digits of an extrapolation are all anyone reads.
    rows = participants_table(found).records()
    assert {row["full_at_extrapolated"] for row in rows} == {1300.0}


def test_the_fullest_is_named_with_how_little_that_rests_on() -> None:
    found = _tested(np.array([65.0, 65.0, 130.0]))
    [line] = [line for line in sentences(found) if "nearest to being full" in line]
    assert line.startswith("Of the institutions bank_03 is nearest to being full: bank_03.core has")
    assert line.endswith("would be full at about 1,300 (extrapolated from 10.0 % of use).")


@pytest.mark.parametrize(
    ("value", "shown"), [(1312.4, "1,300"), (37.46, "37"), (1.349, "1.3"), (0.0471, "0.047")]
)
def test_an_extrapolated_rate_has_two_digits(value: float, shown: str) -> None:
    assert roughly(value) == shown
