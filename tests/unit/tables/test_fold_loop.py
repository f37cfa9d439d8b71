"""Payments folded one by one, held against hand-worked sums and against whole columns."""

from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np
import pytest

from sim.compiler.builder import PlanBuilder
from sim.compiler.compile import Compiled, compile_scenario
from sim.contract.layout import NEVER_US, NULL
from sim.contract.meaning import Cause, Op, Outcome, Reason
from sim.contract.plan import Array
from sim.contract.records import RECORD_WIDTH, RecordColumn
from sim.contract.windows import WindowColumn
from sim.engine.compiled import run_compiled
from sim.errors import TooLargeError
from sim.scenario.scenario import load_scenario
from sim.tables.break_loop import find_breaks
from sim.tables.durations import DurationFolder, duration_cells
from sim.tables.folding import SummaryFolder, Tally
from tests.support.fold_twin import fold_columns
from tests.support.scenarios import ROOT
from tests.unit.tables.corridor import Keeper, corridor_plan

C = RecordColumn
EVERYTHING = ROOT / "sim" / "study" / "fuzz" / "everything.yaml"


@cache
def everything() -> tuple[Compiled, Array]:
    """Return the scenario that has everything, and its records."""
    compiled = compile_scenario(load_scenario(EVERYTHING))
    keeper = Keeper()
    run_compiled(compiled.plan, compiled.workload(), keeper)
    return compiled, np.concatenate(keeper.records)


def folded(compiled: Compiled, rows: Array, chunk: int) -> SummaryFolder:
    folder = SummaryFolder(compiled.plan)
    for at in range(0, len(rows), chunk):
        folder.take(rows[at : at + chunk])
    return folder


@pytest.mark.parametrize("chunk", [1, 97, 1 << 20])
def test_one_by_one_is_what_whole_columns_give(chunk: int) -> None:
    compiled, rows = everything()
    folder = folded(compiled, rows, chunk)
    assert len(rows) > 500
    assert len(folder.windows) > 0
    for one in (folder, *folder.windows):
        twin = fold_columns(compiled.plan, rows, one.spans)
        places = {pair: at for at, pair in enumerate(one.cells)}
        assert sorted(places) == sorted(twin.tally)
        assert one.agent.tolist() == twin.agent.tolist()
        assert one.peak.highest == twin.peak
        for pair, at in places.items():
            assert one.tally[at].tolist() == twin.tally[pair]
            assert one.maximum[at].tolist() == twin.maximum[pair]
            found = {(int(r), int(o)): int(one.reasons[at, r, o])
                     for r, o in np.argwhere(one.reasons[at])}  # fmt: skip
            assert found == twin.reasons[pair]
            for folded_times, times in ((one.end_to_end, twin.times), (one.machine, twin.machine),
                                        (one.open_age, twin.ages)):  # fmt: skip
                assert folded_times.of([at]).low.tolist() == times[pair]


def test_nothing_folded_is_nothing() -> None:
    folder = SummaryFolder(corridor_plan())
    assert (folder.cells, folder.tally.shape[0], folder.reasons.shape) == (
        [], 0, (0, len(Reason), len(Outcome)),
    )  # fmt: skip


def record(**columns: int) -> Array:
    """Return one record; what is not said is NULL, or 0 where it is a number."""
    row = np.full((1, RECORD_WIDTH), NULL, dtype=np.int64)
    row[0, C.TIME_0 : C.TIME_0 + len(Cause)] = 0
    for name in ("STREAM", "ROUTE", "DEBTOR_AGENT", "CREDITOR_AGENT", "REASON", "ATTEMPTS",
                 "REQUOTES", "QUOTES_LAPSED"):  # fmt: skip
        row[0, C[name]] = 0
    for name, value in columns.items():
        row[0, C[name]] = value
    return row


