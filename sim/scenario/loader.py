"""Read a scenario file with everything it extends, and write the resolved scenario back.

Takes a path and the texts of ``--set``; gives a :class:`~sim.scenario.tree.Document`, in which each
value knows its file and line, and with :func:`validate_model` a checked model. All problems are
collected and raised once. :func:`dump_resolved` writes a document as one YAML file that loads back
to the same tree and the same evidence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from sim.errors import Problem, ScenarioError, suggest
from sim.model.base import FieldPath
from sim.model.evidence import EvidenceNote
from sim.scenario.overrides import (
    apply_override,
    dotted,
    drop_nulls,
    list_conflicts,
    merge_child,
    merge_parents,
)
from sim.scenario.problems import validate_model
from sim.scenario.shipped import named_file
from sim.scenario.trace_files import settle_files
from sim.scenario.tree import (
    NULLS,
    Document,
    Entry,
    Listing,
    Mapping,
    Node,
    Place,
    Scalar,
    Tree,
    parse_text,
)

__all__ = ["Document", "dump_resolved", "load_document", "validate_model"]

BYTES_MAX = 1 << 20
EXTENDS_DEPTH_MAX = 20

_PLAIN_TEXT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_ .,/%+()<>=;*:-]*[A-Za-z0-9_.,/%+()<>=;*-])?")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def load_document(path: Path, overrides: Sequence[str] = ()) -> Document:
    """Read a scenario, everything it extends, and apply overrides.

    Parameters
    ----------
    path : Path
        YAML file as the user named it, or the name of a scenario that comes with the program.
    overrides : sequence of str
        Texts ``path.to.field=value``, applied in order, so the last one wins.

    Returns
    -------
    Document
        The merged scenario without its ``extends``.

    Raises
    ------
    ScenarioError
        With every problem of every file and override.
    """
    files = _Files()
    # Files first and overrides on top, so that the command line has the last word.
    root = files.resolve(named_file(path), Place("", 0), ())
    if root is not None:
        for text in overrides:
            root = apply_override(root, text, files.problems)
        # Only what is still open: an override may have settled a conflict.
        for where, conflict in list_conflicts(root):
            first, second = conflict.first, conflict.second
            message = (
                f"found two parents that differ ({first.file}:{first.line} and {second.file}:"
                f"{second.line}); allowed: the same value, or a value in the child that settles it"
            )
            place = conflict.place
            files.problems.append(Problem(place.file, place.line, dotted(where), message))
        root = settle_files(root, files.problems)
    if root is None or files.problems:
        raise ScenarioError(files.problems)
    return Document(root, tuple(files.read))


def _beside(path: Path, name: str) -> Path:
    """Return the file another one extends: beside it, or else of the program, by its name."""
    found = path.parent / name
    return found if found.exists() else path.parent / named_file(Path(name))


class _UnreadableError(Exception):
    """Why a file cannot be used; reported where the file is named."""


class _Files:
    """Files of one scenario: each read once, ``extends`` followed, problems collected."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.read: list[Path] = []
        self._resolved: dict[Path, Mapping | None] = {}

    def resolve(self, path: Path, named_at: Place, chain: tuple[Path, ...]) -> Mapping | None:
        """Return a file merged over its parents; None when it cannot be read.

        Parameters
        ----------
        path : Path
            File to read.
        named_at : Place
            Where another file names it.
        chain : tuple of Path
            Files that led here through ``extends``, outermost first.
        """
        try:
            real = self._follow(path, chain)
            # Each file once, even if two parents share a grandparent.
            if real not in self._resolved:
                # Noted before it is read: a file that fails is reported once.
                self._resolved[real] = None
                self._resolved[real] = self._resolve(path, chain)
            return self._resolved[real]
        except _UnreadableError as error:
            # Where a file is named is where the user has to look.
            if named_at.file:
                message = f"{path}: {error}"
                problem = Problem(named_at.file, named_at.line, "extends", message)
            else:
                problem = Problem(str(path), 0, "", str(error))
            self.problems.append(problem)
            return None

    def _follow(self, path: Path, chain: tuple[Path, ...]) -> Path:
        """Return the real path of a file that may be read next."""
        try:
            real = path.resolve()
            chain_real = [step.resolve() for step in chain]
        except (OSError, RuntimeError, ValueError) as error:
            raise _UnreadableError(f"found a path that cannot be followed ({error})") from None
        # By real path, so that links and ``..`` do not hide a cycle.
        if real in chain_real:
            loop = " -> ".join(str(step) for step in (*chain[chain_real.index(real) :], path))
            raise _UnreadableError(f"found a cycle: {loop}; allowed: a chain that ends")
        if len(chain) >= EXTENDS_DEPTH_MAX:
            raise _UnreadableError(
                f"found a chain of more than {EXTENDS_DEPTH_MAX} files; allowed: fewer"
            )
        return real

    def _resolve(self, path: Path, chain: tuple[Path, ...]) -> Mapping | None:
        text = self._text(path)
        if text is None:
            return None
        self.read.append(path)
        node = parse_text(text, str(path), self.problems)
        if node is None:
            return None
        if not isinstance(node, Mapping):
            line = node.place.line
            message = "found no mapping; allowed: a mapping of fields such as 'scenario: name'"
            self.problems.append(Problem(str(path), line, "", message))
            return None
        named = node.entries.get("extends")
        # ``extends`` is about files and no field of the scenario.
        own = Mapping({k: v for k, v in node.entries.items() if k != "extends"}, node.place)
        parents = [
            self.resolve(_beside(path, item.text), item.place, (*chain, path))
            for item in (self._names(named) if named else ())
        ]
        base: Node | None = None
        # Left to right, and none wins: where two differ, the child has to say.
        for parent in parents:
            if parent is not None:
                base = parent if base is None else merge_parents(base, parent)
        # Without anything inherited a null deletes nothing, and simply is not said.
        if not parents:
            dropped = drop_nulls(own)
            assert isinstance(dropped, Mapping)
            return dropped
        if not isinstance(base, Mapping):
            return None
        # A parent that could not be read would make every null look like a spelling mistake.
        sink = self.problems if None not in parents else []
        return merge_child(base, own, sink)

    def _names(self, entry: Entry) -> tuple[Scalar, ...]:
        node = entry.node
        items = node.items if isinstance(node, Listing) else (node,)
        names = tuple(item for item in items if isinstance(item, Scalar) and item.text.strip())
        if not names or len(names) < len(items):
            message = (
                "found no file name; allowed: a path, or a list of paths, relative to this file"
            )
            place = entry.key_place
            self.problems.append(Problem(place.file, place.line, "extends", message))
        return names

    def _text(self, path: Path) -> str | None:
        try:
            if not path.exists():
                near = [item.name for item in path.parent.glob("*.y*ml")]
                hint = suggest(path.name, near)
                raise _UnreadableError(
                    f"found no such file.{hint}" if hint else "found no such file"
                )
            if path.is_dir():
                raise _UnreadableError("found a folder; allowed: a YAML file")
            if not path.is_file():
                raise _UnreadableError("found no regular file; allowed: a YAML file")
            size = path.stat().st_size
            with path.open("rb") as stream:
                # One byte more than allowed: a file may be longer than it says, or never end.
                content = stream.read(BYTES_MAX + 1)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise _UnreadableError(f"found a file that cannot be read ({reason})") from None
        if len(content) > BYTES_MAX:
            size = max(size, len(content))
            raise _UnreadableError(f"found {size:,} bytes; allowed: {BYTES_MAX:,} (1 MiB)")
        try:
            # A byte-order mark is what some editors leave behind.
            return content.decode("utf-8").removeprefix("\ufeff")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            message = f"found the byte 0x{content[error.start]:02x}; allowed: UTF-8 text"
            self.problems.append(Problem(str(path), line, "", message))
            return None


