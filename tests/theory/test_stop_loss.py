"""Alarm, stop-loss and what money costs, by hand, in both engines, audited.

The arithmetic stands in each test. Times are constant in `minimal.yaml`: an outbound payment
reserves 3.75 s after it came, and what it reserved leaves the account when the gateway has
answered.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sim.analysis.measures import RunFigures, summarise
from sim.analysis.summary import Measures, Summary
from sim.contract.layout import NULL
from sim.contract.meaning import LogKind, Outcome
from sim.contract.reasons import Reason
from sim.contract.records import AREA_BITS, AccountTotal, LogColumn, RecordColumn
from sim.report.documents.shortages import placed_in_all, shortages
from sim.scenario.scenario import load_scenario
from sim.tables.folding import SummaryFolder
from tests.support.scenarios import RanScenario, run_text

NOSTRO = "river_cny_at_unionpay"
SCENARIO = """
scenario: stop
extends: minimal.yaml
clock: {start: 2025-09-17T12:00:00+07:00, horizon: 5 min}
accounts:
  river_cny_at_unionpay: {balance: 100, MORE}
demand:
  inbound: null
  domestic: null
  outbound:
    payments:
    - {at: 3 s, amount: 50}
    - {at: 33 s, amount: 25}
    - {at: 63 s, amount: 20}
    - {at: 123 s, amount: 20}
"""
WATCHED = "alarm_below: 60, stop_below: 30"
DEPOSIT = "deposits: {more: {after: 100 s, amount: 45}}"


def _ran(folder: Path, more: str, *changes: tuple[str, str]) -> RanScenario:
    text = SCENARIO.replace("MORE", more)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return run_text(folder, text)


def _total(ran: RanScenario, column: AccountTotal) -> int:
    return int(ran.totals.account[ran.compiled.plan.names.accounts.index(NOSTRO), column])


def _ends(ran: RanScenario) -> list[tuple[int, int]]:
    """Return outcome and reason by payment."""
    order = np.argsort(ran.record[:, RecordColumn.PAYMENT])
    rows = ran.record[order][:, [RecordColumn.OUTCOME, RecordColumn.REASON]]
    return [tuple(row) for row in rows.tolist()]


def _levels(ran: RanScenario, kind: LogKind) -> list[tuple[float, int, int]]:
    """Return seconds, level and state of each row about the nostro account."""
    at = ran.compiled.plan.names.accounts.index(NOSTRO)
    told = [row for row in ran.told(kind) if row[2] == at]
    return [(time_us / 1e6, level, value) for time_us, _, _, level, value in told]


def _summary(ran: RanScenario) -> Summary:
    folder = SummaryFolder(ran.compiled.plan)
    folder.take(ran.record)
    return summarise(RunFigures(ran.compiled.plan, folder, ran.totals))


def _account(ran: RanScenario) -> Measures:
    return _summary(ran).by["account"][NOSTRO]


def test_the_channel_closes_and_opens_again(tmp_path: Path) -> None:
    # Of 100.00: 50.00 are reserved at 6.75 s, 50.00 are left, below the alarm at 60.00. 25.00 more
    # at 36.75 s leave 25.00, below the stop-loss at 30.00: the payment of 63 s meets a closed
    # channel once it has scanned, at 63.1 s. At 100 s come 45.00: 70.00 end both. 20.00 at 126.75 s
    # leave 50.00: the second alarm, and the channel stays open.
    ran = _ran(tmp_path, f"{WATCHED}, {DEPOSIT}")
    assert _levels(ran, LogKind.ALARM) == [(6.75, 50_00, 1), (100, 70_00, 0), (126.75, 50_00, 1)]
    assert _levels(ran, LogKind.CHANNEL) == [(36.75, 25_00, 1), (100, 70_00, 0)]
    done = (int(Outcome.COMPLETED), int(Reason.NONE))
    assert _ends(ran) == [done, done, (int(Outcome.NOT_PAYABLE), int(Reason.AG10)), done]
    assert [row[:3] for row in ran.told(LogKind.FAIL)] == [(63_100_000, 2, int(Reason.AG10))]
    assert _total(ran, AccountTotal.ALARMS) == 2
    assert _total(ran, AccountTotal.ALARM_FIRST_US) == 6_750_000
    assert _total(ran, AccountTotal.STOPS) == 1
    assert _total(ran, AccountTotal.STOP_FIRST_US) == 36_750_000
    # 100 s less 36.75 s.
    assert _total(ran, AccountTotal.STOPPED_US) == 63_250_000


def test_without_money_the_channel_stays_closed(tmp_path: Path) -> None:
    # 300 s less 36.75 s; and the first is counted although a warm-up of 50 s hides when it began.
    ran = _ran(tmp_path, WATCHED)
    assert _total(ran, AccountTotal.STOPPED_US) == 263_250_000
    assert [reason for _, reason in _ends(ran)] == [0, 0, int(Reason.AG10), int(Reason.AG10)]
    warm = _ran(tmp_path, WATCHED, ("horizon: 5 min", "horizon: 5 min, warm_up: 50 s"))
    assert _total(warm, AccountTotal.STOPPED_US) == 250_000_000
    assert _total(warm, AccountTotal.STOPS) == 0
    assert _total(warm, AccountTotal.STOP_FIRST_US) == NULL


def test_without_a_stop_loss_payments_are_refused_one_by_one(tmp_path: Path) -> None:
    # The negative control: 20.00 of 25.00 are paid, and 20.00 of 5.00 refused when they reserve.
    ran = _ran(tmp_path, "alarm_below: 60")
    assert _levels(ran, LogKind.CHANNEL) == []
    assert [reason for _, reason in _ends(ran)] == [0, 0, 0, int(Reason.AM04)]


def test_an_empty_account_is_closed_from_the_start(tmp_path: Path) -> None:
    # Nothing lies on it and no row puts anything there: it is looked at all the same, at once.
    ran = _ran(tmp_path, WATCHED, ("balance: 100", "balance: 0"))
    assert _levels(ran, LogKind.ALARM) == [(0, 0, 1)]
    assert _levels(ran, LogKind.CHANNEL) == [(0, 0, 1)]
    assert {reason for _, reason in _ends(ran)} == {int(Reason.AG10)}


def test_exactly_the_threshold_is_enough(tmp_path: Path) -> None:
    # 50.00 and 25.00 are left, neither is below.
    ran = _ran(tmp_path, "alarm_below: 50, stop_below: 25", ("- {at: 63 s, amount: 20}", ""))
    assert _levels(ran, LogKind.ALARM)[0] == (36.75, 25_00, 1)
    assert _levels(ran, LogKind.CHANNEL) == [(126.75, 5_00, 1)]


SECOND_AGENT = """
extends: minimal.yaml
clock: {start: 2025-09-17T12:00:00+07:00, horizon: 5 min}
institutions:
  lotus_bank:
    country: KH
    roles: [issuer, acquirer, settlement_agent, fx_provider]
    name: Lotus Bank
    bakong_id: lots
    core: {servers: 2, service_time: 0.2 s}
    screening: {servers: 1, service_time: 0.25 s, hit_share: 0 %}
    decline: 0 %
