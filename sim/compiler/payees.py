"""Whom a stream's payments go to, and what each of them may be paid through.

Takes a demand section; gives its pool of payees with a choice of routes for each class of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.compiler.amounts import amount_path
from sim.compiler.merchants import Pools
from sim.compiler.parts import Choice, Settings
from sim.compiler.routes import Routes
from sim.contract.meaning import FixedSide
from sim.model.members import Member
from sim.rails.merchants import Merchant
from sim.rails.protocol import CreditorClass
from sim.routing.route_sets import RouteSets
from sim.scenario.model import Scenario


@dataclass(frozen=True, slots=True)
class World:
    """What every stream of a scenario is described against."""

    scenario: Scenario
    settings: Settings
    members: tuple[Member, ...]
    pools: Pools
    route_sets: RouteSets
    routes: Routes


@dataclass(frozen=True, slots=True)
class Payees:
    """A stream's pool of payees: which merchants, and what each of them may be paid through."""

    merchants: tuple[int, ...]
    entries: tuple[Merchant, ...]
    choices: tuple[Choice, ...]
    default: Choice | None
    routes: tuple[str, ...]


def find_payees(world: World, name: str, largest: int) -> Payees:
    """Find what every class of payees in a stream's pool may be paid through."""
    demand = world.scenario.demand[name]
    fixed = FixedSide.CREDITOR if demand.fixed_side == "creditor" else FixedSide.DEBTOR
    merchants = world.pools.by_corridor.get(demand.corridor, ())
    pool = tuple(world.pools.merchants[index] for index in merchants)
    choices: dict[CreditorClass, Choice] = {}

    def choice(creditor: CreditorClass) -> Choice:
        if creditor not in choices:
            choices[creditor] = world.routes.choice(
                world.route_sets.find(demand.corridor, creditor, fixed),
                amount_max=largest,
                amount_path=amount_path(name, demand),
            )
        return choices[creditor]

    classes = [_class_of(merchant) for merchant in pool]
    # Classes are visited in a fixed order, whatever merchants come first.
    # By their text, as a class has no order of its own.
    for creditor in sorted(set(classes), key=repr):
        choice(creditor)
    default = choice(CreditorClass()) if not pool else None
    routes = dict.fromkeys(route for found in choices.values() for route in found.routes)
    return Payees(
        merchants=tuple(merchants),
        entries=pool,
        choices=tuple(choices[creditor] for creditor in classes),
        default=default,
        routes=tuple(routes),
    )


def _class_of(merchant: Merchant) -> CreditorClass:
    # A foreign code: its schemes decide which wallets can read it.
    if not merchant.agent:
        return CreditorClass(merchant.currency, merchant.schemes)
    # At home a code shows the national scheme in any case; what else matters is whether
    # UnionPay is on it.
    shown = tuple(scheme for scheme in merchant.schemes if scheme == "unionpay")
    return CreditorClass(merchant.currency, shown)
