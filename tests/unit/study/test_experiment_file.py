"""What an experiment's file cannot say, each mistake alone and at its own place."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from sim.study.experiment_file import Experiment, Factor, Select, Sweep

RANGE = {"low": 1, "high": 5}
LIST = {"values": ["1", "2"]}
ARMS = {"one": {}, "two": {}}


@pytest.mark.parametrize(
    ("model", "said", "told"),
    [
        (Factor, {"low": 5, "high": 5}, "found high not above low"),
        (Factor, {"values": []}, "found none; allowed: at least one"),
        (Factor, {"low": 5}, "allowed: values, or low and high"),
        (Factor, {**RANGE, **LIST}, "allowed: values, or low and high"),
        (Sweep, {"factors": {}}, "found none; allowed: at least one"),
        (Sweep, {"factors": {"a": LIST}, "points": 4}, "the design grid counts its own points"),
        (Sweep, {"factors": {"a": RANGE}}, "found a range; allowed in the design grid: values"),
        (Sweep, {"factors": {"a": RANGE}, "design": "sobol"}, "needed for the design sobol"),
        (
            Sweep,
            {"factors": {"a": LIST, "b": {"values": ["1"]}}, "design": "list"},
            "found lists of different lengths",
        ),
        (
            Select,
            {"measure": "success_rate", "indifference": "1", "probability": "1"},
            "found 1 or more; allowed: below 1",
        ),
        (
            Experiment,
            {"experiment": "e", "scenario": "s.yaml", "arms": {"one": {}}},
            "found 1; needed: two arms, or a sweep",
        ),
        (
            Experiment,
            {"experiment": "e", "scenario": "s.yaml", "arms": ARMS, "baseline": "ona"},
            "unknown arm 'ona'; known: one, two. Did you mean 'one'?",
        ),
    ],
)
def test_what_an_experiment_cannot_say(model: Any, said: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(said)
    assert told in str(caught.value)


@pytest.mark.parametrize("field", ["precision", "baseline", "same_mix", "select"])
def test_a_sweep_alone_compares_nothing(field: str) -> None:
    value: object = {
        "precision": "1 %", "baseline": "one", "same_mix": "true",
        "select": {"measure": "success_rate", "indifference": "1"},
    }[field]  # fmt: skip
    said = {"experiment": "e", "scenario": "s.yaml", "sweep": {"factors": {"a": LIST}}}
    Experiment.model_validate(said)
    with pytest.raises(ValidationError, match="allowed: with arms to compare"):
        Experiment.model_validate({**said, field: value})
