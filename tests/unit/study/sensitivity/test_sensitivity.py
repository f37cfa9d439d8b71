"""Sensitivity names the assumption that matters, and runs nothing that cannot matter."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from sim.compiler.compile import compile_scenario
from sim.errors import UserError
from sim.explain.evidence import assumptions as explained
from sim.model.evidence import Evidence
from sim.report.blocks import Document
from sim.report.documents.sensitivity import (
    answer_table,
    not_varied,
    sensitivity_document,
    sentences,
    study_object,
    tornado,
    without_evidence,
)
from sim.report.formats.terminal import render
from sim.scenario.scenario import LoadedScenario, load_scenario
from sim.study.compile_case import compiled_fingerprint
from sim.study.pool import LocalPool
from sim.study.sensitivity.assumptions import find_assumptions, find_unstated
from sim.study.sensitivity.output import full_table
from sim.study.sensitivity.plan import SensitivityPlan
from sim.study.sensitivity.study import (
    Sensitivity,
    SensitivityStudy,
    find_sensitivity,
)
from sim.study.sensitivity.swing import Effect
from sim.tables.digest import plan_hash
from tests.support.tiny import SEED, YAML

ROOT = Path(__file__).parents[4]
MAIN = ROOT / "scenarios" / "china-two-way.yaml"
RATE, TILLS, LIMIT = (
    "demand.customers.rate",
    "rails.shop.stations.till.servers",
    "rails.shop.stations.till.queue_limit",
)
BANK, PRIORITY = "institutions.bank.core.service_time", "demand.customers.priority"
SCREEN = "institutions.bank.screening.service_time"


@pytest.fixture
def loaded(tmp_path: Path) -> LoadedScenario:
    """Return a shop whose rate matters, whose queue limit does not, and a bank nobody uses."""
    text = YAML.replace("2.4 /s", "{value: 2 /s, evidence: estimated, source: guess of the rate}")
    text = text.replace(
        "queue_limit: 4", "queue_limit: {value: 40000, evidence: estimated, source: guess}"
    )
    text = text.replace("source: guess of the rate}", "source: guess of the rate}, PRIORITY")
    text = text.replace("PRIORITY", "priority: {value: 0, evidence: estimated, source: guess}")
    text += (
        "institutions:\n  bank: {country: KH, roles: [issuer], "
        "core: {service_time: {value: 1 s, evidence: estimated, source: guess of the bank}}}\n"
    )
    path = tmp_path / "tiny.yaml"
    path.write_text(text, encoding="utf-8")
    return load_scenario(path)


class _Heard:
    """Keep what a study says."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.told: list[tuple[int, int]] = []

    def say(self, message: str) -> None:
        self.said.append(message)

    def tell(self, done: int, planned: int) -> None:
        self.told.append((done, planned))


def _study(loaded: LoadedScenario, **asked: object) -> SensitivityStudy:
    plan = replace(
        SensitivityPlan(("waiting_mean",), SEED, replications=4, high=1.5, sobol=0),
        **asked,  # type: ignore[arg-type]
    )
    return find_sensitivity(loaded, plan, LocalPool(1))


def _effects(answer: Sensitivity) -> dict[str, Effect]:
    return {swing.assumption.name: swing.effect for swing in answer.swings}


def test_the_assumption_that_matters_comes_first(loaded: LoadedScenario) -> None:
    study = _study(loaded)
    (answer,) = study.answers
    first = answer.first
    assert first is not None
    assert first.assumption.name == RATE
    low, high = first.ends
    assert low.value is not None
    assert high.value is not None
    assert low.value < answer.base.value < high.value
    assert first.interval is not None
    assert first.interval.low < first.size < first.interval.high
    assert sentences(answer)[0].startswith(
        "Measure demand.customers.rate first (guess of the rate): between 1 /s and 3 /s"
    )
    assert sentences(answer)[-1] == (
        "8 assumptions of 8 values: 1 shown to move it, 1 without any effect seen, 5 that do not "
        "enter the scenario and 1 not varied."
    )
    assert _effects(answer)[LIMIT] is Effect.NONE
    assert next(s for s in answer.swings if s.assumption.name == LIMIT).note == (
        "not one payment differs in the first replication"
    )


def test_values_without_evidence_are_named_as_not_varied(loaded: LoadedScenario) -> None:
    # Of the shop: three clerks and how long they take. The rate, the queue limit, the priority and
    # the bank say what they rest on.
    found = find_unstated(loaded)
    assert found == (
        "rails.shop.stations.till.servers",
        "rails.shop.stages.0.time.exponential.mean",
    )
    study = _study(loaded, replications=1, sobol=0)
    assert study.unstated == found
    (line,) = without_evidence(study)
    assert line.startswith(
        "Not varied, for the file gives them no evidence: rails.shop.stations.till.servers and "
        "rails.shop.stages.0.time.exponential.mean."
    )
    assert study_object(study)["without_evidence"] == list(found)
    shown = render(sensitivity_document(study, {}))
    assert "gives them no evidence" in shown
    assert without_evidence(replace(study, unstated=())) == []
    many = tuple(f"value_{number}" for number in range(7))
    assert "value_4 and 2 more" in without_evidence(replace(study, unstated=many))[0]


