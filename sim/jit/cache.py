"""Where machine code is kept between runs, and the one way a function becomes machine code.

Takes plain Python functions over int64 values and arrays; gives them back compiled on their first
call, or read from the cache. Imports nothing of ours but reads our sources: Numba's own cache looks
at the one file a function stands in, so a change in a file that file imports would go unnoticed and
machine code of yesterday's meaning would run. Here the directory's name is a digest of every source
that may end up in machine code, so any change looks for another directory. Engines and audit share
nothing but contract, units and this room, and have a directory each: a change in one leaves the
machine code of the other as it is.

With ``NUMBA_DISABLE_JIT=1`` functions come back as they were, so a debugger can step through them;
the plain function stays reachable as ``function.py_func``.
"""

from __future__ import annotations

import hashlib
import os
import platform
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba.core import event

from sim.jit.functions import called
from sim.jit.parts import WHOLE, call_as_part
from sim.jit.telling import begin_compiling

_Function = TypeVar("_Function", bound=Callable[..., object])


class _CompileListener(event.Listener):  # type: ignore[misc]
    """Whoever is told by Numba that a function was in no cache."""

    def on_start(self, event: object) -> None:
        dispatcher = getattr(event, "data", {}).get("dispatcher")
        # Functions of a user's own may stand in no module.
        module = getattr(getattr(dispatcher, "py_func", None), "__module__", None)
        begin_compiling(module or "")

    def on_end(self, event: object) -> None:
        del event


event.register("numba:compile", _CompileListener())

_PACKAGE = Path(__file__).resolve().parents[1]
_SOURCES = {
    "engine": (
        *("contract", "draws", "engine", "jit", "money", "units.py"),
        *("workload/loop.py", "workload/load_loop.py", "workload/long_division.py"),
    ),
    "audit": ("contract", "audit", "jit", "units.py"),
    "tables": (
        *("contract", "jit", "units.py"),
        *("tables/break_loop.py", "tables/column_loop.py"),
        *("tables/duration_loop.py", "tables/durations.py"),
        *("tables/fold_arrays.py", "tables/fold_loop.py", "tables/folding.py"),
    ),
}
"""What may end up in machine code, by room: files, and folders with everything below."""


def compiled(function: _Function) -> _Function:
    """Compile a function with Numba on its first call, keeping its static type.

    Parameters
    ----------
    function : callable
        Function in the subset of Python that Numba compiles without objects.

    Returns
    -------
    callable
        The same function to a reader and to mypy, a Numba dispatcher to other compiled code.

    Notes
    -----
    No signature is given, so importing costs no compilation. ``error_model="python"`` and the
    absence of ``fastmath`` keep the results those of plain Python.
    """
    return cast(_Function, cached_njit(function, error_model="python"))


_DECORATING = threading.RLock()
"""Held while Numba's directory is another than the user's: rooms are loaded by several threads."""


def cached_njit(function: Callable[..., object], **options: object) -> object:
    """Return ``numba.njit(function)`` that keeps its machine code in the cache."""
    # Without a directory that can be written everything still runs, only compiled anew by each
    # process.
    with _DECORATING:
        return _decorated(function, options)


def _decorated(function: Callable[..., object], options: dict[str, object]) -> object:
    directory = None if is_jit_disabled() else find_directory(_room(function))
    options["pipeline_class"] = WHOLE
    # Nothing of Python's is touched in machine code, so other threads need not wait for it.
    options["nogil"] = True
    if directory is None:
        return _with_part(numba.njit(**options)(function), function)
    before = numba.config.CACHE_DIR
    # Numba looks the directory up while it decorates, and never again.
    numba.config.CACHE_DIR = str(directory)
    try:
        return _with_part(numba.njit(cache=True, **options)(function), function)
    # The setting is the process's, and other users of Numba keep theirs.
    finally:
        numba.config.CACHE_DIR = before


