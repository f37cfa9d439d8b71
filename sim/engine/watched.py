"""What would have become of one payment over every candidate it could choose.

Takes a plan, its workload and a payment; gives, for each of its choices, the record it would have
ended with over each candidate. Others are routed as the plan says. See ``Foreseen`` in
:mod:`sim.contract.policies`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.contract.layout import RouteSetColumn
from sim.contract.plan import Array, Plan
from sim.contract.run import WorkloadSource
from sim.engine.compiled import CompiledRun, Course
from sim.engine.foreseen import ORACLES
from sim.engine.kernel import state as st


@dataclass(frozen=True, slots=True)
class ForeseenChoice:
    """One choice of a route and what would have come of it.

    Attributes
    ----------
    time_us : int
        When the choice was made.
    records : dict of int to list of int, or None
        By position of the candidates that could be taken; columns as in
        :class:`~sim.contract.records.RecordColumn`. None: open at the horizon.
    """

    time_us: int
    records: dict[int, list[int] | None]


class _Nobody:
    """Sink that is told nothing."""

    wants_log, wants_records = False, False

    def take_log(self, rows: Array) -> None:
        """Take no notice."""

    def take_records(self, rows: Array) -> None:
        """Take no notice."""

    def take_progress(self, time_us: int, payments: int, events: int) -> None:
        """Take no notice."""


class _WatchedRun(CompiledRun):
    """Run in which every candidate of one payment is tried."""

    def __init__(self, plan: Plan, workload: WorkloadSource, payment: int) -> None:
        super().__init__(plan, workload, _Nobody())
        self.payment = payment
        self.choices: list[ForeseenChoice] = []
        self.state.cursor[st.C_WATCHES] = payment + 1

    def _foresee(self) -> None:
        cursor, pool = self.state.cursor, self.state.pool
        slot = -int(cursor[st.C_ASKS]) - 1
        if pool[slot, st.P_ID] == self.payment:
            found = {
                position: Course(self, slot, position).record()
                for position in np.flatnonzero(self.state.foreseen).tolist()
            }
            self.choices.append(ForeseenChoice(int(cursor[st.C_NOW]), found))
        route_set = pool[slot, st.P_ROUTE_SET]
        if int(self.plan.route_set[route_set, RouteSetColumn.POLICY]) in ORACLES:
            super()._foresee()
        cursor[st.C_ASKS] = slot + 1


def foresee_payment(plan: Plan, workload: WorkloadSource, payment: int) -> list[ForeseenChoice]:
    """Return what would have come of every choice of a payment between two candidates or more.

    Parameters
    ----------
    plan : Plan
    workload : iterable of ndarray
        As for :func:`~sim.engine.compiled.run_compiled`.
    payment : int
        Its number.
    """
    from sim.engine.kernel.cache import load_kernel

    run = _WatchedRun(plan, workload, payment)
    run.finish(load_kernel())
    return run.choices
