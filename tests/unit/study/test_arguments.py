"""Every public function refuses arguments of the wrong kind in the project's words."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

import sim
from sim.errors import MachineError, PayrouteError, UserError
from tests.theory.driver import MINIMAL, SCENARIOS

FUNCTIONS = {
    "run": MINIMAL,
    "compare": SCENARIOS / "experiments" / "block-settings.yaml",
    "sweep": SCENARIOS / "experiments" / "block-settings.yaml",
    "stress": MINIMAL,
}
WRONG: dict[str, tuple[Any, ...]] = {
    "Path": ({}, [], None, 5, 1.5, True, b"x", object(), "no/such/file.yaml", ""),
    "str": ({}, [], 5, True, b"x", object(), "nonsense"),
    "int": ({}, [], "5", 1.5, True, b"x", object(), -1, float("nan")),
    "float": ({}, [], "1x", True, object(), -1.0, float("nan"), float("inf"), 0),
    "bool": ({}, [], "yes", 1, 0, b"x", object()),
    "Mapping": ([], "a=1", 5, True, object(), {5: 1}, {"no.such.field": 1}),
    "Sequence": ("p99", 5, {}, True, object(), [5], ["nonsense"]),
}

KINDS = ("Mapping", "Sequence", "Path", "str", "int", "float", "bool")
"""In the order in which an annotation is looked through: a mapping is of texts, too."""


def _cases() -> list[tuple[str, str, Any]]:
    found = []
    for name in FUNCTIONS:
        parameters = inspect.signature(getattr(sim, name)).parameters
        for argument, parameter in parameters.items():
            kind = next(word for word in KINDS if word in str(parameter.annotation))
            # Where a new folder is wanted any text names one.
            texts = argument in ("out",)
            found += [
                (name, argument, value)
                for value in WRONG[kind]
                if not (texts and (isinstance(value, str) or value is None))
            ]
    return found


def _words(value: object) -> str:
    """Return a value in the same words in every process; an object's own name its address."""
    return "object" if type(value) is object else repr(value)


@pytest.mark.parametrize(("name", "argument", "value"), _cases(), ids=_words)
def test_a_wrong_argument_is_refused_in_our_words(
    name: str, argument: str, value: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    function, file = getattr(sim, name), FUNCTIONS[name]
    parameters = inspect.signature(function).parameters
    by_name = parameters[argument].kind is inspect.Parameter.KEYWORD_ONLY
    is_first = argument == next(iter(parameters))
    given = (value,) if is_first else (file,) if by_name else (file, value)
    with pytest.raises(PayrouteError) as found:
        function(*given, **({argument: value} if by_name else {}))
    # An address nobody answers at is the machine's word, everything else the user's mistake.
    is_address = argument == "cluster" and isinstance(value, str)
    assert isinstance(found.value, MachineError if is_address else UserError)
    assert str(found.value)


def test_a_load_in_words_and_a_scenario_as_a_mapping_say_what_is_allowed() -> None:
    with pytest.raises(UserError, match=r"^load: found '1x'; allowed: a number$"):
        sim.stress(MINIMAL, load="1x")  # type: ignore[arg-type]
    with pytest.raises(UserError, match=r"^path: found a mapping; allowed: a path or text$"):
        sim.run({"scenario": "minimal"})  # type: ignore[arg-type]
