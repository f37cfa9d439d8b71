"""docs/validation.md is the table of the figures there are, with the verdicts they are known by."""

from __future__ import annotations

import re

from tests.published.everything import ALL
from tests.published.figure import Found
from tests.published.sources import PUBLISHED
from tests.published.table import page, structure
from tests.theory.driver import ROOT, SCENARIOS

PAGE = ROOT / "docs" / "validation.md"
AGAIN = "made with `python -m tests.published.table > docs/validation.md`"


def test_the_page_has_every_figure_as_it_is_stated_now() -> None:
    kept = PAGE.read_text(encoding="utf-8")
    assert structure(kept) == structure(page(lambda figure: None)), AGAIN
    # And the other way round: another tolerance would be found.
    other = kept.replace("± 466", "± 467", 1)
    assert other != kept
    assert structure(other) != structure(kept)


def test_verdicts_of_the_page_are_those_the_tests_ask_for() -> None:
    rows = re.findall(
        r"^\| ([^|]+) \| [^|]+± [^|]+\| ([^|]+) \| ([^|]+) \|", PAGE.read_text("utf-8"), re.M
    )
    assert len(rows) == len(ALL)
    for figure, (name, ours, verdict) in zip(ALL, rows, strict=True):
        assert name == figure.key.partition("/")[2]
        value = float(re.split(r" \(", ours)[0].replace(" ", ""))
        assert verdict == ("**not agreed**" if figure.because else "agreed"), figure.key
        # As written, with five digits.
        slack = 1e-4 * max(abs(figure.published), 1)
        assert abs(value - figure.published) <= figure.tolerance + slack or figure.because


def test_a_row_says_what_was_found() -> None:
    (figure,) = (one for one in ALL if one.key == "cambodia-2022/transfers a day")
    text = page(lambda one: Found(60_000, 59_000, 61_000) if one is figure else None)
    assert "| 60 000 (59 000 to 61 000) | **not agreed** |" in text


def test_sources_cited_by_scenarios_are_there() -> None:
    texts = [path.read_text(encoding="utf-8") for path in SCENARIOS.rglob("*.yaml")]
    cited = {key for text in texts for key in re.findall(r"source: published (\w+)", text)}
    assert cited == set(PUBLISHED)
