"""The table of published figures beside ours: docs/validation.md.

    python -m tests.published.table > docs/validation.md

Takes every figure of this folder and runs it (some minutes); gives a page in Markdown. `structure`
leaves ours out, which tells a page that is out of date without a run.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator

from tests.published.everything import ALL
from tests.published.figure import Figure, Found
from tests.published.sources import PUBLISHED

_HEAD = """<!-- Written by `python -m tests.published.table`; change tests/published/ instead. -->

# Published figures and ours

What scenarios must reproduce, and what they do. Published figures are predicted and not fitted,
but for the few that say so; where ours disagrees the table says so and why. Each row is a test of
`tests/published/`, with the arithmetic of its tolerance and a control that must fail;
`pytest tests/published --large` runs all, every run of the tests a part of them. Intervals are 95 %
over replications; a figure without one is of one run, or without chance. The verdicts are those of
the run that wrote this page.

*How* says what a row proves. `given`: the figure, or what it is made of, goes into the scenario,
and comes out of the whole model again. `fitted`: settings were chosen so that it comes out; it is
no evidence, and stands here for what is predicted beside it. `worked out`: by hand or by a formula
from rules, without a run. `predicted`: published by others, and nothing of it goes in.
"""
_NOT_PREDICTED = (
    (
        "UPI on 12 April 2025: success of about 50 % for 2 h and 80 % for 3 h (NPCI)",
        "which share of capacity was lost, and how often apps asked, is not published. From what "
        "is, the first two hours come to 55.2 %, and so do the next three; after the cap answers "
        "are quick again within 38 s and not 25 min (tests/theory/test_storm_of_april.py)",
    ),
    (
        "Payments a day over Alipay+, WeChat Pay, UnionPay and every link but ACLEDA's to Thailand",
        "not published; assumed and to be swept",
    ),
    (
        "E-commerce of 970 million dollars in 2021 and 1.51 bn in 2024",
        "no scenario has an online shop: orders with stock and codes that lapse are not in the "
        "model",
    ),
)


def figures_text(number: float) -> str:
    """Write a number with as many digits as tell it from its tolerance."""
    return (
        f"{number:,.5g}".replace(",", " ")
        if abs(number) < 1e5
        else f"{number:,.0f}".replace(",", " ")
    )


def _ours(figure: Figure, found: Found) -> str:
    value = figures_text(found.value)
    if found.low is None or found.high is None:
        return value
    return f"{value} ({figures_text(found.low)} to {figures_text(found.high)})"


def _row(figure: Figure, found: Found | None) -> str:
    allowed = f"{figures_text(figure.published)} ± {figures_text(figure.tolerance)} {figure.unit}"
    verdict = ""
    if found is not None:
        verdict = "agreed" if figure.agrees(found) else "**not agreed**"
    ours = "" if found is None else _ours(figure, found)
    name = figure.key.partition("/")[2]
    return f"| {name} | {allowed} | {ours} | {verdict} | {figure.how} | {figure.source} |"


def page(ours: Callable[[Figure], Found | None]) -> str:
    """Return the page.

    Parameters
    ----------
    ours : callable
        Gives our figure, or None to leave it out.
    """
    return "\n".join(_lines(ours)) + "\n"


def _lines(ours: Callable[[Figure], Found | None]) -> Iterator[str]:
    yield _HEAD
    scenario = ""
    for figure in ALL:
        if figure.scenario != scenario:
            scenario = figure.scenario
            yield f"\n## {scenario}\n"
            yield "| figure | published | ours | verdict | how | source |"
            yield "| --- | --- | --- | --- | --- | --- |"
        yield _row(figure, ours(figure))
        reasons = [one for one in ALL if one.scenario == scenario]
        if figure is reasons[-1]:
            yield ""
            yield from _told(reasons)
    yield "\n## Not predicted\n"
    yield from (f"- {what}: {why}." for what, why in _NOT_PREDICTED)
    yield "\n## Sources cited as `published`\n"
    yield from (f"- `{key}`: {words}." for key, words in sorted(PUBLISHED.items()))


def _told(figures: list[Figure]) -> Iterator[str]:
    """Yield why each tolerance is as wide as it is, and why a figure does not agree."""
    for figure in figures:
        name = figure.key.partition("/")[2]
        yield f"- *{name}*: {figure.what} Tolerance: {figure.why}. Control: {figure.against}."
        if figure.because:
            yield f"  Not agreed: {figure.because}"


def structure(text: str) -> str:
    """Return a page without our figures and verdicts: what must not change between runs."""
    rows = re.compile(r"^(\| [^|]+ \| [^|]+± [^|]+) \|[^|]*\|[^|]*\|", re.MULTILINE)
    return rows.sub(r"\1 |  |  |", text)


def main() -> None:
    """Write the page, saying on the way what is run."""

    def run(figure: Figure) -> Found:
        found = figure.ours()
        print(f"{figure.key}: {found}", file=sys.stderr)  # noqa: T201 - a tool of the repository
        return found

    print(page(run), end="")  # noqa: T201 - a tool of the repository


if __name__ == "__main__":
    main()
