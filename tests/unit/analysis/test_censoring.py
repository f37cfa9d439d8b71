"""Quantiles with open payments: against SciPy's estimator, and a run whose answer is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from sim.analysis.censoring import kaplan_meier
from sim.analysis.quantiles import QUANTILES, histogram_quantiles
from sim.contract.plan import Array
from sim.contract.records import HISTOGRAM_LENGTH
from sim.study.case import RunOptions
from sim.study.replicate.replicate import HowMany, run_replications
from sim.study.replicate.replications import REPLICATIONS_FILE, read_replications
from sim.tables.folding import histogram_buckets
from tests.support.tiny import YAML


def _histogram(values: Array) -> Array:
    return np.bincount(histogram_buckets(values), minlength=HISTOGRAM_LENGTH).astype(np.int64)


def test_three_payments_by_hand() -> None:
    # Done after 10 and 30, one open at 20: after 10 two thirds last; after 30 none of the one left.
    found = kaplan_meier(_histogram(np.array([10, 30])), _histogram(np.array([20])))
    # p50 needs half to have ended: 1/3 at 10, everything at 30.
    assert found == dict.fromkeys(QUANTILES, 30)
    # Open at 40 instead: done 1/3 at 10, 2/3 at 30, and nobody knows when the last will be.
    found = kaplan_meier(_histogram(np.array([10, 30])), _histogram(np.array([40])))
    assert found == {"p50": 30, "p90": None, "p95": None, "p99": None, "p999": None}


def test_without_open_payments_it_is_the_plain_quantile() -> None:
    done = _histogram(np.random.default_rng(1).exponential(1e6, 5000).astype(np.int64))
    assert kaplan_meier(done, np.zeros_like(done)) == histogram_quantiles(done)


def test_it_agrees_with_the_estimator_of_scipy() -> None:
    rng = np.random.default_rng(2)
    true, cut = rng.lognormal(15, 1, 3000), rng.uniform(0, 3e7, 3000)
    done, still = true[true <= cut].astype(np.int64), cut[true > cut].astype(np.int64)
    assert len(still) > 300
    found = kaplan_meier(_histogram(done), _histogram(still))
    curve = stats.ecdf(stats.CensoredData(uncensored=done, right=still)).cdf
    for name, share in QUANTILES.items():
        reached = np.flatnonzero(curve.probabilities >= share)
        if len(reached) == 0:
            assert found[name] is None
        else:
            # Histograms know a duration within 1/256.
            assert found[name] == pytest.approx(curve.quantiles[reached[0]], rel=1 / 200)


@pytest.mark.slow
def test_a_run_that_ends_too_soon_knows_how_long_payments_take(tmp_path: Path) -> None:
    # Services of 20 s on average, ample servers, and a minute to see them in: p90 is 20 ln 10 s.
    text = (
        YAML.replace("servers: 3, queue_limit: 4", "servers: 1000")
        .replace("2.4 /s", "1 /s")
        .replace("mean: 1 s", "mean: 20 s")
    )
    path = tmp_path / "tiny.yaml"
    path.write_text(text, encoding="utf-8")
    plan = HowMany(200, jobs=1)
    result, _ = run_replications(
        path, plan, options=RunOptions(record="none"), out=tmp_path / "run"
    )
    summary, theory = result.summary, 20 * np.log(10)

    def agrees(name: str) -> bool:
        measure = summary[name]
        assert measure.value is not None
        assert measure.high is not None
        assert measure.low is not None
        error = (measure.high - measure.low) / 2 / float(stats.norm.ppf(0.975))
        # Cells of the histogram are up to 1/128 wide.
        return abs(float(measure) - theory) <= 4 * error + theory / 128

    assert agrees("end_to_end_p90_kaplan_meier")
    assert not agrees("end_to_end_p90")
    # In 58 or so of the runs p90 lay beyond the minute; the mean of the others would be 41 s.
    alone = [
        one.measures["end_to_end_p90_kaplan_meier"].value
        for one in read_replications(tmp_path / "run" / REPLICATIONS_FILE).summaries
    ]
    known = [float(value) for value in alone if value is not None]
    assert len(known) < 180
    assert sum(known) / len(known) < 0.95 * theory
    # p99 is 20 ln 100 = 92 s: nobody can have seen it.
    assert summary["end_to_end_p99_kaplan_meier"].value is None
    # Poisson arrivals over T see an age uniform over [0, T]: (1 - exp(-3)) / 3 are still open.
    assert float(summary["open_share"]) == pytest.approx((1 - np.exp(-3)) / 3, rel=0.02)
