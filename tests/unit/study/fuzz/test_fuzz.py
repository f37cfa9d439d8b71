"""Scenarios drawn from seeds hold to everything; a broken engine is found, shrunk and replayed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sim.compiler.compile import compile_scenario
from sim.contract.records import LogColumn, RecordColumn
from sim.scenario.model import scenario_model
from sim.scenario.scenario import load_scenario
from sim.study.fuzz import check, fuzzing
from sim.study.fuzz.draw import EVERYTHING, draw_scenario, load_tree, take_out, without
from sim.study.fuzz.field_changes import places, schema_fields
from sim.study.fuzz.shrink import shrink
from sim.study.verify.kept import run_kept
from tests.unit.cli.queue import payroute

CI, ALL, EACH = 40, 2000, 5


@pytest.mark.slow
@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(seed, marks=[] if seed < CI else [pytest.mark.large])
        for seed in range(0, ALL, EACH)
    ],
)
def test_seeds_are_clean(seed: int) -> None:
    found = fuzzing.fuzz(seed, runs=EACH)
    assert not found.failures, [(one.seed, one.finding) for one in found.failures]
    assert found.payments > 20


def test_a_seed_is_one_scenario() -> None:
    first, again, next_one = draw_scenario(7), draw_scenario(7), draw_scenario(8)
    assert first == again
    assert first.text != next_one.text
    compile_scenario(load_tree(first.tree))


def test_what_can_be_drawn_has_every_field_of_the_schema() -> None:
    seen = {place.name for place in places(load_scenario(EVERYTHING))}
    assert not schema_fields(scenario_model()) - seen


def test_features_are_switched_off_and_on() -> None:
    drawn = [draw_scenario(seed) for seed in (0, 2, 7, 14, 17, 24, 30)]
    kinds = [{rail["kind"] for rail in one.tree["rails"].values()} for one in drawn]
    everything = {rail.kind for rail in load_scenario(EVERYTHING).scenario.rails.values()}
    assert set().union(*kinds) == everything
    assert any(len(found) < len(everything) / 2 for found in kinds)
    told = [line for one in drawn for line in one.told]
    assert any(line == "a run of six days" for line in told)
    assert any(line == "durations on a grid" for line in told)
    assert sum(" = " in line for line in told) > 12


def test_a_part_is_taken_out_with_what_depends_on_it() -> None:
    tree = load_scenario(EVERYTHING).document.tree
    left = without(tree, [("rails", "promptpay")])
    assert left is not None
    assert "promptpay" not in left["rails"]
    # Its corridors have no other way, and their streams no corridor.
    assert not {"kh_th", "th_kh"} & set(left["corridors"])
    assert not {"to_thailand", "from_thailand"} & set(left["demand"])
    assert "promptpay" in tree["rails"]


def _broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the compiled engine tell card payments a microsecond late."""
    whole = run_kept

    def wrong(engine: object, compiled: object) -> object:
        kept, totals = whole(engine, compiled)  # type: ignore[arg-type]
        names = compiled.plan.names.routes  # type: ignore[attr-defined]
        if engine is check.run_compiled and any("visa_card" in name for name in names):
            log = kept.log.copy()
            log[-1, LogColumn.TIME_US] += 1
            kept._logs[:] = [log]
        return kept, totals

    monkeypatch.setattr(check, "run_kept", wrong)


def test_a_difference_is_found_and_shrunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _broken(monkeypatch)
    seed = next(s for s in range(99) if "carded" in draw_scenario(s).tree["demand"])
    found = fuzzing.fuzz(seed, runs=1, keep=tmp_path)
    [failure] = found.failures
    assert failure.finding.check == "engines"
    assert failure.path == tmp_path / f"fuzz-{seed}.yaml"
    text = failure.path.read_text()
    assert f"payroute fuzz --seed {seed} --runs 1" in text
    small = load_scenario(failure.path).scenario
    # Everything that has nothing to do with cards is gone.
    assert list(small.rails) == ["visa_card"] or set(small.demand) == {"carded"}
    assert len(text) < len(draw_scenario(seed).text) / 2


def test_shrinking_keeps_what_fails() -> None:
    tree = {"a": {"x": {"p": "1", "q": "2"}, "y": {"p": "3"}}, "b": {"z": ["1", "2"]}}

    def fails(made: dict) -> bool:
        return made.get("a", {}).get("x", {}).get("q") == "2"

    smaller = tree
    for path in [("a", "y"), ("b", "z"), ("a", "x", "p")]:
        copied = json.loads(json.dumps(smaller))
        assert take_out(copied, path)
        assert fails(copied)
        smaller = copied
    assert smaller == {"a": {"x": {"q": "2"}}, "b": {}}
    # Nothing here is a scenario, so only parts without dependants can go.
    assert fails(shrink(tree, fails, seconds=5))


def test_the_command_ends_with_3_and_says_how_to_replay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    clean = payroute("fuzz", "--seed", "9", "--runs", "1", "--json")
    assert clean.exit_code == 0
    assert json.loads(clean.stdout)["ok"] is True
    _broken(monkeypatch)
    seed = next(s for s in range(99) if "carded" in draw_scenario(s).tree["demand"])
    broken = payroute("fuzz", "--seed", str(seed), "--runs", "1")
    assert broken.exit_code == 3
    assert f"payroute fuzz --seed {seed} --runs 1" in broken.stdout.replace("\n", " ")
    assert (tmp_path / "fuzz" / f"fuzz-{seed}.yaml").is_file()
    both = payroute("fuzz", "--runs", "1", "--minutes", "1")
    assert both.exit_code == 2


def test_the_number_in_the_system_is_looked_at() -> None:
    compiled = compile_scenario(load_tree(draw_scenario(9).tree))
    kept, _ = run_kept(check.run_compiled, compiled)
    assert list(check._little(compiled, kept)) == []
    kept._records[:] = [kept.records + np.int64(0)]
    kept._records[0][:, RecordColumn.SUBMITTED_US] += 1
    assert list(check._little(compiled, kept))
