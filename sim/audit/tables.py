"""Check what the tables of a run folder allow without its event log.

Takes a run folder and its plan; reports rows missing or twice, columns that contradict each other,
the plan or the programs of the payments, fees no price has, visits that do not add up and samples
no place can give. Works on whole columns.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sim.audit.agreement import (
    check_currencies,
    check_names,
    check_plan,
    check_programs,
    group_payments,
)
from sim.audit.amounts import check_fees, price_payments, unpriced
from sim.audit.breaks import break_words, check_breaks
from sim.audit.checker import Checker
from sim.audit.findings import Findings
from sim.audit.market import check_market
from sim.audit.names import Words, cells, fee_words, payment_words
from sim.audit.order_tables import check_orders, order_words
from sim.audit.places import check_series, check_visits
from sim.audit.refund_tables import check_refunds, refund_words
from sim.audit.settlement_tables import (
    check_files,
    check_obligations,
    obligation_words,
    settlement_words,
)
from sim.contract.layout import NULL, StageColumn, StreamColumn
from sim.contract.meaning import Bearer, Cause, Op, Outcome, Reason
from sim.contract.plan import Array, Plan
from sim.tables.finished_run import FinishedRun
from sim.tables.reading import int_values
from sim.tables.schemas import (
    BREAKS,
    BREAKS_FILE,
    CAUSES,
    FEES,
    FEES_FILE,
    FX_SPREAD,
    OBLIGATIONS,
    OBLIGATIONS_FILE,
    ORDERS,
    ORDERS_FILE,
    PAYMENTS,
    PAYMENTS_FILE,
    REFUNDS,
    REFUNDS_FILE,
    SERIES_FILE,
    SETTLEMENTS,
    SETTLEMENTS_FILE,
    STAGES_FILE,
)

_AMOUNTS = (
    "instructed_amount_minor",
    "debited_amount_minor",
    "settlement_amount_minor",
    "credited_amount_minor",
)


def audit_tables(
    run: FinishedRun,
    plan: Plan,
    findings: Findings,
    *,
    replication: int | None = None,
    has_log: bool = False,
) -> None:
    """Check the tables of a run folder.

    Parameters
    ----------
    run : FinishedRun
        A finished run.
    plan : Plan
        Its plan.
    findings : Findings
        Where violations go.
    replication : int, optional
        Whose rows; by default all, of which amounts are priced again where they are of the plan's
        own replication, since rates may be drawn anew for each.
    has_log : bool
        Whether every row was held to a log already; what that says better is left out then:
        prices at the instants there may have been, sums of visits, bounds of samples.
    """
    table = run.table(PAYMENTS_FILE)
    # What ``run.json`` says was counted by the engine, apart from the rows.
    counted = run.facts.get("payments")
    findings.check(
        "one_row",
        not isinstance(counted, int) or counted == table.num_rows,
        "{} rows, the run counted {} payments",
        table.num_rows,
        counted if isinstance(counted, int) else -1,
    )
    table = _of_replication(table, replication)
    words = payment_words(plan)
    payments = _columns(table, PAYMENTS, words)
    check = Checker(findings, payments["payment_id"])
    _check_identity(payments, run.facts.get("replications"), check)
    _check_times(plan, payments, check)
    _check_outcomes(plan, payments, check)
    check_names(payments, words, check)
    check_plan(plan, payments, words, check)
    groups = group_payments(plan, payments)
    check_programs(payments, groups, check)
    check_currencies(plan, payments, words, groups=groups, check=check)
    priced = unpriced(len(payments["payment_id"]))
    # With a log the price is known at its instant, and this could only say less.
    if not has_log:
        priced = price_payments(plan, payments, groups, check)
    place = _Place(payments)
    if run.has(FEES_FILE):
        fee_names = fee_words(plan)
        fees = _columns(_of_replication(run.table(FEES_FILE), replication), FEES, fee_names)
        fees["of"] = place.of(fees["replication"], fees["payment_id"])
        _check_fees(fees, payments, fee_names, check)
        found = check_fees(plan, fees, fee_names, priced=priced, groups=groups)
        for message, holds in found.items():
            check.among(fees["payment_id"]).every("fees", holds, f"a fee {message}")
    if run.has(STAGES_FILE) and not has_log:
        check_visits(run, plan, payments, place=place.of, check=check, replication=replication)
    if run.has(REFUNDS_FILE):
        parts = _of_replication(run.table(REFUNDS_FILE), replication)
        refunds = _columns(parts, REFUNDS, refund_words(plan))
        of = place.of(refunds["replication"], refunds["payment_id"])
        check_refunds(refunds, payments, of, check)
    if run.has(ORDERS_FILE):
        _check_ordered(run, plan, payments, place, check, replication)
    if run.has(BREAKS_FILE):
        books = _columns(
            _of_replication(run.table(BREAKS_FILE), replication), BREAKS, break_words(plan)
        )
        check_breaks(plan, books, payments, findings)
    if run.has(OBLIGATIONS_FILE):
        _check_settled(run, plan, payments, place, check, replication)
    check_market(run, plan, findings)
    if run.has(SERIES_FILE) and not has_log:
        check_series(run, plan, findings, replication=replication)


def _check_ordered(
    run: FinishedRun,
    plan: Plan,
    payments: dict[str, Array],
    place: _Place,
    check: Checker,
    replication: int | None,
) -> None:
    """Check the ends of orders."""
    ends = _of_replication(run.table(ORDERS_FILE), replication)
    orders = _columns(ends, ORDERS, order_words(plan))
    of = place.of(orders["replication"], orders["payment_id"])
    check_orders(plan, orders, payments, of=of, check=check)


def _check_settled(
    run: FinishedRun,
    plan: Plan,
    payments: dict[str, Array],
    place: _Place,
    check: Checker,
    replication: int | None,
) -> None:
    """Check obligations and settlements."""
    table = _of_replication(run.table(OBLIGATIONS_FILE), replication)
    owed = _columns(table, OBLIGATIONS, obligation_words(plan))
    of = place.of(owed["replication"], owed["payment_id"])
    check_obligations(plan, owed, payments, of=of, check=check)
    if not run.has(SETTLEMENTS_FILE):
        return
    table = _of_replication(run.table(SETTLEMENTS_FILE), replication)
    paid = _columns(table, SETTLEMENTS, settlement_words(plan))
    came = (payments["outcome"] != Outcome.COMPLETED) & (payments["settled_us"] != NULL)
    for number in np.unique(paid["replication"]).tolist():
        is_whole = not (came & (payments["replication"] == number)).any()
        mine = {name: cells[paid["replication"] == number] for name, cells in paid.items()}
        theirs = {name: cells[owed["replication"] == number] for name, cells in owed.items()}
        check_files(plan, mine, theirs, is_whole=is_whole, check=check)


class _Place:
    """Rows of payments by replication and number."""

    def __init__(self, payments: dict[str, Array]) -> None:
        numbers = payments["payment_id"]
        # Replication and number in one key, so that one sorted search finds both.
        self._width = int(max(numbers.max(initial=0), 0)) + 1
        key = payments["replication"] * self._width + numbers
        self._order = np.argsort(key, kind="stable")
        self._key = key[self._order]

    def of(self, replication: Array, number: Array) -> Array:
        """Return the row of each payment named, -1 where there is none."""
        if len(self._key) == 0:
            return np.full(len(number), -1, dtype=np.int64)
        key = replication * self._width + number
        near = np.minimum(np.searchsorted(self._key, key), len(self._key) - 1)
        is_there = (self._key[near] == key) & (number >= 0) & (number < self._width)
        found: Array = np.where(is_there, self._order[near], -1)
        return found


def _columns(table: pa.Table, schema: pa.Schema, words: Words) -> dict[str, Array]:
    """Return every column of a table as numbers."""
    return {name: cells(table.select([name]), (name,), words)[:, 0] for name in schema.names}


def _check_identity(payments: dict[str, Array], replications: object, check: Checker) -> None:
    """Check that payments are numbered from 0 within each replication, one row each, in order."""
    numbers, of = payments["payment_id"], payments["replication"]
    if isinstance(replications, int):
        right = (of >= 0) & (of < replications)
        check.every("one_row", right, "its row is of a replication the run does not have")
    order = np.lexsort((numbers, of))
    sorted_numbers, sorted_of = numbers[order], of[order]
    first = np.flatnonzero(np.diff(sorted_of, prepend=-1))
    counts = np.diff(first, append=len(order))
    # Numbers within a replication count from 0; one that is missing, twice or out of place
    # shows.
    due = np.arange(len(order)) - np.repeat(first, counts)
    check = check.among(sorted_numbers)
    check.every(
        "one_row", sorted_numbers == due, "its row is missing, twice or in place of another"
    )
    times, streams = payments["submitted_us"][order], payments["stream"][order]
    # Payments are numbered in order of time, then stream.
    is_later = np.diff(times, prepend=0) > 0
    is_later |= (np.diff(times, prepend=0) == 0) & (np.diff(streams, prepend=-1) >= 0)
    is_later[first] = True
    message = "its number is not its place in order of submission and stream"
    check.every("order", is_later, message)


def _check_times(plan: Plan, payments: dict[str, Array], check: Checker) -> None:
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
    # An open payment's times reach up to the horizon.
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
    is_early = submitted < plan.warm_up_us
    check.every("order", payments["in_warm_up"] == is_early, "its mark of the warm-up is wrong")
    # Events at the horizon are not handled.
    check.every("order", is_open | (end < plan.horizon_us), "it ends when nothing happens any more")
    for name in (
        *("settled_us", "credited_us", "in_doubt_since_us"),
        *("gone_us", "doubted_us", "known_us"),
    ):
        instant = payments[name]
        within = (instant >= submitted) & (instant <= until)
        check.every("order", (instant == NULL) | within, f"{name} lies outside its life")
    # A stream of another name is found where names are; whatever is said of it here does not count.
    streams = np.append(plan.stream[:, StreamColumn.PATIENCE], np.int64(-1))
    patience = streams[np.clip(payments["stream"], -1, len(plan.stream))]
    stays = payments["gone_us"] == NULL
    check.every("patience", stays | (patience >= 0), "its payer left, who waits for ever")


def _check_outcomes(plan: Plan, payments: dict[str, Array], check: Checker) -> None:
    """Check that outcome, reason, instants and amounts do not contradict each other."""
    outcome, reason = payments["outcome"], payments["reason_code"]
    is_done, is_open = outcome == Outcome.COMPLETED, outcome == Outcome.IN_PROGRESS
    settled, credited = payments["settled_us"] != NULL, payments["credited_us"] != NULL
    known = (outcome >= 0) & (outcome < len(Outcome))
    check.every("outcome", known, "no outcome there is")
    check.every("outcome", (payments["end_us"] == NULL) == is_open, "it ended and is open, or not")
    check.every("outcome", ~is_done | credited, "completed and never credited")
    check.every("outcome", ~is_done | (reason < 0), "completed with a reason to fail")
    refused = (outcome == Outcome.REJECTED) | (outcome == Outcome.NOT_PAYABLE)
    failed = refused | (outcome == Outcome.RETURNED)
    check.every("outcome", ~failed | (reason >= 0), "ended badly without a reason")
    check.every("outcome", ~refused | ~credited, "rejected after it was credited")
    check.every(
        "outcome", (payments["attempts"] >= 0) & (payments["requotes"] >= 0), "counts below zero"
    )
    is_known = payments["in_doubt_since_us"] == NULL
    check.every("doubt", is_open | is_known, "it ended and is in doubt")
    doubted, told = payments["doubted_us"], payments["known_us"]
    check.every("doubt", is_known | (doubted != NULL), "it is in doubt and never came to be")
    check.every("doubt", (told == NULL) | (doubted != NULL), "it knows again what it knew")
    check.every("doubt", (told == NULL) | (told >= doubted), "it knows before it was in doubt")
    check.every(
        "doubt", ~is_known | (doubted == NULL) | (told != NULL), "its doubt never ended nor lasts"
    )
    left = payments["gone_us"] != NULL
    check.every("patience", left | (reason != Reason.DS02), "given up by a payer who never left")
    # An institution that sends a request again waits meanwhile, without another attempt.
    sends_again = bool((plan.stage[:, StageColumn.OP] == Op.RETRY).any())
    failed_over = (payments["attempts"] > 1) | (payments["instrument"] >= 0) | sends_again
    check.every(
        "outcome", failed_over | (payments["retry_us"] <= 0), "time for a retry, and one attempt"
    )
    # Who meant to pay with something paid with something, be it the same or not.
    is_said = (payments["first_instrument"] < 0) | (payments["instrument"] >= 0)
    check.every("outcome", is_said, "meant to pay with an instrument, and paid with none")
    instructed, debited, settlement, kept = (payments[name] for name in _AMOUNTS)
    is_priced = debited != NULL
    check.every("amounts", (instructed != NULL) & (instructed >= 0), "no instructed amount")
    check.every("amounts", ~is_priced | settled | is_done, "debited though nothing settled")
    check.every("amounts", is_priced == (settlement != NULL), "debited without settlement amount")
    check.every("amounts", ~is_priced | (debited >= 1), "debited less than one minor unit")
    check.every("amounts", (kept == NULL) | (kept >= 1), "credited less than one minor unit")
    check.every("amounts", (kept == NULL) | credited, "an amount credited never")
    check.every(
        "amounts", is_priced == (payments["payer_fee_minor"] != NULL), "debited without fee column"
    )
    merchant_fee = payments["merchant_fee_minor"]
    check.every("amounts", (kept == NULL) == (merchant_fee == NULL), "credited without fee column")
    for name in ("payer_fee_minor", "merchant_fee_minor", "fx_margin_minor"):
        right = (payments[name] == NULL) | (payments[name] >= 0)
        check.every("amounts", right, f"{name} below zero")
    # A returned payment has its principal back, and cost nobody a margin.
    has_margin = is_priced & (outcome != Outcome.RETURNED)
    for name in ("fx_margin_minor", "fx_rounding_millionths", "fx_drift_minor", "fx_risk_minor"):
        # What a provider risks ends with the settlement, which completion alone does not need.
        if name == "fx_risk_minor":
            has_margin = has_margin & settled
        right = (payments[name] != NULL) == has_margin
        check.every("amounts", right, f"{name} where nothing was debited for good, or none")


def _of_replication(table: pa.Table, replication: int | None) -> pa.Table:
    """Return the rows of a replication; most tables have one, and are not copied."""
    if replication is None:
        return table
    mine = int_values(table.column("replication")) == replication
    return table if mine.all() else table.filter(pa.array(mine))


def _check_fees(
    fees: dict[str, Array], payments: dict[str, Array], words: Words, check: Checker
) -> None:
    """Check that components add up to the columns, to the minor unit."""
    of, amount = fees["of"], fees["amount_minor"]
    check_rows = check.among(fees["payment_id"])
    check_rows.every("fees", of >= 0, "a fee of a payment that is not there")
    for name, known in words.items():
        check_rows.every("names", fees[name] < len(known), f"a {name} the plan does not have")
    # The margin of FX providers stands among the fees of the debtor but in a column of its own.
    is_margin = fees["component"] == words["component"].index(FX_SPREAD)
    for what, mine, column in (
        ("of the debtor", (fees["bearer"] == Bearer.DEBTOR) & ~is_margin, "payer_fee_minor"),
        ("of FX providers", (fees["bearer"] == Bearer.DEBTOR) & is_margin, "fx_margin_minor"),
        ("of the creditor", fees["bearer"] == Bearer.CREDITOR, "merchant_fee_minor"),
    ):
        chosen = mine & (of >= 0)
        total = np.zeros(len(payments["payment_id"]), dtype=np.int64)
        # ``add.at``, since a payment has several rows.
        np.add.at(total, of[chosen], amount[chosen])
        due = np.where(payments[column] == NULL, 0, payments[column])
        check.every("fees", total == due, f"components {what} do not add up to {column}")
