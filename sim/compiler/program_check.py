"""What holds of every program before it is linked: labels, its end, and money that is given back.

Takes a symbolic program; raises where it would leave the plan, where a payment could end with money
still reserved or in doubt, or be rejected or try another route once its money has moved. Each check
is the first of a pair, whose other end stands where the same rule shows while a run goes on: a
mistake in a rail is then found when it is compiled, and a mistake in this file when it is run.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sim.contract.layout import CERTAIN
from sim.contract.meaning import Flag, Op, Outcome
from sim.errors import InvariantViolation
from sim.rails.stages import Move, Program, Stage

_MAY_FAIL = frozenset(
    {
        *(Op.SERVE, Op.RESERVE, Op.QUOTE, Op.CONVERT, Op.LIMIT, Op.DECIDE, Op.CODE, Op.ON_US),
        *(Op.SWITCH, Op.RETRY, Op.ORDER),
    }
)
"""Operations that may lead to their TARGET."""

_BEGIN = (Op.INQUIRE, Op.ASK, Op.AWAIT, Op.ORDER, Op.POLL)
_OF_INQUIRIES = (Op.TRANSIT, Op.SERVE, Op.ASK, Op.POLL, Op.ANSWER)
_UNARMED = -1


class _At(NamedTuple):
    """Where a payment is, and what of its way so far decides whether it may end."""

    stage: int
    held: int = 0
    """Bit set of the moves reserved and neither posted nor voided."""
    armed: int = _UNARMED
    """Stage to which a time-out would take it."""
    leaves: int = _UNARMED
    """Stage to which a payer who leaves would take it."""
    has_moved: bool = False
    """Whether a commit, or the credit where there is none, lies behind it."""
    in_doubt: bool = False
    """Whether a request may have been given up whose end nobody knows."""


def check_program(program: Program, name: str) -> None:
    """Check what holds of every program.

    Parameters
    ----------
    program : Program
        Stages in order.
    name : str
        Of the route or the stream, for messages.

    Raises
    ------
    InvariantViolation
        If a label is missing or stands twice, the last stage is no END, or a path through the
        program reserves a move twice, ends with one reserved, ends or undoes in doubt, or is
        rejected or leaves for another route after money has moved.
    """
    marks = _check_labels(program, name)
    # Pair "programs end": the other end is E_STAGE in kernel/operations.py and Run.advance in
    # reference/run.py, which would find a payment beyond the last stage.
    if not program or not _leads_nowhere(program[-1]):
        raise InvariantViolation(f"program {name}: its last stage is no END")
    _check_inquiries(program, name, marks)
    _check_paths(program, name, marks)


def _check_labels(program: Program, name: str) -> dict[str, int]:
    """Return the stage of every label; refuse labels that stand twice or nowhere."""
    # Pair "labels lead somewhere": the other end is check_plan, which holds TARGET and SUBJECT
    # against the number of stages. It could not see a label that stands twice, as the last one
    # would quietly win.
    marks: dict[str, int] = {}
    for number, stage in enumerate(program):
        if stage.mark and marks.setdefault(stage.mark, number) != number:
            raise InvariantViolation(f"program {name}: the label {stage.mark!r} stands twice")
    for stage in program:
        for label in (stage.target, stage.back_to):
            if label and label not in marks:
                raise InvariantViolation(
                    f"program {name}: {stage.label!r} leads to {label!r}, which no stage bears"
                )
    return marks


def _leads_nowhere(stage: Stage) -> bool:
    """Say whether nothing comes to the stage behind one."""
    is_jump = stage.op is Op.DECIDE and stage.value >= CERTAIN
    return is_jump or stage.op in (Op.END, Op.ANSWER)


def _check_inquiries(program: Program, name: str, marks: dict[str, int]) -> None:
    """Check that inquiries take time and are answered, and do nothing else."""
    # Pair "who only asks moves nothing": the other end is the audit's rule ``inquiry``.
    begun = {stage.back_to for stage in program if stage.op in _BEGIN and stage.back_to}
    queue, seen = [marks[label] for label in begun], set[int]()
    while queue:
        at = queue.pop()
        if at in seen:
            continue
        seen.add(at)
        stage = program[at] if at < len(program) else None
        if stage is None or stage.op not in _OF_INQUIRIES:
            raise InvariantViolation(f"program {name}: an inquiry comes to {at}, no stage of it")
        if stage.op is not Op.ANSWER:
            queue.append(at + 1)
        if stage.target:
            queue.append(marks[stage.target])


def _check_paths(program: Program, name: str, marks: dict[str, int]) -> None:
    """Walk every path; refuse what no payment may do on its way."""
    moves: dict[Move, int] = {}
    for stage in program:
        if stage.op is Op.RESERVE:
            moves.setdefault(stage.moves[0], len(moves))
    seen = {_At(0)}
    queue = [_At(0)]
    while queue:
        at = queue.pop()
        stage = program[at.stage]
        problem = _problem(stage, at, moves)
        if problem:
            raise InvariantViolation(f"program {name}: {stage.label!r} {problem}")
        for following in _next(stage, at, moves, marks):
            if following not in seen:
                seen.add(following)
                queue.append(following)


def _problem(stage: Stage, at: _At, moves: dict[Move, int]) -> str:
    """Return what is wrong with coming to a stage so; empty where nothing is."""
    # Pair "what is reserved is posted or voided": the other end is E_OPEN_RESERVATION and
    # E_RESERVED_TWICE in the kernel, and the same two in reference/operations.py and accounts.py.
    if stage.op in (Op.ASK, Op.POLL, Op.ANSWER):
        return "is a stage of inquiries, to which a payment comes"
    if stage.op is Op.RESERVE and at.held >> moves[stage.moves[0]] & 1:
        return "reserves a move twice"
    # A route that is left for another one is left for good, so it counts as an end.
    is_end = stage.op in (Op.END, Op.ROUTE)
    if is_end and at.held:
        return "is reached with money held"
    # Pair "money that moved comes back or arrives": the other end is the audit, to which nothing
    # is rejected that settled.
    refused = (Outcome.REJECTED, Outcome.NOT_PAYABLE)
    rejects = stage.op is Op.ROUTE or (stage.op is Op.END and stage.value in refused)
    if at.has_moved and rejects:
        return "is reached after money has moved"
    # Pair "nothing is undone in doubt": the other end is E_IN_DOUBT in the kernel and the same in
    # reference/operations.py and accounts.py.
    if at.in_doubt and (is_end or stage.op is Op.VOID):
        return "is reached in doubt"
    return ""


def _next(stage: Stage, at: _At, moves: dict[Move, int], marks: dict[str, int]) -> Iterator[_At]:
    """Yield where a payment may come to from a stage, whatever happens there."""
    if stage.op is Op.END:
        return
    target = marks.get(stage.target, _UNARMED)
    # A time-out fires where a payment waits, with what it held before it began to.
    waits = stage.op in (Op.SERVE, Op.TRANSIT, Op.BATCH, Op.SETTLE)
    waits |= stage.op is Op.RESERVE and bool(stage.flags & Flag.QUEUE)
    if waits and at.armed != _UNARMED:
        doubts = stage.op is Op.SERVE and bool(stage.flags & Flag.ASKS)
        yield at._replace(stage=at.armed, armed=_UNARMED, in_doubt=at.in_doubt or doubts)
    if waits and at.leaves != _UNARMED:
        doubts = stage.op is Op.SERVE and bool(stage.flags & Flag.ASKS)
        yield at._replace(stage=at.leaves, leaves=_UNARMED, in_doubt=at.in_doubt or doubts)
    if stage.op is Op.AWAIT:
        # Nothing asked, the answer, or none in time; of these only RESOLVE says that it is over.
        yield at._replace(stage=target)
        yield at._replace(stage=at.stage + 1, armed=target)
        return
    if stage.op in _MAY_FAIL and target != _UNARMED:
        yield at._replace(stage=target)
    if stage.op is Op.CONVERT:
        yield at._replace(stage=marks[stage.back_to])
    # A first choice never falls through to the stage behind it, and a certain branch neither.
    if stage.op is Op.ROUTE and not stage.flags & Flag.NEXT:
        if target != _UNARMED:
            yield at._replace(stage=target)
        return
    if stage.op is Op.DECIDE and stage.value >= CERTAIN:
        return
    held, armed, in_doubt, leaves = at.held, at.armed, at.in_doubt, at.leaves
    if stage.op is Op.RESERVE:
        held |= 1 << moves[stage.moves[0]]
    elif stage.op in (Op.POST, Op.BATCH, Op.SETTLE):
        for move in stage.moves:
            held &= ~(1 << moves[move]) if move in moves else -1
    elif stage.op is Op.VOID:
        held = 0
    # What a return posts comes after the first move for good, and changes nothing of that.
    has_moved = at.has_moved or bool(stage.flags & (Flag.SETTLES | Flag.CREDITS))
    if stage.op in (Op.BATCH, Op.SETTLE):
        # Inclusion in a block, or settlement, disarms: the point of no return.
        armed = _UNARMED
    elif stage.op is Op.RESOLVE:
        armed, in_doubt = _UNARMED, False
    elif stage.op is Op.PATIENCE:
        leaves = target if stage.value else _UNARMED
    elif stage.op is Op.DEADLINE:
        is_armed = stage.value > 0 or (stage.value < 0 and armed != _UNARMED)
        armed = target if is_armed else _UNARMED
    yield _At(at.stage + 1, held, armed, leaves, has_moved, in_doubt)
