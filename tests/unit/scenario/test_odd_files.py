"""Files nobody writes by hand: keys that are no names, parents of many kinds, endless chains."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.errors import ScenarioError
from sim.scenario.loader import dump_resolved, load_document
from sim.scenario.scenario import load_scenario
from tests.theory.driver import MINIMAL

HEAD = "scenario: odd\n"


def _refused(folder: Path, text: str) -> str:
    path = folder / "odd.yaml"
    path.write_text(HEAD + f"extends: {MINIMAL}\n" + text, encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    return str(caught.value).replace(f"{folder}/", "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("? [a, b]\n: 5\n", "odd.yaml:3: found a list as a key; allowed: a name"),
        ("? {a: b}\n: 5\n", "odd.yaml:3: found a mapping as a key; allowed: a name"),
        (f"{'k' * 500}: 5\n", "found a key of 500 characters; allowed: a name"),
        ("<<: {a: 5}\n", "found the merge key '<<'; allowed: 'extends' for whole files"),
        ("clock: {horizon: {value: 5 s, evidence: [a]}}\n", "found evidence without text"),
        ("clock: {horizon: {value: 5 s, evidence: reportd}}\n", "Did you mean 'reported'?"),
        ("clock: {horizon: {value: null, evidence: reported}}\n", "found null or another wrapper"),
        ("corridors: {kh_kh: {rails: {a: 5}}}\n", "allowed: "),
        ("demand: {domestic: {payments: {at: 5 s}}}\n", "allowed: "),
    ],
)
def test_what_is_no_name_or_no_value_is_told_with_its_line(
    tmp_path: Path, text: str, said: str
) -> None:
    assert said in _refused(tmp_path, text)


def test_a_chain_of_files_has_an_end(tmp_path: Path) -> None:
    for number in range(40):
        path = tmp_path / f"f{number}.yaml"
        path.write_text(f"scenario: f{number}\nextends: f{number + 1}.yaml\n", encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"a chain of more than \d+ files; allowed: fewer"):
        load_scenario(tmp_path / "f0.yaml")


PARENT = """
scenario: {name}
rails:
  till:
    kind: generic
    stages: {stages}
profiles: {{day: {{hourly: {hourly}}}}}
"""


def _parents(folder: Path, *parts: tuple[str, str]) -> Path:
    for number, (stages, hourly) in enumerate(parts):
        text = PARENT.format(name=f"p{number}", stages=stages, hourly=hourly)
        (folder / f"p{number}.yaml").write_text(text, encoding="utf-8")
    names = ", ".join(f"p{number}.yaml" for number in range(len(parts)))
    child = folder / "child.yaml"
    child.write_text(f"scenario: child\nextends: [{names}]\n", encoding="utf-8")
    return child


ONE, OTHER = "[{name: a, delay: 1 s}]", "[{name: a, delay: 2 s}]"
DAY = "[" + ", ".join(["1"] * 24) + "]"


def test_parents_that_say_the_same_in_lists_and_mappings_agree(tmp_path: Path) -> None:
    document = load_document(_parents(tmp_path, (ONE, DAY), (ONE, DAY)))
    assert dump_resolved(document).count("delay: 1 s") == 1


@pytest.mark.parametrize(
    "second", [OTHER, "[{name: a, delay: 1 s}, {name: b, delay: 1 s}]", "word", "{a: 5}"]
)
def test_parents_that_differ_leave_it_to_the_child(tmp_path: Path, second: str) -> None:
    # A third parent settles nothing, whatever it says.
    for parts in (((ONE, DAY), (second, DAY)), ((ONE, DAY), (second, DAY), (ONE, DAY))):
        with pytest.raises(ScenarioError, match=r"rails\.till\.stages"):
            load_document(_parents(tmp_path, *parts))


def test_separators_of_lines_are_written_so_that_they_read_back(tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    odd = "a\u2028b\u0085c"
    path.write_text(
        f'scenario: odd\nextends: {MINIMAL}\nquestion: "a\\u2028b\\u0085c"\n', encoding="utf-8"
    )
    text = dump_resolved(load_document(path))
    assert "\u2028" not in text
    again = tmp_path / "again.yaml"
    again.write_text(text, encoding="utf-8")
    assert load_scenario(again).scenario.question == odd
