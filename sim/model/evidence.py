"""How well founded a value of a scenario is, and where it was taken from.

Takes nothing of ours; gives the grades and the note the loader keeps for every value a user
wrapped as ``{value: …, evidence: …, source: …}``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Evidence(StrEnum):
    """Grade of a value by what stands behind it."""

    REPORTED = "reported"
    """A publication states the figure."""

    DERIVED = "derived"
    """Computed from reported figures; the source says how."""

    ESTIMATED = "estimated"
    """Our estimate; nobody published it, so sensitivity runs vary it."""

    ASSUMED = "assumed"
    """The scenario gives no evidence for the value."""


@dataclass(frozen=True, slots=True)
class EvidenceNote:
    """The evidence given for one value.

    Attributes
    ----------
    path : tuple of str or int
        Keys and list positions that lead to the value.
    kind : Evidence
        Its grade.
    source : str
        Key of the source, empty when none was given.
    value_text : str
        The value as written, on one line.
    """

    path: tuple[str | int, ...]
    kind: Evidence
    source: str
    value_text: str
