"""``payroute diff``: what two scenarios or two runs differ in, and how it ends."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sim.study.difference.events import first_differing_event
from sim.study.difference.runs import diff_runs
from sim.tables.open_run import open_run
from tests.unit.cli.queue import payroute, write_queue

EQUAL, DIFFERENT = 0, 3


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return runs of the queue by name: twice the same, another seed, and one without events."""
    folder = tmp_path_factory.mktemp("runs")
    path = write_queue(folder)
    words = ("run", path, "--engine", "reference", "--set", "clock.horizon=20 s")
    events = ("--record", "events")
    made = {
        "one": (*events, "--seed", "1"),
        "same": (*events, "--seed", "1"),
        "other": (*events, "--seed", "2"),
        "unrecorded": ("--seed", "2"),
    }
    for name, more in made.items():
        done = payroute(*words, *more, "--out", folder / name)
        assert done.exit_code == 0, done.output
    return {name: folder / name for name in made}


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    path = tmp_path / "changed.yaml"
    text = "scenario: minimal\nextends: minimal\nrails: {bakong: {peers: 7}}\n"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_scenario_does_not_differ_from_itself() -> None:
    done = payroute("diff", "minimal", "minimal")
    assert (done.exit_code, done.stderr) == (EQUAL, "")
    assert done.stdout.startswith("equal: ")


def test_scenarios_differ_by_path_with_units_and_end_with_its_own_code(changed: Path) -> None:
    done = payroute("diff", "minimal", changed)
    # A difference is an answer: nothing is said of an error.
    assert (done.exit_code, done.stderr) == (DIFFERENT, "")
    assert "rails.bakong.peers  4        7" in done.stdout
    assert "They compile to other plans" in done.stdout


def test_what_acts_on_nothing_is_said_to(tmp_path: Path) -> None:
    path = tmp_path / "asked.yaml"
    path.write_text("extends: minimal\nquestion: And now?\n", encoding="utf-8")
    done = payroute("diff", "minimal", path)
    assert done.exit_code == DIFFERENT
    assert "They compile to the same plan" in done.stdout


def test_routes_of_one_alone_are_named(tmp_path: Path) -> None:
    path = tmp_path / "one-way.yaml"
    text = "extends: minimal\ncorridors: {kh_cn: null}\ndemand: {outbound: null}\n"
    path.write_text(text, encoding="utf-8")
    found = json.loads(payroute("diff", "minimal", path, "--json").stdout)
    assert [one["path"] for one in found["fields"]] == ["corridors.kh_cn", "demand.outbound"]
    assert found["routes_gone"] == ["kh_cn/unionpay.river_bank"]
    assert found["routes_new"] == []


def test_json_has_every_side_of_a_field(changed: Path) -> None:
    found = json.loads(payroute("diff", "minimal", changed, "--json").stdout)
    assert (found["equal"], found["kind"]) == (False, "scenarios")
    assert found["fields"] == [
        {
            "path": "rails.bakong.peers",
            "before": {"words": "4", "is_written": True, "evidence": ""},
            "after": {"words": "7", "is_written": True, "evidence": ""},
        }
    ]
    assert found["plans"][0] != found["plans"][1]


def test_runs_of_one_question_are_equal(runs: dict[str, Path]) -> None:
    done = payroute("diff", runs["one"], runs["same"])
    assert (done.exit_code, done.stderr) == (EQUAL, "")
    assert "Their events are equal to the last row." in done.stdout


def test_runs_differ_in_seed_measures_and_from_one_event_on(runs: dict[str, Path]) -> None:
    done = payroute("diff", runs["one"], runs["other"], "--json")
    assert done.exit_code == DIFFERENT
    found = json.loads(done.stdout)
    assert found["asked"] == [{"name": "seed", "before": 1, "after": 2}]
    assert found["fields"] == []
    by_key = {one["key"]: one for one in found["measures"]}
    mean = by_key["end_to_end_mean"]
    values = mean["before"]["value"], mean["after"]["value"]
    assert mean["difference"] == values[1] - values[0] != 0
    assert mean["unit"] == "s"
    tables = [pq.read_table(runs[name] / "events.parquet").to_pylist() for name in ("one", "other")]
    number = next(at for at, pair in enumerate(zip(*tables, strict=False)) if pair[0] != pair[1])
    assert found["first_differing_event"] == {
        "number": number,
        "before": tables[0][number],
        "after": tables[1][number],
    }


