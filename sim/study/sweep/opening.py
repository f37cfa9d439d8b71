"""Open what a sweep left in its folder.

Takes the folder; gives a :class:`~sim.study.sweep.study.SweepResult` of the points it holds. What
lies on another machine is opened there.
"""

from __future__ import annotations

from pathlib import Path

from sim.study.sweep.store import TABLE
from sim.study.sweep.study import POINT_COLUMNS, SweepResult
from sim.tables.tabular import TabularData

_UNIT = "_unit"


def is_sweep(folder: Path) -> bool:
    """Say whether a folder holds the table of a sweep."""
    return (folder / TABLE).is_file()


def open_sweep(folder: Path) -> SweepResult:
    """Return the points of a sweep.

    Parameters
    ----------
    folder : Path
    """
    import pyarrow.parquet as pq

    table = pq.read_table(folder / TABLE)
    rows = tuple(zip(*(column.to_pylist() for column in table.columns), strict=True))
    data = TabularData(tuple(table.column_names), rows)
    before = data.columns[: data.columns.index(POINT_COLUMNS[0])]
    # A factor with a unit has two columns.
    factors = tuple(
        name for name in before if not (name.endswith(_UNIT) and name.removesuffix(_UNIT) in before)
    )
    failed = sum(row["status"] != "done" for row in data.records())
    return SweepResult(data, 0, len(rows) - failed, failed, factors=factors)
