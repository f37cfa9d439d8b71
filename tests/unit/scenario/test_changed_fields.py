"""Two resolved scenarios differ in fields, told as --set names them."""

from __future__ import annotations

import pytest

from sim.scenario.changed_fields import changed_fields


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("a: 1", "a: 1", []),
        ("a: 1.0", "a: 1.00", ["a 1.0 -> 1.00"]),
        ("d: {a: {rate: 2 /s}}", "d: {a: {rate: 3 /s}}", ["d.a.rate 2 /s -> 3 /s"]),
        ("a: {b: 1}", "a: {c: 1}", ["a.b 1 -> none", "a.c none -> 1"]),
        ("a: [x, y]", "a: [x, z, w]", ["a.1 y -> z", "a.2 none -> w"]),
        ("a: [1, 2, 3, 4, 5, 6, 7, 8]", "a: []", [f"a.{n} {n + 1} -> none" for n in range(6)]),
        ("a: [", "a: 1", []),
    ],
)
def test_fields_that_differ_are_told(before: str, after: str, told: list[str]) -> None:
    more = ["and 2 more fields"] if len(told) == 6 else []
    assert changed_fields(before, after) == told + more
