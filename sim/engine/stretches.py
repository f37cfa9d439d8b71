"""A run that stops at instants on its way, and one that goes on from there.

Takes a plan, a workload and a sink like any run, and whoever is told when an instant is reached;
gives the state of the kernel as arrays between two events, and takes it back. At an instant every
event before it is handled and none at it or behind it; whatever the run would have done next is in
the arrays: what is scheduled, armed, waiting, owed and learnt. Draws are keyed, so no generator has
a state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from sim.contract.plan import Array, Plan
from sim.contract.run import Sink, Totals, WorkloadSource
from sim.engine.compiled import CompiledRun
from sim.engine.kernel import state as st
from sim.engine.kernel.laying import lay_heap, lay_rows
from sim.engine.kernel.state import KernelState

_NOT_KEPT = frozenset({"log", "record", "own", "scratch", "order", "rank", "line"})
"""What is empty between two events, of this process alone, or laid out from the plan."""
_ALIGNED = ("pool", "node", "timer")

Reached = Callable[[int], int]
"""Told of an instant that is reached; answers with the next one."""


class StretchedRun(CompiledRun):
    """A run in stretches.

    Parameters
    ----------
    plan, workload, sink
        As for :func:`~sim.engine.compiled.run_compiled`.
    stop_us : int
        First instant to stop at.
    reached : callable
        Told of every instant that is reached, after all of before was handed to the sink; answers
        with the next one. What it raises ends the run there.
    kept : mapping of str to ndarray of int64, optional
        From :meth:`kept` of a run of the same plan: go on from there.
    """

    def __init__(
        self,
        plan: Plan,
        workload: WorkloadSource,
        sink: Sink,
        *,
        stop_us: int,
        reached: Reached,
        kept: Mapping[str, Array] | None = None,
    ) -> None:
        super().__init__(plan, workload, sink)
        self._reached = reached
        if kept is not None:
            self._restore(kept)
        self._stop_at(stop_us)

    def run(self) -> Totals:
        """Run to the horizon, stretch by stretch; as :func:`~sim.engine.compiled.run_compiled`."""
        from sim.engine.kernel.cache import load_kernel

        return self.finish(load_kernel())

    def kept(self) -> dict[str, Array]:
        """Return all the kernel needs to go on, by name; asked for at an instant reached."""
        cursor = self.state.cursor.copy()
        chunk = self.state.chunk[cursor[st.C_ARRIVAL] : cursor[st.C_CHUNK]]
        cursor[st.C_ARRIVAL], cursor[st.C_CHUNK] = 0, len(chunk)
        # Room behind what is scheduled is not worth keeping, nor what was set aside.
        heap = self.later.gathered(self.state)
        cursor[st.C_HEAP], cursor[st.C_LATER], cursor[st.C_EDGE] = len(heap), 0, st.NO_EDGE
        found = {name: getattr(self.state, name) for name in KernelState._fields}
        found |= {"cursor": cursor, "chunk": chunk, "heap": heap}
        return {name: array for name, array in found.items() if name not in _NOT_KEPT}

    def _restore(self, kept: Mapping[str, Array]) -> None:
        """Put the state of another run of the plan in place of the one laid out."""
        cursor = np.array(kept["cursor"])
        # Whether rows are wanted is this run's to say.
        for column in (st.C_WANTS_LOG, st.C_WANTS_RECORDS):
            cursor[column] = self.state.cursor[column]
        cursor[[st.C_LOG, st.C_RECORDS]] = 0
        changed = {name: np.array(kept[name], order="C") for name in kept}
        for name in _ALIGNED:
            changed[name] = lay_rows(*kept[name].shape)
            changed[name][:] = kept[name]
        changed["heap"] = lay_heap(len(kept["heap"]) + int(cursor[st.C_LIVE]) + 128)
        changed["heap"][: len(kept["heap"])] = kept["heap"]
        self.state = self.state._replace(**{**changed, "cursor": cursor})

    def _answer(self, status: int) -> None:
        """Tell of an instant that is reached; else as any run."""
        stop_us = int(self.state.cursor[st.C_HORIZON])
        if status != st.AT_HORIZON or stop_us >= self.plan.horizon_us:
            super()._answer(status)
            return
        self._flush()
        self._stop_at(self._reached(stop_us))

    def _stop_at(self, instant_us: int) -> None:
        """Take no event at an instant or behind it; the horizon ends the run in any case."""
        self.state.cursor[st.C_HORIZON] = min(instant_us, self.plan.horizon_us)
