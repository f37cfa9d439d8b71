"""How a composed program recovers: what is undone at each state a payment can fail in.

Takes the legs of a route and what they have said; gives the stages at the labels FAIL_SENT, FAIL
and the return of each ledger. Nothing is undone in doubt: where a time-out gave up a request whose
work goes on, the answer is waited for first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sim.contract.meaning import Cause, Flag, Op, Outcome, Reason
from sim.rails.patience import leads
from sim.rails.protocol import CreditorSide, LegContext, LegProgram
from sim.rails.stages import (
    FAIL,
    FAIL_SENT,
    Move,
    Program,
    Stage,
    fixed_time,
    return_label,
    transit,
)


@dataclass(frozen=True, slots=True)
class Spoken:
    """One leg that has said everything, and where it stands.

    Attributes
    ----------
    at : LegContext
    says : LegProgram
    waiting : tuple of Move
        Money of the payer and of earlier legs that is booked together with this leg's.
    """

    at: LegContext
    says: LegProgram
    waiting: tuple[Move, ...]

    @property
    def booked(self) -> tuple[Move, ...]:
        """Return what the leg's commit posts: its own money first, as its reservation demands."""
        return (*self.says.moves, *self.waiting)


@dataclass(frozen=True, slots=True)
class Recovery:
    """The legs of a route, and the program up to its good end."""

    legs: list[Spoken]
    before: Program
    patient: bool = False
    """Whether the patience of some payer ends."""

    def recover(self) -> Iterator[Stage]:
        """Yield what happens at FAIL_SENT and FAIL: undo, try the next route, else reject.

        Every leg that may have been asked confirms its reversal, the last one first.
        """
        # A time-out that fired while things are undone would undo them twice.
        yield Stage(Op.DEADLINE, "disarm", mark=FAIL_SENT)
        # And so would a payer who leaves.
        yield from leads() if self.patient else ()
        yield from self._answer(FAIL_SENT, "", self.legs)
        yield from _reversals("reversal", self.legs)
        yield Stage(Op.DEADLINE, "disarm", mark=FAIL)
        yield from leads() if self.patient else ()
        # Before the next route, which may need the same money and the same limits.
        yield Stage(Op.VOID, "undo")
        # Passes on where no other route helps, to the rejection behind it.
        yield Stage(Op.ROUTE, "next route", flags=Flag.NEXT)
        yield Stage(Op.END, "rejected", value=int(Outcome.REJECTED), own_reason=True)

    def give_back(self) -> Iterator[Stage]:
        """Yield the compensating transfers of every ledger, the last one first.

        Each is committed in a block of its own; the first ledger's ends the payment as returned.
        """
        committed = [at for at, leg in enumerate(self.legs) if leg.says.commit is not None]
        if not committed:
            return
        # Backwards: money comes back the way it went.
        for number, position in reversed(list(enumerate(committed))):
            label = return_label(position)
            leg, behind = self.legs[position], self.legs[position + 1 :]
            # Only the legs up to the next ledger: those behind it were undone by that one's own
            # return.
            if number + 1 < len(committed):
                behind = self.legs[position + 1 : committed[number + 1] + 1]
            # Move by move what the commit posted, so a return needs no words of the rail.
            back = tuple(move.reversed() for move in leg.booked)
            assert leg.says.commit is not None
            yield Stage(Op.DEADLINE, "disarm", mark=label)
            yield from self._answer(label, "return.", behind)
            yield from _reversals("return.reversal", behind)
            # What was reserved for the far side is free only once it is known not to have paid.
            yield Stage(Op.VOID, "undo")
            # The holder waits for funds if it must: a return is owed whatever happens.
            yield Stage(
                Op.RESERVE,
                "return.funds",
                moves=(back[0],),
                target=label,
                reason=Reason.ED05,
                flags=Flag.QUEUE,
            )
            yield replace(leg.says.commit, moves=back, flags=Flag(0))
        yield Stage(Op.END, "returned", value=int(Outcome.RETURNED), own_reason=True)

    def _answer(self, label: str, prefix: str, legs: list[Spoken]) -> Program:
        """Return the wait for the answer to a request given up, where a time-out leads here."""
        gives_up = any(
            stage.op in (Op.DEADLINE, Op.PATIENCE) and stage.value and stage.target == label
            for stage in self.before
        )
        asks = any(stage.flags & Flag.ASKS for stage in self.before if stage.op is Op.SERVE)
        if not (gives_up and asks):
            return ()
        # Whoever was asked, the answer comes by the way of the leg nearest to the far side.
        asked = [leg.says for leg in legs if leg.says.reversal_us] or [self.legs[-1].says]
        known = f"{label}.known"
        wait = Stage(
            Op.AWAIT,
            f"{prefix}answer",
            value=min(says.reconciled_us for says in asked),
            target=known,
            cause=Cause.IN_DOUBT,
            own_reason=True,
            back_to=asked[-1].query,
        )
        way = transit(f"{prefix}answer.way", asked[-1].answer, cause=Cause.IN_DOUBT)
        return (wait, *way, Stage(Op.RESOLVE, f"{prefix}known", mark=known))


def moved(legs: list[Spoken], left: tuple[Move, ...], creditor: CreditorSide) -> list[Move]:
    """Return all that a completed payment has moved, but for its fees."""
    booked = [move for leg in legs if leg.says.commit is not None for move in leg.booked]
    return [*booked, *left, *creditor.credit]


def gives_up(legs: list[Spoken], label: str) -> bool:
    """Say whether a time-out can end the creditor's institution's work, after money has moved."""
    return label != FAIL_SENT and any(
        stage.op is Op.DEADLINE and stage.target == label
        for leg in legs
        for stage in leg.says.execute
    )


def asking(program: Program) -> Program:
    """Return a program whose services are requests: given up, they leave a payment in doubt."""
    return tuple(
        replace(stage, flags=stage.flags | Flag.ASKS) if stage.op is Op.SERVE else stage
        for stage in program
    )


def _reversals(label: str, legs: list[Spoken]) -> Iterator[Stage]:
    asked = [leg for leg in reversed(legs) if leg.says.reversal_us]
    for leg in asked:
        # With one leg asked its name would say nothing; two need names of their own, as draws
        # are keyed by them.
        name = label if len(asked) == 1 else f"{leg.at.name}.{label}"
        yield from transit(name, fixed_time(leg.says.reversal_us or 0))
