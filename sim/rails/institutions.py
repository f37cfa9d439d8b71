"""What institutions do at the ends of a route and between its legs.

Takes the leg at hand; gives the payer's and the payee's institution, and a settlement agent's
screening, as stages. A rail says which of them its ends are.
"""

from __future__ import annotations

from sim.contract.layout import CERTAIN
from sim.contract.meaning import Flag, Op, Reason
from sim.contract.records import Register
from sim.model.distributions import DurationDistribution
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
    decide,
    serve,
    threshold,
)

CLEARED = "screening.cleared"


def customers(role: int, currency: str) -> ByRole:
    """Name the account of an agent's customers."""
    return ByRole(role, f"customers:{currency}")


def book(role: int, currency: str) -> ByRole:
    """Name an agent's own book."""
    return ByRole(role, f"book:{currency}")


def core(role: int) -> ByRole:
    """Name an agent's core system."""
    return ByRole(role, "core")


def core_time(world: World, institution: str = "") -> DurationDistribution:
    """Return the core time of an institution; of the members here, whose times are alike, any."""
    if institution:
        return world.institutions[institution].core.service_time
    issuers = (entry for _, entry in sorted(world.institutions.items()) if entry.payer_share)
    first = next(issuers, None)
    if first is None:
        first = next(entry for _, entry in sorted(world.institutions.items()))
    return first.core.service_time


def decline_share(world: World, institution: str = "") -> int:
    """Return the share of attempts an institution refuses; of the members here, any."""
    if institution:
        return world.institutions[institution].decline
    shares = [entry.decline for _, entry in sorted(world.institutions.items()) if entry.payer_share]
    return shares[0] if shares else 0


def debtor_at_home(at: LegContext) -> DebtorSide:
    """Return the payer's own bank, which debits the payer's account to its book."""
    account = customers(DEBTOR_AGENT, at.leg.source)
    return DebtorSide(
        account=account,
        authorise=_authorise("debtor_agent.core", at.world),
        debit=(Move(account, book(DEBTOR_AGENT, at.leg.source), Register.DEBITED),),
        is_drawn=True,
    )


def debtor_at_wallet(at: LegContext, wallet: str) -> DebtorSide:
    """Return a foreign wallet, from whose customers the leg itself takes the money."""
    return DebtorSide(
        account=customers(DEBTOR_AGENT, at.leg.source),
        authorise=_authorise("debtor_agent.risk", at.world, wallet),
        institution=wallet,
    )


def _authorise(label: str, world: World, institution: str = "") -> Program:
    """Return the payer's institution looking at the payment: its systems, then its own refusals."""
    return (
        *serve(label, core(DEBTOR_AGENT), core_time(world, institution), target=FAIL),
        *decide(
            "debtor_agent.decline",
            threshold(decline_share(world, institution)),
            target=FAIL,
            reason=Reason.AG01,
        ),
    )


def creditor_at_home(at: LegContext) -> CreditorSide:
    """Return the payee's bank here, which the ledger has paid."""
    return _creditor(at, core_time(at.world), institution="")


def creditor_abroad(at: LegContext, acquirer: str) -> CreditorSide:
    """Return the institution that credits the payee abroad."""
    return _creditor(at, core_time(at.world, acquirer), institution=acquirer)


def _creditor(at: LegContext, time: DurationDistribution, *, institution: str) -> CreditorSide:
    account = customers(CREDITOR_AGENT, at.leg.target)
    return CreditorSide(
        account=account,
        book=serve("creditor_agent.core", core(CREDITOR_AGENT), time, target=at.failing),
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


def screening(world: World, agent: str, *, target: str) -> Program:
    """Return an agent's automatic check, and a person's review of the few that hit."""
    desk = world.institutions[agent].screening
    cleared = f"{agent}.{CLEARED}"
    return (
        *serve(f"{agent}.screening", f"{agent}.screening", desk.service_time, target=target),
        Stage(
            Op.DECIDE,
            f"{agent}.no_hit",
            value=CERTAIN - threshold(desk.hit_share),
            target=cleared,
        ),
        *serve(f"{agent}.review", f"{agent}.review", desk.review_time, target=target),
        Stage(
            Op.DECIDE,
            f"{agent}.refused",
            value=threshold(desk.refused_share),
            target=target,
            reason=Reason.RR04,
        ),
        Stage(Op.POST, "cleared", mark=cleared),
    )


def when_short(world: World, account: str | None) -> Flag:
    """Return whether payments wait for an account that is short."""
    queues = account is not None and world.accounts[account].when_short == "queue"
    return Flag.QUEUE if queues else Flag(0)
