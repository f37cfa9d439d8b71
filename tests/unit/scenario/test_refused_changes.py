"""Change the scenario that has everything so that it cannot be, and read every word of why.

Takes ``tests/data/refused_changes.txt``: per case a name, what ``--set`` is given, and after
``---`` every line a user must read. Lists of what is known grow with the scenario and end in dots.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sim.compiler.compile import compile_scenario
from sim.errors import ScenarioError
from sim.scenario.scenario import load_scenario

ROOT = Path(__file__).resolve().parents[3]
EVERYTHING = ROOT / "sim" / "study" / "fuzz" / "everything.yaml"
CASES = ROOT / "tests" / "data" / "refused_changes.txt"
_PLACE = re.compile(r"^(--set |\S+everything\.yaml:\d+ )")


def _cases() -> list[tuple[str, list[str], list[str]]]:
    found = []
    for block in CASES.read_text(encoding="utf-8").split("=== ")[1:]:
        head, _, messages = block.partition("---\n")
        name, *changes = head.splitlines()
        found.append((name, changes, messages.splitlines()))
    return found


def _is_said(line: str, message: str) -> bool:
    start, dots, _ = message.partition("...")
    return line.startswith(start) if dots else line == message


@pytest.mark.parametrize(
    ("changes", "messages"), [case[1:] for case in _cases()], ids=[case[0] for case in _cases()]
)
def test_a_change_is_refused_in_exactly_these_words(
    changes: list[str], messages: list[str]
) -> None:
    with pytest.raises(ScenarioError) as caught:
        compile_scenario(load_scenario(EVERYTHING, changes), with_tables=False)
    told = [_PLACE.sub("", line) for line in str(caught.value).splitlines()]
    assert len(told) == len(messages), told
    assert all(map(_is_said, told, messages)), told


def test_each_case_is_its_own() -> None:
    cases = _cases()
    assert len(cases) >= 70
    assert len({tuple(changes) for _, changes, _ in cases}) == len(cases)
