"""Queueing theory in closed form, and the one check that compares a run with it.

Takes rates and means; gives expected waits and probabilities, :func:`batch_means` with a standard
error, and :func:`agrees`, the check every theory test and its negative control share. Nothing here
knows of the simulator.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

BOUND = 4.0
"""Standard errors an estimate may be away from theory."""


@dataclass(frozen=True)
class Estimate:
    """Be a mean with its standard error."""

    mean: float
    error: float


def batch_means(values: Floats, batches: int = 30) -> Estimate:
    """Return the mean of a correlated series and its standard error from means of batches.

    Notes
    -----
    Law and Kelton, Simulation Modeling and Analysis (1991), section 9.5.3. The first batch is left
    out: it starts empty.
    """
    size = len(values) // (batches + 1)
    means = values[size : size * (batches + 1)].reshape(batches, size).mean(axis=1)
    return Estimate(float(means.mean()), float(means.std(ddof=1) / math.sqrt(batches)))


def agrees(estimate: Estimate, theory: float) -> bool:
    """Say whether an estimate lies within four standard errors of theory."""
    return abs(estimate.mean - theory) <= BOUND * estimate.error


def erlang_c(offered: float, servers: int) -> float:
    """Return the probability to wait in M/M/c (Erlang 1917), by the recursion of Erlang B."""
    blocked = 1.0
    for server in range(1, servers + 1):
        blocked = offered * blocked / (server + offered * blocked)
    load = offered / servers
    return blocked / (1 - load * (1 - blocked))


def mmc_wait(rate: float, service: float, servers: int) -> float:
    """Return the mean wait of M/M/c."""
    offered = rate * service
    return erlang_c(offered, servers) * service / (servers - offered)


def mg1_wait(rate: float, mean: float, second_moment: float) -> float:
    """Return the mean wait of M/G/1 (Pollaczek 1930, Khinchine 1932)."""
    return rate * second_moment / (2 * (1 - rate * mean))


def mmck_loss(rate: float, service: float, servers: int, places: int) -> float:
    """Return the share M/M/c/K refuses; ``places`` = K, in service and waiting."""
    weights = [1.0]
    for number in range(1, places + 1):
        weights.append(weights[-1] * rate * service / min(number, servers))
    return weights[-1] / sum(weights)


def mmck_wait(rate: float, service: float, servers: int, places: int) -> float:
    """Return the mean wait of those M/M/c/K accepts (Little's law on the waiting places)."""
    weights = [1.0]
    for number in range(1, places + 1):
        weights.append(weights[-1] * rate * service / min(number, servers))
    total = sum(weights)
    waiting = sum(max(n - servers, 0) * weight for n, weight in enumerate(weights)) / total
    return waiting / (rate * (1 - weights[-1] / total))


def bulk_wait(rate: float, interval: float, limit: int, states: int = 600) -> float:
    """Return the mean time to the start of service where every interval takes at most ``limit``.

    Notes
    -----
    Bailey (1954), fixed intervals: the queue found by a round is a Markov chain, Q' = max(Q - b, 0)
    + Poisson(rate * interval). Its stationary law is found by repeated squaring of the transition
    matrix; between rounds max(Q - b, 0) stay and new ones arrive evenly, so on average half of
    their number. Little's law turns that into a wait.
    """
    arrivals = np.empty(states)
    arrivals[0] = math.exp(-rate * interval)
    for number in range(1, states):
        arrivals[number] = arrivals[number - 1] * rate * interval / number
    matrix = np.zeros((states, states))
    for queue in range(states):
        left = max(queue - limit, 0)
        matrix[queue, left:] = arrivals[: states - left]
        matrix[queue, -1] += 1 - matrix[queue].sum()
    for _ in range(20):
        matrix = matrix @ matrix
        matrix /= matrix.sum(axis=1, keepdims=True)
    stationary = matrix[0]
    left_mean = float(stationary @ np.maximum(np.arange(states) - limit, 0))
    return (left_mean + rate * interval / 2) / rate
