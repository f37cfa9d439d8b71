"""Providers with margins by amount and hour and bounded positions, by hand, in both engines.

Everything is audited by `run_text`. Mid rates are written so that amounts come out round; times are
those of `minimal.yaml`: a payment abroad chooses its route 0.1 s after it came, is quoted then, and
reserves 3.65 s later.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.analysis.measures import RunFigures, summarise
from sim.analysis.summary import Measures, Summary
from sim.contract.meaning import LogKind, Outcome
from sim.contract.plan import Array
from sim.contract.reasons import Reason
from sim.contract.records import AccountTotal, LogColumn, RecordColumn
from sim.tables.folding import SummaryFolder
from tests.support.scenarios import RanScenario, run_text

HEAD = """
scenario: market
extends: minimal.yaml
clock: {start: 2025-09-17T12:00:00+07:00, horizon: 3 min}
fx:
  mid: {CNY/KHR: {rate: 560}}
  providers:
    north: {quotes: {CNY/KHR: {spread: 0.5 %, amounts: [{at_least: 40 CNY, spread: 0.2 %}]}}}
    south:
      quotes:
        KHR/CNY: {spread: 0.4 %, hours: {noon: {from: "12:00:30", to: "12:01", more: 0.3 %}}}
      inventory: {POSITIONS}
  desks: {river_bank: [DESKS]}
institutions:
  north: {country: KH, roles: [fx_provider]}
  south: {country: KH, roles: [fx_provider]}
routing: {failover: FAILOVER}
"""
ABROAD = """
demand:
  inbound: null
  domestic: null
  outbound:
    payments:
"""
C = RecordColumn


def _ran(folder: Path, text: str, *, positions: str, desks: str, failover: int) -> RanScenario:
    for word, value in (("POSITIONS", positions), ("DESKS", desks), ("FAILOVER", str(failover))):
        text = text.replace(word, value)
    return run_text(folder, text)


def _abroad(*payments: tuple[int, int]) -> str:
    return ABROAD + "".join(f"    - {{at: {at} s, amount: {cny}}}\n" for at, cny in payments)


def _routes(ran: RanScenario) -> list[tuple[str, int, int, str, str, int]]:
    """Return provider, debited, margin, outcome, reason and attempts by payment."""
    names = ran.compiled.plan.names.routes
    found = []
    for row in ran.record[np.argsort(ran.record[:, C.PAYMENT])]:
        provider = names[row[C.ROUTE]].rpartition(".")[2]
        ends = Outcome(row[C.OUTCOME]).name, Reason(row[C.REASON]).name
        paid = [int(max(row[column], 0)) for column in (C.DEBITED, C.FX_MARGIN)]
        found.append((provider, *paid, *ends, int(row[C.ATTEMPTS])))
    return found


def _balance(ran: RanScenario, account: str) -> int:
    return int(ran.totals.end_posted[ran.compiled.plan.names.accounts.index(account)])


def _summary(ran: RanScenario) -> Summary:
    folder = SummaryFolder(ran.compiled.plan)
    folder.take(ran.record)
    return summarise(RunFigures(ran.compiled.plan, folder, ran.totals))


def _provider(ran: RanScenario, name: str) -> Measures:
    return _summary(ran).by["provider"][name]


def _total(ran: RanScenario, account: str, column: AccountTotal) -> int:
    return int(ran.totals.account[ran.compiled.plan.names.accounts.index(account), column])


def test_the_best_quote_is_by_amount_and_hour_and_a_provider_that_is_sold_out_refuses(
    tmp_path: Path,
) -> None:
    # 20.00 yuan are 11 200.00 riel at 560. South asks 0.4 %: 11 244.80, billed 11 245. At 33 s it
    # is past 12:00:30 and south asks 0.7 %, so north is better with 0.5 %: 11 256.00. 50.00 yuan
    # are 28 000.00, of which north asks 0.2 %: 28 056.00. At 70 s noon is over and south has the
    # better quote again; but it may be short of 20.00 yuan and is so already, so it refuses at
    # 73.75 s, and north makes the fourth payment after all.
    ran = _ran(
        tmp_path,
        HEAD + _abroad((3, 20), (33, 20), (43, 50), (70, 20)),
        positions="CNY: {short: 20}",
        desks="south, north",
        failover=1,
    )
    assert _routes(ran) == [
        ("south", 11_245_00, 45_00, "COMPLETED", "NONE", 1),
        ("north", 11_256_00, 56_00, "COMPLETED", "NONE", 1),
        ("north", 28_056_00, 56_00, "COMPLETED", "NONE", 1),
        ("north", 11_256_00, 56_00, "COMPLETED", "NONE", 2),
    ]
    [(refused_us, payment, reason, *_)] = ran.told(LogKind.FAIL)
    assert (refused_us, payment, reason) == (73_750_000, 3, Reason.AM23)
    assert _balance(ran, "fx:south:CNY") == -20_00
    # Half up to whole riel: of 44.80 margin and 11 200.00 at mid, 45 and 11 200.
    assert _balance(ran, "fx:south:KHR") == 11_200_00
    assert _balance(ran, "spread:south:KHR") == 45_00
    # 20 + 50 + 20 yuan at 560 each; margins of 56 thrice.
    assert _balance(ran, "fx:north:KHR") == 90 * 560_00
    assert _balance(ran, "spread:north:KHR") == 3 * 56_00
    assert _total(ran, "fx:south:CNY", AccountTotal.LOST) == 1
    assert _total(ran, "fx:south:CNY", AccountTotal.LOW) == -20_00
    assert float(_provider(ran, "south")["conversions_refused"]) == 1
    # The pair has not moved: what south sold is worth what it got.
    assert float(_provider(ran, "south")["fx_revaluation_minor"]) == 0
    # North has no bounds.
    assert set(_summary(ran).by["provider"]) == {"south"}


def test_a_provider_that_will_hold_no_more_refuses_and_without_another_nobody_pays(
    tmp_path: Path,
) -> None:
    # South alone, which opens with 1 000.00 riel: the first payment leaves 1 000.00
    # of the 13 200.00 it will hold, too little for 11 200.00 more. The second is refused
    # before money moves, and voids what it had reserved.
    ran = _ran(
        tmp_path,
        HEAD + _abroad((3, 20), (70, 20)),
        positions="KHR: {opening: 1 000, long: 13 200}",
        desks="south",
        failover=1,
    )
    assert _routes(ran) == [
        ("south", 11_245_00, 45_00, "COMPLETED", "NONE", 1),
        ("south", 0, 0, "REJECTED", "AM23", 1),
    ]
    assert _balance(ran, "fx:south:KHR") == 12_200_00
    assert _balance(ran, "room:south:KHR") == 1_000_00
    assert _balance(ran, "customers:temple_bank:KHR") == -11_245_00
    held = {row[2] for row in ran.told(LogKind.RESERVE) if row[1] == 1}
    voided = {row[2] for row in ran.told(LogKind.VOID) if row[1] == 1}
    assert held == voided
    assert len(held) == 2
    # It never held more than 12 200.00 riel: 21.7857 yuan, the first of its currencies.
    found = _provider(ran, "south")
    assert (found["conversions_refused"].value, found["position_peak_minor"].value) == (1, 21_79)


def test_equal_quotes_go_to_the_desk_named_first(tmp_path: Path) -> None:
    text = HEAD.replace("spread: 0.5 %", "spread: 0.4 %") + _abroad((3, 20))
    for first, second in (("north", "south"), ("south", "north")):
        ran = _ran(tmp_path, text, positions="", desks=f"{first}, {second}", failover=0)
        assert _routes(ran) == [(first, 11_245_00, 45_00, "COMPLETED", "NONE", 1)]


def test_the_best_quote_is_taken_whatever_the_policy(tmp_path: Path) -> None:
    # Both desks are as fast, and north is named first. Fastest still takes south's 0.4 % before
    # 12:00:30 and after 12:01; between, north's 0.5 % is better than 0.7 %. The third payment finds
    # south sold out and fails over to north, alone left.
    text = HEAD.replace("routing: {", "routing: {policy: fastest, ")
    ran = _ran(
        tmp_path,
        text + _abroad((3, 20), (33, 20), (70, 20)),
        positions="CNY: {short: 20}",
        desks="north, south",
        failover=1,
    )
    assert [(row[0], row[5]) for row in _routes(ran)] == [("south", 1), ("north", 1), ("north", 2)]
    # A quote alone in its group is taken unscored; planted, the other is refused by the audit.
    taken = ran.told(LogKind.ROUTE)
    assert [row[3] for row in taken] == [0] * 4
    log = ran.log.copy()
    at = np.flatnonzero(log[:, LogColumn.KIND] == LogKind.ROUTE)[0]
    log[at, LogColumn.SUBJECT] = 1 - log[at, LogColumn.SUBJECT]
    assert "route" in ran.audit_of(log)


def test_a_rejected_payment_gives_the_position_back_at_once(tmp_path: Path) -> None:
    # Every request fails at the gateway: the first payment holds all 20.00 yuan from 6.75 s until
    # it is voided, and so does the second, which finds them there again.
    text = HEAD + "rails: {unionpay: {technical_decline: 100 %}}\n" + _abroad((3, 20), (70, 20))
    ran = _ran(tmp_path, text, positions="CNY: {short: 20}", desks="south", failover=0)
    assert [row[4] for row in _routes(ran)] == ["AB10", "AB10"]
    at = ran.compiled.plan.names.accounts.index("fx:south:CNY")
    held = [(row[1], row[3]) for row in ran.told(LogKind.RESERVE) if row[2] == at]
    voided = [(row[1], row[3]) for row in ran.told(LogKind.VOID) if row[2] == at]
    assert held == voided == [(0, 20_00), (1, 20_00)]
    assert _balance(ran, "fx:south:CNY") == 0
    assert _total(ran, "fx:south:CNY", AccountTotal.LOST) == 0


INBOUND = """
demand:
  domestic: null
  outbound: null
  inbound:
    payments:
    - {at: 1 s, amount: 20 000, merchant: 1}
    - {at: 61 s, amount: 8 000, merchant: 1}
