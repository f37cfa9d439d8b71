"""The smallest and the largest value that hold: the search by hand, and the worked prefunding.

A payment a run lasts what it lasts; here whether a value holds is given outright where only the
search is looked at.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

import sim
from sim.cli import app
from sim.errors import OptionError, ScenarioError
from sim.report.documents.vary import vary_sentences
from sim.scenario.scenario import load_scenario
from sim.study.pool import LocalPool
from sim.study.slo import parse_slo
from sim.study.stress.field import VariedField, find_field
from sim.study.stress.search import Bracket
from sim.study.stress.values import combine_values, value_bracket
from sim.study.stress.varied import Varied, VaryPlan
from sim.study.stress.vary import (
    ValueTest,
    find_value,
    next_values,
)
from tests.support.tiny import write_tiny

ROOT = Path(__file__).resolve().parents[4]


def _plan(own: str, *, smallest: bool = True, tolerance: float = 0.0) -> VaryPlan:
    field = VariedField("a.b", Decimal(own), "", Decimal(1))
    slo = parse_slo("success>=99.9%")
    return VaryPlan(slo, field, 1, tolerance=tolerance, is_smallest=smallest)


def _search(own: str, needs: int, *, smallest: bool = True) -> tuple[list[int], tuple[int, int]]:
    """Return the values tried in order, and the bracket, where just one value is the limit."""
    plan, held, tried = _plan(own, smallest=smallest), dict[Decimal, bool](), list[int]()
    while wanted := next_values(held, (plan.field.own,), plan):
        for value in wanted:
            tried.append(int(value))
            held[value] = value >= needs if smallest else value <= needs
        held = dict(sorted(held.items()))
    low, high = value_bracket(held, is_smallest=smallest)
    return tried, (int(low or -1), int(high or -1))


def test_upward_it_doubles_and_bisects_to_the_step() -> None:
    # 10 and 20 fail, 40 holds; 30 fails, 35 fails, 37 holds, 36 fails.
    assert _search("10", 37) == ([10, 20, 40, 30, 35, 37, 36], (36, 37))


def test_downward_it_halves() -> None:
    # 100, 50 and 25 hold, 12 fails; 18 holds, 15 fails, 16 fails, 17 holds.
    assert _search("100", 17) == ([100, 50, 25, 12, 18, 15, 16, 17], (16, 17))


def test_the_largest_is_found_from_either_side() -> None:
    assert _search("10", 37, smallest=False)[1] == (37, 38)
    assert _search("100", 37, smallest=False)[1] == (37, 38)


def test_what_holds_with_nothing_has_no_lower_end() -> None:
    tried, (low, _) = _search("3", 0)
    assert (tried, low) == ([3, 1, 0], -1)
    assert combine_values((Bracket(0, None, 0.0),), is_smallest=True) == (0.0, 0.0, 0.0)


def test_a_tolerance_ends_it_earlier() -> None:
    plan = _plan("1000", tolerance=0.1)
    held = {Decimal(900): False, Decimal(1000): True}
    assert next_values(held, (Decimal(1000),), plan) == ()
    held = {Decimal(800): False, Decimal(1000): True}
    assert next_values(held, (Decimal(1000),), plan) == (Decimal(900),)


def test_what_fails_above_what_holds_is_believed() -> None:
    held = {Decimal(1): True, Decimal(2): False, Decimal(3): True}
    assert value_bracket(held, is_smallest=True) == (2, 3)
    assert value_bracket(held, is_smallest=False) == (1, 2)


def test_others_start_at_the_bracket_of_the_first() -> None:
    # It holds at both ends: down by the width of 4, then by 8.
    plan, start = _plan("100"), (Decimal(60), Decimal(64))
    assert next_values({}, start, plan) == start
    assert next_values(dict.fromkeys(start, True), start, plan) == (Decimal(56),)
    held = {Decimal(56): True, **dict.fromkeys(start, True)}
    assert next_values(held, start, plan) == (Decimal(48),)


def test_brackets_are_combined_by_students_t() -> None:
    # Lows 10, 12, 14 and highs 11, 13, 15: mean of middles 12.5; t of two degrees of freedom is
    # 4.3027, the standard error 2 / sqrt(3): 12 - 4.968 and 13 + 4.968.
    brackets = tuple(Bracket(at, 10.0 + 2 * at, 11.0 + 2 * at) for at in range(3))
    value, low, high = combine_values(brackets, is_smallest=True)
    assert value == pytest.approx(12.5)
    assert (low, high) == (pytest.approx(12 - 4.968, abs=1e-3), pytest.approx(13 + 4.968, abs=1e-3))
    unbounded = (*brackets, Bracket(3, 20.0, None))
    assert combine_values(unbounded, is_smallest=True) == (None, None, None)


HOURLY = [6, 3, 2, 2, 4, 12, 32, 56, 58, 52, 54, 70, 74, 52, 44, 46, 54, 72, 82, 78, 60, 44, 28, 15]
SCENARIO = """
scenario: peak
extends: {minimal}
clock: {{start: 2025-09-04T00:00:00+08:00, horizon: 6 d}}
routing: {{view_interval: 1 d}}
rails:
  alipay_plus:
    inbound:
      settlement_currency: KHR
      spread: 0 %
      fees: {{interchange: null, service: null}}
      settlement:
        calendars: [CN]
        clock: CN
        lag: {lag} business days
        paid_at: "10:00"
        interchange: 0 %
        scheme_fee: 0 %
    settlement_agents: {{river_bank: {{settled_to: river_khr_for_alipay}}}}
  bakong: {{opening_balance: {{KHR: 900 000 000}}}}
