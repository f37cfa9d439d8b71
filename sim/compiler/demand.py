"""Describe each stream of demand: where its payments come from, what they pay and to whom.

Takes a demand section; adds the stream with its prologue (scan, read the code, choose a route) and
gives the :class:`~sim.compiler.workload.StreamDemand` its payments are drawn from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from sim.compiler.arrivals import hazard_path
from sim.compiler.assemble import assemble, duration_table
from sim.compiler.builder import PlanBuilder
from sim.compiler.corridors import Corridors
from sim.compiler.merchants import Pools
from sim.compiler.prices import largest_amount
from sim.compiler.workload import NO_EXPIRY, PURPOSES, StreamDemand
from sim.compiler.world import Member, banks_here
from sim.contract.plan import Array
from sim.contract.spec import (
    AMOUNT_MAX,
    WORKLOAD_WIDTH,
    FixedSide,
    Op,
    Outcome,
    Reason,
    Scope,
    WorkloadColumn,
)
from sim.draws.thresholds import ONE62, cumulative62
from sim.errors import suggest
from sim.model.base import FieldPath
from sim.model.quantities import to_minor
from sim.network.graph import CreditorClass
from sim.rails.khqr import KhqrRail, Merchant, scan_stages
from sim.rails.stages import FAIL, Program, Stage
from sim.rails.wallet_gateway import threshold
from sim.scenario.parts import Corridor, Demand
from sim.scenario.scenario import Scenario
from sim.units import CURRENCIES, minor_per_major

Problems = list[tuple[FieldPath, str]]


@dataclass(frozen=True, slots=True)
class _Payees:
    """Hold a stream's pool of payees as arrays, one entry per merchant."""

    merchant: Array
    agent: Array
    route_set: Array
    is_damaged: Array
    expiry_us: Array
    default_route_set: int
    routes: tuple[int, ...]


def describe_demand(
    builder: PlanBuilder,
    scenario: Scenario,
    name: str,
    *,
    members: tuple[Member, ...],
    pools: Pools,
    corridors: Corridors,
    problems: Problems,
) -> StreamDemand | None:
    """Add a stream and return its demand, or None where it cannot be compiled.

    Parameters
    ----------
    name : str
        Key in ``demand``; streams must be added in the order of their names.
    problems : list
        Grows by what is wrong.
    """
    demand = scenario.demand[name]
    corridor = scenario.corridors[demand.corridor]
    fixed = FixedSide.CREDITOR if demand.fixed_side == "creditor" else FixedSide.DEBTOR
    end = corridor.to if fixed is FixedSide.CREDITOR else corridor.from_
    largest = _largest(demand, end.currency)
    if largest >= AMOUNT_MAX:
        message = f"found amounts up to {largest:,} minor units; allowed: below {AMOUNT_MAX:,}"
        problems.append((_amount_path(name, demand), message))
        return None
    known = len(problems)
    pool = [pools.merchants[index] for index in pools.by_corridor.get(demand.corridor, ())]
    payees = _payees(builder, scenario, name, corridors, pool=pool, pools=pools, largest=largest)
    if not payees.routes:
        # Routes that exist but cannot be priced have said so already.
        if len(problems) == known:
            problems.append(
                (("corridors", demand.corridor), _unreachable(scenario, demand.corridor))
            )
        return None
    # The stages of a payment draw under the same key as its workload: no two purposes may meet.
    for purpose in PURPOSES:
        builder.purpose(purpose)
    missing = list(
        _missing_agents(scenario, name, members=members, corridors=corridors, payees=payees)
    )
    if missing:
        problems.extend(missing)
        return None
    prologue = assemble(builder, _prologue(scenario, corridor), None, prefix=name)
    stream = builder.add_stream(
        name,
        entry=prologue.entry,
        corridor=demand.corridor,
        currency=end.currency,
        scope=int(_scope(corridor)),
        priority=demand.priority,
        channel=demand.channel,
        payers=demand.payers,
    )
    for route in payees.routes:
        for limit in corridors.routes[route].limits:
            builder.use_limit(limit, stream)
    try:
        arrivals = _arrivals(scenario, builder, demand)
    except ValueError as problem:
        problems.append((("demand", name, "rate"), f"found too much: {problem}"))
        return None
    return _stream_demand(
        builder, scenario, name, stream=stream, members=members, payees=payees, arrivals=arrivals
    )