def test_what_does_not_enter_is_told_from_what_does_not_matter(loaded: LoadedScenario) -> None:
    study = _study(loaded)
    effects = _effects(study.answers[0])
    assert effects[BANK] is Effect.ABSENT
    assert effects[SCREEN] is Effect.ABSENT
    assert effects[LIMIT] is Effect.NONE
    assert effects[PRIORITY] is Effect.UNVARIED
    # The base and both ends of the rate run four times. The limit changes nothing in the first
    # replication, after which four cannot show a change. What the bank has of its own, five values,
    # compiles to the base and is never run.
    assert (study.runs, study.spared) == (4 * (1 + 2) + 2, 4 * 2 * 5 + 3 * 2)


def test_a_fingerprint_sees_what_the_hash_of_the_plan_does_not(loaded: LoadedScenario) -> None:
    path = loaded.document.files[0]
    base = compile_scenario(loaded, seed=SEED)
    faster = compile_scenario(load_scenario(path, [f"{RATE}=3 /s"]), seed=SEED)
    unused = compile_scenario(load_scenario(path, [f"{SCREEN}=2 s"]), seed=SEED)
    elsewhere = compile_scenario(loaded, seed=SEED + 1)
    assert plan_hash(faster.plan) == plan_hash(base.plan)
    assert compiled_fingerprint(faster) != compiled_fingerprint(base)
    assert compiled_fingerprint(unused) == compiled_fingerprint(base)
    assert compiled_fingerprint(elsewhere) == compiled_fingerprint(base)


def test_what_is_planned_is_said_before_it_is_run(loaded: LoadedScenario) -> None:
    heard = _Heard()
    plan = SensitivityPlan(("waiting_mean",), SEED, replications=2, sobol=4, top=3)
    find_sensitivity(loaded, plan, LocalPool(1), listener=heard)
    # Both ends of rate, limit and five values of the bank, and 4 points of 3 + 2 samples.
    assert heard.said[0].startswith(
        "at most 50 runs: 2 of the scenario as it stands, 2 of each of 14 var"
    )
    assert "at most 20 for Sobol indices" in heard.said[0]
    done = [count for count, _ in heard.told]
    assert done == sorted(done)
    assert all(count <= planned for count, planned in heard.told)


def test_several_measures_come_of_the_same_runs(loaded: LoadedScenario) -> None:
    alone = _study(loaded)
    both = _study(loaded, measures=("waiting_mean", "p99"))
    assert both.runs == alone.runs
    assert [answer.measure for answer in both.answers] == ["waiting_mean", "end_to_end_p99"]
    assert both.answers[0].swings == alone.answers[0].swings
    content = json.loads(json.dumps(study_object(both), allow_nan=False))
    assert [answer["measure"] for answer in content["answers"]] == content["measures"]


def test_ranges_in_values_reach_what_factors_cannot(loaded: LoadedScenario) -> None:
    (answer,) = _study(loaded, ranges=((PRIORITY, "=0..=3"), (RATE, "90 /min..2.5 /s"))).answers
    swings = {swing.assumption.name: swing for swing in answer.swings}
    assert [end.words for end in swings[RATE].ends] == ["1.5 /s", "2.5 /s"]
    assert [end.words for end in swings[PRIORITY].ends] == ["0", "3"]
    # Priority of the only customers changes nothing, but it does enter.
    assert swings[PRIORITY].effect is not Effect.UNVARIED


def test_an_end_the_scenario_refuses_is_told_and_the_other_is_run(tmp_path: Path) -> None:
    path = tmp_path / "tiny.yaml"
    text = YAML.replace("horizon: 60 s", "horizon: 60 s, warm_up: WARM")
    text = text.replace("WARM", "{value: 40 s, evidence: estimated, source: guess}")
    path.write_text(text, encoding="utf-8")
    (answer,) = _study(load_scenario(path), replications=2, measures=("submitted",)).answers
    (swing,) = answer.swings
    assert swing.ends[0].value is not None
    assert swing.ends[1].value is None
    assert swing.note.startswith("60 s is not allowed: ")


def test_a_choice_is_tried_in_every_word_and_a_refused_one_is_told(tmp_path: Path) -> None:
    path = tmp_path / "tiny.yaml"
    text = YAML.replace("queue_limit: 4}", "queue_limit: 4, discipline: WORD}")
    text = text.replace("WORD", "{value: fifo, evidence: estimated, source: guess}")
    path.write_text(text, encoding="utf-8")
    (answer,) = _study(load_scenario(path), replications=2).answers
    (swing,) = answer.swings
    assert [end.words for end in swing.ends] == ["lifo", "priority"]
    assert swing.allowed == swing.span


