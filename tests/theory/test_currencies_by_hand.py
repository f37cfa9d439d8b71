"""Currencies a scenario declares, worked out by hand in both engines; none leaks into the next.

The wallet of the minimal scenario pays in ``XTS``, the letters ISO 4217 keeps for tests. What it
has of decimal places, smallest steps and least amounts is the scenario's own to say.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sim.compiler.compile import Compiled, compile_scenario
from sim.contract.records import RecordColumn
from sim.errors import ScenarioError, UserError
from sim.explain.payment import tell_payment
from sim.explain.plan import explain_plan
from sim.model.magnitude import Form, Magnitude
from sim.report.documents.compare import compare_document
from sim.report.documents.report import report_document
from sim.report.documents.run import run_document
from sim.report.rendering import render
from sim.scenario.scenario import LoadedScenario, load_scenario
from sim.study.audit_folder import audit_folder
from sim.study.compare.arms import run_comparison, work_of_scenarios
from sim.study.pool import LocalPool
from sim.study.result import open_result
from sim.study.run import run_scenario
from sim.tables.digest import plan_hash
from sim.units import declared_currencies, using_currencies
from tests.theory.driver import run

# 41 300 riel stand on the code. In cents at mid: 4 130 000 / 4000 = 1032.5.
#
# Three decimal places, 0.385 XTS to the dollar: 0.385 x 1000 / 100 = 3.85 minor units to the cent.
#   at mid     1032.5 x 3.85      = 3975.125   -> half up 3 975
#   spread     3975.125 x 1.01    = 4014.87625 -> billed  4 015, 40 of it the gateway's
# None, 150.1 XTS to the dollar: 150.1 x 1 / 100 = 1.501 to the cent.
#   at mid     1032.5 x 1.501     = 1549.7825  -> half up 1 550
#   spread     1549.7825 x 1.01   = 1565.280325 -> billed 1 565, 15 of it the gateway's
# Three again, in steps of 0.050 XTS, which are 50 minor units.
#   at mid     3975.125 / 50      = 79.5025    -> half up 80 steps, 4 000
#   spread     4014.87625 / 50    = 80.297525  -> half up 80 steps, 4 000, nothing is the gateway's
FINE = ("{exponent: 3, name: Test dinar}", "0.385", 4_015, 40)
WHOLE = ("{exponent: 0}", "150.1", 1_565, 15)
COARSE = ("{exponent: 3, step: 0.05}", "0.385", 4_000, 0)
CASES = {"fine": FINE, "whole": WHOLE, "coarse": COARSE}

TEXT = """
scenario: declared
extends: minimal
currencies: {XTS: CURRENCY}
fx: {mid: {USD/XTS: {rate: RATE}}}
rails: {alipay_plus: {currency: XTS}}
corridors: {cn_kh: {from: {country: CN, currency: XTS}}}
"""


def _load(
    folder: Path, currency: str, rate: str, more: str = "", name: str = "declared"
) -> LoadedScenario:
    path = folder / f"{name}.yaml"
    path.write_text(TEXT.replace("CURRENCY", currency).replace("RATE", rate) + more)
    return load_scenario(path)


@pytest.mark.parametrize("engine", ["reference", "compiled"])
@pytest.mark.parametrize("case", list(CASES))
def test_a_conversion_rounds_to_what_is_declared(tmp_path: Path, case: str, engine: str) -> None:
    currency, rate, billed, margin = CASES[case]
    # The driver replays every log by the audit, which must find nothing.
    ran = run(_load(tmp_path, currency, rate), engine)
    [row] = [row for row in ran.records if row[RecordColumn.INSTRUCTED] == 4_130_000]
    assert row[RecordColumn.DEBITED] == billed
    assert row[RecordColumn.FX_MARGIN] == margin
    assert row[RecordColumn.CREDITED] == 4_097_100


def test_two_scenarios_of_one_process_keep_their_own(tmp_path: Path) -> None:
    compiled: dict[str, Compiled] = {}
    loaded = {
        name: _load(tmp_path, *CASES[name][:2], name=name) for name in ("fine", "whole", "coarse")
    }
    # Loaded one after the other, then compiled the other way round.
    for name in reversed(loaded):
        compiled[name] = compile_scenario(loaded[name])
        assert not declared_currencies()
    assert "1 XTS is the minor unit; steps of 1 XTS" in explain_plan(compiled["whole"])
    fine = explain_plan(compiled["fine"])
    assert "XTS, Test dinar: 0.001 XTS is the minor unit; steps of 0.001 XTS" in fine
    assert "0.001 XTS is the minor unit; steps of 0.050 XTS" in explain_plan(compiled["coarse"])
    exponents = {name: one.plan.names.exponents["XTS"] for name, one in compiled.items()}
    assert exponents == {"fine": 3, "whole": 0, "coarse": 3}
    # No plan is another's: the folders of their runs are not either.
    assert len({plan_hash(one.plan) for one in compiled.values()}) == 3
    with pytest.raises(ScenarioError, match="XTS"):
        load_scenario(Path("minimal"), ["corridors.cn_kh.from.currency=XTS"])


@pytest.mark.parametrize("name", ["fine", "whole"])
def test_tables_and_measures_say_the_decimal_places(tmp_path: Path, name: str) -> None:
    currency, rate, billed, _ = CASES[name]
    account = (
        "accounts: {wallet_xts: {owner: alipay_wallet, at: alipay_wallet, currency: XTS, "
        "balance: 12 345}}\n"
    )
    loaded = _load(tmp_path, currency, rate, account)
    result = run_scenario(loaded, out=tmp_path / "run", engine="reference", record="events")
    exponent = int(currency[currency.index(":") + 2])
    payments = pq.read_table(result.folder / "payments.parquet")
    [row] = [row for row in payments.to_pylist() if row["corridor"] == "cn_kh"]
    assert (row["debited_amount_minor"], row["debited_currency"]) == (billed, "XTS")
    told = payments.schema.field("debited_amount_minor").metadata
    assert json.loads(told[b"exponents"])["XTS"] == exponent
    rates = pq.read_table(result.folder / "rates.parquet").to_pylist()
    [pair] = [row for row in rates if row["pair"] == "USD/XTS"]
    assert (pair["base_exponent"], pair["quote_exponent"]) == (2, exponent)
    measure = result.summary.by["account"]["wallet_xts"]["liquidity_low_minor"]
    assert measure.value == 12_345 * 10**exponent
    assert measure.unit == f"minor XTS (10^-{exponent})"
    summary = json.loads((result.folder / "summary.json").read_text())
    assert summary["currencies"]["XTS"] == {"exponent": exponent}
    shown = render(run_document(open_result(result.folder)), "terminal")
    assert "12 345 XTS" in shown
    page = render(report_document(open_result(result.folder)), "html").replace("\u00a0", " ")
    assert "12 345 XTS" in page
    assert audit_folder(result.folder).ok


def test_a_payment_is_told_in_its_currency(tmp_path: Path) -> None:
    loaded = _load(tmp_path, *FINE[:2])
    result = run_scenario(loaded, out=tmp_path / "run", engine="reference", record="events")
    told = tell_payment(result.folder, 0)
    assert "4.015 XTS" in told
    # The gateway's spread: 4.015 less 3.975.
    assert "borne by the debtor            0.040 XTS" in told


def test_arms_are_compared_in_whole_units(tmp_path: Path) -> None:
    account = (
        "accounts: {wallet_xts: {owner: alipay_wallet, at: alipay_wallet, currency: XTS, "
        "balance: BALANCE}}\n"
    )
    for name, balance in (("poor", "1 000"), ("rich", "3 500.5")):
        _load(tmp_path, *FINE[:2], account.replace("BALANCE", balance), name=name)
    work = work_of_scenarios([tmp_path / "poor.yaml", tmp_path / "rich.yaml"])
    key = "account/wallet_xts/balance_end_minor"
    plan = replace(work.plan, replications=2, measures=(key,), baseline="poor")
    found = run_comparison(replace(work, plan=plan), LocalPool(1))
    [pair] = found.pairs
    assert pair.difference is not None
    # 3 500.5 - 1 000 in minor units, each a thousandth.
    assert pair.difference.interval.value == 2_500_500
    shown = render(compare_document(found, {}), "markdown")
    assert "+2500.5 ± 0 XTS" in shown
    assert "minor XTS" not in shown
    _load(tmp_path, *WHOLE[:2], name="whole")
    with pytest.raises(UserError, match="3 decimal places in poor and 0 in whole"):
        work_of_scenarios([tmp_path / "poor.yaml", tmp_path / "whole.yaml"])


def test_amounts_are_varied_in_steps_of_their_currency(tmp_path: Path) -> None:
    read = Magnitude.read("4.015 XTS")
    assert read is not None
    with using_currencies(_load(tmp_path, *FINE[:2]).declared):
        assert str(read.scaled(1.5, Form.NUMBER)) == "6.022 XTS"
    with using_currencies(_load(tmp_path, *COARSE[:2]).declared):
        # Steps above the minor unit: whole ones, as of riel.
        assert str(read.scaled(1.5, Form.NUMBER)) == "6 XTS"
    with using_currencies(()):
        assert declared_currencies() == {}


def test_a_table_with_other_decimal_places_is_found_by_the_audit(tmp_path: Path) -> None:
    loaded = _load(tmp_path, *FINE[:2])
    result = run_scenario(loaded, out=tmp_path / "run", engine="reference", record="events")
    path = result.folder / "rates.parquet"
    table = pq.read_table(path)
    at = table.schema.get_field_index("quote_exponent")
    wrong = table.column(at).to_pylist()
    wrong = [2 if one == 3 else one for one in wrong]
    pq.write_table(table.set_column(at, table.schema.field(at), [wrong]), path)
    report = audit_folder(result.folder)
    assert not report.ok
    assert {one.rule for one in report.violations} == {"market"}


@pytest.mark.parametrize(
    ("currencies", "place", "message"),
    [
        ("{KHR: {exponent: 0}}", "currencies.KHR", "found another KHR than is built in"),
        ("{KHR: {exponent: 2, step: 50}}", "currencies.KHR", "steps of 100 minor units"),
        ("{XTS: {exponent: 7}}", "currencies.XTS.exponent", "allowed: at most 6"),
        ("{XTS: {exponent: 1, step: 0.05}}", "currencies.XTS.step", "at most 1 decimal places"),
        ("{XTS: {exponent: 1, step: 0}}", "currencies.XTS.step", "an amount above 0"),
        ("{xts: {exponent: 1}}", "currencies.xts", "three capital letters"),
        ("{XTS: {}}", "currencies.XTS.exponent", "missing"),
    ],
)  # fmt: skip
def test_what_cannot_be_declared_is_refused(
    tmp_path: Path, currencies: str, place: str, message: str
) -> None:
    path = tmp_path / "one.yaml"
    path.write_text(f"scenario: one\nextends: minimal\ncurrencies: {currencies}\n")
    with pytest.raises(ScenarioError) as refused:
        load_scenario(path)
    [problem] = refused.value.problems
    assert problem.path == place
    assert message in problem.message


def test_what_is_built_in_just_so_or_used_by_nobody_is_told(tmp_path: Path) -> None:
    path = tmp_path / "one.yaml"
    section = "{KHR: {exponent: 2, step: 1}, XTS: {exponent: 3}}"
    path.write_text(f"scenario: one\nextends: minimal\ncurrencies: {section}\n")
    compiled = compile_scenario(load_scenario(path))
    notes = {".".join(map(str, place)): message for place, message in compiled.notes}
    assert notes["currencies.KHR"] == "changes nothing: it is built in, just so"
    assert notes["currencies.XTS"] == "changes nothing: no account, payment or rate is in it"
    # It is the same plan as without them.
    plain = compile_scenario(load_scenario(Path("minimal"), ["scenario=one"]))
    assert plan_hash(compiled.plan) == plan_hash(plain.plan)


def test_amounts_keep_to_the_least_and_the_step_of_their_currency(tmp_path: Path) -> None:
    more = (
        "demand: {inbound: {corridor: cn_kh, fixed_side: debtor, payments: [{at: 1 s, amount: "
        "AMOUNT}]}}\n"
    )
    currency = "{exponent: 3, step: 0.05, minimum: 2.5}"
    for amount, told in (
        ("2.45", "found '2.450 XTS'; allowed: at least 2.500 XTS"),
        ("2.56", "found '2.560 XTS'; allowed: whole steps of 0.050 XTS"),
        ("2.5555", "at most 3 decimal places in XTS"),
    ):
        with pytest.raises(ScenarioError, match=told.replace("'", ".").replace(".", "[.']")):
            compile_scenario(_load(tmp_path, currency, "0.385", more.replace("AMOUNT", amount)))
    compile_scenario(_load(tmp_path, currency, "0.385", more.replace("AMOUNT", "2.55")))


def test_codes_abroad_carry_a_number_only_iso_gives(tmp_path: Path) -> None:
    path = tmp_path / "abroad.yaml"
    path.write_text(
        "scenario: abroad\nextends: minimal\ncurrencies: {XTS: {exponent: 3}}\n"
        "fx: {mid: {USD/XTS: {rate: 0.385}}}\n"
        "corridors: {kh_cn: {to: {country: CN, currency: XTS}}}\n"
    )
    with pytest.raises(ScenarioError, match="foreign_codes: found codes in XTS"):
        load_scenario(path)
