"""As written: the chain of a generic rail, with its money where it has a price.

Takes a scenario and a candidate route; gives its program, to be read from top to bottom.
"""

from __future__ import annotations

from dataclasses import replace

from sim.compiler.flows.parts import (
    FINISHED,
    QUOTE,
    Flow,
    Price,
    charge,
    exchange_moves,
    exchanges,
    fee_terms,
    fixed_time,
)
from sim.contract.spec import Flag, Op, Reason, Register
from sim.model.pricing import ChargeBearer
from sim.network.graph import Candidate
from sim.rails.generic import GenericRail, chain_stages
from sim.rails.stages import (
    FAIL,
    Move,
    Stage,
    recover,
)
from sim.scenario.parts import Corridor
from sim.scenario.scenario import Scenario


def write_generic(
    scenario: Scenario, candidate: Candidate, corridor: Corridor, currency: str
) -> Flow:
    """Return the program and price of a route of this shape."""
    rail = scenario.rails[candidate.gateway]
    assert isinstance(rail, GenericRail)
    chain = chain_stages(candidate.gateway, rail, currency)
    reversal = fixed_time(rail.retry_after)
    end = FINISHED
    debited, credited = corridor.from_.currency, corridor.to.currency
    payer, payee = f"customers:debtors:{debited}", f"customers:creditors:{credited}"
    # A chain needs no institutions, so its fees are taken from the same accounts as its money.
    fees = tuple(
        replace(terms, debit=payer if terms.fee.bearer is ChargeBearer.DEBTOR else payee)
        for terms in fee_terms(rail.fees, rail.operator, debited, credited)
    )
    if not fees and debited == credited:
        return Flow((*chain, end, *recover(reversal)), None)
    price = Price(
        (debited, credited, credited),
        exchanges((debited, credited, credited), first=(0, rail.operator), second=(0, "")),
        fees,
    )
    if debited == credited:
        moves: tuple[Move, ...] = (Move(payer, payee, Register.DEBITED),)
    else:
        moves = (
            *exchange_moves(price, payer, rail.operator, rail.operator),
            Move(
                f"clearing:{rail.operator}:{rail.operator}:{credited}",
                payee,
                Register.CREDITED_GROSS,
            ),
        )
    program = (
        Stage(Op.QUOTE, QUOTE, target=FAIL, reason=Reason.AM12),
        *chain,
        Stage(Op.DEADLINE, "in time"),
        Stage(Op.POST, "credit", moves=moves, flags=Flag.SETTLES | Flag.CREDITS),
        *charge(price, ChargeBearer.DEBTOR),
        *charge(price, ChargeBearer.CREDITOR),
        end,
        *recover(reversal),
    )
    return Flow(program, price)
