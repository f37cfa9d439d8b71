"""Check the order of events, and the events that belong to no payment: agenda and samples.

Takes the first and following rows of each event; reports keys out of order, rows that cannot
belong to an event of that class, agenda rows missing or changed, and samples that do not show what
the audit rebuilt.
"""

from __future__ import annotations

from sim.contract.plan import Plan
from sim.contract.spec import (
    LEDGER_PSEUDO,
    PAYMENT_BITS,
    PAYMENTS_MAX,
    STATION_PSEUDO,
    STEP_BITS,
    STEP_MASK,
    AgendaKind,
    EventClass,
    LogKind,
)
from sim.tables.audit_accounts import AccountBook
from sim.tables.audit_findings import Findings
from sim.tables.audit_ledgers import LedgerBook
from sim.tables.audit_program import Program
from sim.tables.audit_stations import StationBook

_PAYMENT_MASK = (1 << PAYMENT_BITS) - 1
_SAMPLES = (LogKind.SAMPLE_STATION, LogKind.SAMPLE_LEDGER, LogKind.SAMPLE_ACCOUNT)
_AGENDA_ROWS = {
    int(LogKind.DEPOSIT): AgendaKind.DEPOSIT,
    int(LogKind.CLOSE): AgendaKind.STATION_CLOSE,
    int(LogKind.OPEN): AgendaKind.STATION_OPEN,
}
_ONLY_FIRST = frozenset(
    int(kind)
    for kind in (
        LogKind.SUBMIT,
        LogKind.FINISH,
        LogKind.COMMIT,
        LogKind.LEADER_FAILED,
        LogKind.EXPIRE,
        LogKind.DEPOSIT,
        LogKind.OPEN,
        LogKind.CLOSE,
    )
)
"""Rows that begin an event and come nowhere else in it."""


