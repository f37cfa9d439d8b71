"""The ``report`` command: finished runs as one page to look at, and its figures as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli import completing
from sim.cli.guard import guarded
from sim.cli.showing import note
from sim.errors import UserError

if TYPE_CHECKING:
    from sim.report.blocks import Document
    from sim.study.result import Result


PAGE_FILE = "report.html"


@guarded
def report_command(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN…", help="Folders of finished runs.", autocompletion=completing.runs
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The page; default report.html in the (first) folder."),
    ] = None,
    figures: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write figures here: SVG, PDF, PNG, and data as CSV."),
    ] = None,
    style: Annotated[
        str,
        typer.Option(
            metavar="paper|slides",
            help="Sizes of --figures.",
            autocompletion=completing.words("style"),
        ),
    ] = "paper",
) -> None:
    """Write a page that shows a run: works offline, asks nobody for anything."""
    from sim.report.documents.report import report_document
    from sim.report.documents.side_by_side import side_document
    from sim.report.figures.drawing import need_drawing
    from sim.report.figures.style import find_style
    from sim.study.result import open_result
    from sim.tables.damage import damage_told

    chosen = find_style(style)
    need_drawing()
    results = [open_result(run) for run in runs]
    with damage_told(*runs):
        document = report_document(results[0]) if len(results) == 1 else side_document(results)
    write_page(document, out or page_of(results[0]), None if out else results[0])
    if figures is not None:
        from sim.report.blocks import Figure
        from sim.report.figures.drawing import write_figures

        found = {block.name: block for block in document.blocks if isinstance(block, Figure)}
        write_figures(found, figures, chosen)
        note(f"written to {figures}: {len(found)} figures as SVG, PDF, PNG and CSV")


def refuse_without_drawing() -> None:
    """Say what a page needs before a long run, not after it.

    Raises
    ------
    MachineError
        If it is not installed.
    """
    from sim.report.figures.drawing import need_drawing

    need_drawing()


def write_page_of(result: Result) -> None:
    """Write the page of a run that has just been made into its folder."""
    from dataclasses import replace

    from sim.report.documents.report import report_document
    from sim.study.result import open_result

    # Of the folder, so that the page is the same whenever it is made.
    kept = replace(open_result(result.folder), audit=result.audit)
    write_page(report_document(kept), page_of(kept), kept)


def page_of(result: Result) -> Path:
    """Return where the page of a run goes unless told otherwise."""
    return result.folder / PAGE_FILE


def write_page(document: Document, path: Path, result: Result | None = None) -> None:
    """Write a page and say where it is; in a run's own folder it is noted as ours."""
    from sim.report.rendering import write_document
    from sim.tables.run_place import own_beside, strange_files

    if result is not None and strange_files(result.folder, (PAGE_FILE,)):
        raise UserError(
            f"{path}: found a file somebody else wrote or changed; allowed: another name with --out"
        )
    write_document(document, "html", path)
    if result is not None:
        own_beside(result.folder, PAGE_FILE)
    note(f"written to {path}")
