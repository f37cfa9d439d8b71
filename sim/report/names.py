"""What measures are called where people read: the one place words of measures are looked up.

Takes keys; gives words.
"""

from __future__ import annotations

from sim.analysis.catalogue import (
    COST_COLUMNS,
    COST_PARTS,
    GROUP_COLUMNS,
    PLACE_COLUMNS,
    SUMMARY_COLUMNS,
    words_of,
)
from sim.contract.meaning import Reason
from sim.contract.words import member_words

HEADLINE = tuple({name: words_of(name) for name in block} for block in SUMMARY_COLUMNS)
"""The first figures of a run, in groups."""

GROUP = dict(
    zip(
        (*GROUP_COLUMNS, *COST_COLUMNS),
        ("payments", "open", "success", "p50", "p99", "payer", "merchant"),
        strict=True,
    )
)
"""Headings of tables by corridor and by route, shorter than the words of the measures."""

STATION = {name: words_of(name) for name in PLACE_COLUMNS}

COST = {name: words_of(name) for name in COST_PARTS}
"""Parts of what a payment costs."""


def reason_words(code: str) -> str:
    """Return what a reason code means, from the specification."""
    return member_words(Reason).get(code, "").partition(";")[0].rstrip(".")
