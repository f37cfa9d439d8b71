"""Describe each stream of demand: where its payments come from, what they pay and to whom.

Takes a demand section; gives in symbols the stream with its prologue (scan, read the code, choose a
route), and, once the plan is linked, the :class:`~sim.workload.streams.StreamDemand` its payments
are drawn from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sim.compiler.amounts import (
    Allowed,
    allowed_amounts,
    amount_bound,
    amount_path,
    amount_problems,
    drawn_amount,
    fixed_amount,
)
from sim.compiler.disrupted import surge_steps
from sim.compiler.linker import Linked
from sim.compiler.named_institutions import missing_agents, named_institutions
from sim.compiler.parts import Stream
from sim.compiler.payees import Payees, World, find_payees
from sim.compiler.prologue import AFTER_FAILURE, prologue
from sim.compiler.promises import promise_us
from sim.compiler.reach import Named
from sim.compiler.refunds import refund_problems, refunds_of
from sim.compiler.shops import order_asides, order_taken, shop_refunds
from sim.compiler.traced import Traced, read_traced
from sim.compiler.traced_rows import decided_here, traced_problems, traced_rows
from sim.contract.layout import AMOUNT_MAX, CERTAIN, NEVER_US
from sim.contract.meaning import Scope
from sim.contract.plan import Array
from sim.contract.records import WORKLOAD_WIDTH, WorkloadColumn
from sim.draws.thresholds import cumulative62
from sim.model.base import FieldPath
from sim.model.members import Member
from sim.model.quantities import to_minor
from sim.model.sections import Corridor, Demand
from sim.rails.code_scheme import CodeScheme
from sim.rails.joining import serves
from sim.rails.payers import Use
from sim.rails.stages import FAIL, Program, threshold
from sim.scenario.model import Scenario
from sim.workload.arrivals import hazard_path
from sim.workload.stream_demand import StreamDemand
from sim.workload.streams import PURPOSES

Problems = list[tuple[FieldPath, str]]


@dataclass(frozen=True, slots=True)
class Described:
    """A stream in symbols, and what its payments are drawn from once it has a number.

    Attributes
    ----------
    part : Stream
    payees : Payees
    arrivals : (ndarray, ndarray)
        Breakpoints of the expected number of payments.
    allowed : Allowed
        What the schemes of its routes allow of amounts.
    traced : Traced or None
        Its payments, where they stand in a file.
    named : Named or None
        Institutions its payments name, where they are not drawn one and all.
    """

    part: Stream
    payees: Payees
    arrivals: tuple[Array, Array]
    allowed: Allowed
    traced: Traced | None
    named: Named | None


def describe_stream(world: World, name: str, problems: Problems) -> Described | None:
    """Return a stream in symbols, or None where it cannot be compiled.

    Parameters
    ----------
    world : World
    name : str
        Key in ``demand``; streams must be described in the order of their names.
    problems : list
        Grows by what is wrong.
    """
    scenario = world.scenario
    demand = scenario.demand[name]
    corridor = scenario.corridors[demand.corridor]
    currency = _fixed_currency(corridor, demand)
    traced = None
    if demand.trace is not None:
        traced, wrong = read_traced(demand.trace, name, scenario.clock, currency)
        problems.extend(wrong)
        if traced is None:
            return None
    largest = amount_bound(demand, currency, traced)
    # Before anything is priced: every bound below rests on it.
    if largest >= AMOUNT_MAX:
        message = f"found amounts up to {largest:,} minor units; allowed: below {AMOUNT_MAX:,}"
        problems.append((amount_path(name, demand), message))
        return None
    # Counted, to tell whether what follows has already said why there is no route.
    known = len(problems)
    payees = find_payees(world, name, largest)
    if not payees.routes:
        # Routes that exist but cannot be priced have said so already.
        if len(problems) == known:
            problems.append(
                (("corridors", demand.corridor), _unreachable(scenario, demand.corridor))
            )
        return None
    legs = [leg for route in payees.routes for leg in world.routes.route(route).candidate.legs]
    allowed = allowed_amounts(scenario, currency, legs)
    problems.extend(amount_problems(name, demand, currency, allowed, traced=traced))
    flows = [world.routes.route(route).flow for route in payees.routes]
    problems.extend(refund_problems(name, demand, corridor, flows))
    if traced is not None:
        traced = decided_here(traced, flows, has_codes=bool(payees.merchants))
    named = named_institutions(demand, traced)
    missing = list(missing_agents(world, name, payees, named))
    if traced is not None:
        missing += traced_problems(world, name, traced, payees)
    if missing:
        problems.extend(missing)
        return None
    try:
        arrivals = _arrivals(world, name)
    except ValueError as problem:
        problems.append((("demand", name, "rate"), f"found too much: {problem}"))
        return None
    part = _part(world, name, payees, currency)
    return Described(part, payees, arrivals, allowed, traced, named)


def _part(world: World, name: str, payees: Payees, currency: str) -> Stream:
    """Return a stream in symbols."""
    scenario = world.scenario
    demand = scenario.demand[name]
    corridor = scenario.corridors[demand.corridor]
    codes = aging_codes(scenario, corridor)
    drawn = (drawn_amount(demand), codes.code_age if codes is not None else None)
    used = map(world.routes.route, payees.routes)
    rails = {leg.rail for route in used for leg in route.candidate.legs}
    shop, scan = None, _scan(scenario, corridor)
    asides: Program = ()
    if demand.shop is not None:
        shop = scenario.shops[demand.shop]
        scan = order_taken(demand.shop, shop, scan)
        asides = order_asides(demand.shop, shop)
    return Stream(
        name=name,
        prologue=prologue(
            scan, demand.after_failure, patient=demand.patience is not None, asides=asides
        ),
        purposes=PURPOSES,
        corridor=demand.corridor,
        currency=currency,
        scope=_scope(corridor),
        priority=demand.priority,
        channel=demand.pays_at,
        payers=demand.payers,
        after_failure=AFTER_FAILURE if demand.after_failure is not None else "",
        routes=payees.routes,
        promise_us=promise_us(scenario, corridor, rails),
        tables=tuple(item for item in drawn if item is not None),
        refunds=refunds_of(demand, currency) if shop is None else shop_refunds(shop),
        patience=demand.patience,
    )


def _fixed_currency(corridor: Corridor, demand: Demand) -> str:
    """Return the currency of the side the amount fixes."""
    return (corridor.to if demand.fixed_side == "creditor" else corridor.from_).currency


def stream_demand(world: World, described: Described, linked: Linked) -> StreamDemand:
    """Return what a stream's payments are drawn from, in the numbers of the linked plan."""
    scenario, part, payees = world.scenario, described.part, described.payees
    demand = scenario.demand[part.name]
    corridor = scenario.corridors[demand.corridor]
    names = linked.plan.names
    stream = names.streams.index(part.name)
    agents = {name: number for number, name in enumerate(names.agents)}
    codes, aging = codes_of(scenario, corridor), aging_codes(scenario, corridor)
    amount = drawn_amount(demand)
    debtors = _shares(agents, world.members, corridor.from_.country, "payer_share")
    creditors = _shares(agents, world.members, corridor.to.country, "merchant_share")
    pool = _pool(scenario, payees, agents, names.route_sets)
    # Load joins its ledger as numbers, and none of its payments is submitted.
    is_load = demand.as_ == "load"
    arrivals = _none_expected(scenario) if is_load else described.arrivals
    instruments = [names.instruments.index(name) + 1 for name in sorted(demand.instruments)]
    return StreamDemand(
        stream=stream,
        name=part.name,
        key=linked.plan.stream_key[stream],
        written=_listed(world, described, linked, pool),
        hazard_time_us=arrivals[0],
        hazard=arrivals[1],
        count_max=demand.count if demand.count is not None else -1,
        amount_table=linked.tables[amount] if amount is not None else -1,
        amount_granule=described.allowed.step,
        amount_least=described.allowed.least,
        amount_fixed=fixed_amount(demand, part.currency, described.allowed),
        payers=demand.payers,
        payer_skew=demand.payer_skew,
        debtor_agent=debtors[0],
        debtor_cumulative62=debtors[1],
        merchant=pool.merchant,
        merchant_agent=pool.agent,
        merchant_route_set=pool.route_set if payees.merchants else _ints(()),
        merchant_is_damaged=pool.is_damaged,
        merchant_expiry_us=pool.expiry_us,
        creditor_agent=creditors[0],
        creditor_cumulative62=creditors[1],
        # Without merchants every payer has one choice, whoever is paid.
        default_route_set=-1 if payees.merchants else int(pool.route_set[0]),
        instrument=_ints(instruments),
        instrument_cumulative62=_cumulative(demand.instruments),
        second_cumulative62=_seconds(demand),
        instrument_route_set=pool.route_set[: 0 if payees.merchants else _sets(payees, demand)],
        debtor_class=_institution_classes(world, payees.debtors, agents),
        creditor_class=_institution_classes(world, payees.creditors, agents),
        # Without ageing codes every code is static: a draw always lies below 2^62.
        static_threshold62=threshold(aging.static_share) if aging else CERTAIN,
        dynamic_life_us=aging.dynamic_life if aging else 0,
        code_age_table=linked.tables[aging.code_age] if aging else -1,
        damaged_threshold62=threshold(codes.damaged_share) if codes else 0,
    )