rails:
  alipay_plus:
    settlement_agents:
      river_bank: {prefunding: river_khr_for_alipay, spread: 0.12 %}
      lotus_bank: {prefunding: lotus_khr_for_alipay, spread: 0.20 %}
accounts:
  river_khr_for_alipay: {balance: 100 000, stop_below: 80 000}
  lotus_khr_for_alipay: {owner: lotus_bank, at: bakong, currency: KHR, balance: 100 000}
demand:
  domestic: null
  outbound: null
  inbound:
    payments:
    - {at: 1 s, amount: 41 300}
    - {at: 31 s, amount: 41 300}
    - {at: 61 s, amount: 41 300}
routing: {policy: cheapest, failover: 1}
"""


def test_others_take_over_while_a_channel_is_closed(tmp_path: Path) -> None:
    # River Bank converts cheaper and comes first. 41,300 of 100,000 riel leave 58,700, less than
    # 80,000: from then on Lotus Bank is the only one on offer, twice; then it has 17,400 left.
    # Nobody fails and nobody fails over.
    ran = run_text(tmp_path, f"scenario: other\n{SECOND_AGENT}")
    names = ran.compiled.plan.names
    routes = [names.routes[row[2]].rpartition(".")[2] for row in ran.told(LogKind.ROUTE)]
    assert routes == ["river_bank", "lotus_bank", "lotus_bank"]
    assert ran.told(LogKind.FAIL) == []
    assert set(ran.record[:, RecordColumn.ATTEMPTS].tolist()) == {1}


def test_balance_over_time_is_exact(tmp_path: Path) -> None:
    # 100.00 until 9.5 s, 50.00 until 38.9 s, 25.00 until 100 s, 70.00 until 128.3 s, 50.00 until
    # 300 s: 950 + 1,470 + 1,527.50 + 1,981 + 8,585 = 14,513.50 yuan times seconds.
    ran = _ran(tmp_path, f"{WATCHED}, {DEPOSIT}")
    assert _total(ran, AccountTotal.BALANCE_AREA) == 14_513_50
    assert _total(ran, AccountTotal.BALANCE_REST) == 0
    assert _account(ran)["idle_minor"].value == 14_513_50 / 300


def test_idle_money_costs_its_rate(tmp_path: Path) -> None:
    # A million yuan for a day at 3.65 % a year: 1,000,000 * 0.0365 / 365 = 100.00. No payment.
    ran = _ran(
        tmp_path,
        "idle_rate: 3.65 %",
        ("balance: 100", "balance: 1 000 000"),
        ("horizon: 5 min", "horizon: 24 h"),
        ("- {at: 3 s, amount: 50}\n    - {at: 33 s, amount: 25}\n    ", ""),
        ("- {at: 63 s, amount: 20}\n    - {at: 123 s, amount: 20}", "- {at: 23.9999 h, amount: 1}"),
    )
    assert _account(ran)["idle_cost_minor"].value == 100_00
    assert _account(ran)["overdraft_cost_minor"].value is None
    # 10^8 fen do not fit a day in the low word: 10^8 * 86,400 is 4,023 times 2^31 and a rest.
    assert _total(ran, AccountTotal.BALANCE_AREA_HIGH) == 10**8 * 86_400 >> AREA_BITS
    # In all: what the riel cost nobody says. In yuan, as no price needs a rate to the dollar.
    headline = _summary(ran).measures["idle_prefunding_cost_minor"]
    assert (headline.unit, headline.value) == ("minor CNY", 100_00)
    told = str(placed_in_all(_summary(ran)))
    assert "lay idle on the mean of time; idle money cost 100.00 CNY" in told


def test_an_overdraft_bears_interest(tmp_path: Path) -> None:
    # 73.00 yuan of nothing leave the account at 9.5 s; 12 hours of it at 10 % a year are
    # 73.00 * 0.10 / 730 = 0.01. What is overdrawn is no idle money, and its area is
    # 7,300 * 43,200 s.
    ran = _ran(
        tmp_path,
        "overdraft: 100, overdraft_rate: 10 %",
        ("balance: 100", "balance: 0"),
        ("horizon: 5 min", "horizon: 43209.5 s"),
        ("amount: 50}\n    - {at: 33 s, amount: 25}", "amount: 73}"),
        ("    - {at: 63 s, amount: 20}\n    - {at: 123 s, amount: 20}\n", ""),
    )
    assert _total(ran, AccountTotal.OVERDRAWN_AREA) == 7_300 * 43_200
    assert _account(ran)["overdraft_cost_minor"].value == 1
    assert _account(ran)["idle_minor"].value == 0
    assert _account(ran)["balance_mean_minor"].value == -7_300 * 43_200 / 43_209.5


def test_the_first_screen_says_that_the_alarm_was_raised(tmp_path: Path) -> None:
    ran = _ran(tmp_path, f"{WATCHED}, {DEPOSIT}")
    loaded = load_scenario(tmp_path / "scenario.yaml")
    alarm, channel = (str(block) for block in shortages(_summary(ran), loaded))
    assert f"{NOSTRO}: alarm raised 2 times, first at Wednesday 2025-09-17 12:00" in alarm
    assert "closed its channel once, first at Wednesday 2025-09-17 12:00" in channel
    assert "for 63.2 s in all" in channel


def test_planted_faults_are_found(tmp_path: Path) -> None:
    ran = _ran(tmp_path, f"{WATCHED}, {DEPOSIT}")
    kinds = ran.log[:, LogColumn.KIND]
    alarm, channel = (
        int(np.flatnonzero(kinds == kind)[0]) for kind in (LogKind.ALARM, LogKind.CHANNEL)
    )
    assert ran.audit_of(ran.log) == set()
    for row in (alarm, channel):
        dropped = np.delete(ran.log, row, axis=0)
        assert "guard" in ran.audit_of(dropped)
        for column, change in ((LogColumn.AMOUNT, 1), (LogColumn.VALUE, -1)):
            wrong = ran.log.copy()
            wrong[row, column] += change
            assert "guard" in ran.audit_of(wrong)
        late = ran.log.copy()
        late[[row, row + 1]] = late[[row + 1, row]]
        assert "guard" in ran.audit_of(late)
        twice = np.insert(ran.log, row + 1, ran.log[row], axis=0)
        assert "guard" in ran.audit_of(twice)


def test_a_route_over_a_closed_channel_is_found(tmp_path: Path) -> None:
    ran = run_text(tmp_path, f"scenario: other\n{SECOND_AGENT}")
    first, second, _ = (row[2] for row in ran.told(LogKind.ROUTE))
    log = ran.log.copy()
    taken = np.flatnonzero(log[:, LogColumn.KIND] == LogKind.ROUTE)[1]
    assert log[taken, LogColumn.SUBJECT] == second
    log[taken, LogColumn.SUBJECT] = first
    assert "guard" in ran.audit_of(log)


def test_an_area_that_is_a_unit_off_is_found(tmp_path: Path) -> None:
    from sim.audit.run import audit_log

    ran = _ran(tmp_path, f"{WATCHED}, {DEPOSIT}")
    at = ran.compiled.plan.names.accounts.index(NOSTRO)
    for column, rule in (
        (AccountTotal.BALANCE_REST, "totals"),
        (AccountTotal.BALANCE_AREA, "totals"),
        (AccountTotal.OVERDRAWN_AREA, "totals"),
        (AccountTotal.ALARMS, "guard"),
        (AccountTotal.STOPPED_US, "guard"),
    ):
        ran.totals.account[at, column] += 1
        report = audit_log(ran.compiled.plan, [ran.log], None, ran.totals)
        assert {one.rule for one in report.violations} == {rule}
        ran.totals.account[at, column] -= 1
