"""The plan in words, and the story of a payment."""

from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from sim.compiler.compile import compile_scenario
from sim.contract.layout import MICRO, RouteColumn
from sim.contract.records import REGISTER_COUNT, Register
from sim.explain.plan import explain_plan
from sim.explain.price import price_amount
from sim.money.pricing import price_payment
from sim.scenario.scenario import load_scenario
from tests.unit.cli.queue import payroute, run_queue, write_queue

SCENARIOS = Path(__file__).parents[3] / "scenarios"
SEED = 20250917


def plan_text(path, *changes, with_tables=False):
    return explain_plan(compile_scenario(load_scenario(path, changes), with_tables=with_tables))


@pytest.mark.parametrize("name", ["minimal", "china-two-way"])
def test_the_plan_in_words_is_what_was_read_last(golden, name):
    golden(f"explain-{name}.txt", plan_text(SCENARIOS / f"{name}.yaml"))


def test_the_command_prints_the_plan_and_every_run_keeps_it(tmp_path):
    path = write_queue(tmp_path)
    printed = payroute("explain", path).stdout
    assert printed == plan_text(path, with_tables=True)
    _, out = run_queue(tmp_path)
    assert (out / "plan.txt").read_text() == printed


def test_the_order_of_the_file_changes_no_word(tmp_path):
    text = (SCENARIOS / "minimal.yaml").read_text()
    head, *sections = text.split("\n\n")
    turned = tmp_path / "turned.yaml"
    turned.write_text("\n\n".join((head, *reversed(sections))))
    assert plan_text(turned) == plan_text(SCENARIOS / "minimal.yaml")


def test_no_word_depends_on_where_the_file_lies(tmp_path):
    copy = tmp_path / "elsewhere.yaml"
    copy.write_text((SCENARIOS / "minimal.yaml").read_text())
    text = plan_text(copy)
    assert str(tmp_path) not in text
    assert text == plan_text(SCENARIOS / "minimal.yaml")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("rails.shop.stations.counter.servers=7", "7 servers"),
        ("rails.shop.stations.counter.discipline=lifo", "lifo order"),
        ("rails.shop.stations.counter.rate_limit=30 /min", "at most 30 /min"),
        ("clock.warm_up=30 s", "first 30 s are not measured"),
        ("routing.failover=2", "may try 2 other routes"),
        ("demand.customers.count=5", "5 payments at most"),
        ("demand.customers.amount=250 KHR", "typical 250.00 KHR"),
        (
            "rails.shop.fees={tip: {component: tip, proportional: 2 %, minimum: 100 KHR}}",
            "fee.tip: 2 % of the debited amount, at least 100.00 KHR, borne by the debtor",
        ),
    ],
)
def test_every_setting_shows(tmp_path, change, words):
    path = write_queue(tmp_path)
    assert words not in plan_text(path)
    assert words in " ".join(plan_text(path, change).split())


def test_hypothetical_links_and_evidence_are_named():
    text = plan_text(SCENARIOS / "china-two-way.yaml")
    assert "wechat_pay outbound (live from 2026-12-31)" in text
    for grade in ("reported", "derived", "estimated", "assumed"):
        assert f"\n{grade} (" in text
    assert "[bakong.consensus.peers]" in text


