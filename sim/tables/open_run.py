"""Open finished run folders.

Takes a path; gives a :class:`~sim.tables.finished_run.FinishedRun`. Moves the files of a complete
run where they belong, should the process that made it have been ended just then; whoever only reads
what is in a folder, as the audit does, is given an opened one.
"""

from __future__ import annotations

from pathlib import Path

from sim.errors import UserError
from sim.tables.finished_run import FinishedRun, read_json
from sim.tables.run_place import COMPLETE, RUN_FILE, settle


def open_run(path: Path) -> FinishedRun:
    """Open a finished run.

    Parameters
    ----------
    path : Path
        A run folder.

    Raises
    ------
    UserError
        If there is no run, or the run did not finish.
    """
    if path.is_file():
        # Whoever names a table or run.json means the run it lies in.
        is_inside = (path.parent / RUN_FILE).exists()
        allowed = f"the folder it lies in, {path.parent}" if is_inside else "a run folder"
        told = "" if is_inside else ", as `payroute run` prints it"
        raise UserError(f"{path}: found a file; allowed: {allowed}{told}")
    if not path.is_dir():
        raise UserError(f"{path}: no such folder; give a run folder as `payroute run` prints it")
    settle(path)
    if not (path / RUN_FILE).exists():
        raise UserError(f"{path}: no {RUN_FILE} in it, so this is not a run folder")
    facts = read_json(path / RUN_FILE)
    status = facts.get("status")
    if status != COMPLETE:
        raise UserError(
            f"{path}: the run there did not finish (status {status!r}, started at "
            f"{facts.get('started_at', 'an unknown time')}), so it is not a result; run it again"
        )
    return FinishedRun(path, facts)
