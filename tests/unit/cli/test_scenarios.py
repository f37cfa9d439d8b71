"""Scenarios that come with the program run by name, and are what one's own begin with."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

import sim
from sim.scenario.loader import load_document
from sim.scenario.scenario import load_scenario
from sim.scenario.shipped import named_file, shipped_scenarios
from tests.theory.driver import ROOT, SCENARIOS
from tests.unit.cli.queue import payroute, write_queue


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_scenario_is_listed_with_its_question() -> None:
    found = json.loads(payroute("scenarios", "--json").stdout)["scenarios"]
    names = [row["scenario"] for row in found]
    files = [path for path in SCENARIOS.rglob("*.yaml") if path.parent.name != "experiments"]
    # No two of a name: each is asked for by it.
    assert sorted(names) == sorted(path.stem for path in files)
    assert all(row["question"].endswith("?") for row in found)
    # What stands in the folder itself comes before what stands deeper.
    assert names.index("china-two-way") < names.index("cambodia-2025")
    shown = payroute("scenarios").stdout
    assert all(name in shown for name in names)


def test_a_name_stands_for_a_file_in_every_command(here: Path) -> None:
    assert payroute("validate", "minimal").exit_code == 0
    done = payroute("run", "minimal", "--engine", "reference", "--out", "run")
    assert done.exit_code == 0, done.output
    assert "scenario: minimal" in (here / "run" / "scenario.yaml").read_text(encoding="utf-8")
    assert (
        sim.run("minimal", engine="reference", out=here / "again").summary["submitted"].value == 2
    )


def test_a_file_here_goes_before_a_scenario_of_that_name(here: Path) -> None:
    write_queue(here).rename(here / "minimal")
    assert named_file(Path("minimal")) == Path("minimal")
    assert load_scenario(Path("minimal")).scenario.scenario == "three-clerks"


def test_a_misspelt_name_has_the_right_one_told(here: Path) -> None:
    done = payroute("run", "chna-two-way")
    assert done.exit_code == 2
    assert "Did you mean 'china-two-way'?" in " ".join(done.stderr.split())
    assert "`payroute scenarios` lists" in " ".join(done.stderr.split())


def test_extends_takes_a_name_where_there_is_no_such_file(here: Path) -> None:
    own = here / "own.yaml"
    own.write_text("scenario: own\nextends: minimal\nseed: 5\n", encoding="utf-8")
    loaded = load_scenario(own)
    assert (loaded.scenario.scenario, loaded.scenario.seed) == ("own", 5)
    assert shipped_scenarios()["minimal"] in load_document(own).files


@pytest.mark.parametrize("start", ["minimal", "china-two-way", "cambodia-2025", "mm1"])
def test_a_new_scenario_is_valid_as_written_and_with_every_comment_made_a_line(
    here: Path, start: str
) -> None:
    done = payroute("new", "mine", "--from", start)
    assert done.exit_code == 0, done.output
    text = (here / "mine.yaml").read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=scenario.schema.json\n")
    schema = (here / "scenario.schema.json").read_bytes()
    assert schema == (SCENARIOS / "scenario.schema.json").read_bytes()
    written = load_scenario(here / "mine.yaml").scenario
    assert written.demand == load_scenario(shipped_scenarios()[start]).scenario.demand
    sections = ("# clock:", "# demand:", "# rails:", "# disruptions:", "#   ")
    lines = [
        line.removeprefix("# ") if line.startswith(sections) else line for line in text.splitlines()
    ]
    (here / "all.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert payroute("validate", "all.yaml").exit_code == 0, payroute("validate", "all.yaml").output
    assert load_scenario(here / "all.yaml").scenario.disruptions


def test_a_new_scenario_changes_a_file_of_ones_own(here: Path) -> None:
    path = write_queue(here)
    assert payroute("new", "mine", "--from", path.name).exit_code == 0
    assert load_scenario(here / "mine.yaml").scenario.question.endswith(f"{path.name}?")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("new", "../mine"), "NAME: found '../mine'"),
        (("new", "Mine"), "NAME: found 'Mine'"),
        (("new", "mine", "--from", "minimul"), "Did you mean 'minimal'?"),
    ],
)
def test_what_cannot_be_begun_is_refused_and_nothing_written(
    here: Path, words: tuple[str, ...], told: str
) -> None:
    done = payroute(*words)
    assert done.exit_code == 2
    assert told in " ".join(done.stderr.split())
    assert list(here.iterdir()) == []


def test_a_file_that_is_there_is_kept_unless_told(here: Path) -> None:
    (here / "mine.yaml").write_text("scenario: old\n", encoding="utf-8")
    done = payroute("new", "mine")
    assert done.exit_code == 2
    assert "found a file already" in done.stderr
    assert (here / "mine.yaml").read_text(encoding="utf-8") == "scenario: old\n"
    assert payroute("new", "mine", "--force").exit_code == 0
    assert load_scenario(here / "mine.yaml").scenario.scenario == "mine"


def test_the_alias_has_the_same_names_and_no_others() -> None:
    spec = importlib.util.spec_from_file_location("payroute", ROOT / "sim" / "alias.py")
    assert spec is not None
    assert spec.loader is not None
    alias = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(alias)
    assert alias.__all__ == sim.__all__
    assert all(getattr(alias, name) is getattr(sim, name) for name in sim.__all__)
    with pytest.raises(AttributeError, match="module 'payroute' has no attribute 'errors'"):
        alias.errors  # noqa: B018 - asked for to be refused
    # No package: a part of the program under a second name would be a second copy of it.
    assert not hasattr(alias, "__path__")
