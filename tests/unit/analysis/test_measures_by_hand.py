"""Measures out of a handful of payments and a place or two, each with its arithmetic.

Takes records and totals written by hand; no engine runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sim.analysis.by_value import cost_by_value
from sim.analysis.catalogue import CATALOGUE
from sim.analysis.g20 import hold_against_targets
from sim.analysis.liquidity import Holding
from sim.analysis.rates import worth_in
from sim.analysis.refunds import refunds_of
from sim.analysis.sources import Cell, Payments, Place
from sim.analysis.summary import Measure, mean_width
from sim.compiler.builder import PlanBuilder
from sim.contract.layout import NULL
from sim.contract.meaning import Cause, Op, Outcome
from sim.contract.plan import Array, Plan
from sim.contract.records import RECORD_WIDTH
from sim.contract.records import RecordColumn as C
from sim.tables import parquet_stream
from sim.tables.folding import BPS_SCALE, TALLY_WIDTH, SummaryFolder, Tally
from sim.tables.parquet_stream import ParquetStream, merge_parts
from sim.tables.positions import PositionFolder
from sim.units import DAY_US
from sim.units import SECOND_US as S


def _plan(warm_up_s: int = 0) -> Plan:
    """Return a plan of one stream, two agents and one route that leaves an obligation."""
    b = PlanBuilder(horizon_us=100 * S, warm_up_us=warm_up_s * S)
    entry = b.add_stage(Op.END, value=Outcome.COMPLETED, reason=0)
    for agent in ("bank", "other"):
        b.agents.add(agent)
    pricing = b.add_pricing(currencies=("USD", "USD", "USD"))
    route = b.add_route("way", rail="rail", corridor="inside", entry=entry, pricing=pricing)
    b.owe(route, "rail", debtor="bank", creditor="other")
    b.add_stream("all", entry=entry, corridor="inside", currency="USD")
    return b.build()


def _record(number: int, **cells: int) -> list[int]:
    """Return a record of a payment that completes a second after it was submitted at 0."""
    row = [NULL] * RECORD_WIDTH
    given = {
        "payment": number, "stream": 0, "ordinal": number, "route": 0, "debtor_agent": -1,
        "creditor_agent": -1, "submitted_us": 0, "credited_us": S, "end_us": S, "reason": 0,
        "outcome": Outcome.COMPLETED, "attempts": 1, "requotes": 0, "quotes_lapsed": 0,
        **{f"time_{cause}": 0 for cause in range(len(Cause))}, **cells,
    }  # fmt: skip
    for name, value in given.items():
        at = (
            C.TIME_0 + int(name.removeprefix("time_"))
            if name.startswith("time_")
            else C[name.upper()]
        )
        row[at] = int(value)
    return row


def _folded(plan: Plan, *chunks: list[list[int]]) -> SummaryFolder:
    folder = SummaryFolder(plan)
    for chunk in chunks:
        folder.take(np.array(chunk, dtype=np.int64))
    return folder


def _payments(**count: int) -> Payments:
    row = [0] * TALLY_WIDTH
    for name, value in count.items():
        row[Tally[name.upper()]] = value
    return Payments(row, 10.0)


def test_ten_seconds_are_within_ten_seconds_and_a_microsecond_more_is_not() -> None:
    rows = [
        _record(0, credited_us=10 * S, end_us=10 * S),
        _record(1, credited_us=10 * S + 1, end_us=10 * S + 1),
        _record(2, credited_us=60 * S, end_us=60 * S),
    ]
    tally = _folded(_plan(), rows).tally[0]
    assert (tally[Tally.WITHIN_10S], tally[Tally.WITHIN_60S]) == (1, 3)


def test_a_time_ends_with_the_credit_and_not_with_the_last_message() -> None:
    tally = _folded(_plan(), [_record(0, credited_us=3 * S, end_us=7 * S)]).tally[0]
    assert tally[Tally.END_TO_END_US] == 3 * S


def test_the_busiest_second_lies_behind_the_warm_up_and_may_be_cut_by_a_chunk() -> None:
    plan = _plan(warm_up_s=5)
    early = [_record(at, credited_us=4 * S, end_us=4 * S + at) for at in range(4)]
    # Two ends in second 6, and a third in the next chunk; all submitted after the warm-up.
    late = [
        _record(4 + at, submitted_us=5 * S, credited_us=6 * S, end_us=6 * S + at) for at in range(3)
    ]
    folder = _folded(plan, [*early, *late[:2]], late[2:])
    assert folder.peak.highest[2] == 3


def test_an_agent_at_both_ends_counts_once() -> None:
    rows = [
        _record(0, debtor_agent=0, creditor_agent=0),
        _record(1, debtor_agent=0, creditor_agent=1),
    ]
    agents = _folded(_plan(), rows).agent[:, Tally.SUBMITTED]
    assert agents.tolist() == [2, 1]


def test_a_merchant_s_fee_is_a_share_of_what_was_paid() -> None:
    tally = _folded(_plan(), [_record(0, credited=594, merchant_fee=6)]).tally[0]
    # 6 of 594 + 6 is 1 %, 100 basis points.
    assert tally[Tally.MERCHANT_FEE] == 100 * BPS_SCALE


def test_only_what_stands_is_owed_and_the_deepest_debt_is_kept() -> None:
    folder = PositionFolder(_plan())
    rows = [
        _record(0, settlement=300, settled_us=S),
        _record(1, settlement=50, settled_us=S, outcome=Outcome.RETURNED),
    ]
    folder.take(np.array(rows, dtype=np.int64))
    assert int(folder.gross.sum()) == 300
    assert folder.position[0, :, 0].tolist() == [-300, 300]
    assert int(folder.lowest.min()) == -300


def test_what_came_back_is_due_and_what_is_open_in_time_is_not() -> None:
    group = _payments(submitted=10, completed=6, returned=2, rejected=1, open_in_time=1)
    # 6 of 10 - 1.
    assert CATALOGUE["success_rate"].measure(group).value == 6 / 9


def test_a_payer_s_cost_is_fees_and_margin_and_machines_take_what_people_do_not() -> None:
    group = _payments(
        completed=2, priced=2, payer_fee=60 * BPS_SCALE, fx_margin=100 * BPS_SCALE,
        end_to_end_us=20 * S, cause_0_us=0,
    )  # fmt: skip
    group.count[Tally.CAUSE_0_US + Cause.HUMAN] = 14 * S
    # (60 + 100) / 2 basis points; (20 - 14) / 2 seconds.
    assert CATALOGUE["payer_cost_bps"].measure(group).value == 80
    assert CATALOGUE["machine_time_mean"].measure(group).value == 3


def test_who_was_refused_did_not_wait() -> None:
    place = Place(
        100 * S, used=60 * S, capacity=200 * S, queue_area=50 * S, queue_max=3, served=4,
        wait_sum_us=8 * S, wait_p99_us=None, refused=12,
    )  # fmt: skip
    found = {name: CATALOGUE[name].measure(place).value for name in ("wait_mean", "queue_mean")}
    # 8 seconds of the four who were served; half a payment on the mean of 100 seconds.
    assert found == {"wait_mean": 2, "queue_mean": 0.5}


def test_rates_are_followed_either_way() -> None:
    b = PlanBuilder(horizon_us=S)
    for code in ("USD", "KHR", "CNY"):
        b.currencies.add(code)
    b.add_pair("USD/KHR", [4000], 1)
    b.add_pair("USD/CNY", [8], 1)
    # A cent is 4000 hundredths of a riel, and 8 fen.
    found = worth_in(b.build(), "KHR")
    assert found == {"KHR": 1, "USD": 4000, "CNY": 500}


def _cell(debited: int, credited: int, **tally: int) -> Cell:
    row = np.zeros(TALLY_WIDTH, dtype=np.int64)
    for name, value in tally.items():
        row[Tally[name.upper()]] = value
    return Cell(row, Fraction(debited), Fraction(credited))


@pytest.mark.parametrize(
    ("is_payer", "bps"), [(True, 10_000 * 23 / 700), (False, 10_000 * 12 / 500)]
)
def test_costs_by_value_are_worth_what_their_side_is(is_payer: bool, bps: float) -> None:
    cost, amount = (
        (Tally.PAYER_COST, Tally.PAYER_AMOUNT)
        if is_payer
        else (Tally.MERCHANT_COST, Tally.MERCHANT_AMOUNT)
    )
    sums = {cost.name.lower(): 3, amount.name.lower(): 100}
    more = {cost.name.lower(): 4, amount.name.lower(): 100}
    cells = (_cell(1, 2, **sums), _cell(5, 3, **more))
    if is_payer:
        # Costs 3 * 1 + 4 * 5 = 23; amounts 100 * 1 + 100 * 5, and 100 * 1 that cost nothing: 700.
        cells = (*cells, _cell(1, 9, **{amount.name.lower(): 100}))
    else:
        # Of the first only the amount: 4 * 3 = 12 of 100 * 2 + 100 * 3 = 500.
        cells = (_cell(7, 2, **{amount.name.lower(): 100}), cells[1])
    group = Payments([0] * TALLY_WIDTH, 1.0, cells)
    found = cost_by_value(cost, amount, is_payer=is_payer)(group)
    assert found == pytest.approx(bps, rel=1e-12)


def test_the_worst_corridor_is_the_dearest_one() -> None:
    def costs(bps: float) -> Mapping[str, Measure]:
        return {"payer_cost_bps": Measure(bps, "bps"), "within_1h": Measure(0.75, "share")}

    corridors = {"cheap": costs(40), "dear": costs(301), "at_home": costs(900)}
    found = hold_against_targets(costs(100), corridors, ["cheap", "dear"])
    # 100 is met by 100, 300 is not by 301, 75 % is by 75 %; what crosses no border does not count.
    assert {name: one.is_met for name, one in found.items()} == {
        "cost_mean": True, "cost_worst_corridor": False, "within_1h": True,
    }  # fmt: skip
    assert found["cost_worst_corridor"].value == 301


def test_refunds_are_those_of_the_streams_asked_for() -> None:
    b = PlanBuilder(horizon_us=S)
    entry = b.add_stage(Op.END, value=Outcome.COMPLETED, reason=0)
    for name in ("one", "two"):
        b.add_stream(name, entry=entry, corridor="inside", currency="USD")
    plan = b.build()
    refund = plan.refund.copy()
    refund[0, 0] = 1
    changed: Any = SimpleNamespace(
        refund=refund,
        names=plan.names,
        stream=plan.stream,
        rate=plan.rate,
        pair_scale=plan.pair_scale,
    )
    totals: Any = SimpleNamespace(refund=np.array([[1, 2, 3, 4], [10, 20, 30, 40]], dtype=np.int64))
    found = refunds_of(changed, totals, [1])
    assert found is not None
    row = [found.parts, found.refused, found.payments, found.amount.minor]
    assert sorted(value for value in row if value is not None) == [10, 20, 30, 40]


def test_idle_money_and_overdrafts_cost_a_365th_of_a_year_each_day() -> None:
    day = Holding(36_500 * DAY_US, 7_300 * DAY_US, idle_ppb=100_000_000, overdraft_ppb=50_000_000)
    # 10 % of 36 500 over 365 days is 10 a day; 5 % of 7 300 is 1.
    assert (day.idle_cost, day.overdraft_cost) == (10, 1)


def test_the_width_of_a_mean_is_the_mean_of_widths() -> None:
    cells = [Measure(1.0, "s", width=0.2), Measure(2.0, "s", width=0.4)]
    assert mean_width(cells) == pytest.approx(0.3)


def test_no_row_is_lost_where_row_groups_meet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_stream, "ROW_GROUP_ROWS", 4)
    schema = pa.schema([pa.field("n", pa.int64())])

    def write(name: str, first: int, chunks: tuple[int, ...]) -> Path:
        stream = ParquetStream(tmp_path / name, schema)
        for rows in chunks:
            stream.take(pa.table({"n": pa.array(range(first, first + rows))}, schema=schema))
            first += rows
        stream.close()
        return tmp_path / name

    # 3 + 3 + 3 + 5 in groups of four: cut within the second, the third and the fourth chunk.
    parts = [write("one.parquet", 0, (3, 3, 3, 5)), write("two.parquet", 14, (9,))]
    assert pq.read_table(parts[0])["n"].to_pylist() == list(range(14))
    assert merge_parts(tmp_path / "both.parquet", parts) == 23
    assert pq.read_table(tmp_path / "both.parquet")["n"].to_pylist() == list(range(23))


def test_a_row_of_cells_is_as_wide_as_said() -> None:
    # The columns this file writes by name are all there are.
    row: Array = np.array([_record(0)], dtype=np.int64)
    assert row.shape == (1, RECORD_WIDTH)
