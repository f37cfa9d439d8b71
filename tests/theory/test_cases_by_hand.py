"""Work out by hand what happens when something goes wrong, three payments or so at a time.

Takes variations of ``scenarios/minimal.yaml`` and small scenarios of their own; every instant and
amount below was found on paper. Where nothing else pays, the ledger's rounds start at 0.8, 2.4,
5.4, 8.4, 11.4 s and so on, idle, three seconds apart from the third on; after a block the gap is
0.8 s again and doubles with every idle round. An outbound payment submitted at t asks its price at
t + 0.5, confirms at t + 3.5 and joins the ledger at t + 3.8 s; from its commit to its end it takes
0.2 + 0.4 + 0.2 + 0.2 + 0.1 = 1.1 s. A block commits 0.3 s after its round starts.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.contract.meaning import LogKind
from tests.theory.driver import Ran, load_text, run

OUTBOUND = """
scenario: case
extends: MINIMAL
demand:
  inbound: null
  domestic: null
"""


def _run(folder: Path, engine: str, text: str) -> Ran:
    return run(load_text(folder, text), engine)


def _paid(text: str, payments: str) -> str:
    return f"{text}  outbound: {{corridor: kh_cn, payments: [{payments}]}}\n"


def test_a_payment_whose_nostro_is_short_is_returned_after_the_ledger(
    tmp_path: Path, engine: str
) -> None:
    text = _paid(OUTBOUND, "{at: 3 s, amount: 50}, {at: 4 s, amount: 50}, {at: 20 s, amount: 10}")
    text += "rails: {unionpay: {debit_first: true}}\n"
    text += "accounts: {river_cny_at_unionpay: {balance: 60}}\n"
    ran = _run(tmp_path, engine, text)
    # The first two join the ledger at 6.8 and 7.8 and share round 8.4, committed at 8.7.
    assert ran.ended("outbound") == (9_800_000, "COMPLETED", "NONE")
    # Sixty yuan less fifty leave ten: the second is short at 8.7. Reversal 1 s to 9.7; the round at
    # 8.4 + 0.8 = 9.2 found nobody, so the next is 1.6 s later, at 10.8, its commit at 11.1.
    assert ran.ended("outbound.1") == (11_100_000, "RETURNED", "AM04")
    # The third joins at 23.8. After 10.8: 11.6 and 13.2 idle, then 16.2, 19.2, 22.2, 25.2; commit
    # at 25.5, end at 26.6. Its ten yuan are there to the last fen.
    assert ran.ended("outbound.2") == (26_600_000, "COMPLETED", "NONE")
    returned = ran.record("outbound.1")
    assert (returned["settled_us"], returned["credited_us"]) == (8_700_000, None)
    # Ledger 0.6 to its block at 8.7 is 0.9, and 9.7 to 11.1 is 1.4; transit 0.1 + 0.2 + 0.05 + 1.
    assert ran.times("outbound.1") == {
        "service": 450_000,
        "transit": 1_350_000,
        "ledger": 2_300_000,
        "human": 3_000_000,
    }
    balances = ran.balances()
    # 50 yuan cost 2 804 900 (see the minimal scenario). 10 yuan: 1 000 x 556.521739 = 556 521.739,
    # up to 556 522; 0.8 % of it 4452.176, up to 4 453; together 560 975, up to whole riel 561 000.
    assert balances["customers:temple_bank:KHR"] == -(2_804_900 + 561_000)
    assert balances["temple_bank@bakong:KHR"] == 100_000_000 - 2_804_900 - 561_000
    assert balances["river_bank@bakong:KHR"] == 100_000_000 + 2_804_900 + 561_000
    assert "river_cny_at_unionpay" not in balances
    assert balances["customers:unionpay_wallet:CNY"] == 5_000 + 1_000
    back = [row for row in ran.rows(LogKind.POST, of="outbound.1") if row[0] == 11_100_000]
    assert [(row[4], row[5], row[6]) for row in back] == [
        ("river_bank@bakong:KHR", 2_804_900, "temple_bank@bakong:KHR")
    ]
    assert int(ran.totals.account[ran.plan.names.accounts.index("river_cny_at_unionpay"), 5]) == 1


def test_a_quote_lapses_after_its_validity_and_not_at_it(tmp_path: Path, engine: str) -> None:
    text = """
