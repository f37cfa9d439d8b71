"""A browser shows the page: nothing is asked for, nothing is refused, at a desk and on a phone.

Needs Chromium (Debian's package) and, for the check of accessibility, axe-core; ``.ci/run`` gets
both. Pictures are left in the folder the test is given.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.report.documents.report import report_document
from sim.report.rendering import render
from sim.study.result import open_result
from sim.study.run import run_scenario
from tests.support.browser import CHROMIUM, Browser
from tests.unit.report.test_page import MANY, MINIMAL

AXE = os.environ.get("PAYROUTE_AXE", "")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(
        not CHROMIUM and "PAYROUTE_CI" not in os.environ,
        reason="no Chromium here; install it with `apt-get install chromium`",
    ),
]
WIDTHS = (1280, 768, 390)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the page of a run."""
    out = tmp_path_factory.mktemp("browser") / "run"
    run_scenario(MINIMAL, engine="reference", out=out, overrides=MANY, record="stages")
    path = out / "report.html"
    path.write_text(render(report_document(open_result(out)), "html"), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start a browser."""
    with Browser() as started:
        yield started


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_a_page_is_quiet_and_fits(
    page: Path, browser: Browser, tmp_path: Path, width: int, dark: bool
) -> None:
    browser.open(page, width=width, dark=dark)
    assert browser.complaints() == []
    assert browser.requests() == [page.absolute().as_uri()]
    # Nothing but tables in their boxes is wider than the window.
    assert browser.run("document.documentElement.scrollWidth") <= width
    wide = browser.run(
        "[...document.querySelectorAll('main *')].filter(one => "
        "!one.closest('.wide, svg, pre, nav') && "
        "one.getBoundingClientRect().right > innerWidth + 1).map(one => one.outerHTML)"
    )
    assert wide == []
    colours = browser.run("getComputedStyle(document.body).backgroundColor")
    assert (colours == "rgb(255, 255, 255)") is not dark
    browser.picture(tmp_path / "page.png")


def test_every_figure_has_marks_and_letters_that_can_be_read(page: Path, browser: Browser) -> None:
    browser.open(page, width=390)
    figures = browser.run(
        "[...document.querySelectorAll('figure')].map(one => ["
        "one.querySelectorAll('[role=graphics-symbol]').length,"
        "Math.min(...[...one.querySelectorAll('svg text')].map("
        "text => text.getBoundingClientRect().height).filter(height => height > 0))])"
    )
    assert len(figures) >= 6
    for marks, height in figures:
        assert marks > 0
        # Letters of 12 points are scaled with their figure, and stay readable on a phone.
        assert height >= 9


def test_colours_of_drawings_follow_the_page(page: Path, browser: Browser) -> None:
    seen = set()
    for dark in (False, True):
        browser.open(page, dark=dark)
        seen.add(
            browser.run(
                "getComputedStyle(document.querySelector('svg.chart [role=graphics-symbol]"
                "[aria-roledescription]:not([aria-roledescription=axis])"
                ":not([aria-roledescription=legend])')).fill"
            )
        )
    assert len(seen) == 2


def test_the_keyboard_reaches_every_part(page: Path, browser: Browser) -> None:
    browser.open(page)
    browser.press("Tab", 9)
    assert browser.run("document.activeElement.className") == "skip"
    browser.press("Tab", 9)
    assert browser.run("document.activeElement.getAttribute('href')") == "#part-1"
    # Whatever scrolls in its box can be reached and has a name.
    unnamed = browser.run(
        "[...document.querySelectorAll('.wide')].filter("
        "one => one.tabIndex !== 0 || !one.getAttribute('aria-label')).length"
    )
    assert unnamed == 0


def test_a_printed_page_has_no_navigation(page: Path, browser: Browser) -> None:
    browser.open(page)
    browser.ask("Emulation.setEmulatedMedia", media="print")
    assert browser.run("getComputedStyle(document.querySelector('nav')).display") == "none"
    assert browser.run("document.querySelectorAll('svg.chart').length") >= 6
    assert len(browser.ask("Page.printToPDF")["data"]) > 10_000


@pytest.mark.skipif(
    not AXE and "PAYROUTE_CI" not in os.environ,
    reason="no axe-core here; give the path of axe.min.js as PAYROUTE_AXE",
)
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_nothing_keeps_anybody_out(page: Path, browser: Browser, width: int, dark: bool) -> None:
    browser.open(page, width=width, dark=dark)
    browser.run(f"{Path(AXE).read_text(encoding='utf-8')}; 0")
    found = browser.run(
        "axe.run().then(told => told.violations.map(one => one.id + ': ' + one.help + ' '"
        " + one.nodes.slice(0, 3).map(node => node.html.slice(0, 120)).join(' | ')))"
    )
    assert found == []
