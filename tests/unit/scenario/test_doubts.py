"""What is allowed and most likely not meant is told: rates turned over, triangles, short counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.scenario.doubts import find_doubts
from sim.scenario.scenario import load_scenario
from tests.theory.driver import MINIMAL, SCENARIOS, load_text
from tests.unit.cli.queue import payroute


def doubts(folder: Path, mid: str) -> list[tuple[str, str]]:
    text = f"scenario: case\nextends: MINIMAL\nfx: {{mid: {{{mid}}}}}\n"
    found = find_doubts(load_text(folder, text).scenario)
    return [(".".join(map(str, path)), message) for path, message in found]


@pytest.mark.parametrize("path", [MINIMAL, SCENARIOS / "china-two-way.yaml"])
def test_the_rates_we_ship_are_not_doubted(path: Path) -> None:
    assert find_doubts(load_scenario(path).scenario) == ()


def test_a_rate_turned_over_is_told_with_what_was_meant(tmp_path: Path) -> None:
    # A baht is 1 / 32.8619 = 0.0304304 dollars; 32.1 is a dollar in baht.
    assert doubts(tmp_path, "THB/USD: {rate: 32.1}") == [
        (
            "fx.mid.THB/USD",
            "found 32.1 USD for one THB; expected about 0.0304304, within a factor of 3 "
            "(fx.mid_2025_average.THB). Did you mean USD/THB?",
        )
    ]


def test_a_rate_of_another_magnitude_is_told_also_between_two_others(tmp_path: Path) -> None:
    # 26 200 dong and 32.8619 baht to a dollar: 797.276 dong to a baht. Ten times that is told, and
    # three times less than three is not: 797.276 x 2.9 = 2312.1.
    ((path, message),) = doubts(tmp_path, "THB/VND: {rate: 7970}")
    assert path == "fx.mid.THB/VND"
    assert message == (
        "found 7970 VND for one THB; expected about 797.276, within a factor of 3 "
        "(fx.mid_2025_average.THB, fx.mid.VND)"
    )
    assert doubts(tmp_path, "THB/VND: {rate: 2312}") == []


def test_a_triangle_that_does_not_close_is_told_at_its_last_pair(tmp_path: Path) -> None:
    # 4000 / 7.1875 = 556.522 riel to a yuan. 562 is 0.98 % off, 563 1.16 %.
    assert doubts(tmp_path, "CNY/KHR: {rate: 562}") == []
    assert doubts(tmp_path, "CNY/KHR: {rate: 563}") == [
        (
            "fx.mid.CNY/KHR",
            "found 563; through USD it is 556.522, +1.2% apart; expected within 1%",
        )
    ]


def test_a_count_that_ends_a_stream_early_is_told(tmp_path: Path) -> None:
    def counted(count: int) -> list[str]:
        stream = f"{{payments: null, rate: 2 /s, count: {count}}}"
        text = f"scenario: case\nextends: MINIMAL\ndemand: {{domestic: {stream}}}\n"
        found = find_doubts(load_text(tmp_path, text).scenario)
        return [f"{'.'.join(map(str, path))}: {message}" for path, message in found]

    # Two a second for a minute are 120; 30 of them are there after 15 s.
    assert counted(120) == []
    assert counted(30) == [
        "demand.domestic.count: found 30; at this rate the stream ends after about 15 s of 1 min, "
        "about 120 payments. Whatever the load, no more will come"
    ]


def test_validate_and_explain_warn_and_go_on(tmp_path: Path) -> None:
    path = tmp_path / "case.yaml"
    path.write_text(
        f"scenario: case\nextends: {MINIMAL}\nfx: {{mid: {{THB/USD: {{rate: 32.1}}}}}}\n"
    )
    done = payroute("validate", path)
    assert done.exit_code == 0
    told = " ".join(done.stdout.split())
    assert "case.yaml:3 fx.mid.THB/USD: found 32.1 USD for one THB" in told
    told = " ".join(payroute("explain", path).stdout.split())
    assert "warning: fx.mid.THB/USD: found 32.1 USD for one THB" in told
