"""What folders hold comes back as it was, and what nothing is known of is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sim.errors import InvariantViolation
from sim.tables.breaks import Cell
from sim.tables.digest import ContentDigest, row_words
from sim.tables.durations import DurationFolder
from sim.tables.kept_state import Arrays, put_back, take_out
from sim.tables.log_rows import Visit
from sim.tables.parties import Drawn, Parties

VALUES = [
    pytest.param(None, id="nothing"),
    pytest.param(1 << 70, id="whole-number-of-any-size"),
    pytest.param(0.1, id="float"),
    pytest.param([1, [True, "a"], (2, (3,))], id="lists-and-tuples"),
    pytest.param({5: Visit(1, 2, 3, due_us=4, asks=True), -1: None}, id="visits"),
    pytest.param({Cell(1, 2, 3, 4, 5): [1, 2, 3, 4]}, id="cells"),
    pytest.param({"dict": {"tuple": 1}}, id="words-of-the-tree-as-keys"),
]


@pytest.mark.parametrize("value", VALUES)
def test_value_comes_back_as_it_was(value: object) -> None:
    arrays: Arrays = []
    tree = json.loads(json.dumps(take_out(value, arrays)))
    found = put_back(None, tree, arrays)
    assert found == value
    assert type(found) is type(value)


def test_arrays_come_back_with_their_types_beside_the_tree() -> None:
    value = [np.arange(6).reshape(2, 3), np.array([True, False]), np.array([0.5])]
    arrays: Arrays = []
    found = put_back(None, json.loads(json.dumps(take_out(value, arrays))), arrays)
    assert len(arrays) == 3
    for one, other in zip(value, found, strict=True):  # type: ignore[arg-type]
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def test_folders_go_on_where_others_stopped() -> None:
    values = np.random.default_rng(5).integers(0, 1 << 40, 900)
    for exact_max in (10_000, 100):
        whole, first, second = (DurationFolder(exact_max) for _ in range(3))
        group = values % 3
        whole.take(group, values)
        first.take(group[:400], values[:400])
        arrays: Arrays = []
        put_back(second, json.loads(json.dumps(take_out(first, arrays))), arrays)
        second.take(group[400:], values[400:])
        for chosen in ((0,), (0, 1, 2)):
            one, other = whole.of(chosen), second.of(chosen)
            np.testing.assert_array_equal(one.low, other.low)
            np.testing.assert_array_equal(one.count, other.count)


def test_what_two_share_they_go_on_sharing() -> None:
    shared, alike = np.arange(3), np.arange(3)
    arrays: Arrays = []
    tree = json.loads(json.dumps(take_out({"a": shared, "b": shared, "c": alike}, arrays)))
    assert len(arrays) == 2
    found = put_back({}, tree, arrays)
    found["a"][0] = 7
    assert [int(found[name][0]) for name in "abc"] == [7, 7, 0]


def test_numbers_of_numpy_are_numbers() -> None:
    assert take_out({"n": np.int64(5)}, []) == take_out({"n": 5}, [])


def test_sums_and_parties_under_way_go_on() -> None:
    digest, again = ContentDigest(), ContentDigest()
    rows = np.arange(40).reshape(10, 4)
    digest.take(row_words(rows))
    parties = Parties()
    parties._chunks = [Drawn(7, (np.array([1, 2]), np.array([3, 4]), np.array([5, 6])), 2)]
    arrays: Arrays = []
    trees = [json.loads(json.dumps(take_out(one, arrays))) for one in (digest, parties)]
    put_back(again, trees[0], arrays)
    assert again.text() == digest.text()
    there = put_back(Parties(), trees[1], arrays)
    assert [found.tolist() for found in there.take(np.array([8]))] == [[2], [4], [6]]


@pytest.mark.parametrize("value", [{1, 2}, object(), b"raw"], ids=["set", "object", "bytes"])
def test_what_nothing_is_known_of_is_refused(value: object) -> None:
    with pytest.raises(InvariantViolation, match="a checkpoint cannot hold"):
        take_out([value], [])
