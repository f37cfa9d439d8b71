"""What a shell is offered, asked the way bash and zsh ask."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sim.analysis.catalogue import HEADLINE_UNITS
from sim.cli import app, completing
from sim.scenario.shipped import shipped_scenarios
from tests.theory.driver import ROOT
from tests.unit.cli.queue import run_queue, write_queue


def _offered(*words: str) -> list[str]:
    """Return what bash is offered for the last word, which may be empty."""
    line = {"COMP_WORDS": " ".join(("payroute", *words)), "COMP_CWORD": str(len(words))}
    done = CliRunner().invoke(
        app, [], env={"_PAYROUTE_COMPLETE": "complete_bash", **line}, prog_name="payroute"
    )
    return [line for line in done.stdout.splitlines() if line]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_a_shell_that_asks_is_answered(here: Path) -> None:
    for shell, asked in (
        ("bash", {"COMP_WORDS": "payroute run chin", "COMP_CWORD": "2"}),
        ("zsh", {"_TYPER_COMPLETE_ARGS": "payroute run chin"}),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "sim"],
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "_PAYROUTE_COMPLETE": f"complete_{shell}",
                **asked,
            },
            capture_output=True,
            text=True,
            check=False,
            cwd=here,
        )
        assert "china-two-way" in done.stdout
        assert done.stderr == ""


def test_commands_and_options_are_offered() -> None:
    assert {"diff"} <= set(_offered("di"))
    assert set(_offered("run", "china-two-way", "--re")) >= {"--record", "--replication"}


def test_scenarios_are_offered_by_name_and_as_files(here: Path) -> None:
    assert set(_offered("run", "")) >= set(shipped_scenarios())
    write_queue(here)
    (here / "folder").mkdir()
    (here / ".hidden").mkdir()
    (here / "notes.txt").touch()
    files = [name for name in _offered("run", "") if name not in shipped_scenarios()]
    assert files == ["folder/", "queue.yaml"]
    (here / "folder" / "mine.yaml").touch()
    assert _offered("run", "folder/") == ["folder/mine.yaml"]
    assert _offered("new", "mine", "--from", "mini") == ["minimal"]


def test_fields_are_those_of_the_scenario_named(here: Path) -> None:
    found = _offered("run", "minimal", "--set", "routing.")
    assert {"routing.policy=", "routing.failover="} <= set(found)
    assert all(one.startswith("routing.") for one in found)
    assert "routing.policy=" in _offered("run", "minimal", "--set", "rout")
    # Of many the next part alone, until few are left.
    assert _offered("run", "minimal", "--set", "ra") == ["rails."]
    assert "rails.bakong." in _offered("run", "minimal", "--set", "rails.")
    assert _offered("run", "minimal", "--set", "rails.bakong.pe") == ["rails.bakong.peers="]
    assert _offered("run", "minimal", "--set", "rails.bakong.peers=") == []
    write_queue(here)
    own = "rails.shop.stations.counter.servers="
    assert own in _offered("run", "queue.yaml", "--set", "rails.shop.st")


def test_before_a_scenario_is_named_sections_are_offered(here: Path) -> None:
    assert _offered("run", "--set", "de") == ["demand."]


def test_sections_offered_are_those_there_are() -> None:
    from sim.scenario.model import Scenario

    assert set(completing._SECTIONS) <= set(Scenario.model_fields)


def test_measures_are_offered_the_last_of_several() -> None:
    found = _offered("sensitivity", "minimal", "--measure", "succ")
    assert found == ["success_rate", "success"]
    after = _offered("sensitivity", "minimal", "--measure", "p99,end_to_end_m")
    assert set(after) == {"p99,end_to_end_mean", "p99,end_to_end_max"}
    assert set(HEADLINE_UNITS) < set(_offered("compare", "minimal", "--measures", ""))
    assert "corridor/" in _offered("compare", "minimal", "--measures", "corr")


def test_runs_and_what_they_hold_are_offered(here: Path) -> None:
    run_queue(here)
    assert _offered("audit", "r") == ["run/"]
    assert _offered("export", "run", "--format", "x") == ["xes"]
    assert _offered("export", "run", "--corridor", "") == ["inside"]
    assert "run/" in _offered("diff", "minimal", "r")


@pytest.mark.parametrize(
    ("words", "known"),
    [
        (("run", "minimal", "--engine", ""), ["compiled", "reference"]),
        (("run", "minimal", "--record", "st"), ["stages"]),
        (("run", "minimal", "--format", "ma"), ["markdown"]),
        (("stress", "minimal", "--profile", ""), ["step", "ramp", "soak"]),
        (("report", "run", "--style", ""), ["paper", "slides"]),
    ],
)
def test_words_an_option_knows_are_offered(words: tuple[str, ...], known: list[str]) -> None:
    assert _offered(*words) == known


def test_what_cannot_be_read_offers_nothing_and_says_nothing(here: Path) -> None:
    (here / "broken.yaml").write_text("rails: [", encoding="utf-8")
    assert _offered("run", "broken.yaml", "--set", "ra") == []
    assert _offered("run", "nowhere/") == []
    assert _offered("export", "nowhere", "--format", "xes", "--corridor", "") == []
