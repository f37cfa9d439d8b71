"""Clearing files and top-ups followed by hand, to the cent and the hour, in both engines."""

from __future__ import annotations

import numpy as np

from sim.compiler.clearing_rows import FileTimes
from sim.contract.agenda import Negative
from sim.contract.meaning import Flag, LogKind, Op, Outcome, Reason
from sim.contract.records import LogColumn, Register
from sim.units import DAY_US, HOUR_US
from tests.support.clearing import PAYMENT, REFUND, Clearing

MONDAY, TUESDAY, WEDNESDAY = range(3)


def _line(made: Clearing, **values: int) -> int:
    return made.b.add_line(
        "scheme/agent:USD",
        rail="scheme",
        agent="agent",
        **{
            "payments": made.pool,
            "closed": made.closed,
            "interchange_ppm": 6_000,
            "interchange_to": made.wallet,
            "scheme_ppm": 2_000,
            "scheme_to": made.scheme,
            "paid_to": made.agent,
            **values,
        },
    )


def _files(made: Clearing, line: int, days: int, *, held: int | None = None) -> None:
    """Close a file at every midnight and pay it two days later at ten."""
    for day in range(days):
        times = FileTimes(day * DAY_US, (day + 1) * DAY_US, (day + 2) * DAY_US + 10 * HOUR_US)
        held_by = made.closed if held is None else held
        made.b.add_file(line, held_by, times)


def test_clearing_file_with_a_refund_the_day_after() -> None:
    # Monday 100.00 + 50.00 + 25.00 = 175.00; interchange 0.6 % is 1.05, the scheme 0.2 % is 0.35:
    # 175.00 - 1.05 - 0.35 = 173.60, paid on Wednesday at ten (day 2 + 10/24). Tuesday a refund of
    # 25.00 brings back its interchange of 0.15 and no scheme fee: -25.00 + 0.15 = -24.85, carried.
    made = Clearing(days=6)
    _files(made, _line(made, refunds=made.refunds), 4)
    made.refunds_from(made.refunds, reserved=False)
    ran = made.run(
        [
            (PAYMENT, MONDAY, 9, 100_00),
            (PAYMENT, MONDAY, 12, 50_00),
            (PAYMENT, MONDAY, 20, 25_00),
            (REFUND, TUESDAY, 15, 25_00),
        ]
    )
    ten = 10 / 24
    assert ran.told(LogKind.FILE_CUT) == [
        (1, 0, 175_00, 173_60), (2, 1, -25_00, -24_85), (3, 2, 0, 0), (4, 3, 0, 0),
    ]  # fmt: skip
    assert ran.told(LogKind.FILE_SETTLED) == [
        (2 + ten, 0, 173_60, 0), (3 + ten, 1, 0, -24_85), (4 + ten, 2, 0, -24_85),
        (5 + ten, 3, 0, -24_85),
    ]  # fmt: skip
    # Gross 175.00 + 25.00 = 200.00; the agent's claim was never above the one file's net.
    grosses = [abs(gross) for _, _, gross, _ in ran.told(LogKind.FILE_CUT)]
    assert sum(grosses) == 200_00
    assert max(net for *_, net in ran.told(LogKind.FILE_CUT)) == 173_60
    # The moves: 175.00 closed, 1.05 and 0.35 to wallet and scheme; 25.00 back to the refunds'
    # account, 0.15 back from the wallet; 173.60 to the agent.
    moved = [(debit, amount, credit) for _, debit, amount, credit in ran.told(LogKind.MOVED)]
    assert moved == [
        (made.pool, 175_00, made.closed), (made.closed, 1_05, made.wallet),
        (made.closed, 35, made.scheme), (made.closed, 25_00, made.refunds),
        (made.wallet, 15, made.closed), (made.closed, 173_60, made.agent),
    ]  # fmt: skip
    assert ran.audit().violations == ()


def test_a_negative_file_is_set_off_or_paid() -> None:
    # The refund of 24.85 net is set off against Wednesday's 40.00 less 0.24 and 0.08 = 39.68:
    # 39.68 - 24.85 = 14.83. An agent that pays it pays 24.85 at once, out of its 173.60, and gets
    # 39.68.
    for negative, paid in (
        (Negative.CARRY, [173_60, 0, 14_83]),
        (Negative.PAY, [173_60, -24_85, 39_68]),
    ):
        made = Clearing(days=6)
        _files(made, _line(made, refunds=made.refunds, negative=negative), 3)
        made.refunds_from(made.refunds, reserved=False)
        ran = made.run(
            [
                (PAYMENT, MONDAY, 9, 175_00),
                (REFUND, TUESDAY, 15, 25_00),
                (PAYMENT, WEDNESDAY, 9, 40_00),
            ]
        )
        assert [amount for _, _, amount, _ in ran.told(LogKind.FILE_SETTLED)] == paid
        assert ran.told(LogKind.FILE_SETTLED)[-1][3] == 0
        assert ran.audit().violations == ()


