"""Give broken scenarios and compare every message with the one written down.

Takes ``tests/data/broken_scenarios.txt``: per case a name, what a child of the minimal scenario
says, and after ``---`` every line a user must read, file, line and path included.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sim.compiler.compile import compile_scenario
from sim.errors import ScenarioError
from sim.scenario.scenario import load_scenario

ROOT = Path(__file__).resolve().parents[3]
MINIMAL = ROOT / "scenarios" / "minimal.yaml"
CASES = ROOT / "tests" / "data" / "broken_scenarios.txt"


def _cases() -> list[tuple[str, str, str]]:
    found = []
    for block in CASES.read_text(encoding="utf-8").split("=== ")[1:]:
        head, _, messages = block.partition("---\n")
        name, _, fragment = head.partition("\n")
        found.append((name, fragment, messages.strip()))
    return found


def _problems(path: Path, folder: Path) -> str:
    with pytest.raises(ScenarioError) as caught:
        compile_scenario(load_scenario(path), with_tables=False)
    assert caught.value.exit_code == 2
    text = str(caught.value).replace(os.fspath(MINIMAL), "minimal.yaml")
    # Problems are sorted by file, and where the checkout lies is no part of the words.
    return "\n".join(sorted(text.replace(f"{os.fspath(folder)}/", "").splitlines()))


@pytest.mark.parametrize(
    ("fragment", "messages"), [case[1:] for case in _cases()], ids=[case[0] for case in _cases()]
)
def test_a_broken_scenario_is_refused_in_exactly_these_words(
    tmp_path: Path, fragment: str, messages: str
) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(f"scenario: bad\nextends: {MINIMAL}\n{fragment}", encoding="utf-8")
    assert _problems(path, tmp_path) == "\n".join(sorted(messages.splitlines()))


def test_there_are_cases_and_each_is_its_own() -> None:
    cases = _cases()
    assert len(cases) >= 80
    assert len({case[1] for case in cases}) == len(cases)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "a.yaml: found no such file"),
        (
            {"b.yaml": "scenario: b\n"},
            "a.yaml: found no such file. Did you mean 'b.yaml'?",
        ),
        (
            {"a.yaml": "extends: b.yaml\n", "b.yaml": "extends: a.yaml\n"},
            "b.yaml:1 extends: a.yaml: found a cycle: a.yaml -> b.yaml -> a.yaml; allowed: a chain "
            "that ends",
        ),
        (
            {"a.yaml": "extends: b.yaml\nscenario: a\n"},
            "a.yaml:1 extends: b.yaml: found no such file. Did you mean 'a.yaml'?",
        ),
        (
            {"a.yaml": "#" * 10_000_000},
            "a.yaml: found 10,000,000 bytes; allowed: 1,048,576 (1 MiB)",
        ),
        (
            {"a.yaml": "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n"},
            "a.yaml:1 a: found the anchor '&a'; allowed: values without anchors\n"
            "a.yaml:2 b: found the anchor '&b'; allowed: values without anchors\n"
            "a.yaml:2 b.0: found the alias '*a'; allowed: values written out\n"
            "a.yaml:2 b.1: found the alias '*a'; allowed: values written out\n"
            "a.yaml:3 c: found the anchor '&c'; allowed: values without anchors\n"
            "a.yaml:3 c.0: found the alias '*b'; allowed: values written out\n"
            "a.yaml:3 c.1: found the alias '*b'; allowed: values written out",
        ),
        ({"a.yaml": ""}, "a.yaml:1: found nothing; allowed: a mapping of fields"),
        (
            {"a.yaml": "scenario: [a\n"},
            "a.yaml:2: found text that is not YAML (while parsing a flow sequence, did not find "
            "expected ',' or ']')",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    tmp_path: Path, files: dict[str, str], message: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert _problems(tmp_path / "a.yaml", tmp_path) == "\n".join(sorted(message.splitlines()))
