"""Estimates multiplied: what is a size is, what says how it spreads stays, the rest cannot be."""

from __future__ import annotations

from typing import Any

import pytest

from sim.study.sensitivity.assumptions import Form
from sim.study.sensitivity.scale import scale, spoken


@pytest.mark.parametrize(
    ("tree", "form", "moved"),
    [
        ("2 s", Form.NUMBER, "4 s"),
        ("word", Form.NUMBER, None),
        ("word", Form.WORD, None),
        (["1 s", "2 s"], Form.NUMBER, None),
        # A mean is a size, a shape is not.
        (
            {"lognormal": {"mean": "2 s", "sigma": "1"}}, Form.DISTRIBUTION,
            {"lognormal": {"mean": "4 s", "sigma": "1"}},
        ),
        (
            {"empirical": [["1 s", "50 %"], ["3 s", "100 %"]]}, Form.DISTRIBUTION,
            {"empirical": [["2 s", "50 %"], ["6 s", "100 %"]]},
        ),
        ({"empirical": ["1 s"]}, Form.DISTRIBUTION, None),
        ({"empirical": [["soon", "50 %"]]}, Form.DISTRIBUTION, None),
        ({"nothing": {"mean": "2 s"}}, Form.DISTRIBUTION, None),
        ({"constant": "2 s"}, Form.DISTRIBUTION, None),
        # By currency all or none.
        ({"KHR": "5", "USD": "2"}, Form.NUMBER, {"KHR": "10", "USD": "4"}),
        ({"KHR": "5", "USD": "few"}, Form.NUMBER, None),
        # Squared around their mean of 2: 1, 2 and 3 become 0.5, 2 and 4.5.
        (["1", "2", "3"], Form.WEIGHTS, ["500", "2000", "4500"]),
        (["0", "0"], Form.WEIGHTS, None),
        ("1", Form.WEIGHTS, None),
    ],
)  # fmt: skip
def test_twice_an_estimate(tree: Any, form: Form, moved: Any) -> None:
    found = scale(tree, 2.0, form)
    if form is Form.WEIGHTS and found is not None:
        total = sum(map(int, found))
        assert [int(one) / total for one in found] == pytest.approx(
            [int(one) / sum(map(int, moved)) for one in moved]
        )
    else:
        assert found == moved


@pytest.mark.parametrize(
    ("tree", "form", "words"),
    [
        ("12000 KHR", Form.NUMBER, "12 000 KHR"),
        ("fast", Form.WORD, "fast"),
        (["1", "2", "3"], Form.WEIGHTS, "3 weights"),
        (["a", "b"], Form.LISTED, "[a, b]"),
        ({"lognormal": {"mean": "2 s", "sigma": "1"}}, Form.DISTRIBUTION, "mean 2 s"),
        ({"empirical": [["1 s", "100 %"]]}, Form.DISTRIBUTION, "empirical"),
        ({"KHR": "5", "USD": "2"}, Form.NUMBER, "KHR 5, USD 2"),
    ],
)
def test_estimates_are_told_by_their_size(tree: Any, form: Form, words: str) -> None:
    assert spoken(tree, form) == words
