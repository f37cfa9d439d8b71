"""Work the minimal scenario out by hand and compare every event and every balance with it.

Takes ``scenarios/minimal.yaml`` and nothing of the simulator's own arithmetic: every number below
was found with pencil and paper, and the comment beside it says how. Times are in microseconds,
amounts in minor units (1 riel = 100, 1 yuan = 100 fen, 1 dollar = 100 cents).
"""

from __future__ import annotations

import pytest

from sim.contract.meaning import LogKind
from sim.scenario.scenario import load_scenario
from tests.theory.driver import MINIMAL, Ran, run

Step = tuple[int, str, str, str, int, str]
"""Microseconds, kind, stage, subject, amount, value; -1 and empty text where there is none."""

RIVER_L = "river_bank@bakong:KHR"
TEMPLE_L = "temple_bank@bakong:KHR"
WALLET = "customers:alipay_wallet:CNY"

# The ledger. Round 1 starts at 0.8 s; nobody waits, so the gap doubles: round 2 at 0.8 + 1.6 =
# 2.4 s, idle again; twice 1.6 would be 3.2 s, the bound is 3 s: round 3 at 5.4 s. It finds the
# inbound payment, which arrives in that very microsecond: what payments complete comes before what
# ledgers do. From then on the gap is 0.8 s: round 4 at 6.2 s, round 5 at 7.0 s, each with one
# payment. Four peers vote after 0.3 s each, three of them are a quorum: commits at 5.7, 6.5, 7.3 s.

# Inbound: a Chinese wallet at a counter of Temple Bank, 41 300 riel on the code.
# Rounded once: amounts are carried to a millionth of a cent or a fen, and the bill is rounded.
#   dollars at mid   4 130 000 / 4000          = 1032.5 cents    -> settled  1 033 cents
#   yuan at mid      1 032.5 x 7.1875          = 7421.09375      -> half up  7 421 fen
#   gateway's spread 7 421.09375 x 1.01        = 7495.3046875    -> billed   7 495 fen
#   posted           7 495 = 7 421 + 74 fen, to the gateway's provider
#   worth at mid     7 421.09375                                 -> half up  7 421; margin 74
#   rounding         74 - (7495.304688 - 7421.09375) = 74 - 74.210938 = -0.210938
#   River's own cost 1 033 x 0.12 %            =    1.2396 -> down to     1 cent; in nobody's price
#   interchange      4 130 000 x 0.6 %         = 24 780    -> down to whole riel, 24 700
#   service          4 130 000 x 0.2 %         =  8 260    -> down to whole riel,  8 200
#   the shop keeps   4 130 000 - 24 700 - 8 200 = 4 097 100
INBOUND: tuple[Step, ...] = (
    (1_000_000, "SUBMIT", "khqr.scan", "inbound", 4_130_000, "0"),
    (1_000_000, "DELAY", "khqr.scan", "TRANSIT", 100_000, ""),
    # 1.0 + scan 0.1. The code is static and whole. One candidate: its score is 0.
    (1_100_000, "ROUTE", "choose route", "cn_kh/alipay_plus.river_bank", 0, "1"),
    (1_100_000, "DEADLINE", "order life", "", 840_000_000, ""),  # 14 minutes
    (1_100_000, "START", "debtor_agent.risk", "alipay_wallet.core", 200_000, ""),
    (1_300_000, "FINISH", "debtor_agent.risk", "alipay_wallet.core", -1, ""),  # + 0.2
    (1_300_000, "QUOTE", "quote", "1", 7_495, "4097100"),  # prices: domestic 0, inbound 1
    (1_300_000, "DELAY", "khqr.confirm", "HUMAN", 3_000_000, ""),
    (4_300_000, "START", "alipay_plus.authorise", "alipay_plus.gateway", 500_000, ""),  # + 3
    (4_800_000, "FINISH", "alipay_plus.authorise", "alipay_plus.gateway", -1, ""),  # + 0.5
    (4_800_000, "DELAY", "alipay_plus.hop_to_agent", "TRANSIT", 300_000, ""),
    (5_100_000, "START", "river_bank.screening", "river_bank.screening", 250_000, ""),  # + 0.3
    (5_350_000, "FINISH", "river_bank.screening", "river_bank.screening", -1, ""),  # + 0.25
    (5_350_000, "DECIDE", "river_bank.no_hit", "cleared", -1, ""),  # nobody is looked at
    (5_350_000, "RESERVE", "prefunding", "river_khr_for_alipay", 4_130_000, TEMPLE_L),
    (5_350_000, "DELAY", "bakong.hop", "TRANSIT", 50_000, ""),
    (5_400_000, "START", "bakong.admission", "bakong.gateway", 0, ""),  # + 0.05
    (5_400_000, "FINISH", "bakong.admission", "bakong.gateway", -1, ""),
    (5_400_000, "ENQUEUE", "bakong.block", "bakong.ledger", -1, ""),
    (5_400_000, "IN_BLOCK", "bakong.block", "bakong.ledger", -1, "3"),
    (5_700_000, "POST", "bakong.block", "river_khr_for_alipay", 4_130_000, TEMPLE_L),  # + 0.3
    (5_700_000, "TRANSFER", "bakong.block", WALLET, 7_421, "fx:alipay_operator:CNY"),
    (5_700_000, "TRANSFER", "bakong.block", WALLET, 74, "spread:alipay_operator:CNY"),
    (5_700_000, "TRANSFER", "bakong.block", "fx:alipay_operator:USD", 1_033,
     "clearing:alipay_plus:river_bank:USD"),
    (5_700_000, "TRANSFER", "bakong.block", "book:river_bank:USD", 1_033, "fx:river_bank:USD"),
    (5_700_000, "TRANSFER", "bakong.block", "fx:river_bank:KHR", 4_130_000, "book:river_bank:KHR"),
    (5_700_000, "START", "creditor_agent.core", "temple_bank.core", 200_000, ""),
    (5_900_000, "FINISH", "creditor_agent.core", "temple_bank.core", -1, ""),  # + 0.2
    (5_900_000, "TRANSFER", "creditor_agent.credit", "book:temple_bank:KHR", 4_130_000,
     "customers:temple_bank:KHR"),
    (5_900_000, "TRANSFER", "fee.interchange", "customers:temple_bank:KHR", 24_700,
     "fees:alipay_wallet:KHR"),
    (5_900_000, "FEE", "fee.interchange", "0", 24_700, ""),
    (5_900_000, "TRANSFER", "fee.service", "customers:temple_bank:KHR", 8_200,
     "fees:alipay_operator:KHR"),
    (5_900_000, "FEE", "fee.service", "1", 8_200, ""),
    (5_900_000, "TRANSFER", "fee.own_conversion", "book:river_bank:USD", 1,
     "spread:river_bank:USD"),
    (5_900_000, "FEE", "fee.own_conversion", "2", 1, ""),
    (5_900_000, "DELAY", "khqr.notify", "TRANSIT", 100_000, ""),
    (6_000_000, "DELAY", "alipay_plus.confirmation", "TRANSIT", 300_000, ""),  # + 0.1
    (6_300_000, "OUTCOME", "completed", "COMPLETED", 0, ""),  # + 0.3
)  # fmt: skip

