"""A kind of rail another package brings, worked out by hand, in both engines and audited."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.errors import MachineError, ScenarioError
from sim.rails.registry import forget_rail, rail_kinds
from tests.theory.driver import ROOT, load_text, run

PACKAGE = ROOT / "tests" / "data" / "rail_package"
FERRY = """
scenario: river
clock: {start: 2025-09-17T08:00:00+07:00, horizon: 10 min}
rails:
  river:
    kind: ferry
    operator: boatmen
    currency: KHR
    fees: {fare: {component: fare, fixed: 2 000 KHR}}
institutions:
  boatmen: {country: KH, roles: [operator]}
  east_bank:
    country: KH
    roles: [issuer, acquirer]
    payer_share: 1
    core: {servers: 2, service_time: 0.2 s}
    decline: 0 %
  west_bank:
    country: KH
    roles: [issuer, acquirer]
    merchant_share: 1
    core: {servers: 2, service_time: 0.2 s}
    decline: 0 %
corridors:
  across: {from: {country: KH, currency: KHR}, to: {country: KH, currency: KHR}}
demand:
  rice: {corridor: across, payments: [{at: 1 s, amount: 40 000}, {at: 31 s, amount: 50 000}]}
"""


@pytest.fixture(autouse=True)
def package(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(PACKAGE))
    before = rail_kinds()
    yield
    for _ in set(rail_kinds()) - set(before):
        forget_rail("ferry")


def test_money_crosses_the_river(tmp_path: Path, engine: str) -> None:
    assert "FerryRail" not in {kind.__name__ for kind in rail_kinds()}
    ran = run(load_text(tmp_path, FERRY), engine)
    first, second = ran.record("rice"), ran.record("rice.1")
    # The payer's bank takes 0.2 s, the only boat 90 s, the payee's bank 0.2 s: 1 + 90.4 = 91.4. The
    # second is at the river at 31.2 s and waits for the boat until 91.2: 91.2 + 90 + 0.2 = 181.4.
    assert (first["settled_us"], second["settled_us"]) == (91_400_000, 181_400_000)
    assert (first["debited"], first["credited"], first["payer_fee"]) == (
        4_000_000, 4_000_000, 200_000,
    )  # fmt: skip
    balances = ran.balances()
    assert balances["fees:boatmen:KHR"] == 400_000
    assert balances["customers:west_bank:KHR"] == 9_000_000


def test_two_boats_do_not_wait(tmp_path: Path, engine: str) -> None:
    ran = run(load_text(tmp_path, FERRY, ("rails.river.boats=2",)), engine)
    first, second = ran.record("rice"), ran.record("rice.1")
    # A control: 31 + 90.4.
    assert (first["settled_us"], second["settled_us"]) == (91_400_000, 121_400_000)


def test_its_fields_are_checked_as_ours(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"rails\.river\.boats: found 'many'; allowed: "):
        load_text(tmp_path, FERRY, ("rails.river.boats=many",))


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("broken", r"payroute-ferry .* cannot be loaded \(AttributeError"),
        ("wrong", r"payroute-ferry .* names payroute_ferry:Settings, which is no sim\.rails"),
        ("other", r"names payroute_ferry:FerryRail, which is no .* Literal\['other'\]"),
    ],
)
def test_a_package_that_is_wrong_is_named(tmp_path: Path, kind: str, said: str) -> None:
    with pytest.raises(MachineError, match=said):
        load_text(tmp_path, FERRY.replace("kind: ferry", f"kind: {kind}"))


def test_no_package_changes_what_a_kind_of_ours_means(tmp_path: Path) -> None:
    # The package names an entry point `generic`, which is never loaded.
    loaded = load_text(tmp_path, "scenario: own\nextends: MINIMAL\n")
    assert "FerryRail" not in {type(rail).__name__ for rail in loaded.scenario.rails.values()}
    with pytest.raises(ScenarioError, match="unknown field 'currency'"):
        load_text(tmp_path, FERRY.replace("kind: ferry", "kind: generic"))
