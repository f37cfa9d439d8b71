"""Coming in: foreign wallet, gateway, settlement agent, ledger, merchant here.

Takes a scenario and a candidate route; gives its program, to be read from top to bottom.
"""

from __future__ import annotations

from sim.compiler.flows.parts import (
    FINISHED,
    Flow,
    Price,
    charge,
    codes_of,
    core,
    core_time,
    credit_creditor,
    customers,
    exchange_moves,
    exchanges,
    fee_terms,
    fixed_time,
    notify,
    on_ledger,
    quote_and_confirm,
    rails_of,
    screening,
    wallet_limit,
    when_short,
)
from sim.contract.spec import Op, Reason, Register
from sim.model.pricing import ChargeBearer
from sim.network.graph import Candidate
from sim.rails.bakong import ledger_account, transfer_stages
from sim.rails.stages import (
    CREDITOR_AGENT,
    DEBTOR_AGENT,
    FAIL,
    FAIL_SENT,
    Move,
    Stage,
    decide,
    recover,
    serve,
)
from sim.rails.wallet_gateway import (
    authorisation_stages,
    hop_stages,
    order_deadline,
    threshold,
)
from sim.scenario.parts import Corridor
from sim.scenario.scenario import Scenario


def write_inbound(scenario: Scenario, candidate: Candidate, corridor: Corridor) -> Flow:
    """Return the program and price of a route of this shape."""
    gateway, ledger = rails_of(scenario, candidate)
    agent, name = candidate.agent, candidate.gateway
    direction = gateway.inbound
    assert direction is not None
    debited, settled, credited = (
        corridor.from_.currency,
        direction.settlement_currency,
        corridor.to.currency,
    )
    price = Price(
        (debited, settled, credited),
        exchanges(
            (debited, settled, credited),
            first=(direction.spread, gateway.operator),
            second=(gateway.settlement_agents[agent].spread, agent),
        ),
        (
            *fee_terms(direction.fees, gateway.operator, debited, credited),
            *fee_terms(corridor.fees, gateway.wallet, debited, credited),
        ),
    )
    prefunding = gateway.settlement_agents[agent].prefunding
    paying = prefunding or ledger_account(agent, candidate.ledger, credited)
    payout = Move(paying, on_ledger(CREDITOR_AGENT, candidate, credited), Register.CREDITED_GROSS)
    moves = (
        payout,
        *exchange_moves(price, customers(DEBTOR_AGENT, debited), name, agent),
    )
    codes = codes_of(scenario, corridor)
    program = (
        order_deadline(gateway, target=FAIL_SENT, reason=Reason.AB06),
        *serve(
            "debtor_agent.risk",
            core(DEBTOR_AGENT),
            core_time(scenario, gateway.wallet),
            target=FAIL,
        ),
        *decide(
            "debtor_agent.decline",
            threshold(scenario.institutions[gateway.wallet].decline),
            target=FAIL,
            reason=Reason.AG01,
        ),
        *quote_and_confirm(gateway.quote_validity, codes),
        *wallet_limit(name, gateway, debited),
        *authorisation_stages(name, gateway, target=FAIL_SENT),
        *hop_stages(f"{name}.hop_to_agent", gateway),
        *screening(scenario, agent, target=FAIL_SENT),
        Stage(
            Op.RESERVE,
            "prefunding",
            moves=(payout,),
            target=FAIL_SENT,
            reason=Reason.AM04,
            flags=when_short(scenario, prefunding),
        ),
        *transfer_stages(candidate.ledger, ledger, moves, target=FAIL_SENT),
        *charge(price, ChargeBearer.DEBTOR),
        *credit_creditor(scenario, price, credited),
        *notify(codes),
        *hop_stages(f"{name}.confirmation", gateway),
        FINISHED,
        *recover(fixed_time(gateway.reversal_time)),
    )
    return Flow(program, price)
