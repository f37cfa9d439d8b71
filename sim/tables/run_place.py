"""Give a run a place beside what its folder holds, and let it take that place when it is complete.

Takes a folder; gives a lock on it and a hidden folder in it to write to. A run that is complete
takes its place in one step: the hidden folder gets another name. From then on its files only have
to be moved, which whoever comes next finishes (:func:`settle`) if the process is ended in the
middle. Only files this program wrote, byte for byte, are replaced or removed; what the user changed
is kept.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from sim.errors import MachineError, UserError
from sim.tables.digest import file_digest, seal
from sim.tables.json_text import json_text
from sim.tables.schemas import Json
from sim.tables.whole_file import machine_errors, remove_stale_drafts, write_whole

RUN_FILE = "run.json"
RUNNING, COMPLETE = "running", "complete"
"""What ``run.json`` says of a run under way and of one that is a result."""
UNFINISHED = ".payroute-unfinished"
"""Hidden folder of a run under way: its lock and what it has written so far. Without a process that
holds the lock it is the rest of one that was ended, and goes with the next run."""
FINISHED = ".payroute-finished"
"""Hidden folder of a complete run whose files are being moved to where they belong."""
_LOCK, _ASIDE = "lock", "run"
_SETTLE_SECONDS = 5.0
"""How long a reader waits for another process that moves files: renaming a dozen takes moments."""


class RunPlace:
    """A folder that this process alone writes to, until it lets go.

    Parameters
    ----------
    folder : Path
        Made if it is not there.

    Attributes
    ----------
    aside : Path
        Where the run is written.

    Raises
    ------
    MachineError
        If another process writes there, or the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._hidden = folder / UNFINISHED
        self.aside = self._hidden / _ASIDE
        with machine_errors(folder):
            self._lock: io.FileIO | None = _locked(self._hidden)
            try:
                _move_up(folder)
                remove_stale_drafts(folder)
                # Whoever wrote this is gone, or the lock would not be ours.
                shutil.rmtree(self.aside, ignore_errors=True)
                self.aside.mkdir()
            except BaseException:
                self.release()
                raise

    def take(self) -> list[str]:
        """Let the complete run take its place, and let go of the folder.

        Returns
        -------
        list of str
            Files of the user's that had the name of one of ours, under the names they have now.
        """
        with machine_errors(self.folder):
            # One step, so that at any instant there is either the run of before or this one.
            self.aside.replace(self.folder / FINISHED)
            kept = _move_up(self.folder)
        self.release()
        return kept

    def release(self) -> None:
        """Let go of the folder; what is written aside and has not taken its place is removed."""
        if self._lock is None:
            return
        shutil.rmtree(self.aside, ignore_errors=True)
        # The lock last, and the name before the lock: whoever gets hold of a file without a name
        # looks again.
        with contextlib.suppress(OSError):
            (self._hidden / _LOCK).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self._hidden.rmdir()
        self._lock.close()
        self._lock = None


def settle(folder: Path) -> None:
    """Finish what a process that was ended in the middle left: move its files where they belong.

    Raises
    ------
    UserError
        If files are being moved by another process and it does not come to an end.
    """
    until = time.monotonic() + _SETTLE_SECONDS
    while (folder / FINISHED).exists():
        try:
            RunPlace(folder).release()
        except MachineError as error:
            if time.monotonic() > until:
                raise UserError(
                    f"{folder}: a run that is complete could not take its place there ({error})"
                ) from None
            time.sleep(0.05)


def own_files(folder: Path) -> dict[str, str]:
    """Return the files of a folder this program wrote and what they were like, by its ``run.json``.

    Returns
    -------
    dict of str to str
        Digest by name; with ``run.json`` itself, where nobody has changed it.
    """
    facts = _facts(folder / RUN_FILE)
    if facts is None:
        return {}
    listed = facts.get("files") or facts.get("replaces") or {}
    own = {str(k): str(v) for k, v in listed.items()} if isinstance(listed, dict) else {}
    # Written after the run, such as its page: not part of the result, and still ours.
    beside = facts.get("beside")
    own |= {str(k): str(v) for k, v in beside.items()} if isinstance(beside, dict) else {}
    with contextlib.suppress(OSError):
        own[RUN_FILE] = file_digest(folder / RUN_FILE)
    return own


def own_beside(folder: Path, name: str) -> None:
    """Note in ``run.json`` that a file written into a finished run's folder is ours.

    Parameters
    ----------
    folder : Path
        A finished run.
    name : str
        Of the file.
    """
    facts = _facts(folder / RUN_FILE)
    if facts is None:
        return
    beside = facts.get("beside")
    noted = {**(beside if isinstance(beside, dict) else {}), name: file_digest(folder / name)}
    write_sealed(folder / RUN_FILE, {**facts, "beside": noted})