def _missing_agents(
    scenario: Scenario,
    name: str,
    *,
    members: tuple[Member, ...],
    corridors: Corridors,
    payees: _Payees,
) -> Iterator[tuple[FieldPath, str]]:
    """Yield where a stream's payments would lack an institution its routes need."""
    demand = scenario.demand[name]
    corridor = scenario.corridors[demand.corridor]
    home = corridor.from_.country
    known = [m.name for m in members if m.entry.country == home and banks_here(m)]
    pool = len(payees.merchant)
    for position, payment in enumerate(demand.payments or ()):
        if pool and payment.merchant >= pool:
            path: FieldPath = ("demand", name, "payments", position, "merchant")
            yield path, f"found {payment.merchant}; allowed: below {pool}"
        agent = payment.debtor_agent
        if agent is not None and agent not in known:
            path = ("demand", name, "payments", position, "debtor_agent")
            hint = suggest(agent, known)
            yield (
                path,
                f"unknown bank {agent!r} in {home}; known: {', '.join(known[:20])}.{hint}",
            )
    shapes = {corridors.routes[route].candidate.shape for route in payees.routes}
    is_written = all(payment.debtor_agent is not None for payment in demand.payments or ())
    needs_debtor = bool(shapes & {"domestic", "outbound"})
    if needs_debtor and not (demand.payments and is_written):
        yield from _no_share(members, corridor.from_.country, "payer_share")
    if shapes & {"domestic", "inbound"} and not len(payees.merchant):
        yield from _no_share(members, corridor.to.country, "merchant_share")


def _no_share(
    members: tuple[Member, ...], country: str, share: str
) -> Iterator[tuple[FieldPath, str]]:
    if not any(getattr(m, share) > 0 and m.entry.country == country for m in members):
        yield (
            ("institutions",),
            f"found no {share} above 0 in {country}; needed: at least one institution with it",
        )


def _stream_demand(
    builder: PlanBuilder,
    scenario: Scenario,
    name: str,
    *,
    stream: int,
    members: tuple[Member, ...],
    payees: _Payees,
    arrivals: tuple[Array, Array],
) -> StreamDemand:
    demand = scenario.demand[name]
    corridor = scenario.corridors[demand.corridor]
    end = corridor.to if demand.fixed_side == "creditor" else corridor.from_
    codes = _codes(scenario, corridor)
    # Codes given as text carry their own expiry; codes abroad are printed, so they last.
    aging = codes if codes and not codes.payloads and corridor.foreign_codes is None else None
    debtors = _shares(builder, members, corridor.from_.country, "payer_share")
    creditors = _shares(builder, members, corridor.to.country, "merchant_share")
    return StreamDemand(
        stream=stream,
        name=name,
        # The draw key is filled in from the plan, where all keys are made.
        key=np.zeros(4, dtype=np.int64),
        written=_written(builder, demand, stream, payees=payees, currency=end.currency),
        hazard_time_us=arrivals[0],
        hazard=arrivals[1],
        count_max=demand.count if demand.count is not None else -1,
        amount_table=_amount_table(builder, demand),
        amount_granule=CURRENCIES[end.currency].granule,
        amount_fixed=_fixed_amount(demand, end.currency),
        payers=demand.payers,
        payer_skew=demand.payer_skew,
        debtor_agent=debtors[0],
        debtor_cumulative62=debtors[1],
        merchant=payees.merchant,
        merchant_agent=payees.agent,
        merchant_route_set=payees.route_set,
        merchant_is_damaged=payees.is_damaged,
        merchant_expiry_us=payees.expiry_us,
        creditor_agent=creditors[0],
        creditor_cumulative62=creditors[1],
        default_route_set=payees.default_route_set,
        static_threshold62=threshold(aging.static_share) if aging else ONE62,
        dynamic_life_us=aging.dynamic_life if aging else 0,
        code_age_table=duration_table(builder, aging.code_age) if aging else -1,
        damaged_threshold62=threshold(codes.damaged_share) if codes else 0,
    )


