"""Arrays that are used again give what new ones give, whatever the run before did in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from sim.compiler.compile import Compiled, compile_scenario
from sim.contract.plan import Array
from sim.contract.run import Totals
from sim.engine import room
from sim.engine.compiled import Replications, run_compiled
from sim.engine.kernel.laying import lay_rows
from sim.engine.room import doubled
from sim.scenario.scenario import load_scenario
from sim.study.compile_case import depends_on_replication, rekeyed
from tests.equivalence import crafted
from tests.equivalence.compared import Kept, assert_records_equal, assert_totals_equal
from tests.support.scenarios import ROOT


def _compiled(name: str, *changes: str) -> Compiled:
    return compile_scenario(load_scenario(ROOT / "scenarios" / name, changes))


def _fresh(compiled: Compiled) -> tuple[Kept, Totals]:
    kept = Kept()
    return kept, run_compiled(compiled.plan, compiled.workload(), kept)


def _ask_same(again: tuple[Kept, Totals], fresh: tuple[Kept, Totals]) -> None:
    np.testing.assert_array_equal(again[0].log, fresh[0].log)
    assert_records_equal(again[0].record, fresh[0].record)
    assert_totals_equal(again[1], fresh[1])


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("minimal.yaml", ()),
        ("library/retry-storm.yaml", ("clock.horizon=4 min",)),
        ("library/ecny-bridge.yaml", ("clock.horizon=30 min",)),
        ("rtgs-morning.yaml", ()),
    ],
    ids=["minimal", "storm", "bridge", "large-value"],
)
def test_replications_in_one_room_are_those_in_rooms_of_their_own(
    name: str, changes: tuple[str, ...]
) -> None:
    first = _compiled(name, *changes)
    engine, found = Replications(), []
    for number in (0, 1, 0):
        compiled = replace(first) if depends_on_replication(first) else rekeyed(first, number)
        kept = Kept()
        again = kept, engine(compiled.plan, compiled.workload(), kept)
        assert len(engine._rooms) == 1
        found.append((again, _fresh(compiled)))
    # Behind all runs: none may have changed what an earlier one gave.
    for again, fresh in found:
        _ask_same(again, fresh)


def test_room_that_grew_leaves_nothing_of_its_crowd() -> None:
    crowd, few = (crafted.crowd_released_at_once(count) for count in (700, 3))
    engine = Replications()
    for case in (crowd, few, crowd):
        # One plan object for all: the crowd's, whose arrays alone make a room fit.
        plan, kept, fresh = crowd.plan, Kept(), Kept()
        totals = engine(plan, [case.workload], kept)
        _ask_same((kept, totals), (fresh, run_compiled(plan, [case.workload], fresh)))
    assert len(engine._rooms[0].state.pool) >= 700


def test_plans_that_take_turns_have_a_room_each(monkeypatch: pytest.MonkeyPatch) -> None:
    plans = [_compiled("minimal.yaml", f"seed={seed}") for seed in (1, 2, 3, 4, 5)]
    engine, laid = Replications(), []
    lay = room.lay_for
    monkeypatch.setattr(room, "lay_for", lambda *given: laid.append(1) or lay(*given))
    for _ in range(3):
        for one in plans[:2]:
            kept = Kept()
            _ask_same((kept, engine(one.plan, one.workload(), kept)), _fresh(one))
    assert len(laid) == 2
    for one in plans:
        engine(one.plan, one.workload(), Kept())
    # The one that was not asked for longest has gone.
    assert len(engine._rooms) == 4
    assert not any(one.fits(plans[0].plan, Kept()) for one in engine._rooms)


def test_room_serves_no_other_plan_and_no_other_wants() -> None:
    one = _compiled("minimal.yaml")
    made = room.Room(one.plan, Kept())
    assert made.fits(rekeyed(one, 3).plan, Kept())
    assert not made.fits(one.plan, Kept(wants_log=False))
    assert not made.fits(replace(one.plan, horizon_us=one.plan.horizon_us - 1), Kept())
    # Equal arrays are not enough: nobody has looked at these.
    assert not made.fits(replace(one.plan, stage=one.plan.stage.copy()), Kept())


def test_run_begun_within_another_has_a_room_of_its_own() -> None:
    one = _compiled("minimal.yaml")
    engine = Replications()
    engine(one.plan, one.workload(), Kept())
    inner = Kept()

    def chunks() -> Iterator[Array]:
        # As another thread might, while the outer run waits for its payments.
        engine(one.plan, one.workload(), inner)
        yield from one.workload()

    outer = Kept()
    fresh = _fresh(one)
    _ask_same((outer, engine(one.plan, chunks(), outer)), fresh)
    np.testing.assert_array_equal(inner.log, fresh[0].log)
    assert len(engine._rooms) == 1


def test_run_that_breaks_takes_its_room_with_it() -> None:
    one = _compiled("minimal.yaml")
    engine = Replications()
    engine(one.plan, one.workload(), Kept())

    def torn() -> list[Array]:
        raise RuntimeError("no payments today")

    class Torn:
        def __iter__(self) -> object:
            return iter(torn())

    with pytest.raises(RuntimeError, match="today"):
        engine(one.plan, Torn(), Kept())  # type: ignore[arg-type]
    assert engine._rooms == []
    kept = Kept()
    _ask_same((kept, engine(one.plan, one.workload(), kept)), _fresh(one))


def test_large_array_grows_where_it_lies_and_keeps_its_rows() -> None:
    """Rows keep their values and their place; the new ones are zeros linked to the free list."""
    rows = doubled(lay_rows(1 << 12, 8), link=2, rows_min=16)
    rows[:, 0] = np.arange(len(rows))
    rows[:, 2] = -7
    larger = doubled(rows, link=2, rows_min=16)
    assert len(larger) == 2 * len(rows) == 1 << 14
    assert np.shares_memory(larger, rows)
    np.testing.assert_array_equal(larger[: len(rows), 0], np.arange(len(rows)))
    assert not larger[len(rows) :, [0, 1, *range(3, 8)]].any()
    assert larger[len(rows) : -1, 2].tolist() == list(range(len(rows) + 1, len(larger)))
    assert larger[-1, 2] == -1
    # Room for four times as many is reserved; beyond it, and for a copy, rows are laid out anew.
    again = doubled(doubled(larger, link=2, rows_min=16), link=2, rows_min=16)
    assert not np.shares_memory(again, rows)
    np.testing.assert_array_equal(again[: len(rows), 0], np.arange(len(rows)))
    assert not np.shares_memory(doubled(rows.copy(), link=2, rows_min=16), rows)