scenario: case
extends: MINIMAL
demand: {domestic: null}
rails:
  alipay_plus: {quote_validity: 3 s}
  unionpay: {quote_validity: 2999999 us}
"""
    ran = _run(tmp_path, engine, text)
    # Quoted at 1.3 and used at 4.3: the last microsecond still counts.
    assert ran.ended("inbound") == (6_300_000, "COMPLETED", "NONE")
    assert ran.record("inbound")["quotes_lapsed"] == 0
    # Quoted at 3.5; 3 s to confirm is a microsecond too long: lapses at 6.5, 9.5, 12.5 and 15.5,
    # a new quote after each of the first three, then the payer gives up.
    lapses = [row[0] for row in ran.rows(LogKind.LAPSE)]
    assert lapses == [6_500_000, 9_500_000, 12_500_000, 15_500_000]
    assert [row[0] for row in ran.rows(LogKind.QUOTE, of="outbound")] == [3_500_000, *lapses[:3]]
    assert ran.ended("outbound") == (15_500_000, "REJECTED", "NOAS")
    record = ran.record("outbound")
    assert (record["requotes"], record["quotes_lapsed"]) == (3, 4)
    assert (record["settled_us"], record["debited"]) == (None, None)
    assert ran.times("outbound") == {"service": 200_000, "transit": 300_000, "human": 12_000_000}


@pytest.mark.slow
def test_a_requote_is_asked_once_for_every_slow_confirmation(tmp_path: Path, engine: str) -> None:
    text = """
scenario: case
extends: MINIMAL
clock: {horizon: 10 min}
rails:
  khqr: {confirmation_time: {empirical: [[1 s, 50 %], [5 s, 100 %]]}}
  unionpay: {quote_validity: 3 s}
accounts: {river_cny_at_unionpay: {balance: 1 000 000}}
demand:
  inbound: null
  domestic: null
  outbound: {payments: null, rate: 20 /min, amount: 1 CNY}
"""
    ran = _run(tmp_path, engine, text)
    requoted = 0
    human: dict[str, list[int]] = {}
    for row in ran.rows(LogKind.DELAY):
        if row[4] == "HUMAN":
            human.setdefault(row[2], []).append(row[5])
    names = {ran.name(int(row[0])) for row in ran.records}
    for name in sorted(names):
        record, outcome = ran.record(name), ran.ended(name)[1]
        slow = [delay for delay in human.get(name, ()) if delay > 3_000_000]
        if outcome == "IN_PROGRESS":
            continue
        assert record["quotes_lapsed"] == len(slow), name
        assert record["requotes"] == min(len(slow), 3), name
        assert (outcome == "REJECTED") == (len(slow) == 4), name
        # Every new quote is new luck, so the slow ones do not all stay slow.
        requoted += 0 < len(slow) < 4
    assert requoted >= 10


def test_a_declined_payment_takes_the_second_route_after_a_reversal(
    tmp_path: Path, engine: str
) -> None:
    text = """
scenario: case
extends: MINIMAL
institutions:
  second_operator: {country: CN, roles: [operator, fx_provider]}
rails:
  alipay_plus: {technical_decline: 100 %}
  second:
    kind: wallet_gateway
    operator: second_operator
    wallet: alipay_wallet
    currency: CNY
    inbound: {live_from: 2024-10-14, settlement_currency: USD, spread: 2 %}
    authorisation_time: 0.5 s
    hop_time: 0.3 s
    technical_decline: 0 %
    settlement_agents: {river_bank: {}}
