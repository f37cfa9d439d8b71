"""Check whose turn it is within an event, and that a payment can be at the stage it acts at.

Takes rows by which payments act; moves rebuilt payments along their programs and reports those
that act out of turn, skip a stage or stop without waiting.
"""

from __future__ import annotations

from collections import deque

from sim.contract.spec import PAYMENT_BITS, STEP_BITS, Op, StageColumn
from sim.tables.audit_findings import Findings
from sim.tables.audit_payments import PaymentState, Wait
from sim.tables.audit_program import Program

S = StageColumn
_PAYMENT_MASK = (1 << PAYMENT_BITS) - 1


class Turns:
    """Hold who acts now and who acts next.

    Parameters
    ----------
    findings : Findings
        Where violations go.
    program : Program
        The stages.

    Attributes
    ----------
    current : PaymentState or None
        Who acts.
    ready, block : deque of PaymentState
        Who was set free by others, and who is in the block being committed, in order.
    own_used : bool
        Whether the event's own payment has acted.
    """

    def __init__(self, findings: Findings, program: Program) -> None:
        self._findings = findings
        self._program = program
        self.current: PaymentState | None = None
        self.ready: deque[PaymentState] = deque()
        self.block: deque[PaymentState] = deque()
        self.own_used = False

    def begin_own(self, p: PaymentState) -> None:
        """Let the event's own payment act."""
        self.own_used, self.current = True, p

    def end_event(self) -> None:
        """Check that everybody who could act has acted and waits."""
        p = self.current
        if p is not None and p.wait == Wait.NOTHING:
            self._stuck(p)
        for waiting in (*self.ready, *self.block):
            self._stuck(waiting)
        self.current = None
        self.ready.clear()
        self.block.clear()
        self.own_used = False

    def act(self, p: PaymentState, stage: int) -> bool:
        """Let a payment act at a stage; check that it is its turn and that it can be there."""
        if p is not self.current:
            self._take_turn(p)
        if p.wait != Wait.NOTHING:
            self._wake(p)
        if p.deadline_us >= 0:
            self.in_time(p)
        while p.pc != stage:
            if p.todo or p.pc >= len(self._program.stage) or not self._program.passes(p):
                rule = "postings" if p.todo else "sequence"
                self._findings.add(
                    rule,
                    f"payment {p.number} acts at stage {stage} without having done stage {p.pc}",
                )
                self._program.jump(p, stage)
                return False
            self._program.leave(p)
        self._findings.checks["sequence"] = self._findings.checks.get("sequence", 0) + 1
        return True

    def _take_turn(self, p: PaymentState) -> None:
        """Check whose turn it is within the event."""
        last, self.current = self.current, p
        if last is not None and last.wait == Wait.NOTHING:
            self._stuck(last)
        if self.ready:
            due = self.ready.popleft()
        elif self.block:
            due = self.block.popleft()
            self._leave_block(due)
        elif not self.own_used and self._findings.key >> STEP_BITS & _PAYMENT_MASK == p.number:
            self.own_used, due = True, p
        else:
            self._findings.add("turn", f"payment {p.number} acts in an event of another")
            return
        self._findings.check(
            "turn", due is p, "payment {} acts before payment {}", p.number, due.number
        )

    def _wake(self, p: PaymentState) -> None:
        """End a delay; whatever else a payment waits for ends by a row of its own."""
        if p.wait == Wait.DELAY:
            at_turn = (self._findings.now, self._findings.key) == (p.due_us, p.due_key)
            self._findings.check(
                "service_time",
                at_turn,
                "payment {} acts though its delay ends at {}",
                p.number,
                p.due_us,
            )
            p.account_time(p.cause, self._findings.now)
            self._program.jump(p, p.pc + 1)
        else:
            self._findings.add(
                "sequence", f"payment {p.number} acts while it waits ({p.wait.name.lower()})"
            )
        p.wait = Wait.NOTHING

    def _leave_block(self, p: PaymentState) -> None:
        p.account_time(self._program.stage[p.pc][S.CAUSE], self._findings.now)
        p.wait = Wait.NOTHING
        self._program.begin(p)
        if not p.todo:
            self._program.leave(p)

    def in_time(self, p: PaymentState) -> None:
        """Check that a time-out did not go by."""
        f = self._findings
        is_late = (p.deadline_us, p.deadline_key) < (f.now, f.key)
        f.check("time_out", not is_late, "payment {} timed out at {}", p.number, p.deadline_us)
        if is_late:
            p.deadline_us = -1

    def _stuck(self, p: PaymentState) -> None:
        rule = "postings" if p.todo else "sequence"
        self._findings.add(rule, f"payment {p.number} stops at stage {p.pc} without waiting")
        p.todo.clear()

    def at(self, p: PaymentState, stage: int, *ops: Op) -> list[int]:
        """Let a payment act at a stage of certain operations; return the stage's columns."""
        self.act(p, stage)
        row = self._program.stage[stage]
        self._findings.check(
            "sequence", row[S.OP] in ops, "stage {} does not write such a row", stage
        )
        return row
