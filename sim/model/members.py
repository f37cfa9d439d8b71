"""Institutions one by one: entries of a scenario that stand for several, unfolded.

Takes the institutions section; gives a :class:`Member` for each institution, in the order of names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sim.model.sections import Institution


@dataclass(frozen=True, slots=True)
class Member:
    """One institution after entries that stand for several are unfolded.

    Attributes
    ----------
    name : str
    entry : Institution
        Its description.
    bakong_id : str
        Right side of its customers' account ids.
    payer_share, merchant_share : int
        Weights, comparable between members.
    """

    name: str
    entry: Institution
    bakong_id: str
    payer_share: int
    merchant_share: int

    @property
    def holds_money(self) -> bool:
        """Return whether it holds customers' money, and so accounts on the ledger at home."""
        return self.entry.holds_money

    @property
    def settles(self) -> bool:
        """Return whether it settles for rails that others connect to."""
        return "settlement_agent" in self.entry.roles


def unfold_members(institutions: Mapping[str, Institution]) -> tuple[Member, ...]:
    """Return every institution by name; an entry for n equal ones gives n, sharing its weights."""
    members = []
    for key, entry in sorted(institutions.items()):
        for number in range(entry.members):
            # A single institution keeps its plain name.
            suffix = f"_{number + 1:02d}" if entry.members > 1 else ""
            members.append(
                Member(
                    name=f"{key}{suffix}",
                    entry=entry,
                    bakong_id=f"{entry.bakong_id or key}{suffix.replace('_', '')}",
                    # Weights stay whole numbers when an entry is divided.
                    payer_share=entry.payer_share * 10_000 // entry.members,
                    merchant_share=entry.merchant_share * 10_000 // entry.members,
                )
            )
    return tuple(members)


def group_names(institutions: Mapping[str, Institution]) -> dict[str, str]:
    """Return what institutions that are alike are called together, by the name of each.

    Parameters
    ----------
    institutions : mapping of str to Institution
        The section of a scenario.
    """
    return {
        member.name: f"{name} ({entry.members})"
        for name, entry in institutions.items()
        if entry.members > 1
        for member in unfold_members({name: entry})
    }
