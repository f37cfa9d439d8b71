"""Swings and Sobol indices of a queue are those of Erlang's formula."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from sim.scenario.scenario import load_scenario
from sim.study.pool import LocalPool
from sim.study.sensitivity.indices import Design, Index
from sim.study.sensitivity.plan import SensitivityPlan
from sim.study.sensitivity.study import Sensitivity, find_sensitivity
from tests.theory.oracle import BOUND, mmc_wait

pytestmark = pytest.mark.slow
SEED = 20250917
SERVICE = 1.0
YAML = """
scenario: desk
clock: {start: 2025-09-17T00:00:00+07:00, horizon: HORIZON, warm_up: 500 s}
seed: 1
rails:
  shop:
    kind: generic
    stations: {desk: {servers: {value: 4, evidence: estimated, source: guess of the desks}}}
    stages: [{name: service, serve: desk, time: {exponential: {mean: 1 s}}}]
corridors:
  inside: {from: {country: KH, currency: KHR}, to: {country: KH, currency: KHR}}
demand:
  few: {corridor: inside, rate: {value: 0.8 /s, evidence: estimated, source: guess of few}}
  many: {corridor: inside, rate: {value: 1.2 /s, evidence: estimated, source: guess of many}}
"""
FEW, MANY, DESKS = "demand.few.rate", "demand.many.rate", "rails.shop.stations.desk.servers"
RANGES = ((DESKS, "=3..=6"), (FEW, "0.4 /s..1 /s"), (MANY, "0.5..1.25"))
ENDS = {FEW: (0.4, 1.0), MANY: (0.6, 1.5), DESKS: (3, 6)}
NODES = 24


def _answer(folder: Path, horizon: str, **asked: int) -> Sensitivity:
    path = folder / "desk.yaml"
    path.write_text(YAML.replace("HORIZON", horizon), encoding="utf-8")
    plan = SensitivityPlan(("waiting_mean",), SEED, ranges=RANGES, **asked)
    study = find_sensitivity(load_scenario(path), plan, LocalPool(1))
    return study.answers[0]


def _wait(few: float, many: float, desks: float, service: float = SERVICE) -> float:
    return mmc_wait(few + many, service, round(desks))


def _end(name: str, value: float, service: float) -> float:
    values = {FEW: 0.8, MANY: 1.2, DESKS: 4.0} | {name: value}
    return _wait(values[FEW], values[MANY], values[DESKS], service)


def _agrees(answer: Sensitivity, service: float) -> list[bool]:
    """Say of every end whether its swing is the theory's, within the bound."""
    found = []
    base = _wait(0.8, 1.2, 4, service)
    for swing in answer.swings:
        for end, value in zip(swing.ends, ENDS[swing.assumption.name], strict=True):
            difference = end.difference
            assert difference is not None
            theory = _end(swing.assumption.name, value, service) - base
            found.append(abs(difference.value - theory) <= BOUND * difference.standard_error)
    return found


def test_a_tornado_of_a_queue_is_erlangs(tmp_path: Path) -> None:
    answer = _answer(tmp_path, "20 000 s", replications=8, sobol=0)
    assert abs(answer.base.value - _wait(0.8, 1.2, 4)) <= BOUND * answer.base.standard_error
    assert [swing.assumption.name for swing in answer.swings] == [DESKS, MANY, FEW]
    assert all(swing.is_candidate for swing in answer.swings)
    assert _agrees(answer, SERVICE) == [True] * 6
    # Desks that are 5 % slower would swing otherwise: the same check rejects them.
    assert sum(_agrees(answer, 1.05 * SERVICE)) <= 2


