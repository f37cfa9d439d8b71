"""Utilisation reckons with the servers that are there, worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.compiler.compile import compile_scenario
from sim.study.case import RunOptions
from sim.study.run import run_replication
from tests.theory.driver import load_text

DESK = """
scenario: fewer
clock: {start: 2025-09-17T12:00:00+07:00, horizon: 100 s, warm_up: WARM}
rails:
  shop:
    kind: generic
    stations: {desk: {servers: 4}}
    stages: [{name: service, serve: desk, time: 1 s}]
corridors:
  one: {from: {country: KH, currency: KHR}, to: {country: KH, currency: KHR}}
demand:
  paid: {corridor: one, payments: [LIST]}
"""
FEWER = "disruptions={fewer: {degradation: shop, capacity: 50 %, after: 40 s, for: 50 s}}"


def _utilisation(folder: Path, *changes: str, warm_up: str = "0 s") -> float:
    # One payment a second from 0 to 99, each served for a second: one server of four is busy.
    listed = ", ".join(f"{{at: {at} s, amount: 1}}" for at in range(100))
    text = DESK.replace("LIST", listed).replace("WARM", warm_up)
    case = compile_scenario(load_text(folder, text, changes))
    found = run_replication(case, RunOptions("compiled", "none")).summary
    return float(found.by["station"]["shop.desk"]["utilisation"])


def test_while_half_the_servers_are_gone_the_others_are_twice_as_busy(tmp_path: Path) -> None:
    # 100 busy seconds over 4 x 100; with two servers from 40 to 90: over 4 x 50 + 2 x 50 = 300.
    assert _utilisation(tmp_path) == pytest.approx(100 / 400)
    assert _utilisation(tmp_path, FEWER) == pytest.approx(100 / 300)


def test_what_lies_before_the_warm_up_does_not_count(tmp_path: Path) -> None:
    # From 60 s on: 40 busy seconds over 2 x 30 + 4 x 10.
    assert _utilisation(tmp_path, FEWER, warm_up="60 s") == pytest.approx(40 / 100)