demand: {domestic: null, outbound: null}
routing: {failover: 1}
"""
    ran = _run(tmp_path, engine, text)
    # Declined when authorised, at 4.8; reversal 1 s; the second route is chosen at 5.8.
    routes = [(row[0], row[4], row[6]) for row in ran.rows(LogKind.ROUTE)]
    assert routes == [
        (1_100_000, "cn_kh/alipay_plus.river_bank", "1"),
        (5_800_000, "cn_kh/second.river_bank", "2"),
    ]
    # 5.8 + 0.2 + 3 + 0.5 + 0.3 + 0.25 + 0.05 = 10.1; round 11.4, commit 11.7; + 0.2 + 0.1 + 0.3.
    assert ran.ended("inbound") == (12_300_000, "COMPLETED", "NONE")
    assert ran.times("inbound") == {
        "service": 1_150_000,
        "transit": 750_000,
        "ledger": 1_600_000,
        "human": 6_000_000,  # another price: the payer confirms it, too
        "retry": 1_800_000,  # 5.8 - 1.0: all of the first attempt but the payer's 3 s
    }
    # The second gateway's 2 % on 7 421.09375 fen (see the minimal scenario): 7 569.5, half up.
    assert ran.record("inbound")["debited"] == 7_570
    # Without a second attempt the same payment is rejected when its reversal is confirmed.
    alone = _run(tmp_path, engine, text.replace("failover: 1", "failover: 0"))
    assert alone.ended("inbound") == (5_800_000, "REJECTED", "AB10")


def test_a_generic_route_fails_over_after_its_own_retry_time(tmp_path: Path, engine: str) -> None:
    text = """
scenario: case
clock: {start: 2025-09-17T12:00:00+07:00, horizon: 1 min}
rails:
  first:
    kind: generic
    retry_after: 0.7 s
    stages: [{name: ask, delay: 0.5 s}, {name: answer, decline: 100 %, reason: AB10}]
  second: {kind: generic, stages: [{name: walk, delay: 2 s}]}
  slow:
    kind: generic
    retry_after: 0.7 s
    stages: [{name: patience, deadline: 1 s, reason: AB06}, {name: wait, delay: 5 s}]
  refusing: {kind: generic, stages: [{name: no, decline: 100 %, reason: AG01}]}
corridors:
  one:
    from: {country: KH, currency: KHR}
    to: {country: KH, currency: KHR}
    rails: [first, second]
  two:
    from: {country: KH, currency: KHR}
    to: {country: KH, currency: KHR}
    rails: [second, slow]
  three:
    from: {country: KH, currency: KHR}
    to: {country: KH, currency: KHR}
    rails: [refusing, second]
demand:
  declined: {corridor: one, payments: [{at: 1 s, amount: 1}]}
  late: {corridor: two, payments: [{at: 1 s, amount: 1}]}
  refused: {corridor: three, payments: [{at: 1 s, amount: 1}]}
routing: {policy: priority, failover: 1, order: [first, slow, refusing]}
"""
    ran = _run(tmp_path, engine, text)
    # Declined at 1.5, reversal to 2.2, then 2 s.
    assert ran.ended("declined") == (4_200_000, "COMPLETED", "NONE")
    assert ran.times("declined") == {"retry": 1_200_000, "transit": 2_000_000}
    # Timed out at 2.0, reversal to 2.7, then 2 s.
    assert ran.ended("late") == (4_700_000, "COMPLETED", "NONE")
    assert [row[0] for row in ran.rows(LogKind.EXPIRE)] == [2_000_000]
    # Another route is no help against a refusal by the payer's own institution.
    assert ran.ended("refused") == (1_000_000, "REJECTED", "AG01")


@pytest.mark.parametrize(
    ("time_out", "end"),
    [
        # The session starts at 3.1 and ends at 8.1, before round 8.4; reversal 1 s.
        ("5 s", (9_100_000, "REJECTED", "AB03")),
        # It would end at 8.4, with the round: what completes comes before what expires.
        ("5.3 s", (9_800_000, "COMPLETED", "NONE")),
        # A microsecond earlier it ends first, and leaves the queue it waits in.
        ("5299999 us", (9_399_999, "REJECTED", "AB03")),
        # It would end at 8.6, in the block already: no way back.
        ("5.5 s", (9_800_000, "COMPLETED", "NONE")),
    ],
)
def test_a_session_times_out_up_to_the_block_and_not_in_it(
    tmp_path: Path, engine: str, time_out: str, end: tuple[int, str, str]
) -> None:
    text = _paid(OUTBOUND, "{at: 3 s, amount: 50}")
    ran = _run(tmp_path, engine, f"{text}corridors: {{kh_cn: {{time_out: {time_out}}}}}\n")
    assert ran.ended("outbound") == end
    if end[1] == "REJECTED":
        left = end[0] - 1_000_000
        kinds = [row[1] for row in ran.rows(of="outbound") if row[0] == left]
        assert kinds == ["EXPIRE", "LEAVE", "DELAY"]
        assert ran.times("outbound")["ledger"] == left - 6_800_000
        # Both reservations are undone, on the ledger and of the nostro, to the minor unit.
        undone = [(row[0], row[5]) for row in ran.rows(LogKind.VOID)]
        assert undone == [(end[0], 2_804_900), (end[0], 5_000)]
        assert ran.balances()["temple_bank@bakong:KHR"] == 100_000_000


def test_payments_wait_in_order_for_a_deposit(tmp_path: Path, engine: str) -> None:
    text = _paid(
        OUTBOUND, "{at: 3 s, amount: 50}, {at: 3.1 s, amount: 10}, {at: 3.2 s, amount: 50}"
    )
    text += """
