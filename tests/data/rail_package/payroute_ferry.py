"""What another package is that adds a kind of rail: money that crosses a river on boats.

Its entry point (`entry_points.txt` beside it; in a `pyproject.toml` it would be
``[project.entry-points."payroute.rails"]``, ``ferry = "payroute_ferry:FerryRail"``) is all that
payroute has to know. A scenario then writes ``rails: {river: {kind: ferry, ...}}``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from pydantic import Field

from sim.contract.records import Register
from sim.model.base import FieldPath
from sim.model.defaults import assumed
from sim.model.distributions import DurationDistribution
from sim.model.members import Member
from sim.model.pricing import Fee
from sim.model.quantities import CurrencyCode, Name, PositiveCount
from sim.model.sections import Corridor
from sim.rails.institutions import book, creditor_at_home, debtor_at_home
from sim.rails.payers import CreditorClass
from sim.rails.protocol import (
    CREDITOR,
    DEBTOR,
    CreditorSide,
    DebtorSide,
    Leg,
    LegContext,
    LegProgram,
    LegTerms,
    Offer,
    Rail,
    World,
)
from sim.rails.resources import Resource, Station
from sim.rails.stages import CREDITOR_AGENT, DEBTOR_AGENT, Move, serve


class FerryRail(Rail):
    """Configure boats between two banks of one currency."""

    kind: Literal["ferry"]
    """Selects this kind of rail."""
    operator: Name
    """Whose boats they are; it earns the fees."""
    currency: CurrencyCode
    """What is carried."""
    boats: PositiveCount = assumed(1, "a small river")
    """Crossings at the same time."""
    crossing: DurationDistribution = assumed("90 s", "about as long as it looks")
    """Time of a crossing."""
    fees: dict[Name, Fee] = Field(default_factory=dict)
    """Fees, by component."""

    def named_institutions(self) -> tuple[tuple[str, str], ...]:
        return (("operator", self.operator),)

    def all_fees(self) -> tuple[tuple[FieldPath, Mapping[str, Fee]], ...]:
        return (((), self.fees),)

    def resources(self, world: World, name: str, members: Sequence[Member]) -> Iterator[Resource]:
        yield Station(f"{name}.boats", servers=self.boats)

    def offers(
        self, world: World, name: str, corridor: Corridor, creditor: CreditorClass
    ) -> Iterator[Offer]:
        if corridor.from_.currency == corridor.to.currency == self.currency:
            yield Offer(Leg(name, DEBTOR, CREDITOR, self.currency, self.currency))

    def terms(self, at: LegContext) -> LegTerms:
        return LegTerms(fees=self.fees, fee_recipient=self.operator)

    def debtor_side(self, at: LegContext) -> DebtorSide:
        return debtor_at_home(at)

    def creditor_side(self, at: LegContext) -> CreditorSide:
        return creditor_at_home(at)

    def leg(self, at: LegContext) -> LegProgram:
        payer, payee = book(DEBTOR_AGENT, self.currency), book(CREDITOR_AGENT, self.currency)
        return LegProgram(
            execute=serve(
                f"{at.name}.crossing", f"{at.name}.boats", self.crossing, target=at.failing
            ),
            moves=(Move(payer, payee, Register.SETTLEMENT),),
        )


class Settings:
    """Stand for what is no kind of rail."""