def _sets(payees: Payees, demand: Demand) -> int:
    """Return how many route sets a stream without codes has by class and instrument; 0: one."""
    many = len(payees.debtors) * max(1, len(demand.instruments)) * len(payees.creditors)
    return many if many > 1 or demand.instruments else 0


def _institution_classes(
    world: World, known: tuple[tuple[Use, ...], ...], agents: Mapping[str, int]
) -> Array:
    """Return the class of every agent by what it is absent from; empty where there is one class."""
    if len(known) == 1:
        return _ints(())
    found = np.zeros(len(agents), dtype=np.int64)
    for name, absent in world.absent.items():
        # Institutions of other countries are in no class of this end.
        if absent in known:
            found[agents[name]] = known.index(absent)
    return found


def _listed(world: World, described: Described, linked: Linked, pool: _Pool) -> Array | None:
    """Return the rows of a stream whose payments are listed, None where they come at a rate."""
    part, names = described.part, linked.plan.names
    demand, stream = world.scenario.demand[part.name], names.streams.index(part.name)
    agents = {name: number for number, name in enumerate(names.agents)}
    if described.traced is not None:
        instruments = {name: number for number, name in enumerate(names.instruments, 1)}
        return traced_rows(described.traced, stream, agents=agents, instruments=instruments)
    first = world.pools.numbered.get(demand.corridor, range(0)).start
    return _written(demand, stream, pool=pool, first=first, agents=agents, currency=part.currency)