class EventBook:
    """Follow the sequence of events.

    Parameters
    ----------
    plan : Plan
        The plan of the run.
    findings : Findings
        Where violations go; its clock is set here.
    books : tuple
        Stations, ledgers, accounts and program: what samples are compared with and show the router.
    """

    def __init__(
        self,
        plan: Plan,
        findings: Findings,
        books: tuple[StationBook, LedgerBook, AccountBook, Program],
    ) -> None:
        self._plan, self._findings = plan, findings
        self._stations, self._ledgers, self._accounts, self._program = books
        self._agenda: list[list[int]] = plan.agenda.tolist()
        self._next_agenda = 0
        self._highest = -1
        self.born: set[int] = set()
        """Keys of events scheduled at the instant at hand for this same instant."""

    def begin(self, time_us: int, key: int, kind: int, payment: int) -> None:
        """Begin an event with its first row."""
        f = self._findings
        if time_us != f.now:
            self._check_done(1 << 62)
            self.born.clear()
            follows = time_us > f.now
            self._highest = key
        else:
            # Only what was scheduled at this very instant may come after a higher key.
            follows = key > self._highest or key in self.born
            self._highest = max(self._highest, key)
            self.born.discard(key)
            self._check_done(key)
        event_class = key >> (PAYMENT_BITS + STEP_BITS)
        limit = self._plan.horizon_us
        in_run = time_us == limit if event_class == EventClass.HORIZON else 0 <= time_us < limit
        f.now, f.key = time_us, key
        f.check(
            "order", follows and in_run, "event at {} with key {} is out of order", time_us, key
        )
        owner = key >> STEP_BITS & _PAYMENT_MASK
        fits = _first_row_fits(event_class, owner, kind, payment)
        f.check(
            "event_class", fits, "a row of kind {} begins an event of class {}", kind, event_class
        )
        if event_class in (EventClass.CALENDAR, EventClass.SUBMIT, EventClass.SAMPLE):
            f.check("order", key & STEP_MASK == 0, "key {} has a step", key)
        if event_class == EventClass.SAMPLE:
            interval = self._plan.sample_interval_us
            f.check("sample", time_us == owner * interval, "sample {} is out of time", owner)

    def follow(self, kind: int) -> None:
        """Go on within an event."""
        if kind in _ONLY_FIRST:
            self._findings.add("event_class", f"a row of kind {kind} within another event")

    def take(self, kind: int, subject: int, amount: int, value: int) -> None:
        """Check a row that belongs to no payment."""
        check = self._findings.check
        if kind in _AGENDA_ROWS:
            self._agenda_row(kind, subject, amount, value)
        elif kind == LogKind.LEADER_FAILED:
            self._ledgers.leader_failed(subject, value)
        elif kind in _SAMPLES:
            if kind == LogKind.SAMPLE_STATION:
                shown = self._stations.shown(subject)
                self._program.seen_stations[subject] = amount
            elif kind == LogKind.SAMPLE_LEDGER:
                shown = self._ledgers.shown(subject)
                self._program.seen_ledgers[subject] = amount
            else:
                shown = self._accounts.posted[subject], self._accounts.pending[subject]
            check(
                "sample",
                shown == (amount, value),
                "a sample of kind {} shows {} and {} for {}, should be {} and {}",
                kind,
                amount,
                value,
                subject,
                *shown,
            )
        else:
            self._findings.add("event_class", f"unknown kind of row {kind}")

    def _check_done(self, key: int) -> None:
        """Check that what was scheduled for this instant and comes before a key has been done."""
        if self.born:
            lowest = min(self.born)
            self._findings.check(
                "order", lowest > key, "the event with key {} was due first", lowest
            )

    def finish_run(self) -> None:
        """Check that the agenda was worked off."""
        self._skip_to(len(self._agenda))

    def _agenda_row(self, kind: int, subject: int, amount: int, value: int) -> None:
        f = self._findings
        index = f.key >> STEP_BITS & _PAYMENT_MASK
        self._skip_to(index)
        self._next_agenda = index + 1
        account_or_station = value if kind == LogKind.DEPOSIT else subject
        moved = amount if kind == LogKind.DEPOSIT else -1
        row = self._agenda[index] if index < len(self._agenda) else [-1, -1, -1, -1]
        right = row[:3] == [f.now, int(_AGENDA_ROWS[kind]), account_or_station]
        right = right and (kind != LogKind.DEPOSIT or row[3] == moved)
        f.check("agenda", right, "row {} of the agenda is not what was done", index)
        if kind == LogKind.DEPOSIT:
            self._accounts.deposit(subject, value, amount)
        else:
            self._stations.set_closed(subject, kind == LogKind.CLOSE)

    def _skip_to(self, index: int) -> None:
        """Check that agenda rows passed over had nothing to do."""
        for at in range(self._next_agenda, min(index, len(self._agenda))):
            time_us, kind, _, amount = self._agenda[at]
            idle = time_us >= self._plan.horizon_us or (kind == AgendaKind.DEPOSIT and amount == 0)
            self._findings.check("agenda", idle, "row {} of the agenda was not done", at)


def _first_row_fits(event_class: int, owner: int, kind: int, payment: int) -> bool:
    """Say whether a row may be the first of an event of a class."""
    if event_class == EventClass.CALENDAR:
        return kind in _AGENDA_ROWS
    if event_class == EventClass.SUBMIT:
        return kind == LogKind.SUBMIT and payment == owner
    if event_class == EventClass.EXPIRE:
        return kind == LogKind.EXPIRE and payment == owner
    if event_class == EventClass.SAMPLE:
        return kind in _SAMPLES
    if event_class == EventClass.HORIZON:
        return kind == LogKind.OUTCOME and payment == owner
    if event_class != EventClass.COMPLETE:
        return False
    if owner < PAYMENTS_MAX:
        return payment == owner and (kind == LogKind.FINISH or kind not in _ONLY_FIRST)
    if owner > STATION_PSEUDO:
        return owner <= LEDGER_PSEUDO and kind in (
            LogKind.IN_BLOCK,
            LogKind.LEADER_FAILED,
            LogKind.COMMIT,
        )
    return kind == LogKind.START
