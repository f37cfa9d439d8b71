"""Tell why one payment of a run went the way it did.

Takes a run folder and a payment id; gives text: what was asked for, which routes could carry it at
which price, which one was taken, where the time and the money went, and how it ended. What was not
recorded is drawn again from the scenario and the seed (the payment's code, its candidates); the
more the run recorded, the more the story says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sim.compiler.compile import Compiled
from sim.compiler.recompile import compile_again
from sim.contract.layout import AccountColumn, CandidateColumn, RouteColumn, RouteSetColumn
from sim.contract.meaning import Outcome, Reason
from sim.contract.records import WorkloadColumn
from sim.contract.words import member_words
from sim.errors import OptionError, UserError
from sim.explain.fx import quoted_words
from sim.explain.loads import joined_by
from sim.explain.price import price_amount
from sim.explain.shops import order_line
from sim.explain.words import about, at, count, moment, span, table
from sim.model.currencies import declared_of
from sim.routing.policies import policy_words, routing_of
from sim.tables.finished_run import FinishedRun
from sim.tables.open_run import open_run
from sim.tables.schemas import (
    CAUSES,
    EVENTS_FILE,
    FEES_FILE,
    FX_SPREAD,
    ORDERS_FILE,
    PAYMENTS_FILE,
    STAGES_FILE,
)
from sim.units import format_minor, using_currencies

Row = dict[str, int | str | None]


@dataclass(frozen=True, slots=True)
class _Story:
    """What is known of the payment."""

    compiled: Compiled
    payment: Row
    workload: list[int]
    fees: list[Row]
    stages: list[Row] | None
    events: list[Row] | None
    blocks: list[Row]
    """What blocks took of load, where the whole log was recorded."""
    orders: list[Row]
    """How it ended as an order of a shop, where it is one and has."""


def tell_payment(path: Path, payment: int, *, replication: int | None = None) -> str:
    """Tell the story of one payment.

    Parameters
    ----------
    path : Path
        A finished run with payments recorded.
    payment : int
        Value of ``payment_id``.
    replication : int, optional
        Value of ``replication``; by default the first the run has.

    Raises
    ------
    UserError
        If the folder is no finished run or has no such payment.
    """
    run = open_run(path)
    known_numbers = run.replications
    if replication is None:
        replication = known_numbers[0]
    keys = (("payment_id", payment), ("replication", replication))
    found = _rows(run, PAYMENTS_FILE, keys)
    if found is None:
        raise UserError(
            f"{path}: found no {PAYMENTS_FILE}; a payment's story needs a run recorded with "
            "--record payments or more"
        )
    if not found:
        if replication not in known_numbers:
            first, *_, final = known_numbers if len(known_numbers) > 1 else (known_numbers[0],) * 2
            raise OptionError(
                "replication",
                f"found {replication}; {path} has {count(len(known_numbers), 'replication')}, "
                f"allowed: " + (str(first) if first == final else f"{first} to {final}"),
            )
        last = _last_payment(run, replication)
        known = "none, the run has no payments" if last is None else f"0 to {last}"
        raise OptionError(
            "payment", f"found {payment}; allowed in replication {replication} of {path}: {known}"
        )
    compiled = compile_again(run, replication)
    story = _Story(
        compiled=compiled,
        payment=found[0],
        workload=_drawn(compiled, payment),
        fees=_rows(run, FEES_FILE, keys) or [],
        stages=_rows(run, STAGES_FILE, keys),
        events=_rows(run, EVENTS_FILE, (("payment", payment), ("replication", replication))),
        blocks=_load_rows(run, compiled, replication),
        orders=_rows(run, ORDERS_FILE, keys) or [],
    )
    with using_currencies(declared_of(compiled.scenario.currencies)):
        lines = [
            *_beginning(story),
            *_candidates(story),
            *_course(story),
            *_times(story),
            *_money(story),
        ]
    return "\n".join(lines) + "\n"


def _rows(run: FinishedRun, name: str, keys: Sequence[tuple[str, int | str]]) -> list[Row] | None:
    """Return the rows of a table that belong to the payment, None where it was not recorded."""
    if not run.has(name):
        return None
    rows: pa.Table = pq.read_table(run.path / name, filters=[(key, "=", is_) for key, is_ in keys])
    return cast("list[Row]", rows.to_pylist())


def _load_rows(run: FinishedRun, compiled: Compiled, replication: int) -> list[Row]:
    """Return what blocks took of load; nothing where there is none or it was not recorded."""
    if not compiled.loads:
        return []
    return _rows(run, EVENTS_FILE, (("kind", "load"), ("replication", replication))) or []


def _last_payment(run: FinishedRun, replication: int) -> int | None:
    """Return the highest payment of a replication, None where it has none."""
    rows = run.table(PAYMENTS_FILE, ["payment_id", "replication"])
    mine = rows.filter(pc.field("replication") == replication)
    last = pc.max(mine.column("payment_id")).as_py()
    return None if last is None else int(last)


def _drawn(compiled: Compiled, payment: int) -> list[int]:
    """Draw the payment again: payments are numbered in order of submission."""
    first = 0
    # Drawn from the first payment on: ordinals of one stream do not tell the id over all
    # streams.
    for chunk in compiled.workload():
        if payment < first + len(chunk):
            return [int(value) for value in chunk[payment - first]]
        first += len(chunk)
    raise UserError(f"the scenario draws {first} payments only; run it again")


def _beginning(story: _Story) -> Iterator[str]:
    payment = story.payment
    start = story.compiled.scenario.clock.start
    submitted = _int(payment["submitted_us"])
    amount = _amount(payment, "instructed")
    yield (
        f"Payment {payment['payment_id']} of {payment['stream']}, corridor {payment['corridor']}: "
        f"{amount}"
    )
    yield (
        f"Submitted {moment(start + timedelta(microseconds=submitted))} ({at(submitted)}), payer "
        f"{story.workload[WorkloadColumn.PAYER]}"
    )
    agents = [payment["debtor_agent"] or "nobody yet", payment["creditor_agent"] or "nobody yet"]
    yield f"From a customer of {agents[0]} to a customer of {agents[1]}"
    merchant = story.workload[WorkloadColumn.MERCHANT]
    if 0 <= merchant < len(story.compiled.merchants):
        shown = story.compiled.merchants[merchant]
        schemes = ", ".join(shown.schemes) or "none"
        yield f"Code of merchant {merchant}: {shown.currency or 'no'} currency, schemes {schemes}"
        if story.workload[WorkloadColumn.CODE_STATE]:
            yield "  the code could not be read"
    outcome = str(payment["outcome"]).replace("_", " ")
    reason = payment["reason_code"]
    why = f": {reason}, {_reason_words(str(reason))}" if reason is not None else ""
    yield f"Outcome: {outcome}{why}"
    yield from map(order_line, story.orders)
    tries = _int(payment["attempts"])
    if tries > 1:
        yield f"It took {count(tries, 'route')}; the table shows the last one."
    if payment["requotes"]:
        times = count(_int(payment["requotes"]), "time")
        yield f"The price lapsed and was asked for again {times}."


def _candidates(story: _Story) -> Iterator[str]:
    """Yield the routes that could carry the payment and their price when it was submitted."""
    compiled, plan = story.compiled, story.compiled.plan
    which = story.workload[WorkloadColumn.ROUTE_SET]
    first, number = (int(value) for value in plan.route_set[which, : RouteSetColumn.COUNT + 1])
    yield ""
    # A class of payees that no route reaches.
    if number == 0:
        yield "No route reaches this payee."
        return
    policy = routing_of(compiled.scenario, str(story.payment["corridor"])).policy
    yield f"Routes for this payee (policy {policy}), priced at the rates of its submission:"
    rows: list[tuple[str, ...]] = [("", "route", "payer pays", "cost", "expected")]
    amount = story.workload[WorkloadColumn.AMOUNT]
    # At the rates of submission, which the policy may not have seen: it chooses at the instant
    # of ROUTE.
    for route in plan.candidate[first : first + number, CandidateColumn.ROUTE]:
        known = compiled.routes[int(route)]
        row = int(plan.route[route, RouteColumn.PRICING])
        cost = pays = "-"
        if known.flow.price is not None and row >= 0:
            submitted = _int(story.payment["submitted_us"])
            price = price_amount(plan, row, known.flow.price, amount, time_us=submitted)
            pays = format_minor(price.debited + price.payer_fee, known.flow.price.currencies[0])
            cost = f"{price.cost_bps:.1f} bps"
        taken = "taken" if known.name == story.payment["route"] else ""
        rows.append((taken, known.name, pays, cost, about(known.expected_us)))
    yield from table(rows, indent=2, right=frozenset((2, 3, 4)))
    if story.payment["route"] is None:
        yield "It ended before a route was chosen."
    else:
        best = policy_words(policy)
        yield f"Policy {policy}: {best}, when it was chosen; ties by share."
        if story.events is None:
            yield "What the router knew then is told of a run with --record events."


def _course(story: _Story) -> Iterator[str]:
    """Yield what the payment went through, as far as it was recorded."""
    yield ""
    if story.events:
        yield "What happened:"
        names = story.compiled.plan.names
        for row in story.events:
            stage = _int(row["stage"])
            where = names.stages[stage] if stage >= 0 else ""
            what = str(row["kind"]).replace("_", " ")
            when, detail = at(_int(row["time_us"])), _detail(row, story.compiled)
            if row["kind"] == "quote":
                detail += _quoted(story, row)
            if row["kind"] == "enqueue":
                detail += _before_it(story, row)
            yield f"  {when:<18} {what:<10} {where}{detail}"
    elif story.stages:
        yield "What it went through:"
        rows: list[tuple[str, ...]] = [("from", "stage", "waited", "took", "cause")]
        for row in sorted(story.stages, key=lambda row: _int(row["queued_us"])):
            queued, started = _int(row["queued_us"]), row["started_us"]
            ended = row["ended_us"]
            waited = "-" if started is None else span(_int(started) - queued)
            took = "-" if ended is None else span(_int(ended) - _int(started or queued))
            rows.append((span(queued), str(row["stage_name"]), waited, took, str(row["cause"])))
        yield from table(rows, indent=2, right=frozenset((0, 2, 3)))
    else:
        yield "Its way stage by stage was not recorded; run again with --record stages or events."


def _quoted(story: _Story, row: Row) -> str:
    """Return who converts at a price that was quoted."""
    amount = story.workload[WorkloadColumn.AMOUNT]
    return quoted_words(story.compiled.plan, _int(row["subject"]), amount, _int(row["time_us"]))


def _before_it(story: _Story, row: Row) -> str:
    """Return how much of a ledger's load stands before a payment that joins its queue."""
    ledger, time_us = _int(row["subject"]), _int(row["time_us"])
    joined = joined_by(story.compiled.plan, ledger, time_us)
    taken = sum(
        _int(block["amount"])
        for block in story.blocks
        if _int(block["subject"]) == ledger
        and (block["time_us"], block["key"]) < (time_us, row["key"])
    )
    return f", behind {count(joined - taken, 'payment')} of its load" if joined else ""


