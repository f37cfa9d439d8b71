"""Find the files streams read their payments from, whatever file names them.

Takes the merged nodes of a scenario; gives them with the whole path of every trace and the digest
of its bytes, so that a run's own ``scenario.yaml`` means the same payments wherever it lies.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from sim.errors import Problem, suggest
from sim.model.traces import SUFFIXES
from sim.scenario.tree import Entry, Mapping, Scalar

_DIGEST_BYTES = 16
_ALLOWED = f"allowed: a file that ends in {', '.join(SUFFIXES)}"


def settle_traces(root: Mapping, problems: list[Problem]) -> Mapping:
    """Return a scenario with whole paths and digests of its traces.

    Parameters
    ----------
    root : Mapping
        Of a finished scenario; what has another shape than a trace is left to the model.
    problems : list of Problem
        Grows by the files that cannot be read, or are not the ones that were meant.
    """
    demand = root.entries.get("demand")
    if demand is None or not isinstance(demand.node, Mapping):
        return root
    streams = dict(demand.node.entries)
    for name, stream in streams.items():
        settings = stream.node
        trace = settings.entries.get("trace") if isinstance(settings, Mapping) else None
        if isinstance(settings, Mapping) and trace is not None and isinstance(trace.node, Mapping):
            settled = _settled(trace.node, f"demand.{name}.trace", problems)
            fields = settings.entries | {"trace": replace(trace, node=settled)}
            streams[name] = replace(stream, node=replace(settings, entries=fields))
    changed = replace(demand, node=replace(demand.node, entries=streams))
    return replace(root, entries=root.entries | {"demand": changed})


def _settled(trace: Mapping, path: str, problems: list[Problem]) -> Mapping:
    """Return one trace with the whole path and the digest of its file."""
    named, written = (trace.entries.get(field) for field in ("file", "digest"))
    if named is None or not isinstance(named.node, Scalar):
        return trace
    place = named.node.place
    at = (place.file, place.line, f"{path}.file")
    if not named.node.text.endswith(SUFFIXES):
        problems.append(Problem(*at, f"found {named.node.text!r}; {_ALLOWED}"))
        return trace
    try:
        found = _find(named.node)
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
            f"{found}: found other payments than those meant (digest {digest}, needed "
            f"{written.node.text}); allowed: the file as it was, or no digest"
        )
        problems.append(Problem(*at, message))
        return trace
    whole = replace(named, node=Scalar(str(found), place, named.node.note))
    pinned = written or Entry(named.key_place, Scalar(digest, place))
    return replace(trace, entries=trace.entries | {"file": whole, "digest": pinned})


def _find(named: Scalar) -> Path:
    """Return the whole path of a trace, beside whatever names it."""
    folder = Path(named.place.file).parent if named.place.file else Path()
    found = folder / named.text
    # A run's folder may have been moved, and the payments with it.
    if not found.exists() and (folder / Path(named.text).name).exists():
        found = folder / Path(named.text).name
    if not found.exists():
        near = [item.name for item in found.parent.glob("*") if item.name.endswith(SUFFIXES)]
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
