"""Queueing theory in closed form, and the one check that compares a run with it.

Takes rates and means; gives expected waits and probabilities, :func:`batch_means` with a standard
error, and :func:`agrees`, the check every theory test and its negative control share. Nothing here
knows of the simulator.
"""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass
from statistics import NormalDist

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


def over_runs(values: Floats) -> Estimate:
    """Return the mean of independent runs and its standard error."""
    return Estimate(float(values.mean()), float(values.std(ddof=1) / math.sqrt(len(values))))


def erlang_c(offered: float, servers: int) -> float:
    """Return the probability to wait in M/M/c, by the recursion of Erlang B.

    Notes
    -----
    Erlang (1917); Kleinrock, Queueing Systems, volume 1 (1975), section 3.5 (C) and 3.7 (B).
    """
    blocked = 1.0
    for server in range(1, servers + 1):
        blocked = offered * blocked / (server + offered * blocked)
    load = offered / servers
    return blocked / (1 - load * (1 - blocked))


def mmc_wait(rate: float, service: float, servers: int) -> float:
    """Return the mean wait of M/M/c.

    Notes
    -----
    The wait of those who wait is exponential with mean service / (c - offered) (Erlang 1917).
    One server: load * service / (1 - load).
    """
    offered = rate * service
    return erlang_c(offered, servers) * service / (servers - offered)


def mg1_wait(rate: float, mean: float, second_moment: float) -> float:
    """Return the mean wait of M/G/1.

    Notes
    -----
    Pollaczek (1930), Khinchine (1932); Kleinrock (1975), section 5.5. M/D/1 is the case
    ``second_moment = mean^2``.
    """
    return rate * second_moment / (2 * (1 - rate * mean))


def tandem_stay(rate: float, *services: float) -> float:
    """Return the mean time in M/M/1 queues in a row.

    Notes
    -----
    Burke (1956): what leaves M/M/1 is Poisson again, and what has left says nothing of those still
    there; so each queue is M/M/1 by itself.
    """
    return sum(service / (1 - rate * service) for service in services)


def mmck_loss(rate: float, service: float, servers: int, places: int) -> float:
    """Return the share M/M/c/K refuses; ``places`` = K, in service and waiting.

    Notes
    -----
    The law of a birth and death process (Kleinrock 1975, section 3.1); Poisson arrivals see what
    an observer sees at any time (Wolff 1982).
    """
    weights = _mmck_weights(rate, service, servers, places)
    return weights[-1] / sum(weights)


def mmck_wait(rate: float, service: float, servers: int, places: int) -> float:
    """Return the mean wait of those M/M/c/K accepts (Little's law on the waiting places)."""
    weights = _mmck_weights(rate, service, servers, places)
    total = sum(weights)
    waiting = sum(max(n - servers, 0) * weight for n, weight in enumerate(weights)) / total
    return waiting / (rate * (1 - weights[-1] / total))


def _mmck_weights(rate: float, service: float, servers: int, places: int) -> list[float]:
    weights = [1.0]
    for number in range(1, places + 1):
        weights.append(weights[-1] * rate * service / min(number, servers))
    return weights


def bulk_wait(rate: float, interval: float, limit: int, states: int = 300) -> float:
    """Return the mean time to the start of service where every interval takes at most ``limit``.

    Notes
    -----
    Bailey (1954), "On queueing processes with bulk service", for fixed intervals. The rounds of a
    ledger follow each other from start to start as long as a vote takes less than a round and empty
    rounds do not stretch the gap; a payment that arrives before a round's start may join it. So the
    queue found by a round is a Markov chain, Q' = max(Q - b, 0) + Poisson(rate * interval). Its
    stationary law is found by repeated squaring of the transition matrix; between rounds
    max(Q - b, 0) stay and new ones arrive evenly, so on average half of their number. Little's law
    turns that into a wait.
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


def bulk_wait_by_roots(rate: float, interval: float, limit: int) -> float:
    """Return :func:`bulk_wait` from roots of ``z^b = exp(m (z - 1))``, m arrivals per interval.

    Notes
    -----
    Bailey (1954); Chaudhry and Templeton, A First Course in Bulk Queues (1983). Those a round
    leaves behind have the generating function L(z) = N(z) / (z^b - exp(m (z - 1))), N a polynomial
    of degree b that must vanish wherever the denominator does in the unit disk: at 1 and at b - 1
    roots z_k inside. Two derivatives at 1 give

        E L = sum 1 / (1 - z_k) - (b (b - 1) - m^2) / (2 (b - m)).

    The roots are found by successive substitution, z = w exp(m (z - 1) / b), w a b-th root of
    unity (Janssen and van Leeuwaarden 2005); it contracts by m / b at least.
    """
    mean = rate * interval
    left_mean = -(limit * (limit - 1) - mean**2) / (2 * (limit - mean))
    for number in range(1, limit):
        unit, root = cmath.exp(2j * math.pi * number / limit), 0j
        for _ in range(2000):
            root = unit * cmath.exp(mean * (root - 1) / limit)
        assert abs(root**limit - cmath.exp(mean * (root - 1))) < 1e-12
        # Roots come in conjugate pairs, whose imaginary parts cancel.
        left_mean += (1 / (1 - root)).real
    return left_mean / rate + interval / 2


def bulk_wait_by_walk(rate: float, interval: float, limit: int, rounds: int = 4000) -> float:
    """Return :func:`bulk_wait` from the maximum of a random walk, without roots and matrices.

    Notes
    -----
    Those a round leaves behind follow Lindley's recursion, L' = max(L + A - b, 0), so that by
    Spitzer (1956) E L = sum over l of E max(A_1 + ... + A_l - l b, 0) / l; the sum of l Poisson
    numbers is Poisson of mean a = l m, and E max(A - k, 0) = a P(A >= k) - k P(A > k).
    """
    left_mean = 0.0
    for number in range(1, rounds + 1):
        mean, most = number * rate * interval, number * limit
        at_most = math.exp(most * math.log(mean) - mean - math.lgamma(most + 1))
        # P(A > k) from its largest term on.
        above, term, count = 0.0, at_most, most
        while term > 1e-18 * above or count < most + 2:
            count += 1
            term *= mean / count
            above += term
        left_mean += (mean * (at_most + above) - most * above) / number
    return left_mean / rate + interval / 2


def lognormal_order_mean(median: float, sigma: float, *, rank: int, of: int) -> float:
    """Return the mean of the ``rank``-th smallest of some lognormal numbers.

    Notes
    -----
    David and Nagaraja, Order Statistics (2003), section 3.1: the rank of a uniform number has the
    density of a beta distribution; here summed at the middles of equal steps.
    """
    steps = 20_000
    weight = math.factorial(of) / (math.factorial(rank - 1) * math.factorial(of - rank))
    total = 0.0
    for step in range(steps):
        u = (step + 0.5) / steps
        density = weight * u ** (rank - 1) * (1 - u) ** (of - rank)
        total += density * median * math.exp(sigma * NormalDist().inv_cdf(u))
    return total / steps
