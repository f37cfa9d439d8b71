"""A kind of rail another package brings, worked out by hand, in both engines and audited."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.compiler.compile import compile_scenario
from sim.errors import MachineError, ScenarioError
from sim.explain.plan import explain_plan
from sim.rails.registry import forget_rail, rail_kinds
from sim.study.case import RunOptions
from sim.study.run import run_replication
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


def test_it_reaches_every_stage_without_a_line_of_ours(tmp_path: Path, engine: str) -> None:
    # Explain: who runs it, its route and program, its station, and what its defaults rest on.
    text = " ".join(explain_plan(compile_scenario(load_text(tmp_path, FERRY))).split())
    for words in (
        "rail river: operator boatmen",
        "Route across/river: river from debtor to creditor",
        "river.crossing",
        "river.boats: 1 server",
        "rails.river.crossing = 90 s, default [about as long as it looks]",
    ):
        assert words in text, words
    # What nobody uses of it is told.
    spare = "rails.spare={kind: ferry, operator: boatmen, currency: USD}"
    notes = compile_scenario(load_text(tmp_path, FERRY, (spare,))).notes
    assert (("rails", "spare"), "changes nothing: no route uses this rail") in notes
    # Its station is slowed like any other: crossings take twice as long, 1 + 0.2 + 180 + 0.2.
    slow = "disruptions={storm: {degradation: river, times: 2, after: 0 s, for: 10 min}}"
    assert run(load_text(tmp_path, FERRY, (slow,)), engine).record("rice")["settled_us"] == (
        181_400_000
    )
    # The name of the payee is asked for on it, 1.2 + 0.5 + 4 + 90 + 0.2.
    person = (
        "demand.rice.fixed_side=debtor",
        "demand.rice.name_check={time: 0.5 s, reads: 4 s, mismatch: 0 %, refuses: 0 %}",
        "demand.rice.payments=[{at: 1 s, amount: 40 000}]",
    )
    ran = run(load_text(tmp_path, FERRY, person), engine)
    assert ran.record("rice")["settled_us"] == 95_900_000
    assert ran.balances()["customers:west_bank:KHR"] == 4_000_000
    # Measures tell it apart.
    summary = run_replication(ran.compiled, RunOptions(engine, "none")).summary
    assert summary.by["rail"]["river"]["completed"].value == 1


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
