"""At home: issuer, ledger, the merchant's institution.

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
    credit_creditor,
    customers,
    decline_share,
    fee_terms,
    notify,
    on_ledger,
    quote_and_confirm,
    tier_limit,
    time_out,
)
from sim.contract.spec import Op, Reason, Register
from sim.model.pricing import ChargeBearer
from sim.network.graph import Candidate
from sim.rails.bakong import BakongRail, transfer_stages
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
    threshold,
)
from sim.scenario.parts import Corridor
from sim.scenario.scenario import Scenario


def write_domestic(scenario: Scenario, candidate: Candidate, corridor: Corridor) -> Flow:
    """Return the program and price of a route of this shape."""
    ledger = scenario.rails[candidate.ledger]
    assert isinstance(ledger, BakongRail)
    currency = corridor.to.currency
    price = Price(
        (currency, currency, currency),
        (None, None),
        fee_terms(corridor.fees, "", currency, currency),
    )
    pay = Move(
        on_ledger(DEBTOR_AGENT, candidate, currency),
        on_ledger(CREDITOR_AGENT, candidate, currency),
        Register.DEBITED,
    )
    codes = codes_of(scenario, corridor)
    debit = Move(customers(DEBTOR_AGENT, currency), book(DEBTOR_AGENT, currency), Register.DEBITED)
    program = (
        *time_out(corridor),
        *serve("debtor_agent.core", core(DEBTOR_AGENT), core_time(scenario, ""), target=FAIL),
        *decide(
            "debtor_agent.decline",
            threshold(decline_share(scenario)),
            target=FAIL,
            reason=Reason.AG01,
        ),
        *quote_and_confirm(0, codes),
        *tier_limit(scenario, candidate, corridor, currency),
        Stage(Op.RESERVE, "debtor_agent.funds", moves=(pay,), target=FAIL_SENT, reason=Reason.AM04),
        *transfer_stages(candidate.ledger, ledger, (pay, debit), target=FAIL_SENT),
        *charge(price, ChargeBearer.DEBTOR),
        *credit_creditor(scenario, price, currency),
        *notify(codes),
        FINISHED,
        *recover(None),
    )
    return Flow(program, price)
