"""What a settlement agent screens, and what a hit does to a payment.

Takes an agent and where a payment is; gives stages. The automatic check is the same in every mode,
and so is the luck of who hits; the modes differ in what follows (:class:`~sim.model.sections.
Screening`).

Of mode ``after`` nobody waits for the check of a payment that does not hit: it takes the desk as an
inquiry does, beside the payment, which ends. Whoever hits stays open, credited and frozen, while it
is checked and reviewed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sim.contract.layout import CERTAIN
from sim.contract.meaning import Flag, Op, Outcome, Reason
from sim.model.sections import Screening
from sim.rails.protocol import World
from sim.rails.stages import (
    ZERO_TIME,
    Move,
    Program,
    Stage,
    serve,
    threshold,
)
from sim.rails.unanswered import jump

_CLEARED = "screening.cleared"


def frozen_places(agent: str) -> tuple[str, str]:
    """Return the stations at which returns of frozen money wait for midnight and the hour."""
    return f"by hand.{agent}.screening.day", f"by hand.{agent}.screening.hour"


def screens_after(world: World, agent: str) -> bool:
    """Return whether an agent's check follows the credit."""
    return world.institutions[agent].screening.mode == "after"


def screened(world: World, agent: str, *, target: str) -> Program:
    """Return an agent's check before money is reserved, and what a hit does; nothing if it follows.

    Parameters
    ----------
    world : World
    agent : str
        An institution between two legs.
    target : str
        Label to which a refused payment fails.
    """
    desk = world.institutions[agent].screening
    if desk.mode == "after":
        return ()
    cleared = f"{agent}.{_CLEARED}"
    refused: Program = (_refused(agent, CERTAIN, target),)
    if desk.mode == "hold":
        refused = _review(desk, agent, target=target)
    return (
        *serve(f"{agent}.screening", f"{agent}.screening", desk.service_time, target=target),
        _no_hit(desk, agent, cleared),
        *refused,
        Stage(Op.POST, "cleared", mark=cleared),
    )


def screened_after(world: World, agent: str) -> Iterator[Stage]:
    """Yield an agent's check behind the credit; nothing where it stands before it."""
    if not screens_after(world, agent):
        return
    desk = world.institutions[agent].screening
    passed, cleared = f"{agent}.screening.passed", f"{agent}.{_CLEARED}"
    reviewed = f"{agent}.screening.hit"
    yield _no_hit(desk, agent, passed)
    # Credited and frozen: no time-out of anybody's session undoes that any more.
    yield Stage(Op.DEADLINE, "disarm")
    # Where the desk is down a person looks without it.
    yield from serve(f"{agent}.screening", f"{agent}.screening", desk.service_time, target=reviewed)
    yield Stage(Op.POST, "hit", mark=reviewed)
    yield from _review(desk, agent, target=_frozen(agent))
    yield jump(f"{agent}.released", cleared)
    yield Stage(Op.INQUIRE, f"{agent}.checked", mark=passed, back_to=_check(agent))
    yield Stage(Op.POST, "cleared", mark=cleared)


def frozen(world: World, agent: str, back: tuple[Move, ...], *, then: str) -> Iterator[Stage]:
    """Yield, aside, the check nobody waits for, and how frozen money goes back.

    Parameters
    ----------
    world : World
    agent : str
    back : tuple of Move
        What undoes the credit.
    then : str
        Label at which the return of the last ledger begins; empty where the route has none.
    """
    if not screens_after(world, agent):
        return
    desk = world.institutions[agent].screening
    unchecked = f"{agent}.screening.unchecked"
    check = serve(f"{agent}.check", f"{agent}.screening", desk.service_time, target=unchecked)[0]
    yield replace(check, mark=_check(agent))
    yield Stage(Op.ANSWER, "checked", value=1)
    yield Stage(Op.ANSWER, "not checked", mark=unchecked)
    day, hour = frozen_places(agent)
    give_back = f"{agent}.screening.back"
    wait = serve(f"{agent}.frozen.day", day, ZERO_TIME, target=give_back)[0]
    yield replace(wait, mark=_frozen(agent))
    yield from serve(f"{agent}.frozen.hour", hour, ZERO_TIME, target=give_back)
    # Limits the payment used are free again.
    yield Stage(Op.VOID, "undo", mark=give_back)
    if back:
        # Whoever has to give back waits for funds if it must: a return is owed whatever happens.
        yield Stage(
            Op.RESERVE,
            "frozen.funds",
            moves=back[:1],
            target=give_back,
            reason=Reason.ED05,
            flags=Flag.QUEUE,
        )
    yield Stage(Op.POST, "credit undone", moves=back)
    if then:
        yield jump(f"{agent}.frozen.return", then)
        return
    # Where no money moves none comes back.
    ends = Outcome.RETURNED if back else Outcome.REJECTED
    yield Stage(Op.END, ends.name.lower(), value=int(ends), own_reason=True)


def _frozen(agent: str) -> str:
    return f"{agent}.screening.frozen"


def _check(agent: str) -> str:
    return f"{agent}.screening.check"


def _no_hit(desk: Screening, agent: str, target: str) -> Stage:
    """Return the draw of who hits: the same in every mode."""
    return Stage(
        Op.DECIDE, f"{agent}.no_hit", value=CERTAIN - threshold(desk.hit_share), target=target
    )


def _review(desk: Screening, agent: str, *, target: str) -> Program:
    """Return a person's review of a hit, and its refusal."""
    return (
        *serve(f"{agent}.review", f"{agent}.review", desk.review_time, target=target),
        _refused(agent, threshold(desk.refused_share), target),
    )


def _refused(agent: str, share: int, target: str) -> Stage:
    return Stage(Op.DECIDE, f"{agent}.refused", value=share, target=target, reason=Reason.RR04)