@dataclass(frozen=True, slots=True)
class _Pool:
    """A stream's payees as arrays, one entry per merchant, in the numbers of the plan."""

    merchant: Array
    agent: Array
    route_set: Array
    is_damaged: Array
    expiry_us: Array


def _pool(
    scenario: Scenario, payees: Payees, agents: Mapping[str, int], route_sets: Sequence[str]
) -> _Pool:
    sets = {name: number for number, name in enumerate(route_sets)}
    start_ms = round(scenario.clock.start.timestamp() * 1000)
    return _Pool(
        merchant=_ints(payees.merchants),
        agent=_ints(agents.get(item.agent, -1) for item in payees.entries),
        route_set=_ints(sets[choice.name] for choice in payees.choices),
        is_damaged=_ints(int(item.is_damaged) for item in payees.entries),
        expiry_us=_ints(
            # Codes carry milliseconds of the real calendar; a run counts microseconds from its
            # start.
            NEVER_US if item.expires_ms is None else (item.expires_ms - start_ms) * 1000
            for item in payees.entries
        ),
    )


def codes_of(scenario: Scenario, corridor: Corridor) -> CodeScheme | None:
    """Return the codes of a corridor, None where nothing is scanned."""
    return None if corridor.codes is None else scenario.rails[corridor.codes].code_scheme


def aging_codes(scenario: Scenario, corridor: Corridor) -> CodeScheme | None:
    """Return the codes of a corridor where some of them are dynamic and age.

    Codes given as text carry their own expiry; codes abroad are printed, so they last.
    """
    codes = codes_of(scenario, corridor)
    if codes is None or codes.payloads or corridor.foreign_codes is not None:
        return None
    return codes


def _scope(corridor: Corridor) -> Scope:
    is_domestic = corridor.from_.country == corridor.to.country
    return Scope.DOMESTIC if is_domestic else Scope.CROSS_BORDER


def _unreachable(scenario: Scenario, name: str) -> str:
    corridor = scenario.corridors[name]
    known = [rail for rail in sorted(scenario.rails) if serves(scenario, rail, corridor)]
    left_out = [rail for rail in sorted(scenario.rails) if rail not in known]
    named = corridor.rails is None and bool(left_out)
    hint = f" ({', '.join(left_out)} only where a corridor's `rails` name it)" if named else ""
    allowed = f"{', '.join(corridor.rails or known) or 'no rail'}{hint}"
    return (
        f"no route from {corridor.from_.country} {corridor.from_.currency} to "
        f"{corridor.to.country} {corridor.to.currency} over {allowed}; needed: a rail, a "
        "settlement agent and a ledger that connect the two ends"
    )


