"""A run folder alone is enough to run again; what was altered is found."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sim.errors import UserError
from sim.study.replicate.replicate import HowMany, run_replications
from sim.study.reproduce import reproduce_run
from sim.study.result_json import object_as_json
from sim.study.run import run_scenario
from tests.support.tiny import write_tiny


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Return a finished run whose scenario file is gone."""
    path = write_tiny(tmp_path)
    run_scenario(path, out=tmp_path / "run", overrides=("clock.horizon=90 s",), seed=3)
    path.unlink()
    return tmp_path / "run"


def test_a_run_is_repeated_from_its_folder_alone(run: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(run, elsewhere)
    found = reproduce_run(elsewhere)
    assert found.is_identical, found.differences
    assert found.figures > 100
    assert object_as_json(found)["cause"] == ""


def test_replications_are_repeated_too(tmp_path: Path) -> None:
    run_replications(write_tiny(tmp_path), HowMany(3), out=tmp_path / "run")
    assert reproduce_run(tmp_path / "run").is_identical


@pytest.mark.parametrize("name", ["summary.json", "run.json"])
def test_an_altered_figure_is_found_and_named(run: Path, name: str) -> None:
    content = json.loads((run / name).read_text())
    if name == "run.json":
        content["digest"] = "records:0"
    else:
        content["measures"]["success_rate"]["value"] = 1.0
    (run / name).write_text(json.dumps(content))
    found = reproduce_run(run)
    wanted = "digest" if name == "run.json" else "measures.success_rate.value"
    assert [difference.figure for difference in found.differences] == [wanted]
    assert "altered or this is a bug" in found.cause


def test_tables_that_were_altered_or_removed_are_found(run: Path) -> None:
    table = pq.read_table(run / "payments.parquet")
    pq.write_table(table.slice(1), run / "payments.parquet")
    (run / "series.parquet").unlink()
    found = reproduce_run(run)
    assert [(d.figure, d.now) for d in found.differences] == [
        ("payments.parquet", "altered"),
        ("series.parquet", "gone"),
    ]


def test_other_versions_are_named_as_the_cause(run: Path) -> None:
    content = json.loads((run / "run.json").read_text())
    content["digest"], content["libraries"]["numpy"] = "records:0", "1.0"
    (run / "run.json").write_text(json.dumps(content))
    assert "made with other versions: numpy 1.0 -> " in reproduce_run(run).cause


def test_an_altered_scenario_is_found(run: Path) -> None:
    path = run / "scenario.yaml"
    path.write_text(path.read_text().replace("2.4 /s", "2.5 /s"))
    figures = {difference.figure for difference in reproduce_run(run).differences}
    assert {"scenario_hash", "digest", "measures.submitted.value"} <= figures


def test_a_run_that_did_not_finish_is_refused(run: Path) -> None:
    content = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**content, "status": "running"}))
    with pytest.raises(UserError, match="did not finish"):
        reproduce_run(run)
