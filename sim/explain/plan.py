"""Say a compiled plan in words.

Takes a :class:`~sim.compiler.compile.Compiled` scenario; gives the text ``payroute explain``
prints and every run keeps as ``plan.txt``. Together with :mod:`sim.contract.meaning` it is enough
to predict the event log of a small scenario by hand. It holds nothing that depends on the machine,
the seed's luck or the order of the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from sim.compiler.compile import Compiled
from sim.compiler.notes import note_lines
from sim.compiler.ranking import REFERENCE_AMOUNTS
from sim.contract.layout import (
    CERTAIN,
    UNLIMITED,
    AccountColumn,
    CandidateColumn,
    FeeColumn,
    RouteColumn,
    RouteSetColumn,
    StreamColumn,
)
from sim.contract.meaning import FAILOVER_REASONS
from sim.contract.records import WorkloadColumn
from sim.explain.agenda import agenda_lines
from sim.explain.clearing import clearing_lines
from sim.explain.currencies import currency_lines
from sim.explain.evidence import evidence_lines, hypothetical_links
from sim.explain.fx import fx_words, rate_lines
from sim.explain.guards import guard_words
from sim.explain.loads import ledger_load_words, load_words
from sim.explain.price import price_amount
from sim.explain.program import capacity_words, program_lines, prologue_lines
from sim.explain.routing import bar_words
from sim.explain.shops import shop_lines
from sim.explain.words import (
    about,
    amounts,
    at,
    count,
    listed,
    moment,
    share,
    span,
    table,
    timing,
)
from sim.explain.wrapping import LINE_WIDTH, lay_out
from sim.model.currencies import declared_of
from sim.model.sections import Demand
from sim.model.steps import write_multiple
from sim.routing.candidates import is_hypothetical
from sim.routing.policies import policy_words
from sim.scenario.doubts import find_doubts
from sim.units import currency_of, format_minor, using_currencies
from sim.workload.stream_demand import StreamDemand

_ROWS_SHOWN = 60
_ROWS_OF_MORE = 12
"""Of lists longer than the first number so many are shown, and the text says so."""

_ROUNDED = {
    "once": "the payer's bill once, half up; nothing before it",
    "each_step": "up at every conversion and every spread",
}
"""What a rule of rounding does, in words."""


def explain_plan(compiled: Compiled) -> str:
    """Return the plan in words, the same text for the same scenario on every machine."""
    return "\n".join(lay_out(plan_lines(compiled), LINE_WIDTH, keeps_tables=True)) + "\n"


def plan_lines(compiled: Compiled) -> str:
    """Return the plan in words, every line as long as it is."""
    with using_currencies(declared_of(compiled.scenario.currencies)):
        return _plan_lines(compiled)


def _plan_lines(compiled: Compiled) -> str:
    scenario = compiled.scenario
    sections: tuple[tuple[str, Iterable[str]], ...] = (
        ("Clock", _clock(compiled)),
        ("Institutions and rails", _parties(compiled)),
        *currency_lines(),
        ("Exchange rates", _rates(compiled)),
        ("Demand", _demand(compiled)),
        ("Routing", _routing(compiled)),
        ("Candidate routes", _corridors(compiled)),
        ("Programs", _programs(compiled)),
        ("Ledgers", _ledgers(compiled)),
        ("Stations", _stations(compiled)),
        ("Accounts", _accounts(compiled)),
        ("Settlement", clearing_lines(compiled)),
        ("Agenda", agenda_lines(compiled)),
        *_remarked(compiled),
        ("Without effect", tuple(note_lines(compiled.notes)) or ("nothing",)),
        ("Hypothetical links", hypothetical_links(scenario) or ("none",)),
        ("Assumptions", evidence_lines(compiled)),
        ("Numbers in the event log", _numbers(compiled)),
    )
    lines = [f"Scenario {scenario.scenario}"]
    if scenario.question:
        lines.append(f"Question: {scenario.question}")
    if scenario.answer:
        lines.append(f"Answer: {scenario.answer}")
    for title, body in sections:
        lines += ["", title, "-" * len(title)]
        # Wrapped by whoever shows it, so that no section has to know how wide a page is.
        lines += body
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _remarked(compiled: Compiled) -> Iterator[tuple[str, Iterable[str]]]:
    """Yield the section of remarks, where there are any."""
    if compiled.remarks:
        yield "To be known", tuple(note_lines(compiled.remarks))


def _doubts(compiled: Compiled, section: str) -> Iterator[str]:
    """Yield what a section says that is most likely not meant."""
    for place, message in find_doubts(compiled.scenario):
        if place[0] == section:
            yield f"warning: {'.'.join(map(str, place))}: {message}"


def _clock(compiled: Compiled) -> Iterator[str]:
    clock, plan = compiled.scenario.clock, compiled.plan
    yield f"Starts {moment(clock.start)}, runs {span(clock.horizon)}."
    if clock.warm_up:
        yield f"Payments of the first {span(clock.warm_up)} are not measured."
    yield f"All luck comes from seed {plan.seed}, replication {plan.replication}."


def _parties(compiled: Compiled) -> Iterator[str]:
    """Yield who there is, in which roles, and by whom and since when rails are run."""
    for name, entry in sorted(compiled.scenario.institutions.items()):
        number = f", {entry.members} alike" if entry.members > 1 else ""
        title = f"{entry.name}, " if entry.name else ""
        yield f"{name}: {title}{entry.country}{number}; roles: {listed(entry.roles)}"
    for name, rail in sorted(compiled.scenario.rails.items()):
        said = [f"{field} {named}" for field, named in rail.named_institutions()]
        said += [f"{link.words} live from {link.live_from}".strip() for link in rail.links()]
        yield f"rail {name}{': ' if said else ''}{'; '.join(said)}"


def _rates(compiled: Compiled) -> Iterator[str]:
    yield from rate_lines(compiled)
    yield from fx_words(compiled)
    yield from _doubts(compiled, "fx")
    if not compiled.scenario.fx.mid:
        yield "none"


def _demand(compiled: Compiled) -> Iterator[str]:
    for demand in compiled.demands:
        written = compiled.scenario.demand[demand.name]
        corridor = compiled.scenario.corridors[written.corridor]
        currency = _fixed_currency(compiled, demand)
        yield f"{demand.name}: corridor {written.corridor}, channel {written.pays_at}"
        if written.shop is not None:
            yield f"  orders at {written.shop}"
        if written.rate is not None:
            course = "evenly" if written.profile == "flat" else f"by profile {written.profile}"
            course += _steps(written)
            limit = f", {written.count} payments at most" if written.count is not None else ""
            yield f"  arrivals: {written.rate} on average, {course}{limit}"
            yield from (f"  {line}" for line in load_words(compiled, demand.name))
        else:
            if written.trace is not None and demand.written is not None:
                many = f"{len(demand.written):,} payments"
                yield f"  payments: {many} of {Path(written.trace.file).name}, in order of time"
            yield from _written_payments(demand, currency)
        typical = format_minor(_typical(compiled, demand), currency)
        spread = amounts(written.amount) if written.amount is not None else "as written"
        yield f"  amounts: {spread}; typical {typical}, fixed by the {written.fixed_side}"
        if corridor.time_out is not None:
            yield f"  time-out of the payer's institution: {span(corridor.time_out)}"
        promise = int(compiled.plan.stream[demand.stream, StreamColumn.PROMISE_US])
        yield f"  promise: {span(promise)}; what is open for longer is no success"
        yield f"  payers: {count(written.payers, 'payer')}{_banks(compiled, demand)}"
        yield f"  codes: {corridor.codes or 'none'}"
    yield from shop_lines(compiled.scenario)
    yield from _doubts(compiled, "demand")


def _steps(written: Demand) -> str:
    """Return the multiples of a stream's rate in order of time."""
    ordered = sorted(written.steps.items())
    words = [
        f"times {write_multiple(multiple)} from {at(time_us)}" for time_us, multiple in ordered
    ]
    return f"; {', '.join(words)}" if words else ""


