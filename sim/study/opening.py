"""Open what was left in a folder, whatever it was.

Takes a path; gives the result a run or a sweep gave back when it was made.
"""

from __future__ import annotations

from pathlib import Path

from sim.study.result import Result, open_result
from sim.study.sweep.opening import is_sweep, open_sweep
from sim.study.sweep.study import SweepResult


def open_folder(path: Path | str) -> Result | SweepResult:
    """Open what a finished run, or a sweep, left in its folder.

    Parameters
    ----------
    path : Path or str
        A run folder, or the folder of a sweep.

    Raises
    ------
    UserError
        If there is neither.
    """
    return open_sweep(Path(path)) if is_sweep(Path(path)) else open_result(path)
