"""Scenarios small enough to be stressed in a second, and runs made up where only a rule is asked.

A gate that lets so many through a second has a capacity known beforehand; a prefunding that runs
dry does not depend on luck; a made-up run knows no more than whether it is sustained.
"""

from __future__ import annotations

from pathlib import Path

from sim.analysis.summary import Measure, Summary
from sim.scenario.scenario import LoadedScenario, load_scenario
from sim.study.pool import LocalPool
from sim.study.slo import parse_slo
from sim.study.stress.backlog import Backlog
from sim.study.stress.bottleneck import Bottleneck
from sim.study.stress.demand import choose_streams
from sim.study.stress.participants import Participant
from sim.study.stress.points import LoadTest, StressPlan
from sim.study.stress.series import IntervalFigures
from sim.study.stress.trial import LoadRun

MINIMAL = Path(__file__).parents[2] / "scenarios" / "minimal.yaml"
GATE = """
scenario: gate
clock: {start: 2025-09-17T18:00:00+07:00, horizon: 10 min}
seed: 20250917
rails:
  shop:
    kind: generic
    stations: {gate: {rate_limit: 40 /s}}
    stages: [{name: pass, serve: gate, time: 0.1 s}]
corridors:
  inside: {from: {country: KH, currency: KHR}, to: {country: KH, currency: KHR}}
demand:
  customers: {corridor: inside, rate: 10 /s}
"""
ENDLESS = GATE.replace("    stations: {gate: {rate_limit: 40 /s}}\n", "").replace(
    "serve: gate, time: 0.1 s", "delay: 1 s"
)
PREFUNDED = f"""
scenario: prefunded
extends: {MINIMAL}
clock: {{horizon: 11 min}}
rails: {{bakong: {{block_limit: 100}}}}
accounts: {{river_khr_for_alipay: {{balance: 600 000}}}}
demand:
  domestic: null
  outbound: null
  inbound: {{payments: null, rate: 2 /s, amount: 1 000 KHR}}
"""
"""An agent's prefunding pays for 600 payments of 1 000 riel; two a second are asked for."""


def load_text(folder: Path, text: str, *changes: str) -> LoadedScenario:
    """Write a scenario and load it."""
    path = folder / "scenario.yaml"
    path.write_text(text, encoding="utf-8")
    return load_scenario(path, changes)


def load_test(loaded: LoadedScenario, slo: str = "p99<=5s", **settings: object) -> LoadTest:
    """Return a test in this process; settings as of StressPlan, three replications by default."""
    named = settings.pop("streams", ())
    assert isinstance(named, tuple)
    plan = StressPlan(
        parse_slo(slo),
        choose_streams(loaded, named),
        loaded.scenario.seed,
        **{"replications": 3, **settings},  # type: ignore[arg-type]
    )
    return LoadTest(loaded, plan, LocalPool(1))


def made_up_run(
    load: float,
    *,
    is_sustained: bool = True,
    is_valid: bool = True,
    completed: float = 5000,
    submitted: float = 5000,
    utilisation: float | None = None,
    waiting: float | None = None,
    participants: tuple[Participant, ...] = (),
) -> LoadRun:
    """Return a run that knows what the search asks of it and nothing else.

    Where payments are waiting at the end, they have piled up.
    """
    measures = {
        "completed": Measure(completed, "payments"),
        "submitted": Measure(submitted, "payments"),
        "in_progress": Measure(waiting or 0.0, "payments"),
        "end_to_end_p99": Measure(1.0, "s"),
    }
    bottleneck = None if utilisation is None else Bottleneck("here", "busy", utilisation)
    return LoadRun(
        0,
        Summary("made-up", 1, "compiled", 1, "all", measures, {"reason": {}}),
        offered=load,
        completed=load,
        backlog=Backlog(0.0, 0.0, 1.0),
        bottleneck=bottleneck,
        participants=participants,
        misses=() if is_sustained else ("too slow",),
        faults=() if is_valid else ("too few",),
        is_overloaded=waiting is not None,
    )


def made_up_interval(
    offered: int, completed: int, *, p99: float | None = 1.0, still_open: int = 0
) -> IntervalFigures:
    """Return a minute of a run with so many payments; those lacking were refused."""
    return IntervalFigures(
        0.0,
        60.0,
        offered=offered,
        completed=completed,
        ended=completed,
        submitted=offered,
        succeeded=completed,
        still_open=still_open,
        quantiles=((0.5, None if p99 is None else p99 / 2), (0.99, p99)),
    )