# Domestic: a customer of Temple Bank pays 12 000 riel at a counter of River Bank.
DOMESTIC: tuple[Step, ...] = (
    (2_100_000, "SUBMIT", "khqr.scan", "domestic", 1_200_000, "0"),
    (2_100_000, "DELAY", "khqr.scan", "TRANSIT", 100_000, ""),
    (2_200_000, "ROUTE", "choose route", "kh_kh/bakong", 0, "1"),  # + 0.1
    (2_200_000, "START", "debtor_agent.core", "temple_bank.core", 200_000, ""),
    (2_400_000, "FINISH", "debtor_agent.core", "temple_bank.core", -1, ""),  # + 0.2
    (2_400_000, "QUOTE", "quote", "0", 1_200_000, "1200000"),  # no conversion, no fee
    (2_400_000, "DELAY", "khqr.confirm", "HUMAN", 3_000_000, ""),
    (5_400_000, "RESERVE", "debtor_agent.funds", TEMPLE_L, 1_200_000, RIVER_L),  # + 3
    (5_400_000, "DELAY", "bakong.hop", "TRANSIT", 50_000, ""),
    (5_450_000, "START", "bakong.admission", "bakong.gateway", 0, ""),  # + 0.05
    (5_450_000, "FINISH", "bakong.admission", "bakong.gateway", -1, ""),
    (5_450_000, "ENQUEUE", "bakong.block", "bakong.ledger", -1, ""),  # 50 ms after round 3
    (6_200_000, "IN_BLOCK", "bakong.block", "bakong.ledger", -1, "4"),
    (6_500_000, "POST", "bakong.block", TEMPLE_L, 1_200_000, RIVER_L),  # + 0.3
    (6_500_000, "TRANSFER", "bakong.block", "customers:temple_bank:KHR", 1_200_000,
     "book:temple_bank:KHR"),
    (6_500_000, "START", "creditor_agent.core", "river_bank.core", 200_000, ""),
    (6_700_000, "FINISH", "creditor_agent.core", "river_bank.core", -1, ""),  # + 0.2
    (6_700_000, "TRANSFER", "creditor_agent.credit", "book:river_bank:KHR", 1_200_000,
     "customers:river_bank:KHR"),
    (6_700_000, "DELAY", "khqr.notify", "TRANSIT", 100_000, ""),
    (6_800_000, "OUTCOME", "completed", "COMPLETED", 0, ""),  # + 0.1
)  # fmt: skip