def test_one_replication_gives_no_interval_and_says_so(loaded: LoadedScenario) -> None:
    (answer,) = _study(loaded, replications=1).answers
    assert answer.first is not None
    assert answer.first.effect is Effect.UNKNOWN
    assert answer.first.interval is None
    assert any(line.startswith("One replication cannot tell") for line in sentences(answer))


def test_json_keeps_its_keys_and_tables_have_them_all(loaded: LoadedScenario) -> None:
    study = _study(loaded, sobol=8, high=2.0, replications=6)
    content = json.loads(json.dumps(study_object(study), allow_nan=False))
    wanted = {"measure", "unit", "base", "measure_first", "sentence", "assumptions"}
    assert wanted <= content.keys()
    rows = {row["name"]: row for row in content["assumptions"]}
    keys = {"name", "source", "factors", "low", "high", "swing", "first_order", "total", "note"}
    assert keys <= rows[RATE].keys()
    assert rows[RATE]["factors"] == [0.5, 2.0]
    assert (rows[RATE]["low_at"], rows[RATE]["high_at"]) == ("1 /s", "4 /s")
    # It is the only one that moves the answer, so it explains all of it.
    assert (rows[RATE]["first_order"], rows[RATE]["total"]) == (1.0, 1.0)
    table = full_table(study)
    assert [row[table.columns.index("name")] for row in table.rows] == list(rows)
    shown = answer_table(study.answers[0], 2)
    assert len(shown.rows) == 2
    assert [column.name for column in shown.columns[-2:]] == ["S1", "ST"]


def test_bars_lead_from_the_base_to_both_ends(loaded: LoadedScenario) -> None:
    study = _study(loaded)
    (answer,) = study.answers
    bar = render(Document(tornado(answer), full_table(study), {})).splitlines()[-1]
    assert bar.startswith(RATE)
    assert bar.index("░") < bar.index("│") < bar.index("█")
    assert bar.endswith("1 /s .. 3 /s")
    # Queueing makes more of more than less of less.
    assert bar.count("█") > bar.count("░")
    assert not_varied(answer) == [
        f"Not varied, 0, and no multiple of 0 is anything else; --range FIELD=LOW..HIGH tries two "
        f"values: {PRIORITY}"
    ]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"low": 1.2}, "a factor below 1 and one above 1"),
        ({"sobol": 6}, "power of two"),
        ({"sobol": -4}, "power of two"),
        ({"measures": ()}, "measure: found none"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(asked: dict[str, object], told: str) -> None:
    plan = SensitivityPlan(("success_rate",), SEED)
    with pytest.raises(UserError, match=told):
        replace(plan, **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"measures": ("wating_mean",)}, "Did you mean 'waiting_mean'"),
        ({"ranges": (("demand.customer.rate", "0.5..2"),)}, f"Did you mean '{RATE}'"),
        ({"grades": (Evidence.REPORTED,)}, "no value with evidence reported"),
    ],
)
def test_names_that_are_none_are_refused(
    loaded: LoadedScenario, asked: dict[str, object], told: str
) -> None:
    with pytest.raises(UserError, match=told):
        _study(loaded, **asked)


@pytest.mark.parametrize("grade", [Evidence.ESTIMATED, Evidence.ASSUMED])
def test_every_value_explain_lists_is_varied_or_has_a_reason_exactly_once(grade: Evidence) -> None:
    loaded = load_scenario(MAIN)
    listed = [
        item.path
        for item in explained(loaded.scenario, loaded.document)
        if item.grade == grade.value
    ]
    found = find_assumptions(loaded, (grade,))
    paths = [path for assumption in found for path in assumption.paths]
    assert len(set(paths)) == len(paths)
    # A mix that is marked as a whole is one assumption per share, a field below the one listed.
    mixes = {path.rpartition(".")[0] for a in found if a.mix for path in a.paths}
    whole = [path for path in listed if path in mixes]
    assert sorted(path for path in paths if path.rpartition(".")[0] not in whole) == sorted(
        path for path in listed if path not in whole
    )
    assert len(listed) > 80
    assert len({assumption.name for assumption in found}) == len(found)


def test_a_default_is_one_assumption_wherever_it_applies() -> None:
    found = {assumption.name: assumption for assumption in find_assumptions(load_scenario(MAIN))}
    assert len(found["institutions.*.core.service_time"].paths) == 15
    spreads = found["rails.*.settlement_agents.acleda.spread"]
    assert len(spreads.paths) == 2
    assert spreads.source == "fx.counter_half_spread.KHR"