def strange_files(folder: Path, names: tuple[str, ...]) -> list[str]:
    """Return which files of these names are there and are not as this program wrote them."""
    own = own_files(folder)
    return [name for name in names if _is_strange(folder / name, own.get(name))]


def mark_running(folder: Path, facts: Mapping[str, Json]) -> None:
    """Write a ``run.json`` that says ``running``, and remembers which files of before are ours."""
    own = own_files(folder)
    own.pop(RUN_FILE, None)
    marked: dict[str, Json] = {**facts, "status": RUNNING, "replaces": dict(own)}
    marked.pop("files", None)
    write_sealed(folder / RUN_FILE, marked)


def write_sealed(path: Path, facts: Mapping[str, Json]) -> None:
    """Write a ``run.json`` with the seal that tells whether anybody has changed it since."""
    content = {name: value for name, value in facts.items() if name != "seal"}
    # As it will be read: what has no word in JSON must not count for the seal either.
    content = json.loads(json_text(content))
    write_whole(path, json_text({**content, "seal": seal(content)}))


def _move_up(folder: Path) -> list[str]:
    """Move the files of a complete run up into their folder; ``run.json`` last."""
    finished = folder / FINISHED
    if not finished.exists():
        return []
    facts = _facts(finished / RUN_FILE)
    if facts is None:
        # Its run.json was moved, which is the last that is.
        shutil.rmtree(finished, ignore_errors=True)
        return []
    kept: list[str] = []
    # From here on no reader takes the files of two runs for one.
    if _is_strange(folder / RUN_FILE, own_files(folder).get(RUN_FILE)):
        kept.append(_set_aside(folder / RUN_FILE))
    mark_running(folder, facts)
    own, ours = own_files(folder), facts.get("files")
    listed = set(ours) if isinstance(ours, dict) else set[str]()
    for name in sorted({*listed, *own} - {RUN_FILE}):
        comes = (finished / name).exists()
        if comes or name not in listed:
            # Else it was moved before the process was ended that began with it.
            if _is_strange(folder / name, own.get(name)):
                kept.append(_set_aside(folder / name))
            elif not comes:
                # A file of the run of before must not pass for one of this run.
                (folder / name).unlink(missing_ok=True)
        if comes:
            (finished / name).replace(folder / name)
    (finished / RUN_FILE).replace(folder / RUN_FILE)
    finished.rmdir()
    return kept


def _set_aside(path: Path) -> str:
    """Give a file of the user's another name, and return it."""
    number, kept = 1, path.with_name(f"{path.stem}.yours{path.suffix}")
    while kept.exists():
        number += 1
        kept = path.with_name(f"{path.stem}.yours-{number}{path.suffix}")
    path.replace(kept)
    return kept.name


def _is_strange(path: Path, digest: str | None) -> bool:
    """Say whether a file is there that is not the one with this digest."""
    if not os.path.lexists(path):
        return False
    return digest is None or not path.is_file() or file_digest(path) != digest


def _facts(path: Path) -> dict[str, Json] | None:
    """Return a ``run.json`` this program wrote; None where there is none, or it was changed."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(content, dict):
        return None
    sealed = content.pop("seal", None)
    return content if sealed == seal(content) else None


def _locked(hidden: Path) -> io.FileIO:
    """Return the lock of a folder, held by this process.

    Notes
    -----
    The operating system's own lock on an open file: it goes with the process that holds it, however
    that ends, so that no number of a process has to be believed.
    """
    while True:
        hidden.mkdir(parents=True, exist_ok=True)
        try:
            # Not inherited by workers: one that outlives us must not hold the folder.
            lock = io.FileIO(hidden / _LOCK, "a+")
        except FileNotFoundError:
            continue
        if not _try_lock(lock):
            owner = _owner(lock)
            lock.close()
            raise MachineError(
                f"{hidden.parent}: another payroute writes there now{owner}; wait until it is "
                f"done, or choose another folder with --out"
            )
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(lock.fileno()), (hidden / _LOCK).stat()):
                lock.truncate(0)
                lock.write(f"process {os.getpid()}, since {_now()}\n".encode())
                return lock
        # Its owner let go and took the name away between our opening and our locking.
        lock.close()


def _owner(lock: io.FileIO) -> str:
    """Return who holds a lock, as far as it says so."""
    with contextlib.suppress(OSError):
        lock.seek(0)
        found = lock.read(200).decode(errors="replace").strip()
        return f" ({found})" if found else ""
    return ""


def _try_lock(lock: io.FileIO) -> bool:
    """Lock an open file for this process, or say that another holds it."""
    if sys.platform == "win32":
        import msvcrt

        try:
            # A byte beyond the text, which others may then still read.
            lock.seek(1 << 20)
            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(lock.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # A file system that knows no locks. A run is still whole: only two that take their place
        # in the same moment would then meet.
        return True
    return True


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
