"""Find every Python the package says it runs on, and hold each to the short suite and the digests.

``python -m tests.support.pythons`` looks for interpreters on the PATH, where version managers keep
theirs, in the system's packages, and in those of Debian's next releases; makes an environment for
each, installs the package as it lies here with its pinned libraries, runs the tests of the rooms in
which Pythons differ (``--whole``: of all), and repeats golden runs, whose digests must be those of
this repository. Interpreters that are not to be had are named, one by one: a version nobody tried
is not called tried.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.support.packaged_python import unpack

ROOT = Path(__file__).parents[2]
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
"""What ``requires-python`` allows."""
DIGESTS = ("tests/equivalence/test_meaning.py",)
"""Golden runs: every one of them says the digest of its whole event log."""
SHORT = (
    *(f"tests/unit/{room}" for room in ("contract", "draws", "model", "qr")),
    "tests/theory/test_minimal_by_hand.py",
)
"""Rooms in which Pythons may differ: numbers, text, draws, machine code."""
WHOLE = ("tests/unit", "tests/theory/test_minimal_by_hand.py")
NOT_SHORT = "not slow and not browser and not network and not large"
_ASKED = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
_KEPT = (
    (".pyenv/versions/{0}*/bin/python", "PYENV_ROOT", "versions/{0}*/bin/python"),
    (".local/share/uv/python/cpython-{0}*/bin/python3", "UV_PYTHON_INSTALL_DIR",
     "cpython-{0}*/bin/python3"),
    (".asdf/installs/python/{0}*/bin/python", "ASDF_DATA_DIR", "installs/python/{0}*/bin/python"),
)  # fmt: skip
"""Where version managers keep interpreters: below the home, or below what a variable names."""
_SYSTEM = ("opt/hostedtoolcache/Python/{0}.*/x64/bin/python", "opt/python{0}/bin/python3",
           "usr/local/bin/python{0}", "usr/bin/python{0}")  # fmt: skip
"""Where systems and build services keep them."""

Answers = Callable[[Path], str]


@dataclass(frozen=True)
class Found:
    """An interpreter of one version, or None where there is none."""

    version: str
    python: Path | None


def ask(python: Path) -> str:
    """Return the version an interpreter says it is, empty where it cannot make environments."""
    try:
        told = subprocess.run(
            [str(python), "-c", _ASKED], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return told.stdout.strip() if told.returncode == 0 else ""


def candidates(version: str, environment: Mapping[str, str], root: Path) -> Iterator[Path]:
    """Yield where an interpreter of a version may be, the likeliest first.

    Parameters
    ----------
    version : str
        As in ``3.12``.
    environment : mapping
        Its PATH, HOME and the variables of version managers count.
    root : Path
        Of the file system.
    """
    for folder in environment.get("PATH", "").split(os.pathsep):
        if folder:
            yield Path(folder) / f"python{version}"
    home = Path(environment.get("HOME", "/nonexistent"))
    for below_home, variable, below in _KEPT:
        if variable in environment:
            yield from _newest(Path(environment[variable]), below.format(version))
        yield from _newest(home, below_home.format(version))
    for pattern in _SYSTEM:
        yield from _newest(root, pattern.format(version))


def _newest(folder: Path, pattern: str) -> list[Path]:
    """Return the files of a pattern, of the highest version first."""
    found = list(folder.glob(pattern)) if folder.is_dir() else []
    return sorted(found, key=lambda path: [int(n) for n in re.findall(r"\d+", str(path))],
                  reverse=True)  # fmt: skip


def find(
    version: str, environment: Mapping[str, str], root: Path = Path("/"), *, answers: Answers = ask
) -> Path | None:
    """Return the first interpreter that answers to a version, None where none does.

    Parameters
    ----------
    version, environment, root
        See :func:`candidates`.
    answers : callable
        Asks an interpreter for its version; one that cannot make environments has none.
    """
    for python in candidates(version, environment, root):
        if python.exists() and answers(python) == version:
            return python
    return None


def install(version: str) -> None:
    """Ask the system's packages for a version, where they have it; what comes of it is found."""
    if shutil.which("apt-get") is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        return
    names = [f"python{version}", f"python{version}-venv"]
    known = subprocess.run(["apt-cache", "policy", names[0]], capture_output=True, text=True,
                           check=False).stdout  # fmt: skip
    candidate = re.search(r"Candidate: (\S+)", known)
    if candidate is None or candidate[1] == "(none)":
        return
    subprocess.run(["apt-get", "install", "-y", "-qq", *names], stdout=subprocess.DEVNULL,
                   check=False)  # fmt: skip