rails: {unionpay: {debit_first: true}}
accounts:
  river_cny_at_unionpay:
    balance: 20
    when_short: queue
    deposits: {later: {after: 15 s, amount: AMOUNT}}
"""
    ran = _run(tmp_path, engine, text.replace("AMOUNT", "100"))
    # All three commit at 8.7. Ten yuan would be there for the second, but the first is before it.
    assert [(row[0], row[2], row[5]) for row in ran.rows(LogKind.SHORT)] == [
        (8_700_000, "outbound", 5_000),
        (8_700_000, "outbound.1", 1_000),
        (8_700_000, "outbound.2", 5_000),
    ]
    # At 15 s 120 yuan pay all three. The gateway begins one authorisation every 1/2500 s = 400 us.
    assert ran.ended("outbound") == (16_100_000, "COMPLETED", "NONE")
    assert ran.ended("outbound.1") == (16_100_400, "COMPLETED", "NONE")
    assert ran.ended("outbound.2") == (16_100_800, "COMPLETED", "NONE")
    assert ran.times("outbound")["liquidity"] == 15_000_000 - 8_700_000
    # One screening at a time, 0.25 s each from 6.5 on: the third, there at 6.7, waited till 7.0.
    assert ran.times("outbound.2")["waiting"] == 300_000 + 800
    assert ran.balances()["river_cny_at_unionpay"] == 2_000 + 10_000 - 11_000

    # 45 yuan make 65: fifty and ten go, the third waits for good.
    short = _run(tmp_path, engine, text.replace("AMOUNT", "45"))
    assert short.ended("outbound.1") == (16_100_400, "COMPLETED", "NONE")
    assert short.ended("outbound.2") == (None, "IN_PROGRESS", "NONE")
    assert short.times("outbound.2")["liquidity"] == 60_000_000 - 8_700_000
    assert short.balances()["river_cny_at_unionpay"] == 500


def test_the_limit_of_a_day_counts_per_payer_and_ends_at_midnight(
    tmp_path: Path, engine: str
) -> None:
    text = """
scenario: case
extends: MINIMAL
clock: {start: 2025-09-17T23:59:50+07:00}
rails:
  bakong:
    limits: {tier: {per_payment: {KHR: 30 000}, per_day: {KHR: 40 000}}}
    opening_balance: {KHR: 60 000}
corridors: {kh_kh: {kyc_tier: tier}}
demand:
  inbound: null
  outbound: null
  domestic:
    payers: 3
    payments:
      - {at: 1 s, amount: 25 000}
      - {at: 2 s, amount: 31 000}
      - {at: 2.5 s, amount: 20 000}
      - {at: 2.6 s, amount: 20 000, payer: 1}
      - {at: 2.7 s, amount: 30 000, payer: 2}
      - {at: 3 s, amount: 20 000, payer: 2}
      - {at: 12 s, amount: 15 000}
