"""Run scenarios written as YAML on either engine and read what happened in their own words.

Takes YAML text or a file with overrides; gives :class:`Ran`, whose rows carry names instead of
indices. Every run that keeps its log is replayed by the audit, which must find nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sim.compiler.compile import Compiled, compile_scenario
from sim.contract.inquiries import INQUIRY_FIRST
from sim.contract.layout import NULL
from sim.contract.meaning import Cause, LogKind, Outcome, Reason
from sim.contract.plan import Array, Plan
from sim.contract.records import LOG_WIDTH, RECORD_WIDTH, LogColumn, RecordColumn
from sim.contract.run import Totals
from sim.engine.compiled import run_compiled
from sim.engine.reference import run_reference
from sim.scenario.scenario import LoadedScenario, load_scenario

ENGINES: dict[str, Callable[..., Totals]] = {"reference": run_reference, "compiled": run_compiled}
ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = ROOT / "scenarios"
MINIMAL = SCENARIOS / "minimal.yaml"
SECOND = 1_000_000

QUEUE = """
scenario: queue
clock: {start: 2025-09-17T00:00:00+07:00, horizon: HORIZON}
seed: SEED
rails:
  shop:
    kind: generic
    stations: {desk: {servers: SERVERS}}
    stages: [{name: service, serve: desk, time: TIME}]
corridors:
  inside: {from: {country: KH, currency: KHR}, to: {country: KH, currency: KHR}}
demand:
  customers: {corridor: inside, rate: RATE /s}
"""
"""One station and nothing else; the words in capitals are filled in by :func:`queue_text`."""


_SAMPLES = (LogKind.SAMPLE_STATION, LogKind.SAMPLE_LEDGER, LogKind.SAMPLE_ACCOUNT)
_STATIONS = (
    LogKind.JOIN, LogKind.START, LogKind.FINISH, LogKind.OPEN, LogKind.CLOSE,
    LogKind.STATION_PACE, LogKind.STATION_RATE, LogKind.STATION_SERVERS,
)  # fmt: skip
_LEDGERS = (
    LogKind.ENQUEUE, LogKind.IN_BLOCK, LogKind.COMMIT, LogKind.LEADER_FAILED,
    LogKind.LEDGER_BLOCK,
)  # fmt: skip
_MOVES = (LogKind.RESERVE, LogKind.POST, LogKind.TRANSFER, LogKind.VOID, LogKind.DEPOSIT)

Row = tuple[int, str, str, str, str, int, str]
"""Microseconds, kind, payment, stage without its route, subject, amount, value."""


class Recorder:
    """Keep everything an engine tells, or only the payments."""

    def __init__(self, *, wants_log: bool) -> None:
        self.wants_log = wants_log
        self.wants_records = True
        self.logs: list[Array] = [np.zeros((0, LOG_WIDTH), dtype=np.int64)]
        self.records: list[Array] = [np.zeros((0, RECORD_WIDTH), dtype=np.int64)]

    def take_log(self, rows: Array) -> None:
        self.logs.append(rows)

    def take_records(self, rows: Array) -> None:
        self.records.append(rows)

    def take_progress(self, time_us: int, payments: int, events: int) -> None:
        """Take no notice."""


@dataclass(frozen=True)
class Ran:
    """Hold what came out of a run."""

    compiled: Compiled
    log: Array
    records: Array
    totals: Totals
    _by_payment: dict[int, Array] = field(default_factory=dict)

    @property
    def plan(self) -> Plan:
        return self.compiled.plan

    def name(self, payment: int) -> str:
        """Return ``<stream>`` of a payment, with its ordinal where it is not the first."""
        if payment >= INQUIRY_FIRST:
            return f"inquiry.{payment - INQUIRY_FIRST}"
        row = self._row(payment)
        stream = self.plan.names.streams[row[RecordColumn.STREAM]]
        ordinal = int(row[RecordColumn.ORDINAL])
        return f"{stream}.{ordinal}" if ordinal else stream

    def _row(self, payment: int) -> Array:
        if not self._by_payment:
            self._by_payment.update((int(r[RecordColumn.PAYMENT]), r) for r in self.records)
            assert len(self._by_payment) == len(self.records)
        return self._by_payment[payment]

    def cells(self, name: str) -> Array:
        """Return a payment's record by its name."""
        for row in self.records:
            if self.name(int(row[RecordColumn.PAYMENT])) == name:
                found: Array = row
                return found
        raise KeyError(name)

    def record(self, name: str) -> dict[str, int | None]:
        """Return a payment's record by column name; None where it never happened."""
        cells = self.cells(name)
        return {
            column.name.lower(): None if cells[column] == NULL else int(cells[column])
            for column in RecordColumn
        }

    def ended(self, name: str) -> tuple[int | None, str, str]:
        """Return (instant of the end, outcome, reason) of a payment."""
        record = self.record(name)
        return (
            record["end_us"],
            Outcome(record["outcome"] or 0).name,
            Reason(record["reason"] or 0).name,
        )

    def times(self, name: str) -> dict[str, int]:
        """Return a payment's microseconds by cause, without the zeros."""
        cells = self.cells(name)[RecordColumn.TIME_0 : RecordColumn.TIME_0 + len(Cause)]
        return {c.name.lower(): int(x) for c, x in zip(Cause, cells, strict=True) if x}

    def rows(self, *kinds: LogKind, of: str = "") -> list[Row]:
        """Return log rows in words, without samples; of some kinds or of one payment."""
        found = [
            self._words(row) for row in self.log.tolist() if row[LogColumn.KIND] not in _SAMPLES
        ]
        names = {kind.name for kind in kinds}
        return [row for row in found if (not kinds or row[1] in names) and of in ("", row[2])]

    def _words(self, row: list[int]) -> Row:
        time_us, _, kind_number, payment, stage, subject, amount, value = row
        names, kind = self.plan.names, LogKind(kind_number)
        label = names.stages[stage] if stage >= 0 else ""
        words, extra = str(subject) if subject != -1 else "", str(value) if value != -1 else ""
        if kind in _STATIONS:
            words = names.stations[subject]
        elif kind in _LEDGERS:
            words = names.ledgers[subject]
        elif kind in _MOVES:
            words, extra = names.accounts[subject], names.accounts[value]
        elif kind is LogKind.SUBMIT:
            words = names.streams[subject]
        elif kind is LogKind.ROUTE:
            words = names.routes[subject]
        elif kind is LogKind.OUTCOME:
            words = Outcome(subject).name
        elif kind in (LogKind.FAIL, LogKind.EXPIRE):
            words = Reason(subject).name
        elif kind is LogKind.DELAY:
            words = Cause(subject).name
        elif kind is LogKind.DECIDE:
            words = names.stages[subject].rpartition("/")[2]
        elif kind is LogKind.SHORT:
            words = names.accounts[subject]
        elif kind in (LogKind.LIMIT, LogKind.GIVE_BACK):
            words = names.limits[subject]
        who = self.name(payment) if payment >= 0 else ""
        return time_us, kind.name, who, label.rpartition("/")[2], words, amount, extra

    def balances(self) -> dict[str, int]:
        """Return every account that is not at zero at the end, the world's included."""
        names = self.plan.names.accounts
        return {
            name: int(posted)
            for name, posted in zip(names, self.totals.end_posted, strict=True)
            if posted
        }


