"""Numbers scale themselves in the unit they are written in; all units stand in one table."""

from __future__ import annotations

import pytest

from sim.model.magnitude import UNITS, Form, Magnitude
from sim.model.quantities import parse_duration_us, parse_event_rate, parse_share_ppb


@pytest.mark.parametrize(
    ("text", "unit", "there"),
    [
        ("90 s", "min", "1.5 min"),
        ("1 h", "ms", "3600000 ms"),
        ("24 /day", "/h", "1 /h"),
        ("1 %", "bps", "100 bps"),
        ("12.50 USD", "USD", "12.50 USD"),
        ("3 business days", "business day", "3 business day"),
    ],
)
def test_a_magnitude_is_the_same_in_another_unit(text: str, unit: str, there: str) -> None:
    written = Magnitude.read(text)
    assert written is not None
    assert str(written.in_unit(unit)) == there


@pytest.mark.parametrize(
    ("text", "unit"), [("1 s", "/s"), ("1 USD", "KHR"), ("5", "%"), ("1 d", "business days")]
)
def test_what_measures_something_else_is_in_no_other_unit(text: str, unit: str) -> None:
    written = Magnitude.read(text)
    assert written is not None
    assert written.in_unit(unit) is None


@pytest.mark.parametrize("text", ["", "s", "01 s", "1 00 s", "1.2.3", "-1 s", "1 s 2 s s"])
def test_what_is_no_number_is_none(text: str) -> None:
    assert Magnitude.read(text) is None


def test_fields_read_every_unit_of_the_table() -> None:
    readers = {"time": parse_duration_us, "rate": parse_event_rate, "share": parse_share_ppb}
    for name, unit in UNITS.items():
        if unit.of in readers:
            assert readers[unit.of](f"1 {name}")


@pytest.mark.parametrize(
    ("text", "form", "scaled"),
    [
        ("1 IDR", Form.NUMBER, "0.33 IDR"),
        ("10 KHR", Form.NUMBER, "3 KHR"),
        ("1 KHR", Form.NUMBER, "1 KHR"),
        ("1 min", Form.NUMBER, "0.333333 min"),
        ("0.5", Form.SHARE, "0.166666667"),
        ("30 bps", Form.FEE, "10 bps"),
    ],
)
def test_a_third_is_rounded_as_its_unit_is_written(text: str, form: Form, scaled: str) -> None:
    written = Magnitude.read(text)
    assert written is not None
    assert str(written.scaled(0.3333333333, form)) == scaled
