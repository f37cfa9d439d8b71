"""Ways to choose routes that cannot be are refused, and what has no effect in them is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.compiler.compile import compile_scenario
from sim.errors import ScenarioError
from sim.scenario.scenario import load_scenario
from tests.theory.driver import MINIMAL


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("routing={policy: weighted}", "routing.second_is_worth: missing; needed with policy weig"),
        ("routing={policy: adaptive, explore: 5 %}", "routing.failure_takes: missing; needed"),
        ("routing={breaker: {of: 63}}", "routing.breaker.of: found 63; allowed: at most 62"),
        (
            "routing={breaker: {failures: 5, of: 4}}",
            "routing.breaker.failures: found 5 of 4; allowed: at most as many as it looks back on",
        ),
        ("corridors.cn_kh.routing={candidates: 33}", "found 33; allowed: at most 32"),
        (
            "corridors.cn_kh.routing={order: [unionpay]}",
            "routing.order.0: 'unionpay' is the start of",
        ),
    ],
)
def test_what_cannot_be_is_refused(override: str, message: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        compile_scenario(load_scenario(MINIMAL, (override,)))
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("override", "place", "why"),
    [
        ("routing={second_is_worth: 3 bps}", "routing.second_is_worth", "the policy is not weig"),
        ("routing={explore: 3 %}", "routing.explore", "the policy is not adaptive"),
        ("routing={news: sampled}", "routing.news", "nothing is learnt of attempts"),
        (
            "corridors.cn_kh.routing={view_interval: 3 s}",
            "corridors.cn_kh.routing.view_interval",
            "`routing.view_interval` holds everywhere",
        ),
        (
            "accounts.river_khr_for_alipay.reserve=5",
            "accounts.river_khr_for_alipay.reserve",
            "no routing has spare_reserves",
        ),
    ],
)
def test_what_has_no_effect_is_told(tmp_path: Path, override: str, place: str, why: str) -> None:
    del tmp_path
    notes = compile_scenario(load_scenario(MINIMAL, (override,))).notes
    told = {".".join(map(str, path)): message for path, message in notes}
    assert why in told[place]
