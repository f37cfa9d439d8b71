"""The course of one run of the reference engine: clock, agenda, advancing, log, invariants.

Takes a plan, a sink and the operations (one callable per ``Op``); gives the operations everything
they need: ``schedule``, ``draw``, ``log``, ``fail``, ``account`` and ``station`` by reference. An
operation acts on a payment and says where it goes on: the number of the next stage, or :data:`STOP`
when the payment waits or has ended.

SimPy orders simultaneous events by priority and then by insertion. Every event of ours carries its
order key as priority, keys are unique, and so insertion never decides.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn, Protocol

import numpy as np
import simpy
from simpy.events import EventPriority

from sim.contract.layout import (
    AMOUNT_MAX,
    NULL,
    ROLE_KINDS_MAX,
    STEP_MASK,
    StationColumn,
    order_key,
)
from sim.contract.meaning import Discipline, EventClass, LogKind
from sim.contract.plan import Array, Plan
from sim.contract.records import LOG_WIDTH, RECORD_WIDTH
from sim.contract.refunds import RefundTotal
from sim.contract.run import Sink
from sim.draws.lookup import draw62, quantile
from sim.engine.reference.account import Account
from sim.engine.reference.foresight import Foresight, Told
from sim.engine.reference.health import Healths
from sim.engine.reference.loads import Load
from sim.engine.reference.state import (
    NOWHERE,
    Due,
    Ledger,
    Payment,
    Shop,
    Stage,
    Station,
    Transfer,
    Wait,
)
from sim.errors import InvariantViolation

STOP = NULL
"""An operation's answer when its payment waits or has ended; no stage has this number."""

_CHUNK_ROWS = 1 << 14
_SAMPLES = (
    LogKind.SAMPLE_STATION, LogKind.SAMPLE_LEDGER, LogKind.SAMPLE_ACCOUNT, LogKind.FILE_CUT,
    LogKind.FILE_CONVERTED, LogKind.FILE_SETTLED, LogKind.TOP_UP_ORDERED, LogKind.TOP_UP_ARRIVED,
    LogKind.REFUND, LogKind.ALARM, LogKind.CHANNEL, LogKind.SAMPLE_SYSTEM, LogKind.SAMPLE_MEMBER,
    LogKind.SAMPLE_LOAD, LogKind.RELEASED, LogKind.ORDER_EXPIRED,
)  # fmt: skip
_PROGRESS_SECONDS = 0.25
_PROGRESS_EVENTS = 512


class KeyedEvent(simpy.Event):
    """Event that happens by itself, once, and calls one function.

    Parameters
    ----------
    environment : simpy.Environment
        Whose clock it follows.
    key : int
        Its order key, which is also its priority.
    action : callable
        Called with the run and the subjects.
    subjects : tuple
        What the event is about.
    """

    def __init__(
        self,
        environment: simpy.Environment,
        key: int,
        action: Callable[..., None],
        subjects: tuple[object, ...],
    ) -> None:
        super().__init__(environment)
        # SimPy's own word for an event whose time, not a process, triggers it (as in Timeout).
        self._ok = True
        self._value = None
        self.key = key
        self.action = action
        self.subjects = subjects


class LargeValue(Protocol):
    """What operations need of the large-value systems of a run."""

    def settle(self, payment: Payment, stage: Stage) -> int:
        """Settle a payment or let it wait."""

    def leave(self, payment: Payment) -> int:
        """Take a payment out of the queue it waits in; return its system."""

    def mark(self, account: int) -> None:
        """Note that an account was credited."""

    def look(self) -> None:
        """Settle what can settle at the end of an event."""

    def sample(self) -> None:
        """Log what waits and what has settled."""


class _NoSystems:
    """No large-value system at all."""

    def settle(self, payment: Payment, stage: Stage) -> int:
        raise LookupError(f"system {stage.subject} is not there")

    def leave(self, payment: Payment) -> int:
        raise LookupError(f"system {payment.wait_subject} is not there")

    def mark(self, account: int) -> None:
        pass

    def look(self) -> None:
        pass

    def sample(self) -> None:
        pass


