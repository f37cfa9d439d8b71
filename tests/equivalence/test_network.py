"""A network of many institutions, rails and corridors is one plan like any other."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sim.compiler.compile import compile_scenario
from sim.contract.records import RecordColumn
from sim.scenario.scenario import load_scenario
from tests.support.network import network_text
from tests.theory.driver import ENGINES, run


def test_a_generated_network_runs_alike_on_both_engines_and_audited(tmp_path: Path) -> None:
    path = tmp_path / "network.yaml"
    path.write_text(network_text(200, 12, 60, rate="0.5 /s", horizon="30 s"))
    ran = [run(load_scenario(path), engine) for engine in sorted(ENGINES)]
    assert (ran[0].log == ran[1].log).all()
    assert (ran[0].records == ran[1].records).all()
    # Expected 60 * 0.5 * 30 = 900 payments, standard deviation 30.
    assert 750 < len(ran[0].records) < 1050
    # Every corridor carries some, and over more than one of its rails.
    assert len(np.unique(ran[0].records[:, RecordColumn.STREAM])) == 60
    assert len(np.unique(ran[0].records[:, RecordColumn.ROUTE])) > 60


def test_the_largest_network_has_what_it_says(tmp_path: Path) -> None:
    path = tmp_path / "network.yaml"
    path.write_text(network_text(2000, 50, 500, rate="0.6 /s"))
    # A file of this size may still be written as one.
    assert path.stat().st_size < 1 << 20
    compiled = compile_scenario(load_scenario(path), with_tables=False)
    assert len(compiled.members) == 2000
    assert len(compiled.scenario.rails) == 50
    assert (len(compiled.streams), len(compiled.routes)) == (500, 1500)