def _detail(row: Row, compiled: Compiled) -> str:
    """Return what an event row's numbers stand for."""
    names, kind = compiled.plan.names, str(row["kind"])
    subject, amount = _int(row["subject"]), _int(row["amount"])
    if kind in ("join", "start", "finish", "in_doubt"):
        time = f", {span(amount)}" if kind == "start" else ""
        return f" at {names.stations[subject]}{time}"
    if kind == "delay":
        return f" for {span(amount)}"
    if kind in ("enqueue", "in_block"):
        return f" of {names.ledgers[subject]}"
    if kind in ("reserve", "post", "transfer", "void", "moved"):
        to = names.accounts[_int(row["value"])]
        return f" {_in_currency(compiled, subject, amount)} from {names.accounts[subject]} to {to}"
    if kind == "short":
        return f" {_in_currency(compiled, subject, amount)} on {names.accounts[subject]}"
    if kind == "route":
        return f" takes {names.routes[subject]} (score {amount})"
    if kind in ("fail", "expire"):
        code = Reason(subject).name
        return f" {code}, {_reason_words(code)}"
    if kind == "outcome":
        return f" {Outcome(subject).name.lower().replace('_', ' ')}"
    if kind == "refund_due":
        return f" part {subject}, in {span(_int(row['value']))}"
    if kind == "refund":
        code = Reason(_int(row["value"])).name
        refused = "" if code == "NONE" else f" refused: {code}, {_reason_words(code)}"
        return f" part {subject}{refused}"
    if kind in ("ordered", "released", "order_expired"):
        return _of_order(kind, names.shops[subject], amount, _int(row["value"]))
    if kind == "deadline":
        return f" in {span(amount)}"
    if kind == "await":
        return f" for {span(amount)} at most"
    if kind == "known":
        return f" after {span(amount)} in doubt"
    return ""


