"""What payments can reach: institutions, stations, accounts and rails that some program names.

Takes the parts of a plan and who pays whom; gives sets of names. What lies outside them is in the
plan and changes nothing, which :mod:`sim.compiler.notes` says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sim.compiler.parts import Clearing, Part, Route, Stream
from sim.contract.meaning import Op
from sim.model.members import Member
from sim.rails.merchants import Merchant
from sim.rails.protocol import Leg
from sim.rails.resources import Holding, Station, TopUpRule
from sim.rails.stages import CREDITOR_AGENT, DEBTOR_AGENT, ByRole, Place, Stage
from sim.scenario.model import Scenario

Named = tuple[set[str | None], set[str | None]]
"""Institutions payments name, of payers and of payees; None among them where some name none."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Names that occur in what some payment may go through.

    Attributes
    ----------
    debtor_agents, creditor_agents : frozenset of str
        Institutions of payers, and of payees.
    agents : frozenset of str
        Those, institutions of payees, and all that stand between, convert or earn.
    stations, accounts : frozenset of str
    later : frozenset of str
        Accounts money of payments comes to or comes from days later only, by files and top-ups.
    legs : frozenset of Leg
    """

    debtor_agents: frozenset[str]
    creditor_agents: frozenset[str]
    agents: frozenset[str]
    stations: frozenset[str]
    accounts: frozenset[str]
    later: frozenset[str]
    legs: frozenset[Leg]


def find_reach(parts: Sequence[Part], debtors: Iterable[str], creditors: Iterable[str]) -> Reach:
    """Return what payments can reach.

    Parameters
    ----------
    parts : sequence of Part
        Of the whole plan.
    debtors, creditors : iterable of str
        Institutions that payments bring with them, drawn or written.
    """
    routes = [part for part in parts if isinstance(part, Route)]
    streams = [part for part in parts if isinstance(part, Stream)]
    payers = {*debtors, *(route.flow.debtor.institution for route in routes)} - {""}
    payees = {*creditors, *(route.flow.creditor.institution for route in routes)} - {""}
    by_role = {DEBTOR_AGENT: payers, CREDITOR_AGENT: payees}
    named = _Named(parts, by_role)
    programs = [*(route.flow.program for route in routes), *(one.prologue for one in streams)]
    stages = [stage for program in programs for stage in program]
    agents = {*payers, *payees}
    accounts: set[str] = set()
    for route in routes:
        agents.update(route.candidate.agents)
        if route.flow.price is not None:
            exchanges = (item for item in route.flow.price.exchanges if item is not None)
            agents.update(exchange.provider for exchange in exchanges)
            for fee in route.flow.price.fees:
                agents.add(fee.recipient)
                accounts.update((*named.accounts(fee.debit), fee.credit))
    for stage in stages:
        for move in stage.moves:
            accounts.update(named.accounts(move.debit))
            accounts.update(named.accounts(move.credit))
    later = _later(parts, accounts) - accounts
    return Reach(
        debtor_agents=frozenset(payers),
        creditor_agents=frozenset(payees),
        agents=frozenset(agents),
        stations=frozenset(name for stage in stages for name in named.stations(stage)),
        accounts=frozenset(accounts | later),
        later=frozenset(later),
        legs=frozenset(leg for route in routes for leg in route.candidate.legs),
    )


def _later(parts: Sequence[Part], accounts: set[str]) -> set[str]:
    """Return the accounts money of payments comes to, or comes from, days later."""
    found: set[str] = set()
    for part in parts:
        if isinstance(part, Clearing) and part.line.payments in accounts:
            found.update((part.line.closed, part.line.held, part.line.paid_to))
    rules = [part for part in parts if isinstance(part, TopUpRule)]
    # What fills up one account may itself be filled up: a chain is at most as long as the rules.
    for _ in rules:
        found.update(rule.source for rule in rules if rule.account in accounts | found)
    return found


def agents_of_stream(
    scenario: Scenario,
    members: Sequence[Member],
    stream: Stream,
    *,
    routes: Sequence[Route],
    payees: Sequence[Merchant],
    named: Named | None,
) -> tuple[set[str], set[str], set[str]]:
    """Return institutions a stream's payments bring: of payers, of payees, and of those by share.

    Parameters
    ----------
    stream : Stream
    routes : sequence of Route
        Of the whole plan.
    payees : sequence of Merchant
        Codes the stream's payees show.
    named : Named or None
        Institutions its payments name; None where all are drawn.
    """
    corridor = scenario.corridors[stream.corridor]
    flows = [route.flow for route in routes if route.name in stream.routes]
    debtors, creditors = named or ({None}, {None})
    payers = {name for name in debtors if name is not None}
    # A list that names every payer's bank draws none.
    if None in debtors and any(flow.debtor.is_drawn for flow in flows):
        payers |= _with_share(members, corridor.from_.country, "payer_share")
    coded = {payee.agent for payee in payees} - {""}
    scheme = None if corridor.codes is None else scenario.rails[corridor.codes].code_scheme
    is_made = scheme is not None and not scheme.payloads and corridor.foreign_codes is None
    is_paid = any(flow.creditor.is_drawn for flow in flows)
    by_share = coded if corridor.foreign_codes is not None and is_paid else set[str]()
    # Codes are made for banks by share, too.
    is_drawn = None in creditors
    if is_made or (is_drawn and not payees and is_paid):
        by_share = _with_share(members, corridor.to.country, "merchant_share")
    return payers, coded | by_share | {name for name in creditors if name is not None}, by_share


def _with_share(members: Sequence[Member], country: str, weight: str) -> set[str]:
    return {
        member.name
        for member in members
        if member.entry.country == country and getattr(member, weight) > 0
    }


class _Named:
    """What programs mean when they name a place by the role of its owner."""

    def __init__(self, parts: Sequence[Part], agents: dict[int, set[str]]) -> None:
        self._agents = agents
        self._stations = {
            (part.owner, part.kind): part.name
            for part in parts
            if isinstance(part, Station) and part.kind
        }
        self._accounts = {
            (part.owner, part.kind): part.name
            for part in parts
            if isinstance(part, Holding) and part.kind
        }

    def stations(self, stage: Stage) -> Iterator[str]:
        """Yield the stations a stage is served at."""
        if isinstance(stage.place, ByRole):
            yield from self._of(self._stations, stage.place)
        elif stage.op is Op.SERVE and stage.place:
            yield stage.place

    def accounts(self, place: Place) -> Iterator[str]:
        """Yield the accounts a place may mean."""
        if isinstance(place, ByRole):
            yield from self._of(self._accounts, place)
        else:
            yield place

    def _of(self, known: dict[tuple[str, str], str], place: ByRole) -> Iterator[str]:
        for agent in self._agents[place.role]:
            found = known.get((agent, place.kind))
            if found is not None:
                yield found
