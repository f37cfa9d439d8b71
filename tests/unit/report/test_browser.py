"""A browser shows the page: nothing is asked for, nothing is refused, at a desk and on a phone.

Needs Chromium (Debian's package) and, for the check of accessibility, axe-core; ``.ci/run`` gets
both. Pictures are left in the folder the test is given.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.report.blocks import Document, Heading, Player
from sim.report.documents.compare import compare_document
from sim.report.documents.report import report_document
from sim.report.figures.tape import Place, Recording, Tape, Way
from sim.report.rendering import render
from sim.study.compare.comparison import compare_arms
from sim.study.pool import LocalPool
from sim.study.result import open_result
from sim.study.run import run_scenario
from sim.tables.tabular import TabularData
from tests.support.arms import ARMS_PLAN, two_arms
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
def arms_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the page of a comparison of two arms."""
    path = tmp_path_factory.mktemp("arms") / "comparison.html"
    document = compare_document(compare_arms(two_arms(), ARMS_PLAN, LocalPool(1)), {})
    path.write_text(render(document, "html"), encoding="utf-8")
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


def _clock(browser: Browser) -> str:
    return str(browser.run("document.getElementById('clock').textContent"))


def _seek(browser: Browser, time_ms: int) -> None:
    browser.run(
        f"const s = document.getElementById('seek'); s.value = {time_ms}; "
        "s.dispatchEvent(new Event('input')); 0"
    )


@pytest.mark.parametrize("width", [1280, 390])
def test_a_clicked_payment_tells_its_journey(page: Path, browser: Browser, width: int) -> None:
    browser.open(page, width=width)
    _seek(browser, 60_000)
    assert _clock(browser).startswith("00:01:00.0, ")
    # At one payment a second that takes some seconds, several are under way.
    assert int(_clock(browser).split(", ")[1].split()[0]) >= 2
    told = browser.run(
        "const dot = [...document.querySelectorAll('svg.map')].find("
        "map => map.getBoundingClientRect().width > 0).querySelector('.dot');"
        "dot.dispatchEvent(new MouseEvent('click', {bubbles: true}));"
        "[dot.dataset.id, document.getElementById('journey').textContent]"
    )
    assert told[1].startswith(f"Payment {told[0]}, cn_kh/")
    assert "river_bank" in told[1]
    assert browser.complaints() == []


def test_play_pause_and_a_common_start(page: Path, browser: Browser) -> None:
    browser.open(page)
    # Nothing moves before it is asked to.
    assert _clock(browser).startswith("00:00:00.0")
    browser.run("document.getElementById('play').click()")
    browser.run("new Promise(done => setTimeout(done, 500))")
    browser.run("document.getElementById('play').click()")
    # Half a second at thirty times the pace, whatever the machine is busy with besides.
    seconds = float(_clock(browser).split(",")[0].split(":")[2])
    assert 5 <= seconds <= 59
    stopped = _clock(browser)
    browser.run("new Promise(done => setTimeout(done, 200))")
    assert _clock(browser) == stopped
    browser.run("const t = document.getElementById('together'); t.click(); 0")
    payments = browser.run(
        "JSON.parse(document.getElementById('tape').textContent).arms[0].payments.length"
    )
    assert _clock(browser) == f"00:00:00.0, {payments} under way"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_two_arms_are_quiet_and_fit(
    arms_page: Path, browser: Browser, tmp_path: Path, width: int, dark: bool
) -> None:
    browser.open(arms_page, width=width, dark=dark)
    assert browser.complaints() == []
    assert browser.requests() == [arms_page.absolute().as_uri()]
    assert browser.run("document.documentElement.scrollWidth") <= width
    shown = browser.run(
        "[...document.querySelectorAll('.arm')].map(arm => [...arm.querySelectorAll('svg.map')]"
        ".filter(map => map.getBoundingClientRect().width > 0).length)"
    )
    assert shown == [1, 1]
    browser.picture(tmp_path / "arms.png")


