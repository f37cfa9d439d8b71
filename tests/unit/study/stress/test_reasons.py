"""Why a run is no measurement or no load that is sustained, from figures made up."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from sim.analysis.summary import Measure, Summary
from sim.compiler.builder import PlanBuilder
from sim.contract.plan import Plan
from sim.study.slo import parse_slo
from sim.study.stress.backlog import Backlog
from sim.study.stress.bottleneck import find_bottleneck, utilisation
from sim.study.stress.participants import find_participants
from sim.study.stress.soak import find_drains
from sim.study.stress.trial import (
    _clock_faults,
    _count_faults,
    _objective_misses,
    _piled_up,
    _turned_away,
    _unbelieved,
)
from sim.units import SECOND_US
from tests.support.loads import made_up_interval

STILL = Backlog(0.0, 0.0, 1.0)
HOUR = 3_600


def _count(value: float) -> Measure:
    return Measure(value, "payments")


def _summary(**by: Any) -> Summary:
    groups = {"station": {}, "account": {}, "agent": {}, "reason": {}, **by}
    return Summary("made-up", 1, "compiled", 1, "all", {}, groups)


def _plan(window_s: int = 600) -> Plan:
    """Return a plan of an account of 100.00 and one without end, and of two stations."""
    b = PlanBuilder(horizon_us=window_s * SECOND_US)
    b.add_account("till", "USD", overdraft=40_00, watched=True)
    b.add_account("world", "USD")
    b.add_station("gate", rate_count=2, rate_period_us=SECOND_US)
    b.add_station("desk", servers=3)
    return b.build()


def _places(**moved: tuple[Backlog, float]) -> Any:
    """Return places whose series and change a second are as said."""
    still = (STILL, 0.0)
    return SimpleNamespace(
        moved=lambda name: moved.get(name, still)[0],
        per_second=lambda name: moved.get(name, still)[1],
    )


def test_objectives_that_are_missed_are_told_with_their_value() -> None:
    objectives = parse_slo("p99<=5s,success>=99%")
    measures = {"end_to_end_p99": Measure(7.25, "s"), "success_rate": Measure(None, "share")}
    told = _objective_misses(objectives, replace(_summary(), measures=measures))
    assert told[0] == "end_to_end_p99 <= 5 missed: 7.25"
    assert told[1].endswith("missed: nothing")
    met = {"end_to_end_p99": Measure(4.0, "s"), "success_rate": Measure(0.995, "share")}
    assert _objective_misses(objectives, replace(_summary(), measures=met)) == ()


def test_payments_pile_up_by_the_backlog_or_by_what_ends() -> None:
    assert _piled_up(STILL, made_up_interval(1_000, 1_000)) == ()
    [grew] = _piled_up(Backlog(10.0, 90.0, 5.0), made_up_interval(1_000, 1_000))
    assert grew.startswith("backlog grew from 10 to 90 payments")
    [lags] = _piled_up(STILL, made_up_interval(1_000, 800))
    assert lags.endswith("1,000 payments came, 800 ended, 20.0% fewer")


def test_who_is_turned_away_is_missing() -> None:
    refused = _summary(
        station={"gate": {"refused": _count(150)}},
        account={"till": {"lost_for_liquidity": _count(30)}},
    )
    [told] = _turned_away(refused, STILL, made_up_interval(1_000, 820))
    assert "18.0% of payments were refused, 150 times for a full or closed place, 30 times" in told
    # Whoever found another route after all is not missing.
    assert _turned_away(refused, STILL, made_up_interval(1_000, 1_000)) == ()


def test_a_run_is_long_enough_and_has_the_load_asked_for() -> None:
    assert _clock_faults(_plan(), (1_000, 1_010.0)) == ()
    [short] = _clock_faults(_plan(5), (1_000, 1_000.0))
    assert short.startswith("measured for 5 s; needed: ")
    [other] = _clock_faults(_plan(), (500, 1_000.0))
    assert other == "offered 500 payments where 1,000 were asked for"


def test_a_quantile_needs_payments_unless_they_wait() -> None:
    objectives = parse_slo("p99<=5s")
    needed = objectives[0].completions_needed()
    few = replace(_summary(), measures={"completed": _count(needed / 2)})
    [told] = _count_faults(_plan(), objectives, few, is_overloaded=False)
    assert f"end_to_end_p99 needs {needed}" in told
    # At half as many a run of twice 600 s and a fifth more.
    assert "as in some 1440 s at this load" in told
    none = replace(_summary(), measures={"completed": _count(0)})
    assert "at this load" not in _count_faults(_plan(), objectives, none, is_overloaded=False)[0]
    # Where they pile up, that so many came is answer enough; it is no quantile all the same.
    waiting = replace(few, measures={**few.measures, "submitted": _count(needed)})
    assert _count_faults(_plan(), objectives, waiting, is_overloaded=True) == ()
    assert _unbelieved(objectives, waiting) == ("end_to_end_p99",)


def test_an_account_that_falls_runs_dry_beyond_its_overdraft() -> None:
    # From 160.00 to 60.00, a hundredth a second: 36.00 an hour, and 100.00 are left of it.
    falling = Backlog(160_00.0, 60_00.0, 10.0)
    [drain] = find_drains(_plan(), _places(till=(falling, -1.0), world=(falling, -1.0)))
    assert (drain.account, drain.currency) == ("till", "USD")
    assert drain.empty_after_h == pytest.approx(100_00 / HOUR)
    # What rises on its line, or lasts for years, or does not fall, does not run dry.
    for moved in ((falling, 1.0), (falling, -1e-6), (STILL, -1.0)):
        assert find_drains(_plan(), _places(till=moved)) == ()


def test_a_place_is_as_full_as_its_servers_or_its_rate() -> None:
    # 2 a second for 600 s admit 1,200; 900 began.
    measures = {"utilisation": Measure(0.5, "share"), "starts": _count(900)}
    assert utilisation(_plan(), "gate", measures) == pytest.approx(0.75)
    assert utilisation(_plan(), "desk", measures) == 0.5
    unknown = {"utilisation": Measure(None, "share"), "starts": _count(900)}
    assert utilisation(_plan(), "desk", unknown) is None
    assert utilisation(_plan(), "nowhere", unknown) is None


def _station(share: float, **more: float) -> dict[str, Measure]:
    names = {"queue_mean": 3.0, "queue_max": 9.0, "starts": 100.0, **more}
    return {"utilisation": Measure(share, "share"), **{n: _count(v) for n, v in names.items()}}


def test_the_busiest_place_is_named_with_every_reason() -> None:
    growing = Backlog(10.0, 90.0, 5.0)
    summary = _summary(station={
        "desk": _station(0.95, refused=50.0, block_fill_mean=0.8), "other": _station(0.95),
    })  # fmt: skip
    found = find_bottleneck(_plan(), summary, _places(desk=(growing, 0.25)))
    assert found is not None
    # Of two as full, with queues as long, the later name.
    assert (found.station, found.is_full) == ("other", True)
    other = replace(summary, by={**summary.by, "station": {"desk": summary.by["station"]["desk"]}})
    found = find_bottleneck(_plan(), other, _places(desk=(growing, 0.25)))
    assert found is not None
    assert found.reason == (
        "95.0% of its capacity in use; blocks 80.0% full; 3 waiting on average, 9 at most; its "
        "queue grew by 0.25 payments/s; 50 payments refused"
    )


def test_money_stops_payments_where_no_place_is_busy() -> None:
    falling = Backlog(160_00.0, 60_00.0, 10.0)
    account = {
        "delayed_for_liquidity": _count(40), "lost_for_liquidity": _count(2),
        "balance_end_minor": Measure(60_00.0, "minor USD (10^-2)"),
    }  # fmt: skip
    summary = _summary(station={"desk": _station(0.3)}, account={"till": account})
    found = find_bottleneck(_plan(), summary, _places(till=(falling, -1.5)))
    assert found is not None
    assert (found.station, found.utilisation) == ("till", None)
    assert found.reason == (
        "liquidity: 40 payments waited for money on it, 2 were refused; its balance fell by 1.5 "
        "minor USD (10^-2) per second"
    )
    still = find_bottleneck(_plan(), summary, _places())
    assert still is not None
    assert still.reason.endswith("2 were refused")
    nothing = _summary(station={}, account={"till": {}})
    assert find_bottleneck(_plan(), nothing, _places()) is None


def test_stations_and_accounts_are_those_of_their_institution() -> None:
    summary = _summary(
        station={"bank.core": _station(0.4), "bank.desk": _station(0.6), "wallet.core": {
            "utilisation": Measure(None, "share")}},
        account={"till": {"lost_for_liquidity": _count(3)}, "wallet@ledger:USD": {
            "delayed_for_liquidity": _count(5)}, "idle": {}},
        agent={name: {"completed_rate_mean": Measure(2.0, "payments/s")}
               for name in ("bank", "wallet")},
    )  # fmt: skip
    owned: Any = {"till": SimpleNamespace(owner="bank")}
    bank, wallet = find_participants(_plan(), summary, owned)
    assert (bank.station, bank.utilisation, bank.account, bank.short) == (
        "bank.desk", 0.6, "till", 3,
    )  # fmt: skip
    assert bank.full_at == pytest.approx(2 / 0.6)
    assert (wallet.station, wallet.account, wallet.short, wallet.full_at) == (
        None, "wallet@ledger:USD", 5, None,
    )  # fmt: skip
