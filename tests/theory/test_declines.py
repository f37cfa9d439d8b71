"""What institutions decline at either end: shares by reason, and reversals that begin by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sim.audit.run import audit_log
from sim.compiler.compile import compile_scenario
from sim.contract.agenda import AgendaKind
from sim.contract.layout import AgendaColumn as A
from sim.contract.meaning import LogKind, Outcome, Reason
from sim.contract.records import LogColumn as L
from sim.contract.records import RecordColumn as C
from sim.errors import ScenarioError
from sim.study.case import RunOptions
from sim.study.run import run_replication
from tests.theory.driver import SECOND, Ran, load_text, run

HOUR = 3600 * SECOND

PAID = """
scenario: declined
extends: MINIMAL
clock: {horizon: HORIZON h}
rails: {bakong: {idle_interval: 1 min}}
routing: {view_interval: 12 h}
institutions:
  temple_bank: {declines: {DEBIT}}
  river_bank: {declines: {CREDIT}}
demand:
  inbound: null
  outbound: null
  domestic: {payments: [LIST]}
"""


def _text(*at_h: float, debit: str = "", credit: str = "", horizon: int = 72) -> str:
    """Return payments of temple_bank's customers to river_bank's, at hours after noon."""
    listed = ", ".join(f"{{at: {at} h, amount: 12 000, merchant: 0}}" for at in at_h)
    text = PAID.replace("LIST", listed).replace("HORIZON", str(horizon))
    return text.replace("DEBIT", debit).replace("CREDIT", credit)


def _back_h(ran: Ran) -> list[float]:
    """Return when payments came back, in hours after noon, in order of submission."""
    rows = ran.records[np.argsort(ran.records[:, C.PAYMENT])]
    assert set(rows[:, C.OUTCOME].tolist()) <= {Outcome.RETURNED, Outcome.IN_PROGRESS}
    return [round(end / HOUR, 1) for end in rows[:, C.END_US].tolist() if end > 0]


def test_who_cannot_debit_moves_nothing(tmp_path: Path, engine: str) -> None:
    ran = run(load_text(tmp_path, _text(0, 1, debit="debit: {AB10: 100 %}")), engine)
    rejected = (Outcome.REJECTED, Reason.AB10)
    assert [(row[C.OUTCOME], row[C.REASON]) for row in ran.records.tolist()] == [rejected] * 2
    assert not ran.rows(LogKind.TRANSFER, LogKind.POST, LogKind.RESERVE)


def test_what_cannot_be_credited_comes_back_at_once(tmp_path: Path, engine: str) -> None:
    ran = run(load_text(tmp_path, _text(0, 1, credit="credit: {AB09: 100 %}")), engine)
    assert _back_h(ran) == [0.0, 1.0]
    assert {row[C.REASON] for row in ran.records.tolist()} == {Reason.AB09}


def test_what_is_reversed_by_hand_comes_back_on_the_next_day(tmp_path: Path, engine: str) -> None:
    credit = 'credit: {AB09: 100 %}, automatic: 0 %, by_hand: {at: "10:00"}'
    ran = run(load_text(tmp_path, _text(0, 11.9, 20, 46, credit=credit)), engine)
    # From noon of the 17th: 12:00 and 23:54 come back at 10:00 of the 18th (22 h), 08:00 of the
    # 18th on the 19th (46 h), and 10:00 of the 19th on the 20th.
    assert _back_h(ran) == [22.0, 22.0, 46.0, 70.0]
    # On the hour and not before; an idle ledger's next block takes up to a minute.
    ends = [row[C.END_US] for row in ran.records.tolist()]
    assert all(0 <= end - round(end / HOUR) * HOUR < 65 * SECOND for end in ends)


def test_by_hand_waits_for_a_bank_day(tmp_path: Path, engine: str) -> None:
    # The 17th is a Wednesday; in Phnom Penh banks are closed on Saturday the 20th, Sunday, and from
    # Monday the 21st (in lieu), 22nd and 23rd (Pchum Ben) and 24th (Constitution Day).
    credit = "credit: {AB09: 100 %}, automatic: 0 %, by_hand: {calendars: [KH]}"
    ran = run(load_text(tmp_path, _text(30, 50, credit=credit, horizon=240)), engine)
    # 18:00 of Thursday: Friday 10:00, 46 h; 14:00 of Friday: Thursday the 25th at 10:00.
    assert _back_h(ran) == [46.0, 7 * 24 + 22.0]


def test_a_reversal_behind_closed_doors_is_found(tmp_path: Path) -> None:
    credit = "credit: {AB09: 100 %}, automatic: 0 %"
    ran = run(load_text(tmp_path, _text(0, credit=credit)), "reference")
    names = ran.plan.names.stations
    day, hour = (names.index(f"by hand.river_bank.{kind}") for kind in ("day", "hour"))
    agenda, log = ran.plan.agenda.copy(), ran.log.copy()
    # Agenda and log agree that the other door opens at the hour.
    opens = (agenda[:, A.KIND] == AgendaKind.STATION_OPEN) & (agenda[:, A.SUBJECT] == hour)
    agenda[opens, A.SUBJECT] = day
    log[(log[:, L.KIND] == LogKind.OPEN) & (log[:, L.SUBJECT] == hour), L.SUBJECT] = day
    found = audit_log(replace(ran.plan, agenda=agenda), [log], None).violations
    assert "closed" in {one.rule for one in found}


def test_over_a_link_what_cannot_be_credited_is_rejected(tmp_path: Path, engine: str) -> None:
    from tests.unit.rails.test_fast_payment import FAST, OUT

    # Both switches settle with the credit, so nothing is to be returned by hand: the sender is
    # told no, and what it had reserved is free again.
    declines = "institutions.siam_bank.declines={credit: {AB09: 100 %}, automatic: 0 %}"
    ran = run(load_text(tmp_path, FAST, [OUT, declines]), engine)
    assert ran.ended("out")[1:] == ("REJECTED", "AB09")
    assert not ran.rows(LogKind.POST, LogKind.TRANSFER)


JULY = """
scenario: july
extends: MINIMAL
clock: {horizon: 40 h}
institutions:
  temple_bank: null
  large:
    {country: KH, roles: [issuer], members: 3, payer_share: 15, decline: 7.2 %, core: CORE,
     declines: {debit: {AB10: 0.6 %}}}
  other:
    {country: KH, roles: [issuer], members: 20, payer_share: 20, decline: 7.2 %, core: CORE,
     declines: {debit: {AB10: 0.1975 %}}}
  river_bank: {core: CORE, declines: {credit: {AB09: 0.31375 %}, automatic: 79.6 %}}
