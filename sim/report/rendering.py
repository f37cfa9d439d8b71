"""Turn a document into one of the formats, as text or as a file.

Takes a :class:`~sim.report.blocks.Document` and the name of a format; gives text or bytes. A format
is one file in :mod:`sim.report.formats`, named as ``--format`` names it, that holds a
:class:`Format` called ``FORMAT``: nothing else has to know it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import sim.report.formats
from sim.errors import UserError, suggest

if TYPE_CHECKING:
    from sim.report.blocks import Document
    from sim.tables.tabular import TabularData


@dataclass(frozen=True, slots=True)
class Format:
    """A way of writing a document.

    Attributes
    ----------
    render : callable
        Document to text, or to bytes where only a file can hold them.
    suffixes : tuple of str
        Endings of its files.
    is_binary : bool
        Whether it needs a file.
    """

    render: Callable[[Document], str | bytes]
    suffixes: tuple[str, ...]
    is_binary: bool = False


def format_names() -> tuple[str, ...]:
    """Return every format there is, without loading any."""
    return tuple(sorted(found.name for found in pkgutil.iter_modules(sim.report.formats.__path__)))


def find_format(name: str) -> Format:
    """Return a format by its name.

    Raises
    ------
    UserError
        If there is none of that name.
    """
    if name not in format_names():
        known = format_names()
        raise UserError(
            f"--format: found {name!r}; allowed: {', '.join(known)}.{suggest(name, known)}"
        )
    found = importlib.import_module(f"{sim.report.formats.__name__}.{name}").FORMAT
    assert isinstance(found, Format), name
    return found


def choose_format(named: str | None, file: Path | None, *, option: str = "--out") -> str | None:
    """Return the format asked for, by name or by the suffix of the file.

    Raises
    ------
    UserError
        If it is unknown, or needs a file and has none.
    """
    if named is None and file is not None:
        suffixes = {
            suffix: name for name in format_names() for suffix in find_format(name).suffixes
        }
        named = suffixes.get(file.suffix)
        if named is None:
            raise UserError(
                f"{option}: found {file.name!r}; allowed: a file that ends in "
                f"{', '.join(sorted(suffixes))}, or a --format"
            )
    if named is not None and find_format(named).is_binary and file is None:
        suffix = find_format(named).suffixes[0]
        raise UserError(
            f"--format: found {named} without a file; give one with --output FILE{suffix}"
        )
    return named


def render(document: Document, form: str) -> str:
    """Return a document as text, in a format that is text."""
    text = find_format(form).render(document)
    assert isinstance(text, str), form
    return text


def write_document(document: Document, form: str, path: Path) -> None:
    """Write a document to a file, whole or not at all.

    Raises
    ------
    MachineError
        If the file cannot be written.
    """
    from sim.tables.whole_file import machine_errors, write_whole

    content = find_format(form).render(document)
    with machine_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, content)


def write_table(
    table: TabularData, form: str, path: Path, *, origin: Mapping[str, object] | None = None
) -> None:
    """Write a table to a file, whole or not at all.

    Parameters
    ----------
    table : TabularData
    form : str
        Name of a format.
    path : Path
    origin : mapping, optional
        What made it; kept in the metadata of Parquet files.

    Raises
    ------
    MachineError
        If the file cannot be written.
    """
    from sim.report.blocks import Document

    write_document(Document.of_table(table, origin), form, path)
