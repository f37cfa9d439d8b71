"""A page as a program reads it: its texts, its numbers, and what its marks are called."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Seen:
    """What stands on a page.

    Attributes
    ----------
    texts : list of str
        Whatever is shown.
    numbers : list of str
        Exact values outside tables behind figures.
    behind : dict of str to list of str
        Those of the table behind each figure.
    labels : dict of str to list of str
        Texts of marks, by figure.
    tags : set of str
        Elements there are.
    attributes : set of str
        Attributes there are.
    """

    texts: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    behind: dict[str, list[str]] = field(default_factory=dict)
    labels: dict[str, list[str]] = field(default_factory=dict)
    tags: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)


class _Reader(HTMLParser):
    """A reader of one page."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = Seen()
        self._figure, self._is_style = "", False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.seen.tags.add(tag)
        self.seen.attributes |= set(found)
        self._is_style = tag in ("style", "script")
        if tag == "figure":
            self._figure = found["id"]
            self.seen.labels[self._figure] = []
            self.seen.behind[self._figure] = []
        if tag == "data":
            numbers = self.seen.behind[self._figure] if self._figure else self.seen.numbers
            numbers.append(found["value"])
        kind = found.get("aria-roledescription", "")
        is_mark = found.get("role") == "graphics-symbol" and kind not in ("axis", "legend", "title")
        if is_mark and self._figure and found.get("aria-label") and "aria-hidden" not in found:
            self.seen.labels[self._figure].append(found["aria-label"])

    def handle_endtag(self, tag: str) -> None:
        self._is_style = False
        if tag == "figure":
            self._figure = ""

    def handle_data(self, data: str) -> None:
        if data.strip() and not self._is_style:
            self.seen.texts.append(data.strip().replace("\u00a0", " "))


def read_page(text: str) -> Seen:
    """Return what stands on a page."""
    reader = _Reader()
    reader.feed(text)
    return reader.seen
