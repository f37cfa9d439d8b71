"""Large-value systems of the reference engine: SETTLE, queues, offsets, closes.

Takes the run and a payment at a SETTLE stage, or a system that was marked; gives the next stage or
STOP. The meaning is in :mod:`sim.contract.large_value`.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field

from sim.contract.large_value import AtClose, How, MemberTotal, Offset, Order
from sim.contract.meaning import LogKind
from sim.engine.reference.accounts import move_money, note_flags
from sim.engine.reference.run import STOP, Run
from sim.engine.reference.state import NOWHERE, Payment, Stage, Transfer, Wait


@dataclass(slots=True)
class Waiting:
    """A payment in a system's queue, with accounts and amounts as they were when it came."""

    payment: Payment
    rank: int
    legs: tuple[Transfer, ...]
    is_counted: bool
    """Whether it came after the warm-up."""

    @property
    def debits(self) -> set[int]:
        """Return the accounts its legs debit."""
        return {leg.debit for leg in self.legs}


@dataclass(slots=True)
class System:
    """One large-value system: its rules, its queue, what is due, and its members' totals."""

    number: int
    order: int
    offset: int
    on_arrival: int
    at_close: int
    queue: list[Waiting] = field(default_factory=list)
    is_offset_due: bool = False
    is_close_due: bool = False
    settled: int = 0

    def find(self, payment: Payment) -> Waiting:
        """Return the place of a payment that waits here."""
        return next(waiting for waiting in self.queue if waiting.payment is payment)


def settle(run: Run, payment: Payment, stage: Stage) -> int:
    """Settle in a large-value system, or wait there."""
    return run.systems.settle(payment, stage)


