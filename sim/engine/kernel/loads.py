"""Load of a ledger: how much has joined, and how much of it waits.

Takes a ledger and an instant; gives numbers of payments. See :mod:`sim.contract.loads`.
"""

from __future__ import annotations

from sim.contract.loads import LoadColumn
from sim.contract.plan import Plan
from sim.contract.records import LedgerTotal
from sim.engine.kernel.state import C_NOW, C_WARM_UP, L_TAKEN, L_TOTAL, KernelState
from sim.jit.functions import called

_LOAD_MAX = L_TOTAL + LedgerTotal.LOAD_MAX
_LOAD_END = L_TOTAL + LedgerTotal.LOAD_END


@called
def joined(plan: Plan, ledger: int, now: int) -> int:
    """Return how much load has joined a ledger's queue by an instant."""
    if plan.load[ledger, LoadColumn.COUNT] == 0:
        return 0
    cell_us = plan.load[ledger, LoadColumn.CELL_US]
    cell = now // cell_us
    at = plan.load[ledger, LoadColumn.FIRST] + cell
    before = plan.load_count[at]
    # Spread evenly over the cell; the contract bounds the product.
    rise = 2 * (plan.load_count[at + 1] - before) * (now - cell * cell_us)
    return int(before + (rise + cell_us) // (2 * cell_us))


@called
def look_at_load(plan: Plan, state: KernelState, ledger: int) -> int:
    """Count the load that waits at the start of a round or at the horizon, and return it."""
    own = state.ledger
    waiting = joined(plan, ledger, state.cursor[C_NOW]) - own[ledger, L_TAKEN]
    own[ledger, _LOAD_END] = waiting
    if state.cursor[C_NOW] >= state.cursor[C_WARM_UP]:
        own[ledger, _LOAD_MAX] = max(own[ledger, _LOAD_MAX], waiting)
    return int(waiting)
