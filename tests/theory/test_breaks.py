"""What books disagree about at the end of each day, worked out by hand.

``gwlate`` over several days: noon of Wednesday, 17 September 2025. The rounds of an idle ledger
double up to ten minutes here; so the payment is debited by the block of 12.0, at 12.3 s, and in
doubt when its order ends 840 s later, at 852.3, until the gateway's file after
``reconciliation_time`` says that nothing was paid. It is back some minutes later.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from sim.audit.breaks import break_words, check_breaks
from sim.audit.findings import Findings
from sim.audit.names import Words, cells, payment_words
from sim.compiler.compile import compile_scenario
from sim.contract.plan import Array
from sim.report.blocks import Text
from sim.report.documents.left_open import reconciled
from sim.study.case import RunOptions
from sim.study.run import run_replication
from sim.tables.break_rows import break_rows
from sim.tables.breaks import BreakFolder
from sim.tables.columns import lay_out
from sim.tables.payment_rows import PaymentRows
from sim.tables.schemas import BREAKS, PAYMENTS
from tests.theory.driver import Ran, load_text, run

LATE = """
scenario: late_for_days
extends: MINIMAL
clock: {horizon: 240 h}
rails:
  bakong: {idle_interval: 10 min}
  unionpay: {authorisation_time: 1000 h, reconciliation_time: KNOWN}
routing: {view_interval: 12 h}
demand: {inbound: null, domestic: null}
"""
AGES = ("same_day", "one_day", "two_to_three_days", "four_to_seven_days", "over_seven_days")
HOUR = 3_600


def _run(folder: Path, engine: str, known: str, *changes: str) -> Ran:
    return run(load_text(folder, LATE.replace("KNOWN", known), changes), engine)


def _rows(ran: Ran) -> list[tuple[float, str, int, int, int]]:
    folder = BreakFolder(ran.plan)
    folder.take(ran.records)
    rows = break_rows(ran.plan, folder, 0).to_pylist()
    assert {(row["rail"], row["agent"], row["currency"]) for row in rows} <= {
        ("unionpay", "river_bank", "CNY")
    }
    return [
        (row["reconciled_us"] / 3_600_000_000, row["age"], row["breaks"], row["new"],
         row["in_doubt"]) for row in rows
    ]  # fmt: skip


def test_a_break_ages_until_the_file_comes(tmp_path: Path, engine: str) -> None:
    ran = _run(tmp_path, engine, "100 h")
    # Midnights lie 12, 36, 60, 84 and 108 h after noon; known 100 h after 852.3 s, and back within
    # a quarter of an hour: there at four midnights, a day older at each, and new at the first.
    assert ran.record("outbound")["known_us"] == 852_300_000 + 100 * HOUR * 1_000_000
    assert _rows(ran) == [
        (12, "same_day", 1, 1, 1),
        (36, "one_day", 1, 0, 1),
        (60, "two_to_three_days", 1, 0, 1),
        (84, "two_to_three_days", 1, 0, 1),
    ]
    # 50.00 yuan, instructed.
    folder = BreakFolder(ran.plan)
    folder.take(ran.records)
    assert {cell[1] for cell in folder.cells.values()} == {5_000}


def test_what_nobody_resolves_grows_old(tmp_path: Path, engine: str) -> None:
    ran = _run(tmp_path, engine, "999 h")
    ages = [age for _, age, *_ in _rows(ran)]
    # Ten midnights up to the horizon's: 0, 1, 2, 3, 4, 5, 6, 7, 8 and 9 days.
    assert ages == [
        AGES[0], AGES[1], AGES[2], AGES[2], AGES[3], AGES[3], AGES[3], AGES[3], AGES[4], AGES[4],
    ]  # fmt: skip


def test_what_is_over_before_the_end_of_the_day_is_no_break(tmp_path: Path, engine: str) -> None:
    # Control: known after 11 h, at 23:14 of the same day.
    assert _rows(_run(tmp_path, engine, "11 h")) == []


def test_books_are_compared_on_bank_days_at_their_hour(tmp_path: Path, engine: str) -> None:
    # In Phnom Penh banks are closed from Saturday the 20th to Wednesday the 24th.
    rule = 'reconciliation={at: "18:00", calendars: [KH]}'
    ran = _run(tmp_path, engine, "999 h", rule)
    # 18:00 of 17, 18, 19, 25 and 26 September: 6, 30, 54, 198 and 222 h; 8 and 9 days are old.
    assert [(at, age, new) for at, age, _, new, _ in _rows(ran)] == [
        (6, "same_day", 1),
        (30, "one_day", 0),
        (54, "two_to_three_days", 0),
        (198, "over_seven_days", 0),
        (222, "over_seven_days", 0),
    ]


def test_breaks_are_measures_and_a_sentence(tmp_path: Path) -> None:
    case = compile_scenario(load_text(tmp_path, LATE.replace("KNOWN", "100 h")))
    found = run_replication(case, RunOptions("compiled", "none")).summary
    measured = {name: found[name].value for name in found.measures if name.startswith("breaks_")}
    # The oldest stood from 12.3 s to 84 h.
    assert measured == {
        "breaks_opened": 1, "breaks_resolved": 1, "breaks_open": 0,
        "breaks_oldest": 84 * HOUR - 12.3,
    }  # fmt: skip
    by_age = {age: one["breaks_found"].value for age, one in found.by["age"].items()}
    assert by_age == dict(zip(AGES, (1, 1, 2, 0, 0), strict=True))
    told = [block for block in reconciled(found) if isinstance(block, Text)]
    assert told[0].words.startswith("Books disagreed about 1 payment at the end of a day")
    short = compile_scenario(load_text(tmp_path, "scenario: s\nextends: MINIMAL\n"))
    found = run_replication(short, RunOptions("compiled", "none")).summary
    assert found["breaks_opened"].value is None
    assert not list(reconciled(found))


def _numbers(table: pa.Table, names: list[str], words: Words) -> dict[str, Array]:
    return dict(zip(names, cells(table, tuple(names), words).T, strict=True))


@pytest.mark.parametrize("column", ["breaks", "amount_minor", "new", "in_doubt", "age"])
def test_a_changed_row_is_found(tmp_path: Path, column: str) -> None:
    ran = _run(tmp_path, "reference", "100 h")
    folder = BreakFolder(ran.plan)
    folder.take(ran.records)
    table, paid = (
        break_rows(ran.plan, folder, 0),
        PaymentRows(ran.plan).payments(lay_out(ran.records)),
    )
    books = _numbers(table, BREAKS.names, break_words(ran.plan))
    payments = _numbers(paid, PAYMENTS.names, payment_words(ran.plan))
    findings = Findings()
    check_breaks(ran.plan, books, payments, findings)
    assert findings.violations == []
    books[column] = books[column].copy()
    books[column][1] += 1
    check_breaks(ran.plan, books, payments, findings)
    assert {one.rule for one in findings.violations} == {"breaks"}
    assert np.all(books["breaks"] >= 1)
