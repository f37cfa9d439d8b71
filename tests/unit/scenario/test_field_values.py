"""Fields of scenarios by path, defaults filled in, compared by what they mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.scenario.field_values import FieldDifference, FieldValue, differing_fields, field_values
from sim.scenario.scenario import LoadedScenario, load_scenario
from tests.theory.driver import ROOT

EVERY = ROOT / "sim" / "study" / "fuzz" / "everything.yaml"


def _changed(folder: Path, text: str) -> LoadedScenario:
    path = folder / "changed.yaml"
    path.write_text(f"extends: minimal\n{text}", encoding="utf-8")
    return load_scenario(path)


def _differing(folder: Path, text: str) -> tuple[FieldDifference, ...]:
    return differing_fields(load_scenario("minimal"), _changed(folder, text))


def test_every_value_has_its_unit_and_defaults_are_told_from_what_is_written() -> None:
    found = field_values(load_scenario("minimal"))
    assert found["rails.bakong.gateway.hop_time"] == FieldValue("50 ms", True)
    assert found["clock.horizon"] == FieldValue("1 min", True)
    assert found["clock.warm_up"] == FieldValue("0 s", False)
    assert found["institutions.nbc.core.service_time"] == FieldValue(
        "{lognormal: {median: 250 ms, sigma: 0.6}}", False
    )
    assert found["fx.mid.USD/KHR.rate"].words == "4000"


def test_every_field_there_is_can_be_told() -> None:
    found = field_values(load_scenario(EVERY))
    assert len(found) > 900
    assert all(value.words for value in found.values())
    # Models, enumerations and numbers of Python never show through.
    told = " ".join(value.words for value in found.values())
    assert not any(word in told for word in ("Decimal(", "datetime", "<", "object at"))


@pytest.mark.parametrize(
    ("text", "path", "before", "after"),
    [
        ("seed: 2", "seed", ("1", True), ("2", True)),
        ("clock: {warm_up: 10 s}", "clock.warm_up", ("0 s", False), ("10 s", True)),
        ("rails: {bakong: {peers: 7}}", "rails.bakong.peers", ("4", True), ("7", True)),
        (
            "disruptions: {night: {outage: bakong, after: 10 s, for: 5 s}}",
            "disruptions.night",
            None,
            ("{outage: bakong, after: 10 s, for: 5 s}", True),
        ),
    ],
)
def test_a_field_that_differs_is_told_by_its_path(
    tmp_path: Path,
    text: str,
    path: str,
    before: tuple[str, bool] | None,
    after: tuple[str, bool],
) -> None:
    sides = [None if side is None else FieldValue(*side) for side in (before, after)]
    assert _differing(tmp_path, text) == (FieldDifference(path, sides[0], sides[1]),)


@pytest.mark.parametrize(
    "text",
    [
        "clock: {horizon: 60 s}",
        "clock: {horizon: 60 000 ms}",
        # Minimal leaves it at its default; to write the default down changes nothing.
        "clock: {warm_up: 0 s}",
    ],
)
def test_what_means_the_same_does_not_differ(tmp_path: Path, text: str) -> None:
    assert _differing(tmp_path, text) == ()


def test_rates_are_compared_by_what_they_mean(tmp_path: Path) -> None:
    demand = "demand: {{more: {{corridor: kh_kh, rate: {}, amount: 40 000 KHR}}}}"
    found = []
    for name, rate in (("day", "24 000 /day"), ("hour", "1000 /h"), ("else", "1001 /h")):
        (tmp_path / name).mkdir()
        found.append(_changed(tmp_path / name, demand.format(rate)))
    assert differing_fields(found[0], found[1]) == ()
    (other,) = differing_fields(found[0], found[2])
    assert other.path == "demand.more.rate"
    assert other.before == FieldValue("24000 /day", True)


def test_another_grade_of_evidence_is_another_claim(tmp_path: Path) -> None:
    text = "rails: {bakong: {peers: {value: 4, evidence: reported, source: bakong.peers}}}"
    (found,) = _differing(tmp_path, text)
    assert (found.path, found.after) == ("rails.bakong.peers", FieldValue("4", True, "reported"))


def test_what_only_one_has_is_one_entry_however_much_it_holds(tmp_path: Path) -> None:
    one = _changed(tmp_path, "disruptions: {night: {outage: bakong, after: 10 s, for: 5 s}}")
    (found,) = differing_fields(one, load_scenario("minimal"))
    assert (found.path, found.after) == ("disruptions.night", None)
