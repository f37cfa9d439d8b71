"""Compile a case, from what was compiled before where that is possible.

Takes a resolved scenario as text, changes and the key of the random numbers; gives the compiled
scenario, and what can be told of it before it is run. A process loads and compiles a scenario once
and from then on only changes the keys of its draws, where nothing else depends on the replication.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import fields, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sim.contract.layout import StreamColumn
from sim.contract.meaning import Scope
from sim.scenario.scenario import LoadedScenario, load_scenario

if TYPE_CHECKING:
    from sim.compiler.compile import Compiled
    from sim.contract.plan import Array

_COMPILED_KEPT = 4
_SEEDED = frozenset({"key"})
"""Fields of a stream that depend on the seed and the replication by design."""


def load_text(text: str, changes: Sequence[str] = ()) -> LoadedScenario:
    """Load a resolved scenario from its text.

    Parameters
    ----------
    text : str
        As in ``scenario.yaml`` of a run folder.
    changes : sequence of str
        ``path.to.field=value``.

    Raises
    ------
    ScenarioError
        With every problem.
    """
    with tempfile.TemporaryDirectory(prefix="payroute-") as folder:
        path = Path(folder) / "scenario.yaml"
        path.write_text(text, encoding="utf-8")
        return load_scenario(path, tuple(changes))


def compile_replication(
    text: str, seed: int, replication: int, changes: tuple[str, ...] = ()
) -> Compiled:
    """Compile a resolved scenario for one replication.

    Parameters
    ----------
    text : str
        The resolved scenario.
    seed, replication : int
        Key of all random numbers.
    changes : tuple of str
        ``path.to.field=value``, on top of the text.
    """
    first = _compiled(text, changes, seed)
    if replication == first.plan.replication:
        return first
    if not depends_on_replication(first):
        return rekeyed(first, replication)
    from sim.compiler.compile import compile_scenario

    loaded = LoadedScenario(first.scenario, first.document)
    return compile_scenario(loaded, seed=seed, replication=replication, pools=first.pools)


def depends_on_replication(compiled: Compiled) -> bool:
    """Say whether more of a plan than its draw keys changes with the replication.

    Notes
    -----
    Rate paths that move, bursts of a profile, load and disruptions left to chance are drawn when
    the scenario is compiled.
    """
    scenario = compiled.scenario
    moves = any(rate.daily_volatility > 0 for rate in scenario.fx.mid.values())
    breaks = any(not disruption.is_certain for disruption in scenario.disruptions.values())
    streams = scenario.demand.values()
    return moves or breaks or any(one.profile != "flat" or one.as_ == "load" for one in streams)


def rekeyed(compiled: Compiled, replication: int) -> Compiled:
    """Return the same scenario with the random numbers of another replication.

    Parameters
    ----------
    compiled : Compiled
        A scenario for which :func:`depends_on_replication` is False.
    replication : int
        Number wanted.
    """
    from sim.draws.keys import stream_key

    plan = compiled.plan

    def keys(kind: str, names: tuple[str, ...]) -> Array:
        found = [stream_key(plan.seed, replication, kind, name) for name in names]
        return np.array(found, dtype=np.int64).reshape(len(names), 4)

    changed = replace(
        plan,
        replication=replication,
        stream_key=keys("payment", plan.names.streams),
        ledger_key=keys("ledger", plan.names.ledgers),
    )
    demands = tuple(
        replace(demand, key=changed.stream_key[demand.stream]) for demand in compiled.demands
    )
    return replace(compiled, plan=changed, demands=demands)


def expected_payments(
    compiled: Compiled, instants_us: Sequence[int], streams: Collection[str]
) -> list[float]:
    """Return how many payments demand leads to expect between each two instants.

    Parameters
    ----------
    compiled : Compiled
        With the bursts of its profiles drawn.
    instants_us : sequence of int
        Microseconds from the start, ascending.
    streams : collection of str
        Names of the demand counted.
    """
    from sim.workload.arrivals import HAZARD_UNIT

    total = np.zeros(len(instants_us) - 1)
    for demand in compiled.demands:
        if demand.name in streams:
            reached = np.interp(instants_us, demand.hazard_time_us, demand.hazard)
            total += np.diff(reached) / HAZARD_UNIT
    return [float(part) for part in total]


def expected_submitted(compiled: Compiled) -> float | None:
    """Return how many payments of the headline demand leads to expect from warm-up to horizon.

    Returns
    -------
    float or None
        None where a stream is written down or bounded by a count.
    """
    plan = compiled.plan
    scopes = plan.stream[:, StreamColumn.SCOPE]
    crossing = [d for d in compiled.demands if scopes[d.stream] == Scope.CROSS_BORDER]
    covered = crossing or compiled.demands
    if any(demand.written is not None or demand.count_max >= 0 for demand in covered):
        return None
    window = (plan.warm_up_us, plan.horizon_us)
    return sum(expected_payments(compiled, window, [demand.name for demand in covered]))


def compiled_fingerprint(compiled: Compiled) -> str:
    """Return a text that is the same for scenarios that cannot differ on the same random numbers.

    Parameters
    ----------
    compiled : Compiled

    Notes
    -----
    The hash of the plan is not enough: rates, numbers of payers and shares of customers stand in
    the streams the workload is drawn from, which are no part of the plan.
    """
    from sim.tables.digest import plan_hash

    state = hashlib.blake2b(plan_hash(compiled.plan).encode(), digest_size=12)
    for demand in compiled.demands:
        for entry in fields(demand):
            if entry.name in _SEEDED:
                continue
            value = getattr(demand, entry.name)
            if isinstance(value, np.ndarray):
                state.update(f"{entry.name}:{value.shape}:".encode())
                state.update(np.ascontiguousarray(value).tobytes())
            else:
                state.update(f"{entry.name}={value!r};".encode())
    return state.hexdigest()


@lru_cache(maxsize=_COMPILED_KEPT)
def _compiled(text: str, changes: tuple[str, ...], seed: int) -> Compiled:
    """Keep the last few scenarios compiled; arms of a comparison take turns."""
    from sim.compiler.compile import compile_scenario

    return compile_scenario(load_text(text, changes), seed=seed)