def _banks(compiled: Compiled, demand: StreamDemand) -> str:
    """Return the institutions of a stream's payers, by share where it is drawn."""
    bounds = [0, *(int(bound) for bound in demand.debtor_cumulative62)]
    shares = [
        (above - below, compiled.plan.names.agents[int(agent)])
        for agent, below, above in zip(demand.debtor_agent, bounds, bounds[1:], strict=False)
    ]
    if not shares:
        return ""
    # The largest first, ties by name: nothing depends on the order of the file.
    shares.sort(key=lambda item: (-item[0], item[1]))
    shown = [f"{name} {part / bounds[-1]:.1%}" for part, name in shares[:5]]
    more = f" and {len(shares) - 5} more" if len(shares) > 5 else ""
    return f", at {', '.join(shown)}{more}"


def _written_payments(demand: StreamDemand, currency: str) -> Iterator[str]:
    if demand.written is None:
        return
    shown = _shown(len(demand.written))
    for row in demand.written[:shown]:
        amount = format_minor(int(row[WorkloadColumn.AMOUNT]), currency)
        ordinal, instant = int(row[WorkloadColumn.ORDINAL]), int(row[WorkloadColumn.TIME_US])
        yield f"  payment n = {ordinal} at {at(instant)}: {amount}"
    if len(demand.written) > shown:
        yield f"  and {len(demand.written) - shown:,} more"