def find_all(versions: Sequence[str], *, unpacked: Path | None) -> list[Found]:
    """Return an interpreter for each version, as far as one is to be had.

    Parameters
    ----------
    versions : sequence of str
    unpacked : Path or None
        Folder for interpreters that have to be fetched; None: only those here are looked for.
    """
    found = []
    for version in versions:
        python = find(version, os.environ)
        if python is None and unpacked is not None:
            install(version)
            python = find(version, os.environ) or _unpacked(version, unpacked / version)
        found.append(Found(version, python))
    return found


def _unpacked(version: str, folder: Path) -> Path | None:
    """Fetch an interpreter; one that does not answer to its version is none."""
    python = unpack(version, folder)
    return python if python is not None and ask(python) == version else None


def environment_of(python: Path, folder: Path) -> Path:
    """Make an environment with the package and what its tests need; return its interpreter."""
    subprocess.run([str(python), "-m", "venv", str(folder)], check=True)
    inside = folder / "bin" / "python"
    pinned = {**os.environ, "PIP_CONSTRAINT": str(ROOT / "constraints.txt")}
    # Of the libraries only what is loaded is made byte code, when it is.
    install = [str(inside), "-m", "pip", "install", "-q", "--no-compile", f"{ROOT}[test]"]
    subprocess.run(install, env=pinned, check=True)
    return inside


def hold(inside: Path, *, jobs: int, tests: Sequence[str] = SHORT) -> bool:
    """Run the golden digests and some tests; say whether all of it passed."""
    test = [str(inside), "-m", "pytest", "-q", "-n", str(jobs), "-p", "no:cacheprovider"]
    suites = ([*test, *DIGESTS], [*test, "-m", NOT_SHORT, *tests])
    # What needs further libraries ran on the Python of the whole suite, and may be left out here.
    lenient = {name: value for name, value in os.environ.items() if name != "PAYROUTE_CI"}
    for suite in suites:
        done = subprocess.run(suite, cwd=ROOT, env=lenient, check=False, capture_output=True,
                              text=True)  # fmt: skip
        told = done.stdout if done.returncode else done.stdout.rstrip().rpartition("\n")[2]
        print(f"{inside}: {told}{done.stderr if done.returncode else ''}", flush=True)  # noqa: T201
        if done.returncode:
            return False
    return True


def _held(one: Found, jobs: int, tests: Sequence[str]) -> bool:
    """Make an environment for a version, and hold it to the tests."""
    assert one.python is not None
    begun = time.monotonic()
    print(f"-- Python {one.version}: {one.python}", flush=True)  # noqa: T201
    with tempfile.TemporaryDirectory(prefix="payroute-python-") as folder:
        passed = hold(environment_of(one.python, Path(folder)), jobs=jobs, tests=tests)
    print(f"-- Python {one.version}: {time.monotonic() - begun:.0f} s", flush=True)  # noqa: T201
    return passed


def summary(found: Sequence[Found], passed: Mapping[str, bool]) -> list[str]:
    """Return a line for each version: what it was held to, or that nobody could."""
    lines = []
    for one in found:
        if one.python is None:
            told = "NOT TRIED: no interpreter here, and none in packages to be had"
        elif one.version not in passed:
            told = f"found at {one.python}"
        else:
            told = f"{'passed' if passed[one.version] else 'FAILED'}, {one.python}"
        lines.append(f"Python {one.version}: {told}")
    return lines


def main(words: Sequence[str] | None = None) -> int:
    """Hold every version that is found to the suite; return 1 where one fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--versions", nargs="*", default=list(VERSIONS), metavar="VERSION")
    parser.add_argument("--without", nargs="*", default=[], metavar="VERSION",
                        help="versions that are tried elsewhere")  # fmt: skip
    parser.add_argument("--find", action="store_true", help="only say which there are")
    parser.add_argument("--no-install", action="store_true", help="ask no package system")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--whole", action="store_true", help="all tests of units, not a few rooms")
    given = parser.parse_args(words)
    wanted = [version for version in given.versions if version not in given.without]
    with tempfile.TemporaryDirectory(prefix="payroute-pythons-") as unpacked:
        offline = given.no_install or given.find
        found = find_all(wanted, unpacked=None if offline else Path(unpacked))
        return _try(found, given)


def _try(found: Sequence[Found], given: argparse.Namespace) -> int:
    """Hold interpreters to the suite, all at once; return 1 where one fails."""
    tests = WHOLE if given.whole else SHORT
    tried = [one for one in found if one.python is not None and not given.find]
    # Side by side: an environment waits for files, and a kernel is compiled by one process.
    with ThreadPoolExecutor(max(len(tried), 1)) as pool:
        held = pool.map(lambda one: _held(one, max(1, given.jobs // len(tried)), tests), tried)
        passed = {one.version: ok for one, ok in zip(tried, held, strict=True)}
    for line in summary(found, passed):
        print(line)  # noqa: T201
    return 0 if all(passed.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