accounts:
  river_khr_for_alipay: {{balance: 60 000}}
demand:
  domestic: null
  outbound: null
  inbound: {{payments: [{payments}]}}
"""


def _scenario(folder: Path, lag: int) -> Path:
    """Write a week in which a tenth of a thousand payments a day comes evenly within each hour."""
    payments = ", ".join(
        f"{{at: {((day * 24 + hour) * 3600 + (at + 0.5) * 3600 / max(n, 1)):.3f} s, amount: 100, "
        "merchant: 1}"
        for day in range(6)
        for hour, n in enumerate(_tenth())
        for at in range(n)
    )
    path = folder / "peak.yaml"
    minimal = ROOT / "scenarios" / "minimal.yaml"
    text = SCENARIO.format(minimal=minimal, lag=lag, payments=payments)
    path.write_text(text, "utf-8")
    return path


def _tenth() -> list[int]:
    """Return whole payments of each hour, 100 a day, whose running sum is a tenth of the course."""
    sums = [round(sum(HOURLY[: hour + 1]) / 10) for hour in range(24)]
    return [after - before for before, after in zip([0, *sums], sums, strict=False)]


@pytest.mark.parametrize(("lag", "peak"), [(1, 3.227), (2, 4.227)])
def test_prefunding_of_an_ordinary_week(tmp_path: Path, lag: int, peak: float) -> None:
    # Figure 6 of the worked settlement figures: a unit is a day's payments, here 100 of 100 riel.
    # Thursday 4 to Tuesday 9 September 2025.
    # With T + 2 what comes on Friday, Saturday, Sunday and Monday waits until ten o'clock (China)
    # of Tuesday, by when 0.227 of Tuesday has come: 4.227 units, 42,270 riel, or 423 payments.
    loaded = load_scenario(_scenario(tmp_path, lag))
    field = find_field(loaded, "accounts.river_khr_for_alipay.balance", "100")
    assert (field.own, field.unit) == (60_000, "")
    plan = VaryPlan(parse_slo("success>=100%"), field, seed=1, replications=1, tolerance=0.0001)
    found = find_value(ValueTest(loaded, plan, LocalPool()))
    assert found.holds_in_all == pytest.approx(10_000 * peak, rel=0.05)
    # To the payment: two more or less are under way at ten o'clock.
    assert found.holds_in_all == pytest.approx(10_000 * peak, abs=200)
    assert found.low == found.holds_in_all - 100
    told = vary_sentences(found)
    assert told[0].startswith(
        "Smallest accounts.river_khr_for_alipay.balance that holds success_rate >= 1: "
    )
    assert told[-1] == "With the scenario's own, 60000, it holds in 1 of 1 run."


def test_the_answer_of_several_runs_says_where_all_hold() -> None:
    plan = _plan("50")
    brackets = (Bracket(0, 10.0, 11.0), Bracket(1, 12.0, 13.0))
    told = vary_sentences(Varied(plan, (), brackets, 11.5, 5.0, 18.0, 13.0))
    assert told == [
        "Smallest a.b that holds success_rate >= 0.999: 12 (5 to 18, 95 % interval over 5 "
        "replications).",
        "It holds in every one of 5 runs with 13.",
    ]


def test_a_field_without_a_number_is_refused(tmp_path: Path) -> None:
    loaded = load_scenario(ROOT / "scenarios" / "minimal.yaml")
    for path, said in (
        ("accounts.river_cny_at_unionpay.owner", "needed: a field that holds one number"),
        ("accounts.river_cny_at_unionpay", "more than one value"),
        ("accounts.river_cny_at_unionpay.overdraft", "writes no 'overdraft'"),
        ("accounts.river_cny.balance", "writes no 'river_cny'"),
    ):
        with pytest.raises(OptionError, match=said):
            find_field(loaded, path)
    found = find_field(loaded, "rails.alipay_plus.authorisation_time")
    assert (found.own, found.unit, found.step) == (Decimal("0.5"), "s", Decimal("0.1"))
    assert found.change(Decimal("1.50")) == "rails.alipay_plus.authorisation_time=1.5 s"


NO_HELP = """
scenario: no-help
extends: {minimal}
demand:
  inbound: null
  domestic: null
  outbound: {{payments: [{{at: 1 s, amount: 50}}, {{at: 2 s, amount: 50}}]}}
