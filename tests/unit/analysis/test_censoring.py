"""Quantiles with open payments: against SciPy's estimator, and a run whose answer is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from sim.analysis.censoring import PooledQuantile, Survival, kaplan_meier, pooled_quantiles
from sim.analysis.intervals import mean_interval
from sim.analysis.sources import QUANTILES, quantiles_us
from sim.contract.plan import Array
from sim.study.case import RunOptions
from sim.study.replicate.replicate import HowMany, run_replications
from sim.study.replicate.replications import REPLICATIONS_FILE, read_replications
from sim.tables.durations import Between, DurationFolder, Durations
from tests.support.tiny import YAML


def _durations(values: Array, exact_max: int = 1_000_000) -> Durations:
    folder = DurationFolder(exact_max)
    folder.take(np.zeros(len(values), dtype=np.int64), values.astype(np.int64))
    return folder.of((0,))


def test_three_payments_by_hand() -> None:
    # Done after 10 and 30, one open at 20: after 10 two thirds last; after 30 none of the one left.
    found = kaplan_meier(_durations(np.array([10, 30])), _durations(np.array([20])))
    # p50 needs half to have ended: 1/3 at 10, everything at 30.
    assert found == dict.fromkeys(QUANTILES, Between(30, 30))
    # Open at 40 instead: done 1/3 at 10, 2/3 at 30, and nobody knows when the last will be.
    found = kaplan_meier(_durations(np.array([10, 30])), _durations(np.array([40])))
    beyond = dict.fromkeys(("p90", "p95", "p99", "p999"))
    assert found == {"p50": Between(30, 30), **beyond}


def test_without_open_payments_it_is_the_plain_quantile() -> None:
    values, none = np.random.default_rng(1).exponential(1e6, 5000), np.zeros(0)
    for exact_max in (10_000, 100):
        done = _durations(values, exact_max)
        assert kaplan_meier(done, _durations(none)) == quantiles_us(done)


def test_it_agrees_with_the_estimator_of_scipy() -> None:
    rng = np.random.default_rng(2)
    true, cut = rng.lognormal(15, 1, 3000), rng.uniform(0, 3e7, 3000)
    done, still = true[true <= cut].astype(np.int64), cut[true > cut].astype(np.int64)
    assert len(still) > 300
    found = kaplan_meier(_durations(done), _durations(still))
    celled = kaplan_meier(_durations(done, 100), _durations(still, 100))
    curve = stats.ecdf(stats.CensoredData(uncensored=done, right=still)).cdf
    for name, share in QUANTILES.items():
        reached = np.flatnonzero(curve.probabilities >= share)
        if len(reached) == 0:
            assert found[name] is None
        else:
            due = int(curve.quantiles[reached[0]])
            assert found[name] == Between(due, due)
            # In cells all of a cell end at once, so that it may be the next one.
            known = celled[name]
            assert known is not None
            assert due * (1 - 1 / 512) <= known.low <= known.high <= due * (1 + 1 / 512)


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
        # Cells of many runs together are up to 1/1024 wide.
        return abs(float(measure) - theory) <= 4 * error + theory / 1024

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


def _survival(done: Array, still: Array | None = None) -> Survival:
    parts, still = [], np.zeros(0) if still is None else still
    for which, values in enumerate((done, still)):
        cells, held = _durations(values).in_cells()
        counts = [(0,) * len(cells), (0,) * len(cells)]
        counts[which] = tuple(held.count.tolist())
        parts.append(
            Survival(*(tuple(row.tolist()) for row in (cells, held.low, held.high)), *counts)
        )
    return Survival.joined(parts)


def test_runs_together_are_seen_as_one_and_every_part_adds_up() -> None:
    rng = np.random.default_rng(7)
    runs = [rng.exponential(1e6, 400) for _ in range(6)]
    found = pooled_quantiles([_survival(run) for run in runs])
    together = quantiles_us(_durations(np.concatenate(runs)))
    for name, share in QUANTILES.items():
        one, due = found[share], together[name]
        assert one.value is not None
        assert due is not None
        assert one.value.low <= due.middle / 1e6 <= one.value.high
        if name == "p999":
            # Three payments in 2 400 lie above it: how far it might, nobody can say.
            continue
        assert one.low is not None
        assert one.high is not None
        assert one.low < one.value.low <= one.value.high < one.high
        # One row, one estimand: the parts of the runs have the value as their mean, and their own
        # interval is as wide as the one that is shown.
        interval = mean_interval(one.by_run)
        assert interval.value == pytest.approx(one.value.middle, rel=1e-12)
        shown = pytest.approx((one.high - one.low) / 2, abs=one.value.middle / 1024)
        assert interval.half_width == shown


def test_what_is_always_the_same_has_an_interval_of_nothing() -> None:
    # 100 payments of 10.02 s a run: no spread, and enough of them for p95, of which one payment in
    # 20 may lie above; of p999 it is one in 1 000, which 500 payments cannot rule out:
    # 0.025^(1/500) = 0.9926 is below 0.999 (and above 0.99).
    found = pooled_quantiles([_survival(np.full(100, 10_020_000)) for _ in range(5)])
    for share in (0.5, 0.9, 0.95, 0.99):
        one = found[share]
        assert (one.low, one.value, one.high) == (10.02, Between(10.02, 10.02), 10.02)
        assert one.by_run == (10.02,) * 5
    assert found[0.999] == PooledQuantile(Between(10.02, 10.02))


def test_an_interval_needs_five_payments_beyond_the_quantile() -> None:
    # Two runs of fifty payments each, of 1, 2, .. 100 us in turn: p95 is 95 us, and 96 to 100 us
    # are the five that 5 % of a hundred come to. Of 98 it is 4.9.
    def runs(most: int) -> list[Survival]:
        halves = [tuple(range(first, most + 1, 2)) for first in (1, 2)]
        none = [(0,) * len(half) for half in halves]
        return [
            Survival(half, half, half, (1,) * len(half), zero)
            for half, zero in zip(halves, none, strict=True)
        ]

    five, four = (pooled_quantiles(runs(most))[0.95] for most in (100, 98))
    # Of 98 payments 95 % are 93.1, so that the 94th is the first not to be exceeded by more.
    assert five.value is not None
    assert four.value is not None
    assert (five.value.low * 1e6, four.value.low * 1e6) == (95, 94)
    assert five.low is not None
    assert (four.low, four.high, four.by_run) == (None, None, ())


def test_what_no_run_saw_has_no_value() -> None:
    done, still = np.array([10, 30]), np.array([40])
    found = pooled_quantiles([_survival(done, still)] * 3)
    assert found[0.9] == PooledQuantile(None)
