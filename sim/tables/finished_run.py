"""What is in a finished run folder.

Takes its path; gives access to the tables and facts of a run that says ``complete``
(:mod:`sim.tables.open_run`). Writes nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sim.errors import UserError
from sim.tables.schemas import SCHEMAS, Json, text_columns

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

    def __repr__(self) -> str:
        """Return a line for people; all facts would be a page."""
        asked, scenario = self.facts.get("asked"), self.facts.get("scenario")
        return f"<Run folder {self.path}: {scenario}, seed {self.facts.get('seed')}, {asked}>"

    @property
    def replications(self) -> range:
        """Return the numbers of its replications; a single run may be any one of a set."""
        alone = self.facts.get("replication")
        if isinstance(alone, int):
            return range(alone, alone + 1)
        return range(int(str(self.facts.get("replications", 1))))

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
        table = pq.read_table(path, columns=columns, read_dictionary=text_columns(SCHEMAS[name]))
        # Row groups of a long run have dictionaries of their own; who groups by name needs one.
        return table.unify_dictionaries()

    def has(self, name: str) -> bool:
        """Say whether a file is there."""
        return (self.path / name).exists()

    def summary(self) -> dict[str, Json]:
        """Return the contents of ``summary.json``."""
        return read_json(self.path / SUMMARY_FILE)


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
