"""The run command and the run folder: shapes, repeats, audits, replications."""

import json

import pyarrow as pa
import pytest

import sim
from sim.tables.open_run import open_run
from tests.unit.cli.queue import payroute, run_queue, write_queue

RUN_KEYS = {
    *("status", "software", "libraries", "command", "scenario", "scenario_hash", "plan_hash"),
    *("seed", "engine", "replications", "started_at", "finished_at", "wall_seconds"),
    *("engine_seconds", "peak_memory_bytes", "payments", "events", "digest", "machine"),
}


def test_json_is_the_summary_with_the_run_folder_and_nothing_else(tmp_path):
    result, out = run_queue(tmp_path, "--json")
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert told.pop("run_folder") == str(out)
    assert told == json.loads((out / "summary.json").read_text())
    assert {"scenario", "seed", "engine", "replications", "measures", "by"} <= told.keys()
    assert told["measures"]["success_rate"].keys() == {"value", "unit", "low", "high"}


def test_a_run_leaves_its_folder_complete(tmp_path):
    _, out = run_queue(tmp_path)
    facts = json.loads((out / "run.json").read_text())
    assert facts["status"] == "complete"
    assert facts.keys() >= RUN_KEYS
    assert facts["payments"] == open_run(out).table("payments.parquet").num_rows > 200
    assert (out / "plan.txt").read_text().startswith("Scenario three-clerks\n")
    assert (out / "fees.parquet").exists()
    assert not (out / "stages.parquet").exists()


@pytest.mark.parametrize(
    ("record", "tables"),
    [
        ("none", set()),
        ("payments", {"payments", "fees", "series", "rates", "prices"}),
        ("stages", {"payments", "fees", "stages", "series", "rates", "prices"}),
        ("events", {"payments", "fees", "stages", "series", "events", "rates", "prices"}),
    ],
)
def test_record_says_which_tables_there_are(tmp_path, record, tables):
    _, out = run_queue(tmp_path, "--record", record)
    assert {path.stem for path in out.glob("*.parquet")} == tables


def test_the_folder_of_a_run_runs_again_to_the_same_digest(tmp_path):
    _, out = run_queue(tmp_path, "--set", "demand.customers.rate=1 /s", "--seed", "0")
    again = payroute(
        "run", out / "scenario.yaml", "--seed", "0", "--engine", "reference",
        "--out", tmp_path / "again", "--json",
    )  # fmt: skip
    assert again.exit_code == 0
    first, second = (
        json.loads((path / "run.json").read_text()) for path in (out, tmp_path / "again")
    )
    for key in ("digest", "plan_hash", "scenario_hash", "seed"):
        assert first[key] == second[key]
    assert first["seed"] == 0


def test_another_seed_is_another_digest_of_the_same_plan(tmp_path):
    facts = []
    for seed in (1, 2):
        run_queue(tmp_path, "--seed", str(seed), "--force")
        facts.append(json.loads((tmp_path / "run" / "run.json").read_text()))
    assert facts[0]["digest"] != facts[1]["digest"]
    assert facts[0]["plan_hash"] == facts[1]["plan_hash"]


def test_a_finished_run_is_replaced_only_by_force_and_says_that_it_is_the_same(tmp_path):
    run_queue(tmp_path)
    refused, _ = run_queue(tmp_path)
    assert refused.exit_code == 2
    assert "--force" in refused.stderr
    forced, _ = run_queue(tmp_path, "--force")
    assert forced.exit_code == 0
    assert "Same digest" in forced.stdout


def test_a_run_without_out_goes_below_results(tmp_path, monkeypatch):
    path = write_queue(tmp_path)
    monkeypatch.chdir(tmp_path)
    words = ("run", path, "--engine", "reference")
    assert "Same digest" not in payroute(*words).stdout
    again = payroute(*words)
    assert "Same digest" in again.stdout
    assert again.stderr == ""
    (folder,) = (tmp_path / "results" / "three-clerks").iterdir()
    facts = json.loads((folder / "run.json").read_text())
    assert folder.name.startswith(f"{facts['plan_hash']}-s{facts['seed']}-reference-")


def test_every_question_has_a_folder_of_its_own(tmp_path, monkeypatch):
    path = write_queue(tmp_path)
    monkeypatch.chdir(tmp_path)
    rate = "demand.customers.rate"
    for words in (
        *((), ("--seed", "2"), ("--set", f"{rate}=1 /s"), ("--set", f"{rate}=1.5 /s")),
        *(("--set", "demand.customers.steps={10 s: 3}"), ("--set", "demand.customers.count=5")),
        *(("--record", "none"), ("--record", "stages"), ("--engine", "reference")),
        *(("--replications", "1"), ("--replications", "2"), ("--replications", "3")),
        ("--precision", "success_rate±50%"),
        *(("--set", "scenario=other"), ("--set", "question=Why?"), ("--set", "seed=3")),
    ):
        result = payroute("run", path, "--jobs", "1", *words)
        assert (result.exit_code, "warning" in result.stderr) == (0, False), result.output
    folders = sorted((tmp_path / "results").glob("*/*"))
    assert len(folders) == 16
    assert len({folder.name.partition("-")[0] for folder in folders}) < 6
    for folder in folders:
        assert open_run(folder).facts["status"] == "complete"


