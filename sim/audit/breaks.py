"""Check ``breaks.parquet``: what books disagreed about at each comparison, out of the payments.

Takes rows of both tables as numbers and the plan; counts again, comparison by comparison, from the
instants of the payments alone.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from sim.audit.findings import Findings
from sim.audit.names import Words
from sim.contract.breaks import AGE_FROM_DAYS, BREAK_AGES, ReconciliationColumn
from sim.contract.layout import NULL, RouteColumn, StreamColumn
from sim.contract.plan import Array, Plan
from sim.units import DAY_US

_KEYS = ("replication", "reconciled_us", "rail", "agent", "currency", "age")
_COUNTS = ("breaks", "amount_minor", "new", "in_doubt")
_Found = dict[tuple[int, ...], tuple[int, ...]]


def break_words(plan: Plan) -> Words:
    """Return the names in ``breaks.parquet``."""
    names = plan.names
    return {
        "rail": names.rails, "agent": names.agents, "currency": names.currencies, "age": BREAK_AGES,
    }  # fmt: skip


def check_breaks(
    plan: Plan, breaks: dict[str, Array], payments: dict[str, Array], findings: Findings
) -> None:
    """Check that every break of the payments is counted, once and where it belongs.

    Parameters
    ----------
    plan : Plan
        The plan of the run.
    breaks, payments : mapping of str to ndarray of int64
        Columns by name; names as numbers, -1 for none.
    findings : Findings
        Where violations go.
    """
    wanted = _demanded(plan, payments)
    keys = np.column_stack([breaks[name] for name in _KEYS]).tolist()
    counts = np.column_stack([breaks[name] for name in _COUNTS]).tolist()
    told = dict(zip(map(tuple, keys), map(tuple, counts), strict=True))
    findings.check("breaks", len(told) == len(keys), "{} rows, {} different", len(keys), len(told))
    for key in sorted(wanted.keys() | told.keys()):
        found, due = told.get(key, ()), wanted.get(key, ())
        message = "breaks at {} aged {} of rail {}: {} rows' sums, should be {}"
        said = sum(found[:1]), sum(due[:1])
        findings.check("breaks", found == due, message, key[1], key[5], key[2], *said)


def _demanded(plan: Plan, payments: dict[str, Array]) -> _Found:
    """Return the counts of every cell that payments fill."""
    sums: defaultdict[tuple[int, ...], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    route, offset = np.minimum(payments["route"], len(plan.route)), plan.day_offset_us
    # -1 picks the last entry: no route has neither.
    rails = np.append(plan.route[:, RouteColumn.RAIL], np.int64(-1))[route]
    agents = np.append(plan.route[:, RouteColumn.SETTLEMENT_AGENT], np.int64(-1))[route]
    # A stream or route of another name is found where names are.
    streams = np.append(plan.stream[:, StreamColumn.CURRENCY], np.int64(-1))
    currencies = streams[np.minimum(payments["stream"], len(plan.stream))]
    before: NDArray[np.bool_] = np.zeros(len(route), dtype=np.bool_)
    for at_us in plan.reconciliation[:, ReconciliationColumn.AT_US].tolist():
        debited, doubted = _debited(payments, at_us), _doubted(payments, at_us)
        # Where only one of them stands the other does not say since when.
        settled = np.where(debited, payments["settled_us"], at_us)
        since = np.minimum(settled, np.where(doubted, payments["doubted_us"], at_us))
        days = (at_us - 1 + offset) // DAY_US - (since + offset) // DAY_US
        ages = np.sum([days >= least for least in AGE_FROM_DAYS], axis=0) - 1
        standing = debited | doubted
        for at in np.flatnonzero(standing).tolist():
            names = rails[at], agents[at], currencies[at], ages[at]
            cell = sums[(int(payments["replication"][at]), at_us, *map(int, names))]
            cell[0] += 1
            cell[1] += int(payments["instructed_amount_minor"][at])
            cell[2] += not before[at]
            cell[3] += bool(doubted[at])
        before = standing
    return {key: tuple(cell) for key, cell in sums.items()}


def _debited(payments: dict[str, Array], at_us: int) -> NDArray[np.bool_]:
    """Return whose payers were debited before an instant, to nobody's credit and not undone."""
    settled = payments["settled_us"]
    found: NDArray[np.bool_] = (settled != NULL) & (settled < at_us)
    for name in ("credited_us", "end_us"):
        found = found & ((payments[name] == NULL) | (payments[name] >= at_us))
    return found


def _doubted(payments: dict[str, Array], at_us: int) -> NDArray[np.bool_]:
    """Return which payments were in doubt at an instant."""
    began = (payments["doubted_us"] != NULL) & (payments["doubted_us"] < at_us)
    is_open = (payments["in_doubt_since_us"] != NULL) | (payments["known_us"] == NULL)
    found: NDArray[np.bool_] = began & (is_open | (payments["known_us"] >= at_us))
    return found
