"""Show a document the way the command line asks for: the options all commands share.

Takes a document; prints it, or writes it to a file. A terminal that lacks a character gets a
stand-in for it, a reader who has gone away ends nothing: what a command found still decides its
exit code.
"""

from __future__ import annotations

import os
import sys
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.report.rendering import choose_format, format_names

if TYPE_CHECKING:
    from sim.report.blocks import Document

FormatOption = Annotated[
    str | None,
    typer.Option("--format", metavar="FORMAT", help=f"One of {', '.join(format_names())}."),
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

_STAND_INS = str.maketrans(
    {
        **dict(zip("▁▂▃▄▅▆▇█░", "_..--==#:", strict=True)),
        "─": "-",
        "│": "|",
        "±": "+-",
        "…": "...",
        "“": '"',
        "”": '"',
        "’": "'",
        "–": "-",
        "≥": ">=",
        "≤": "<=",
        "×": "x",
        "→": "->",
        "\u00a0": " ",
    }
)


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
        Whether JSON is printed, whatever files are written.
    """

    form: str | None
    output: Path | None
    output_form: str | None
    table: Path | None
    table_form: str | None
    as_json: bool

    def show(self, document: Document) -> None:
        """Write the files asked for, then print."""
        from sim.report.rendering import render, write_document, write_table

        if self.output is not None and self.output_form is not None:
            write_document(document, self.output_form, self.output)
        if self.table is not None and self.table_form is not None:
            write_table(document.table, self.table_form, self.table, origin=document.origin)
        form = "json" if self.as_json else self.form
        if form in (None, "terminal"):
            _print_lines(document)
        else:
            emit(render(document, form))
        for path in (self.output, self.table):
            if path is not None:
                note(f"written to {path}")


def showing(
    form: str | None,
    output: Path | None,
    *,
    as_json: bool,
    table: Path | None = None,
    option: str = "--out",
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
    return Showing(printed, output, output_form, table, table_form if table else None, as_json)


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
    """Print text on standard output; nothing of it is lost, and a closed pipe is no error."""
    try:
        sys.stdout.write(encodable(text, sys.stdout.encoding))
        # Else the reader's absence would show at exit only, as a traceback nobody can catch.
        sys.stdout.flush()
    except BrokenPipeError:
        close_quietly()


def encodable(text: str, encoding: str | None) -> str:
    """Return text that can be written, with stand-ins or escapes for what cannot."""
    try:
        text.encode(encoding or "utf-8")
    except UnicodeEncodeError:
        text = text.translate(_STAND_INS)
        return text.encode(encoding or "utf-8", "backslashreplace").decode(encoding or "utf-8")
    return text


def close_quietly() -> None:
    """Point standard output nowhere, so that flushing it at exit does not fail again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())


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