def test_an_agent_that_cannot_pay_a_negative_file_owes_it() -> None:
    # Nothing was ever paid to the agent, whose account may not go below zero: 9.94 stays owed.
    made = Clearing(days=4)
    _files(made, _line(made, refunds=made.refunds, negative=Negative.PAY), 1)
    made.refunds_from(made.refunds, reserved=False)
    ran = made.run([(REFUND, MONDAY, 9, 10_00)])
    assert ran.told(LogKind.FILE_SETTLED) == [(2 + 10 / 24, 0, 0, -9_94)]
    assert ran.audit().violations == ()


def test_rounding_is_half_up_once_per_file() -> None:
    # 0.6 % of 12.50 is 7.5 cents: 8. 0.2 % of it 2.5 cents: 3. 12.50 - 0.08 - 0.03 = 12.39. Three
    # payments of 12.50 are one file of 37.50: 22.5 cents are 23, 7.5 are 8: 37.19, not 37.17.
    for count, net in ((1, 12_39), (3, 37_19)):
        made = Clearing(days=4)
        _files(made, _line(made), 1)
        ran = made.run([(PAYMENT, MONDAY, hour, 12_50) for hour in range(count)])
        assert ran.told(LogKind.FILE_CUT) == [(1, 0, 12_50 * count, net)]


def test_payout_from_a_threshold_on() -> None:
    # 300.00, 300.00 and 199.99 on three days: 799.99 is not paid. One cent more: 800.00 on the day
    # the third file is due.
    for last, paid in ((199_99, [0, 0, 0]), (200_00, [0, 0, 800_00])):
        made = Clearing(days=6)
        _files(made, _line(made, interchange_ppm=0, scheme_ppm=0, threshold=800_00), 3)
        ran = made.run(
            [
                (PAYMENT, MONDAY, 9, 300_00),
                (PAYMENT, TUESDAY, 9, 300_00),
                (PAYMENT, WEDNESDAY, 9, last),
            ]
        )
        settled = ran.told(LogKind.FILE_SETTLED)
        assert [amount for _, _, amount, _ in settled] == paid
        assert settled[-1][3] == (0 if paid[-1] else 799_99)
        assert ran.audit().violations == ()


def test_refunds_only_out_of_the_same_days_pool() -> None:
    # A pool of 100.00: a refund of 120.00 is refused, one of 60.00 is made, 40.00 are left and
    # closed at midnight. Next day the pool is empty: 1.00 is refused.
    made = Clearing(days=3, overdraft=0)
    _files(made, _line(made, interchange_ppm=0, scheme_ppm=0), 1)
    made.refunds_from(made.pool, reserved=True)
    ran = made.run(
        [
            (PAYMENT, MONDAY, 9, 100_00),
            (REFUND, MONDAY, 10, 120_00),
            (REFUND, MONDAY, 11, 60_00),
            (REFUND, TUESDAY, 9, 1_00),
        ]
    )
    rejected, completed = Outcome.REJECTED, Outcome.COMPLETED
    assert ran.outcomes == [completed, rejected, completed, rejected]
    assert ran.told(LogKind.FILE_CUT) == [(1, 0, 40_00, 40_00)]
    assert ran.audit().violations == ()


def test_a_pool_is_sold_at_the_rate_of_its_day() -> None:
    # Two pools of 700.00 CNY, sold on the days after at nine: at 7.00 CNY a dollar the first buys
    # 100.00, at 7.20 the second floor(97.2222) = 97.22. With a margin of 1 % the part at mid rate
    # is floor(70,000 / 1.01) = 69,306 fen, which buys 99.00; 6.94 CNY are margin.
    for spread, bought, margin in ((0, [100_00, 97_22], 0), (10_000, [99_00, 96_25], 694)):
        made = Clearing(days=4)
        b = made.b
        sold = b.add_account("fx:CNY", "USD")
        kept = b.add_account("spread:CNY", "USD")
        dollars = b.add_account("fx:USD", "EUR")
        held = b.add_account("held", "EUR")
        paid_to = b.add_account("agent abroad", "EUR")
        # One step a day: 7.00 on Monday and Tuesday, 7.20 from Wednesday on.
        b._scalars["fx_step_us"] = DAY_US
        pair = b.add_pair("EUR/USD", [70_000, 70_000, 72_000, 72_000], 10_000)
        line = _line(
            made,
            interchange_ppm=0,
            scheme_ppm=0,
            conversion=b.add_conversion(pair, inverted=False, spread_ppm=spread),
            sold_to=sold,
            spread_to=kept,
            bought_from=dollars,
            held=held,
            paid_to=paid_to,
        )
        for day in range(2):
            nine = (day + 1) * DAY_US + 9 * HOUR_US
            times = FileTimes(day * DAY_US, (day + 1) * DAY_US, nine + HOUR_US, nine)
            b.add_file(line, held, times)
        ran = made.run([(PAYMENT, MONDAY, 9, 700_00), (PAYMENT, TUESDAY, 9, 700_00)])
        assert [(a, v) for _, _, a, v in ran.told(LogKind.FILE_CONVERTED)] == [
            (700_00, bought[0]), (700_00, bought[1]),
        ]  # fmt: skip
        assert [amount for _, _, amount, _ in ran.told(LogKind.FILE_SETTLED)] == bought
        margins = [a for _, debit, a, credit in ran.told(LogKind.MOVED) if credit == kept]
        assert margins == ([margin, margin] if margin else [])
        assert ran.audit().violations == ()


