"""Select the best of several arms with a stated probability of being right.

Takes a source of replications per arm; gives the arm chosen and how it came about.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

FIRST_STAGE = 10


@dataclass(frozen=True, slots=True)
class Selection:
    """Say which arm is best.

    Attributes
    ----------
    best : str
        The arm chosen; of those left, the one with the best mean.
    is_proven : bool
        Whether all others were eliminated, so that the stated probability holds.
    left : tuple of str
        Arms not eliminated, best mean first.
    probability : float
        Of choosing the best, or one within the indifference of it.
    indifference : float
        Difference nobody would care about, in the measure's unit.
    replications : int
        Used.
    eliminated : dict of str to int
        Replications after which each arm dropped out.
    """

    best: str
    is_proven: bool
    left: tuple[str, ...]
    probability: float
    indifference: float
    replications: int
    eliminated: dict[str, int]


@dataclass(frozen=True, slots=True)
class SelectionRule:
    """Say what is asked of a selection.

    Attributes
    ----------
    indifference : float
        Above 0.
    is_lower_better : bool
        Whether the smallest mean wins.
    probability : float
        Of a correct selection.
    replications_max : int
        When to give up.
    """

    indifference: float
    is_lower_better: bool = True
    probability: float = 0.95
    replications_max: int = 1000


def select_best(
    arms: Sequence[str],
    draw: Callable[[int, Sequence[str]], dict[str, float]],
    rule: SelectionRule,
    *,
    first_stage: int = FIRST_STAGE,
) -> Selection:
    """Eliminate arms replication by replication until one is left.

    Parameters
    ----------
    arms : sequence of str
        At least two.
    draw : callable
        Gives the value of a replication for each of the arms named; asked in ascending order of
        replication, and no more for arms that are out.
    rule : SelectionRule
        What is asked.
    first_stage : int
        Replications of every arm before any can drop out.

    Raises
    ------
    ValueError
        If there are fewer than two arms or the indifference is not above 0.

    Notes
    -----
    Procedure KN of Kim and Nelson (2001), "A fully sequential procedure for indifference-zone
    selection in simulation", with c = 1: ``h^2 = (n0 - 1) ((2 alpha / (k - 1))^(-2 / (n0 - 1)) -
    1)``; arm i drops out after r replications when for some arm l the sum of differences exceeds
    ``max(0, (h^2 S_il^2 / delta - delta r) / 2)``. It allows common random numbers and normal data.
    """
    if len(arms) < 2 or rule.indifference <= 0 or first_stage < 2:
        raise ValueError("select_best: two arms and an indifference above 0 are needed")
    sign = -1.0 if rule.is_lower_better else 1.0
    values: dict[str, list[float]] = {arm: [] for arm in arms}
    for replication in range(first_stage):
        for arm, value in draw(replication, arms).items():
            values[arm].append(sign * value)
    alpha = 1 - rule.probability
    exponent = -2 / (first_stage - 1)
    h_square = (first_stage - 1) * ((2 * alpha / (len(arms) - 1)) ** exponent - 1)
    spread = {
        (i, other): float(np.var(np.subtract(values[i], values[other]), ddof=1))
        for i in arms
        for other in arms
    }
    left, eliminated = list(arms), dict[str, int]()
    done = first_stage
    while True:
        sums = {arm: sum(values[arm]) for arm in left}
        out = [
            i
            for i in left
            if any(
                sums[other] - sums[i]
                > max(0.0, _half_gap(h_square * spread[i, other], rule.indifference, done))
                for other in left
                if other != i
            )
        ]
        if not out and all(
            _half_gap(h_square * spread[i, other], rule.indifference, done) <= 0
            for i in left
            for other in left
        ):
            # The region in which sampling goes on has closed: those left are tied to the last
            # digit, and any of them is as good.
            out = sorted(left, key=lambda arm: (-sums[arm], arm))[1:]
        for arm in out:
            left.remove(arm)
            eliminated[arm] = done
        if len(left) == 1 or done >= rule.replications_max:
            break
        for arm, value in draw(done, tuple(left)).items():
            values[arm].append(sign * value)
        done += 1
    ranked = sorted(left, key=lambda arm: (-sum(values[arm]), arm))
    return Selection(
        best=ranked[0],
        is_proven=len(left) == 1,
        left=tuple(ranked),
        probability=rule.probability,
        indifference=rule.indifference,
        replications=done,
        eliminated=eliminated,
    )


def _half_gap(scaled: float, indifference: float, done: int) -> float:
    """Return how far sums may lie apart before one arm drops out."""
    return (scaled / indifference - indifference * done) / 2
