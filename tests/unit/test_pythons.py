"""Interpreters are found wherever they are kept, asked who they are, and told of where missing."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.packaged_python import mirror_of, relocate, unpack
from tests.support.pythons import ROOT, VERSIONS, Found, ask, candidates, find, main, summary

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def _put(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")


def test_this_interpreter_says_what_it_is() -> None:
    assert ask(Path(sys.executable)) == HERE
    assert ask(Path("/nonexistent/python")) == ""


def test_one_that_fails_is_passed_over(tmp_path: Path) -> None:
    # What a version manager puts on the PATH answers for no version it does not run.
    shim = tmp_path / "python3.13"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    assert ask(shim) == ""
    assert find("3.13", {"PATH": str(tmp_path)}, tmp_path / "nothing") is None


@pytest.mark.parametrize(
    ("kept", "variable"),
    [
        ("home/.pyenv/versions/3.12.9/bin/python", None),
        ("home/.local/share/uv/python/cpython-3.12.9-linux/bin/python3", None),
        ("managed/versions/3.12.9/bin/python", "PYENV_ROOT"),
        ("opt/hostedtoolcache/Python/3.12.9/x64/bin/python", None),
        ("usr/local/bin/python3.12", None),
        ("somewhere/python3.12", "PATH"),
    ],
    ids=["pyenv", "uv", "variable", "service", "system", "path"],
)
def test_interpreters_are_found_where_they_are_kept(
    tmp_path: Path, kept: str, variable: str | None
) -> None:
    _put(tmp_path, kept)
    environment = {"HOME": str(tmp_path / "home"), "PATH": ""}
    if variable is not None:
        environment[variable] = str(tmp_path / Path(kept).parts[0])
    python = find("3.12", environment, tmp_path, answers=lambda path: "3.12")
    assert python == tmp_path / kept
    assert find("3.13", environment, tmp_path, answers=lambda path: "3.12") is None
    # What says it is another is another.
    assert find("3.12", environment, tmp_path, answers=lambda path: "3.11") is None


def test_of_several_the_newest_is_taken_and_the_path_before_it(tmp_path: Path) -> None:
    kept = [f"home/.pyenv/versions/3.12.{patch}/bin/python" for patch in (2, 10, 9)]
    _put(tmp_path, *kept, "bin/python3.12")
    environment = {"HOME": str(tmp_path / "home"), "PATH": str(tmp_path / "bin")}
    order = [path for path in candidates("3.12", environment, tmp_path) if path.exists()]
    assert order[0] == tmp_path / "bin/python3.12"
    assert [path.parts[-3] for path in order[1:4]] == ["3.12.10", "3.12.9", "3.12.2"]


def test_versions_nobody_tried_are_not_called_tried() -> None:
    found = [Found("3.11", Path("/a")), Found("3.12", None), Found("3.13", Path("/b"))]
    lines = summary(found, {"3.11": True, "3.13": False})
    assert lines == [
        "Python 3.11: passed, /a",
        "Python 3.12: NOT TRIED: no interpreter here, and none in packages to be had",
        "Python 3.13: FAILED, /b",
    ]


def test_the_command_says_which_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--find", "--no-install", "--versions", HERE, "3.99"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"Python {HERE}: ")
    assert lines[1].startswith("Python 3.99: NOT TRIED")


def test_the_versions_are_those_the_package_claims() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    low, high = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", project["requires-python"]).groups()
    assert tuple(f"3.{minor}" for minor in range(int(low), int(high))) == VERSIONS
    said = [
        name.rpartition(" ")[2]
        for name in project["classifiers"]
        if re.fullmatch(r"Programming Language :: Python :: 3\.\d+", name)
    ]
    assert tuple(said) == VERSIONS


@pytest.mark.parametrize(
    ("sources", "mirror"),
    [
        ("deb http://mirror.test/debian bookworm main", "http://mirror.test/debian"),
        ("deb [arch=amd64 trusted=yes] https://a.test/x/debian/ sid main", "https://a.test/x/debian"),
        ("Types: deb\n# http://old.test/archive/debian/2025\nURIs: http://mirror.test/debian\n",
         "http://mirror.test/debian"),
        ("deb http://mirror.test/debian-security bookworm-security main", None),
        ("# deb http://mirror.test/debian bookworm main", None),
        ("", None),
    ],
)  # fmt: skip
def test_the_archive_is_the_one_the_system_uses(sources: str, mirror: str | None) -> None:
    assert mirror_of(sources) == mirror


def test_an_unpacked_interpreter_looks_for_its_wheels_where_it_lies(tmp_path: Path) -> None:
    library = tmp_path / "usr/lib/python3.99"
    library.mkdir(parents=True)
    data, variables, other = (
        library / name for name in ("_sysconfigdata__x.py", "_sysconfig_vars__x.json", "os.py")
    )
    data.write_text("{'WHEEL_PKG_DIR': '/usr/share/python-wheels/', 'prefix': '/usr'}")
    variables.write_text('{"WHEEL_PKG_DIR": "/usr/share/python-wheels", "prefix": "/usr"}')
    other.write_text("'/usr/share/python-wheels/'")
    relocate(tmp_path, "3.99")
    wheels = f"{tmp_path}/usr/share/python-wheels"
    assert data.read_text() == f"{{'WHEEL_PKG_DIR': '{wheels}', 'prefix': '/usr'}}"
    assert variables.read_text() == f'{{"WHEEL_PKG_DIR": "{wheels}", "prefix": "/usr"}}'
    assert other.read_text() == "'/usr/share/python-wheels/'"


def test_nothing_is_unpacked_where_there_is_nothing_to_unpack_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert unpack("3.99", tmp_path / "python") is None
    assert not (tmp_path / "python").exists()
