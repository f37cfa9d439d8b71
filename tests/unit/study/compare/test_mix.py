"""Arms at one mix of corridors: worked by hand, and two arms that differ in their mix alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sim.analysis.summary import Measure
from sim.report.documents.compare import compare_document, footnotes
from sim.report.rendering import render
from sim.scenario.scenario import load_scenario
from sim.study.compare.arms import run_comparison, work_of_scenarios
from sim.study.compare.comparison import Comparison
from sim.study.compare.mix import SAME_MIX, at_mix, mix_of, same_mix_keys
from sim.study.pool import LocalPool

SHOP = """
scenario: {name}
clock: {{start: 2025-09-17T00:00:00+07:00, horizon: 1 h}}
seed: 4
rails:
  quick: {{kind: generic, stages: [{{name: served, delay: 2 s}}]}}
  slow: {{kind: generic, stages: [{{name: served, delay: 10 s}}]}}
corridors:
  to_th: {{from: KH, to: {{country: TH, currency: USD}}, rails: [quick]}}
  to_vn: {{from: KH, to: {{country: VN, currency: USD}}, rails: [slow]}}
  inside: {{from: KH, to: KH, rails: [slow]}}
demand:
  a: {{corridor: to_th, rate: {thai} /min, amount: 1 USD}}
  b: {{corridor: to_vn, rate: {viet} /min, amount: 1 USD}}
  c: {{corridor: inside, rate: 5 /min, amount: 1 USD}}
"""


def _shop(name: str, thai: int, viet: int) -> str:
    end = "{country: KH, currency: USD}"
    text = SHOP.format(name=name, thai=thai, viet=viet)
    return text.replace("from: KH", f"from: {end}").replace("to: KH", f"to: {end}")


def _compared(folder: Path, *, same_mix: bool) -> Comparison:
    files = []
    for name, thai, viet in (("mostly_thai", 9, 3), ("mostly_viet", 3, 9)):
        files.append(folder / f"{name}.yaml")
        files[-1].write_text(_shop(name, thai, viet), encoding="utf-8")
    work = work_of_scenarios(files)
    measures = ("end_to_end_mean", "end_to_end_p99", "success_rate")
    plan = replace(work.plan, replications=4, measures=measures, same_mix=same_mix)
    return run_comparison(replace(work, plan=plan), LocalPool(1))


def test_what_differs_by_the_mix_alone_does_not_differ_at_one_mix(tmp_path: Path) -> None:
    found = _compared(tmp_path, same_mix=True)
    pairs = {pair.measure: pair.difference for pair in found.pairs}
    assert list(pairs) == [
        "end_to_end_mean",
        "end_to_end_p99",
        "success_rate",
        f"corridor/{SAME_MIX}/end_to_end_mean",
        f"corridor/{SAME_MIX}/success_rate",
    ]
    # A quarter of payments takes 10 s and the rest 2 s, then three quarters: 4 s and 8 s.
    plain, alike = pairs["end_to_end_mean"], pairs[f"corridor/{SAME_MIX}/end_to_end_mean"]
    assert plain is not None
    assert plain.interval.value == pytest.approx(4, abs=0.5)
    # Every payment of a corridor takes the same in both.
    assert alike is not None
    assert alike.interval.value == pytest.approx(0, abs=1e-9)
    # Weighed as the first arm submits: about 9 to 3; what stays inside is no headline.
    assert found.mix == pytest.approx({"to_th": 0.75, "to_vn": 0.25}, abs=0.05)
    assert sum(found.mix.values()) == pytest.approx(1)
    mean = found.arm_figures[1].measures[f"corridor/{SAME_MIX}/end_to_end_mean"].value
    due = 2 * found.mix["to_th"] + 10 * found.mix["to_vn"]
    assert mean == pytest.approx(due)
    shown = render(compare_document(found, {}), "terminal")
    assert "same mix: every arm's corridors weighed as mostly_thai submits" in shown


def test_it_is_offered_where_demand_differs(tmp_path: Path) -> None:
    found = _compared(tmp_path, same_mix=False)
    assert found.mix == {}
    assert "--same-mix compares them at one mix of corridors" in " ".join(footnotes(found))


def test_a_corridor_without_a_value_leaves_the_whole_without_one(tmp_path: Path) -> None:
    held = _compared(tmp_path, same_mix=False).arms["mostly_thai"]
    mix = mix_of(held, ("to_th", "to_vn"))
    first = held.summaries[0]
    viet = {**first.by["corridor"]["to_vn"], "end_to_end_mean": Measure(None, "s")}
    by = {**first.by, "corridor": {**first.by["corridor"], "to_vn": viet}}
    torn = replace(held, summaries=(replace(first, by=by), *held.summaries[1:]))
    at = at_mix(torn, mix).summaries[0].by["corridor"][SAME_MIX]
    assert at["end_to_end_mean"].value is None
    assert at["success_rate"].value == 1
    # Counts add up: of how many payments a share is.
    both = [float(first.by["corridor"][name]["submitted"]) for name in mix]
    assert float(at["submitted"]) == sum(both)


def test_quantiles_counts_and_single_groups_are_not_weighed() -> None:
    keys = same_mix_keys(("p99", "submitted", "corridor/to_th/success_rate", "payer_cost_bps"))
    assert keys == (f"corridor/{SAME_MIX}/payer_cost_bps",)


def test_an_experiment_asks_for_it_in_its_file(tmp_path: Path) -> None:
    from sim.study.compare.arms import work_of_experiment
    from sim.study.experiment_file import load_experiment

    (tmp_path / "s.yaml").write_text(_shop("s", 1, 1), encoding="utf-8")
    file = tmp_path / "e.yaml"
    arms = "arms: {x: {set: {}}, y: {set: {demand.a.rate: 2 /min}}}"
    file.write_text(f"experiment: e\nscenario: s.yaml\nsame_mix: true\n{arms}\n", encoding="utf-8")
    assert work_of_experiment(load_experiment(file)).plan.same_mix
    assert load_scenario(tmp_path / "s.yaml").scenario.scenario == "s"
