"""Institutions that listed payments name, and those a stream lacks.

Takes a stream's settings, the payments of its file and what its payees are; gives names, and what
is wrong with them.
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.compiler.payees import Payees, World
from sim.compiler.reach import Named
from sim.compiler.traced import Traced
from sim.errors import suggest
from sim.model.base import FieldPath
from sim.model.members import Member
from sim.model.sections import Demand


def named_institutions(demand: Demand, traced: Traced | None) -> Named | None:
    """Return the institutions a stream's payments name."""
    if traced is not None:
        return traced.named(traced.debtor), traced.named(traced.creditor)
    if demand.payments is None:
        return None
    listed = demand.payments
    return {one.debtor_agent for one in listed}, {one.creditor_agent for one in listed}


def missing_agents(
    world: World, name: str, payees: Payees, named: Named | None
) -> Iterator[tuple[FieldPath, str]]:
    """Yield where a stream's payments would lack an institution its routes need."""
    demand, members = world.scenario.demand[name], world.members
    corridor = world.scenario.corridors[demand.corridor]
    pool = len(payees.merchants)
    numbered = world.pools.numbered.get(demand.corridor, range(0))
    for position, payment in enumerate(demand.payments or ()):
        path: FieldPath = ("demand", name, "payments", position, "merchant")
        if pool and payment.merchant >= len(numbered):
            yield path, f"found {payment.merchant}; allowed: below {len(numbered)}"
        elif pool and numbered[payment.merchant] not in payees.merchants:
            shown = world.pools.merchants[numbered[payment.merchant]].currency
            yield (
                path,
                f"found {payment.merchant}, whose code is in {shown}; allowed: a code in "
                f"{corridor.to.currency}",
            )
        if not pool and "merchant" in payment.model_fields_set:
            yield path, "found a merchant, where payees show no codes; allowed: none"
        for field, agent, country in (
            ("debtor_agent", payment.debtor_agent, corridor.from_.country),
            ("creditor_agent", payment.creditor_agent, corridor.to.country),
        ):
            known = [m.name for m in members if m.entry.country == country and m.holds_money]
            if agent is not None and agent not in known:
                yield (
                    ("demand", name, "payments", position, field),
                    f"unknown bank {agent!r} in {country}; known: {', '.join(known[:20])}."
                    f"{suggest(agent, known)}",
                )
        if pool and payment.creditor_agent is not None:
            yield (
                ("demand", name, "payments", position, "creditor_agent"),
                "found a bank where the code on the counter names it; allowed: merchant",
            )
    flows = [world.routes.route(route).flow for route in payees.routes]
    debtors, creditors = named or ({None}, {None})
    needs_debtor = any(flow.debtor.is_drawn for flow in flows)
    # A list that names every payer's bank needs no shares.
    if needs_debtor and None in debtors:
        yield from _no_share(members, corridor.from_.country, "payer_share")
    # A code here names the bank behind it; those abroad are made for banks by share.
    is_named = bool(pool) and corridor.foreign_codes is None
    needs_creditor = any(flow.creditor.is_drawn for flow in flows) and not is_named
    if needs_creditor and None in creditors:
        yield from _no_share(members, corridor.to.country, "merchant_share")


def _no_share(
    members: tuple[Member, ...], country: str, share: str
) -> Iterator[tuple[FieldPath, str]]:
    if not any(getattr(m, share) > 0 and m.entry.country == country for m in members):
        yield (
            ("institutions",),
            f"found no {share} above 0 in {country}; needed: at least one institution with it",
        )
