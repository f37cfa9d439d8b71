"""Intervals cover the truth as often as they say.

Two thousand small experiments of twenty replications each; the truth is the mean of a hundred
thousand other replications of the same finite experiment. The whole is run with ``--large`` and its
result kept in ``results/reference/coverage.csv``; a sample of it runs always.
"""

from __future__ import annotations

from math import sqrt
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from sim.analysis.intervals import mean_interval
from sim.report.rendering import write_table
from sim.tables.tabular import TabularData, read_csv
from tests.support.tiny import MEASURES, street_values, tiny_text, tiny_values

REPLICATIONS = 20
REFERENCE = Path(__file__).parents[4] / "results" / "reference" / "coverage.csv"


def _coverage(
    values: npt.NDArray[np.float64], truth: npt.NDArray[np.float64], confidence: float = 0.95
) -> list[float]:
    """Return the share of experiments whose interval covers the truth, per measure."""
    experiments = values.reshape(-1, REPLICATIONS, len(MEASURES))
    shares = []
    for at in range(len(MEASURES)):
        hits = [
            mean_interval(list(one[:, at]), confidence=confidence).covers(truth[at])
            for one in experiments
        ]
        # A plain number: a table shows NumPy's as ``np.float64(0.95)``.
        shares.append(float(sum(hits) / len(hits)))
    return shares


@pytest.mark.slow
def test_intervals_cover_in_a_sample_of_experiments(tmp_path: Path) -> None:
    text = tiny_text(tmp_path)
    table = read_csv(REFERENCE)
    truth = np.array([float(str(record["truth"])) for record in table.records()])
    values = tiny_values(text, range(200_000, 200_000 + 60 * REPLICATIONS))
    error = 4 * sqrt(0.95 * 0.05 / 60)
    for name, share in zip(MEASURES, _coverage(values, truth), strict=True):
        assert abs(share - 0.95) <= error, (name, share)
    # Control: intervals of 60 % called intervals of 95 % must be found out.
    for share in _coverage(values, truth, confidence=0.6):
        assert abs(share - 0.95) > error
    # And the truth kept in the repository is that of this program, within its own error.
    spread = values.std(axis=0, ddof=1) / sqrt(len(values))
    assert np.all(np.abs(values.mean(axis=0) - truth) < 4 * spread)


@pytest.mark.large
def test_intervals_cover_in_two_thousand_experiments(tmp_path: Path) -> None:
    text = tiny_text(tmp_path)
    truth = street_values(tmp_path, 250, range(400)).mean(axis=0)
    values = tiny_values(text, range(2000 * REPLICATIONS))
    shares = _coverage(values, truth)
    rows = tuple(
        (name, float(truth[at]), shares[at], 2000, REPLICATIONS) for at, name in enumerate(MEASURES)
    )
    columns = ("measure", "truth", "coverage", "experiments", "replications")
    write_table(TabularData(columns, rows), "csv", tmp_path / "coverage.csv")
    for name, share in zip(MEASURES, shares, strict=True):
        assert 0.93 <= share <= 0.97, (name, share)
    kept = read_csv(REFERENCE)
    assert read_csv(tmp_path / "coverage.csv").records() == kept.records()


@pytest.mark.slow
def test_students_t_covers_quantiles_where_the_bootstrap_does_not(tmp_path: Path) -> None:
    # Few replications, as a first look has. Student's t on the p99 of each covers the expected p99;
    # SciPy's bias-corrected bootstrap of the same values is too narrow by far.
    size, experiments = 5, 400
    truth = float(str(read_csv(REFERENCE).records()[2]["truth"]))
    numbers = range(300_000, 300_000 + experiments * size)
    values = tiny_values(tiny_text(tmp_path), numbers)[:, 2].reshape(experiments, size)
    rng = np.random.default_rng(20250917)
    hits = np.zeros(2)
    for one in values:
        found = stats.bootstrap((one,), np.mean, n_resamples=499, method="BCa", rng=rng)
        low, high = found.confidence_interval
        hits += mean_interval(list(one)).covers(truth), low <= truth <= high
    error = sqrt(0.95 * 0.05 / experiments)
    shares = hits / experiments
    assert abs(shares[0] - 0.95) <= 4 * error, shares
    assert shares[1] < 0.95 - 4 * error, shares
