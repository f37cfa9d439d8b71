"""Hold the positions of FX providers against their bounds.

Takes a plan and the balances a log leaves; reports where a position and its room do not add up to
what the provider may hold, or where either is past its end.
"""

from __future__ import annotations

from sim.audit.findings import Findings
from sim.contract.agenda import AgendaKind
from sim.contract.layout import UNLIMITED, AccountColumn, AgendaColumn
from sim.contract.plan import Array, Plan
from sim.contract.positions import POSITION, ROOM


def check_positions(plan: Plan, posted: Array, findings: Findings) -> None:
    """Check every bounded position at the end of a log.

    Parameters
    ----------
    plan : Plan
    posted : ndarray of int64, shape (accounts,)
        Balances the log leaves.
    findings : Findings
    """
    at = {name: number for number, name in enumerate(plan.names.accounts)}
    for name, room in at.items():
        if not name.startswith(ROOM):
            continue
        position = at.get(POSITION + name.removeprefix(ROOM))
        findings.check("position", position is not None, f"{name} is the room of no position")
        if position is None:
            continue
        # What both opened with is the limit: the plan says it nowhere else.
        most = sum(_opening(plan, account) for account in (position, room))
        held, left = int(posted[position]), int(posted[room])
        findings.check(
            "position",
            held + left == most,
            f"{name} has room for {{1}} beside a position of {{0}}; together {{2}} is allowed",
            held,
            left,
            most,
        )
        floor = int(plan.account[position, AccountColumn.OVERDRAFT])
        findings.check(
            "position",
            left >= 0 and (floor >= UNLIMITED or held >= -floor),
            f"{name}: found a position of {{}}, beyond its bounds",
            held,
        )


def _opening(plan: Plan, account: int) -> int:
    """Return what is put on an account at the start."""
    rows = plan.agenda
    first = (rows[:, AgendaColumn.KIND] == AgendaKind.DEPOSIT) & (
        rows[:, AgendaColumn.TIME_US] == 0
    )
    return int(rows[first & (rows[:, AgendaColumn.SUBJECT] == account), AgendaColumn.AMOUNT].sum())
