"""What a run gives back to Python: its measures, its tables and its folder.

Takes a finished run folder and its summary; gives a :class:`Result`. Tables are read when asked
for, so that a result costs nothing until somebody looks into it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from sim.errors import MachineError
from sim.study.shown import RunFigures, notebook_html, plots, write_report

if TYPE_CHECKING:
    import pyarrow as pa

    from sim.analysis.summary import Summary
    from sim.audit.run import AuditReport
    from sim.tables.finished_run import FinishedRun
    from sim.tables.schemas import Json


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a precision was reached.

    Attributes
    ----------
    is_reached : bool
        Whether every target was.
    reasons : tuple of str
        A sentence per target.
    """

    is_reached: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What a run left behind.

    Attributes
    ----------
    summary : Summary
        Every measure; ``summary["success_rate"]`` has ``value``, ``unit``, ``low`` and ``high``
        and turns into a float.
    run : FinishedRun
        The run folder.
    audit : AuditReport or None
        What the audit found, where one was asked for.
    repeat : tuple of bool and str, or None
        Whether the run this one replaced had the same digest, and a sentence that says so; None
        where there was nothing to compare with.
    verdict : Verdict or None
        Whether a precision was reached, where one was asked for.
    """

    summary: Summary
    run: FinishedRun
    audit: AuditReport | None = None
    repeat: tuple[bool, str] | None = None
    verdict: Verdict | None = None

    def __repr__(self) -> str:
        """Return a few lines for people: what was run, and where it lies."""
        return f"<Result in {self.folder}: {self.summary!r}>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        return notebook_html(self)

    @property
    def plot(self) -> RunFigures:
        """Return what draws its figures."""
        drawn: RunFigures = plots(self)
        return drawn

    def report(self, path: Path | str | None = None) -> Path:
        """Write a page that works offline; see :func:`~sim.study.shown.write_report`."""
        return write_report(self, path)

    @property
    def folder(self) -> Path:
        """Return the run folder."""
        return self.run.path

    @property
    def facts(self) -> dict[str, Json]:
        """Return the contents of ``run.json``."""
        return self.run.facts

    @property
    def payments(self) -> pa.Table:
        """Read ``payments.parquet``: a row per submitted payment."""
        return self.table("payments")

    @property
    def fees(self) -> pa.Table:
        """Read ``fees.parquet``: a row per fee charged."""
        return self.table("fees")

    @property
    def stages(self) -> pa.Table:
        """Read ``stages.parquet``: a row per wait or service (``record="stages"``)."""
        return self.table("stages")

    @property
    def series(self) -> pa.Table:
        """Read ``series.parquet``: queues and balances over time."""
        return self.table("series")

    @property
    def events(self) -> pa.Table:
        """Read ``events.parquet``: the whole event log (``record="events"``)."""
        return self.table("events")

    def table(self, name: str) -> pa.Table:
        """Read a table of the run folder by name, as in ``payments``.

        Raises
        ------
        UserError
            If the run did not record it.
        """
        return self.run.table(f"{name}.parquet")

    def to_pandas(self, name: str = "payments") -> object:
        """Return a table as a pandas data frame.

        Parameters
        ----------
        name : str
            Which table.

        Raises
        ------
        MachineError
            If pandas is not installed.
        """
        _need("pandas")
        frame: object = self.table(name).to_pandas()
        return frame

    def to_polars(self, name: str = "payments") -> object:
        """Return a table as a Polars data frame.

        Parameters
        ----------
        name : str
            Which table.

        Raises
        ------
        MachineError
            If Polars is not installed.
        """
        read: Callable[[object], object] = _need("polars").from_arrow
        return read(self.table(name))


def _need(package: str) -> ModuleType:
    """Import an optional package or say how to get it."""
    try:
        return importlib.import_module(package)
    except ImportError:
        raise MachineError(
            f"{package}: not installed, and this conversion needs it; install it with "
            f"`pip install {package}`, or use the Arrow table as it is"
        ) from None


def open_result(path: Path | str) -> Result:
    """Open a finished run as what it gave back when it was run.

    Parameters
    ----------
    path : Path or str
        A run folder.

    Raises
    ------
    UserError
        If there is no finished run.
    """
    from sim.analysis.completing import complete
    from sim.analysis.summary import summary_of
    from sim.tables.damage import damage_told
    from sim.tables.open_run import open_run

    run = open_run(Path(path))
    with damage_told(run.path):
        # A run of an earlier version knows fewer measures; those it lacks have no value.
        return Result(complete(summary_of(run.summary())), run)
