"""Deliberate faults, one entry each: where, what is changed, and which checks must notice.

Takes the files of ``tests/faults/table``; gives :class:`Fault`. An entry reads::

    == name | file | check [& check ...]
    - text as it is
    + text as it is not

``-`` and ``+`` may stand on several lines and need not be whole lines; white space before the
text of the first does not matter, as only what stands there is looked for. A check is the id of a
pytest node below ``tests/``, as in ``theory/test_rate_limit.py::test_x``. Lines that begin with
``#`` say something about what follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLES = Path(__file__).parent / "table"


@dataclass(frozen=True)
class Fault:
    """One deliberate fault of a source file."""

    name: str
    file: str
    old: str
    new: str
    checks: tuple[str, ...]

    @property
    def module(self) -> str:
        """Return the name under which the changed file is imported."""
        return self.file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    def plant(self, text: str) -> str:
        """Return a source with the fault; what is replaced must stand there once."""
        found = text.count(self.old)
        assert found == 1, f"{self.name}: {self.file} holds {found} times {self.old!r}"
        assert self.old != self.new, f"{self.name} changes nothing"
        return text.replace(self.old, self.new)


def read_faults(folder: Path = TABLES) -> tuple[Fault, ...]:
    """Return the faults of all tables, in order of file and line."""
    found = []
    for path in sorted(folder.glob("*.txt")):
        lines = path.read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if not line.startswith("#") and line.strip()]
        starts = [at for at, line in enumerate(kept) if line.startswith("== ")]
        for start, stop in zip(starts, [*starts[1:], len(kept)], strict=True):
            found.append(_read(path.stem, kept[start], kept[start + 1 : stop]))
    names = [fault.name for fault in found]
    assert len(set(names)) == len(names), [name for name in names if names.count(name) > 1]
    return tuple(found)


def _read(table: str, head: str, body: list[str]) -> Fault:
    words = [word.strip() for word in head.removeprefix("== ").split("|")]
    assert len(words) == 3, head
    old, new = ([line[2:] for line in body if line.startswith(sign)] for sign in "-+")
    assert old, head
    assert len(old) + len(new) == len(body), (head, body)
    checks = tuple(f"tests/{check}" for check in words[2].split(" & "))
    name = f"{table}: {words[0]}"
    return Fault(name, words[1], _text(old), _text(new), checks)


def _text(lines: list[str]) -> str:
    # A first line begins wherever its text does; those behind it stand as they stand in the file.
    return "\n".join([lines[0].strip(), *lines[1:]]) if lines else ""