accounts: {{river_cny_at_unionpay: {{balance: 60}}}}
institutions: {{temple_bank: {{decline: 100 %}}}}
"""


def test_a_value_that_changes_nothing_is_given_up_with_the_reason(tmp_path: Path) -> None:
    # Every payer is refused by the own bank: no balance helps, and four that change nothing are
    # enough to see it.
    path = tmp_path / "scenario.yaml"
    path.write_text(NO_HELP.format(minimal=ROOT / "scenarios" / "minimal.yaml"), "utf-8")
    loaded = load_scenario(path)
    field = find_field(loaded, "accounts.river_cny_at_unionpay.balance")
    plan = VaryPlan(parse_slo("success>=99.9%"), field, seed=1, replications=1)
    found = find_value(ValueTest(loaded, plan, LocalPool()))
    assert [point.value for point in found.points] == [60, 120, 240, 480]
    assert found.verdict == "FAIL"
    assert vary_sentences(found) == [
        "No accounts.river_cny_at_unionpay.balance up to 480 holds success_rate >= 0.999 in every "
        "run. Most payments that fail do so with AG01."
    ]


def _command(path: Path, *words: str) -> tuple[int, str, str]:
    ran = CliRunner().invoke(app, ["stress", str(path), "--jobs", "1", *words])
    assert ran.exception is None or isinstance(ran.exception, SystemExit)
    return ran.exit_code, ran.stdout, ran.stderr


def test_the_command_answers_and_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # 50.00 and 30.00 are paid from 80.00 and not from 79.99.
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "scenario.yaml"
    text = NO_HELP.replace("institutions: {{temple_bank: {{decline: 100 %}}}}\n", "")
    text = text.replace("{{at: 2 s, amount: 50}}", "{{at: 2 s, amount: 30}}")
    path.write_text(text.format(minimal=ROOT / "scenarios" / "minimal.yaml"), "utf-8")
    field = "accounts.river_cny_at_unionpay.balance"
    wanted = ("--vary", field, "--slo", "success>=100%", "--replications", "2")
    code, out, _ = _command(path, *wanted, "--step", "0.01", "--tolerance", "0.01%", "--json")
    found = json.loads(out)
    assert (code, found["verdict"], found["holds_in_all"]) == (0, "PASS", 80)
    assert (found["find"], found["field"], found["own"]) == ("smallest", field, 60)
    code, _, err = _command(path, *wanted, "--load", "1x")
    assert (code, "--load: found beside --vary" in err) == (2, True)
    code, _, err = _command(path, "--find", "largest")
    assert (code, "--find: found without --vary" in err) == (2, True)
    code, _, err = _command(path, *wanted, "--find", "least")
    assert (code, "--find: found 'least'; allowed: smallest, largest" in err) == (2, True)


def test_python_answers_alike(tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text(NO_HELP.format(minimal=ROOT / "scenarios" / "minimal.yaml"), "utf-8")
    found = sim.find_value(path, "accounts.river_cny_at_unionpay.balance", replications=1)
    assert (found.verdict, found.why) == ("FAIL", "AG01")


def test_where_a_field_ends_the_search_ends_too(tmp_path: Path) -> None:
    # One till is the fewest a station may have, and with hardly a customer it is enough: halving
    # comes to 0, which is refused, and counts as what fails.
    found = sim.find_value(
        write_tiny(tmp_path),
        "rails.shop.stations.till.servers",
        "success>=95%",
        overrides={"demand.customers.rate": "0.2 /s"},
        replications=2,
    )
    assert (found.verdict, found.holds_in_all) == ("PASS", 1.0)
    assert [(one.low, one.high) for one in found.brackets] == [(0.0, 1.0)] * 2
    assert 0.0 not in [point.value for point in found.points]


def test_a_scenario_that_is_wrong_itself_is_still_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError):
        sim.find_value(
            write_tiny(tmp_path),
            "rails.shop.stations.till.servers",
            "success>=95%",
            overrides={"rails.shop.stations.till.servers": "0"},
            replications=2,
        )
