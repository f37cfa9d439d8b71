"""Every institution a rail names is one institution: a group of alike banks has no account."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from sim.errors import ScenarioError
from sim.scenario.scenario import load_scenario
from tests.theory.driver import ROOT

EVERY_FIELD = ROOT / "sim" / "study" / "fuzz" / "everything.yaml"


def _named() -> list[tuple[str, str, str]]:
    rails = load_scenario(EVERY_FIELD).scenario.rails
    return [
        (rail, field, institution)
        for rail, settings in rails.items()
        for field, institution in settings.named_institutions()
    ]


@pytest.mark.parametrize(("rail", "field", "institution"), _named(), ids=str)
def test_a_group_in_the_place_of_one_is_refused(
    rail: str, field: str, institution: str, tmp_path: Path
) -> None:
    changed = tmp_path / "changed.yaml"
    group = {"institutions": {institution: {"members": 2}}}
    text = {"scenario": "changed", "extends": str(EVERY_FIELD), **group}
    changed.write_text(yaml.safe_dump(text), encoding="utf-8")
    with pytest.raises(ScenarioError) as refused:
        load_scenario(changed)
    said = [str(problem) for problem in refused.value.problems]
    place = f"rails.{rail}.{field}"
    assert any(place in one and "stands for 2 institutions" in one for one in said), said
