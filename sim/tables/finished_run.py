"""Open finished run folders and read what is in them.

Takes a path; gives access to the tables and facts of a run that says ``complete``. Writes nothing,
but for moving the files of a complete run where they belong, should the process that made it have
been ended just then.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sim.errors import UserError
from sim.tables.json_text import Json
from sim.tables.run_place import COMPLETE, RUN_FILE, settle
from sim.tables.schemas import SCHEMAS, text_columns

SUMMARY_FILE = "summary.json"
SCENARIO_FILE = "scenario.yaml"
PLAN_FILE = "plan.txt"


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A complete run folder.

    Attributes
    ----------
    path : Path
        Its folder.
    facts : dict
        Contents of ``run.json``.
    kept : tuple of str
        Files of the user's that had the name of one of ours, under the names they have now.
    """

    path: Path
    facts: dict[str, Json]
    kept: tuple[str, ...] = ()

    def table(self, name: str, columns: list[str] | None = None) -> pa.Table:
        """Read one of the tables, text columns dictionary-encoded.

        Parameters
        ----------
        name : str
            File name, as in ``payments.parquet``.
        columns : list of str, optional
            Default all.
        """
        path = self.path / name
        if not path.exists():
            raise UserError(
                f"{path}: this run did not record that table (recorded: "
                f"{self.facts.get('record', 'unknown')}); run again with a higher --record"
            )
        return pq.read_table(path, columns=columns, read_dictionary=text_columns(SCHEMAS[name]))

    def has(self, name: str) -> bool:
        """Say whether a file is there."""
        return (self.path / name).exists()

    def summary(self) -> dict[str, Json]:
        """Return the contents of ``summary.json``."""
        return read_json(self.path / SUMMARY_FILE)


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


def read_json(path: Path) -> dict[str, Json]:
    """Read a JSON object of ours."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: missing; the run folder is incomplete, run it again") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not readable as JSON ({error}); run it again") from None
    if not isinstance(content, dict):
        raise UserError(f"{path}: not a JSON object; run it again")
    return content