@pytest.mark.parametrize("width", [1280, 390])
def test_a_clicked_customer_tells_what_became_of_it_in_both_arms(
    arms_page: Path, browser: Browser, width: int
) -> None:
    browser.open(arms_page, width=width)
    # All start together, so that the same customer stands in both arms at the same time.
    browser.run("document.getElementById('together').click(); 0")
    both = browser.run(
        "[...document.querySelectorAll('.arm')].map(arm => [...[...arm.querySelectorAll('svg.map')]"
        ".find(map => map.getBoundingClientRect().width > 0).querySelectorAll('.dot')]"
        ".map(dot => Number(dot.dataset.id)))"
    )
    shared = sorted(set(both[0]) & set(both[1]))
    assert len(shared) >= 2
    told = browser.run(
        f"[...document.querySelectorAll('.arm')][1].querySelectorAll('svg.map')"
        f"[{int(width < 640)}].querySelector('.dot[data-id=\"{shared[0]}\"]')"
        ".dispatchEvent(new MouseEvent('click', {bubbles: true}));"
        "[document.getElementById('journey').textContent,"
        "document.querySelectorAll('#journey table').length,"
        "document.querySelectorAll('.dot.chosen').length]"
    )
    assert told[0].startswith(f"Customer {shared[0]}: inbound ")
    assert "poor, cn_kh/" in told[0]
    assert "rich, cn_kh/" in told[0]
    # A journey in each arm, and the one customer is picked out in each map.
    assert told[1:] == [2, 2]
    assert browser.complaints() == []


def test_two_arms_play_on_one_clock(arms_page: Path, browser: Browser) -> None:
    browser.open(arms_page)
    assert _clock(browser).startswith("00:00:00.0, poor: ")
    _seek(browser, 60_000)
    clock, poor, rich = _clock(browser).split(", ")
    assert clock == "00:01:00.0"
    assert int(poor.removeprefix("poor: ").split()[0]) >= 1
    assert int(rich.removeprefix("rich: ").split()[0]) >= 1
    browser.run("document.getElementById('play').click()")
    browser.run("new Promise(done => setTimeout(done, 500))")
    browser.run("document.getElementById('play').click()")
    assert _clock(browser) > "00:01:05"
    # By the keyboard alone: the slider goes on with arrows, the button by the space bar.
    browser.run("document.getElementById('seek').focus(); 0")
    before = _clock(browser)
    browser.press("ArrowRight", 39)
    assert _clock(browser) > before
    assert browser.complaints() == []


def test_names_of_the_tape_run_nothing(browser: Browser, tmp_path: Path) -> None:
    evil = "</script><script>document.title='taken'</script><img src=x onerror=alert(1)>"
    steps = ((0, 0), (5, 1), (9, 1))
    tape = Tape(
        (Place(evil, 0, 0), Place("b", 1, 0)),
        (Way(0, 1, 1, 0),),
        ((7, evil, "completed", steps),),
        horizon_ms=10,
        lane=(1,),
        lane_place=evil,
        bands_ms=(),
        left_out=0,
    )
    path = tmp_path / "evil.html"
    document = Document(
        (Heading(evil, 1), Player(Recording((("", tape),)))), TabularData((), ()), {}
    )
    path.write_text(render(document, "html"), encoding="utf-8")
    browser.open(path)
    browser.run("document.getElementById('tell').click()")
    assert browser.run("document.title") == evil
    assert evil in browser.run("document.getElementById('journey').textContent")
    assert browser.complaints() == []
    assert browser.requests() == [path.absolute().as_uri()]


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
@pytest.mark.parametrize("kind", ["run", "arms"])
def test_nothing_keeps_anybody_out(
    page: Path, arms_page: Path, browser: Browser, kind: str, width: int, dark: bool
) -> None:
    browser.open(page if kind == "run" else arms_page, width=width, dark=dark)
    if kind == "arms":
        browser.run("document.getElementById('tell').click()")
    browser.run(f"{Path(AXE).read_text(encoding='utf-8')}; 0")
    found = browser.run(
        "axe.run().then(told => told.violations.map(one => one.id + ': ' + one.help + ' '"
        " + one.nodes.slice(0, 3).map(node => node.html.slice(0, 120)).join(' | ')))"
    )
    assert found == []