def dump_resolved(document: Document) -> str:
    """Write a resolved scenario as YAML text.

    Parameters
    ----------
    document : Document
        Result of :func:`load_document`.

    Returns
    -------
    str
        One YAML document in the order of the document; :func:`load_document` reads it back to the
        same tree and the same evidence. Text is quoted only where it would be read differently.
    """
    lines: list[str] = []
    _write_fields(document.tree, (), 0, (document.evidence, lines))
    return "\n".join(lines) + "\n" if lines else "{}\n"


_Output = tuple[dict[FieldPath, EvidenceNote], list[str]]


def _write_fields(tree: dict[str, Tree], path: FieldPath, indent: int, output: _Output) -> None:
    for key, value in tree.items():
        _write_value(f"{' ' * indent}{_scalar_text(key)}:", value, (*path, key), output)


def _write_value(head: str, value: Tree, path: FieldPath, output: _Output) -> None:
    evidence, lines = output
    indent = _indent_below(head)
    note = evidence.get(path)
    if note is not None:
        lines.append(head)
        margin = " " * indent
        _write_plain(f"{margin}value:", value, path, output)
        lines.append(f"{margin}evidence: {note.kind.value}")
        if note.source:
            lines.append(f"{margin}source: {_scalar_text(note.source)}")
    else:
        _write_plain(head, value, path, output)


def _write_plain(head: str, value: Tree, path: FieldPath, output: _Output) -> None:
    lines = output[1]
    indent = _indent_below(head)
    if isinstance(value, str):
        lines.append(f"{head} {_scalar_text(value)}")
    elif not value:
        lines.append(f"{head} {'{}' if isinstance(value, dict) else '[]'}")
    elif isinstance(value, dict):
        lines.append(head)
        _write_fields(value, path, indent, output)
    else:
        lines.append(head)
        for position, item in enumerate(value):
            _write_value(f"{' ' * indent}-", item, (*path, position), output)


def _indent_below(head: str) -> int:
    # What belongs to a list's dash is set one column right of it, what belongs to a key two.
    return len(head) + 1 if head.endswith("-") else len(head) - len(head.lstrip()) + 2


def _scalar_text(text: str) -> str:
    # Plain only where it reads back as the very same text; a colon and a space would begin a
    # field.
    is_plain = _PLAIN_TEXT.fullmatch(text) and ": " not in text and text not in NULLS
    return text if is_plain else f'"{"".join(map(_escape, text))}"'


def _escape(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    # Other line separators would be folded into a space when read back.
    if character in "\u0085\u2028\u2029\ufeff":
        return f"\\u{ord(character):04x}"
    return character
