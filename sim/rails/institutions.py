"""What institutions do at the ends of a route.

Takes the leg at hand; gives the payer's and the payee's institution as stages. A rail says which of
them its ends are. What a settlement agent screens is in :mod:`sim.rails.screening`.
"""

from __future__ import annotations

from sim.contract.meaning import Flag, Op, Reason
from sim.contract.records import Register
from sim.rails.declines import credit_declines, debit_declines
from sim.rails.protocol import CreditorSide, DebtorSide, LegContext, World
from sim.rails.stages import (
    CREDITOR_AGENT,
    DEBTOR_AGENT,
    FAIL,
    FAIL_SENT,
    ByRole,
    Move,
    Program,
    Stage,
    Time,
    decide,
    serve,
    threshold,
)

CORE = "core"
"""Kind of an institution's own systems: its station, and the time it takes there."""
DECLINE = "decline"
"""Kind of the share of its payers' attempts an institution refuses."""


def customers(role: int, currency: str) -> ByRole:
    """Name the account of an agent's customers."""
    return ByRole(role, f"customers:{currency}")


def book(role: int, currency: str) -> ByRole:
    """Name an agent's own book."""
    return ByRole(role, f"book:{currency}")


def core(role: int) -> ByRole:
    """Name an agent's core system."""
    return ByRole(role, CORE)


def core_time(world: World, institution: str, role: int) -> Time:
    """Return the core time of an institution, the agent's own where it is drawn by payment."""
    if institution:
        return world.institutions[institution].core.service_time
    return ByRole(role, CORE)


def decline_share(at: LegContext, institution: str) -> int | ByRole:
    """Return the threshold below which an institution refuses, the agent's own where drawn."""
    institutions, country = at.world.institutions, at.corridor.from_.country
    if institution:
        return threshold(institutions[institution].decline)
    # Where nobody refuses there is nothing to decide and no draw to make.
    payers = [e for e in institutions.values() if e.country == country and e.holds_money]
    if not any(entry.decline for entry in payers):
        return 0
    return ByRole(DEBTOR_AGENT, DECLINE)


def debtor_at_home(at: LegContext) -> DebtorSide:
    """Return the payer's own bank, which debits the payer's account to its book."""
    account = customers(DEBTOR_AGENT, at.leg.source)
    return DebtorSide(
        account=account,
        authorise=_authorise("debtor_agent.core", at),
        debit=(Move(account, book(DEBTOR_AGENT, at.leg.source), Register.DEBITED),),
        is_drawn=True,
    )


def debtor_at_wallet(at: LegContext, wallet: str) -> DebtorSide:
    """Return a foreign wallet, from whose customers the leg itself takes the money."""
    return DebtorSide(
        account=customers(DEBTOR_AGENT, at.leg.source),
        authorise=_authorise("debtor_agent.risk", at, wallet),
        institution=wallet,
    )


def _authorise(label: str, at: LegContext, institution: str = "") -> Program:
    """Return the payer's institution looking at the payment: its systems, then its own refusals."""
    return (
        *serve(
            label, core(DEBTOR_AGENT), core_time(at.world, institution, DEBTOR_AGENT), target=FAIL
        ),
        *decide(
            "debtor_agent.decline",
            decline_share(at, institution),
            target=FAIL,
            reason=Reason.AG01,
        ),
        *debit_declines(at, institution),
    )


def creditor_at_home(at: LegContext) -> CreditorSide:
    """Return the payee's bank here, which the ledger has paid."""
    return _creditor(at, institution="")


def creditor_abroad(at: LegContext, acquirer: str) -> CreditorSide:
    """Return the institution that credits the payee abroad."""
    return _creditor(at, institution=acquirer)


def _creditor(at: LegContext, *, institution: str) -> CreditorSide:
    time = core_time(at.world, institution, CREDITOR_AGENT)
    account = customers(CREDITOR_AGENT, at.leg.target)
    declined, aside = credit_declines(at, institution)
    return CreditorSide(
        account=account,
        book=(
            *serve("creditor_agent.core", core(CREDITOR_AGENT), time, target=at.failing),
            *declined,
        ),
        asides=aside,
        credit=(Move(book(CREDITOR_AGENT, at.leg.target), account, Register.CREDITED_GROSS),),
        institution=institution,
        is_drawn=not institution,
        is_told_first=not institution,
    )


def payers_time_out(at: LegContext) -> Program:
    """Return the start of the payer's session, which lasts up to the point of no return."""
    if at.corridor.time_out is None:
        return ()
    return (
        Stage(
            Op.DEADLINE,
            "time-out",
            value=at.corridor.time_out,
            target=FAIL_SENT,
            reason=Reason.AB03,
        ),
    )


def when_short(world: World, account: str | None) -> Flag:
    """Return whether payments wait for an account that is short."""
    queues = account is not None and world.accounts[account].when_short == "queue"
    return Flag.QUEUE if queues else Flag(0)