def compile_for(function: Callable[..., object], *examples: object) -> None:
    """Compile a function for arguments like some, or read it from the cache, without calling it.

    Parameters
    ----------
    function : callable
        From :func:`compiled` or :func:`cached_njit`.
    """
    if not is_jit_disabled():
        cast(Any, function).compile(tuple(numba.typeof(each) for each in examples))


def _with_part(whole: object, function: Callable[..., object]) -> object:
    """Return a function that other compiled code merges like any of its own."""
    if is_jit_disabled():
        return whole
    return call_as_part(cast(Callable[..., object], whole), called(function))


def is_jit_disabled() -> bool:
    """Tell whether everything runs as plain Python in this process (``NUMBA_DISABLE_JIT=1``)."""
    return bool(numba.config.DISABLE_JIT)


@cache
def source_digest(room: str = "engine") -> str:
    """Return a digest of everything that decides a room's machine code but the processor.

    Parameters
    ----------
    room : str
        ``engine`` (with draws and workload), ``audit`` or ``tables``.
    """
    digest = hashlib.blake2b(digest_size=16)
    for name in _SOURCES[room]:
        place = _PACKAGE / name
        # Sorted, as the file system gives names in any order and a digest depends on it.
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            # The name and a byte that is in no name, so that moving text between files changes
            # the digest.
            digest.update(path.relative_to(_PACKAGE).as_posix().encode() + b"\0")
            digest.update(path.read_bytes())
    versions = (numba.__version__, np.__version__, platform.python_version(), sys.platform)
    digest.update("\0".join(versions).encode())
    # These switches change the machine code without changing any source.
    digest.update(f"{numba.config.BOUNDSCHECK} {numba.config.OPT}".encode())
    return digest.hexdigest()


@cache
def find_directory(room: str = "engine") -> Path | None:
    """Return a directory that can be written, or None where there is none.

    Parameters
    ----------
    room : str
        Whose machine code, as for :func:`source_digest`.

    Notes
    -----
    ``NUMBA_CACHE_DIR`` if set, else the user's cache directory, else one in the temporary
    directory that belongs to this user alone (cached code is executed, so nobody else may have
    laid it there). The package's own directory is never written: it may be read-only.
    """
    # Another thread may be at it, with the setting changed for as long.
    with _DECORATING:
        return _found(room)


def _found(room: str) -> Path | None:
    for base in _bases():
        directory = base / source_digest(room)
        try:
            base.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Machine code is executed: a directory another user laid there may hold anything.
            if hasattr(os, "getuid") and base.stat().st_uid != os.getuid():
                continue
            directory.mkdir(exist_ok=True)
            # Writing is tried, as permissions alone do not tell (read-only mounts, quotas).
            with tempfile.TemporaryFile(dir=directory):
                return directory
        except OSError:
            # The next directory may do; with none there is no cache, which is slow and not an
            # error.
            continue
    return None


def _room(function: Callable[..., object]) -> str:
    """Return the room whose sources decide the machine code of a function."""
    room = function.__module__.split(".")[1]
    return room if room in _SOURCES else "engine"


def _bases() -> Iterator[Path]:
    """Give the directories to try, in order."""
    if numba.config.CACHE_DIR:
        yield Path(numba.config.CACHE_DIR) / "payroute"
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        user = Path(local) if local else _at_home("AppData", "Local")
    elif sys.platform == "darwin":
        user = _at_home("Library", "Caches")
    else:
        named = os.environ.get("XDG_CACHE_HOME")
        user = Path(named) if named else _at_home(".cache")
    if user is not None:
        yield user / "payroute" / "machine-code"
    owner = os.getuid() if hasattr(os, "getuid") else "user"
    yield Path(tempfile.gettempdir()) / f"payroute-machine-code-{owner}"


def _at_home(*parts: str) -> Path | None:
    """Return a place below the user's home, None for a user that has none."""
    try:
        return Path.home().joinpath(*parts)
    except RuntimeError:
        # Neither HOME nor an entry for this user id, as in a container.
        return None
