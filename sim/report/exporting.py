"""Hand a finished run to other programs: the table of exporters, and how one is called.

Takes a run and the name of a format; gives files. An exporter of ours is one file in
:mod:`sim.report.exporters` that holds an :class:`Exporter` called ``EXPORTER``; another package
adds its own through an entry point of the group ``payroute.exporters`` that names one.
"""

from __future__ import annotations

import gzip
import importlib
import pkgutil
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import sim.report.exporters
from sim.errors import MachineError, UserError, suggest
from sim.tables.finished_run import FinishedRun
from sim.tables.lives import Life, read_lives
from sim.tables.whole_file import DRAFT_SUFFIX, machine_errors

GROUP = "payroute.exporters"
"""Entry points by which another package adds formats."""
_GZIP = ".gz"


@dataclass(frozen=True, slots=True)
class Export:
    """What an exporter is given.

    Attributes
    ----------
    run : FinishedRun
    corridors : tuple of str
        Only payments of these; empty: all.
    notice : callable or None
        Hears how many payments are done, of how many.
    """

    run: FinishedRun
    corridors: tuple[str, ...] = ()
    notice: Callable[[int, int], None] | None = None

    @property
    def start(self) -> datetime:
        """Return the instant of microsecond 0, local time with its offset.

        Raises
        ------
        UserError
            If the run does not say, as one of an early version.
        """
        return datetime.fromisoformat(str(self._clock("start")))

    @property
    def horizon_us(self) -> int:
        """Return the length of the run in microseconds."""
        return int(str(self._clock("horizon_us")))

    @property
    def has_replications(self) -> bool:
        """Say whether payments are numbered anew in each of several replications."""
        return self.run.facts.get("replications") != 1

    def clock(self) -> Callable[[int], str]:
        """Return what writes simulated time as ISO 8601 with microseconds and offset."""
        start = self.start

        def instant(time_us: int) -> str:
            return (start + timedelta(microseconds=time_us)).isoformat(timespec="microseconds")

        return instant

    def lives(self, *, with_visits: bool = True) -> Iterator[Life]:
        """Yield payments with their visits; see :func:`~sim.tables.lives.read_lives`."""
        return read_lives(
            self.run, corridors=self.corridors, with_visits=with_visits, notice=self.notice
        )

    def name(self, life: Life) -> str:
        """Return what a payment is called: its number, after its replication where there are."""
        number = str(life.fields["payment_id"])
        return f"{life.fields['replication']}-{number}" if self.has_replications else number

    def _clock(self, name: str) -> object:
        clock = self.run.facts.get("clock")
        if not isinstance(clock, dict) or name not in clock:
            raise UserError(f"{self.run.path}: says nothing of its clock; run it again")
        return clock[name]


@dataclass(frozen=True, slots=True)
class Exporter:
    """A way of handing a run to another program.

    Attributes
    ----------
    words : str
        What it writes, in a few words.
    suffix : str
        Ending of its file; empty: it writes a folder.
    write : callable
        Takes an :class:`Export` and the path to write to, which does not exist. What it writes
        takes its place only once it returns.
    by_payment : bool
        Whether it goes by payments and so can leave some out.
    """

    words: str
    suffix: str
    write: Callable[[Export, Path], None]
    by_payment: bool = True

    @property
    def is_folder(self) -> bool:
        """Say whether it writes a folder."""
        return not self.suffix


def own_exporters() -> tuple[str, ...]:
    """Return the formats that come with the program, without loading any."""
    found = pkgutil.iter_modules(sim.report.exporters.__path__)
    return tuple(sorted(module.name for module in found))


def exporter_names() -> tuple[str, ...]:
    """Return every format there is, those of other packages too, without loading any."""
    return tuple(sorted({*own_exporters(), *_of_others()}))


def find_exporter(name: str) -> Exporter:
    """Return an exporter by the name of its format.

    Raises
    ------
    UserError
        If there is none of that name.
    MachineError
        If the package that brings it cannot be loaded.
    """
    if name in own_exporters():
        # Ours go first, so that no package changes what a name of ours means.
        found = importlib.import_module(f"{sim.report.exporters.__name__}.{name}").EXPORTER
        assert isinstance(found, Exporter), name
        return found
    entry = _of_others().get(name)
    if entry is None:
        known = exporter_names()
        raise UserError(
            f"--format: found {name!r}; allowed: {', '.join(known)}.{suggest(name, known)}"
        )
    brought = f"--format {name}: the package {_package(entry)} brings it and"
    try:
        loaded = entry.load()
    except Exception as error:
        raise MachineError(
            f"{brought} cannot be loaded ({type(error).__name__}: {error}); update or remove it"
        ) from error
    if not isinstance(loaded, Exporter):
        raise MachineError(
            f"{brought} names {entry.value}, which is no {__name__}.Exporter; update or remove it"
        )
    return loaded


def write_export(exporter: Exporter, export: Export, path: Path) -> list[Path]:
    """Write a run for another program; whole or not at all.

    Parameters
    ----------
    exporter : Exporter
    export : Export
    path : Path
        File, or folder of an exporter that writes one. A name that ends in ``.gz`` is compressed.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    UserError
        If the run lacks what is needed.
    MachineError
        If a file cannot be written.
    """
    if export.corridors and not exporter.by_payment:
        raise UserError(
            "--corridor: this format holds whole tables; allowed: with xes, ocel, trace"
        )
    with machine_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with _draft(path) as draft, machine_errors(path):
        exporter.write(export, draft)
        if exporter.is_folder:
            names = sorted(file.name for file in draft.iterdir())
            path.mkdir(exist_ok=True)
            for name in names:
                (draft / name).replace(path / name)
            return [path / name for name in names]
        if path.suffix == _GZIP:
            _compress(draft)
        draft.replace(path)
    return [path]


@contextmanager
def _draft(path: Path) -> Iterator[Path]:
    """Give a path beside another, and remove what is left there."""
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}{DRAFT_SUFFIX}")
    try:
        yield draft
    finally:
        with suppress(OSError):
            if draft.is_dir():
                shutil.rmtree(draft)
            else:
                draft.unlink(missing_ok=True)


def _compress(draft: Path) -> None:
    """Compress a file in place; the same content gives the same bytes."""
    packed = draft.with_name(f"{draft.name.removesuffix(DRAFT_SUFFIX)}-z{DRAFT_SUFFIX}")
    try:
        # Neither name nor time of day in it.
        with (
            draft.open("rb") as source,
            packed.open("wb") as sink,
            gzip.GzipFile("", "wb", fileobj=sink, mtime=0) as stream,
        ):
            shutil.copyfileobj(source, stream, 1 << 20)
        packed.replace(draft)
    finally:
        packed.unlink(missing_ok=True)


def _of_others() -> dict[str, EntryPoint]:
    """Return the entry points of other packages by name; of two of a name the first by package."""
    found = sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, _package(entry)))
    return {entry.name: entry for entry in reversed(found)}


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else "of an unknown name"


def chosen_corridors(given: Sequence[str] | None) -> tuple[str, ...]:
    """Return corridors asked for, each once."""
    return tuple(dict.fromkeys(given or ()))
