"""Check how mid rates and fees become integer rows: orientation, scale, crosses, walks, bounds."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from sim.compiler.compile import compile_scenario
from sim.contract.layout import RATE_MAX, ConversionColumn, FeeColumn, PricingColumn
from sim.contract.meaning import Bearer
from sim.contract.records import Register
from sim.errors import ScenarioError
from sim.scenario.scenario import load_scenario
from tests.theory.driver import MINIMAL, load_text


def test_pairs_are_kept_with_nine_digits_in_the_coarser_orientation() -> None:
    plan = compile_scenario(load_scenario(MINIMAL)).plan
    found = {
        name: Fraction(int(plan.rate[at, 0]), int(plan.pair_scale[at]))
        for at, name in enumerate(plan.names.pairs)
    }
    assert found == {
        "USD/KHR": 4000,
        "USD/CNY": Fraction(71875, 10_000),
        # 4000 / 7.1875 = 556.52173913...
        "CNY/KHR": Fraction(556_521_739, 10**6),
    }
    assert int(plan.rate.max()) < RATE_MAX


def test_a_conversion_knows_which_side_of_the_pair_it_buys() -> None:
    plan = compile_scenario(load_scenario(MINIMAL)).plan
    rows = plan.conversion[
        plan.pricing[1, [PricingColumn.CONVERSION_1, PricingColumn.CONVERSION_2]]
    ]
    names = plan.names.pairs
    # Yuan buy dollars: the source is the quote. Dollars buy riel: the source is the base.
    assert [names[row[ConversionColumn.PAIR]] for row in rows] == ["USD/CNY", "USD/KHR"]
    assert rows[:, ConversionColumn.INVERTED].tolist() == [0, 1]
    # The agent's own 0.12 % is its cost and in no price of the payer.
    assert rows[:, ConversionColumn.SPREAD_PPM].tolist() == [10_000, 0]


def test_fees_carry_their_base_granule_and_recipient() -> None:
    plan = compile_scenario(load_scenario(MINIMAL)).plan
    parts = [plan.names.components[row] for row in plan.fee[:, FeeColumn.COMPONENT]]
    assert parts == ["interchange", "service", "own_conversion"]
    assert plan.fee[:, FeeColumn.PPM].tolist() == [6_000, 2_000, 1_200]
    # Whole riel; whole cents of the settlement currency.
    assert plan.fee[:, FeeColumn.GRANULE].tolist() == [100, 100, 1]
    bearers = [Bearer.CREDITOR, Bearer.CREDITOR, Bearer.AGENT]
    assert plan.fee[:, FeeColumn.BEARER].tolist() == bearers
    assert plan.fee[2, FeeColumn.BASE] == Register.SETTLEMENT
    recipients = [plan.names.recipients[row] for row in plan.fee[:, FeeColumn.RECIPIENT]]
    # Without a recipient of its own a fee is the operator's.
    assert recipients == ["alipay_wallet", "alipay_operator", "river_bank"]


WALK = """
scenario: walk
extends: MINIMAL
clock: {horizon: 10 d}
fx: {step: 10 min, mid: {USD/KHR: {daily_volatility: 1 %}}}
"""


def test_a_walk_has_the_volatility_it_was_given(tmp_path: Path) -> None:
    steps = []
    for seed in range(8):
        plan = compile_scenario(load_text(tmp_path, WALK), seed=seed).plan
        path = plan.rate[plan.names.pairs.index("USD/KHR")].astype(np.float64)
        assert path[0] == 4000 * 10**5
        assert len(path) == 10 * 144
        steps.append(np.diff(np.log(path)))
    found = np.concatenate(steps)
    expected = 0.01 / np.sqrt(144)
    error = expected / np.sqrt(2 * len(found))
    assert abs(found.std() - expected) <= 4 * error
    assert abs(found.mean()) <= 4 * expected / np.sqrt(len(found))
    assert abs(found.std() - 1.1 * expected) > 4 * error


def test_a_path_depends_on_its_pair_seed_and_replication_only(tmp_path: Path) -> None:
    def path(text: str, seed: int = 1, replication: int = 0) -> list[int]:
        loaded = load_text(tmp_path, text)
        plan = compile_scenario(loaded, seed=seed, replication=replication).plan
        found: list[int] = plan.rate[plan.names.pairs.index("USD/KHR")].tolist()
        return found

    base = path(WALK)
    more = WALK.replace("fx: {", "demand: {outbound: null}\nfx: {").replace(
        "mid: {", "mid: {USD/EUR: {rate: 0.9, daily_volatility: 2 %}, "
    )
    assert path(more) == base
    assert path(WALK, seed=2) != base
    assert path(WALK, replication=1) != base


@pytest.mark.parametrize(
    ("amount", "is_refused"), [("1 000 000 000", False), ("9 000 000 000 000", True)]
)
def test_amounts_are_proved_to_fit(tmp_path: Path, amount: str, is_refused: bool) -> None:
    payments = f"[{{at: 1 s, amount: {amount}}}]"
    text = f"scenario: a\nextends: MINIMAL\ndemand: {{outbound: {{payments: {payments}}}}}\n"
    loaded = load_text(tmp_path, text)
    if is_refused:
        with pytest.raises(ScenarioError, match="overflow"):
            compile_scenario(loaded)
    else:
        compile_scenario(loaded)
