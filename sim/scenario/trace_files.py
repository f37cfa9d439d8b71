"""Find the files streams read payments from and rates their course, whatever file names them.

Takes the merged nodes of a scenario; gives them with the whole path of every such file and the
digest of its bytes, so that a run's own ``scenario.yaml`` means the same wherever it lies.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from sim.errors import Problem, suggest
from sim.model import fx, traces
from sim.scenario.tree import Entry, Mapping, Scalar

_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class _Kind:
    """A field of every entry of a section that names a file, and what stands in such files."""

    section: tuple[str, ...]
    field: str
    suffixes: tuple[str, ...]
    what: str


_KINDS = (
    _Kind(("demand",), "trace", traces.SUFFIXES, "payments"),
    _Kind(("fx", "mid"), "path", fx.SUFFIXES, "rates"),
)


def settle_files(root: Mapping, problems: list[Problem]) -> Mapping:
    """Return a scenario with whole paths and digests of the files it reads.

    Parameters
    ----------
    root : Mapping
        Of a finished scenario; what has another shape than such a field is left to the model.
    problems : list of Problem
        Grows by the files that cannot be read, or are not the ones that were meant.
    """
    for kind in _KINDS:
        root = _below(root, kind.section, kind, problems)
    return root


def _below(
    node: Mapping, section: tuple[str, ...], kind: _Kind, problems: list[Problem]
) -> Mapping:
    """Return a node with the files of a section below it settled."""
    entries = dict(node.entries)
    # Every entry where the section is reached, else the next part of its path.
    for name, entry in entries.items():
        if not isinstance(entry.node, Mapping) or (section and name != section[0]):
            continue
        if section:
            found = _below(entry.node, section[1:], kind, problems)
        else:
            found = _with_file(entry.node, name, kind, problems)
        entries[name] = replace(entry, node=found)
    return replace(node, entries=entries)


def _with_file(settings: Mapping, name: str, kind: _Kind, problems: list[Problem]) -> Mapping:
    """Return one entry of a section with its file settled, if it names one."""
    named = settings.entries.get(kind.field)
    if named is None or not isinstance(named.node, Mapping):
        return settings
    path = ".".join((*kind.section, name, kind.field))
    settled = _settled(named.node, path, kind, problems)
    return replace(settings, entries=settings.entries | {kind.field: replace(named, node=settled)})


def _settled(trace: Mapping, path: str, kind: _Kind, problems: list[Problem]) -> Mapping:
    """Return one such field with the whole path and the digest of its file."""
    named, written = (trace.entries.get(field) for field in ("file", "digest"))
    if named is None or not isinstance(named.node, Scalar):
        return trace
    place = named.node.place
    at = (place.file, place.line, f"{path}.file")
    if not named.node.text.endswith(kind.suffixes):
        allowed = f"allowed: a file that ends in {', '.join(kind.suffixes)}"
        problems.append(Problem(*at, f"found {named.node.text!r}; {allowed}"))
        return trace
    try:
        found = _find(named.node, kind)
        status = found.stat()
        digest = file_digest(found, status.st_size, status.st_mtime_ns)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        problems.append(
            Problem(*at, f"{named.node.text}: found a file that cannot be read: {reason}")
        )
        return trace
    if written is not None and isinstance(written.node, Scalar) and written.node.text != digest:
        message = (
            f"{found}: found other {kind.what} than those meant (digest {digest}, needed "
            f"{written.node.text}); allowed: the file as it was, or no digest"
        )
        problems.append(Problem(*at, message))
        return trace
    whole = replace(named, node=Scalar(str(found), place, named.node.note))
    pinned = written or Entry(named.key_place, Scalar(digest, place))
    return replace(trace, entries=trace.entries | {"file": whole, "digest": pinned})


def _find(named: Scalar, kind: _Kind) -> Path:
    """Return the whole path of a file, beside whatever names it."""
    folder = Path(named.place.file).parent if named.place.file else Path()
    found = folder / named.text
    # A run's folder may have been moved, and what it reads with it.
    if not found.exists() and (folder / Path(named.text).name).exists():
        found = folder / Path(named.text).name
    if not found.exists():
        near = [item.name for item in found.parent.glob("*") if item.name.endswith(kind.suffixes)]
        hint = suggest(found.name, near)
        raise ValueError(f"no such file.{hint}" if hint else "no such file")
    if not found.is_file():
        raise ValueError("no regular file")
    return found.resolve()


@lru_cache(maxsize=16)
def file_digest(path: Path, size: int, changed_ns: int) -> str:
    """Return the digest of a file's bytes; asked for again only where the file has changed.

    Parameters
    ----------
    path : Path
    size, changed_ns : int
        Of the file as it is, in bytes, and in nanoseconds when it was last written.
    """
    del size, changed_ns
    with path.open("rb") as stream:
        made = hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=_DIGEST_BYTES))
    return made.hexdigest()