class Systems:
    """All large-value systems of a run.

    Parameters
    ----------
    run : Run
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.all = [System(at, *row) for at, row in enumerate(run.plan.system.tolist())]
        self.of_account = {account: number for number, account in run.plan.member.tolist()}
        self.totals = {account: [0] * len(MemberTotal) for account in self.of_account}
        self.marked: set[int] = set()

    # -- a payment comes ------------------------------------------------------------------------

    def settle(self, payment: Payment, stage: Stage) -> int:
        """Settle at once, or wait; fail where a close has returned the payment."""
        run = self.run
        if payment.wait is Wait.RETURNED:
            payment.stop_waiting()
            return run.fail(payment, stage, stage.reason)
        system = self.all[stage.subject]
        rows = range(stage.first, stage.first + stage.count)
        legs = tuple(run.transfer_of(payment, row) for row in rows)
        rank = payment.priority if system.order == Order.PRIORITY else 0
        came = Waiting(payment, rank, legs, run.now_us >= run.plan.warm_up_us)
        for leg in legs:
            run.log(LogKind.LEG, payment, leg.debit, leg.amount, value=leg.credit)
        self._count_arrival(came)
        before = [waiting for waiting in system.queue if waiting.rank <= rank]
        if self._is_in_turn(system, came, before):
            self._settle(system, came, How.AT_ONCE)
            return payment.at + 1
        self._count(came, MemberTotal.WAITED)
        for leg in legs:
            run.accounts[leg.debit].delayed += came.is_counted
        run.log(LogKind.QUEUED, payment, legs[0].debit, legs[0].amount, value=rank)
        # Behind all of its rank.
        insort(system.queue, came, key=lambda waiting: waiting.rank)
        payment.wait = Wait.SYSTEM
        payment.wait_subject = system.number
        if system.on_arrival and system.offset != Offset.NONE:
            system.is_offset_due = True
            self.marked.add(system.number)
        return STOP

    def leave(self, payment: Payment) -> int:
        """Take a payment whose time is up out of a system's queue; return the system."""
        system = self.all[payment.wait_subject]
        system.queue.remove(system.find(payment))
        # Those it stood before may go now.
        self.marked.add(system.number)
        return system.number

    # -- rows of the agenda -----------------------------------------------------------------------

    def due_offset(self, number: int) -> None:
        """Let an offset be tried once this event has done all else."""
        self._note_due(number, LogKind.SYSTEM_OFFSET)
        self.all[number].is_offset_due = True

    def due_close(self, number: int) -> None:
        """Let a system close once this event has done all else."""
        self._note_due(number, LogKind.SYSTEM_CLOSE)
        self.all[number].is_close_due = True

    def _note_due(self, number: int, kind: LogKind) -> None:
        self.run.log(kind, None, number, len(self.all[number].queue))
        self.marked.add(number)

    # -- looking ----------------------------------------------------------------------------------

    def mark(self, account: int) -> None:
        """Note that an account was credited."""
        number = self.of_account.get(account)
        if number is not None:
            self.marked.add(number)

    def look(self) -> None:
        """Settle what can settle, in all systems that were marked."""
        while self.marked:
            number = min(self.marked)
            if not self._look_at(self.all[number]):
                self.marked.discard(number)
            # Those that settled go on before anybody looks again.
            self.run.empty_ready_list()

    def _look_at(self, system: System) -> bool:
        """Do the first thing there is to do in a system; say whether there was one."""
        for at, waiting in enumerate(system.queue):
            if self._is_in_turn(system, waiting, system.queue[:at]):
                self._settle_all(system, [waiting], How.IN_TURN)
                return True
        if system.is_offset_due:
            if self._offset(system):
                return True
            system.is_offset_due = False
        if system.is_close_due:
            system.is_close_due = False
            self._close(system)
            return True
        return False

    def _offset(self, system: System) -> bool:
        """Settle the largest set, of the queue or of a pair; say whether there is one."""
        if system.offset == Offset.MULTILATERAL:
            system.is_offset_due = False
            return self._settle_all(system, self._largest(system.queue), How.OFFSET)
        # Pair by pair, in the order of the queue; a pair that is met again would be tried in vain.
        tried: set[frozenset[int]] = set()
        for waiting in system.queue if system.offset == Offset.BILATERAL else ():
            pair = frozenset((waiting.legs[0].debit, waiting.legs[0].credit))
            if len(waiting.legs) == 1 and pair not in tried:
                tried.add(pair)
                found = self._largest(_between(system, waiting.legs[0]))
                if self._settle_all(system, found, How.OFFSET):
                    return True
        return False

    def _close(self, system: System) -> None:
        if system.at_close == AtClose.NET:
            self._settle_all(system, self._largest(system.queue), How.NET)
        returned, system.queue = system.queue, []
        for waiting in returned:
            payment = waiting.payment
            self._count(waiting, MemberTotal.RETURNED)
            for leg in waiting.legs:
                self.run.accounts[leg.debit].lost += self.run.now_us >= self.run.plan.warm_up_us
            self.run.log(LogKind.LEAVE, payment, system.number, value=3)
            payment.account_time(self.run.stages[payment.at].cause, self.run.now_us)
            payment.stop_waiting()
            # It fails when its turn in the ready list comes.
            payment.wait = Wait.RETURNED
            self.run.ready.append(payment)

    def _largest(self, waiting: list[Waiting]) -> list[Waiting]:
        """Return the largest set, in order, that all accounts can bear."""
        chosen = list(waiting)
        while True:
            level = {
                account: self.run.accounts[account].available
                for one in chosen
                for leg in one.legs
                for account in (leg.debit, leg.credit)
            }
            for one in chosen:
                for leg in one.legs:
                    level[leg.debit] -= leg.amount
                    level[leg.credit] += leg.amount
            short = next((account for account, left in level.items() if left < 0), None)
            # Whatever order accounts are looked at in, the largest set is one.
            if short is None:
                return chosen
            last = max(at for at, one in enumerate(chosen) if short in one.debits)
            blocked, kept = set(chosen[last].debits), chosen[:last]
            for one in chosen[last + 1 :]:
                # What stands behind a payment left out is left out with it.
                if blocked & one.debits:
                    blocked |= one.debits
                else:
                    kept.append(one)
            chosen = kept

    def _is_in_turn(self, system: System, one: Waiting, before: list[Waiting]) -> bool:
        if system.order == Order.DEFERRED:
            return False
        accounts = self.run.accounts
        if any(accounts[leg.debit].available < leg.amount for leg in one.legs):
            return False
        # There is no overtaking on an account, but under BYPASS.
        return system.order == Order.BYPASS or not any(one.debits & each.debits for each in before)

    # -- settling ---------------------------------------------------------------------------------

    def _settle_all(self, system: System, chosen: list[Waiting], how: How) -> bool:
        """Settle payments out of a queue, in its order; say whether there were any."""
        if not chosen:
            return False
        if how in (How.OFFSET, How.NET):
            self.run.log(LogKind.OFFSET, None, system.number, len(chosen), value=int(how))
        members = [a for a, number in self.of_account.items() if number == system.number]
        for account in members:
            self.run.accounts[account].begin_set(self.run.now_us)
        left = {id(one) for one in chosen}
        system.queue = [one for one in system.queue if id(one) not in left]
        for one in chosen:
            self._settle(system, one, how)
            payment = one.payment
            payment.account_time(self.run.stages[payment.at].cause, self.run.now_us)
            payment.stop_waiting()
            self.run.ready.append(payment)
        for account in members:
            self.run.accounts[account].end_set(self.run.now_us)
        return True

    def _settle(self, system: System, one: Waiting, how: How) -> None:
        payment = one.payment
        # Money moves for good: no time-out undoes it.
        payment.armed_step = NOWHERE
        system.settled += 1
        self._count(one, MemberTotal.SETTLED)
        self.run.log(LogKind.SETTLE, payment, system.number, one.legs[0].amount, value=int(how))
        for leg in one.legs:
            move_money(self.run, leg.debit, leg.credit, leg.amount)
        note_flags(self.run, payment, self.run.stages[payment.at].flags)

    def sample(self) -> None:
        """Log what waits and what has settled, system by system, then member by member."""
        queued = dict.fromkeys(self.of_account, 0)
        for system in self.all:
            waiting = len(system.queue)
            self.run.log(LogKind.SAMPLE_SYSTEM, None, system.number, waiting, value=system.settled)
            for one in system.queue:
                for leg in one.legs:
                    queued[leg.debit] += leg.amount
        for account, amount in queued.items():
            settled = self.totals[account][MemberTotal.SETTLED]
            self.run.log(LogKind.SAMPLE_MEMBER, None, account, amount, value=settled)

    # -- totals -----------------------------------------------------------------------------------

    def _count_arrival(self, one: Waiting) -> None:
        if not one.is_counted:
            return
        for leg in one.legs:
            self.totals[leg.debit][MemberTotal.OUT] += leg.amount
            self.totals[leg.credit][MemberTotal.IN] += leg.amount
        # Both legs first: they come at one stroke.
        for leg in one.legs:
            total = self.totals[leg.debit]
            net = total[MemberTotal.IN] - total[MemberTotal.OUT]
            total[MemberTotal.NET_LOW] = min(total[MemberTotal.NET_LOW], net)

    def _count(self, one: Waiting, column: MemberTotal) -> None:
        if one.is_counted:
            for leg in one.legs:
                self.totals[leg.debit][column] += leg.amount


def _between(system: System, leg: Transfer) -> list[Waiting]:
    """Return who waits between the two accounts of a leg and may be offset."""
    ends, blocked, found = {leg.debit, leg.credit}, set[int](), list[Waiting]()
    for one in system.queue:
        is_between = len(one.legs) == 1 and {one.legs[0].debit, one.legs[0].credit} == ends
        if is_between and not one.debits & blocked:
            found.append(one)
        elif system.order != Order.BYPASS:
            blocked |= one.debits
    return found