def _of_order(kind: str, shop: str, amount: int, value: int) -> str:
    """Return what is said of an order in a row of its life."""
    if kind == "ordered":
        return f" at {shop}, {amount:,} left, for {span(value)}"
    polls = f"asked about {count(amount, 'time')}"
    if kind == "released":
        return f" by {shop}, {span(value)} after the credit, {polls}"
    return f" at {shop}, {polls}, {value:,} left"


def _in_currency(compiled: Compiled, account: int, amount: int) -> str:
    currency = int(compiled.plan.account[account, AccountColumn.CURRENCY])
    return format_minor(amount, compiled.plan.names.currencies[currency])


def _times(story: _Story) -> Iterator[str]:
    payment = story.payment
    end = payment["end_us"]
    yield ""
    if end is None:
        yield "It was still open at the horizon; time so far:"
    else:
        yield f"It took {span(_int(end) - _int(payment['submitted_us']))}:"
    rows: list[tuple[str, ...]] = [
        (cause, span(_int(payment[f"{cause}_us"])))
        for cause in CAUSES
        if _int(payment[f"{cause}_us"])
    ]
    yield from table(rows, indent=2, right=frozenset((1,))) if rows else ("  no time at all",)


def _money(story: _Story) -> Iterator[str]:
    payment = story.payment
    yield ""
    if payment["debited_amount_minor"] is None:
        yield "No money moved for good."
        return
    yield "Money:"
    rows: list[tuple[str, ...]] = []
    for side in ("debited", "settlement", "credited"):
        if payment[f"{side}_amount_minor"] is not None:
            rows.append((f"{side} amount", _amount(payment, side)))
    for fee in story.fees:
        name = "FX margin" if fee["component"] == FX_SPREAD else f"fee {fee['component']}"
        amount = format_minor(_int(fee["amount_minor"]), str(fee["currency"]))
        rows.append((f"{name} to {fee['recipient']}, borne by the {fee['bearer']}", amount))
    yield from table(rows, indent=2, right=frozenset((1,)))


def _amount(payment: Row, side: str) -> str:
    return format_minor(_int(payment[f"{side}_amount_minor"]), str(payment[f"{side}_currency"]))


def _reason_words(code: str) -> str:
    """Return what a reason code means, from the specification."""
    words = member_words(Reason).get(code, "")
    return words[:1].lower() + words[1:].rstrip(".")


def _int(value: int | str | None) -> int:
    assert isinstance(value, int)
    return value
