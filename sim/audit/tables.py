"""Check what ``payments.parquet`` and ``fees.parquet`` allow without the event log.

Takes a run folder and its plan; reports times that do not add up, fees that do not add up, rows
missing or twice, and columns that contradict each other. Works on whole columns.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sim.audit.findings import Findings
from sim.contract.plan import Array, Plan
from sim.contract.spec import NULL, Cause, Outcome
from sim.tables.finished_run import FinishedRun
from sim.tables.reading import int_values, text_codes
from sim.tables.schemas import CAUSES, FEES_FILE, OUTCOMES, PAYMENTS, PAYMENTS_FILE

Mask = npt.NDArray[np.bool_]
_SHOWN = 5
"""Payments named per broken rule."""
_AMOUNTS = (
    "instructed_amount_minor",
    "debited_amount_minor",
    "settlement_amount_minor",
    "credited_amount_minor",
)


def audit_tables(
    run: FinishedRun, plan: Plan, findings: Findings, *, replication: int | None = None
) -> None:
    """Check the tables of a run folder.

    Parameters
    ----------
    run : FinishedRun
        A finished run.
    plan : Plan
        Its plan: horizon and names.
    findings : Findings
        Where violations go.
    replication : int, optional
        Whose rows; by default all.
    """
    table = run.table(PAYMENTS_FILE)
    counted = run.facts.get("payments")
    findings.check(
        "one_row",
        not isinstance(counted, int) or counted == table.num_rows,
        "{} rows, the run counted {} payments",
        table.num_rows,
        counted if isinstance(counted, int) else -1,
    )
    table = _of_replication(table, replication)
    payments = {
        entry.name: int_values(table.column(entry.name))
        for entry in PAYMENTS
        if pa.types.is_integer(entry.type)
    }
    codes, words = text_codes(table.column("outcome"))
    known = {word: at for at, word in enumerate(OUTCOMES)}
    # The last entry is for null, which has code -1.
    place = np.array([*(known.get(word, -1) for word in words), -1], dtype=np.int64)
    payments["outcome"] = place[codes]
    reason, _ = text_codes(table.column("reason_code"))
    payments["reason"] = reason
    check = _Checker(findings, payments["payment_id"])
    _check_identity(payments, check)
    _check_times(plan, payments, check)
    _check_outcomes(payments, check)
    if run.has(FEES_FILE):
        _check_fees(_of_replication(run.table(FEES_FILE), replication), payments, check)


class _Checker:
    """Check a condition on every payment at once."""

    def __init__(self, findings: Findings, numbers: Array) -> None:
        self._findings = findings
        self._numbers = numbers

    def among(self, numbers: Array) -> _Checker:
        """Return a checker of payments in another order."""
        return _Checker(self._findings, numbers)

    def every(self, rule: str, holds: Mask, message: str) -> None:
        """Keep a violation for the first few payments for which a condition fails."""
        f = self._findings
        f.checks[rule] = f.checks.get(rule, 0) + len(holds)
        broken = np.flatnonzero(~holds)
        for at in broken[:_SHOWN].tolist():
            f.add(rule, f"payment {int(self._numbers[at])}: {message}")
        f.count += max(len(broken) - _SHOWN, 0)


def _check_identity(payments: dict[str, Array], check: _Checker) -> None:
    """Check that payments are numbered from 0 within each replication, one row each."""
    numbers, replications = payments["payment_id"], payments["replication"]
    order = np.lexsort((numbers, replications))
    sorted_numbers, sorted_replications = numbers[order], replications[order]
    first = np.flatnonzero(np.diff(sorted_replications, prepend=-1))
    counts = np.diff(first, append=len(order))
    due = np.arange(len(order)) - np.repeat(first, counts)
    check.among(sorted_numbers).every(
        "one_row", sorted_numbers == due, "its row is missing, twice or in place of another"
    )


def _check_times(plan: Plan, payments: dict[str, Array], check: _Checker) -> None:
    """Check that times follow each other and that causes add up."""
    submitted, end = payments["submitted_us"], payments["end_us"]
    is_open = payments["outcome"] == Outcome.IN_PROGRESS
    causes = [payments[f"{cause}_us"] for cause in CAUSES]
    assert len(causes) == len(Cause)
    check.every(
        "time_by_cause",
        np.logical_and.reduce([cause >= 0 for cause in causes]),
        "a time by cause is negative or missing",
    )
    until = np.where(is_open, plan.horizon_us, end)
    check.every(
        "time_by_cause",
        sum(causes, np.zeros_like(submitted)) == until - submitted,
        "times by cause do not add up to end less submission",
    )
    check.every(
        "order",
        (submitted >= 0) & (submitted < plan.horizon_us) & (until >= submitted),
        "it is submitted or ends outside the run",
    )
    for name in ("settled_us", "credited_us"):
        instant = payments[name]
        within = (instant >= submitted) & (instant <= until)
        check.every("order", (instant == NULL) | within, f"{name} lies outside its life")


def _check_outcomes(payments: dict[str, Array], check: _Checker) -> None:
    """Check that outcome, reason, instants and amounts do not contradict each other."""
    outcome, reason = payments["outcome"], payments["reason"]
    is_done, is_open = outcome == Outcome.COMPLETED, outcome == Outcome.IN_PROGRESS
    settled, credited = payments["settled_us"] != NULL, payments["credited_us"] != NULL
    check.every("outcome", outcome >= 0, "no outcome there is")
    check.every("outcome", (payments["end_us"] == NULL) == is_open, "it ended and is open, or not")
    check.every("outcome", ~is_done | credited, "completed and never credited")
    check.every("outcome", ~is_done | (reason < 0), "completed with a reason to fail")
    failed = (outcome == Outcome.REJECTED) | (outcome == Outcome.RETURNED)
    check.every("outcome", ~failed | (reason >= 0), "ended badly without a reason")
    check.every(
        "outcome", (outcome != Outcome.REJECTED) | ~credited, "rejected after it was credited"
    )
    check.every(
        "outcome", (payments["attempts"] >= 0) & (payments["requotes"] >= 0), "counts below zero"
    )
    instructed, debited, settlement, kept = (payments[name] for name in _AMOUNTS)
    is_priced = debited != NULL
    check.every("amounts", (instructed != NULL) & (instructed >= 0), "no instructed amount")
    check.every("amounts", ~is_priced | settled | is_done, "debited though nothing settled")
    check.every("amounts", is_priced == (settlement != NULL), "debited without settlement amount")
    check.every("amounts", ~is_priced | (debited >= 1), "debited less than one minor unit")
    check.every("amounts", (kept == NULL) | (kept >= 1), "credited less than one minor unit")
    check.every("amounts", (kept == NULL) | (credited & is_priced), "an amount credited never")
    check.every(
        "amounts", is_priced == (payments["payer_fee_minor"] != NULL), "debited without fee column"
    )
    merchant_fee = payments["merchant_fee_minor"]
    check.every("amounts", (kept == NULL) == (merchant_fee == NULL), "credited without fee column")
    has_margin = payments["fx_margin_minor"] != NULL
    check.every("amounts", ~has_margin | is_priced, "a margin on nothing")
    check.every(
        "amounts", ~(has_margin & (outcome == Outcome.RETURNED)), "a margin on a returned payment"
    )


def _of_replication(table: pa.Table, replication: int | None) -> pa.Table:
    """Return the rows of a replication; most tables have one, and are not copied."""
    if replication is None:
        return table
    mine = int_values(table.column("replication")) == replication
    return table if mine.all() else table.filter(pa.array(mine))


def _check_fees(fees: pa.Table, payments: dict[str, Array], check: _Checker) -> None:
    """Check that components add up to the columns, to the minor unit."""
    number = int_values(fees.column("payment_id"))
    if len(payments["payment_id"]) == 0:
        none = np.zeros(len(number), dtype=np.bool_)
        check.among(number).every("fees", none, "a fee of a payment that is not there")
        return
    replication = int_values(fees.column("replication"))
    amount = int_values(fees.column("amount_minor"))
    codes, words = text_codes(fees.column("bearer"))
    names = np.array(words or ("",))
    width = int(max(payments["payment_id"].max(initial=0), number.max(initial=0))) + 1
    key = payments["replication"] * width + payments["payment_id"]
    order = np.argsort(key, kind="stable")
    place = np.searchsorted(key[order], replication * width + number)
    found = order[np.minimum(place, len(order) - 1)]
    right = key[found] == replication * width + number
    check.every("fees", _spread(len(key), found, right), "a fee of a payment that is not there")
    for bearer, columns in (
        ("debtor", ("payer_fee_minor", "fx_margin_minor")),
        ("creditor", ("merchant_fee_minor",)),
    ):
        mine = right & (names[codes] == bearer)
        total = np.zeros(len(key), dtype=np.int64)
        np.add.at(total, found[mine], amount[mine])
        due = sum(_zero_for_null(payments[name] for name in columns), np.zeros_like(total))
        check.every("fees", total == due, f"components of the {bearer} do not add up")


def _spread(size: int, found: Array, right: Mask) -> Mask:
    """Return which payments have only fees that are theirs."""
    holds = np.ones(size, dtype=np.bool_)
    holds[found[~right]] = False
    return holds


def _zero_for_null(columns: Iterable[Array]) -> Iterable[Array]:
    for column in columns:
        yield np.where(column == NULL, 0, column)
