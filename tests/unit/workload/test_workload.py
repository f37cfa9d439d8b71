"""Payments are what their names, numbers and demand say, however the workload is cut."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.contract.layout import CERTAIN, NEVER_US
from sim.contract.plan import Array
from sim.contract.records import WorkloadColumn as Column
from sim.draws import lookup
from sim.draws.keys import check_purposes, purpose_id
from sim.draws.thresholds import cumulative62
from sim.workload import long_division
from sim.workload import loop as workload_loop
from sim.workload.arrivals import HAZARD_UNIT
from sim.workload.stream_demand import StreamDemand
from sim.workload.streams import PURPOSES, draw_workload, exponential_table
from tests.unit.workload import demands
from tests.unit.workload.demands import (
    demand,
    draw,
    flat,
    ints,
    key_of,
    without_merchants,
    written_rows,
)

HORIZON_US = 100_000_000
ROOT = Path(__file__).resolve().parents[3]


def _pairs(key: Array, count: int, purpose: str) -> list[tuple[int, int]]:
    return [lookup.draw62_pair(key, n, purpose_id(purpose), 0) for n in range(count)]


def _hazards(key: Array, count: int) -> list[int]:
    """Return cumulative sums of unit exponentials, one payment at a time."""
    table, total, sums = exponential_table(), 0, []
    for u62, _ in _pairs(key, count, "arrival"):
        total += int(lookup.quantile(table, 0, u62))
        sums.append(total)
    return sums


def _of(rows: Array, stream: int) -> Array:
    chosen: Array = rows[rows[:, Column.STREAM] == stream]
    return chosen


def test_at_a_flat_rate_payments_come_at_the_sums_of_unit_exponentials() -> None:
    # 1000 payments a second: one unit of hazard each 1000 us.
    time_us, hazard = flat(1000, HORIZON_US)
    rows = draw(replace(demand(), hazard_time_us=time_us, hazard=hazard))
    expected = [total * 1000 // HAZARD_UNIT for total in _hazards(key_of("counter"), 3000)]
    assert rows[:3000, Column.TIME_US].tolist() == expected
    assert rows[:, Column.ORDINAL].tolist() == list(range(len(rows)))


def test_along_a_path_time_is_the_exact_inverse_rounded_down() -> None:
    times = [40, 1000, 1000, 77_777, 10**9 + 1]
    hazard = [0, 0, 5 * HAZARD_UNIT, 5 * HAZARD_UNIT + 3, 200 * HAZARD_UNIT + 12_345]
    stream = replace(demand(), hazard_time_us=ints(*times), hazard=ints(*hazard))
    expected = []
    for total in _hazards(key_of("counter"), 400):
        if total < hazard[-1]:
            at = max(i for i, point in enumerate(hazard) if point <= total)
            run, rise = times[at + 1] - times[at], hazard[at + 1] - hazard[at]
            expected.append(times[at] + (total - hazard[at]) * run // rise)
    rows = draw(stream, horizon_us=2 * 10**9)
    assert len(expected) > 100
    assert rows[:, Column.TIME_US].tolist() == expected
    assert (rows[:, Column.TIME_US] == 1000).any()  # a step of the path: several at one instant


@settings(deadline=None)  # the first of them may make machine code
@given(
    whole=st.integers(1, 2**61 - 1), share=st.integers(0, 2**61), width=st.integers(0, 2**62 - 1)
)
def test_scaling_is_exact_where_the_product_does_not_fit(
    whole: int, share: int, width: int
) -> None:
    part = share % whole
    scaled = getattr(long_division.scaled, "py_func", long_division.scaled)
    shift = 62 - whole.bit_length()
    assert scaled(part, whole, width, shift) == part * width // whole
    assert long_division.scaled(part, whole, width, shift) == part * width // whole


@given(a=st.integers(0, 2**62 - 1), b=st.integers(0, 2**62 - 1))
def test_the_high_half_of_a_product_is_exact(a: int, b: int) -> None:
    assert long_division.high62(a, b) == (a * b) >> 62


def test_amounts_payers_and_debtor_agents_follow_their_draws() -> None:
    rows = draw(demand())[:2000]
    key = key_of("counter")
    for n, (amount62, payer62) in enumerate(_pairs(key, len(rows), "amount+payer")):
        amount = int(lookup.quantile(demands.TABLE, demands.AMOUNT_TABLE, amount62))
        assert rows[n, Column.AMOUNT] == max(amount // 100 * 100, 100)
        assert rows[n, Column.PAYER] == 1000 * payer62**3 >> (3 * 62)
    for n, (agent62, merchant62) in enumerate(_pairs(key, len(rows), "agents+merchant")):
        share = agent62 / 2**62
        assert rows[n, Column.DEBTOR_AGENT] == (4 if share < 0.5 else 9 if share < 0.8 else 2)
        assert rows[n, Column.MERCHANT] == 20 + ((merchant62 >> 31) * 7 >> 31)
    place = rows[:, Column.MERCHANT] - 20
    assert (rows[:, Column.CREDITOR_AGENT] == place % 3).all()
    assert (rows[:, Column.ROUTE_SET] == place % 2).all()


def test_codes_are_static_or_expire_a_life_less_their_age_after_the_scan() -> None:
    rows = draw(demand())[:2000]
    key = key_of("counter")
    codes, ages = _pairs(key, len(rows), "code"), _pairs(key, len(rows), "code_age")
    for n, ((static62, damaged62), (age62, _)) in enumerate(zip(codes, ages, strict=True)):
        age = int(lookup.quantile(demands.TABLE, demands.CODE_AGE_TABLE, age62))
        dynamic = int(rows[n, Column.TIME_US]) + demands.LIFE_US - age
        is_static = static62 < demand().static_threshold62
        assert rows[n, Column.CODE_EXPIRY_US] == (NEVER_US if is_static else dynamic)
        assert rows[n, Column.CODE_STATE] == int(damaged62 < demand().damaged_threshold62)
    assert 0 < rows[:, Column.CODE_STATE].sum() < len(rows)


def test_a_code_given_with_an_expiry_or_damage_keeps_it() -> None:
    expiry = ints(5, *[NEVER_US] * 6)
    rows = draw(
        replace(demand(), merchant_expiry_us=expiry, merchant_is_damaged=ints(0, 1, *[0] * 5))
    )
    given_one = rows[:, Column.MERCHANT] == 20
    assert given_one.any()
    assert (rows[given_one, Column.CODE_EXPIRY_US] == 5).all()
    assert not (rows[~given_one, Column.CODE_EXPIRY_US] == 5).any()
    assert (rows[rows[:, Column.MERCHANT] == 21, Column.CODE_STATE] == 1).all()


def test_without_luck_in_codes_all_are_static_and_readable() -> None:
    rows = draw(replace(demand(), static_threshold62=CERTAIN, damaged_threshold62=0))
    assert (rows[:, Column.CODE_EXPIRY_US] == NEVER_US).all()
    assert not rows[:, Column.CODE_STATE].any()


def test_without_merchants_creditor_agents_come_by_share_and_no_code_is_read() -> None:
    rows = draw(demands.without_merchants(demand()))
    pairs = _pairs(key_of("counter"), 1000, "agents+merchant")
    assert rows[:1000, Column.CREDITOR_AGENT].tolist() == [
        6 if second < CERTAIN // 4 else 7 for _, second in pairs
    ]
    for column, value in (
        (Column.MERCHANT, -1),
        (Column.ROUTE_SET, 5),
        (Column.CODE_STATE, 0),
        (Column.CODE_EXPIRY_US, NEVER_US),
    ):
        assert (rows[:, column] == value).all()


def test_a_stream_without_agents_gives_none() -> None:
    base = demands.without_merchants(demand())
    empty = ints()
    rows = draw(
        replace(
            base,
            debtor_agent=empty,
            debtor_cumulative62=empty,
            creditor_agent=empty,
            creditor_cumulative62=empty,
        )
    )
    assert (rows[:, [Column.DEBTOR_AGENT, Column.CREDITOR_AGENT]] == -1).all()


def test_a_fixed_amount_and_a_single_payer_change_no_other_draw() -> None:
    base, fixed = draw(demand()), draw(replace(demand(), amount_fixed=0, payers=1))
    assert not fixed[:, [Column.AMOUNT, Column.PAYER]].any()
    others = [c for c in Column if c not in {Column.AMOUNT, Column.PAYER}]
    assert (fixed[:, others] == base[:, others]).all()


@pytest.mark.parametrize("chunk", [1, 7, 65_536])
def test_the_size_of_chunks_changes_nothing_but_their_size(chunk: int) -> None:
    streams = (demand("a", stream=0), demands.without_merchants(demand("b", stream=1)))
    horizon_us = 10_000_000
    chunks = list(draw_workload(demands.TABLE, streams, horizon_us=horizon_us, chunk=chunk))
    assert all(len(rows) == chunk for rows in chunks[:-1])
    assert 0 < len(chunks[-1]) <= chunk
    assert (np.concatenate(chunks) == draw(*streams, horizon_us=horizon_us, chunk=500)).all()


def test_payments_come_in_order_of_time_stream_and_ordinal() -> None:
    time_us, hazard = flat(200, 1_000_000)
    crowd = [
        replace(demand(f"s{s}", stream=s), hazard_time_us=time_us // 1000, hazard=hazard)
        for s in (3, 0, 2, 1)
    ]
    ties = [replace(demand(stream=s), written=written_rows([5, 5, 9], stream=s)) for s in (5, 4)]
    rows = draw(*crowd, *ties, horizon_us=1000)
    keys = rows[:, [Column.ORDINAL, Column.STREAM, Column.TIME_US]].T
    assert (np.lexsort(keys) == np.arange(len(rows))).all()
    assert (np.diff(rows[:, Column.TIME_US]) == 0).any()
    assert set(rows[:, Column.STREAM].tolist()) == set(range(6))


def test_nothing_is_submitted_at_or_after_the_horizon() -> None:
    long = draw(demand())
    cut = int(long[len(long) // 2, Column.TIME_US])
    short = draw(demand(), horizon_us=cut)
    assert len(short) == int((long[:, Column.TIME_US] < cut).sum())
    assert (short == long[: len(short)]).all()
    listed = replace(demand(), written=written_rows([1, 5, 6], stream=0))
    assert draw(listed, horizon_us=5)[:, Column.TIME_US].tolist() == [1]


def test_no_streams_or_no_payments_give_no_chunk() -> None:
    nothing = replace(demand(), hazard=ints(0, 0))
    for streams in ((), (nothing,), (replace(demand(), count_max=0),)):
        assert list(draw_workload(demands.TABLE, streams, horizon_us=10)) == []


def test_another_stream_leaves_the_payments_of_the_first_as_they_were() -> None:
    alone = draw(demand("a"))
    beside = draw(demand("a"), demand("b", stream=1), demand("c", stream=2))
    assert (_of(beside, 0) == alone).all()
    moved = draw(demand("b"), demand("a", stream=1))
    others = [c for c in Column if c != Column.STREAM]
    assert (_of(moved, 1)[:, others] == alone[:, others]).all()


def test_twice_the_rate_is_the_same_payments_in_half_the_time() -> None:
    base = draw(demand())
    fast = draw(replace(demand(), hazard=demand().hazard * 2))[: len(base)]
    late = 2 * fast[:, Column.TIME_US] - base[:, Column.TIME_US]
    assert late.min() >= -2
    assert late.max() <= 1
    same = [c for c in Column if c not in {Column.TIME_US, Column.CODE_EXPIRY_US}]
    assert (fast[:, same] == base[:, same]).all()


def test_a_greater_count_adds_payments_at_the_end() -> None:
    some = draw(replace(demand(), count_max=50))
    more = draw(replace(demand(), count_max=51))
    assert len(some) == 50
    assert len(more) == 51
    assert (more[:50] == some).all()


def test_a_written_list_is_taken_as_it_is_but_for_open_debtor_agents() -> None:
    open_rows = written_rows(list(range(0, 4000, 2)), stream=0)
    given_rows = written_rows(list(range(0, 4000, 2)), stream=0, debtor_agent=1)
    assert (draw(replace(demand(), written=given_rows)) == given_rows).all()
    drawn = draw(replace(demand(), written=open_rows))
    shares = [first / 2**62 for first, _ in _pairs(key_of("counter"), 2000, "agents+merchant")]
    expected = [4 if share < 0.5 else 9 if share < 0.8 else 2 for share in shares]
    assert drawn[:, Column.DEBTOR_AGENT].tolist() == expected
    others = [c for c in Column if c != Column.DEBTOR_AGENT]
    assert (drawn[:, others] == open_rows[:, others]).all()
    longer = written_rows([*range(0, 4000, 2), 4001], stream=0)
    assert (draw(replace(demand(), written=longer))[:2000] == drawn).all()
    assert (open_rows[:, Column.DEBTOR_AGENT] == -1).all()  # the list given was not written to


def test_lists_alone_are_merged_as_lists_among_drawn_streams_are() -> None:
    lists = [
        replace(demand("x", stream=2), written=written_rows([3, 3, 50, 50_000], stream=2)),
        replace(demand("y", stream=1), written=written_rows([3, 49, 50, 99_999_999], stream=1)),
    ]
    alone = draw(*lists, chunk=3)
    among = draw(*lists, demand("z", stream=0))
    assert (alone == among[among[:, Column.STREAM] > 0]).all()
    assert alone[:, Column.STREAM].tolist() == [1, 2, 2, 1, 1, 2, 2, 1]
    assert draw(*lists, horizon_us=50)[:, Column.TIME_US].tolist() == [3, 3, 3, 49]


@pytest.mark.parametrize("has_codes", [True, False], ids=["codes", "no codes"])
@pytest.mark.parametrize("carried", [0, 2], ids=["nothing said", "two instruments"])
def test_routes_follow_the_classes_of_both_institutions(has_codes: bool, carried: int) -> None:
    # Agent 9 is a payers' institution of class 1, agent 7 a payees' of class 1; all others are of
    # class 0. Route sets are numbered 100 x debtor's class + 10 x instrument + payee.
    base = demand() if has_codes else without_merchants(demand())
    payees = len(base.merchant) or 2
    sets = ints(
        *(100 * a + 10 * i + p for a in (0, 1) for i in range(carried or 1) for p in range(payees))
    )
    classed = replace(
        base,
        debtor_class=ints(*(int(agent == 9) for agent in range(10))),
        creditor_class=ints() if has_codes else ints(*(int(a == 7) for a in range(10))),
        merchant_route_set=sets if has_codes else ints(),
        instrument_route_set=ints() if has_codes else sets,
    )
    if carried:
        classed = replace(
            classed,
            instrument=ints(1, 2),
            instrument_cumulative62=cumulative62([1.0, 1.0]),
            second_cumulative62=ints(0, 1 << 62, 1 << 62, 1 << 62),
        )
    rows = draw(classed)
    debtor, creditor = rows[:, Column.DEBTOR_AGENT], rows[:, Column.CREDITOR_AGENT]
    payee = rows[:, Column.MERCHANT] - 20 if has_codes else (creditor == 7).astype(np.int64)
    first = np.maximum(rows[:, Column.INSTRUMENT] - 1, 0)
    assert (rows[:, Column.ROUTE_SET] == 100 * (debtor == 9) + 10 * first + payee).all()
    # Whoever carries two has the other one as the second: that of the first is 1, and back.
    second = (1 - first) if carried else first
    assert (rows[:, Column.ROUTE_SET_2] == 100 * (debtor == 9) + 10 * second + payee).all()
    assert len(np.unique(rows[:, Column.ROUTE_SET])) == 2 * (carried or 1) * payees
    # A list that leaves the same open is given the same.
    listed = rows.copy()
    is_said = [Column.TIME_US, Column.STREAM, Column.ORDINAL, Column.AMOUNT]
    listed[:, [column for column in Column if column not in is_said]] = -1
    listed[:, Column.CODE_EXPIRY_US] = NEVER_US
    again = draw(replace(classed, written=listed))
    assert (again == rows).all()


def test_seed_zero_draws_and_seed_and_replication_change_everything() -> None:
    base = draw(demand())
    for seed, replication in ((1, 0), (0, 1)):
        other = draw(replace(demand(), key=key_of("counter", seed, replication)))
        count = min(len(base), len(other))
        same = base[:count] == other[:count]
        assert same[:, [Column.TIME_US, Column.AMOUNT]].mean() < 0.01
    assert (draw(demand()) == base).all()


def test_uncompiled_code_draws_the_same_payments() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.unit.workload.demands"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
    )
    assert done.stdout.strip() == demands.small_digest()


def test_describing_demand_does_without_numba_and_scipy() -> None:
    program = (
        "import sys, sim.workload.streams; "
        "sys.exit(any(name in sys.modules for name in ('numba', 'scipy')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, cwd=ROOT).returncode == 0


def test_the_purposes_have_numbers_of_their_own() -> None:
    check_purposes(PURPOSES)
    assert len({purpose_id(name) for name in PURPOSES}) == 6
    assert workload_loop.NEVER_US == NEVER_US


BAD_LIST = written_rows([5, 4], stream=0)
WRONG: list[tuple[StreamDemand, str]] = [
    (replace(demand(), debtor_agent=ints(1)), "1 debtor agents have 3 thresholds"),
    (replace(demand(), debtor_cumulative62=ints(1, 2, 3)), "debtor agents must ascend to 2"),
    (replace(demand(), debtor_cumulative62=ints(9, 2, CERTAIN)), "must ascend to 2"),
    (replace(demand(), creditor_agent=ints(1)), "1 creditor agents have 0 thresholds"),
    (replace(demand(), hazard=ints(0)), "2 times and 1 hazards"),
    (replace(demand(), hazard=ints(0, 5), hazard_time_us=ints(7, 3)), "must not fall"),
    (replace(demand(), hazard=ints(0, 2**61)), "allowed: times from 0 on"),
    (replace(demand(), hazard=ints(1, 2)), "hazard runs from 1 to 2"),
    (replace(demand(), merchant_agent=ints(1)), "columns of different lengths"),
    (replace(demand(), payers=0), "payers 0, payer_skew 3"),
    (replace(demand(), amount_granule=0), "amount_granule 0"),
    (replace(demand(), amount_table=1 + len(demands.TABLE) // 2), "amount_table 5125 is no offset"),
    (replace(demand(), written=ints(1, 2)[None, :]), "shape [(]1, 2[)]"),
    (replace(demand(stream=1), written=BAD_LIST), "not of stream 1"),
    (replace(demand(), written=BAD_LIST), "written payment 1 is not after"),
]


@pytest.mark.parametrize(("wrong", "words"), WRONG, ids=[words for _, words in WRONG])
def test_demand_that_contradicts_itself_is_refused_before_drawing(
    wrong: StreamDemand, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        draw_workload(demands.TABLE, [wrong], horizon_us=10)


def test_a_stream_given_twice_and_an_empty_chunk_are_refused() -> None:
    with pytest.raises(ValueError, match="a and b are both stream 0"):
        draw_workload(demands.TABLE, [demand("a"), demand("b")], horizon_us=10)
    with pytest.raises(ValueError, match="chunk is 0"):
        draw_workload(demands.TABLE, [demand()], horizon_us=10, chunk=0)