"""


@pytest.mark.parametrize("share", ["0 %", "100 %"], ids=["credited", "returned"])
def test_a_returned_payment_gives_the_position_back(tmp_path: Path, share: str) -> None:
    # South sells riel for the dollars river_bank is paid: 20 000 at 4000 are 5.00 dollars, with
    # 0.4 % 5.02; 8 000 are 2.00, with 0.4 % 2.008. What its own conversion cost river_bank (0.12 %)
    # is gone: the payer bears the margin of south. Returned, both positions are where they were.
    text = HEAD.replace("KHR/CNY", "USD/KHR").replace("CNY/KHR: {spread", "USD/KHR: {spread")
    text = text.replace("40 CNY", "10 USD")
    ran = _ran(
        tmp_path,
        _with_bank(text, f"temple_bank: {{declines: {{credit: {{AB09: {share}}}}}}}") + INBOUND,
        positions="KHR: {opening: 30 000, short: 0}, USD: {long: 9}",
        desks="south",
        failover=0,
    )
    done = share == "0 %"
    assert [row[3] for row in _routes(ran)] == ["COMPLETED" if done else "RETURNED"] * 2
    assert _balance(ran, "fx:south:KHR") == (2_000_00 if done else 30_000_00)
    assert _balance(ran, "fx:south:USD") == (7_00 if done else 0)
    assert _balance(ran, "room:south:USD") == (2_00 if done else 9_00)
    assert "own_conversion" not in ran.compiled.plan.names.components


def _with_bank(text: str, bank: str) -> str:
    return text.replace("institutions:\n", f"institutions:\n  {bank}\n")


FAULTS = [
    ("a position is reserved for less", LogKind.RESERVE, "fx:south:CNY", LogColumn.AMOUNT, -1),
    ("a position gives less", LogKind.POST, "fx:south:CNY", LogColumn.AMOUNT, -1),
    ("room is not taken", LogKind.POST, "room:south:KHR", LogColumn.AMOUNT, -5_00),
    ("a quote is of the margin of another hour", LogKind.QUOTE, "", LogColumn.AMOUNT, 34_00),
]


@pytest.fixture(scope="module")
def bounded(tmp_path_factory: pytest.TempPathFactory) -> RanScenario:
    return _ran(
        tmp_path_factory.mktemp("bounded"),
        HEAD + _abroad((3, 20), (70, 20)),
        positions="CNY: {short: 30}, KHR: {long: 90 000}",
        desks="south",
        failover=0,
    )


@pytest.mark.parametrize(
    ("kind", "account", "column", "change"),
    [pytest.param(*fault[1:], id=fault[0]) for fault in FAULTS],
)
def test_faults_are_found(
    bounded: RanScenario, kind: LogKind, account: str, column: LogColumn, change: int
) -> None:
    log = bounded.log.copy()
    is_kind = log[:, LogColumn.KIND] == kind
    if account:
        at = bounded.compiled.plan.names.accounts.index(account)
        is_kind &= log[:, LogColumn.SUBJECT] == at
    log[np.flatnonzero(is_kind)[0], column] += change
    rules = {
        LogKind.RESERVE: "reservation",
        LogKind.POST: "position" if account.startswith("room") else "postings",
        LogKind.QUOTE: "quote",
    }
    assert rules[kind] in bounded.audit_of(log)


def test_a_refusal_by_a_provider_who_has_enough_is_found(bounded: RanScenario) -> None:
    # The second payment is refused by south, which may be short of 30.00 and is of 20.00. Told of
    # the first as well, who met no lack, it is no cause to fail.
    log, plan = bounded.log, bounded.compiled.plan
    failed = log[log[:, LogColumn.KIND] == LogKind.FAIL]
    assert len(failed) == 1
    at = plan.names.accounts.index("fx:south:CNY")
    held = np.flatnonzero(
        (log[:, LogColumn.KIND] == LogKind.RESERVE) & (log[:, LogColumn.SUBJECT] == at)
    )[0]
    planted: Array = log.copy()
    planted[held, LogColumn.KIND] = LogKind.FAIL
    planted[held, [LogColumn.SUBJECT, LogColumn.AMOUNT, LogColumn.VALUE]] = Reason.AM23, -1, -1
    assert "liquidity" in bounded.audit_of(planted)


COVER = """KHR: {long: 90 000}, CNY: {opening: 10, short: 20, long: 90, cover: {against: KHR,
        beyond: 15, spread: 0.1 %, clock: KH, look_at: ["12:00:30", "12:01", "12:02"],
        lead_time: 20 s}}"""


def test_a_position_is_covered_at_the_rate_of_the_order(tmp_path: Path) -> None:
    # South opens with 10.00 yuan and sells 20.00 in the first ten seconds: -10.00, which is 20.00
    # from the opening. At 30 s it looks: 20.00 are ordered, at 560 with 0.1 %: 11 200.00 + 11.20
    # riel. Before they are delivered, at 50 s, 10.00 more leave: -20.00, just what it may. At 12:01
    # it is at 0.00 again, 10.00 from the opening: not beyond 15.00. 15.00 leave after 63 s: -15.00.
    # At 12:02 that is 25.00 away, and 25.00 are ordered. The rate has jumped by a tenth at 100 s:
    # 25 * 616 = 15 400.00 + 15.40, delivered at 140 s.
    jump = "disruptions: {jump: {fx_jump: CNY/KHR, times: 1.1, after: 100 s}}\n"
    text = (
        HEAD.replace("fx:\n", "fx:\n  step: 10 s\n") + jump + _abroad((3, 20), (33, 10), (63, 15))
    )
    ran = _ran(tmp_path, text, positions=COVER, desks="south", failover=0)
    assert [row[3] for row in _routes(ran)] == ["COMPLETED"] * 3
    ordered = [(row[0] / 1e6, row[3], row[4]) for row in ran.told(LogKind.TOP_UP_ORDERED)]
    assert ordered == [(30, 20_00, -10_00), (60, 0, 0), (120, 25_00, -15_00)]
    names = ran.compiled.plan.names.accounts
    moves = [
        (row[0] / 1e6, names[row[2]], row[3], names[row[4]]) for row in ran.told(LogKind.MOVED)
    ]
    expected = []
    for at, yuan, riel in ((50, 20_00, 11_211_20), (140, 25_00, 15_415_40)):
        expected += [
            (at, "market:south:CNY", yuan, "fx:south:CNY"),
            (at, "fx:south:KHR", riel, "market:south:KHR"),
            (at, "room:south:CNY", yuan, "taken:south:CNY"),
            (at, "taken:south:KHR", riel, "room:south:KHR"),
        ]
    assert moves == expected
    assert _balance(ran, "fx:south:CNY") == 10_00
    assert _balance(ran, "room:south:CNY") == 80_00
    # 45.00 yuan at 560, less both trades.
    assert _balance(ran, "fx:south:KHR") == 45 * 560_00 - 11_211_20 - 15_415_40

    # In yuan, the first of both currencies, at 616 at the end. Margins: 45 at 0.4 % of 11 200.00,
    # 39 at 0.7 % of 5 600.00 (noon), 34 at 0.4 % of 8 400.00: 118.00 riel are 0.19 yuan. It lost
    # 11.20 + 15.40 to the market and 25 * 56.00 to the jump: 1 426.60 riel, 2.32 yuan. Farthest
    # from zero were the riel of the first two payments, 16 800.00, at the start 30.00 yuan.
    found = _provider(ran, "south")
    assert found["fx_income_minor"].value == 19
    assert found["fx_revaluation_minor"].value == -2_32
    assert found["position_peak_minor"].value == 30_00


def test_a_position_above_its_opening_is_sold(tmp_path: Path) -> None:
    # The riel south takes in are traded for yuan where more than 10 000.00 have come: 11 200.00
    # at 30 s, at once. Of 11 200.00 at 0.1 %, floor(1 120 000 * 10^6 / 1 001 000) = 1 118 881 buy
    # at 560: floor(1998.001...) = 1 998 fen. At 60 s nothing has come since.
    positions = """KHR: {cover: {against: CNY, beyond: 10 000, spread: 0.1 %, clock: KH,
        look_at: ["12:00:30", "12:01"], lead_time: 0 s}}, CNY: {short: 500, long: 5}"""
    ran = _ran(tmp_path, HEAD + _abroad((3, 20)), positions=positions, desks="south", failover=0)
    ordered = [(row[3], row[4]) for row in ran.told(LogKind.TOP_UP_ORDERED)]
    assert ordered == [(-11_200_00, 11_200_00), (0, 0)]
    assert _balance(ran, "fx:south:KHR") == 0
    assert _balance(ran, "fx:south:CNY") == -20_00 + 19_98
    assert _balance(ran, "room:south:CNY") == 5_00 + 20_00 - 19_98


COVER_FAULTS = [
    ("more is traded than is missing", LogKind.TOP_UP_ORDERED, 0, LogColumn.AMOUNT, 1, "top_up"),
    ("the other side pays less", LogKind.MOVED, 1, LogColumn.AMOUNT, -1, "clearing"),
    ("room stays", LogKind.MOVED, 2, LogColumn.AMOUNT, -1, "position"),
    ("it is delivered early", LogKind.TOP_UP_ARRIVED, 0, LogColumn.TIME_US, -1, "agenda"),
]


@pytest.fixture(scope="module")
def covered(tmp_path_factory: pytest.TempPathFactory) -> RanScenario:
    folder = tmp_path_factory.mktemp("covered")
    text = HEAD + _abroad((3, 20))
    return _ran(folder, text, positions=COVER, desks="south", failover=0)


@pytest.mark.parametrize(
    ("kind", "which", "column", "change", "rule"),
    [pytest.param(*fault[1:], id=fault[0]) for fault in COVER_FAULTS],
)
def test_faults_of_covering_trades_are_found(
    covered: RanScenario, kind: LogKind, which: int, column: LogColumn, change: int, rule: str
) -> None:
    log = covered.log.copy()
    log[np.flatnonzero(log[:, LogColumn.KIND] == kind)[which], column] += change
    assert rule in covered.audit_of(log)
