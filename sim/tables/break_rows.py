"""Rows of ``breaks.parquet``: what a reconciliation found, in the end.

Takes the breaks of a run, counted; gives an Arrow table.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sim.contract.breaks import BREAK_AGES
from sim.contract.plan import Plan
from sim.tables.breaks import BreakFolder, Cell
from sim.tables.columns import int_column, names_array, text_column, whole_column
from sim.tables.schemas import BREAKS


def break_rows(plan: Plan, folder: BreakFolder, replication: int) -> pa.Table:
    """Return the rows of ``breaks.parquet``, in order of reconciliation, rail, agent and age."""
    keys = sorted(folder.cells)
    columns = np.array(keys, dtype=np.int64).reshape(-1, len(Cell._fields)).T
    counts = np.array([folder.cells[key] for key in keys], dtype=np.int64).reshape(-1, 4).T
    names = plan.names
    made = {
        "replication": whole_column(np.full(len(keys), replication, dtype=np.int64)),
        "reconciled_us": int_column(folder.at_us[columns[0]]),
        "rail": text_column(columns[1], names_array(names.rails)),
        "agent": text_column(columns[2], names_array(names.agents)),
        "currency": text_column(columns[3], names_array(names.currencies)),
        "age": text_column(columns[4], names_array(BREAK_AGES)),
        "breaks": int_column(counts[0]),
        "amount_minor": int_column(counts[1]),
        "new": int_column(counts[2]),
        "in_doubt": int_column(counts[3]),
    }
    return pa.Table.from_arrays([made[name] for name in BREAKS.names], schema=BREAKS)