def test_a_file_cut_before_the_start_is_paid() -> None:
    # A file of 99.20 is on its way when the run begins: it lies there and is paid on day 0 at ten.
    made = Clearing(days=2)
    times = FileTimes(-2 * DAY_US, -DAY_US, 10 * HOUR_US, net=99_20)
    made.b.add_file(_line(made), made.closed, times)
    ran = made.run([])
    assert ran.told(LogKind.FILE_CUT) == []
    assert ran.told(LogKind.FILE_SETTLED) == [(10 / 24, 0, 99_20, 0)]
    assert ran.audit().violations == ()


def test_top_ups_count_what_is_on_the_way() -> None:
    # The account begins with 100.00 and pays 70.00 on day 0 at 8. Looked at at 9, 12 and 15, with
    # money 4 hours later; below 50.00 it is filled up to 120.00. At 9: 30.00, so 90.00 are ordered;
    # at 12: 30.00 and 90.00 on the way, nothing; at 13 they arrive: 120.00; at 15 nothing.
    made = Clearing(days=1)
    b = made.b
    short = b.add_account("short", "USD", overdraft=0, watched=True)
    treasury = b.add_account("treasury", "USD")
    b.deposit(0, short, 100_00)
    made.refunds_from(short, reserved=True)
    rule = b.add_top_up("short", account=short, source=treasury, low=50_00, target=120_00)
    for hour in (9, 12, 15):
        b.add_order(rule, hour * HOUR_US, (hour + 4) * HOUR_US)
    ran = made.run([(REFUND, 0, 8, 70_00)])
    assert ran.told(LogKind.TOP_UP_ORDERED) == [
        (9 / 24, 0, 90_00, 30_00), (12 / 24, 1, 0, 120_00), (15 / 24, 2, 0, 120_00),
    ]  # fmt: skip
    assert ran.told(LogKind.TOP_UP_ARRIVED) == [
        (13 / 24, 0, 90_00, 90_00), (16 / 24, 1, 0, 0), (19 / 24, 2, 0, 0),
    ]  # fmt: skip
    assert ran.audit().violations == ()


def test_a_top_up_takes_no_more_than_its_maximum_and_its_source() -> None:
    # 120.00 - 30.00 = 90.00 are wanted, 60.00 at most in one order; the source has 45.00 only.
    made = Clearing(days=1)
    b = made.b
    short = b.add_account("short", "USD", overdraft=0, watched=True)
    treasury = b.add_account("treasury", "USD", overdraft=0)
    b.deposit(0, short, 30_00)
    b.deposit(0, treasury, 45_00)
    rule = b.add_top_up(
        "short", account=short, source=treasury, low=50_00, target=120_00, most=60_00
    )
    b.add_order(rule, 9 * HOUR_US, 11 * HOUR_US)
    ran = made.run([])
    assert ran.told(LogKind.TOP_UP_ORDERED) == [(9 / 24, 0, 60_00, 30_00)]
    assert ran.told(LogKind.TOP_UP_ARRIVED) == [(11 / 24, 0, 45_00, 60_00)]
    assert ran.audit().violations == ()


