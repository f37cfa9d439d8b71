"""Where the kernel's machine code is kept between runs, and when it is still good.

Takes the sources of the kernel and of what it calls; gives the compiled ``loop.run``. Numba's own
cache looks at the one file a function stands in, so a change in a file that file imports would go
unnoticed: machine code of yesterday's meaning. Here the directory's name is a digest of every
source that ends up in the machine code, so any change looks for another directory.
"""

from __future__ import annotations

import hashlib
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import cast

import numba
import numpy as np

from sim.contract.plan import Array
from sim.engine.kernel.loop import run
from sim.engine.kernel.state import KernelPlan, KernelState

Kernel = Callable[[KernelPlan, KernelState, int], int]
Tables = Callable[[Array, Array, int], int]

_PACKAGE = Path(__file__).resolve().parents[2]
_SOURCES = (
    "contract/spec.py",
    "draws/compiled.py",
    "draws/layout.py",
    "draws/lookup.py",
    "draws/threefry.py",
    "engine/money.py",
    "units.py",
)


def is_jit_disabled() -> bool:
    """Tell whether the kernel runs as plain Python in this process (``NUMBA_DISABLE_JIT=1``)."""
    return bool(numba.config.DISABLE_JIT)


@cache
def load_kernel() -> Kernel:
    """Return ``loop.run``, compiled on first call or read from the cache."""
    if is_jit_disabled():
        return run
    from sim.engine.kernel.views import describe, run_tables

    compiled = _compile(run_tables)

    def kernel(plan: KernelPlan, state: KernelState, budget: int) -> int:
        return compiled(describe(plan), describe(state), budget)

    return kernel


@cache
def _compile(function: Tables) -> Tables:
    """Return a function compiled on first call or read from the cache."""
    directory = find_directory()
    if directory is None:
        return cast(Tables, numba.njit(error_model="python", _nrt=False)(function))
    before = numba.config.CACHE_DIR
    # Numba looks the directory up while it decorates, and never again.
    numba.config.CACHE_DIR = str(directory)
    try:
        return cast(Tables, numba.njit(error_model="python", _nrt=False, cache=True)(function))
    finally:
        numba.config.CACHE_DIR = before


def is_compiled_cached() -> bool:
    """Tell whether a first run will find its machine code ready instead of compiling it."""
    if is_jit_disabled():
        return True
    directory = find_directory()
    return directory is not None and any(directory.rglob("*.nbc"))


@cache
def source_digest() -> str:
    """Return a digest of everything that decides the machine code but the processor."""
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted((_PACKAGE / "engine" / "kernel").glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    for name in _SOURCES:
        digest.update(name.encode() + b"\0" + (_PACKAGE / name).read_bytes())
    versions = (numba.__version__, np.__version__, platform.python_version(), sys.platform)
    digest.update("\0".join(versions).encode())
    # These switches change the machine code without changing any source.
    digest.update(f"{numba.config.BOUNDSCHECK} {numba.config.OPT}".encode())
    return digest.hexdigest()


@cache
def find_directory() -> Path | None:
    """Return a directory that can be written, or None where there is none.

    Notes
    -----
    ``NUMBA_CACHE_DIR`` if set, else the user's cache directory, else one in the temporary
    directory that belongs to this user alone (cached code is executed, so nobody else may have
    laid it there). The package's own directory is never written: it may be read-only.
    """
    for base in _bases():
        directory = base / source_digest()
        try:
            base.mkdir(parents=True, exist_ok=True, mode=0o700)
            if hasattr(os, "getuid") and base.stat().st_uid != os.getuid():
                continue
            directory.mkdir(exist_ok=True)
            with tempfile.TemporaryFile(dir=directory):
                return directory
        except OSError:
            continue
    return None


def _bases() -> Iterator[Path]:
    """Give the directories to try, in order."""
    if numba.config.CACHE_DIR:
        yield Path(numba.config.CACHE_DIR) / "payroute-kernel"
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        user = Path(local) if local else Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        user = Path.home() / "Library" / "Caches"
    else:
        named = os.environ.get("XDG_CACHE_HOME")
        user = Path(named) if named else Path.home() / ".cache"
    yield user / "payroute" / "kernel"
    owner = os.getuid() if hasattr(os, "getuid") else "user"
    yield Path(tempfile.gettempdir()) / f"payroute-kernel-{owner}"
