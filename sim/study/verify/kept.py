"""What an engine tells, kept in memory: logs and records of runs that are checked and forgotten.

Takes a scenario's file and what is changed of it; gives plan, workload and whatever an engine said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sim.compiler.compile import Compiled, compile_scenario
from sim.contract.plan import Array
from sim.contract.records import LOG_WIDTH, RECORD_WIDTH
from sim.contract.run import Totals
from sim.scenario.scenario import load_scenario


@dataclass
class Kept:
    """Everything an engine gives.

    Attributes
    ----------
    wants_log : bool
    """

    wants_log: bool = True
    wants_records: bool = True
    _logs: list[Array] = field(default_factory=list)
    _records: list[Array] = field(default_factory=list)

    def take_log(self, rows: Array) -> None:
        """Keep rows of the log."""
        self._logs.append(rows)

    def take_records(self, rows: Array) -> None:
        """Keep records of payments."""
        self._records.append(rows)

    def take_progress(self, time_us: int, payments: int, events: int) -> None:
        """Take no notice: such runs are short."""

    @property
    def log(self) -> Array:
        """Return the log, shape (rows, LOG_WIDTH)."""
        return np.concatenate([np.empty((0, LOG_WIDTH), dtype=np.int64), *self._logs])

    @property
    def records(self) -> Array:
        """Return the records, shape (payments, RECORD_WIDTH)."""
        return np.concatenate([np.empty((0, RECORD_WIDTH), dtype=np.int64), *self._records])


def compile_file(path: Path, overrides: Sequence[str] = ()) -> Compiled:
    """Return a scenario of the program, compiled.

    Parameters
    ----------
    path : Path
    overrides : sequence of str
        As for ``--set``.
    """
    return compile_scenario(load_scenario(path, tuple(overrides)))


def run_kept(
    engine: Callable[..., Totals], compiled: Compiled, *, wants_log: bool = True
) -> tuple[Kept, Totals]:
    """Run an engine and return what it told and its totals."""
    kept = Kept(wants_log=wants_log)
    return kept, engine(compiled.plan, compiled.workload(), kept)
