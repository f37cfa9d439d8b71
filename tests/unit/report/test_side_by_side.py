"""Runs side by side: what they are called, and their measures as figures, by hand."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sim.analysis.summary import Measure
from sim.report.blocks import Figure
from sim.report.documents.side_by_side import _figures, _names


@pytest.mark.parametrize(
    ("folders", "names"),
    [
        (("/a/one", "/a/two"), ["one", "two"]),
        # As many parts as it takes to differ.
        (("/a/one/run", "/a/two/run"), ["one/run", "two/run"]),
        (("/a/x/one/run", "/b/x/one/run"), ["a/x/one/run", "b/x/one/run"]),
        # A folder beside itself is numbered.
        (("/a/one/run", "/a/one/run"), ["one/run (1)", "one/run (2)"]),
    ],
)
def test_names_are_as_long_as_it_takes_to_differ(
    folders: tuple[str, ...], names: list[str]
) -> None:
    assert _names([Path(folder) for folder in folders]) == names


def _result(**measures: Measure) -> Any:
    return SimpleNamespace(summary=SimpleNamespace(measures=measures))


def test_shares_are_per_cent_with_their_ends() -> None:
    first = _result(
        success_rate=Measure(0.95, "share", 0.9, 0.99), end_to_end_p50=Measure(2.5, "s", 2.0, 3.0)
    )
    second = _result(success_rate=Measure(0.5, "share"), end_to_end_p50=Measure(None, "s"))
    figures = [one for one in _figures(["one", "two"], [first, second]) if isinstance(one, Figure)]
    # Of the second nobody knows the time, and one point is no comparison.
    [found] = [one for one in figures if one.name == "success-rate"]
    assert not any("p50" in one.name for one in figures)
    assert found.unit == "%"
    # Without an interval the point is its own ends.
    assert found.data.rows == (
        ("one", pytest.approx(95), pytest.approx(90), pytest.approx(99)),
        ("two", pytest.approx(50), pytest.approx(50), pytest.approx(50)),
    )
