"""Whom a stream's payments go to, and what each of them may be paid through.

Takes a demand section; gives its pool of payees with a choice of routes for each class of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from sim.compiler.amounts import amount_path
from sim.compiler.merchants import Pools
from sim.compiler.occurrences import Occurrence
from sim.compiler.parts import Choice, Settings
from sim.compiler.routes import Routes
from sim.compiler.taking_part import Absences
from sim.contract.meaning import FixedSide
from sim.model.members import Member
from sim.model.sections import Demand
from sim.rails.merchants import Merchant
from sim.rails.payers import CreditorClass, PayerClass, Use
from sim.routing.route_sets import RouteSets
from sim.scenario.model import Scenario
from sim.units import known_currencies


@dataclass(frozen=True, slots=True)
class World:
    """What every stream of a scenario is described against."""

    scenario: Scenario
    settings: Settings
    members: tuple[Member, ...]
    pools: Pools
    route_sets: RouteSets
    routes: Routes
    happened: tuple[Occurrence, ...] = ()
    absent: Absences = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Payees:
    """A stream's pool of payees, and what each may be paid through with what payers carry.

    Attributes
    ----------
    merchants : tuple of int
    entries : tuple of Merchant
    payers : tuple of PayerClass
        Classes of payers: by what their institution is absent from, then by instrument; a single
        one where nothing is said of either.
    choices : tuple of Choice
        Payer by payer, one for each merchant; without merchants one for each class of payees'
        institutions.
    routes : tuple of str
        Names of all routes of all choices.
    debtors, creditors : tuple of tuple of (str, str)
        Classes of institutions, of payers and of payees without codes, by what they are absent
        from; a single one where all take part in everything.
    """

    merchants: tuple[int, ...]
    entries: tuple[Merchant, ...]
    payers: tuple[PayerClass, ...]
    choices: tuple[Choice, ...]
    routes: tuple[str, ...]
    debtors: tuple[tuple[Use, ...], ...] = ((),)
    creditors: tuple[tuple[Use, ...], ...] = ((),)


def find_payees(world: World, name: str, largest: int) -> Payees:
    """Find what every class of payees in a stream's pool may be paid through."""
    demand = world.scenario.demand[name]
    fixed = FixedSide.CREDITOR if demand.fixed_side == "creditor" else FixedSide.DEBTOR
    merchants = world.pools.by_corridor.get(demand.corridor, ())
    pool = tuple(world.pools.merchants[index] for index in merchants)
    choices: dict[tuple[CreditorClass, PayerClass], Choice] = {}

    def choice(creditor: CreditorClass, payer: PayerClass) -> Choice:
        if (creditor, payer) not in choices:
            choices[creditor, payer] = world.routes.choice(
                world.route_sets.find(
                    demand.corridor, creditor, fixed, payer, name_check=demand.name_check
                ),
                amount_max=largest,
                amount_path=amount_path(name, demand),
            )
        return choices[creditor, payer]

    ends = world.scenario.corridors[demand.corridor]
    debtors = _kinds(world, ends.from_.country)
    creditors = _kinds(world, ends.to.country) if not pool else ((),)
    payers = tuple(
        replace(payer, absent=absent)
        for absent in debtors
        for payer in _payers(world.scenario, demand)
    )
    classes = [_class_of(merchant, world.absent) for merchant in pool] or [
        CreditorClass(absent=absent) for absent in creditors
    ]
    for payer in payers:
        # Classes are visited in a fixed order, whatever merchants come first.
        # By their text, as a class has no order of its own.
        for creditor in sorted(set(classes), key=repr):
            choice(creditor, payer)
    routes = dict.fromkeys(route for found in choices.values() for route in found.routes)
    return Payees(
        merchants=tuple(merchants),
        entries=pool,
        payers=payers,
        choices=tuple(choices[creditor, payer] for payer in payers for creditor in classes),
        routes=tuple(routes),
        debtors=debtors,
        creditors=creditors,
    )


def _kinds(world: World, country: str) -> tuple[tuple[Use, ...], ...]:
    """Return the classes of a country's institutions by what they are absent from."""
    banks: Iterable[Member] = (one for one in world.members if one.entry.country == country)
    # All that take part everywhere come first, whether there are any or not.
    return ((), *sorted({world.absent.get(one.name, ()) for one in banks} - {()}))


def _payers(scenario: Scenario, demand: Demand) -> tuple[PayerClass, ...]:
    """Return the classes of a stream's payers, in the order of their instruments' names."""
    own = scenario.corridors[demand.corridor].from_.currency
    return tuple(
        # A currency is an account to pay from, everything else an app.
        PayerClass(currency="" if name == own else name)
        if name in known_currencies()
        else PayerClass(instrument=name)
        for name in sorted(demand.instruments)
    ) or (PayerClass(),)


def _class_of(merchant: Merchant, absences: Absences) -> CreditorClass:
    absent = absences.get(merchant.agent, ())
    # A foreign code: its schemes decide which wallets can read it.
    if not merchant.agent or not merchant.is_at_home:
        return CreditorClass(merchant.currency, merchant.schemes, absent)
    # At home a code shows the national scheme in any case; what else matters is whether
    # UnionPay is on it.
    shown = tuple(scheme for scheme in merchant.schemes if scheme == "unionpay")
    return CreditorClass(merchant.currency, shown, absent)