def test_one_payment_by_hand() -> None:
    plan = dataclasses.replace(corridor_plan(), warm_up_us=0)
    folder = SummaryFolder(plan)
    # Submitted at 1 s, credited 12.5 s later, ended at 14 s; a person took 2 s of that.
    completed = record(
        OUTCOME=Outcome.COMPLETED, SUBMITTED_US=1_000_000, SETTLED_US=12_000_000,
        CREDITED_US=13_500_000, END_US=14_000_000, DEBITED=3_000, PAYER_FEE=10, FX_MARGIN=-7,
        FX_DRIFT=NULL, FX_RISK=1, FX_ROUNDING=-500_000, SETTLEMENT=2_900, CREDITED=2_850,
        MERCHANT_FEE=50, ATTEMPTS=2, REQUOTES=3, QUOTES_LAPSED=1,
    )  # fmt: skip
    completed[0, C.TIME_0 + Cause.HUMAN] = 2_000_000
    folder.take(completed)
    (tally,) = folder.tally
    told = {one.name: int(tally[one]) for one in Tally if tally[one]}
    assert told == {
        "SUBMITTED": 1, "COMPLETED": 1, "COMPLETED_IN_WINDOW": 1,
        # 12.5 s is not within 10 s.
        "WITHIN_60S": 1, "WITHIN_1H": 1, "WITHIN_1D": 1, "END_TO_END_US": 12_500_000,
        # 10^4 * 10 / 3000 bps, in 10^-4 bps: 10^9 / 3000 = 333,333.3 to the nearest.
        "PRICED": 1, "PAYER_FEE": 333_333,
        # -7 * 10^8 / 3000 = -233,333.3; +1: 33,333.3; -0.5 of a minor unit: -16,666.7.
        "FX_MARGIN": -233_333, "FX_RISK": 33_333, "FX_ROUNDING": -16_667,
        "PAYER_AMOUNT": 3_000, "PAYER_COST": 10 - 7,
        # 50 of 2850 + 50: 50 * 10^8 / 2900 = 1,724,137.9.
        "MERCHANT_PRICED": 1, "MERCHANT_FEE": 1_724_138, "MERCHANT_AMOUNT": 2_900,
        "MERCHANT_COST": 50, "REQUOTES": 3, "QUOTES_LAPSED": 1, "FAILED_OVER": 1,
    }  # fmt: skip
    assert tally[Tally.CAUSE_0_US + Cause.HUMAN] == 2_000_000
    assert folder.maximum.tolist() == [[12_500_000, 10_500_000, 0]]
    # Submitted at 2 s and still open at the horizon: its payer was debited at 3 s.
    folder.take(
        record(OUTCOME=Outcome.IN_PROGRESS, SUBMITTED_US=2_000_000, SETTLED_US=3_000_000, DEBITED=8)
    )
    (tally,) = folder.tally
    assert [int(tally[one]) for one in (Tally.IN_PROGRESS, Tally.HELD, Tally.HELD_AMOUNT)] == [
        1, 1, 8,
    ]  # fmt: skip
    assert folder.maximum[0, 2] == plan.horizon_us - 3_000_000
    assert folder.open_age.of([0]).low.tolist() == [plan.horizon_us - 2_000_000]
    assert folder.peak.highest[2] == 1


def test_more_pairs_than_there_was_room_for_lose_nothing() -> None:
    # 200 streams: room for 64 pairs is doubled twice within a chunk. Stream n has n + 1 payments.
    b = PlanBuilder(horizon_us=10_000_000)
    entry = b.add_stage(Op.END, value=Outcome.COMPLETED, reason=0)
    for at in range(200):
        b.add_stream(f"s{at}", entry=entry, corridor="c", currency="USD")
    folder = SummaryFolder(b.build())
    rows = np.concatenate(
        [
            record(OUTCOME=Outcome.COMPLETED, STREAM=at, ROUTE=-1, SUBMITTED_US=0,
                   CREDITED_US=at + 1, END_US=at + 1, DEBTOR_AGENT=-1, CREDITOR_AGENT=-1)
            for at in range(200) for _ in range(at + 1)
        ]
    )  # fmt: skip
    folder.take(rows)
    assert folder.cells == [(at, -1) for at in range(200)]
    assert folder.tally[:, Tally.COMPLETED].tolist() == [at + 1 for at in range(200)]
    assert folder.maximum[:, 0].tolist() == [at + 1 for at in range(200)]
    assert folder.reasons[:, 0, Outcome.COMPLETED].tolist() == [at + 1 for at in range(200)]