def load_text(folder: Path, text: str, overrides: Sequence[str] = ()) -> LoadedScenario:
    """Load YAML text; ``MINIMAL`` in it stands for the minimal scenario's path."""
    path = folder / "scenario.yaml"
    path.write_text(text.replace("MINIMAL", os.fspath(MINIMAL)), encoding="utf-8")
    return load_scenario(path, overrides)


def queue_text(*, horizon: str, servers: int = 1, time: str, rate: str, seed: int = 1) -> str:
    """Return the scenario of one station; times and rates as a scenario writes them."""
    words = {"HORIZON": horizon, "SERVERS": servers, "TIME": time, "RATE": rate, "SEED": seed}
    text = QUEUE
    for name, value in words.items():
        text = text.replace(name, str(value))
    return text


def served_in(time: str) -> str:
    """Return the override that gives the counter of a theory scenario another service time."""
    return f"rails.shop.stages=[{{name: service, serve: counter, time: {time}}}]"


def run(
    loaded: LoadedScenario,
    engine: str,
    *,
    seed: int | None = None,
    replication: int = 0,
    with_log: bool = True,
) -> Ran:
    """Run a scenario; with its log it is audited, and each currency must sum to zero."""
    compiled = compile_scenario(loaded, seed=seed, replication=replication)
    recorder = Recorder(wants_log=with_log)
    totals = ENGINES[engine](compiled.plan, compiled.workload(), recorder)
    log, records = np.vstack(recorder.logs), np.vstack(recorder.records)
    if with_log:
        from sim.audit.run import audit_log

        report = audit_log(compiled.plan, [log], [records], totals)
        assert report.ok, report.violations
    check_books(compiled.plan, totals)
    return Ran(compiled, log, records, totals)


def check_books(plan: Plan, totals: Totals) -> None:
    """Assert that every currency sums to zero over all accounts."""
    for number, currency in enumerate(plan.names.currencies):
        held = totals.end_posted[plan.account[:, 0] == number]
        assert int(held.sum()) == 0, (currency, held)


def run_large(loaded: LoadedScenario) -> Ran:
    """Run a long scenario on the compiled engine without its log."""
    return run(loaded, "compiled", with_log=False)


def finished_column(ran: Ran, column: int) -> Array:
    """Return one column of the payments that ended, in order of submission."""
    ended = ran.records[ran.records[:, RecordColumn.END_US] != NULL]
    found: Array = ended[np.argsort(ended[:, RecordColumn.PAYMENT]), column]
    return found


def seconds(ran: Ran, cause: Cause) -> npt.NDArray[np.float64]:
    """Return a time by cause in seconds, of the payments that ended, in order of submission."""
    times: npt.NDArray[np.float64] = finished_column(ran, RecordColumn.TIME_0 + cause) / SECOND
    return times