"""
    ran = _run(tmp_path, engine, text)
    ends = {name: ran.ended(name)[1:] for name in map(ran.name, range(7))}
    # The limit is looked at 3.3 s after submission. 25 000 of 40 000 are used at 4.3 s.
    assert ends["domestic"] == ("COMPLETED", "NONE")
    # 31 000 is above 30 000 per payment, whatever the day.
    assert ran.ended("domestic.1") == (5_300_000, "REJECTED", "AM02")
    # 25 000 + 20 000 is above 40 000 per day ...
    assert ran.ended("domestic.2") == (5_800_000, "REJECTED", "AM14")
    # ... but not for another payer, who takes the bank's ledger money to 60 - 25 - 20 = 15 000.
    assert ends["domestic.3"] == ("COMPLETED", "NONE")
    # The third payer's 30 000 are within the limits, but the bank is short; the use is given back.
    assert ran.ended("domestic.4") == (6_000_000, "REJECTED", "AM04")
    assert [(r[0], r[2], r[5], r[6]) for r in ran.rows(LogKind.GIVE_BACK)] == [
        (6_000_000, "domestic.4", 3_000_000, "2"),
        # With the 30 000 still counted these 20 000 would have been AM14 (50 000), not AM04.
        (6_300_000, "domestic.5", 2_000_000, "2"),
    ]
    assert ends["domestic.5"] == ("REJECTED", "AM04")
    # 15.3 s after 23:59:50 it is another day: 15 000 more of the first payer are welcome.
    assert ends["domestic.6"] == ("COMPLETED", "NONE")
    uses = [(r[0], r[5], r[6]) for r in ran.rows(LogKind.LIMIT)]
    assert uses == [
        (4_300_000, 2_500_000, "0"),
        (5_900_000, 2_000_000, "1"),
        (6_000_000, 3_000_000, "2"),
        (6_300_000, 2_000_000, "2"),
        (15_300_000, 1_500_000, "0"),
    ]


EXPIRING = (
    "00020101021229120008sok@rivr520459995303116540480005802KH5911Sok Noodles6010Phnom Penh"
    "993400131758084900000011317580852020006304D392"
)
"""Dynamic code of 8 000 riel that expires two seconds after the scenario's start: 05:00:00 UTC on
17 September 2025 is 1 758 085 200 000 ms, the code says 1 758 085 202 000."""

DAMAGED = EXPIRING.replace("Noodles", "Noodlez")
"""The same with a letter changed: its checksum no longer fits."""


def test_an_expired_and_a_damaged_code_are_refused_when_read(tmp_path: Path, engine: str) -> None:
    text = f"""
scenario: case
extends: MINIMAL
rails:
  khqr: {{payloads: [{EXPIRING}, {DAMAGED}]}}
demand:
  inbound: null
  outbound: null
  domestic:
    payments:
      - {{at: 1.9 s, amount: 8 000}}
      - {{at: 1900001 us, amount: 8 000}}
      - {{at: 5 s, amount: 8 000, merchant: 1}}
"""
    ran = _run(tmp_path, engine, text)
    # Read 0.1 s after submission: at 2.0 s the code is still good, a microsecond later it is not.
    assert ran.ended("domestic")[1:] == ("COMPLETED", "NONE")
    assert ran.ended("domestic.1") == (2_000_001, "REJECTED", "AEXR")
    assert ran.ended("domestic.2") == (5_100_000, "REJECTED", "FF01")


def test_a_debtor_fixes_what_is_sent_and_the_shop_gets_what_it_buys(
    tmp_path: Path, engine: str
) -> None:
    text = f"""{OUTBOUND}
  outbound: {{fixed_side: debtor, payments: [{{at: 3 s, amount: 28 049}}]}}