def test_replications_are_added_to_the_most_there_are(tmp_path, monkeypatch):
    path = write_queue(tmp_path)
    monkeypatch.chdir(tmp_path)
    words = ("run", path, "--jobs", "1", "--json", "--replications")
    two = json.loads(payroute(*words, "2").stdout)
    other = payroute(*words, "4", "--add", "--seed", "9")
    assert (other.exit_code, "no such folder" in other.stderr) == (2, True)
    four = json.loads(payroute(*words, "4", "--add").stdout)
    whole = json.loads(payroute(*words, "4", "--out", tmp_path / "whole").stdout)
    assert four["measures"] == whole["measures"] != two["measures"]
    folders = {tmp_path / told["run_folder"]: told["replications"] for told in (two, four)}
    assert {open_run(path).facts["replications"] for path in folders} == {2, 4}
    table = open_run(tmp_path / four["run_folder"]).table("payments.parquet")
    assert table.equals(open_run(tmp_path / "whole").table("payments.parquet"))
    assert "holds 4 already" in payroute(*words, "3", "--add").stderr


def test_a_run_that_replaces_another_question_says_what_differs(tmp_path):
    run_queue(tmp_path)
    other = ("--seed", "4", "--set", "demand.customers.rate=1.5 /s")
    refused, out = run_queue(tmp_path, *other)
    differing = "seed 1 -> 4; demand.customers.rate 2.4 /s -> 1.5 /s"
    assert refused.exit_code == 2
    assert f"holds a finished run of another question ({differing})" in refused.stderr
    assert open_run(out).facts["seed"] == 1
    replaced, _ = run_queue(tmp_path, *other, "--force")
    told = f"warning: replaced a finished run of another question: {differing}\n"
    assert (replaced.exit_code, replaced.stderr) == (0, told)


@pytest.mark.parametrize("more", [(), ("--force",)])
def test_a_scenario_of_the_users_in_the_folder_is_never_replaced(tmp_path, monkeypatch, more):
    path = write_queue(tmp_path).rename(tmp_path / "scenario.yaml")
    before = path.read_bytes()
    monkeypatch.chdir(tmp_path)
    result = payroute("run", path, "--engine", "reference", "--out", ".", *more)
    assert result.exit_code == 2
    assert "found scenario.yaml, which this program did not write" in result.stderr
    assert [(found.name, found.read_bytes()) for found in tmp_path.iterdir()] == [
        ("scenario.yaml", before)
    ]


def test_the_audit_on_the_way_passes_and_is_told(tmp_path):
    result, out = run_queue(tmp_path, "--audit", "--json")
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert told["audit"] == {"ok": True, "level": "events", "violations": []}
    assert not (out / "events.parquet").exists()


def test_the_summary_names_what_a_reader_looks_for(tmp_path):
    result, out = run_queue(tmp_path, "--audit")
    for words in ("three-clerks", "How long is the line?", "success rate", "shop.counter",
                  "Audit passed", str(out), "MS03"):  # fmt: skip
        assert words in result.stdout.replace("\n", "") or words in result.stdout


@pytest.mark.slow
def test_replications_give_intervals(tmp_path):
    result, out = run_queue(tmp_path, "--replications", "3", "--jobs", "1", "--json")
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert told["replications"] == 3
    mean = told["measures"]["end_to_end_mean"]
    assert mean["low"] < mean["value"] < mean["high"]
    assert open_run(out).table("payments.parquet").column("replication").unique().to_pylist() == [
        0, 1, 2,
    ]  # fmt: skip


def test_python_gives_measures_and_tables(tmp_path):
    result = sim.run(
        write_queue(tmp_path),
        seed=7,
        overrides={
            "demand.customers.rate": "1 /s",
            "rails.shop.stations": {"counter": {"servers": 9}},
        },
        engine="reference",
        out=tmp_path / "run",
    )
    rate = result.summary["success_rate"]
    assert float(rate) == rate.value == 1.0
    assert (rate.unit, rate.low, rate.high) == ("share", None, None)
    assert isinstance(result.payments, pa.Table)
    assert result.payments.num_rows == result.summary["submitted"].value
    assert result.fees.num_rows == 0
    assert result.folder == tmp_path / "run"
    with pytest.raises(sim.errors.UserError, match="did not record"):
        _ = result.stages


@pytest.mark.parametrize("package", ["pandas", "polars"])
def test_a_missing_data_frame_package_is_named_with_its_remedy(tmp_path, monkeypatch, package):
    import importlib

    real = importlib.import_module

    def absent(name, *rest):
        if name == package:
            raise ImportError(name)
        return real(name, *rest)

    result = sim.run(write_queue(tmp_path), engine="reference", out=tmp_path / "run")
    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(sim.errors.MachineError, match=f"pip install {package}"):
        getattr(result, f"to_{package}")()


@pytest.mark.parametrize("package", ["pandas", "polars"])
def test_frames_hold_what_the_table_holds(tmp_path, package):
    pytest.importorskip(package, reason=f"needs {package} (extra `frames`)")
    result = sim.run(write_queue(tmp_path), engine="reference", out=tmp_path / "run")
    frame = getattr(result, f"to_{package}")()
    assert len(frame) == result.payments.num_rows
    assert list(frame["submitted_us"]) == result.payments["submitted_us"].to_pylist()
    assert list(frame["outcome"]) == result.payments["outcome"].to_pylist()
