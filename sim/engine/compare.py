"""Where two event logs part: the first differing event, in words.

Takes two event logs (arrays of ``LOG_WIDTH`` columns) and the plan both were made from; gives a
sentence naming the first difference, or None where there is none.
"""

from __future__ import annotations

import numpy as np

from sim.contract.layout import PAYMENT_BITS, STEP_BITS, STEP_MASK
from sim.contract.meaning import EventClass, LogKind
from sim.contract.plan import Array, Plan
from sim.contract.records import LogColumn

_CONTEXT_ROWS = 3
_PAYMENT_MASK = (1 << PAYMENT_BITS) - 1


def first_difference(log_a: Array, log_b: Array, plan: Plan) -> str | None:
    """Name the first event in which two logs differ.

    Parameters
    ----------
    log_a, log_b : ndarray of int64, shape (rows, LOG_WIDTH)
        Event logs of the same plan and workload.
    plan : Plan
        Gives names to stages.

    Returns
    -------
    str or None
        Row number, both rows in words and the rows before them; None where the logs are equal.
    """
    rows = min(len(log_a), len(log_b))
    differing = np.flatnonzero((log_a[:rows] != log_b[:rows]).any(axis=1))
    if len(differing):
        at = int(differing[0])
        columns = [c.name for c in LogColumn if log_a[at, c] != log_b[at, c]]
        head = f"row {at} differs in {', '.join(columns)}"
    elif len(log_a) != len(log_b):
        at = rows
        head = f"one log ends after {rows} rows, the other has {max(len(log_a), len(log_b))}"
    else:
        return None
    lines = [head, f"  first:  {_say(log_a, at, plan)}", f"  second: {_say(log_b, at, plan)}"]
    for before in range(at - 1, max(-1, at - 1 - _CONTEXT_ROWS), -1):
        lines.append(f"  both, row {before}: {_say(log_a, before, plan)}")
    return "\n".join(lines)


def describe_row(row: Array, plan: Plan) -> str:
    """Return one row of an event log as a sentence."""
    values = {column: int(row[column]) for column in LogColumn}
    kind = _name(LogKind, values[LogColumn.KIND])
    key = values[LogColumn.KEY]
    event_class = _name(EventClass, key >> (PAYMENT_BITS + STEP_BITS))
    event_payment = (key >> STEP_BITS) & _PAYMENT_MASK
    stage = values[LogColumn.STAGE]
    names = plan.names.stages
    where = f" at stage {stage}" if stage >= 0 else ""
    if 0 <= stage < len(names):
        where += f" ({names[stage]})"
    return (
        f"{values[LogColumn.TIME_US]} us, event {event_class} of {event_payment} "
        f"step {key & STEP_MASK}: {kind} of payment {values[LogColumn.PAYMENT]}{where}, "
        f"subject {values[LogColumn.SUBJECT]}, amount {values[LogColumn.AMOUNT]}, "
        f"value {values[LogColumn.VALUE]}"
    )


def _say(log: Array, at: int, plan: Plan) -> str:
    """Return a row in words, or that there is none."""
    return describe_row(log[at], plan) if at < len(log) else "no such row"


def _name(kinds: type[LogKind] | type[EventClass], value: int) -> str:
    """Return the name of a member, or its number where there is none."""
    try:
        return kinds(value).name
    except ValueError:
        return f"unknown ({value})"