def _routing(compiled: Compiled) -> Iterator[str]:
    routing = compiled.scenario.routing
    best = policy_words(routing.policy)
    yield f"Policy {routing.policy}: {best}; of equals what costs the agents least."
    yield "Of routes still equal one is drawn, by the shares of the agents."
    worth = ", ".join(map(str, REFERENCE_AMOUNTS))
    yield (
        "Candidates stand in the order of what they cost the payer at the start, the mean share "
        f"at amounts worth {worth} USD; then of what they cost the agents, by legs and name "
        "(`routing.order` before all)."
    )
    yield f"The router sees queues as they were up to {span(routing.view_interval)} ago."
    yield from bar_words(routing)
    for name, corridor in compiled.scenario.corridors.items():
        if corridor.routing is not None:
            own = corridor.routing
            yield f"{name} chooses by policy {own.policy}: {policy_words(own.policy)}."
            yield from (f"{name}: {line}" for line in bar_words(own))
    if routing.failover:
        reasons = ", ".join(reason.name for reason in FAILOVER_REASONS)
        tries = count(routing.failover, "other route")
        yield f"A payment may try {tries} after a failure another one may cure ({reasons})."
    else:
        yield "A payment that failed tries no other route."


def _corridors(compiled: Compiled) -> Iterator[str]:
    for demand in compiled.demands:
        written = compiled.scenario.demand[demand.name]
        corridor = compiled.scenario.corridors[written.corridor]
        ends = " to ".join(f"{end.country} {end.currency}" for end in (corridor.from_, corridor.to))
        currency = _fixed_currency(compiled, demand)
        amount = _typical(compiled, demand)
        yield f"{written.corridor} ({ends}), {demand.name}, for {format_minor(amount, currency)}:"
        rows: list[tuple[str, ...]] = [
            ("route", "payer pays", "cost", "of it rounding", "credited", "expected", "reaches", "")
        ]
        reach = _reach(compiled, demand)
        rows += [_offer(compiled, route, amount, reached) for route, reached in reach]
        yield from table(rows, indent=2, right=frozenset(range(1, 7)))
    yield "Cost: FX margin and payer's fees by the debited amount, at the rates of the start."
    yield f"Rounding: {_ROUNDED[compiled.scenario.fx.rounding]} (`fx.rounding`)."
    yield "Expected: from the choice of the route to its end, without queues and failures."
    yield "Reaches: share of the payees the route can pay."


def _offer(compiled: Compiled, number: int, amount: int, reached: float) -> tuple[str, ...]:
    """Return a candidate's row: what it costs for an amount, how long it takes."""
    route = compiled.routes[number]
    row = int(compiled.plan.route[number, RouteColumn.PRICING])
    note = "hypothetical" if is_hypothetical(compiled.scenario, route.candidate) else ""
    last = (about(route.expected_us), f"{reached:.0%}", note)
    if route.flow.price is None or row < 0:
        return route.name, "-", "-", "-", "-", *last
    debited, _, credited = route.flow.price.currencies
    price = price_amount(compiled.plan, row, route.flow.price, amount)
    return (
        route.name,
        format_minor(price.debited + price.payer_fee, debited),
        f"{price.cost_bps:.1f} bps",
        f"{price.rounding_bps:+.1f} bps",
        format_minor(price.credited, credited),
        *last,
    )


def _reach(compiled: Compiled, demand: StreamDemand) -> list[tuple[int, float]]:
    """Return the routes of a stream in the order of candidates, with the share they reach."""
    plan = compiled.plan
    # A pool of payees has a set per payee; a stream without one the default, or one for each class
    # of institutions at its ends.
    others = demand.instrument_route_set if demand.has_classes else demand.default_route_set
    sets = np.append(demand.merchant_route_set, others)
    sets = sets[sets >= 0]
    found: dict[int, int] = {}
    for index, payees in zip(*np.unique(sets, return_counts=True), strict=True):
        first, number = plan.route_set[index, : RouteSetColumn.COUNT + 1]
        for route in plan.candidate[first : first + number, CandidateColumn.ROUTE]:
            found[int(route)] = found.get(int(route), 0) + int(payees)
    # Route sets are visited by number, so the cheapest class may not come first; candidates are
    # numbered in the order they were compiled, which is by cost within a class.
    return [(route, payees / len(sets)) for route, payees in sorted(found.items())]


def _programs(compiled: Compiled) -> Iterator[str]:
    yield "Numbers are stages, as in the event log; 'on at' says where a failure leads."
    yield "An account or station of an agent is the one with that agent's name, such as the agent's"
    yield "own core, or its account on the ledger, <agent>@<ledger>:<currency>."
    for demand in compiled.demands:
        yield ""
        yield f"Payments of {demand.name} begin:"
        yield from prologue_lines(compiled.streams[demand.stream], compiled)
    for number, route in enumerate(compiled.routes):
        yield ""
        legs = ", ".join(
            f"{leg.rail} from {leg.start} to {leg.end}" for leg in route.candidate.legs
        )
        yield f"Route {route.name}: {legs}"
        yield from program_lines(number, compiled)