def _scan(scenario: Scenario, corridor: Corridor) -> Program:
    """Return the scan of a payee's code, where payees show codes."""
    codes = codes_of(scenario, corridor)
    if codes is None or corridor.codes is None:
        return ()
    return codes.scan(corridor.codes, target=FAIL)


def _cumulative(shares: Mapping[str, int]) -> Array:
    """Return ascending thresholds of shares in the order of their names."""
    return cumulative62([shares[name] for name in sorted(shares)]) if shares else _ints(())


def _seconds(demand: Demand) -> Array:
    """Return, instrument by instrument, ascending thresholds of having each other one, too."""
    names = sorted(demand.instruments)
    found = []
    for first in names:
        shares = demand.second_instrument.get(first, {})
        total = 0
        for second in names:
            total += shares.get(second, 0)
            # What is left to 2^62 has no second one.
            found.append(threshold(total))
    return _ints(found)


def _ints(values: Iterable[int]) -> Array:
    return np.array(list(values), dtype=np.int64)


def _none_expected(scenario: Scenario) -> tuple[Array, Array]:
    return _ints((0, scenario.clock.horizon)), _ints((0, 0))


def _arrivals(world: World, name: str) -> tuple[Array, Array]:
    scenario = world.scenario
    demand = scenario.demand[name]
    if demand.rate is None:
        return _none_expected(scenario)
    profile = scenario.profiles.get(demand.profile) if demand.profile != "flat" else None
    return hazard_path(
        rate_numerator=demand.rate.numerator,
        rate_denominator=demand.rate.denominator,
        horizon_us=scenario.clock.horizon,
        start=scenario.clock.start,
        hourly=profile.hourly if profile is not None else None,
        weekday=profile.weekday if profile is not None else None,
        burst_sigma_ppb=profile.burst_sigma if profile is not None else 0,
        steps=surge_steps(scenario, name, world.happened),
        profile_name=demand.profile,
        seed=world.settings.seed,
        replication=world.settings.replication,
    )


def _shares(
    agents: Mapping[str, int], members: tuple[Member, ...], country: str, weight: str
) -> tuple[Array, Array]:
    """Return the agents of a country and the cumulative thresholds of their shares."""
    found = [
        (agents[member.name], getattr(member, weight))
        for member in members
        if member.entry.country == country and getattr(member, weight) > 0
    ]
    if not found:
        return _ints(()), _ints(())
    return _ints(agent for agent, _ in found), cumulative62([share for _, share in found])


def _written(
    demand: Demand,
    stream: int,
    *,
    pool: _Pool,
    first: int,
    agents: Mapping[str, int],
    currency: str,
) -> Array | None:
    """Return the rows of a written list of payments, in order of time."""
    if demand.payments is None:
        return None
    # By time, then as written: payments of one instant keep their order.
    ordered = sorted(enumerate(demand.payments), key=lambda item: (item[1].at, item[0]))
    rows = np.full((len(ordered), WORKLOAD_WIDTH), -1, dtype=np.int64)
    for ordinal, (_, payment) in enumerate(ordered):
        row = rows[ordinal]
        row[WorkloadColumn.TIME_US] = payment.at
        row[WorkloadColumn.STREAM] = stream
        row[WorkloadColumn.ORDINAL] = ordinal
        row[WorkloadColumn.ROUTE_SET] = pool.route_set[0]
        row[WorkloadColumn.AMOUNT] = to_minor(payment.amount, currency)
        row[WorkloadColumn.PAYER] = payment.payer
        row[WorkloadColumn.CODE_STATE] = 0
        row[WorkloadColumn.CODE_EXPIRY_US] = NEVER_US
        # What is below 0 is drawn: institutions that are not named, and what the payer carries.
        if payment.debtor_agent is not None:
            row[WorkloadColumn.DEBTOR_AGENT] = agents[payment.debtor_agent]
        if payment.creditor_agent is not None:
            row[WorkloadColumn.CREDITOR_AGENT] = agents[payment.creditor_agent]
        if len(pool.merchant):
            at = int(np.flatnonzero(pool.merchant == first + payment.merchant)[0])
            row[WorkloadColumn.ROUTE_SET] = pool.route_set[at]
            row[WorkloadColumn.CREDITOR_AGENT] = pool.agent[at]
            row[WorkloadColumn.CODE_STATE] = pool.is_damaged[at]
            row[WorkloadColumn.CODE_EXPIRY_US] = pool.expiry_us[at]
            row[WorkloadColumn.MERCHANT] = pool.merchant[at]
    return rows