class Run:
    """State of one run, and what every operation needs of it.

    Parameters
    ----------
    plan : Plan
        What to run.
    sink : Sink
        What is told of it.
    operations : mapping of int to callable
        What every ``Op`` does.
    """

    def __init__(self, plan: Plan, sink: Sink, operations: Mapping[int, Operation]) -> None:
        self.plan = plan
        self.sink = sink
        # An optional wish of a sink, hence ``getattr``: most have no such attribute.
        self._wants_samples = bool(getattr(sink, "wants_samples", False))
        self.operations = operations
        self.environment = simpy.Environment(initial_time=0)
        self.now_us = 0
        self.key = -1
        self.events = 0
        self.payments = 0
        self.inquiries = 0
        self.open: dict[int, Payment] = {}
        self.ready: deque[Payment] = deque()
        self.systems: LargeValue = _NoSystems()
        # Rows as Python objects once and for all: reading NumPy scalars one by one is far
        # slower.
        self.stages = [Stage.of(row) for row in plan.stage.tolist()]
        self.stations = [
            Station(
                row,
                newest_first=row[StationColumn.DISCIPLINE] == Discipline.LIFO,
                warm_up_us=plan.warm_up_us,
            )
            for row in plan.station.tolist()
        ]
        loads = [Load(row, plan.load_count, plan.warm_up_us) for row in plan.load.tolist()]
        self.ledgers = [
            Ledger(row, load, plan.warm_up_us)
            for row, load in zip(plan.ledger.tolist(), loads, strict=True)
        ]
        self.accounts = [
            Account(row, guard, plan.warm_up_us)
            for row, guard in zip(plan.account.tolist(), plan.guard.tolist(), strict=True)
        ]
        self.transfers: list[list[int]] = plan.transfer.tolist()
        self.fees: list[list[int]] = plan.fee.tolist()
        self.routes: list[list[int]] = plan.route.tolist()
        self.streams: list[list[int]] = plan.stream.tolist()
        self.pricings: list[list[int]] = plan.pricing.tolist()
        self.limits: list[list[int]] = plan.limit.tolist()
        self.refunds = [[0] * len(RefundTotal) for _ in plan.stream]
        """Totals of refunds by stream."""
        self.shops = [Shop(*row) for row in plan.shop.tolist()]
        self.limit_used = [(0, 0)] * plan.limit_cells
        """Day and amount used in it, by state cell."""
        self.seen_station = [0] * len(self.stations)
        self.seen_ledger = [0] * len(self.ledgers)
        self.healths = Healths(plan)
        self.readings: list[tuple[list[list[int]], ...]] = []
        """Totals of stations, ledgers and accounts at each reading."""
        self.foresight: Foresight | Told = Told(())
        """What an oracle knows of this run, or, of a course that is foreseen, is told."""
        self._agent_account: list[list[int]] = plan.agent_account.tolist()
        self._agent_station: list[list[int]] = plan.agent_station.tolist()
        self._agent_time: list[list[int]] = plan.agent_time.tolist()
        self._agent_share: list[list[int]] = plan.agent_share.tolist()
        self._stream_keys = list(plan.stream_key)
        self._rows: list[tuple[int, ...]] = []
        self._records: list[list[int]] = []
        self._instant_us = -1
        # Keys handled at the instant at hand; it is emptied whenever time moves on and stays
        # small.
        self._keys_of_instant: set[int] = set()
        self._heard = time.monotonic()

    # -- the agenda ------------------------------------------------------------------------------

    def schedule(
        self, at_us: int, key: int, action: Callable[..., None], *subjects: object
    ) -> None:
        """Let ``action(run, *subjects)`` happen at an instant, ordered by a key among others."""
        event = KeyedEvent(self.environment, key, action, subjects)
        # A list of its own instead of SimPy's empty one, so that nothing else can hang on the
        # event.
        event.callbacks = [self._take]
        # The key is the priority. SimPy's own events use 0 and 1, below every key of ours.
        self.environment.schedule(event, EventPriority(key), at_us - self.now_us)

    def schedule_step(
        self,
        payment: Payment,
        event_class: EventClass,
        delay_us: int,
        action: Callable[..., None],
        *,
        subject: int = NOWHERE,
    ) -> int:
        """Schedule ``action(run, payment, due)`` and return the step."""
        # A table of durations holds none below 0, so a plan names another table here.
        if delay_us < 0:
            self.broken(f"an event lies {-delay_us} us in the past", payment.number)
        payment.step = step = payment.step + 1
        if step > STEP_MASK:
            self.broken("the payment's event counter overflows", payment.number)
        key = order_key(event_class, payment.number, step)
        # What the event is about is fixed now; the payment may be anywhere when it happens.
        due = Due(step, payment.at, subject)
        self.schedule(self.now_us + delay_us, key, action, payment, due)
        return step

    def _take(self, event: simpy.Event) -> None:
        """Handle one event completely, with everything it sets free."""
        # SimPy's own events (the end of the run) have no callback of ours.
        assert isinstance(event, KeyedEvent)
        self.now_us = int(self.environment.now)
        self.key = event.key
        self.events += 1
        # A delay of 0 may bring an event of a lower key at the same instant, but never the same.
        if self.now_us != self._instant_us:
            self._instant_us = self.now_us
            self._keys_of_instant.clear()
        if self.key in self._keys_of_instant:
            self.broken(f"two events have the key {self.key}")
        self._keys_of_instant.add(self.key)
        event.action(self, *event.subjects)
        # An event includes all that it sets free; the next one comes after.
        self.empty_ready_list()
        self.systems.look()
        # The clock is read every few hundred events only: reading it costs as much as an event.
        if self.events % _PROGRESS_EVENTS == 0:
            self._tell_progress()

    def _tell_progress(self) -> None:
        moment = time.monotonic()
        if moment - self._heard >= _PROGRESS_SECONDS:
            self._heard = moment
            self.sink.take_progress(self.now_us, self.payments, self.events)

    # -- advancing -------------------------------------------------------------------------------

    def advance(self, payment: Payment, at: int) -> None:
        """Run a payment's stages from a given one until it waits or ends."""
        # A loop and no recursion: a program may be long, and its stages call nothing that
        # advances.
        while at != STOP:
            # A negative number would be a row from the end of the list.
            if not 0 <= at < len(self.stages):
                self.broken(f"stage {payment.at} leads to {at}", payment.number)
            payment.at = at
            stage = self.stages[at]
            at = self.operations[stage.op](self, payment, stage)

    def empty_ready_list(self) -> None:
        """Advance the payments set free by others, first in first out."""
        while self.ready:
            # Its RESERVE has been passed by having been reserved; it goes on behind it.
            payment = self.ready.popleft()
            # But for one a close has returned: that fails where it waited.
            is_returned = payment.wait is Wait.RETURNED
            self.advance(payment, payment.at + (0 if is_returned else 1))

    def fail(self, payment: Payment, stage: Stage, reason: int) -> int:
        """Log a failure at a stage and go on at the stage's target."""
        self.log(LogKind.FAIL, payment, reason)
        self.healths.end(payment, reason, self.now_us)
        payment.reason = reason
        return stage.target

    # -- random numbers --------------------------------------------------------------------------

    def stream_key(self, stream: int) -> Array:
        """Return the draw key of a stream's payments."""
        key: Array = self._stream_keys[stream]
        return key

    def draw(self, payment: Payment, purpose: int) -> int:
        """Draw a payment's 62-bit number for a purpose; attempts and requotes get fresh ones."""
        key = self.stream_key(payment.stream)
        return draw62(key, payment.ordinal, purpose, payment.visit)

    def draw_time(self, payment: Payment, stage: Stage) -> int:
        """Draw the duration of a payment's stage."""
        table = self._resolve(payment, stage.table, self._agent_time)
        return quantile(self.plan.table, table, self.draw(payment, stage.purpose))

    def threshold_of(self, payment: Payment, reference: int) -> int:
        """Return a 62-bit threshold, of the payment's own agents for a role reference."""
        return self._resolve(payment, reference, self._agent_share)

    # -- references and registers ----------------------------------------------------------------

    def account_of(self, payment: Payment, reference: int) -> int:
        """Return an account's number, of the payment's own agents for a role reference."""
        return self._resolve(payment, reference, self._agent_account)

    def station_of(self, payment: Payment, reference: int) -> int:
        """Return a station's number, of the payment's own agents for a role reference."""
        return self._resolve(payment, reference, self._agent_station)

    def _resolve(self, payment: Payment, reference: int, by_agent: list[list[int]]) -> int:
        if reference >= 0:
            return reference
        # The inverse of ``role_ref``.
        role, kind = divmod(-reference - 2, ROLE_KINDS_MAX)
        agent = payment.creditor_agent if role else payment.debtor_agent
        resolved = by_agent[agent][kind] if agent >= 0 else -1
        if resolved < 0:
            self.broken(f"agent {agent} has nothing of kind {kind}", payment.number)
        return resolved

    def register(self, payment: Payment, register: int) -> int:
        """Return an amount from a payment's registers, checked."""
        amount = payment.registers[register]
        # NULL, too, is below 0: an amount is read that no quote has filled.
        if not 0 <= amount < AMOUNT_MAX:
            self.broken(f"register {register} holds {amount}", payment.number)
        return amount

    def transfer_of(self, payment: Payment, row: int) -> Transfer:
        """Return a transfer row with its accounts resolved and its amount read."""
        debit, credit, register = self.transfers[row]
        amount = self.register(payment, register)
        return Transfer(self.account_of(payment, debit), self.account_of(payment, credit), amount)

    # -- what is told ----------------------------------------------------------------------------

    def log(
        self,
        kind: LogKind,
        payment: Payment | None,
        subject: int = -1,
        amount: int = -1,
        *,
        value: int = -1,
        stage: int | None = None,
    ) -> None:
        """Add a row to the event log, at the stage the payment is at unless one is given."""
        # Rows are made for those who want them; totals and records need none.
        if not self.sink.wants_log and not (self._wants_samples and kind in _SAMPLES):
            return
        number = -1 if payment is None else payment.number
        if stage is None:
            stage = -1 if payment is None else payment.at
        row = (self.now_us, self.key, int(kind), number, stage, int(subject), amount, value)
        self._rows.append(row)
        if len(self._rows) >= _CHUNK_ROWS:
            self.flush()

    def keep_record(self, row: list[int]) -> None:
        """Add a payment's record."""
        if self.sink.wants_records:
            self._records.append(row)
            if len(self._records) >= _CHUNK_ROWS:
                self.flush()

    def take_records(self) -> list[list[int]]:
        """Return the records the sink has not been given, which it never will be."""
        found, self._records = self._records, []
        return found

    def flush(self) -> None:
        """Hand the rows and records so far to the sink."""
        if self._rows:
            self.sink.take_log(as_array(self._rows, LOG_WIDTH))
            self._rows = []
        if self._records:
            self.sink.take_records(as_array(self._records, RECORD_WIDTH))
            self._records = []

    def broken(self, message: str, payment: int = -1) -> NoReturn:
        """Stop: an invariant does not hold."""
        raise InvariantViolation(
            f"{message}, at {self.now_us} us",
            seed=self.plan.seed,
            event=self.events,
            payment=payment,
        )


def as_array(rows: Sequence[Sequence[int]], width: int) -> Array:
    """Return rows of whole numbers as an int64 array, also when there are none."""
    return np.array(rows, dtype=np.int64).reshape(-1, width)


Operation = Callable[[Run, Payment, Stage], int]
