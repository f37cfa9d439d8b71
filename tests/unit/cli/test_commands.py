"""validate, schema, audit and explain; what starts quickly; every exit code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import sim
from sim.cli.schema import experiment_schema_text, schema_text, share_parts
from sim.errors import OptionError
from sim.model.editor_schema import editor_schema
from sim.scenario.model import Scenario
from tests.unit.cli.queue import QUEUE, payroute, run_queue, write_queue

ROOT = Path(__file__).parents[3]
MINIMAL = ROOT / "scenarios" / "minimal.yaml"
HEAVY = "numba scipy pyarrow duckdb simpy plotly dask"
SCRIPT = """
import sys
from sim.cli import main
sys.argv = ["payroute", *sys.argv[1:]]
try:
    main()
finally:
    for name in "{heavy}".split():
        assert name not in sys.modules, name
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [["--help"], ["run", "--help"], ["validate", str(MINIMAL)], ["schema"], ["qr", "--help"]],
)
def test_what_runs_nothing_imports_nothing_heavy(words):
    script = SCRIPT.format(heavy=HEAVY)
    done = subprocess.run(
        [sys.executable, "-c", script, *words],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_a_single_run_imports_nothing_for_others(tmp_path):
    # A table asks for pandas where it is made in some ways, intervals for the laws of statistics.
    script = SCRIPT.format(heavy="pandas scipy.stats duckdb plotly dask")
    words = ["run", str(MINIMAL), "--out", str(tmp_path / "run"), "--quiet"]
    done = subprocess.run(
        [sys.executable, "-c", script, *words],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "run" / "payments.parquet").exists()


@pytest.mark.slow
def test_import_sim_imports_nothing_else():
    script = (
        "import sim, sys; "
        f"print([n for n in sys.modules if n.startswith('sim.') or n in {HEAVY.split()}])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


@pytest.mark.slow
def test_python_dash_m_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "sim", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("payroute ")


def test_validate_tells_every_problem_of_every_file_at_once(tmp_path):
    good = write_queue(tmp_path)
    bad = tmp_path / "bad.yaml"
    bad.write_text(QUEUE.replace("2.4 /s", "fast").replace("servers: 3", "servers: 0"))
    result = payroute("validate", good, bad, tmp_path / "none.yaml", "--json")
    assert result.exit_code == 2
    problems = json.loads(result.stdout)["problems"]
    assert [list(problem) for problem in problems] == [["file", "line", "path", "message"]] * 3
    assert {(Path(p["file"]).name, p["line"], p["path"]) for p in problems} == {
        ("bad.yaml", 7, "rails.shop.stations.counter.servers"),
        ("bad.yaml", 12, "demand.customers.rate"),
        ("none.yaml", 0, ""),
    }
    assert f"{bad}:12 demand.customers.rate: found 'fast'" in result.stderr


def test_validate_says_what_a_valid_scenario_describes(tmp_path):
    result = payroute("validate", write_queue(tmp_path))
    assert result.exit_code == 0
    assert result.stdout.endswith("valid; 1 corridor, 1 route, 1 demand stream, 10 stages\n")
    found = json.loads(payroute("validate", MINIMAL, "--json").stdout)
    # One settles and one holds wallets that only receive here: neither has payers.
    assert found["problems"] == []
    assert [(note["path"], note["message"]) for note in found["notes"]] == [
        ("institutions.river_bank.decline", "changes nothing: it has no payers"),
        ("institutions.unionpay_wallet.decline", "changes nothing: it has no payers"),
    ]


def test_the_published_schema_is_the_models_schema():
    published = (ROOT / "scenarios" / "scenario.schema.json").read_text(encoding="utf-8")
    assert published == schema_text(), "write it again: payroute schema > scenarios/..."
    assert payroute("schema").stdout == published


def test_the_published_schema_of_experiments_is_the_models_schema():
    path = ROOT / "scenarios" / "experiments" / "experiment.schema.json"
    published = path.read_text(encoding="utf-8")
    assert published == experiment_schema_text(), "write it again: payroute schema --experiment"
    assert payroute("schema", "--experiment").stdout == published


def test_experiments_are_validated_arm_by_arm_and_point_by_point(tmp_path):
    write_queue(tmp_path)
    path = tmp_path / "clerks.yaml"
    clerks = "rails.shop.stations.counter.servers"
    path.write_text(
        "experiment: clerks\nscenario: queue.yaml\n"
        f"arms: {{a: {{}}, b: {{set: {{{clerks}: 4}}}}}}\n"
        f"sweep: {{factors: {{{clerks}: {{values: [2, 3]}}}}}}\n"
    )
    result = payroute("validate", path)
    assert result.exit_code == 0, result.output
    assert result.stdout.endswith("valid; an experiment, 2 arms and 2 points\n")
    path.write_text(path.read_text().replace("[2, 3]", "[2, 0]"))
    result = payroute("validate", path, "--json")
    assert result.exit_code == 2
    (problem,) = json.loads(result.stdout)["problems"]
    assert problem["path"] == "sweep, point 1"
    assert "servers" in problem["message"]


def test_an_experiment_is_not_run_as_a_scenario(tmp_path):
    path = ROOT / "scenarios" / "experiments" / "routing-policies.yaml"
    result = payroute("run", path, "--out", tmp_path / "run")
    assert result.exit_code == 2
    assert "found an experiment; allowed: a scenario" in result.output


def test_sharing_parts_changes_no_meaning():
    whole = editor_schema(Scenario)
    slim = share_parts(whole)

    def written_out(part):
        if isinstance(part, list):
            return [written_out(item) for item in part]
        if not isinstance(part, dict):
            return part
        target = part.get("$ref", "").removeprefix("#/$defs/")
        if target.startswith("part_"):
            return written_out(slim["$defs"][target])
        return {key: written_out(item) for key, item in part.items() if key[:5] != "part_"}

    assert written_out(slim) == whole
    assert len(json.dumps(slim)) * 4 < len(json.dumps(whole))


@pytest.mark.parametrize(("record", "level"), [("payments", "payments"), ("events", "events")])
def test_audit_checks_what_was_recorded(tmp_path, record, level):
    _, out = run_queue(tmp_path, "--record", record)
    result = payroute("audit", out, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"ok": True, "level": level, "violations": []}
    assert "audit passed" in payroute("audit", out).stdout


def test_audit_of_a_changed_table_ends_in_three_and_names_the_rule(tmp_path):
    import pyarrow.parquet as pq

    _, out = run_queue(tmp_path)
    path = out / "payments.parquet"
    table = pq.read_table(path)
    column = table.column_names.index("service_us")
    values = table.column("service_us").to_pylist()
    values[3] += 1
    pq.write_table(table.set_column(column, "service_us", [values]), path)
    result = payroute("audit", out, "--json")
    assert result.exit_code == 3
    told = json.loads(result.stdout)
    assert not told["ok"]
    assert all(list(found) == ["rule", "event", "message"] for found in told["violations"])
    assert "audit found" in result.stderr
    assert "Traceback" not in result.output


def test_audit_of_another_plan_is_refused(tmp_path):
    _, out = run_queue(tmp_path)
    path = out / "scenario.yaml"
    path.write_text(path.read_text().replace("servers: 3", "servers: 2"))
    result = payroute("audit", out)
    assert result.exit_code == 2
    assert "compiles to plan" in result.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["run", "quue.yaml"], "Did you mean 'queue.yaml'?"),
        (["run", "."], "found a folder; allowed: a scenario file; it holds queue.yaml"),
        (["run", "queue.yaml", "--set", "clock"], "allowed: path.to.field=value"),
        (["run", "queue.yaml", "--set", "clok.horizon=1 s"], "Did you mean 'clock'?"),
        (["run", "queue.yaml", "--engine", "referense"], "Did you mean 'reference'?"),
        (["run", "queue.yaml", "--record", "all"], "allowed: none, payments, stages, events"),
        (["run", "queue.yaml", "--seed", "-1"], "a whole number from 0"),
        (["run", "queue.yaml", "--seed", "9223372036854775808"], "a whole number from 0"),
        (["run", "queue.yaml", "--seed", "x"], "'--seed'"),
        (["run", "queue.yaml", "--replications", "0"], "allowed: 1 or more"),
        (["run", "queue.yaml", "--replications", "2", "--jobs", "0"], "allowed: 1 or more"),
        (["run", "queue.yaml", "--jobs", "0"], "--jobs: found 0; allowed: 1 or more"),
        (["compare", "queue.yaml", "--jobs", "0"], "--jobs: found 0; allowed: 1 or more"),
        (["sweep", "queue.yaml", "--jobs", "0"], "--jobs: found 0; allowed: 1 or more"),
        (["stress", "queue.yaml", "--jobs", "0"], "--jobs: found 0; allowed: 1 or more"),
        (["sensitivity", "queue.yaml", "--jobs", "0"], "--jobs: found 0; allowed: 1 or more"),
        (["reproduce", "unfinished", "--jobs", "-1"], "--jobs: found -1; allowed: 1 or more"),
        (["run", "queue.yaml", "--precision", "soon"], "--precision: found 'soon'"),
        (["run", "queue.yaml", "--nonsense"], "No such option"),
        (["run"], "Missing argument"),
        (["rum"], "No such command"),
        (["audit", "nowhere"], "no such folder"),
        (["audit", "."], "not a run folder"),
        (["audit", "queue.yaml"], "found a file; allowed: a run folder, as `payroute run` prints"),
        (["audit", "unfinished/run.json"], "found a file; allowed: the folder it lies in"),
        (["explain", "queue.yaml", "--replication", "1"], "found 1 without --payment"),
        (["audit", "unfinished"], "did not finish"),
        (["explain", "unfinished", "--payment", "0"], "did not finish"),
        (["explain", "unfinished"], "found a run folder without --payment"),
        (["explain", "queue.yaml", "--payment", "0"], "found a file; allowed: a run folder"),
        (["explain", "unfinished", "--payment", "0", "--seed", "1"], "allowed: alone"),
        (["validate", "queue.yaml", "--set", "="], "allowed: path.to.field=value"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_users_mistake_ends_in_two_with_words(tmp_path, monkeypatch, words, told):
    write_queue(tmp_path)
    (tmp_path / "unfinished").mkdir()
    (tmp_path / "unfinished" / "run.json").write_text('{"status": "running"}')
    monkeypatch.chdir(tmp_path)
    result = payroute(*words)
    assert result.exit_code == 2, result.output
    assert told in " ".join(result.stderr.replace("│", " ").split())
    assert "Traceback" not in result.output
    assert result.stdout == ""


def test_a_folder_in_a_file_is_the_machines_refusal(tmp_path):
    path = write_queue(tmp_path)
    result = payroute("run", path, "--engine", "reference", "--out", path / "inside")
    assert result.exit_code == 4
    assert "cannot write" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_the_machines_refusal(tmp_path):
    path = write_queue(tmp_path)
    tmp_path.chmod(0o500)
    result = payroute("run", path, "--engine", "reference", "--out", tmp_path / "new")
    tmp_path.chmod(0o700)
    assert result.exit_code == 4
    assert "permission denied" in result.stderr


@pytest.mark.parametrize(
    ("raised", "code", "told"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (RuntimeError("odd"), 1, "Please report it"),
        (MemoryError(), 4, "out of memory"),
        (OSError(28, "No space left on device"), 4, "free space"),
    ],
)
def test_what_goes_wrong_inside_has_its_exit_code(tmp_path, monkeypatch, raised, code, told):
    def fail(*arguments, **named):
        raise raised

    monkeypatch.setattr("sim.engine.reference.run_reference", fail)
    result, out = run_queue(tmp_path)
    assert result.exit_code == code
    assert told in result.stderr
    assert ("Traceback" in result.stderr) == (code == 1)
    assert json.loads((out / "run.json").read_text())["status"] == "running"


def test_compare_says_it_in_words_and_in_a_table_per_pair(tmp_path, monkeypatch):
    path = write_queue(tmp_path)
    other = tmp_path / "four-clerks.yaml"
    other.write_text(
        QUEUE.replace("three-clerks", "four-clerks").replace("servers: 3", "servers: 4")
    )
    arms = tmp_path / "arms.csv"
    words = ["--replications", "8", "--measures", "success_rate,mean", "--jobs", "1"]
    result = payroute("compare", path, other, *words, "--arms", arms, monkeypatch=monkeypatch)
    assert result.exit_code == 0, result.output
    assert "Against queue, four-clerks succeeds " in result.stdout
    assert "four-clerks against queue: 8 replications of the same customers" in result.stdout
    assert "pp *" in result.stdout
    assert "Luck: standard" in result.stdout
    assert len(arms.read_text().splitlines()) == 1 + 2 * 2
    content = json.loads(payroute("compare", path, other, *words, "--json").stdout)
    assert content["software"]["name"] == "payroute"
    assert content["standard_error_ratio"]["success_rate"] < 1


def test_sweep_writes_its_table_wherever_it_is_wanted(tmp_path):
    write_queue(tmp_path)
    path = tmp_path / "clerks.yaml"
    path.write_text(
        "experiment: clerks\nscenario: queue.yaml\nreplications: 2\nmeasures: [success_rate]\n"
        "sweep: {factors: {rails.shop.stations.counter.servers: {values: [2, 3]}}}\n"
    )
    table = tmp_path / "table.csv"
    words = ["--out", tmp_path / "points", "--jobs", "1", "--table"]
    result = payroute("sweep", path, *words, table)
    assert result.exit_code == 0, result.output
    assert "2 points run, 0 kept from before, 0 failed" in result.stdout
    assert table.read_text().splitlines()[0].startswith("rails.shop.stations.counter.servers,point")
    refused = payroute("sweep", path, *words, tmp_path / "table.xls")
    assert refused.exit_code == 2
    assert "--table: found 'table.xls'; allowed: a file that ends in" in refused.output


CLERKS = "rails.shop.stations.counter.servers"


def _write_sweep(folder, *, field=CLERKS, values="[2, 3]", measure="success_rate", more=""):
    write_queue(folder)
    path = folder / "clerks.yaml"
    path.write_text(
        f"experiment: clerks\nscenario: queue.yaml\nreplications: 2\nmeasures: [{measure}]\n"
        f"{more}sweep: {{factors: {{{field}: {{values: {values}}}}}}}\n"
    )
    return path


@pytest.mark.parametrize(
    ("values", "told"),
    [("[2, 0, 3]", "error: 1 of 3 points failed"), ("[0, 0]", "error: 2 of 2 points failed")],
)
def test_sweep_ends_with_what_went_wrong_in_its_points(tmp_path, values, told):
    path = _write_sweep(tmp_path, values=values)
    result = payroute("sweep", path, "--out", tmp_path / "points", "--jobs", "1")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[0] == told
    assert "Traceback" not in result.output
    assert " points run, 0 kept from before" in result.stdout
    assert (tmp_path / "points" / "sweep.parquet").exists()


def test_a_bug_in_a_point_ends_in_one_with_its_traceback(tmp_path, monkeypatch):
    path = _write_sweep(tmp_path, values="[0, 2]")
    monkeypatch.setattr("sim.study.runner.run_case", lambda _: 1 // 0)
    result = payroute("sweep", path, "--out", tmp_path / "points", "--jobs", "1", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["failed"] == 2
    assert "ZeroDivisionError" in result.stderr
    assert "Please report it" in result.stderr


@pytest.mark.parametrize("command", ["sweep", "validate"])
@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"field": "demand.custmers.rate"}, "clerks.yaml:5 sweep.factors.demand.custmers.rate"),
        ({"measure": "sucess_rate"}, "Did you mean 'success_rate'?"),
        ({"measure": "sttion/a/b"}, "Did you mean 'station'?"),
        (
            {"more": "precision: p99±1%\n"},
            "clerks.yaml:5 precision: found in an experiment without",
        ),
        ({"more": "baseline: a\n"}, "clerks.yaml:5 baseline: found in an experiment without arms"),
        (
            {"more": "select: {measure: p99, indifference: 1}\n"},
            "clerks.yaml:5 select: found in an experiment without arms",
        ),
        ({"more": "seed: 3\n", "field": "seed"}, "clerks.yaml:6 sweep.factors.seed"),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_whole_sweep_is_told_once(
    tmp_path, monkeypatch, command, changed, told
):
    monkeypatch.chdir(tmp_path)
    path = _write_sweep(tmp_path, **changed)
    result = payroute(command, path, *(("--jobs", "1") if command == "sweep" else ()))
    assert result.exit_code == 2, result.output
    assert result.stderr.count(told) == 1
    assert result.stdout == ""


def test_sweep_takes_a_seed(tmp_path):
    path = _write_sweep(tmp_path)
    words = ["sweep", path, "--jobs", "1", "--json", "--out"]
    plain, *seeded = (
        json.loads(payroute(*words, tmp_path / name, *more).stdout)["points"]
        for name, more in (("a", ()), ("b", ("--seed", "7")), ("c", ("--set", "seed=7")))
    )
    assert seeded[0] == seeded[1] != plain


def test_an_address_nobody_knows_is_the_users_mistake(tmp_path):
    pytest.importorskip("fsspec", reason="needs fsspec (extra `cluster`)")
    path = _write_sweep(tmp_path)
    result = payroute("sweep", path, "--jobs", "1", "--out", "bogus://foo/x")
    assert result.exit_code == 2
    assert "--out: found 'bogus://foo/x'" in result.stderr
    assert "Traceback" not in result.output


def test_what_is_wrong_is_named_as_a_field_below_and_as_an_option_at_the_door(tmp_path):
    import pickle

    path = write_queue(tmp_path)
    with pytest.raises(OptionError) as raised:
        sim.run(path, precision="soon", out=tmp_path / "run")
    assert str(raised.value).startswith("precision: found 'soon'")
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)
    told = payroute("run", path, "--precision", "soon", "--out", tmp_path / "run").stderr
    assert told == f"error: --{raised.value}\n"
