"""One replication as a piece of work that any process, on any machine, can do.

Takes a :class:`WorkItem` (the resolved scenario as text, seed and number); gives a
:class:`Finished` replication. Text travels, not paths and not compiled plans, so that a worker
needs nothing but this package; a worker compiles a scenario once and from then on only changes the
keys of its draws, where nothing else depends on the replication.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from sim.study.run import PartFolder, RunOptions, run_replication

if TYPE_CHECKING:
    from sim.analysis.summary import Summary
    from sim.audit.run import AuditReport
    from sim.compiler.compile import Compiled

_COMPILED_KEPT = 4


@dataclass(frozen=True, slots=True)
class WorkItem:
    """Say what a worker has to do.

    Attributes
    ----------
    text : str
        The resolved scenario, as in ``scenario.yaml`` of a run folder.
    seed, replication : int
        Key of all luck.
    options : RunOptions
        Engine, tables, audit.
    folder : PartFolder or None
        Where tables go.
    """

    text: str
    seed: int
    replication: int
    options: RunOptions = field(default_factory=lambda: RunOptions(record="none"))
    folder: PartFolder | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """Hold what came of a piece of work.

    Attributes
    ----------
    replication : int
        Its number.
    summary : Summary
        Measures of this replication alone.
    expected : float or None
        Payments the demand led to expect in the headline, given the bursts drawn; None where the
        number is bounded or written down.
    payments, events : int
        As run.
    digest, payments_digest : str
        Fingerprints.
    engine_seconds : float
        Inside the engine.
    files : tuple of Path
        Tables written.
    audit : AuditReport or None
        What the audit found, where one was asked for.
    """

    replication: int
    summary: Summary
    expected: float | None
    payments: int
    events: int
    digest: str
    payments_digest: str
    engine_seconds: float
    files: tuple[Path, ...]
    audit: AuditReport | None


def do_work(item: WorkItem) -> Finished:
    """Compile, run and sum up one replication.

    Parameters
    ----------
    item : WorkItem
        What to do.
    """
    compiled = compile_replication(item.text, item.seed, item.replication)
    done = run_replication(compiled, item.options, folder=item.folder)
    return Finished(
        replication=item.replication,
        summary=done.summary,
        expected=expected_submitted(compiled),
        payments=done.facts.payments,
        events=done.facts.events,
        digest=done.facts.digest,
        payments_digest=done.facts.payments_digest,
        engine_seconds=done.facts.engine_seconds,
        files=done.files,
        audit=done.audit,
    )


def compile_replication(text: str, seed: int, replication: int) -> Compiled:
    """Compile a resolved scenario for one replication, from what was compiled before if possible.

    Parameters
    ----------
    text : str
        The resolved scenario.
    seed, replication : int
        Key of all luck.
    """
    first = _compiled(text, seed)
    if replication == first.plan.replication:
        return first
    if depends_on_luck(first):
        from sim.compiler.compile import compile_scenario
        from sim.scenario.scenario import LoadedScenario

        loaded = LoadedScenario(first.scenario, first.document)
        return compile_scenario(loaded, seed=seed, replication=replication, pools=first.pools)
    return rekeyed(first, replication)


def depends_on_luck(compiled: Compiled) -> bool:
    """Say whether more of a plan than its draw keys changes with the replication.

    Notes
    -----
    Rate paths that move and bursts of a profile are drawn when the scenario is compiled.
    """
    scenario = compiled.scenario
    moves = any(rate.daily_volatility > 0 for rate in scenario.fx.mid.values())
    return moves or any(demand.profile != "flat" for demand in scenario.demand.values())


def rekeyed(compiled: Compiled, replication: int) -> Compiled:
    """Return the same scenario with the luck of another replication.

    Parameters
    ----------
    compiled : Compiled
        A scenario for which :func:`depends_on_luck` is False.
    replication : int
        Number wanted.
    """
    import numpy as np

    from sim.draws.keys import stream_key

    plan = compiled.plan

    def keys(kind: str, names: tuple[str, ...]) -> list[tuple[int, int, int, int]]:
        return [stream_key(plan.seed, replication, kind, name) for name in names]

    stream = np.array(keys("payment", plan.names.streams), dtype=np.int64)
    ledger = np.array(keys("ledger", plan.names.ledgers), dtype=np.int64)
    changed = replace(
        plan,
        replication=replication,
        stream_key=stream.reshape(len(plan.names.streams), 4),
        ledger_key=ledger.reshape(len(plan.names.ledgers), 4),
    )
    demands = tuple(
        replace(demand, key=changed.stream_key[demand.stream]) for demand in compiled.demands
    )
    return replace(compiled, plan=changed, demands=demands)


def expected_submitted(compiled: Compiled) -> float | None:
    """Return how many payments of the headline demand leads to expect between warm-up and horizon.

    Returns
    -------
    float or None
        None where a stream is written down or bounded by a count.
    """
    import numpy as np

    from sim.contract.layout import StreamColumn
    from sim.contract.meaning import Scope
    from sim.workload.arrivals import HAZARD_UNIT

    plan = compiled.plan
    scopes = plan.stream[:, StreamColumn.SCOPE]
    crossing = [d for d in compiled.demands if scopes[d.stream] == Scope.CROSS_BORDER]
    total = 0.0
    for demand in crossing or compiled.demands:
        if demand.written is not None or demand.count_max >= 0:
            return None
        ends = np.interp([plan.warm_up_us, plan.horizon_us], demand.hazard_time_us, demand.hazard)
        total += float(ends[1] - ends[0]) / HAZARD_UNIT
    return total


@lru_cache(maxsize=_COMPILED_KEPT)
def _compiled(text: str, seed: int) -> Compiled:
    """Keep the last few scenarios compiled; arms of a comparison take turns."""
    from sim.compiler.compile import compile_scenario
    from sim.scenario.scenario import load_scenario

    with tempfile.TemporaryDirectory(prefix="payroute-") as folder:
        path = Path(folder) / "scenario.yaml"
        path.write_text(text, encoding="utf-8")
        loaded = load_scenario(path)
    return compile_scenario(loaded, seed=seed)
