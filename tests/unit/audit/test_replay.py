"""A right log passes the audit, and every planted corruption is found under its own rule."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from sim.audit.findings import RULES
from sim.audit.run import AuditReport, AuditSink, audit_log
from sim.contract.layout import StageColumn, StationColumn, order_key
from sim.contract.meaning import Cause, LogKind, Op, Outcome, Reason
from sim.contract.plan import Array, Plan
from sim.contract.records import LogColumn, RecordColumn
from tests.unit.tables.corridor import (
    SECOND,
    Ran,
    corridor_plan,
    corridor_workload,
    run_corridor,
    run_into,
)

L, K, S, R = LogColumn, LogKind, StationColumn, RecordColumn
Corruption = Callable[[Plan, Array], tuple[Plan, Array]]


@cache
def ran() -> Ran:
    return run_corridor(seed=7)


def audit(plan: Plan, log: Array, records: Array | None = None) -> AuditReport:
    return audit_log(plan, [log], None if records is None else [records])


def first(log: Array, kind: LogKind, skip: int = 0) -> int:
    return int(np.flatnonzero(log[:, L.KIND] == kind)[skip])


def event_of(log: Array, row: int) -> tuple[int, int]:
    """Return where the event of a row begins and ends."""
    same = np.all(log[:, :2] == log[row, :2], axis=1)
    rows = np.flatnonzero(same)
    return int(rows[0]), int(rows[-1]) + 1


def change(kind: LogKind, column: LogColumn, by: int, skip: int = 0) -> Corruption:
    def corrupt(plan: Plan, log: Array) -> tuple[Plan, Array]:
        log[first(log, kind, skip), column] += by
        return plan, log

    return corrupt


def drop(kind: LogKind, skip: int = 0) -> Corruption:
    def corrupt(plan: Plan, log: Array) -> tuple[Plan, Array]:
        return plan, np.delete(log, first(log, kind, skip), axis=0)

    return corrupt


def drop_event(kind: LogKind, skip: int = 0) -> Corruption:
    def corrupt(plan: Plan, log: Array) -> tuple[Plan, Array]:
        begin, end = event_of(log, first(log, kind, skip))
        return plan, np.delete(log, slice(begin, end), axis=0)

    return corrupt


def repeat(kind: LogKind) -> Corruption:
    def corrupt(plan: Plan, log: Array) -> tuple[Plan, Array]:
        at = first(log, kind)
        return plan, np.insert(log, at, log[at], axis=0)

    return corrupt


def swap_rows(kind: LogKind) -> Corruption:
    """Swap the payments of the first two neighbouring rows of a kind within one event."""

    def corrupt(plan: Plan, log: Array) -> tuple[Plan, Array]:
        same = (log[:-1, L.KIND] == kind) & (log[1:, L.KIND] == kind)
        at = int(np.flatnonzero(same & np.all(log[:-1, :2] == log[1:, :2], axis=1))[0])
        log[[at, at + 1]] = log[[at + 1, at]]
        return plan, log

    return corrupt


def swap_events(plan: Plan, log: Array) -> tuple[Plan, Array]:
    begin, end = event_of(log, first(log, K.QUOTE))
    until = event_of(log, end)[1]
    return plan, np.concatenate([log[:begin], log[end:until], log[begin:end], log[until:]])


def shift_event(kind: LogKind, by_us: int) -> Corruption:
    def corrupt(plan: Plan, log: Array) -> tuple[Plan, Array]:
        begin, end = event_of(log, first(log, kind))
        log[begin:end, L.TIME_US] += by_us
        return plan, log[np.argsort(log[:, L.TIME_US], kind="stable")]

    return corrupt


def station(at: int, column: StationColumn, value: int) -> Corruption:
    def corrupt(plan: Plan, log: Array) -> tuple[Plan, Array]:
        stations = plan.station.copy()
        stations[at, column] = value
        return replace(plan, station=stations), log

    return corrupt


def cell(name: str, row: int, column: int, value: int) -> Corruption:
    def corrupt(plan: Plan, log: Array) -> tuple[Plan, Array]:
        array = getattr(plan, name).copy()
        array[row, column] = value
        return replace(plan, **{name: array}), log

    return corrupt


def keep_waiting(plan: Plan, log: Array) -> tuple[Plan, Array]:
    """Let a server that has just finished stay idle though somebody waits."""
    after_finish = (log[:-1, L.KIND] == K.FINISH) & (log[1:, L.KIND] == K.START)
    other = log[:-1, L.PAYMENT] != log[1:, L.PAYMENT]
    return plan, np.delete(log, int(np.flatnonzero(after_finish & other)[0]) + 1, axis=0)


def close_early(plan: Plan, log: Array) -> tuple[Plan, Array]:
    """Close the desk five seconds before, in the plan and in the log."""
    agenda = plan.agenda.copy()
    row = int(np.flatnonzero(agenda[:, 1] == 2)[0])
    agenda[row, 0] -= 5 * SECOND
    return shift_event(K.CLOSE, -5 * SECOND)(replace(plan, agenda=agenda), log)


def without_deposits(plan: Plan, log: Array) -> tuple[Plan, Array]:
    """Let the prefunding never arrive, in the plan and in the log."""
    agenda = plan.agenda.copy()
    agenda[agenda[:, 1] == 1, 3] = 0
    return replace(plan, agenda=agenda), log[log[:, L.KIND] != K.DEPOSIT]


def other_currency(plan: Plan, log: Array) -> tuple[Plan, Array]:
    at = first(log, K.TRANSFER)
    currency = plan.account[:, 0]
    other = int(np.flatnonzero(currency != currency[log[at, L.SUBJECT]])[0])
    log[at, L.VALUE] = other
    return plan, log


def other_payment(plan: Plan, log: Array) -> tuple[Plan, Array]:
    """Let a row of one payment name another that is open."""
    at = first(log, K.QUOTE, 60)
    open_now = set(log[:at, L.PAYMENT].tolist()) - set(
        log[:at][log[:at, L.KIND] == K.OUTCOME, L.PAYMENT].tolist()
    )
    log[at, L.PAYMENT] = max(open_now - {-1, int(log[at, L.PAYMENT])})
    return plan, log


def wrong_class(plan: Plan, log: Array) -> tuple[Plan, Array]:
    at = first(log, K.DEPOSIT, 3)
    log[at, L.KEY] = order_key(5, 3, 0)
    return plan, log


def outcome_to(outcome: Outcome) -> Corruption:
    def corrupt(plan: Plan, log: Array) -> tuple[Plan, Array]:
        log[first(log, K.OUTCOME), L.SUBJECT] = outcome
        return plan, log

    return corrupt


def free_late(plan: Plan, log: Array) -> tuple[Plan, Array]:
    """Let those whom a deposit sets free have their money at the end of the event only."""
    after_deposit = (log[:-1, L.KIND] == K.DEPOSIT) & (log[1:, L.KIND] == K.RESERVE)
    at = int(np.flatnonzero(after_deposit)[0]) + 1
    end = event_of(log, at)[1]
    return plan, np.concatenate([log[:at], log[at + 1 : end], log[at : at + 1], log[end:]])


def no_requests(plan: Plan, log: Array) -> tuple[Plan, Array]:
    """Let no service be a request, though the log knows of doubts."""
    stages = plan.stage.copy()
    stages[stages[:, StageColumn.OP] == Op.SERVE, StageColumn.FLAGS] = 0
    return replace(plan, stage=stages), log


def second_candidate(plan: Plan, log: Array) -> tuple[Plan, Array]:
    """Let a payment take the second of its routes by its right score, though the first is open."""
    # Both are priced, so a score of 0 at the first attempt is a position.
    is_first = (log[:, L.KIND] == K.ROUTE) & (log[:, L.AMOUNT] == 0) & (log[:, L.VALUE] == 1)
    at = int(np.flatnonzero(is_first)[0])
    log[at, [L.SUBJECT, L.AMOUNT]] = 1
    return plan, log


CORRUPTIONS: list[tuple[str, Corruption, str]] = [
    ("an amount is flipped", change(K.TRANSFER, L.AMOUNT, 1), "postings"),
    ("a posting is dropped", drop(K.POST), "postings"),
    ("a posting is repeated", repeat(K.POST), "postings"),
    ("a fee is changed", change(K.FEE, L.AMOUNT, 1), "fee"),
    ("a fee's transfer is changed", change(K.TRANSFER, L.AMOUNT, -1, skip=1), "fee"),
    ("the fee of the plan is another", cell("fee", 0, 2, 50), "fee"),
    ("two events are swapped", swap_events, "order"),
    ("an event has the wrong class", wrong_class, "event_class"),
    ("a payment acts in the event of another", other_payment, "turn"),
    ("one server fewer", station(1, S.SERVERS, 0), "capacity"),
    ("one server more", station(1, S.SERVERS, 2), "capacity"),
    ("a start is lost", drop(K.START), "sequence"),
    ("a server stays idle", keep_waiting, "idle_server"),
    ("a slower rate", station(0, S.RATE_COUNT, 2), "rate"),
    ("no room to wait", station(1, S.QUEUE_LIMIT, 0), "queue_limit"),
    ("last come first served", station(0, S.DISCIPLINE, 1), "discipline"),
    ("a start while closed", close_early, "closed"),
    ("service longer than drawn", change(K.START, L.AMOUNT, 5), "service_time"),
    ("a finish is lost", drop_event(K.FINISH), "service_time"),
    ("a delay longer than drawn", change(K.DELAY, L.AMOUNT, 5), "service_time"),
    ("a smaller block", cell("ledger", 0, 1, 1), "block_limit"),
    ("a larger block possible", cell("ledger", 0, 1, 4), "block_order"),
    ("overtaking into a block", swap_rows(K.IN_BLOCK), "block_order"),
    ("a block of another round", change(K.IN_BLOCK, L.VALUE, 1, skip=1), "ledger_round"),
    ("rounds too close", cell("ledger", 0, 0, 900_000), "ledger_round"),
    ("a late round", shift_event(K.IN_BLOCK, 1), "ledger_round"),
    ("a miscounted block", change(K.COMMIT, L.AMOUNT, 1), "commit"),
    ("a block committed twice", repeat(K.COMMIT), "commit"),
    ("two outcomes", repeat(K.OUTCOME), "one_outcome"),
    ("no outcome", drop(K.OUTCOME), "one_outcome"),
    ("another outcome", outcome_to(Outcome.RETURNED), "outcome"),
    ("a stage is left out", change(K.DELAY, L.STAGE, 1), "sequence"),
    ("a confirmation is lost", drop(K.DELAY), "sequence"),
    ("late expiry", shift_event(K.EXPIRE, 1), "time_out"),
    ("an expiry is lost", drop_event(K.EXPIRE), "time_out"),
    ("nobody leaves the queue", drop(K.LEAVE), "time_out"),
    ("another time-out is armed", change(K.DEADLINE, L.AMOUNT, 7), "time_out"),
    ("a doubt at another station", change(K.IN_DOUBT, L.SUBJECT, 1), "doubt"),
    ("a doubt is lost", drop(K.IN_DOUBT), "time_out"),
    ("waiting longer for an answer", change(K.AWAIT, L.AMOUNT, 1), "doubt"),
    ("knowing sooner", change(K.KNOWN, L.AMOUNT, -1), "doubt"),
    ("undone without knowing", drop(K.KNOWN), "doubt"),
    ("a doubt of what is no request", no_requests, "doubt"),
    ("another quote", change(K.QUOTE, L.AMOUNT, 1), "quote"),
    ("another spread", cell("conversion", 0, 2, 9_000), "quote"),
    ("a valid quote lapses", change(K.LAPSE, L.TIME_US, -8 * SECOND), "order"),
    ("another score", change(K.ROUTE, L.AMOUNT, 1), "route"),
    ("another candidate comes before", second_candidate, "route"),
    ("another route twice", change(K.ROUTE, L.VALUE, 1), "route"),
    ("another use of a limit", change(K.LIMIT, L.AMOUNT, 1), "limit"),
    ("a tighter daily limit", cell("limit", 0, 2, 1_000), "limit"),
    ("a tighter limit per payment", cell("limit", 0, 1, 300), "limit"),
    ("money from nowhere", change(K.DEPOSIT, L.SUBJECT, -1), "opening"),
    ("a larger deposit", change(K.DEPOSIT, L.AMOUNT, 1), "agenda"),
    ("a deposit is lost", drop(K.DEPOSIT, 2), "agenda"),
    ("two currencies in one transfer", other_currency, "conservation"),
    ("spending what is not there", without_deposits, "overdraft"),
    ("more money than a run may hold", change(K.TRANSFER, L.AMOUNT, 1 << 60), "balance_bound"),
    ("reserving another amount", change(K.RESERVE, L.AMOUNT, 1), "reservation"),
    ("waiting with money there", cell("account", 6, 1, 1 << 40), "liquidity"),
    ("overtaking for liquidity", swap_rows(K.RESERVE), "liquidity_order"),
    ("freed later than at once", free_late, "liquidity"),
    ("a failure without cause", change(K.FAIL, L.SUBJECT, 1), "failure"),
    ("a column says what nobody reads", change(K.JOIN, L.AMOUNT, 1), "columns"),
    ("a place is left out of a sample", drop(K.SAMPLE_STATION, 3), "sample"),
    ("a place is sampled twice", repeat(K.SAMPLE_LEDGER), "sample"),
    ("an account is left out of a sample", drop(K.SAMPLE_ACCOUNT), "sample"),
    ("a sample is left out", drop_event(K.SAMPLE_STATION), "sample"),
    ("a sample shows another queue", change(K.SAMPLE_STATION, L.AMOUNT, 1), "sample"),
    ("a sample shows another round", change(K.SAMPLE_LEDGER, L.VALUE, 1, skip=5), "sample"),
    ("a sample shows another balance", change(K.SAMPLE_ACCOUNT, L.AMOUNT, 1), "sample"),
]  # fmt: skip


@pytest.mark.slow  # whoever runs first compiles the draws
def test_a_right_log_passes_and_every_rule_was_checked() -> None:
    run = ran()
    report = audit_log(run.plan, [run.log], [run.records], run.totals)
    assert report.violations == ()
    assert report.ok
    assert report.level == "events"
    rules = {rule for _, _, rule in CORRUPTIONS} | {"record", "totals", "time_by_cause"}
    assert {rule for rule in rules if report.checks.get(rule, 0) == 0} == set()
    assert set(report.checks) <= set(RULES)
    # Plans of their own: test_clearing_faults, test_asking_faults, test_large_value_faults,
    # test_patience_faults, test_shop_faults, theory/test_fx_market and what is paid back.
    beside_payments = {"clearing", "top_up", "inquiry", "retry", "refund"}
    beside_payments |= {"large_value", "offset", "close", "obligations", "guard", "load"}
    beside_payments |= {"patience", "position", "shop"}
    only_tables = {
        "amounts",
        "breaks",
        "fees",
        "market",
        "names",
        "one_row",
        "program",
        "series",
        "visits",
    }
    assert set(RULES) - rules == only_tables | beside_payments | {"readable"}


def test_the_corridor_writes_every_kind_of_row_it_can() -> None:
    kinds = {LogKind(kind) for kind in ran().log[:, L.KIND].tolist()}
    # What happens without a payment has plans of its own (test_clearing_faults).
    assert {kind for kind in set(LogKind) - kinds if kind < LogKind.FILE_CUT} <= {LogKind.DECIDE}


TRIED = CORRUPTIONS[:: int(os.environ.get("PAYROUTE_TRY_EVERY", "1"))]
"""All, but uncompiled every so many, as each replays the whole log once more in plain Python."""


@pytest.mark.parametrize(("name", "corrupt", "rule"), TRIED, ids=[c[0] for c in TRIED])
def test_a_corruption_is_found(name: str, corrupt: Corruption, rule: str) -> None:
    run = ran()
    plan, log = corrupt(run.plan, run.log.copy())
    report = audit(plan, log)
    assert not report.ok, name
    assert rule in {violation.rule for violation in report.violations}, report.violations[:5]
    assert all(violation.event < len(log) for violation in report.violations)


@pytest.mark.slow
def test_the_rules_are_the_same_uncompiled() -> None:
    """Run the right log and every eighth planted corruption again, as plain Python."""
    every = 8
    chosen = "right_log or a_corruption_is_found"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", __file__, "-q", "-p", "no:cacheprovider", "-k", chosen],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1", "PAYROUTE_TRY_EVERY": str(every)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4_000:]
    assert f"{len(CORRUPTIONS[::every]) + 1} passed" in done.stdout


RECORD_COLUMNS = [
    R.DEBITED, R.SETTLEMENT, R.CREDITED, R.PAYER_FEE, R.FX_MARGIN, R.FX_DRIFT, R.MERCHANT_FEE,
    R.SETTLED_US, R.CREDITED_US, R.END_US, R.OUTCOME, R.ATTEMPTS, R.REQUOTES, R.QUOTES_LAPSED,
    R.SPREAD_1, R.CHARGED, R.FEE_0, R.ROUTE, R.STREAM, R.ORDINAL, R.SUBMITTED_US, R.REASON,
    R.IN_DOUBT_SINCE_US, R.GONE_US, R.DOUBTED_US, R.KNOWN_US,
    *range(R.TIME_0, R.TIME_0 + len(Cause)),
]  # fmt: skip


@pytest.mark.parametrize("column", RECORD_COLUMNS)
def test_a_changed_record_is_found(column: int) -> None:
    run = ran()
    records = run.records.copy()
    priced = np.flatnonzero((records[:, R.OUTCOME] == 0) & (records[:, R.STREAM] == 0))
    records[priced[3], column] += 1
    report = audit(run.plan, run.log, records)
    assert [violation.rule for violation in report.violations] == ["record"]


@pytest.mark.parametrize("change_records", [lambda r: r[1:], lambda r: np.vstack([r, r[-1:]])])
def test_a_missing_or_extra_record_is_found(change_records: Callable[[Array], Array]) -> None:
    run = ran()
    report = audit(run.plan, run.log, change_records(run.records))
    assert "record" in {violation.rule for violation in report.violations}


def test_changed_end_balances_are_found() -> None:
    run = ran()
    posted = run.totals.end_posted.copy()
    posted[0] += 1
    totals = replace(run.totals, end_posted=posted)
    report = audit_log(run.plan, [run.log], None, totals)
    assert [violation.rule for violation in report.violations] == ["totals"]


def test_a_row_that_names_what_does_not_exist_is_a_finding() -> None:
    run = ran()
    log = run.log.copy()
    log[first(log, K.JOIN), L.SUBJECT] = 99
    report = audit(run.plan, log)
    assert "readable" in {violation.rule for violation in report.violations}


@pytest.mark.parametrize("chunk_rows", [1, 7, 1_000])
def test_the_audit_does_not_depend_on_chunks(chunk_rows: int) -> None:
    run = ran()
    log = run.log.copy()
    log[first(log, K.TRANSFER), L.AMOUNT] += 1
    chunks = [log[at : at + chunk_rows] for at in range(0, len(log), chunk_rows)]
    assert audit_log(run.plan, chunks) == audit(run.plan, log)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_audit_listens_to_a_run_under_way(seed: int) -> None:
    plan = corridor_plan(seed)
    sink = AuditSink(plan)
    totals = run_into(plan, sink, corridor_workload(seed, 300))
    report = sink.finish(totals)
    assert report.ok, (seed, report.violations[:5])
    assert report.as_json() == {"ok": True, "level": "events", "violations": []}
    assert report.checks["record"] == 300


def test_reasons_of_the_corridor_cover_failures() -> None:
    reasons = {Reason(reason) for reason in ran().records[:, R.REASON].tolist()}
    assert {Reason.NONE, Reason.AM02, Reason.AM14, Reason.RR04, Reason.AB05} <= reasons
