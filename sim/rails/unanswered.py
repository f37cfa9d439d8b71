"""Messages without an answer: limits of a wait, what is lost on the way, doubt behind the credit.

Takes labels and durations; gives stages. A message that is lost is known to nobody: who sent it
waits for the answer until a limit ends the wait. Before the payee is credited that means failure,
behind it doubt, which ends once somebody has asked or a file says what has become of it.
"""

from __future__ import annotations

from sim.contract.layout import CERTAIN
from sim.contract.meaning import Cause, Flag, Op, Reason
from sim.model.distributions import DurationDistribution
from sim.rails.stages import FAIL, Program, Stage, fixed_time, transit


def lost_station(name: str) -> str:
    """Return the name of a rail's station without limit at which lost messages are."""
    # Not named as the rail's own, so that an outage of the rail does not close it.
    return f"lost.{name}"


def limit(label: str, after_us: int, target: str) -> Stage:
    """Return the start of a limit, or (-1) where the running one leads from here on."""
    return Stage(Op.DEADLINE, label, value=after_us, target=target, reason=Reason.AB05)


def look_up_lost(label: str, limit_us: int) -> Program:
    """Return the wait for the answer to a lost question, which moves nothing."""
    # A moment longer than the limit, which therefore fires first.
    wait = Stage(Op.TRANSIT, label, mark=label, time=fixed_time(limit_us + 1))
    return (wait, jump(f"{label}.over", FAIL))


def message_lost(label: str, station: str, limit_us: int, target: str) -> Program:
    """Return the wait for the answer to a lost message about money: given up, it is a doubt.

    Parameters
    ----------
    label : str
        Where a message comes to that is lost.
    station : str
    limit_us : int
        The sender's limit; the doubt can be cleared up once it has passed.
    target : str
        Label the wait would lead to if it ended; it never does.
    """
    wait = Stage(
        Op.SERVE,
        label,
        mark=label,
        place=station,
        time=fixed_time(limit_us + 1),
        target=target,
        reason=Reason.AB07,
        flags=Flag.ASKS,
    )
    return (wait, jump(f"{label}.over", target))


def credited_in_doubt(
    label: str, *, longest_us: int, query: str, way: DurationDistribution, told: str
) -> Program:
    """Return how a payment ends whose payee is credited and whose payer's bank was not told.

    Parameters
    ----------
    label : str
        Where the limit leads once the payee is credited.
    longest_us : int
        Longest doubt, in microseconds: then a file says what has become of the payment.
    query : str
        Label at which the questions begin.
    way : DurationDistribution
        Of the answer.
    told : str
        Label at which the payer's bank knows.
    """
    known = f"{label}.known"
    wait = Stage(
        Op.AWAIT,
        label,
        mark=label,
        value=longest_us,
        target=known,
        cause=Cause.IN_DOUBT,
        own_reason=True,
        back_to=query,
    )
    return (
        wait,
        *transit(f"{label}.way", way, cause=Cause.IN_DOUBT),
        Stage(Op.RESOLVE, known, mark=known),
        jump(f"{known}.credited", told),
    )


def jump(label: str, to: str) -> Stage:
    """Return a branch that is always taken."""
    return Stage(Op.DECIDE, label, value=CERTAIN, target=to)