def test_whoever_came_back_or_walked_away_is_counted_by_hand() -> None:
    plan = dataclasses.replace(corridor_plan(), warm_up_us=0)
    folder = SummaryFolder(plan)
    common = {"SUBMITTED_US": 0, "END_US": 9, "GONE_US": 5}
    # One came back, one was refused, and of those who walked away only the first had paid.
    folder.take(record(OUTCOME=Outcome.RETURNED, SETTLED_US=4, DEBITED=7, **common))
    folder.take(record(OUTCOME=Outcome.REJECTED, REASON=Reason.AM04, **common))
    (tally,) = folder.tally
    told = [Tally.RETURNED, Tally.REJECTED, Tally.GONE, Tally.GONE_DEBITED, Tally.HELD]
    assert [int(tally[one]) for one in told] == [1, 1, 2, 1, 0]


def test_a_share_beyond_64_bits_is_refused() -> None:
    folder = SummaryFolder(dataclasses.replace(corridor_plan(), warm_up_us=0))
    # 10^12 * 10^8 / 1 is 10^20, above 2^62.
    row = record(
        OUTCOME=Outcome.COMPLETED, SUBMITTED_US=0, CREDITED_US=1, END_US=1, DEBITED=1,
        PAYER_FEE=10**12,
    )  # fmt: skip
    with pytest.raises(TooLargeError, match="1e\\+20"):
        folder.take(row)


def test_cells_are_those_of_whole_columns() -> None:
    rng = np.random.default_rng(4)
    # All octaves, edges of cells, and three groups that share cells.
    values = np.concatenate(
        [rng.integers(0, 1 << bits, 300) for bits in range(1, 53)]
        + [np.array([0, 1, 2047, 2048, 2049, 4095, 4096, (1 << 52) - 1])]
    )
    group = rng.integers(0, 3, len(values))
    folder = DurationFolder(exact_max=10)
    for at in range(0, len(values), 501):
        folder.take(group[at : at + 501], values[at : at + 501])
    for one in range(3):
        mine = values[group == one]
        cells = duration_cells(mine)
        found = folder.of([one])
        expected = [
            (
                int(mine[cells == cell].min()),
                int(mine[cells == cell].max()),
                int((cells == cell).sum()),
            )
            for cell in np.unique(cells)
        ]
        assert (
            list(zip(found.low.tolist(), found.high.tolist(), found.count.tolist(), strict=True))
            == expected
        )


@pytest.mark.parametrize(
    ("columns", "is_break"),
    [
        # Books are compared at 100 and 200; debited at 50 and credited at 99: in time.
        ({"SETTLED_US": 50, "CREDITED_US": 99, "END_US": 120}, False),
        # What happens at 100 itself happens behind the comparison.
        ({"SETTLED_US": 50, "CREDITED_US": 100, "END_US": 120}, True),
        ({"SETTLED_US": 100, "CREDITED_US": 199, "END_US": 220}, False),
        ({"SETTLED_US": 100, "CREDITED_US": 200}, True),
        # Undone at 90, or never credited.
        ({"SETTLED_US": 50, "END_US": 90}, False),
        ({"SETTLED_US": 50}, True),
        # In doubt from 120 to 180, or to 210, or without end.
        ({"DOUBTED_US": 120, "KNOWN_US": 180, "END_US": 190}, False),
        ({"DOUBTED_US": 120, "KNOWN_US": 210, "END_US": 220}, True),
        ({"DOUBTED_US": 120, "KNOWN_US": 130, "IN_DOUBT_SINCE_US": 150}, True),
        ({"DOUBTED_US": 201}, False),
        ({}, False),
    ],
    ids=range(11),
)
def test_a_break_by_hand(columns: dict[str, int], is_break: bool) -> None:
    found = np.zeros(1, dtype=np.int64)
    count = find_breaks(record(OUTCOME=0, SUBMITTED_US=0, **columns), np.array([100, 200]), found)
    assert count == int(is_break)


def test_the_scenario_with_everything_has_what_is_compared() -> None:
    compiled, rows = everything()
    assert set(rows[:, C.OUTCOME].tolist()) >= {0, 1, 3}
    assert (rows[:, C.IN_DOUBT_SINCE_US] != NULL).any() or (rows[:, C.DOUBTED_US] != NULL).any()
    assert compiled.plan.window[:, WindowColumn.FROM_US].min() < NEVER_US
