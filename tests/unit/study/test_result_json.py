"""A result is turned into JSON by what its data classes say, and no number in it is infinite."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

import pytest

from sim.analysis.comparison import Controlled
from sim.analysis.intervals import Interval
from sim.analysis.summary import Measure
from sim.study.result_json import as_json, object_as_json


class _Word(StrEnum):
    """A word of a result."""

    YES = "yes"


@dataclass(frozen=True, slots=True)
class _Inner:
    """A part of a result."""

    value: float
    word: _Word = _Word.YES


@dataclass(frozen=True, slots=True)
class _Outer:
    """A result whose keys are not the names of its fields."""

    JSON_KEYS: ClassVar = (
        "first=parts.0.value last=parts.-1.value all=parts.value none=nothing.value unit "
        "double=times:2 total whole=parts.0"
    )
    unit: ClassVar[str] = "s"

    parts: tuple[_Inner, ...]
    nothing: _Inner | None = None

    @property
    def total(self) -> float:
        """Return the sum."""
        return sum(part.value for part in self.parts)

    def times(self, factor: str) -> float:
        """Return a multiple of it."""
        return self.total * int(factor)


def test_keys_lead_to_fields_properties_methods_and_parts() -> None:
    assert object_as_json(_Outer((_Inner(1.0), _Inner(2.0)))) == {
        "first": 1.0,
        "last": 2.0,
        "all": [1.0, 2.0],
        "none": None,
        "unit": "s",
        "double": 6.0,
        "total": 3.0,
        "whole": {"value": 1.0, "word": "yes"},
    }


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_numbers_that_json_does_not_know_are_null(value: float) -> None:
    interval = Interval(1.0, value, value, value, 1)
    assert as_json([value, _Inner(value), Measure(value, "s"), Controlled(interval, 0, 1.0)]) == [
        None,
        {"value": None, "word": "yes"},
        {"value": None, "unit": "s", "low": None, "high": None},
        {"value": 1.0, "low": None, "high": None, "variance_ratio": 1.0},
    ]


def test_what_is_no_result_is_refused() -> None:
    with pytest.raises(TypeError, match="set: no data class"):
        as_json({1, 2})