rails:
  khqr:
    damaged_share: 0 %
    payloads:
      - 00020101021129120008sok@rivr5204599953031165802KH5911Sok Noodles6010Phnom Penh6304E465
  bakong: {opening_balance: {KHR: 100 000 000 000}, block_limit: 1500}
demand:
  inbound: null
  outbound: null
  domestic: {payments: null, rate: 50 /s, steps: {8000 s: 0}, amount: 12 000 KHR}
"""


@pytest.mark.slow
def test_failure_rates_are_those_of_upi_in_july_2025(tmp_path: Path) -> None:
    text = JULY.replace("CORE", "{servers: 400, service_time: 0.2 s}")
    compiled = compile_scenario(load_text(tmp_path, text))
    found = run_replication(compiled, RunOptions("compiled", "none")).summary
    # 23 banks: three with 15 of 35 payers and twenty with 20; (15 x 0.6 + 20 x 0.1975) / 35 is
    # 0.37 % technical beside 7.2 % business. Of the 92.43 % left 0.31375 % come back: 0.29 %.
    submitted = float(found["submitted"])
    assert abs(submitted - 400_000) < 4 * 400_000**0.5
    assert 100 * float(found["business_decline_share"]) == pytest.approx(7.2, abs=0.1)
    assert 100 * float(found["technical_decline_share"]) == pytest.approx(0.37, abs=0.03)
    assert 100 * float(found["reversal_share"]) == pytest.approx(0.29, abs=0.03)
    # All came in 8 000 s of the first afternoon: who waits does so until 10:00 of the next day.
    starts = found.by["station"]["by hand.river_bank.hour"]["starts"]
    by_hand = float(starts) / float(found["returned"])
    assert 100 * (1 - by_hand) == pytest.approx(79.6, abs=4 * 100 * (0.796 * 0.204 / 1_160) ** 0.5)
    assert float(found["in_progress"]) == 0


@pytest.mark.parametrize(
    ("debit", "words"),
    [
        ("debit: {AG01: 60 %, AB10: 41 %}", "found 101 % in all with decline"),
        ("credit: {AB09: 60 %, AB08: 41 %}", "found 101 % in all; allowed"),
        ("debit: {AM04: 1 %}", "AM04"),
    ],
)
def test_what_cannot_be_declined_is_refused(tmp_path: Path, debit: str, words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        compile_scenario(load_text(tmp_path, _text(0, debit=debit)), with_tables=False)


@pytest.mark.parametrize(
    ("credit", "field"),
    [
        ("debit: {AB10: 1 %}", "debit"),
        ("automatic: 50 %", "automatic"),
        ("credit: {AB09: 1 %}, by_hand: {at: '09:00'}", "by_hand"),
    ],
)
def test_what_declines_nothing_is_told(tmp_path: Path, credit: str, field: str) -> None:
    found = compile_scenario(load_text(tmp_path, _text(0, credit=credit)), with_tables=False)
    assert ("institutions", "river_bank", "declines", field) in [path for path, _ in found.notes]
