"""One run that is to be made, and what came of it.

Takes nothing; gives the :class:`Case` a study asks for and the :class:`Outcome` it gets back. Both
are plain data that any process, on any machine, can read: text travels, not paths and not compiled
plans, so that a worker needs nothing but this package.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sim.errors import UserError, suggest

if TYPE_CHECKING:
    from sim.analysis.summary import Summary
    from sim.audit.run import AuditReport
    from sim.compiler.compile import Compiled
    from sim.contract.run import Sink

ENGINES = ("compiled", "reference")
RECORDS = ("none", "payments", "stages", "events")


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a plan is run and what is kept.

    Attributes
    ----------
    engine : str
        One of :data:`ENGINES`.
    record : str
        One of :data:`RECORDS`.
    audit : bool
        Whether the event log streams through the auditor.
    """

    engine: str = "compiled"
    record: str = "payments"
    audit: bool = False

    def __post_init__(self) -> None:
        given = (("engine", self.engine, ENGINES), ("record", self.record, RECORDS))
        for option, found, allowed in given:
            if found not in allowed:
                raise UserError(
                    f"--{option}: found {found!r}; allowed: {', '.join(allowed)}."
                    f"{suggest(found, allowed)}"
                )


QUIET = RunOptions(record="none")
"""Measures alone, as every study of many runs wants them."""


@dataclass(frozen=True, slots=True)
class PartFolder:
    """Where one replication writes its tables.

    Attributes
    ----------
    path : Path
        The run folder.
    provenance : dict of str to str
        Written into every table.
    suffix : str
        Put before ``.parquet``, so that replications can write side by side.
    """

    path: Path
    provenance: dict[str, str]
    suffix: str = ""


class Watching(Protocol):
    """What a study sees of one run while it goes on."""

    @property
    def sinks(self) -> Sequence[Sink]:
        """Return what is given the event log and the payments."""

    def keep(self, summary: Summary) -> object:
        """Return what the study keeps of the run, given its measures."""


class Watch(Protocol):
    """What a study wants to see of a run besides its measures; travels with the case."""

    def begin(self, compiled: Compiled) -> Watching:
        """Return what watches the run of a compiled scenario."""


@dataclass(frozen=True, slots=True)
class Case:
    """One run that is to be made.

    Attributes
    ----------
    text : str
        The resolved scenario, as in ``scenario.yaml`` of a run folder.
    seed, replication : int
        Key of all random numbers.
    options : RunOptions
        Engine, tables, audit.
    changes : tuple of str
        ``path.to.field=value``, on top of the text.
    folder : PartFolder or None
        Where tables go.
    watch : Watch or None
        What is seen besides the measures.
    measures : tuple of str, or None
        Keys of the measures that come back, where a study of a thousand runs wants a few of each.
    fingerprint : str or None
        Of a compiled scenario whose outcome is known: a case that compiles to it is not run. Empty
        where only its own fingerprint is wanted, None where none is.
    software : tuple of (str, str or None)
        Source and libraries the process that runs it must have; empty: any, as this machine's own.
    """

    text: str
    seed: int
    replication: int
    options: RunOptions = QUIET
    changes: tuple[str, ...] = ()
    folder: PartFolder | None = None
    watch: Watch | None = None
    measures: tuple[str, ...] | None = None
    fingerprint: str | None = None
    software: tuple[tuple[str, str | None], ...] = ()


@dataclass(frozen=True, slots=True)
class CaseTotals:
    """What is known of one replication besides its measures.

    Attributes
    ----------
    replication, payments, events : int
        Its number, and as run.
    digest, payments_digest : str
        Fingerprints of all that happened.
    expected : float or None
        Payments the demand led to expect in the headline, given the bursts drawn; None where the
        number is bounded or written down.
    """

    replication: int
    payments: int
    events: int
    digest: str
    payments_digest: str
    expected: float | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a case.

    Attributes
    ----------
    summary : Summary
        Measures of this replication alone; none where it was not run.
    totals : CaseTotals
    engine_seconds : float
        Inside the engine.
    seconds : float
        Compiling and running.
    files : tuple of Path
        Tables written.
    audit : AuditReport or None
        What the audit found, where one was asked for.
    fingerprint : str
        Of what was compiled, where it was asked for.
    kept : object
        What the watch of the case kept.
    is_run : bool
        False where the case compiles to what was run before, so that it cannot differ.
    """

    summary: Summary
    totals: CaseTotals
    engine_seconds: float
    seconds: float = 0.0
    files: tuple[Path, ...] = ()
    audit: AuditReport | None = None
    fingerprint: str = ""
    kept: object = None
    is_run: bool = True

    @property
    def replication(self) -> int:
        """Return its number."""
        return self.totals.replication
