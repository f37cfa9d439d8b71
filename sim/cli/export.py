"""The ``export`` command: a finished run for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli import completing
from sim.cli.guard import guarded
from sim.cli.options import RunArgument
from sim.cli.showing import JsonOption, emit, note
from sim.errors import UserError

if TYPE_CHECKING:
    from sim.report.exporting import Exporter
    from sim.tables.finished_run import FinishedRun

_OWN = "csv, ocel, sqlite, trace, xes"
_STEM = "payments"
"""Beginning of a file's name in the run folder."""


@guarded
def export_command(
    run: RunArgument,
    form: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help=f"One of {_OWN}, or what another package brings.",
            autocompletion=completing.exporters,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|DIR", help="Where to; default in the run folder. FILE.gz is compressed."
        ),
    ] = None,
    corridors: Annotated[
        list[str] | None,
        typer.Option(
            "--corridor",
            metavar="NAME",
            help="Only payments of this corridor.",
            autocompletion=completing.corridors,
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a run for other programs: process mining, Perfetto, spreadsheets, SQL.

    Single visits of payments are in xes, ocel and trace where the run recorded them (run --record
    stages).
    """
    from sim.cli.progress import RunCounter
    from sim.report.exporting import Export, chosen_corridors, find_exporter, write_export
    from sim.tables.damage import damage_told
    from sim.tables.open_run import open_run

    exporter = find_exporter(form)
    opened = open_run(run)
    path = out or _place(opened, exporter, form)
    with RunCounter("payments") as counter:
        export = Export(opened, chosen_corridors(corridors), counter.tell)
        with damage_told(opened.path):
            files = write_export(exporter, export, path)
    if out is None:
        _own(opened, files)
    if as_json:
        from sim.tables.json_text import json_text

        sizes = [{"path": str(file), "bytes": file.stat().st_size} for file in files]
        emit(json_text({"format": form, "files": sizes}))
    else:
        size = sum(file.stat().st_size for file in files)
        note(f"written to {path}: {exporter.words}, {size / 1e6:.1f} MB")


def _place(run: FinishedRun, exporter: Exporter, form: str) -> Path:
    """Return where an export goes unless told otherwise: into the run folder."""
    from sim.tables.run_place import strange_files

    if exporter.is_folder:
        folder = run.path / form
        names = tuple(f"{form}/{file.name}" for file in folder.iterdir()) if folder.exists() else ()
    else:
        names = (f"{_STEM}{exporter.suffix}",)
    strange = strange_files(run.path, names)
    if strange:
        raise UserError(
            f"{run.path / strange[0]}: found a file somebody else wrote or changed; allowed: "
            "another name with --out"
        )
    return run.path / form if exporter.is_folder else run.path / names[0]


def _own(run: FinishedRun, files: list[Path]) -> None:
    """Note in the run folder that the files are ours."""
    from sim.tables.run_place import own_beside

    for file in files:
        own_beside(run.path, file.relative_to(run.path).as_posix())
