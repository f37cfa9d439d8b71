"""Show a document the way the command line asks for: the options all commands share.

Takes a document; prints it, or writes it to a file. A file that cannot be written ends the command
only after everything else was shown.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli import completing
from sim.cli.streams import encodable
from sim.errors import MachineError
from sim.report.rendering import choose_format, format_names

if TYPE_CHECKING:
    from sim.report.blocks import Document
    from sim.tables.tabular import TabularData

FormatOption = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help=f"One of {', '.join(format_names())}.",
        autocompletion=completing.formats,
    ),
]
OutputOption = Annotated[
    Path | None,
    typer.Option("--output", metavar="FILE", help="Write what is shown here too, by its suffix."),
]
TableOption = Annotated[
    Path | None,
    typer.Option("--table", "--out", metavar="FILE", help="Write the table with every digit here."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]

QuietOption = Annotated[
    bool, typer.Option("--quiet", help="Show no progress and no notes, only warnings and errors.")
]
_QUIET: ContextVar[bool] = ContextVar("quiet", default=False)


@dataclass(frozen=True, slots=True)
class Beside:
    """A further table for a file of its own."""

    table: TabularData
    form: str | None
    path: Path


@dataclass(frozen=True, slots=True)
class Showing:
    """What the command line asks for.

    Attributes
    ----------
    form, output_form, table_form : str or None
        Formats of what is printed, of the file with the same, and of the table's file.
    output, table : Path or None
        Those files.
    as_json : bool
        Whether the one JSON object is printed, whatever files are written.
    has_table : bool
        Whether the command has a table: the format json is its rows then, as csv is.
    """

    form: str | None
    output: Path | None
    output_form: str | None
    table: Path | None
    table_form: str | None
    as_json: bool
    has_table: bool = False

    def show(self, document: Document, *, beside: Sequence[Beside] = ()) -> None:
        """Write the files asked for, then print; a file that cannot be written is told last.

        Parameters
        ----------
        document : Document
        beside : sequence of Beside
            Further tables that were asked for.

        Raises
        ------
        MachineError
            If a file cannot be written; everything else has been shown then.
        """
        from sim.report.blocks import Document
        from sim.report.rendering import render, write_document, write_table

        refused: list[MachineError] = []
        written: list[Path] = []

        def wrote(path: Path, write: Callable[[], None]) -> None:
            try:
                write()
                written.append(path)
            except MachineError as error:
                refused.append(error)

        if self.output is not None and self.output_form is not None:
            output, form = self.output, self.output_form
            wrote(output, lambda: write_document(document, form, output))
        tables = list(beside)
        if self.table is not None:
            tables.append(Beside(document.table, self.table_form, self.table))
        for one in tables:
            # With a file there is a format: `showing` has seen to it.
            assert one.form is not None, one.path
            wrote(
                one.path,
                partial(write_table, one.table, one.form, one.path, origin=document.origin),
            )
        if self.as_json:
            emit(render(document, "json"))
        elif self.form == "json" and self.has_table:
            emit(render(Document.of_table(document.table), "json"))
        elif self.form in (None, "terminal"):
            _print_lines(document)
        else:
            emit(render(document, self.form))
        for path in written:
            note(f"written to {path}")
        if refused:
            raise MachineError("; ".join(map(str, refused)))


def showing(
    form: str | None,
    output: Path | None,
    *,
    as_json: bool,
    table: Path | None = None,
    option: str = "--out",
    has_table: bool = False,
) -> Showing:
    """Check what is asked for before anything runs; with a file the format is the file's.

    Raises
    ------
    UserError
        If a format is unknown or needs a file.
    """
    output_form = choose_format(form, output, option="--output") if output is not None else None
    table_form = choose_format(form if output is None else None, table, option=option)
    printed = None if output is not None or table is not None else choose_format(form, None)
    of_table = table_form if table else None
    return Showing(printed, output, output_form, table, of_table, as_json, has_table)


def note(message: str) -> None:
    """Say on standard error what is good to know and nobody waits for; nothing with --quiet."""
    if not is_quiet():
        typer.echo(message, err=True)


def warn(message: str) -> None:
    """Say on standard error what may be wrong with a result; also with --quiet."""
    typer.echo(f"warning: {message}", err=True)


def be_quiet(is_wanted: bool) -> None:
    """Show no progress and no notes from here on, or show them again."""
    _QUIET.set(is_wanted)


def is_quiet() -> bool:
    """Say whether only results, warnings and errors are wanted."""
    return _QUIET.get()


def command_words() -> tuple[str, ...]:
    """Return the command as typed, kept with what it made."""
    return ("payroute", *sys.argv[1:])


def emit(text: str) -> None:
    """Print text on standard output, with stand-ins for letters it lacks."""
    sys.stdout.write(encodable(text, sys.stdout.encoding))
    # What cannot be printed shows now, not at exit.
    sys.stdout.flush()


def _print_lines(document: Document) -> None:
    """Print for people: as wide as the terminal, with its colours."""
    from rich.console import Console

    from sim.report.formats.terminal import lines, render

    console = Console(highlight=False)
    if not console.is_terminal:
        # A file or another program has no width, whatever the terminal beside it has.
        emit(render(document))
        return
    with console.capture() as capture:
        for line in lines(document, console.width):
            console.print(line, soft_wrap=True)
    emit(capture.get())