def test_where_events_are_not_recorded_it_is_said(runs: dict[str, Path]) -> None:
    done = payroute("diff", runs["other"], runs["unrecorded"])
    # The same question but for what is written down; every measure is the same.
    assert done.exit_code == DIFFERENT
    assert "record  events  payments" in done.stdout
    assert "measures are equal" in done.stdout
    assert "`run --record events` in both tells it" in done.stdout


def test_a_log_that_ends_first_parts_there(runs: dict[str, Path], tmp_path: Path) -> None:
    short = tmp_path / "short"
    shutil.copytree(runs["one"], short)
    table = pq.read_table(short / "events.parquet")
    pq.write_table(table.slice(0, table.num_rows - 1), short / "events.parquet")
    found = first_differing_event(open_run(runs["one"]), open_run(short))
    assert found is not None
    assert (found.number, found.after) == (table.num_rows - 1, None)
    assert found.before == table.slice(table.num_rows - 1).to_pylist()[0]
    done = payroute("diff", runs["one"], short)
    assert "no more events" in done.stdout


def test_row_groups_cut_otherwise_part_nowhere(runs: dict[str, Path], tmp_path: Path) -> None:
    cut = tmp_path / "cut"
    shutil.copytree(runs["one"], cut)
    table = pq.read_table(cut / "events.parquet")
    pq.write_table(table, cut / "events.parquet", row_group_size=7)
    assert first_differing_event(open_run(runs["one"]), open_run(cut)) is None


def test_a_run_is_held_against_a_scenario_by_what_it_ran(
    runs: dict[str, Path], tmp_path: Path
) -> None:
    done = payroute("diff", runs["one"], write_queue(tmp_path))
    assert done.exit_code == DIFFERENT
    assert "clock.horizon  20 s  2 min" in done.stdout
    assert "only what it ran counts" in done.stdout


@pytest.mark.parametrize("form", ["csv", "markdown", "html", "latex", "typst", "json"])
def test_a_difference_is_shown_in_every_format(form: str, changed: Path) -> None:
    done = payroute("diff", "minimal", changed, "--format", form)
    assert done.exit_code == DIFFERENT
    assert "peers" in done.stdout


def test_a_table_of_runs_has_numbers_as_numbers(runs: dict[str, Path], tmp_path: Path) -> None:
    done = payroute("diff", runs["one"], runs["other"], "--format", "csv")
    rows = {row["name"]: row for row in csv.DictReader(io.StringIO(done.stdout))}
    row = rows["end_to_end_mean"]
    difference = float(row["after_value"]) - float(row["before_value"])
    assert float(row["difference"]) == difference
    assert rows["seed"]["before"] == "1"
    table = tmp_path / "difference.parquet"
    payroute("diff", runs["one"], runs["other"], "--table", table)
    assert "double" in str(pq.read_schema(table).field("before_value").type)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("minimal", "minmal"), "Did you mean 'minimal'?"),
        (("nowhere.yaml", "minimal"), "found no such file"),
    ],
)
def test_mistakes_are_told(
    words: tuple[str, str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = payroute("diff", *words)
    assert done.exit_code == 2
    assert told in " ".join(done.stderr.split())


def test_an_unfinished_run_is_refused(runs: dict[str, Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(runs["one"], broken)
    facts = json.loads((broken / "run.json").read_text(encoding="utf-8"))
    (broken / "run.json").write_text(json.dumps({**facts, "status": "running"}), encoding="utf-8")
    done = payroute("diff", runs["one"], broken)
    assert done.exit_code == 2
    assert "did not finish" in done.stderr


def test_a_run_without_its_scenario_is_refused(runs: dict[str, Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(runs["one"], broken)
    (broken / "scenario.yaml").unlink()
    done = payroute("diff", broken, runs["one"])
    assert done.exit_code == 2
    assert "run it again" in done.stderr


def test_equal_runs_compare_every_measure(runs: dict[str, Path]) -> None:
    found = diff_runs(runs["one"], runs["same"])
    assert found.is_equal
    assert found.measures_compared > 100
