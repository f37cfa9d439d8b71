"""Routing policies by the names users write, and what each of them prefers, in words.

Takes nothing; everything is read off :class:`~sim.contract.meaning.Policy`, where a policy is
specified once: its name, and what it prefers in the first sentence of its description. Scores are
computed by the engines.
"""

from __future__ import annotations

from sim.contract.meaning import Policy
from sim.contract.words import member_words


def policy_of(name: str) -> Policy:
    """Return the policy of a name users write."""
    return Policy[name.upper()]


def policy_words(policy: Policy) -> str:
    """Return what a policy prefers, as in ``the first candidate``."""
    first, _, _ = member_words(Policy)[policy.name].partition(". ")
    return f"{first[0].lower()}{first[1:]}".removesuffix(".")