rails: {{bakong: {{amounts: {{KHR: {{step: 1}}}}}}}}
"""
    ran = _run(tmp_path, engine, text)
    record = ran.record("outbound")
    # Of 2 804 900, mid is 2 804 900 / 1.008 = 2 782 638.9, in whole riel 2 782 600; the spread is
    # the rest, 22 300. 2 782 638.888889 / 556.521739 = 5 000.05, down to 5 000 fen. They are worth
    # 2 782 600 at mid (see the minimal scenario): the margin is 22 300, too.
    assert (record["instructed"], record["debited"]) == (2_804_900, 2_804_900)
    assert (record["spread_1"], record["credited"]) == (22_300, 5_000)
    assert record["fx_margin"] == 22_300


FEES = """
scenario: case
clock: {start: 2025-09-17T12:00:00+07:00, horizon: 1 min}
institutions: {bank: {country: KH, roles: [operator]}}
rails:
  till:
    kind: generic
    operator: bank
    stages: [{name: pay, delay: 1 s}]
    fees:
      a_fixed: {component: a_fixed, fixed: 300 KHR}
      b_share: {component: b_share, proportional: 1.5 %, minimum: 200 KHR, maximum: 1000 KHR}
      c_tiers:
        component: c_tiers
        bearer: creditor
        tiered: [{up_to: 50 000 KHR, fixed: 100 KHR}, {fixed: 50 KHR, proportional: 0.25 %}]
      d_large: {component: d_large, surcharge: {above: 100 000 KHR, proportional: 3 %}}
corridors:
  inside: {from: {country: KH, currency: KHR}, to: {country: KH, currency: KHR}}
demand:
  shop:
    corridor: inside
    payments:
      - {at: 1 s, amount: 10 000}
      - {at: 2 s, amount: 33 333}
      - {at: 3 s, amount: 50 000}
      - {at: 4 s, amount: 50 001}
      - {at: 5 s, amount: 100 000}
      - {at: 6 s, amount: 200 000}
"""


def test_every_kind_of_fee_is_charged_to_the_riel(tmp_path: Path, engine: str) -> None:
    ran = _run(tmp_path, engine, FEES)
    # Riel: fixed, 1.5 % between 200 and 1 000, tier, surcharge on the whole above 100 000.
    worked_out = {
        # 1.5 % is 150, below the least.
        "shop": (300, 200, 100, None),
        # 1.5 % of 33 333 is 499.995, down to 499.
        "shop.1": (300, 499, 100, None),
        # 1.5 % is 750; 50 000 is still the first tier.
        "shop.2": (300, 750, 100, None),
        # 1.5 % of 50 001 is 750.015, down to 750; 50 + 125.0025, down to 175.
        "shop.3": (300, 750, 175, None),
        # 1.5 % is 1 500, above the most; 50 + 250; 100 000 is not above 100 000.
        "shop.4": (300, 1_000, 300, None),
        # 50 + 500; 3 % of the whole 200 000.
        "shop.5": (300, 1_000, 550, 6_000),
    }
    for name, riel in worked_out.items():
        cells = ran.cells(name)[-8:-4]
        found = tuple(None if cell < 0 else int(cell) for cell in cells)
        assert found == tuple(None if fee is None else 100 * fee for fee in riel), name
        record = ran.record(name)
        payer = sum(fee or 0 for fee in (riel[0], riel[1], riel[3]))
        assert record["payer_fee"] == 100 * payer
        assert record["merchant_fee"] == 100 * riel[2]
        assert record["debited"] == record["instructed"]
        assert record["credited"] == (record["instructed"] or 0) - 100 * riel[2]
        assert ran.ended(name)[1:] == ("COMPLETED", "NONE")
    paid = 10_000 + 33_333 + 50_000 + 50_001 + 100_000 + 200_000
    payer_fees = 6 * 300 + (200 + 499 + 750 + 750 + 1_000 + 1_000) + 6_000
    shop_fees = 100 + 100 + 100 + 175 + 300 + 550
    assert ran.balances() == {
        "customers:debtors:KHR": -100 * (paid + payer_fees),
        "customers:creditors:KHR": 100 * (paid - shop_fees),
        "fees:bank:KHR": 100 * (payer_fees + shop_fees),
    }
