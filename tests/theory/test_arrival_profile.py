"""Count arrivals by hour: their numbers must be Poisson around the profile's course of the day."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.contract.spec import RecordColumn
from tests.theory.driver import SECOND, load_text, queue_text, run_large
from tests.theory.oracle import BOUND, Estimate, agrees

pytestmark = pytest.mark.slow

HOURLY = [6, 3, 2, 2, 4, 12, 32, 56, 58, 52, 54, 70, 74, 52, 44, 46, 54, 72, 82, 78, 60, 44, 28, 15]
RATE = 1.0


def _arrivals(folder: Path, *, weights: list[int], burst: str = "0 %") -> np.ndarray:
    text = queue_text(horizon="24 h", servers=1000, time="1 s", rate=str(RATE), seed=9)
    text = text.replace(f"rate: {RATE} /s", f"rate: {RATE} /s, profile: day")
    text += f"profiles: {{day: {{hourly: {weights}, burst_sigma: {burst}}}}}\n"
    ran = run_large(load_text(folder, text))
    return ran.records[:, RecordColumn.SUBMITTED_US]


def _statistic(times: np.ndarray, cells: int, expected: np.ndarray) -> Estimate:
    """Return the mean of (found - expected)^2 / expected, which is 1 for Poisson counts."""
    width = 24 * 3600 * SECOND // cells
    found = np.bincount(times // width, minlength=cells)
    scores = (found - expected) ** 2 / expected
    return Estimate(float(scores.mean()), float(np.sqrt(2 / cells)))


def _per_minute(weights: list[int]) -> np.ndarray:
    return np.repeat(np.array(weights) / sum(weights), 60) * RATE * 24 * 60


def test_counts_by_minute_are_poisson_around_the_profile(tmp_path: Path) -> None:
    times = _arrivals(tmp_path, weights=HOURLY)
    assert agrees(_statistic(times, 1440, _per_minute(HOURLY)), 1.0)
    total = RATE * 24 * 3600
    assert abs(len(times) - total) <= BOUND * np.sqrt(total)


def test_the_check_rejects_another_profile_and_bursts(tmp_path: Path) -> None:
    expected = _per_minute(HOURLY)
    # A twentieth of the busiest hour moved to the hour before it.
    moved = [*HOURLY]
    moved[17], moved[18] = HOURLY[17] + 4, HOURLY[18] - 4
    hours = expected.reshape(24, 60).sum(axis=1)
    shifted = _arrivals(tmp_path, weights=moved)
    assert not agrees(_statistic(shifted, 24, hours), 1.0)
    bursts = _arrivals(tmp_path, weights=HOURLY, burst="20 %")
    assert not agrees(_statistic(bursts, 1440, expected), 1.0)
    flat = _arrivals(tmp_path, weights=[1] * 24)
    assert not agrees(_statistic(flat, 1440, expected), 1.0)


def test_gaps_of_a_flat_stream_are_exponential(tmp_path: Path) -> None:
    gaps = np.diff(np.sort(_arrivals(tmp_path, weights=[1] * 24))) / SECOND
    count = len(gaps)
    mean = Estimate(float(gaps.mean()), float(gaps.std(ddof=1) / np.sqrt(count)))
    assert agrees(mean, 1 / RATE)
    # E[gap^2] = 2, Var[gap^2] = 24 - 4.
    square = Estimate(float((gaps**2).mean()), float(np.sqrt(20 / count)))
    assert agrees(square, 2.0)
    # Gaps that follow each other have nothing to do with each other.
    scaled = (gaps - gaps.mean()) / gaps.std()
    assert agrees(Estimate(float((scaled[1:] * scaled[:-1]).mean()), 1 / np.sqrt(count)), 0.0)