def _ledgers(compiled: Compiled) -> Iterator[str]:
    for ledger in compiled.ledgers:
        interval, limit = ledger.round_interval_us, ledger.block_limit
        capacity = Fraction(limit * 10**6, interval)
        yield (
            f"{ledger.name}: a round every {span(interval)}, at most "
            f"{count(limit, 'payment')} a block, so {float(capacity):g} payments/s at most"
        )
        yield (
            f"  commits with {ledger.quorum} of {ledger.peers} votes; one "
            f"vote takes {timing(ledger.vote_delay)}"
        )
        yield f"  while nobody waits the gap doubles up to {span(ledger.idle_max_us)}"
        yield from (f"  {line}" for line in ledger_load_words(compiled, ledger))
        if ledger.leader_failure:
            failed = share(Fraction(ledger.leader_failure, CERTAIN))
            yield f"  {failed} of rounds are lost to a failed leader"
    if not compiled.ledgers:
        yield "none"


def _stations(compiled: Compiled) -> Iterator[str]:
    plan = compiled.plan
    groups: dict[str, list[str]] = {}
    for number, name in enumerate(plan.names.stations):
        words = capacity_words([int(value) for value in plan.station[number]])
        groups.setdefault(words, []).append(name)
    for words, names in groups.items():
        yield f"{_some(names)}: {words}"
    if not groups:
        yield "none"


def _accounts(compiled: Compiled) -> Iterator[str]:
    """Yield what is kept short: written accounts, and balances on ledgers."""
    plan, scenario = compiled.plan, compiled.scenario
    for name, account in sorted(scenario.accounts.items()):
        below = account.overdraft
        floor = f", down to -{below} {account.currency}" if below is not None else ""
        short = "wait" if account.when_short == "queue" else "are refused (AM04)"
        yield (
            f"{name}: {account.owner} at {account.at}, {account.balance:f} {account.currency}"
            f"{floor}; payments {short} when it is short"
        )
        yield from (f"  {line}" for line in guard_words(account))
    limited = sum(1 for row in plan.account if row[AccountColumn.OVERDRAFT] < UNLIMITED)
    others = limited - len(scenario.accounts)
    free = len(plan.account) - limited
    yield f"other accounts that cannot go below zero: {others}; accounts without limit: {free}"


def _numbers(compiled: Compiled) -> Iterator[str]:
    plan, names = compiled.plan, compiled.plan.names
    priced = {
        int(row[RouteColumn.PRICING]): names.routes[number] for number, row in enumerate(plan.route)
    }
    fees = tuple(names.components[int(row[FeeColumn.COMPONENT])] for row in plan.fee)
    for title, listed_names in (
        ("streams", names.streams),
        ("routes", names.routes),
        ("stations", names.stations),
        ("ledgers", names.ledgers),
        ("accounts", names.accounts),
        ("prices", tuple(name for row, name in sorted(priced.items()) if row >= 0)),
        ("fees", fees),
        ("limits", names.limits),
        ("agents", names.agents),
    ):
        first = listed_names[: _shown(len(listed_names))]
        shown = [f"{number} {name}" for number, name in enumerate(first)]
        more = len(listed_names) - len(shown)
        yield f"{title}: {listed(shown)}{f', and {more} more' if more else ''}"


def _fixed_currency(compiled: Compiled, demand: StreamDemand) -> str:
    written = compiled.scenario.demand[demand.name]
    corridor = compiled.scenario.corridors[written.corridor]
    return corridor.to.currency if written.fixed_side == "creditor" else corridor.from_.currency


def _typical(compiled: Compiled, demand: StreamDemand) -> int:
    """Return the mean amount of a stream in whole granules of its currency."""
    written = compiled.scenario.demand[demand.name]
    granule = currency_of(_fixed_currency(compiled, demand)).granule
    if demand.written is not None:
        # Added up in numbers of any size: a long trace's sum may wrap.
        total = sum(demand.written[:, WorkloadColumn.AMOUNT].tolist())
        mean = Fraction(total, len(demand.written))
    elif written.amount is not None:
        mean = Fraction(round(written.amount.mean()))
    else:
        mean = Fraction(demand.amount_fixed)
    return max(int(mean) // granule, 1) * granule


def _shown(length: int) -> int:
    """Return how many rows of a list are shown."""
    return length if length <= _ROWS_SHOWN else _ROWS_OF_MORE


def _some(names: Sequence[str]) -> str:
    """Return the names, or the first and how many more of many."""
    if len(names) <= 6:
        return ", ".join(names)
    return f"{', '.join(names[:5])} and {len(names) - 5} more"
