"""Going out: issuer here, ledger, settlement agent, gateway, merchant abroad.

Takes a scenario and a candidate route; gives its program, to be read from top to bottom.
"""

from __future__ import annotations

from sim.compiler.flows.parts import (
    FINISHED,
    Flow,
    Price,
    book,
    charge,
    codes_of,
    core,
    core_time,
    customers,
    decline_share,
    exchange_moves,
    exchanges,
    fee_terms,
    fixed_time,
    notify,
    on_ledger,
    quote_and_confirm,
    rails_of,
    screening,
    tier_limit,
    time_out,
    when_short,
)
from sim.contract.spec import Flag, Op, Outcome, Reason, Register
from sim.model.pricing import ChargeBearer
from sim.network.graph import Candidate
from sim.rails.bakong import commit_stage, ledger_account, transfer_stages
from sim.rails.stages import (
    CREDITOR_AGENT,
    DEBTOR_AGENT,
    FAIL,
    FAIL_SENT,
    RETURN,
    Move,
    Program,
    Stage,
    decide,
    recover,
    serve,
    transit,
)
from sim.rails.wallet_gateway import (
    WalletGatewayRail,
    authorisation_stages,
    hop_stages,
    order_deadline,
    threshold,
)
from sim.scenario.parts import Corridor
from sim.scenario.scenario import Scenario


def write_outbound(scenario: Scenario, candidate: Candidate, corridor: Corridor) -> Flow:
    """Return the program and price of a route of this shape."""
    gateway, ledger = rails_of(scenario, candidate)
    agent, name = candidate.agent, candidate.gateway
    direction = gateway.outbound
    assert direction is not None
    terms = gateway.settlement_agents[agent]
    currencies = (
        corridor.from_.currency,
        direction.settlement_currency,
        corridor.to.currency,
    )
    debited, settled, credited = currencies
    single = settled in (debited, credited)
    price = Price(
        currencies,
        exchanges(
            currencies,
            first=(direction.spread if single else terms.spread, agent),
            second=(direction.spread, agent if single else gateway.operator),
        ),
        (
            *fee_terms(direction.fees, gateway.operator, debited, credited),
            *fee_terms(corridor.fees, agent, debited, credited),
        ),
    )
    theirs = ledger_account(agent, candidate.ledger, debited)
    ours = on_ledger(DEBTOR_AGENT, candidate, debited)
    collect = Move(ours, theirs, Register.DEBITED)
    payer, own_book = customers(DEBTOR_AGENT, debited), book(DEBTOR_AGENT, debited)
    assert terms.nostro is not None
    payout = Move(terms.nostro, f"clearing:{name}:{agent}:{settled}", Register.SETTLEMENT)
    codes = codes_of(scenario, corridor)
    acquirer = gateway.acquirer or gateway.wallet
    program = (
        *time_out(corridor),
        *serve("debtor_agent.core", core(DEBTOR_AGENT), core_time(scenario, ""), target=FAIL),
        *decide(
            "debtor_agent.decline",
            threshold(decline_share(scenario)),
            target=FAIL,
            reason=Reason.AG01,
        ),
        *hop_stages(f"{name}.look_up", gateway),
        *quote_and_confirm(gateway.quote_validity, codes),
        *tier_limit(scenario, candidate, corridor, debited),
        *screening(scenario, agent, target=FAIL_SENT),
        Stage(
            Op.RESERVE, "debtor_agent.funds", moves=(collect,), target=FAIL_SENT, reason=Reason.AM04
        ),
        *transfer_stages(
            candidate.ledger,
            ledger,
            (collect, Move(payer, own_book, Register.DEBITED)),
            target=FAIL_SENT,
        ),
        Stage(
            Op.RESERVE,
            "nostro",
            moves=(payout,),
            target=RETURN,
            reason=Reason.AM04,
            flags=when_short(scenario, terms.nostro),
        ),
        order_deadline(gateway, target=RETURN, reason=Reason.AB05),
        *hop_stages(f"{name}.hop_to_gateway", gateway),
        *authorisation_stages(name, gateway, target=RETURN),
        *serve(
            "creditor_agent.core",
            core(CREDITOR_AGENT),
            core_time(scenario, acquirer),
            target=RETURN,
        ),
        Stage(
            Op.POST,
            "creditor_agent.credit",
            flags=Flag.CREDITS,
            moves=(
                payout,
                *exchange_moves(price, f"book:{agent}:{debited}", name, agent, agent_pays=True),
                Move(
                    book(CREDITOR_AGENT, credited),
                    customers(CREDITOR_AGENT, credited),
                    Register.CREDITED_GROSS,
                ),
            ),
        ),
        Stage(Op.DEADLINE, "order done"),
        *charge(price, ChargeBearer.DEBTOR),
        *charge(price, ChargeBearer.CREDITOR),
        *hop_stages(f"{name}.confirmation", gateway),
        *notify(codes),
        FINISHED,
        *recover(fixed_time(gateway.reversal_time)),
        *_return(
            candidate,
            gateway,
            (
                Move(theirs, ours, Register.DEBITED),
                Move(own_book, payer, Register.DEBITED),
            ),
        ),
    )
    return Flow(program, price)


def _return(candidate: Candidate, gateway: WalletGatewayRail, moves: tuple[Move, Move]) -> Program:
    """Return the compensating transfer: reversal, the money back in a block of its own."""
    back, credit = moves
    reversal = fixed_time(gateway.reversal_time)
    return (
        Stage(Op.DEADLINE, "disarm", mark=RETURN),
        Stage(Op.VOID, "undo"),
        *transit("return.reversal", reversal),
        # The agent waits for funds if it must: a return is owed whatever happens.
        Stage(
            Op.RESERVE,
            "return.funds",
            moves=(back,),
            target=RETURN,
            reason=Reason.ED05,
            flags=Flag.QUEUE,
        ),
        commit_stage(candidate.ledger, (back, credit), settles=False),
        Stage(Op.END, "returned", value=int(Outcome.RETURNED), own_reason=True),
    )