def _levels(name: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return points and weights over a log-uniform range (Gauss-Legendre; whole for desks)."""
    low, high = ENDS[name]
    if name == DESKS:
        values = np.arange(low, high + 1)
        edges = np.clip(np.concatenate([values - 0.5, [high + 0.5]]), low, high)
        return values, np.diff(np.log(edges)) / np.log(high / low)
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    return low * (high / low) ** ((nodes + 1) / 2), weights / 2


def _theory() -> dict[str, tuple[float, float]]:
    """Return first-order and total index of every factor, by numerical integration."""
    names = (FEW, MANY, DESKS)
    levels = [_levels(name) for name in names]
    points = product(*(values for values, _ in levels))
    sizes = [len(values) for values, _ in levels]
    grid = np.array([_wait(*point) for point in points]).reshape(sizes)
    weights = [weight for _, weight in levels]

    def averaged(over: Sequence[int]) -> npt.NDArray[np.float64]:
        found = grid
        for axis in sorted(over, reverse=True):
            found = np.tensordot(found, weights[axis], axes=([axis], [0]))
        return found

    axes = range(len(names))
    mean = float(averaged(list(axes)))
    square = grid**2
    for axis in reversed(axes):
        square = np.tensordot(square, weights[axis], axes=([axis], [0]))
    variance = float(square) - mean**2
    indices = {}
    for at, name in enumerate(names):
        others = [axis for axis in axes if axis != at]
        alone = float((averaged(others) ** 2 * weights[at]).sum()) - mean**2
        rest = averaged([at]) ** 2
        for axis in reversed(range(len(others))):
            rest = np.tensordot(rest, weights[others[axis]], axes=([axis], [0]))
        indices[name] = (alone / variance, 1 - (float(rest) - mean**2) / variance)
    return indices


def test_theory_is_integrated_exactly_where_it_is_known() -> None:
    # A check of the integration itself: all weights add up to 1, and totals exceed first orders.
    for name in ENDS:
        assert _levels(name)[1].sum() == pytest.approx(1)
    for first, total in _theory().values():
        assert 0 < first < total < 1


def _near(index: Index, theory: float) -> bool:
    return abs(index.value - theory) <= BOUND * index.standard_error


def test_sobol_indices_of_a_queue_are_erlangs(tmp_path: Path) -> None:
    answer = _answer(tmp_path, "4000 s", replications=8, sobol=128)
    assert answer.indices is not None
    assert sorted(answer.indexed) == sorted(ENDS)
    theory = _theory()
    for at, name in enumerate(answer.indexed):
        first, total = answer.indices.first_order[at], answer.indices.total[at]
        assert _near(first, theory[name][0]), (name, first, theory[name])
        assert _near(total, theory[name][1]), (name, total, theory[name])
    # The check can tell factors apart: those of the strongest are not those of the weakest.
    totals = {name: answer.indices.total[at] for at, name in enumerate(answer.indexed)}
    assert not _near(totals[FEW], theory[DESKS][1])
    assert not _near(totals[DESKS], theory[FEW][1])
    left = 1 - sum(first for first, _ in theory.values())
    assert _near(answer.indices.interactions, left)


def test_indices_are_scipys_and_those_of_a_known_function() -> None:
    from scipy import stats

    def ishigami(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        x = (2 * points - 1) * np.pi
        return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])

    design = Design.of(3, 4096, SEED)
    found = design.indices(ishigami(design.points))
    reference = stats.sobol_indices(
        func=lambda points: ishigami(points.T), n=4096, dists=[stats.uniform()] * 3, rng=SEED
    )
    assert found is not None
    assert [i.value for i in found.first_order] == pytest.approx(list(reference.first_order))
    assert [i.value for i in found.total] == pytest.approx(list(reference.total_order))
    # Ishigami and Homma (1990): a = 7, b = 0.1.
    variance = 7**2 / 8 + 0.1 * np.pi**4 / 5 + 0.1**2 * np.pi**8 / 18 + 0.5
    first = 0.5 * (1 + 0.1 * np.pi**4 / 5) ** 2 / variance
    second = 7**2 / 8 / variance
    third = 0.1**2 * np.pi**8 * 8 / 225 / variance
    for index, known in zip(found.first_order, (first, second, 0), strict=True):
        assert _near(index, known)
    for index, known in zip(found.total, (first + third, second, third), strict=True):
        assert _near(index, known)
    assert not _near(found.first_order[0], second)
    assert not _near(found.total[2], 0)
    assert _near(found.interactions, third)