# Outbound: a customer of Temple Bank pays 50 yuan at a UnionPay code; River Bank converts once.
#   riel per yuan    4000 / 7.1875 = 556.5217391..., kept as 556.521739 (nine digits)
#   riel at mid      5 000 x 556.521739        = 2 782 608.695   -> whole riel 2 782 600
#   spread           2 782 608.695 x 1.008     = 2 804 869.56456 -> billed     2 804 900
#   posted           2 804 900 = 2 782 600 + 22 300; worth 2 782 600, so the margin is 22 300
#   rounding         22 300 - 22 260.86956     = 39.13044
OUTBOUND: tuple[Step, ...] = (
    (3_000_000, "SUBMIT", "khqr.scan", "outbound", 5_000, "0"),
    (3_000_000, "DELAY", "khqr.scan", "TRANSIT", 100_000, ""),
    (3_100_000, "ROUTE", "choose route", "kh_cn/unionpay.river_bank", 0, "1"),  # + 0.1
    (3_100_000, "START", "debtor_agent.core", "temple_bank.core", 200_000, ""),
    (3_300_000, "FINISH", "debtor_agent.core", "temple_bank.core", -1, ""),  # + 0.2
    (3_300_000, "DELAY", "unionpay.look_up", "TRANSIT", 200_000, ""),
    (3_500_000, "QUOTE", "quote", "2", 2_804_900, "5000"),  # + 0.2
    (3_500_000, "DELAY", "khqr.confirm", "HUMAN", 3_000_000, ""),
    (6_500_000, "START", "river_bank.screening", "river_bank.screening", 250_000, ""),  # + 3
    (6_750_000, "FINISH", "river_bank.screening", "river_bank.screening", -1, ""),  # + 0.25
    (6_750_000, "DECIDE", "river_bank.no_hit", "cleared", -1, ""),
    (6_750_000, "RESERVE", "debtor_agent.funds", TEMPLE_L, 2_804_900, RIVER_L),
    (6_750_000, "RESERVE", "nostro", "river_cny_at_unionpay", 5_000,
     "outgoing:unionpay:river_bank:CNY"),
    (6_750_000, "DELAY", "bakong.hop", "TRANSIT", 50_000, ""),
    (6_800_000, "START", "bakong.admission", "bakong.gateway", 0, ""),  # + 0.05
    (6_800_000, "FINISH", "bakong.admission", "bakong.gateway", -1, ""),
    (6_800_000, "ENQUEUE", "bakong.block", "bakong.ledger", -1, ""),
    (7_000_000, "IN_BLOCK", "bakong.block", "bakong.ledger", -1, "5"),
    (7_300_000, "POST", "bakong.block", TEMPLE_L, 2_804_900, RIVER_L),  # + 0.3
    (7_300_000, "TRANSFER", "bakong.block", "customers:temple_bank:KHR", 2_804_900,
     "book:temple_bank:KHR"),
    (7_300_000, "DEADLINE", "order life", "", 840_000_000, ""),
    (7_300_000, "DELAY", "unionpay.hop_to_gateway", "TRANSIT", 200_000, ""),
    (7_500_000, "START", "unionpay.authorise", "unionpay.gateway", 400_000, ""),  # + 0.2
    (7_900_000, "FINISH", "unionpay.authorise", "unionpay.gateway", -1, ""),  # + 0.4
    (7_900_000, "START", "creditor_agent.core", "unionpay_wallet.core", 200_000, ""),
    (8_100_000, "FINISH", "creditor_agent.core", "unionpay_wallet.core", -1, ""),  # + 0.2
    (8_100_000, "POST", "creditor_agent.credit", "river_cny_at_unionpay", 5_000,
     "outgoing:unionpay:river_bank:CNY"),
    (8_100_000, "TRANSFER", "creditor_agent.credit", "book:river_bank:KHR", 2_782_600,
     "fx:river_bank:KHR"),
    (8_100_000, "TRANSFER", "creditor_agent.credit", "book:river_bank:KHR", 22_300,
     "spread:river_bank:KHR"),
    (8_100_000, "TRANSFER", "creditor_agent.credit", "fx:river_bank:CNY", 5_000,
     "book:river_bank:CNY"),
    (8_100_000, "TRANSFER", "creditor_agent.credit", "book:unionpay_wallet:CNY", 5_000,
     "customers:unionpay_wallet:CNY"),
    (8_100_000, "DELAY", "unionpay.confirmation", "TRANSIT", 200_000, ""),
    (8_300_000, "DELAY", "khqr.notify", "TRANSIT", 100_000, ""),  # + 0.2
    (8_400_000, "OUTCOME", "completed", "COMPLETED", 0, ""),  # + 0.1
)  # fmt: skip

