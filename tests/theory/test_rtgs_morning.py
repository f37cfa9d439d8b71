"""A morning of a large-value system: what must hold of it whatever the luck of the day."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sim.audit.run import audit_log
from sim.compiler.compile import Compiled, compile_scenario
from sim.contract.large_value import MemberColumn, MemberTotal
from sim.contract.meaning import LogKind
from sim.contract.plan import Array
from sim.contract.records import LogColumn as L
from sim.contract.run import Totals
from sim.engine.compiled import run_compiled
from sim.scenario.scenario import load_scenario
from tests.equivalence.compared import Kept
from tests.theory.driver import ROOT

MORNING = ROOT / "scenarios" / "rtgs-morning.yaml"


def _run(*changes: str, path: Path = MORNING) -> tuple[Compiled, Array, Totals]:
    compiled, kept = compile_scenario(load_scenario(path, changes)), Kept()
    totals = run_compiled(compiled.plan, compiled.workload(), kept)
    assert not audit_log(compiled.plan, [kept.log], [kept.record], totals).violations
    return compiled, kept.log, totals


def _bounds(totals: Totals) -> tuple[list[int], list[int]]:
    """Return what members owe net, and what they need so that nobody waits."""
    out, came = totals.member[:, MemberTotal.OUT], totals.member[:, MemberTotal.IN]
    return np.maximum(out - came, 0).tolist(), (-totals.member[:, MemberTotal.NET_LOW]).tolist()


@pytest.mark.slow
def test_bounds_do_not_depend_on_the_queue_and_offsets_settle_more() -> None:
    settled: dict[tuple[str, str], int] = {}
    bounds: list[tuple[list[int], list[int]]] = []
    for queue, offset in (
        *(("fifo", "none"), ("fifo", "multilateral")),
        *(("bypass", "none"), ("bypass", "bilateral")),
    ):
        changes = (f"rails.rtgs.queue={queue}", f"rails.rtgs.offset={offset}")
        _, log, totals = _run(*changes, "rails.rtgs.end_of_day=return")
        bounds.append(_bounds(totals))
        settled[queue, offset] = int(totals.member[:, MemberTotal.SETTLED].sum())
        # All but what banks owe themselves: 0.30 * 0.28 + 0.25 * 0.27 + ... = 21.28 % of 3 000,
        # with a standard deviation of sqrt(3 000 * 0.2128 * 0.7872) = 22.4.
        assert len(log[log[:, L.KIND] == LogKind.LEG]) == pytest.approx(2361.6, abs=4 * 22.4)
    assert all(found == bounds[0] for found in bounds)
    lower, upper = bounds[0]
    assert all(low <= high for low, high in zip(lower, upper, strict=True))
    assert 0 < sum(lower) < sum(upper)
    # A queue alone stands still behind its largest payments: 8 % of the value against 85 %.
    assert settled["fifo", "multilateral"] > 5 * settled["fifo", "none"]
    # 88 % against 84 %. Where pairs must keep the order they found nothing more on this day.
    assert settled["bypass", "bilateral"] > settled["bypass", "none"]


@pytest.mark.slow
@pytest.mark.parametrize(("short_by", "waits"), [(0, False), (1, True)])
def test_with_the_upper_bound_nobody_waits(tmp_path: Path, short_by: int, waits: bool) -> None:
    compiled, _, totals = _run()
    members = {}
    for (_, account), high in zip(compiled.plan.member.tolist(), _bounds(totals)[1], strict=True):
        owner = compiled.plan.names.accounts[account].partition("@")[0]
        # A hundredth of a riel less at those who need anything.
        members[owner] = {"balance": {"KHR": f"{max(0, high - short_by) / 100:.2f}"}}
    assert compiled.plan.member.shape[1] == len(MemberColumn)
    path = tmp_path / "enough.yaml"
    given = {"scenario": "enough", "extends": str(MORNING), "rails": {"rtgs": {"members": members}}}
    path.write_text(json.dumps(given), encoding="utf-8")
    _, log, _ = _run(path=path)
    assert bool((log[:, L.KIND] == LogKind.QUEUED).any()) == waits
