"""Write files that are whole or not there, whatever ends the process meanwhile.

Takes a path and its content; gives a file that readers see either as it was or as it is now. What
the machine refuses (disk, permission) becomes a :class:`~sim.errors.MachineError` with a remedy.
"""

from __future__ import annotations

import errno
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sim.errors import MachineError

DRAFT_SUFFIX = ".draft"
_STALE_SECONDS = 3600
"""No file of ours takes so long to write: a draft that old belongs to a process that was killed."""

_REMEDIES = {
    errno.ENOSPC: "the disk is full; free space, or choose another folder with --out",
    errno.EDQUOT: "the disk quota is used up; free space, or choose another folder with --out",
    errno.EACCES: "permission denied; choose a folder you may write to with --out",
    errno.EPERM: "permission denied; choose a folder you may write to with --out",
    errno.EROFS: "the file system is read-only; choose another folder with --out",
    errno.ENOTDIR: "part of the path is a file; choose another folder with --out",
    errno.EEXIST: "a file of that name is in the way; choose another folder with --out",
    errno.EISDIR: "a folder of that name is in the way; choose another name",
}


@contextmanager
def machine_errors(path: Path) -> Iterator[None]:
    """Turn what the operating system refuses into a MachineError that names a remedy.

    Parameters
    ----------
    path : Path
        What was being written.
    """
    try:
        yield
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, f"{error}; choose another folder with --out")
        raise MachineError(f"cannot write {path}: {remedy}") from error


def write_whole(path: Path, content: bytes | str) -> None:
    """Write a file so that readers see either the old content or the new, never half.

    Parameters
    ----------
    path : Path
        Replaced if it exists; its folder must be there.
    content : bytes or str
        Text is written as UTF-8.

    Raises
    ------
    MachineError
        If it cannot be written; what was there is still there then.
    """
    # Beside it and not in a temporary directory: replacing is one step only within a file system.
    # The name is nobody else's: two processes must not write one draft, and a user's own
    # ``report.md.new`` is no draft of ours.
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}{DRAFT_SUFFIX}")
    with machine_errors(path):
        try:
            draft.write_bytes(content.encode() if isinstance(content, str) else content)
            draft.replace(path)
        except BaseException:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
            raise


def remove_stale_drafts(folder: Path) -> None:
    """Remove what killed processes left half written in a folder.

    Notes
    -----
    By age: the drafts of processes that are at work now are seconds old.
    """
    with suppress(OSError):
        for draft in folder.glob(f".*{DRAFT_SUFFIX}"):
            if time.time() - draft.stat().st_mtime > _STALE_SECONDS:
                draft.unlink(missing_ok=True)