BALANCES = {
    "world:CNY": -20_000,
    "world:KHR": -210_000_000,  # 10 000 000 prefunded, 100 000 000 on the ledger for each bank
    # Money placed ahead.
    "river_khr_for_alipay": 5_870_000,  # 10 000 000 - 4 130 000
    "river_cny_at_unionpay": 15_000,  # 20 000 - 5 000
    # On the ledger.
    TEMPLE_L: 100_125_100,  # 100 000 000 + 4 130 000 - 1 200 000 - 2 804 900
    RIVER_L: 104_004_900,  # 100 000 000 + 1 200 000 + 2 804 900
    # Customers; an institution's book stands against what its customers got or paid.
    WALLET: -7_495,
    "customers:temple_bank:KHR": 92_200,  # 4 097 100 - 1 200 000 - 2 804 900
    "book:temple_bank:KHR": -125_100,  # -4 130 000 + 1 200 000 + 2 804 900
    "customers:river_bank:KHR": 1_200_000,
    "book:river_bank:KHR": 125_100,  # +4 130 000 - 1 200 000 - 2 782 600 - 22 300
    "customers:unionpay_wallet:CNY": 5_000,
    "book:unionpay_wallet:CNY": -5_000,
    # Fees, in riel.
    "fees:alipay_wallet:KHR": 24_700,
    "fees:alipay_operator:KHR": 8_200,
    # First conversion in: yuan to dollars, by the gateway; owed to River Bank until clearing.
    "fx:alipay_operator:CNY": 7_421,
    "spread:alipay_operator:CNY": 74,
    "fx:alipay_operator:USD": -1_033,
    "clearing:alipay_plus:river_bank:USD": 1_033,
    # Second conversion in: dollars to riel, by River Bank itself and at its own cost.
    "book:river_bank:USD": -1_034,
    "fx:river_bank:USD": 1_033,
    "spread:river_bank:USD": 1,
    # River Bank's riel: gave 4 130 000 for dollars, took 2 782 600 for yuan.
    "fx:river_bank:KHR": -1_347_400,
    "spread:river_bank:KHR": 22_300,
    "fx:river_bank:CNY": -5_000,
    "book:river_bank:CNY": 5_000,
    "outgoing:unionpay:river_bank:CNY": 5_000,
}

TIMES = {
    # Service 0.2 + 0.5 + 0.25 + 0 + 0.2; transit 0.1 + 0.3 + 0.05 + 0.1 + 0.3; ledger 5.7 - 5.4.
    "inbound": {"service": 1_150_000, "transit": 850_000, "ledger": 300_000, "human": 3_000_000},
    # Service 0.2 + 0.2; transit 0.1 + 0.05 + 0.1; ledger 6.5 - 5.45.
    "domestic": {"service": 400_000, "transit": 250_000, "ledger": 1_050_000, "human": 3_000_000},
    # Service 0.2 + 0.25 + 0.4 + 0.2; transit 0.1 + 0.2 + 0.05 + 0.2 + 0.2 + 0.1; ledger 7.3 - 6.8.
    "outbound": {"service": 1_050_000, "transit": 850_000, "ledger": 500_000, "human": 3_000_000},
}


@pytest.fixture
def ran(engine: str) -> Ran:
    """Run the scenario on an engine."""
    return run(load_scenario(MINIMAL), engine)


@pytest.mark.parametrize(
    ("name", "steps"), [("inbound", INBOUND), ("domestic", DOMESTIC), ("outbound", OUTBOUND)]
)
def test_every_event_of_a_payment_is_as_worked_out(
    ran: Ran, name: str, steps: tuple[Step, ...]
) -> None:
    found = [(row[0], row[1], *row[3:]) for row in ran.rows(of=name)]
    assert found == list(steps)


