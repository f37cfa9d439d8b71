"""How compiled code sees a plan and a state: a table of pointers each (:mod:`sim.jit.tables`).

Takes a plan and a state; gives the words their tables consist of, and the entrance of the kernel
that reads them. Whoever made a plan or a state keeps it alive and in place while a table is used.
"""

from __future__ import annotations

from sim.contract.plan import TABLES, Array, Plan
from sim.contract.table import Table
from sim.engine.kernel.loop import run
from sim.engine.kernel.state import STATE_TABLES, KernelState
from sim.jit.tables import TableType, pointer_to


def _type_of(name: str, declared: dict[str, Table]) -> TableType:
    """Return the type of a table of arrays as declared."""
    return TableType(name, {field: (t.dimensions, t.width) for field, t in declared.items()})


_PLAN = _type_of("PlanTable", TABLES)
_STATE = _type_of("KernelStateTable", STATE_TABLES)
_as_plan = pointer_to(_PLAN)
_as_state = pointer_to(_STATE)


def run_tables(plan_words: Array, state_words: Array, budget: int) -> int:
    """Run ``loop.run`` over tables: what is compiled, cached and called."""
    return run(_as_plan(plan_words), _as_state(state_words), budget)


def describe_plan(plan: Plan) -> Array:
    """Return the table of a plan's arrays, which must outlive it."""
    return _PLAN.describe({name: getattr(plan, name) for name in TABLES})


def describe_state(state: KernelState) -> Array:
    """Return the table of a state's arrays, which must outlive it and not be replaced."""
    return _STATE.describe(state._asdict())
