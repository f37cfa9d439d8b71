"""Estimates move over their ranges: shares within 0 to 100 %, counts in whole numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.errors import UserError
from sim.model.evidence import Evidence
from sim.model.magnitude import Form, moved_share
from sim.scenario.scenario import load_scenario
from sim.scenario.tree import Tree
from sim.study.sensitivity.assumptions import Assumption, find_assumptions
from sim.study.sensitivity.range import Span, default_span, overrides, parse_span
from sim.study.sensitivity.scale import scale

ROOT = Path(__file__).parents[4]
MAIN = ROOT / "scenarios" / "china-two-way.yaml"
MIX = (("alipay", 450_000_000), ("unionpay", 150_000_000), ("wechat_pay", 400_000_000))


def _assumption(tree: Tree, form: Form, mix: tuple[tuple[str, int], ...] = ()) -> Assumption:
    name = "a.alipay" if mix else "a.b"
    return Assumption(name, (name,), "guess", tree, form, mix)


@pytest.mark.parametrize(
    ("tree", "form", "factor", "expected"),
    [
        ("0.8 s", Form.NUMBER, 2.0, "1.6 s"),
        ("350 ms", Form.NUMBER, 0.3333333, "116.667 ms"),
        ("7 us", Form.NUMBER, 0.5, "4 us"),
        ("2500 /s", Form.NUMBER, 0.5, "1250 /s"),
        ("4084", Form.NUMBER, 1.0001, "4084.4084"),
        ("1500", Form.WHOLE, 0.5, "750"),
        ("7", Form.WHOLE, 0.5, "4"),
        ("7", Form.WHOLE, 0.01, "1"),
        ("0", Form.WHOLE, 2.0, "0"),
        ("3 business days", Form.WHOLE, 2.0, "6 business days"),
        ("1 500 000", Form.AMOUNT, 1.23456789, "1851852"),
        ("12.34", Form.AMOUNT, 0.5, "6.17"),
        ("1 500 000 KHR", Form.DISTRIBUTION, 2.0, "3000000 KHR"),
        ("12.34 USD", Form.DISTRIBUTION, 0.5, "6.17 USD"),
        ("3 %", Form.SHARE, 2.0, "6 %"),
        ("80 %", Form.SHARE, 2.0, "90 %"),
        ("70 %", Form.SHARE, 2.0, "85 %"),
        ("40 %", Form.SHARE, 2.0, "68.75 %"),
        ("25 bps", Form.FEE, 2.0, "50 bps"),
        ("0.6 %", Form.FEE, 1.23456789, "0.7407 %"),
        (
            {"lognormal": {"median": "0.15 s", "sigma": "0.5"}},
            Form.DISTRIBUTION,
            2.0,
            {"lognormal": {"median": "0.3 s", "sigma": "0.5"}},
        ),
        (
            {"hyperexponential": {"p": "0.3", "mean_1": "1 s", "mean_2": "4 s"}},
            Form.DISTRIBUTION,
            0.5,
            {"hyperexponential": {"p": "0.3", "mean_1": "0.5 s", "mean_2": "2 s"}},
        ),
        (
            {"empirical": [["1 s", "0 %"], ["2 s", "100 %"]]},
            Form.DISTRIBUTION,
            2.0,
            {"empirical": [["2 s", "0 %"], ["4 s", "100 %"]]},
        ),
        ({"KHR": "4000", "USD": "1"}, Form.AMOUNT, 2.0, {"KHR": "8000", "USD": "2"}),
        (["1", "4"], Form.WEIGHTS, 2.0, ["400", "6400"]),
        ("USD", Form.WORD, 2.0, None),
        ("2026-12-31", Form.WORD, 2.0, None),
        ("0.8 s", Form.LISTED, 2.0, None),
    ],
)
def test_quantities_are_multiplied_and_other_values_are_not(
    tree: Tree, form: Form, factor: float, expected: Tree | None
) -> None:
    assert scale(tree, factor, form) == expected


def test_weights_become_flatter_or_steeper_and_no_larger() -> None:
    flat = scale(["1", "4", "0"], 0.5, Form.WEIGHTS)
    assert isinstance(flat, list)
    first, second, third = (int(str(weight)) for weight in flat)
    assert second / first == pytest.approx(2, rel=1e-3)
    assert third == 0


@pytest.mark.parametrize("share", [0.001, 0.03, 0.45, 0.5, 0.7, 0.999])
def test_shares_stay_between_none_and_all_and_come_back(share: float) -> None:
    for factor in (0.01, 0.5, 1.0, 2.0, 100.0):
        there = moved_share(share, factor)
        assert 0 < there < 1
        assert (there - share) * (factor - 1) >= 0
        assert moved_share(there, 1 / factor) == pytest.approx(share)
    assert moved_share(share, 1.0) == pytest.approx(share)
    # Next to one half there is no corner: the slope is the same on both sides.
    left, right = moved_share(0.25, 1.9999), moved_share(0.25, 2.0001)
    assert right - left == pytest.approx(0.25 * 0.0002, rel=1e-3)


def test_a_share_of_a_mix_takes_its_place_and_the_others_make_room() -> None:
    alipay = _assumption("45 %", Form.SHARE, MIX)
    span = default_span(alipay, (0.5, 2.0))
    assert isinstance(span, Span)
    low = dict(text.split("=") for text in overrides(span.ends(alipay)[:1]))
    shares = {key: float(value.removesuffix(" %")) for key, value in low.items()}
    assert shares["a.alipay"] == 22.5
    assert shares["a.wechat_pay"] / shares["a.unionpay"] == pytest.approx(40 / 15)
    assert sum(shares.values()) == pytest.approx(100, abs=1e-9)


def test_two_shares_of_one_mix_move_together_and_add_up() -> None:
    loaded = load_scenario(MAIN)
    codes = "corridors.kh_cn.foreign_codes.schemes."
    mixed = [a for a in find_assumptions(loaded) if a.mix and a.name.startswith(codes)]
    assert len(mixed) == 3
    spans = [default_span(assumption, (0.5, 2.0)) for assumption in mixed]
    moves = [
        span.at(assumption, place)
        for assumption, span, place in zip(mixed, spans, (0.1, 0.9, 0.4), strict=True)
        if isinstance(span, Span)
    ]
    # The scenario itself refuses shares that do not add up to 100 %.
    moved = load_scenario(MAIN, overrides(moves)).scenario
    codes = moved.corridors["kh_cn"].foreign_codes
    assert codes is not None
    assert sum(codes.schemes.values()) == 10**9


@pytest.mark.parametrize(
    ("tree", "form", "text", "words"),
    [
        ("0.8 s", Form.NUMBER, "0.5..3", ("0.4 s", "2.4 s")),
        ("0.8 s", Form.NUMBER, "0.5 s..5 s", ("0.5 s", "5 s")),
        ("0.8 s", Form.NUMBER, "500 ms..1 min", ("0.5 s", "60 s")),
        ("12 000 /day", Form.NUMBER, "250 /h..1 /s", ("6000 /day", "86 400 /day")),
        ("7", Form.WHOLE, "=4..=13", ("4", "13")),
        ("7", Form.WHOLE, "0.5..2", ("4", "14")),
        ("150 000", Form.AMOUNT, "=100 000..=300 000", ("100 000", "300 000")),
        ("3 %", Form.SHARE, "1 %..60 %", ("1 %", "60 %")),
        ("3 %", Form.SHARE, "100 bps..6 %", ("1 %", "6 %")),
        ("0 %", Form.SHARE, "0 %..1 %", ("0 %", "1 %")),
        ("3 %", Form.SHARE, "0 %..100 %", ("0 %", "100 %")),
        ({"KHR": "4000"}, Form.AMOUNT, "=2000..=9000", ("KHR 2000", "KHR 9000")),
        (
            {"lognormal": {"median": "0.15 s", "sigma": "0.5"}},
            Form.DISTRIBUTION,
            "50 ms..0.6 s",
            ("median 0.05 s", "median 0.6 s"),
        ),
        ("USD", Form.WORD, "USD..CNY", ("USD", "CNY")),
        ("2026-12-31", Form.WORD, "2025-01-01..2026-12-31", ("2025-01-01", "2026-12-31")),
    ],
)
def test_ranges_are_factors_or_values_with_their_units(
    tree: Tree, form: Form, text: str, words: tuple[str, str]
) -> None:
    assumption = _assumption(tree, form)
    ends = parse_span(assumption, text).ends(assumption)
    assert tuple(end.words() for end in ends) == words


def test_places_between_the_ends_are_spaced_by_logarithms_or_evenly_from_0() -> None:
    wait = _assumption("1 s", Form.NUMBER)
    assert parse_span(wait, "0.1 s..10 s").at(wait, 0.5).words() == "1 s"
    failure = _assumption("0 %", Form.SHARE)
    assert parse_span(failure, "0 %..1 %").at(failure, 0.5).words() == "0.5 %"
    word = _assumption("USD", Form.CHOICE)
    places = [parse_span(word, "USD..CNY").at(word, at).words() for at in (0.2, 0.49, 0.5, 1.0)]
    assert places == ["USD", "USD", "CNY", "CNY"]
    three = [Span(None, ("CNY", "KHR")).at(word, at).words() for at in (0.1, 0.5, 0.9)]
    assert three == ["USD", "CNY", "KHR"]


def test_a_currency_is_tried_in_the_others_of_the_scenario() -> None:
    found = {assumption.name: assumption for assumption in find_assumptions(load_scenario(MAIN))}
    settled = found["rails.wechat_pay.inbound.settlement_currency"]
    assert (settled.form, settled.choices) == (Form.CHOICE, ("CNY", "KHR"))
    span = default_span(settled, (0.5, 2.0))
    assert isinstance(span, Span)
    assert [move.words() for move in span.ends(settled)] == ["CNY", "KHR"]


@pytest.mark.parametrize(
    ("tree", "form", "text", "told"),
    [
        ("0.8 s", Form.NUMBER, "5 s..0.5 s", "allowed: rising values"),
        ("0.8 s", Form.NUMBER, "0.5 s..5 /s", "allowed: values like the estimate, 0.8 s"),
        ("0.8 s", Form.NUMBER, "2..0.5", "two factors above 0, rising"),
        ("0.8 s", Form.NUMBER, "0..2", "two factors above 0, rising"),
        ("0.8 s", Form.NUMBER, "0.5 s", "allowed: LOW..HIGH as factors"),
        ("0.8 s", Form.NUMBER, "..", "allowed: LOW..HIGH as factors"),
        ("0 %", Form.SHARE, "0.5..2", "no multiple of 0"),
        ("USD", Form.WORD, "0.5..2", "no quantity"),
        ({"KHR": "4000", "USD": "1"}, Form.WORD, "0.5..2", "no quantity"),
        ("0.8 s", Form.LISTED, "0.5..2", "a list is set as a whole"),
        (["1", "2"], Form.WEIGHTS, "1 %..2 %", "factors"),
    ],
)
def test_mistakes_in_a_range_are_told(tree: Tree, form: Form, text: str, told: str) -> None:
    with pytest.raises(UserError, match=told):
        parse_span(_assumption(tree, form), text)


@pytest.mark.parametrize(
    ("tree", "form", "told"),
    [
        ("0", Form.WHOLE, "0, and no multiple of 0"),
        ("0 %", Form.SHARE, "0, and no multiple of 0"),
        ("100 %", Form.SHARE, "all there is"),
        ("USD", Form.WORD, "no quantity"),
        ("1 s", Form.LISTED, "stands in a list"),
    ],
)
def test_what_cannot_be_moved_says_why(tree: Tree, form: Form, told: str) -> None:
    reason = default_span(_assumption(tree, form), (0.5, 2.0))
    assert isinstance(reason, str)
    assert told in reason


def test_counts_that_round_to_the_estimate_are_no_variant() -> None:
    one = _assumption("1", Form.WHOLE)
    assert [end.is_idle for end in Span((0.5, 2.0)).ends(one)] == [True, False]


@pytest.mark.parametrize("name", ["china-two-way.yaml", "bakong-saturation.yaml"])
def test_every_place_of_every_range_of_a_real_scenario_can_be_written(name: str) -> None:
    path = ROOT / "scenarios" / name
    found = find_assumptions(load_scenario(path), (Evidence.ESTIMATED, Evidence.ASSUMED))
    spans = [default_span(assumption, (0.5, 2.0)) for assumption in found]
    moves = [
        (assumption, span)
        for assumption, span in zip(found, spans, strict=True)
        # More members than one, and other currencies, are scenarios that others would not fit.
        if isinstance(span, Span)
        and assumption.form is not Form.CHOICE
        and not assumption.name.endswith(".members")
    ]
    assert len(moves) > 20
    for place in (0.0, 0.1234567, 1.0):
        # All at once: what one field does not read would stop the whole.
        load_scenario(path, overrides([span.at(one, place) for one, span in moves]))
