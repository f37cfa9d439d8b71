"""How measures are written for people."""

import pytest

from sim.analysis.summary import Measure
from sim.report.figure import figure
from sim.report.names import reason_words


@pytest.mark.parametrize(
    ("measure", "text"),
    [
        (Measure(None, "s"), "-"),
        (Measure(0.91234, "share"), "91.2 %"),
        (Measure(12_345, "payments"), "12 345"),
        (Measure(102.84, "bps"), "102.8 bps"),
        (Measure(0, "bps"), "0.0 bps"),
        (Measure(0.0125, "s"), "12.5 ms"),
        (Measure(0, "s"), "0 s"),
        (Measure(3.41234, "s"), "3.41 s"),
        (Measure(1200, "s"), "20 min"),
        (Measure(86_400 * 3, "s"), "3 d"),
        (Measure(33.812, "payments"), "33.8"),
        (Measure(2, "payments/s"), "2 /s"),
        (Measure(0.9, "share", 0.88, 0.92), "90 ± 2 %"),
        (Measure(0.99, "share", 0.95, 0.998), "95.0 to 99.8 %"),
        (Measure(0.0, "share", 0.0, 0.012), "0.0 to 1.2 %"),
        (Measure(0.2, "s", 0.05, 0.25), "50 ms to 0.25 s"),
        (Measure(1127.4, "payments", 1127.0, 1127.8), "1 127.4 ± 0.4"),
        (Measure(28.0, "s", 27.9, 28.1), "28.00 ± 0.10 s"),
        (Measure(0.2, "s", 0.15, 0.25), "0.20 ± 0.05 s"),
        (Measure(7_950, "s", 7_900, 8_000), "132.5 ± 0.8 min"),
        (Measure(264, "payments", 264, 264), "264 ± 0"),
        (Measure(2.5, "s", float("-inf"), float("inf")), "2.5 s"),
        (Measure(100.0, "bps", 90.0, 110.0), "100 ± 10 bps"),
    ],
)
def test_a_measure_is_short_and_has_its_unit(measure, text):
    assert figure(measure) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (12_345, "minor USD", "123.45 USD"),
        (123_456_789, "minor USD", "1 234 568 USD"),
        (-123_456_789, "minor KHR", "-1 234 568 KHR"),
        (50, "minor VND", "50 VND"),
        (None, "minor USD", "-"),
    ],
)
def test_amounts_lose_their_cents_when_they_are_large(value, unit, text):
    assert figure(Measure(value, unit)) == text


def test_reasons_have_words():
    assert reason_words("AG03") == "No route supports this payment"
    assert reason_words("MS03") == "No reason given by the agent"
    assert reason_words("XX99") == ""
