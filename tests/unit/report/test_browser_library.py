"""A browser shows what people look at: pages of the library's own run, and of a stress test.

Pages of a small run and of a comparison are looked at more closely in ``test_browser.py``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sim
from sim.report.views import BYTES_MAX
from tests.support.browser import CHROMIUM, Browser
from tests.support.tiny import YAML
from tests.theory.driver import SCENARIOS

AXE = os.environ.get("PAYROUTE_AXE", "")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(
        not CHROMIUM and "PAYROUTE_CI" not in os.environ,
        reason="no Chromium here; install it with `apt-get install chromium`",
    ),
]
TWO_WAY = SCENARIOS / "china-two-way.yaml"
SHORT = {"clock.horizon": "2 min", "clock.warm_up": "0 s"}
KINDS = ("run", "comparison", "stress")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what is shown: two results of china-two-way, and the load a small shop carries."""
    folder = tmp_path_factory.mktemp("library")
    shop = folder / "endless.yaml"
    shop.write_text(YAML.replace(", queue_limit: 4", ""), encoding="utf-8")
    return {
        "run": sim.run(TWO_WAY, overrides=SHORT, record="stages", out=folder / "run"),
        "comparison": sim.compare(TWO_WAY, oracle=True, replications=2, overrides=SHORT),
        "stress": sim.stress(shop, "p99<=20s", window_s=600, replications=2),
    }


@pytest.fixture(scope="module")
def pages(results: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write a page of each."""
    folder = tmp_path_factory.mktemp("pages")
    return {kind: results[kind].report(folder / f"{kind}.html") for kind in KINDS}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start a browser."""
    with Browser() as started:
        yield started


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("kind", KINDS)
def test_a_page_is_quiet_and_fits(
    pages: dict[str, Path], browser: Browser, tmp_path: Path, kind: str, width: int
) -> None:
    browser.open(pages[kind], width=width)
    assert browser.complaints() == []
    assert browser.requests() == [pages[kind].absolute().as_uri()]
    assert browser.run("document.documentElement.scrollWidth") <= width
    marks = browser.run(
        "[...document.querySelectorAll('figure')].map("
        "one => one.querySelectorAll('[role=graphics-symbol]').length)"
    )
    assert len(marks) >= 2
    assert all(marks)
    browser.picture(tmp_path / f"{kind}-{width}.png")
    if not AXE:
        assert "PAYROUTE_CI" not in os.environ, "give the path of axe.min.js as PAYROUTE_AXE"
        return
    browser.run(f"{Path(AXE).read_text(encoding='utf-8')}; 0")
    found = browser.run(
        "axe.run().then(told => told.violations.map(one => one.id + ': ' + one.help + ' '"
        " + one.nodes.slice(0, 3).map(node => node.html.slice(0, 120)).join(' | ')))"
    )
    assert found == []


@pytest.mark.parametrize("kind", ["run", "comparison"])
def test_a_payment_is_found_by_its_number_and_play_goes_on(
    pages: dict[str, Path], browser: Browser, kind: str
) -> None:
    browser.open(pages[kind])
    browser.run("document.getElementById('tell').click()")
    told = browser.run("document.getElementById('journey').textContent")
    assert "completed" in told or "rejected" in told or "returned" in told
    browser.run("document.getElementById('play').click()")
    browser.run("new Promise(done => setTimeout(done, 400))")
    assert not browser.run("document.getElementById('clock').textContent").startswith("00:00:00.0")
    assert browser.complaints() == []


def test_pages_stay_small(pages: dict[str, Path]) -> None:
    # Two minutes of them; an hour is a benchmark (`python -m tests.benchmarks.measure pages`).
    for kind, path in pages.items():
        assert path.stat().st_size < 500_000, kind


@pytest.mark.parametrize("kind", KINDS)
def test_results_of_the_library_are_shown_in_few_words(results: dict[str, Any], kind: str) -> None:
    assert len(repr(results[kind])) < 1000
    assert len(results[kind]._repr_html_().encode()) < BYTES_MAX