def test_money_that_arrives_sets_free_who_waits_for_it() -> None:
    # The agent's account is empty until the file of day 0 is paid on day 2 at ten; a payment from
    # it that waits since day 1 goes on at that instant.
    made = Clearing(days=3)
    _files(made, _line(made, interchange_ppm=0, scheme_ppm=0), 1)
    b = made.b
    out = b.add_transfer(made.agent, made.payer, Register.INSTRUCTED)
    failed = b.add_stage(Op.END, "rejected", value=Outcome.REJECTED, reason=-1)
    made.programs.append(b.next_stage)
    b.add_stage(
        Op.RESERVE, "reserve", first=out, target=failed, reason=Reason.AM04, flags=Flag.QUEUE
    )
    b.add_stage(Op.POST, "post", first=out, count=1)
    b.add_stage(Op.END, "end", value=Outcome.COMPLETED, reason=0)
    ran = made.run([(PAYMENT, 0, 9, 100_00), (REFUND, 1, 9, 80_00)])
    kinds = ran.log[:, LogColumn.KIND].tolist()
    paid = kinds.index(LogKind.FILE_SETTLED)
    assert kinds[paid : paid + 3] == [LogKind.FILE_SETTLED, LogKind.MOVED, LogKind.RESERVE]
    ended = ran.log[kinds.index(LogKind.OUTCOME, paid), LogColumn.TIME_US]
    assert ended == 2 * DAY_US + 10 * HOUR_US
    assert ran.audit().violations == ()
    assert np.count_nonzero(ran.log[:, LogColumn.KIND] == LogKind.SHORT) == 1


def test_what_a_pool_lacks_is_made_up_before_the_next_one_is_sold() -> None:
    # At 7.00 a dollar. Monday's 700 CNY buy 100.00. On Tuesday 210 go back: nothing is sold and 210
    # are lacking. Wednesday's 350 less those are 140, which buy 20.00; Thursday's 70 buy 10.00.
    made = Clearing(days=6)
    b = made.b
    sold, dollars = b.add_account("fx:CNY", "USD"), b.add_account("fx:USD", "EUR")
    kept, held = b.add_account("spread:CNY", "USD"), b.add_account("held", "EUR")
    pair = b.add_pair("EUR/USD", [70_000], 10_000)
    line = _line(
        made, refunds=made.refunds, interchange_ppm=0, scheme_ppm=0, sold_to=sold, spread_to=kept,
        conversion=b.add_conversion(pair, inverted=False, spread_ppm=0), bought_from=dollars,
        held=held, paid_to=b.add_account("agent abroad", "EUR"),
    )  # fmt: skip
    for day in range(4):
        nine = (day + 1) * DAY_US + 9 * HOUR_US
        b.add_file(line, held, FileTimes(day * DAY_US, (day + 1) * DAY_US, nine + HOUR_US, nine))
    made.refunds_from(made.refunds, reserved=False)
    ran = made.run(
        [
            (PAYMENT, MONDAY, 9, 700_00),
            (REFUND, TUESDAY, 9, 210_00),
            (PAYMENT, WEDNESDAY, 9, 350_00),
            (PAYMENT, WEDNESDAY + 1, 9, 70_00),
        ]
    )
    assert [(paid, bought) for _, _, paid, bought in ran.told(LogKind.FILE_CONVERTED)] == [
        (700_00, 100_00), (0, 0), (140_00, 20_00), (70_00, 10_00),
    ]  # fmt: skip
    settled = [(paid, carried) for _, _, paid, carried in ran.told(LogKind.FILE_SETTLED)]
    assert settled == [(100_00, 0), (0, 0), (20_00, 0), (10_00, 0)]
    assert ran.audit().violations == ()


def test_what_is_carried_is_carried_by_its_own_line() -> None:
    # Two lines close a file each day. On the first 24.85 are lacking after Monday's refund (see
    # above), which its own next file makes up; the second line pays what it holds.
    made = Clearing(days=5)
    b = made.b
    pool, closed = b.add_account("second pool", "USD"), b.add_account("second closed", "USD")
    other = b.add_line(
        "scheme/other:USD", rail="scheme", agent="other", payments=pool, closed=closed,
        paid_to=b.add_account("other agent", "USD"),
    )  # fmt: skip
    line = _line(made, refunds=made.refunds)
    for day in range(2):
        times = FileTimes(day * DAY_US, (day + 1) * DAY_US, (day + 2) * DAY_US + 10 * HOUR_US)
        b.add_file(line, made.closed, times)
        b.add_file(other, closed, times)
    made.refunds_from(made.refunds, reserved=False)
    made.programs.append(made._pays(b.add_transfer(made.payer, pool, Register.INSTRUCTED)))
    ran = made.run(
        [
            (REFUND, MONDAY, 9, 25_00),
            (2, MONDAY, 10, 7_00),
            (PAYMENT, TUESDAY, 9, 40_00),
            (2, TUESDAY, 10, 8_00),
        ]
    )
    # 40.00 less 0.24 and 0.08 are 39.68; less 24.85, 14.83.
    settled = [row[1:] for row in ran.told(LogKind.FILE_SETTLED)]
    assert settled == [(0, 0, -24_85), (1, 7_00, 0), (2, 14_83, 0), (3, 8_00, 0)]
    assert ran.audit().violations == ()
