"""The manual tells the truth: its commands run, its files are valid, its output is what is printed.

A page is followed from the top in a folder of its own: files are written, commands run, Python is
executed. A comment before a block says by what a long command is bounded here (``bounds:``), or
with which code it ends (``exit:``).
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.theory.driver import ROOT
from tests.unit.cli.queue import payroute

DOCS = ROOT / "docs"
PAGES = sorted((DOCS / "manual").glob("*.md"))
_BLOCK = re.compile(
    r"(?P<marks>(?:<!--.*?-->\n)*)```(?P<kind>\w+)(?P<title>[^\n]*)\n(?P<body>.*?)```", re.S
)
_KINDS = {"sh", "yaml", "python", "text", "toml", "csv"}
_FILES = {"yaml", "csv"}


@dataclass(frozen=True)
class Block:
    """A block of a page, and what its comments say."""

    kind: str
    title: str
    body: str
    bounds: tuple[str, ...]
    exit_code: int


def _blocks(page: Path) -> list[Block]:
    found = []
    for match in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        marks = dict(re.findall(r"<!-- (\w+): (.*?) -->", match["marks"]))
        title = re.search(r'title="([^"]+)"', match["title"])
        bounds = tuple(shlex.split(marks.get("bounds", "")))
        name = title[1] if title else ""
        found.append(Block(match["kind"], name, match["body"], bounds, int(marks.get("exit", "0"))))
    return found


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_can_be_followed(page: Path, here: Path) -> None:
    names: dict[str, object] = {}
    printed = ""
    for block in _blocks(page):
        if block.kind in _FILES:
            assert block.title, f"{page.name}: a file without a name"
            (here / block.title).write_text(block.body, encoding="utf-8")
        elif block.kind == "python":
            # As a reader's own script: nothing of this file's future imports in it.
            exec(compile(block.body, page.name, "exec", dont_inherit=True), names)
        elif block.kind == "text":
            missing = [line for line in block.body.splitlines() if line not in printed]
            assert missing == []
        elif block.kind == "sh":
            for line in block.body.splitlines():
                if line.startswith("payroute "):
                    printed = _run(line, block)


def _run(line: str, block: Block) -> str:
    words = [*shlex.split(line)[1:], *block.bounds]
    done = payroute(*words)
    assert done.exit_code == block.exit_code, f"{line}\n{done.output}"
    return done.stdout


def test_pages_hold_nothing_that_is_not_tried() -> None:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        blocks = _blocks(page)
        assert text.count("```") == 2 * len(blocks), page
        assert {block.kind for block in blocks} <= _KINDS
        for block in (one for one in blocks if one.kind == "sh"):
            for line in block.body.splitlines():
                assert line.startswith(("payroute ", "pip install ")), line


def test_every_command_is_on_some_page_or_in_the_readme() -> None:
    from sim.cli import app

    told = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    told += (ROOT / "README.md").read_text(encoding="utf-8")
    names = [command.name for command in app.registered_commands]
    assert [name for name in names if f"payroute {name}" not in told] == []


def test_every_page_is_in_the_contents() -> None:
    contents = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    named = set(re.findall(r": ([\w/-]+\.md)", contents))
    there = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    assert named == there


class _Sources(HTMLParser):
    """Everything a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag in ("script", "img", "iframe") and told.get("src"):
            self.found.append(str(told["src"]))
        if tag == "link" and told.get("rel") in ("stylesheet", "preconnect", "icon"):
            self.found.append(str(told["href"]))


@pytest.mark.slow
def test_the_site_builds_and_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    pytest.importorskip("material", reason="needs mkdocs-material")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", tmp_path],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    pages = sorted(tmp_path.rglob("*.html"))
    assert len(pages) > len(PAGES)
    for page in pages:
        sources = _Sources()
        sources.feed(page.read_text(encoding="utf-8"))
        assert sources.found
        # The page of a path that is not there names the rest from the root of its own site.
        outside = [one for one in sources.found if re.match(r"(?:\w+:)?//", one)]
        assert outside == [], page
