"""Liquidity, prices, fees and limits, worked out by hand: times in seconds."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from sim.contract.layout import NULL, AccountColumn
from sim.contract.meaning import Cause, FeeKind, Flag, LogKind, Op, Outcome, Reason
from sim.contract.records import AccountTotal, LogColumn, RecordColumn, Register
from sim.contract.run import Engine
from sim.engine.compiled import run_compiled
from sim.engine.reference import run_reference
from sim.errors import InvariantViolation
from sim.units import DAY_US
from tests.unit.engine.worked import SECOND, Ran, Recorder, Sketch, outcomes, run_plan, workload

UNSHORT = (NULL, NULL, 0, 0, 0, 0, 0, 0, NULL, 0, NULL, 0)
"""Never short, never below zero, nothing watched; whole seconds in the integral."""
"""What an account that lacked no money says of it."""
MONEY = (
    LogKind.RESERVE,
    LogKind.POST,
    LogKind.TRANSFER,
    LogKind.VOID,
    LogKind.SHORT,
    LogKind.DEPOSIT,
    LogKind.LEAVE,
    LogKind.FAIL,
    LogKind.OUTCOME,
)


class Nostro:
    """Sketch a program that reserves on one finite account, waits, and posts."""

    def __init__(self, opening: int, *, queue: bool = True, warm_up: float = 0) -> None:
        self.sketch = Sketch(horizon=100, warm_up=warm_up)
        builder = self.sketch.builder
        self.nostro = builder.add_account("nostro", "USD", overdraft=0, watched=True)
        self.merchant = builder.add_account("merchant", "USD")
        if opening:
            builder.deposit(0, self.nostro, opening)
        self.transfer = builder.add_transfer(self.nostro, self.merchant, Register.INSTRUCTED)
        builder.add_stage(
            Op.RESERVE,
            "",
            first=self.transfer,
            flags=Flag.QUEUE if queue else 0,
            target=4,
            reason=Reason.AM04,
        )
        self.sketch.wait(10)
        builder.add_stage(Op.POST, "", first=self.transfer, count=1, flags=Flag.CREDITS)
        self.sketch.completed()
        builder.add_stage(Op.VOID)
        self.sketch.rejected()


def amounts(*rows: tuple[float, int]) -> list[dict[str, float]]:
    return [{"at": second, "amount": amount} for second, amount in rows]


def test_reservation_is_posted_and_balances_follow() -> None:
    """Opening 100; 60 reserved at 1, posted at 11. Balance area: 100 * 11 + 40 * 89 = 4660."""
    plan = Nostro(100)
    ran = run_plan(plan.sketch.build(), workload(*amounts((1, 60))))
    world = plan.sketch.builder.world("USD")
    assert ran.rows(*MONEY) == [
        (0, "DEPOSIT", -1, -1, world, 100, plan.nostro),
        (1, "RESERVE", 0, 0, plan.nostro, 60, plan.merchant),
        (11, "POST", 0, 2, plan.nostro, 60, plan.merchant),
        (11, "OUTCOME", 0, 3, Outcome.COMPLETED, 0, -1),
    ]
    assert ran.totals.account[plan.nostro].tolist() == [40, 0, 40, 4_660, 0, 0, 0, *UNSHORT]
    # The world is not watched: neither a low nor an area.
    assert ran.totals.account[world].tolist() == [-100, 0, 0, 0, 0, 0, 0, *UNSHORT]
    assert ran.totals.end_posted.sum() == 0


def test_short_account_rejects_without_the_queue_flag() -> None:
    plan = Nostro(100, queue=False)
    ran = run_plan(plan.sketch.build(), workload(*amounts((1, 60), (2, 41), (3, 40))))
    assert ran.rows(LogKind.RESERVE, LogKind.SHORT, LogKind.FAIL) == [
        (1, "RESERVE", 0, 0, plan.nostro, 60, plan.merchant),
        (2, "FAIL", 1, 0, Reason.AM04, -1, -1),
        (3, "RESERVE", 2, 0, plan.nostro, 40, plan.merchant),
    ]
    assert outcomes(ran)[1] == (1, "REJECTED", Reason.AM04)
    assert ran.totals.account[plan.nostro, AccountTotal.LOST] == 1


def test_deposit_frees_the_head_and_nobody_overtakes() -> None:
    """Opening 50. 60 waits at 1; 10 waits behind it at 2, though 50 are there.

    A deposit of 15 at 20 frees the 60 (65 - 60 = 5), not the 10; one of 5 at 30 frees the 10.
    """
    plan = Nostro(50)
    plan.sketch.builder.deposit(20 * SECOND, plan.nostro, 15)
    plan.sketch.builder.deposit(30 * SECOND, plan.nostro, 5)
    ran = run_plan(plan.sketch.build(), workload(*amounts((1, 60), (2, 10))))
    assert [row[:3] for row in ran.rows(*MONEY) if row[0] > 0] == [
        (1, "SHORT", 0),
        (2, "SHORT", 1),
        (20, "DEPOSIT", -1),
        (20, "RESERVE", 0),
        (30, "DEPOSIT", -1),
        (30, "RESERVE", 1),
        (30, "POST", 0),
        (30, "OUTCOME", 0),
        (40, "POST", 1),
        (40, "OUTCOME", 1),
    ]
    assert ran.times_s(1)[Cause.LIQUIDITY] == 28
    assert ran.totals.account[plan.nostro].tolist()[:3] == [0, 0, 0]
    assert ran.totals.account[plan.nostro, AccountTotal.DELAYED] == 2


def test_credit_and_void_free_those_waiting() -> None:
    """Two accounts, no deposits but 100 on a.

    Stages of stream 0: reserve 100 on a, wait 5, void, end. Of stream 1: reserve on a, wait 2,
    post to b, end. Of stream 2: reserve on b (empty), post to c, end.

    0 holds 100 of a from 0 to 5. 1 is short at 1, freed by the void at 5, posts to b at 7, which
    frees 2, short since 2: its row comes inside the event of 1, it advances after 1 has ended.
    """
    sketch = Sketch(horizon=50)
    builder = sketch.builder
    a, b, c = (builder.add_account(name, "USD", overdraft=0) for name in "abc")
    builder.deposit(0, a, 100)
    ab = builder.add_transfer(a, b, 0)
    bc = builder.add_transfer(b, c, 0)
    queue = {"flags": int(Flag.QUEUE)}
    builder.add_stage(Op.RESERVE, "", first=ab, **queue)
    sketch.wait(5)
    builder.add_stage(Op.VOID)
    sketch.rejected()
    second = builder.add_stage(Op.RESERVE, "", first=ab, **queue)
    sketch.wait(2)
    builder.add_stage(Op.POST, "", first=ab, count=1)
    sketch.completed()
    third = builder.add_stage(Op.RESERVE, "", first=bc, **queue)
    builder.add_stage(Op.POST, "", first=bc, count=1)
    sketch.completed()
    for entry in (0, second, third):
        sketch.stream(entry=entry)
    rows = [{"at": i, "stream": i, "amount": 100} for i in range(3)]
    ran = run_plan(sketch.build(), workload(*rows))
    assert ran.rows(*MONEY)[1:] == [
        (0, "RESERVE", 0, 0, a, 100, b),
        (1, "SHORT", 1, second, a, 100, -1),
        (2, "SHORT", 2, third, b, 100, -1),
        (5, "VOID", 0, 2, a, 100, b),
        (5, "RESERVE", 1, second, a, 100, b),
        (5, "OUTCOME", 0, 3, Outcome.REJECTED, 0, -1),
        (7, "POST", 1, second + 2, a, 100, b),
        (7, "RESERVE", 2, third, b, 100, c),
        (7, "OUTCOME", 1, second + 3, Outcome.COMPLETED, 0, -1),
        (7, "POST", 2, third + 1, b, 100, c),
        (7, "OUTCOME", 2, third + 2, Outcome.COMPLETED, 0, -1),
    ]
    assert ran.times_s(2)[Cause.LIQUIDITY] == 5


def test_transfer_of_nothing_leaves_no_trace() -> None:
    plan = Nostro(0)
    ran = run_plan(plan.sketch.build(), workload({"at": 1, "amount": 0}))
    assert [row[1] for row in ran.rows(*MONEY)] == ["OUTCOME"]
    assert not ran.totals.end_posted.any()


def test_account_totals_from_the_warm_up() -> None:
    """Opening 100, warm-up 5: 70 goes at 12, nothing else. Area from 5: 100 * 7 + 30 * 88."""
    plan = Nostro(100, warm_up=5)
    ran = run_plan(plan.sketch.build(), workload(*amounts((2, 70))))
    assert ran.totals.account[plan.nostro].tolist() == [30, 0, 30, 700 + 30 * 88, 0, 0, 0, *UNSHORT]


def test_balance_area_is_exact_to_the_microsecond() -> None:
    """100 until 11.5, 40 until 12.7, then 30: 100 * 11.5 + 40 * 1.2 + 30 * 87.3 = 3,817."""
    plan = Nostro(100)
    ran = run_plan(plan.sketch.build(), workload(*amounts((1.5, 60), (2.7, 10))))
    total = ran.totals.account[plan.nostro]
    assert total[AccountTotal.BALANCE_AREA] == 3_817
    assert total[AccountTotal.BALANCE_REST] == 0


def test_balance_area_holds_a_day_of_two_trillion_riel() -> None:
    """2e14 minor units for 100 s: 2e16 is 9,313,225 times 2^31 and a rest."""
    plan = Nostro(200_000_000_000_000)
    total = run_plan(plan.sketch.build(), workload()).totals.account[plan.nostro].tolist()
    assert total[AccountTotal.BALANCE_AREA_HIGH] == 9_313_225
    rest = 20_000_000_000_000_000 - 9_313_225 * 2**31
    assert total[AccountTotal.BALANCE_AREA] == rest
    assert 0 <= rest < 2**31


def price_stages(sketch: Sketch, pricing: int, *, validity: float, thinking: float) -> None:
    """Add: 0 QUOTE, 1 think, 2 CONVERT (at most one requote), 3 END, 4 rejected."""
    builder = sketch.builder
    builder.add_stage(
        Op.QUOTE,
        "",
        subject=pricing,
        value=round(validity * SECOND),
        target=4,
        reason=Reason.AM12,
    )
    sketch.wait(thinking, cause=int(Cause.HUMAN))
    builder.add_stage(Op.CONVERT, "", subject=0, value=1, target=4, reason=Reason.NOAS)
    sketch.completed()
    sketch.rejected()


def test_quote_lapses_once_requotes_and_then_gives_up() -> None:
    """Validity 5, thinking 8: lapses at 8, requote at 8, lapses at 16, NOAS.

    Rates: 4.0 until 10, so the second quote at 8 is as the first: 1000 * 4 = 4000, spread 1 % 40.
    """
    sketch = Sketch()
    pair = sketch.builder.add_pair("USD/KHR", [4_000, 5_000], 1_000)
    conversion = sketch.builder.add_conversion(pair, inverted=False, spread_ppm=10_000)
    pricing = sketch.builder.add_pricing(
        currencies=("KHR", "USD", "USD"), conversions=(conversion, -1)
    )
    price_stages(sketch, pricing, validity=5, thinking=8)
    ran = run_plan(sketch.build(), workload({"at": 0}))
    assert ran.rows(LogKind.QUOTE, LogKind.LAPSE, LogKind.FAIL) == [
        (0, "QUOTE", 0, 0, pricing, 4_040, 1_000),
        (8, "LAPSE", 0, 2, -1, -1, -1),
        (8, "QUOTE", 0, 0, pricing, 4_040, 1_000),
        (16, "LAPSE", 0, 2, -1, -1, -1),
        (16, "FAIL", 0, 2, Reason.NOAS, -1, -1),
    ]
    columns = (RecordColumn.REQUOTES, RecordColumn.QUOTES_LAPSED, RecordColumn.DEBITED)
    # Never settled: the price is not reported.
    assert ran.record(0, *columns) == (1, 2, NULL)


@pytest.mark.parametrize(
    ("validity", "lapses", "drift"),
    [
        # valid up to and including its last microsecond
        (8, 0, 0),
        # a quote of 0 holds for ever
        (0, 0, 0),
        # requoted at 12 at 5.0: worth 5000 now, 4000 at submission
        (7, 1, 1_000),
    ],
)
def test_quote_validity_and_drift(validity: float, lapses: int, drift: int) -> None:
    sketch = Sketch()
    pair = sketch.builder.add_pair("USD/KHR", [4_000, 5_000, 5_000, 5_000], 1_000)
    conversion = sketch.builder.add_conversion(pair, inverted=False, spread_ppm=0)
    pricing = sketch.builder.add_pricing(
        currencies=("KHR", "USD", "USD"), conversions=(conversion, -1)
    )
    price_stages(sketch, pricing, validity=validity, thinking=8)
    if lapses:
        # The second quote has a program of its own, without thinking, and holds for ever.
        sketch.builder.set_stage(2, subject=5)
        sketch.builder.add_stage(Op.QUOTE, "", subject=pricing, value=0, target=4)
        sketch.builder.add_stage(Op.CONVERT, "", subject=5, value=1, target=4)
        sketch.completed()
    ran = run_plan(sketch.build(), workload({"at": 4}))
    columns = (RecordColumn.QUOTES_LAPSED, RecordColumn.FX_DRIFT, RecordColumn.FX_MARGIN)
    assert ran.record(0, *columns) == (lapses, drift, 0)


@pytest.mark.parametrize("engine", [run_reference, run_compiled])
def test_before_any_quote_nothing_is_valid(engine: Engine) -> None:
    """No quote was given: what is used at 0 has lapsed, and without a requote it fails."""
    sketch = Sketch()
    sketch.builder.add_stage(Op.CONVERT, "", subject=0, value=0, target=2, reason=Reason.NOAS)
    sketch.completed()
    sketch.rejected()
    ran = run_plan(sketch.build(), workload({"at": 0}), engine=engine)
    assert ran.rows(LogKind.LAPSE, LogKind.FAIL) == [
        (0, "LAPSE", 0, 0, -1, -1, -1),
        (0, "FAIL", 0, 0, Reason.NOAS, -1, -1),
    ]


def test_price_that_leaves_nothing_fails() -> None:
    sketch = Sketch()
    fee = sketch.builder.add_fee(
        component="flat",
        recipient="bank",
        currency="USD",
        kind=FeeKind.FIXED,
        base=Register.DEBITED,
        fixed=50,
        bearer=1,
    )
    pricing = sketch.builder.add_pricing(
        currencies=("USD", "USD", "USD"), fee_first=fee, fee_count=1
    )
    price_stages(sketch, pricing, validity=0, thinking=0)
    ran = run_plan(sketch.build(), workload({"at": 0, "amount": 50}, {"at": 0, "amount": 51}))
    assert outcomes(ran) == [(0, "REJECTED", Reason.AM12), (1, "COMPLETED", 0)]
    assert ran.rows(LogKind.QUOTE)[0][5:] == (51, 1)


def charged_run() -> Ran:
    """Return one payment of 1000 with three fees: 2 % by the debtor, 15 by the creditor, none."""
    sketch = Sketch()
    builder = sketch.builder
    debtor, creditor, bank = (builder.add_account(name, "USD") for name in "dcb")
    add_fee = partial(builder.add_fee, component="fee", recipient="bank", currency="USD")
    first = add_fee(
        kind=FeeKind.PROPORTIONAL,
        base=Register.DEBITED,
        ppm=20_000,
        bearer=0,
        debit=debtor,
        credit=bank,
    )
    add_fee(
        kind=FeeKind.FIXED,
        base=Register.DEBITED,
        fixed=15,
        bearer=1,
        debit=creditor,
        credit=bank,
    )
    add_fee(
        kind=FeeKind.SURCHARGE,
        base=Register.DEBITED,
        ppm=500_000,
        threshold=5_000,
        bearer=0,
        debit=debtor,
        credit=bank,
    )
    pricing = builder.add_pricing(currencies=("USD", "USD", "USD"), fee_first=first, fee_count=3)
    paid = builder.add_transfer(debtor, creditor, Register.DEBITED)
    builder.add_stage(Op.QUOTE, "", subject=pricing, value=0)
    builder.add_stage(Op.POST, "", first=paid, count=1, flags=Flag.SETTLES | Flag.CREDITS)
    for fee in range(first, first + 3):
        builder.add_stage(Op.CHARGE, "", subject=fee)
    sketch.completed()
    return run_plan(sketch.build(), workload({"at": 3}))


def test_fees_are_charged_logged_and_reported() -> None:
    """2 % of 1000 is 20; 15; nothing up to 5000."""
    ran = charged_run()
    assert ran.rows(LogKind.TRANSFER, LogKind.FEE) == [
        (3, "TRANSFER", 0, 1, 0, 1_000, 1),
        (3, "TRANSFER", 0, 2, 0, 20, 2),
        (3, "FEE", 0, 2, 0, 20, -1),
        (3, "TRANSFER", 0, 3, 1, 15, 2),
        (3, "FEE", 0, 3, 1, 15, -1),
    ]
    assert ran.totals.end_posted.tolist() == [-1_020, 985, 35]
    columns = [RecordColumn.PAYER_FEE, RecordColumn.MERCHANT_FEE, RecordColumn.CHARGED]
    assert ran.record(0, *columns) == (20, 15, 0b11)
    assert ran.record(0, RecordColumn.DEBITED, RecordColumn.CREDITED) == (1_000, 985)
    fees = ran.payments[0][RecordColumn.FEE_0 :].tolist()
    assert fees == [20, 15, *[NULL] * 6]


def limited(*, horizon: float, per_payment: int = -1, per_day: int = -1) -> Sketch:
    """Sketch 0 LIMIT, 1 completed, 2 rejected, for three payers."""
    sketch = Sketch(horizon=horizon)
    builder = sketch.builder
    limit = builder.add_limit(
        "tier", register=Register.INSTRUCTED, per_payment=per_payment, per_day=per_day
    )
    builder.add_stage(Op.LIMIT, "", subject=limit, value=0, target=2)
    sketch.completed()
    sketch.rejected()
    stream = sketch.stream(payers=3)
    builder.use_limit(limit, stream)
    return sketch


def test_limits_per_payment_and_per_payer_and_day() -> None:
    """Per payment 100, per day 150: 101 AM02; 100 used, 51 AM14, 50 used; payer 1 has its own."""
    sketch = limited(horizon=10, per_payment=100, per_day=150)
    rows = [
        {"at": 0, "amount": 101},
        {"at": 1, "amount": 100},
        {"at": 2, "amount": 51},
        {"at": 3, "amount": 50},
        {"at": 4, "amount": 1},
        {"at": 5, "amount": 100, "payer": 1},
    ]
    ran = run_plan(sketch.build(), workload(*rows))
    assert [reason for _, _, reason in outcomes(ran)] == [
        Reason.AM02,
        0,
        Reason.AM14,
        0,
        Reason.AM14,
        0,
    ]
    assert ran.rows(LogKind.LIMIT) == [
        (1, "LIMIT", 1, 0, 0, 100, 0),
        (3, "LIMIT", 3, 0, 0, 50, 0),
        (5, "LIMIT", 5, 0, 0, 100, 1),
    ]


def test_limit_without_a_day_is_neither_stored_nor_logged() -> None:
    ran = run_plan(limited(horizon=10, per_payment=100).build(), workload({"at": 0, "amount": 100}))
    assert ran.rows(LogKind.LIMIT) == []
    assert outcomes(ran) == [(0, "COMPLETED", 0)]


def test_a_new_day_starts_at_local_midnight() -> None:
    day = DAY_US / SECOND
    sketch = limited(horizon=2 * day, per_day=100)
    rows = [{"at": day - 1, "amount": 100}, {"at": day, "amount": 100}, {"at": day, "amount": 1}]
    ran = run_plan(sketch.build(), workload(*rows))
    assert [reason for _, _, reason in outcomes(ran)] == [0, 0, Reason.AM14]


@pytest.mark.parametrize(("delay", "gives_back"), [(2.0, True), (7.0, False)])
def test_void_gives_a_limit_back_only_on_its_day(delay: float, gives_back: bool) -> None:
    """Midnight is 5 s after the start of the payment, which voids after 2 or 7 s."""
    day = DAY_US / SECOND
    sketch = Sketch(horizon=2 * day)
    builder = sketch.builder
    limit = builder.add_limit("tier", register=Register.INSTRUCTED, per_day=100)
    builder.add_stage(Op.LIMIT, "", subject=limit, value=2, target=4)
    sketch.wait(delay)
    builder.add_stage(Op.VOID)
    sketch.rejected()
    sketch.rejected()
    builder.use_limit(limit, sketch.stream())
    begin = day - 5
    rows = [{"at": begin, "amount": 100}, {"at": begin + 3, "amount": 100}]
    ran = run_plan(sketch.build(), workload(*rows))
    if gives_back:
        assert ran.rows(LogKind.GIVE_BACK) == [
            (begin + 2, "GIVE_BACK", 0, 2, limit, 100, 0),
            # The second uses it at begin + 3 and voids at begin + 5, which is the next day.
        ]
        assert ran.when(LogKind.LIMIT) == [(begin, 0), (begin + 3, 1)]
    else:
        assert ran.rows(LogKind.GIVE_BACK) == []
        assert outcomes(ran)[1] == (1, "REJECTED", Reason.AM14)


def test_ending_with_an_open_reservation_is_a_bug() -> None:
    plan = Nostro(100)
    plan.sketch.builder.set_stage(2, op=Op.END, value=0, reason=0)
    with pytest.raises(InvariantViolation, match=r"open reservations.*seed 1.*payment 0"):
        run_plan(plan.sketch.build(), workload(*amounts((1, 60))))


def test_reserving_a_row_twice_is_a_bug() -> None:
    plan = Nostro(100)
    plan.sketch.builder.set_stage(2, op=Op.RESERVE)
    with pytest.raises(InvariantViolation, match="reserved twice"):
        run_plan(plan.sketch.build(), workload(*amounts((1, 10))))


def test_a_register_never_filled_is_a_bug() -> None:
    sketch = Sketch()
    a, b = sketch.builder.add_account("a", "USD"), sketch.builder.add_account("b", "USD")
    transfer = sketch.builder.add_transfer(a, b, Register.DEBITED)
    sketch.builder.add_stage(Op.POST, "", first=transfer, count=1)
    with pytest.raises(InvariantViolation, match="register 1 holds"):
        run_plan(sketch.build(), workload({"at": 0}))


def test_a_transfer_between_currencies_is_a_bug() -> None:
    sketch = Sketch()
    a, b = sketch.builder.add_account("a", "USD"), sketch.builder.add_account("b", "KHR")
    transfer = sketch.builder.add_transfer(a, b, Register.INSTRUCTED)
    sketch.builder.add_stage(Op.POST, "", first=transfer, count=1)
    with pytest.raises(InvariantViolation, match="leaves its currency"):
        run_plan(sketch.build(), workload({"at": 0}))


@pytest.mark.parametrize("engine", [run_reference, run_compiled])
def test_samples_are_given_without_the_log_to_a_sink_that_wants_only_them(engine: Engine) -> None:
    """The SAMPLE rows of a run without a log are those of the run with one, and nothing else is."""
    plan = Nostro(100)
    built = replace(plan.sketch.build(), sample_interval_us=10 * SECOND)
    payments = workload(*amounts((1.5, 60)))
    full = run_plan(built, payments)
    recorder = Recorder(wants_log=False)
    recorder.wants_samples = True
    engine(built, [payments], recorder)
    found = np.vstack(recorder.logs)
    assert (found == full.log[full.log[:, LogColumn.KIND] >= LogKind.SAMPLE_STATION]).all()
    watched = int(built.account[:, AccountColumn.WATCHED].sum())
    assert len(found) == 10 * (len(built.station) + len(built.ledger) + watched)
