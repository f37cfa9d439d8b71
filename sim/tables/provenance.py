"""Say which software, libraries and machine made a result.

Takes nothing; gives plain dictionaries for ``run.json`` and the metadata of Parquet files. Nothing
here uses the network; what cannot be found out is None.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from importlib import metadata
from pathlib import Path

LIBRARIES = ("numpy", "numba", "scipy", "simpy", "networkx", "pydantic", "pyarrow")
_GIT_TIMEOUT_SECONDS = 5


def software() -> dict[str, str | bool | None]:
    """Return name, version, digest of the source, commit and whether its tree had changes."""
    commit, dirty = _commit(Path(__file__).resolve().parents[2])
    return {
        "name": "payroute",
        "version": _version("payroute"),
        "source": source_digest(),
        "commit": commit,
        "dirty": dirty,
    }


def libraries() -> dict[str, str | None]:
    """Return the versions of Python and of the libraries that can move a figure."""
    versions: dict[str, str | None] = {"python": platform.python_version()}
    versions.update({name: _version(name) for name in LIBRARIES})
    return versions


@cache
def fingerprint() -> tuple[tuple[str, str | None], ...]:
    """Return what two processes must have in common to get the same figures: source and libraries.

    Notes
    -----
    Pairs of a name and a version, ``payroute`` first with the digest of its source; a tuple, so
    that it can be compared, kept and sent to another machine.
    """
    return (("payroute", source_digest()), *libraries().items())


def origin(command: Sequence[str]) -> dict[str, object]:
    """Return what made a result that has no run folder of its own.

    Parameters
    ----------
    command : sequence of str
        Words of the command line.
    """
    return {"software": software(), "libraries": libraries(), "command": list(command)}


def machine() -> dict[str, str | int | None]:
    """Return what kind of machine this is, nothing that names its owner."""
    return {
        "system": platform.system(),
        "release": platform.release(),
        "architecture": platform.machine(),
        "processor": _processor(),
        "cpu_count": os.cpu_count(),
    }


def peak_memory_bytes() -> int | None:
    """Return the largest resident memory of this process so far, None where unknown."""
    try:
        import resource
    except ImportError:  # Windows has no such module.
        return None
    # Bytes on macOS, kibibytes on Linux.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


@cache
def source_digest() -> str:
    """Return 12 hexadecimal digits that stand for every line of this program.

    Notes
    -----
    A version says too little between releases, a commit nothing of an installed package or of
    changes nobody committed; this is the same wherever the same code runs, and only there.
    """
    package = Path(__file__).resolve().parents[1]
    state = hashlib.blake2b(digest_size=6, person=b"payroute.source")
    # In order of name, as file systems list in any.
    for path in sorted(package.rglob("*.py")):
        state.update(f"{path.relative_to(package).as_posix()}\0".encode())
        # A checkout on Windows may have other line ends and is still the same source.
        state.update(path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return state.hexdigest()


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _commit(root: Path) -> tuple[str | None, bool | None]:
    """Ask git about our own checkout; an installed package has none."""
    git = shutil.which("git")
    # Only our own checkout is asked: the package may lie within somebody else's repository.
    if git is None or not (root / ".git").exists() or not (root / "pyproject.toml").exists():
        return None, None
    commit = _git(git, root, ("rev-parse", "HEAD"))
    changes = _git(git, root, ("status", "--porcelain", "--untracked-files=no"))
    return commit or None, None if changes is None else bool(changes)


def _git(git: str, root: Path, arguments: tuple[str, ...]) -> str | None:
    """Return what a git command says, None if it fails."""
    try:
        done = subprocess.run(
            (git, "-C", str(root), *arguments),
            capture_output=True,
            text=True,
            timeout=_GIT_TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _processor() -> str | None:
    """Return the processor's model name where the system tells."""
    listing = Path("/proc/cpuinfo")
    try:
        for line in listing.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        return platform.processor() or None
    return platform.processor() or None
