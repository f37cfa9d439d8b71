"""Queues of which theory says what to expect, run and compared.

Takes the scenarios of ``scenarios/theory``; gives verdicts. A mean may be four of its own standard
errors away from theory, so of a million right programs some sixty would fail a check; and each
scenario is run once more with service a twentieth slower, which the same check must notice: one
that cannot fail says nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.contract.meaning import Cause, Outcome
from sim.contract.records import RecordColumn
from sim.engine.compiled import run_compiled
from sim.scenario.shipped import shipped_scenarios
from sim.study.verify.figures import Verdict
from sim.study.verify.kept import compile_file, run_kept
from sim.units import SECOND_US

_ERRORS = 4.0
"""Standard errors a mean may be away."""
_BATCHES = 30
_SERVICE = "rails.shop.stages=[{name: service, serve: counter, time: %s}]"


@dataclass(frozen=True, slots=True)
class _Queue:
    """A scenario, what theory says of its mean wait, and a change that must be noticed."""

    name: str
    law: str
    wait_s: float
    slower: str


def check_theory() -> Iterator[Verdict]:
    """Yield whether queues wait as theory says, and whether slower ones are told apart."""
    for queue in _queues():
        mean, error = _mean_wait(queue.name)
        holds = abs(mean - queue.wait_s) <= _ERRORS * error
        found = f"{mean:.4g} ± {error:.2g} s"
        yield Verdict("theory", f"{queue.law}: mean wait", f"{queue.wait_s:.4g} s", found, holds)
        mean, error = _mean_wait(queue.name, queue.slower)
        differs = abs(mean - queue.wait_s) > _ERRORS * error
        found = f"{mean:.4g} ± {error:.2g} s"
        yield Verdict(
            "theory",
            f"{queue.law} with service a twentieth slower is told apart",
            f"not {queue.wait_s:.4g} s",
            found,
            differs,
        )
    refused, error = _refused("mmck")
    loss = _lost(2.2, servers=2, places=5)
    yield Verdict(
        "theory",
        "M/M/2/5: share refused",
        f"{loss:.4%}",
        f"{refused:.4%} ± {error:.2%}",
        abs(refused - loss) <= _ERRORS * error,
    )


def _queues() -> Iterator[_Queue]:
    """Yield the queues with their mean waits, in seconds."""
    # Pollaczek and Khinchine: rate times the second moment of service over 2 (1 - load). One
    # arrival a second, service of 0.8 s: exponential 2 x 0.64, constant 0.64.
    yield _Queue("mm1", "M/M/1", 1 * 1.28 / 0.4, _SERVICE % "{exponential: {mean: 0.84 s}}")
    yield _Queue("md1", "M/D/1", 1 * 0.64 / 0.4, _SERVICE % "0.84 s")
    # Erlang C: 2.4 arrivals a second to three servers of a second each; who waits does so for an
    # exponential time of mean 1 / (3 - 2.4).
    waits = _erlang_c(2.4, 3) / (3 - 2.4)
    yield _Queue("mm3", "M/M/3", waits, _SERVICE % "{exponential: {mean: 1.05 s}}")


def _mean_wait(name: str, *overrides: str) -> tuple[float, float]:
    """Return the mean wait of a scenario in seconds and its standard error, by batches."""
    compiled = compile_file(shipped_scenarios()[name], overrides)
    kept, _ = run_kept(run_compiled, compiled, wants_log=False)
    done = kept.records[kept.records[:, RecordColumn.OUTCOME] == Outcome.COMPLETED]
    late = done[done[:, RecordColumn.SUBMITTED_US] >= compiled.plan.warm_up_us]
    in_order = late[np.argsort(late[:, RecordColumn.PAYMENT], kind="stable")]
    return _batch_means(in_order[:, RecordColumn.TIME_0 + Cause.WAITING] / SECOND_US)


def _refused(name: str) -> tuple[float, float]:
    """Return the share of payments a scenario refuses and its standard error, by batches."""
    compiled = compile_file(shipped_scenarios()[name])
    kept, _ = run_kept(run_compiled, compiled, wants_log=False)
    ended = kept.records[kept.records[:, RecordColumn.OUTCOME] != Outcome.IN_PROGRESS]
    in_order = ended[np.argsort(ended[:, RecordColumn.PAYMENT], kind="stable")]
    is_refused = in_order[:, RecordColumn.OUTCOME] == Outcome.REJECTED
    return _batch_means(is_refused.astype(np.float64))


def _batch_means(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Return the mean of a correlated series and the standard error of its batches' means.

    Notes
    -----
    Law and Kelton, Simulation Modeling and Analysis (1991), section 9.5.3.
    """
    size = len(values) // _BATCHES
    means = values[: size * _BATCHES].reshape(_BATCHES, size).mean(axis=1)
    return float(means.mean()), float(means.std(ddof=1) / math.sqrt(_BATCHES))


def _erlang_c(offered: float, servers: int) -> float:
    """Return the probability to wait in M/M/c, by the recursion of Erlang B."""
    blocked = 1.0
    for server in range(1, servers + 1):
        blocked = offered * blocked / (server + offered * blocked)
    return blocked / (1 - offered / servers * (1 - blocked))


def _lost(offered: float, *, servers: int, places: int) -> float:
    """Return the share M/M/c/K refuses: the weight of K customers in its birth and death process.

    Service lasts a second on average.
    """
    weights = [1.0]
    for present in range(1, places + 1):
        weights.append(weights[-1] * offered / min(present, servers))
    return weights[-1] / sum(weights)