def _codes(scenario: Scenario, corridor: Corridor) -> KhqrRail | None:
    """Return the settings of the scan in a corridor, None where nothing is scanned."""
    if corridor.codes is None:
        return None
    rail = scenario.rails[corridor.codes]
    assert isinstance(rail, KhqrRail)
    return rail


def _scope(corridor: Corridor) -> Scope:
    is_domestic = corridor.from_.country == corridor.to.country
    return Scope.DOMESTIC if is_domestic else Scope.CROSS_BORDER


def _unreachable(scenario: Scenario, name: str) -> str:
    corridor = scenario.corridors[name]
    allowed = ", ".join(corridor.rails or sorted(scenario.rails))
    return (
        f"no route from {corridor.from_.country} {corridor.from_.currency} to "
        f"{corridor.to.country} {corridor.to.currency} over {allowed}; needed: a rail, a "
        "settlement agent and a ledger that connect the two ends"
    )


def _prologue(scenario: Scenario, corridor: Corridor) -> Program:
    """Return what happens before a route is chosen: the scan, then the choice."""
    scan: Program = ()
    codes = _codes(scenario, corridor)
    if codes is not None and corridor.codes is not None:
        scan = scan_stages(corridor.codes, codes, target=FAIL)
    return (
        *scan,
        Stage(Op.ROUTE, "choose route", target=FAIL, reason=Reason.AG03),
        Stage(Op.END, "refused", mark=FAIL, value=int(Outcome.REJECTED), own_reason=True),
    )


def _amount_path(name: str, demand: Demand) -> FieldPath:
    return ("demand", name, "amount" if demand.payments is None else "payments")


def _payees(
    builder: PlanBuilder,
    scenario: Scenario,
    name: str,
    corridors: Corridors,
    *,
    pool: list[Merchant],
    pools: Pools,
    largest: int,
) -> _Payees:
    """Find the route set of every class of payees in a stream's pool."""
    demand = scenario.demand[name]
    fixed = FixedSide.CREDITOR if demand.fixed_side == "creditor" else FixedSide.DEBTOR
    sets: dict[CreditorClass, int] = {}
    routes: list[int] = []

    def route_set(creditor: CreditorClass) -> int:
        if creditor not in sets:
            sets[creditor], found = corridors.route_set(
                demand.corridor,
                creditor,
                fixed_side=fixed,
                amount_max=largest,
                amount_path=_amount_path(name, demand),
            )
            routes.extend(route for route in found if route not in routes)
        return sets[creditor]

    classes = [_class_of(merchant) for merchant in pool]
    # Classes are visited in a fixed order, whatever merchants come first.
    for creditor in sorted(set(classes), key=repr):
        route_set(creditor)
    default = route_set(CreditorClass()) if not pool else -1
    start_ms = round(scenario.clock.start.timestamp() * 1000)
    expiry = [
        NO_EXPIRY if item.expires_ms is None else (item.expires_ms - start_ms) * 1000
        for item in pool
    ]
    return _Payees(
        merchant=_ints(pools.by_corridor.get(demand.corridor, ())),
        agent=_ints(builder.agents.get(item.agent) for item in pool),
        route_set=_ints(sets[creditor] for creditor in classes),
        is_damaged=_ints(int(item.is_damaged) for item in pool),
        expiry_us=_ints(expiry),
        default_route_set=default,
        routes=tuple(routes),
    )


def _class_of(merchant: Merchant) -> CreditorClass:
    if not merchant.agent:
        return CreditorClass(merchant.currency, merchant.schemes)
    shown = tuple(scheme for scheme in merchant.schemes if scheme == "unionpay")
    return CreditorClass(merchant.currency, shown)


def _ints(values: Iterable[int]) -> Array:
    return np.array(list(values), dtype=np.int64)


