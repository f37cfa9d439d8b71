"""Codes payees show: the questions a rail answers that stands for a scheme of codes.

Takes nothing; gives the protocol :meth:`~sim.rails.protocol.Rail.code_scheme` returns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sim.model.distributions import DurationDistribution
from sim.model.members import Member
from sim.rails.merchants import Merchant
from sim.rails.problems import Found
from sim.rails.stages import Program


class CodeScheme(Protocol):
    """Codes payees show: who may pay them, and what scanning one takes."""

    @property
    def payloads(self) -> tuple[str, ...]:
        """Return codes given as text; empty where they are made."""

    @property
    def static_share(self) -> int:
        """Return the share of scans of a static code, in parts per billion."""

    @property
    def damaged_share(self) -> int:
        """Return the share of scans of a code that cannot be read, in parts per billion."""

    @property
    def dynamic_life(self) -> int:
        """Return how long a dynamic code lives, in microseconds."""

    @property
    def code_age(self) -> DurationDistribution:
        """Return the age of a dynamic code when it is scanned."""

    def remarks(self) -> Found:
        """Yield what there is to know of the codes given as text."""

    def merchants_of(self, name: str, members: Sequence[Member]) -> tuple[Merchant, ...]:
        """Return the sample of payees with their codes."""

    def scan(self, name: str, *, target: str) -> Program:
        """Return the scan: the way to the payer's institution, and reading the code."""

    def confirmation(self, name: str) -> Program:
        """Return the human part: reading the price and confirming."""

    def notification(self, name: str) -> Program:
        """Return the message that the payment was made."""