def test_nothing_else_happens_than_deposits_and_three_commits(ran: Ran) -> None:
    assert ran.rows(of="")[:4] == [
        # Written accounts by name, then the ledger's members by name: 100 = minor per major unit.
        (0, "DEPOSIT", "", "", "world:CNY", 20_000, "river_cny_at_unionpay"),
        (0, "DEPOSIT", "", "", "world:KHR", 10_000_000, "river_khr_for_alipay"),
        (0, "DEPOSIT", "", "", "world:KHR", 100_000_000, RIVER_L),
        (0, "DEPOSIT", "", "", "world:KHR", 100_000_000, TEMPLE_L),
    ]
    commits = ran.rows(LogKind.COMMIT)
    assert [(row[0], row[5], row[6]) for row in commits] == [
        (5_700_000, 1, "3"),
        (6_500_000, 1, "4"),
        (7_300_000, 1, "5"),
    ]
    nameless = [row for row in ran.rows() if not row[2]]
    assert len(nameless) == 4 + 3


def test_every_balance_at_the_end_is_as_worked_out(ran: Ran) -> None:
    assert ran.balances() == BALANCES
    assert not ran.totals.end_pending.any()


@pytest.mark.parametrize("name", sorted(TIMES))
def test_the_time_of_a_payment_is_split_by_cause(ran: Ran, name: str) -> None:
    record = ran.record(name)
    end, start = record["end_us"], record["submitted_us"]
    assert ran.times(name) == TIMES[name]
    assert end is not None
    assert start is not None
    assert sum(TIMES[name].values()) == end - start


@pytest.mark.parametrize(
    ("name", "figures"),
    [
        ("inbound", (4_130_000, 7_495, 1_033, 4_097_100, 0, 74, 32_900, 5_700_000, 5_900_000)),
        ("domestic", (1_200_000, 1_200_000, 1_200_000, 1_200_000, 0, 0, 0, 6_500_000, 6_700_000)),
        ("outbound", (5_000, 2_804_900, 5_000, 5_000, 0, 22_300, 0, 7_300_000, 8_100_000)),
    ],
)
def test_the_figures_of_a_payment_are_as_worked_out(
    ran: Ran, name: str, figures: tuple[int, ...]
) -> None:
    record = ran.record(name)
    columns = ["instructed", "debited", "settlement", "credited", "payer_fee", "fx_margin"]
    columns += ["merchant_fee", "settled_us", "credited_us"]
    assert tuple(record[column] for column in columns) == figures
    # Constant rates do not drift, before the quote or after it.
    assert (record["fx_drift"], record["fx_risk"]) == (0, 0)


@pytest.mark.parametrize(
    ("name", "millionths", "quoted_us"),
    # Without a conversion there is nothing to round.
    [
        ("inbound", -210_938, 1_300_000),
        ("domestic", 0, 2_400_000),
        ("outbound", 39_130_440, 3_500_000),
    ],
)
def test_what_rounding_makes_of_a_price_is_as_worked_out(
    ran: Ran, name: str, millionths: int, quoted_us: int
) -> None:
    record = ran.record(name)
    assert (record["fx_rounding"], record["quoted_us"]) == (millionths, quoted_us)


def test_rounded_at_each_step_the_same_payments_cost_more(engine: str) -> None:
    """Up at every conversion and spread, as before; what each step makes of it.

    Inbound: cents at mid 1 032.5 -> 1 033; fen at mid 1 033 x 7.1875 = 7424.6875 -> 7 425, spread
    74.25 -> 75, together 7 500. Worth 7421.09375 -> 7 422: the margin is 78, of which
    78 - 74.210938 = 3.789062 is rounding.

    Outbound: 2 782 608.695 -> 2 782 609, spread 22 260.872 -> 22 261, together 2 804 870, up to
    whole riel 2 804 900; margin 22 291, of which 22 291 - 22 260.86956 = 30.13044 is rounding.
    """
    other = run(load_scenario(MINIMAL, ["fx.rounding=each_step"]), engine)
    columns = ("debited", "settlement", "fx_margin", "fx_rounding")
    found = {name: tuple(other.record(name)[at] for at in columns) for name in TIMES}
    assert found == {
        "inbound": (7_500, 1_033, 78, 3_789_062),
        "domestic": (1_200_000, 1_200_000, 0, 0),
        "outbound": (2_804_900, 5_000, 22_291, 30_130_440),
    }


def test_one_microsecond_or_one_minor_unit_more_is_noticed(engine: str) -> None:
    # 1 032.5 x 7.19 x 1.01 = 7497.91: three fen more.
    changed = ("fx.mid.USD/CNY.rate=7.19", "rails.alipay_plus.hop_time=300001 us")
    for override in changed:
        other = run(load_scenario(MINIMAL, [override]), engine)
        found = [(row[0], row[1], *row[3:]) for row in other.rows(of="inbound")]
        assert found != list(INBOUND), override