def _arrivals(scenario: Scenario, builder: PlanBuilder, demand: Demand) -> tuple[Array, Array]:
    if demand.rate is None:
        return _ints((0, scenario.clock.horizon)), _ints((0, 0))
    profile = scenario.profiles.get(demand.profile) if demand.profile != "flat" else None
    return hazard_path(
        rate_numerator=demand.rate.numerator,
        rate_denominator=demand.rate.denominator,
        horizon_us=scenario.clock.horizon,
        start=scenario.clock.start,
        hourly=profile.hourly if profile is not None else None,
        weekday=profile.weekday if profile is not None else None,
        burst_sigma_ppb=profile.burst_sigma if profile is not None else 0,
        steps=tuple(sorted(demand.steps.items())),
        profile_name=demand.profile,
        seed=builder.seed,
        replication=builder.replication,
    )


def _largest(demand: Demand, currency: str) -> int:
    """Return a bound on a stream's amounts in minor units."""
    if demand.payments is not None:
        return max(to_minor(payment.amount, currency) for payment in demand.payments)
    if demand.amount is None:
        return minor_per_major(currency)
    return largest_amount(demand.amount)


def _fixed_amount(demand: Demand, currency: str) -> int:
    """Return the amount where it is not drawn: one unit of money by default."""
    if demand.amount is None:
        return minor_per_major(currency)
    if demand.amount.family == "constant":
        return round(demand.amount.mean())
    return -1


def _amount_table(builder: PlanBuilder, demand: Demand) -> int:
    amount = demand.amount
    if amount is None or amount.family == "constant":
        return -1
    if amount.points:
        from sim.draws.quantile import build_empirical

        points = [(value, share / 10**9) for value, share in amount.points]
        return builder.add_table(build_empirical(points), ("empirical", *amount.points))
    return builder.table(amount.family, amount.parameters())


def _shares(
    builder: PlanBuilder, members: tuple[Member, ...], country: str, weight: str
) -> tuple[Array, Array]:
    """Return the agents of a country and the cumulative thresholds of their shares."""
    found = [
        (builder.agents[member.name], getattr(member, weight))
        for member in members
        if member.entry.country == country and getattr(member, weight) > 0
    ]
    if not found:
        return _ints(()), _ints(())
    return _ints(agent for agent, _ in found), cumulative62([share for _, share in found])


def _written(
    builder: PlanBuilder, demand: Demand, stream: int, *, payees: _Payees, currency: str
) -> Array | None:
    """Return the rows of a written list of payments, in order of time."""
    if demand.payments is None:
        return None
    ordered = sorted(enumerate(demand.payments), key=lambda item: (item[1].at, item[0]))
    rows = np.full((len(ordered), WORKLOAD_WIDTH), -1, dtype=np.int64)
    for ordinal, (_, payment) in enumerate(ordered):
        row = rows[ordinal]
        row[WorkloadColumn.TIME_US] = payment.at
        row[WorkloadColumn.STREAM] = stream
        row[WorkloadColumn.ORDINAL] = ordinal
        row[WorkloadColumn.ROUTE_SET] = payees.default_route_set
        row[WorkloadColumn.AMOUNT] = to_minor(payment.amount, currency)
        row[WorkloadColumn.PAYER] = payment.payer
        row[WorkloadColumn.CODE_STATE] = 0
        row[WorkloadColumn.CODE_EXPIRY_US] = NO_EXPIRY
        if payment.debtor_agent is not None:
            row[WorkloadColumn.DEBTOR_AGENT] = builder.agents.get(payment.debtor_agent)
        if len(payees.merchant):
            at = payment.merchant
            row[WorkloadColumn.ROUTE_SET] = payees.route_set[at]
            row[WorkloadColumn.CREDITOR_AGENT] = payees.agent[at]
            row[WorkloadColumn.CODE_STATE] = payees.is_damaged[at]
            row[WorkloadColumn.CODE_EXPIRY_US] = payees.expiry_us[at]
            row[WorkloadColumn.MERCHANT] = payees.merchant[at]
    return rows