FEES = """rails.van.fees={
  flat: {component: flat, fixed: 1.50 CNY},
  part: {component: part, proportional: 0.35 %, minimum: 2 CNY, maximum: 900 CNY},
  steps: {component: steps, tiered: [
    {up_to: 50 CNY, fixed: 1 CNY}, {up_to: 7 000 CNY, fixed: 2 CNY, proportional: 0.1 %},
    {proportional: 0.2 %}]},
  heavy: {component: heavy, surcharge: {above: 200 CNY, proportional: 3 %}, minimum: 7 CNY},
  shop: {component: shop, bearer: creditor, proportional: 0.6 %, maximum: 90 000 KHR}}
""".replace("\n", "")
"""One fee of every kind, with and without bounds."""
VAN = "rails.van={kind: generic, operator: river_bank, stages: [{name: drive, delay: 1 s}]}"
ONLY_VAN = ("corridors.cn_kh.rails=[van]", "corridors.kh_cn.rails=[bakong, unionpay]")


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("minimal", ()),
        ("china-two-way", ()),
        ("china-two-way", ("fx.rounding=each_step",)),
        ("minimal", (VAN, FEES, *ONLY_VAN)),
    ],
)
def test_prices_in_words_are_the_engines_prices(name, changes):
    """Two ways to compute a price agree, at many amounts and instants."""
    loaded = load_scenario(SCENARIOS / f"{name}.yaml", changes)
    compiled = compile_scenario(loaded, with_tables=False)
    plan = compiled.plan
    prices = {
        int(plan.route[number, RouteColumn.PRICING]): route.flow.price
        for number, route in enumerate(compiled.routes)
    }
    random = np.random.default_rng(SEED)
    registers = np.zeros(REGISTER_COUNT, dtype=np.int64)
    for row in range(len(plan.pricing)):
        for amount in (
            np.exp(random.uniform(np.log(100), np.log(10**9), size=40)).astype(int).tolist()
        ):
            now = int(random.integers(plan.horizon_us))
            price_payment(
                plan.pricing, plan.conversion, plan.rate, plan.pair_scale, plan.spread,
                plan.fee, plan.tier, plan.fx_step_us, row, amount, now, now, registers,
            )  # fmt: skip
            found = price_amount(plan, row, prices[row], amount, time_us=now)
            assert (
                found.debited, found.settlement, found.credited,
                found.payer_fee, found.fx_margin, found.merchant_fee,
                found.rounding * MICRO,
            ) == tuple(
                int(registers[register])
                for register in (
                    Register.DEBITED, Register.SETTLEMENT, Register.CREDITED,
                    Register.PAYER_FEE, Register.FX_MARGIN, Register.MERCHANT_FEE,
                    Register.FX_ROUNDING,
                )
            ), (row, amount, now, SEED)  # fmt: skip


def story(tmp_path, record, payment):
    out = tmp_path / f"run-{record}"
    done = payroute("run", SCENARIOS / "minimal.yaml", "--engine", "reference", "--record", record,
                    "--out", out)  # fmt: skip
    assert done.exit_code == 0
    return payroute("explain", out, "--payment", payment)


def test_a_story_says_why_and_how_much(tmp_path):
    told = " ".join(story(tmp_path, "payments", 0).stdout.split())
    for words in (
        "Payment 0 of inbound, corridor cn_kh: 41 300.00 KHR",
        "taken cn_kh/alipay_plus.river_bank 74.95 CNY 98.7 bps",
        "It took 5.3 s",
        "human 3 s",
        "fee interchange to alipay_wallet, borne by the creditor 247.00 KHR",
        "was not recorded; run again with --record stages",
    ):
        assert words in told


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ("stages", "cn_kh/alipay_plus.river_bank/bakong.hop"),
        ("events", "post cn_kh/alipay_plus.river_bank/bakong.block 41 300.00 KHR from "
                   "river_khr_for_alipay to temple_bank@bakong:KHR"),
    ],
)  # fmt: skip
def test_the_more_was_recorded_the_more_is_told(tmp_path, record, words):
    assert words in " ".join(story(tmp_path, record, 0).stdout.split())


def test_a_payment_that_failed_tells_its_reason(tmp_path):
    result, out = run_queue(tmp_path, "--set", "rails.shop.stations.counter.queue_limit=0",
                            "--record", "events")  # fmt: skip
    assert result.exit_code == 0
    from sim.tables.open_run import open_run

    rows = open_run(out).table("payments.parquet").to_pylist()
    refused = next(row["payment_id"] for row in rows if row["outcome"] == "rejected")
    told = payroute("explain", out, "--payment", refused).stdout
    assert "Outcome: rejected: MS03, no reason given by the agent" in told
    assert "No money moved for good." in told


def test_a_payment_that_is_not_there_is_a_users_mistake(tmp_path):
    result = story(tmp_path, "payments", 3)
    assert result.exit_code == 2
    assert "--payment: found 3; allowed in replication 0 of" in result.stderr
    assert ": 0 to 2" in result.stderr


def test_a_story_that_is_not_there_says_which_are(tmp_path):
    done, out = run_queue(tmp_path, "--replications", "2", "--jobs", "1")
    assert done.exit_code == 0
    last = int(
        pq.read_table(out / "payments.parquet").filter(pc.field("replication") == 1).num_rows
    )
    for words, told in (
        (("--payment", "0", "--replication", "7"), "--replication: found 7;"),
        (("--payment", "0", "--replication", "7"), "has 2 replications, allowed: 0 to 1"),
        (("--payment", "0", "--replication", "-1"), "--replication: found -1;"),
        (
            ("--payment", "99999", "--replication", "1"),
            f"in replication 1 of {out}: 0 to {last - 1}",
        ),
        (("--payment", "-1"), "--payment: found -1; allowed in replication 0"),
    ):
        asked = payroute("explain", out, *words)
        assert asked.exit_code == 2
        assert told in asked.stderr
