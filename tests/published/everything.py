"""Every figure of this folder, registered."""

from tests.published import (
    of_2022,
    of_2025,
    of_agents,
    of_china,
    of_correspondents,
    of_links,
    of_shops,
    of_storms,
)
from tests.published.figure import FIGURES

_FILES = (
    of_2022,
    of_2025,
    of_china,
    of_agents,
    of_links,
    of_correspondents,
    of_shops,
    of_storms,
)
_ORDER = (
    "cambodia-2022",
    "cambodia-2025",
    "china-two-way",
    "golden-week",
    "prefunding-weekend",
    "acleda-outage",
    "retry-storm",
    "smile-shop",
    "thai-border-closure",
    "asean-qr",
    "ecny-bridge",
    "five-ways-to-pay",
)
"""Scenarios in the order of the table."""
ALL = tuple(sorted(FIGURES, key=lambda figure: _ORDER.index(figure.scenario)))
assert all(file.__doc__ for file in _FILES)
