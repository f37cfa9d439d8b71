"""Change what must not matter: the order of the file, and what else is in it.

Takes the China scenario shortened, with its entries in other orders or with additions that share
no resource; the event log or the payments that were there before must not change.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from sim.compiler.compile import compile_scenario
from sim.contract.plan import Array
from sim.contract.records import LogColumn, WorkloadColumn
from sim.scenario.loader import dump_resolved, load_document
from sim.scenario.scenario import load_scenario
from tests.theory.driver import MINIMAL, SCENARIOS, load_text, run

CHINA = SCENARIOS / "china-two-way.yaml"
SHORT = (
    "clock.horizon=40 s",
    "clock.warm_up=0 s",
    "demand.domestic_khr.rate=5 /s",
    "demand.domestic_usd.rate=5 /s",
    "demand.cn_counter.rate=2 /s",
    "demand.kh_counter_in_china.rate=2 /s",
    "fx.step=5 s",
)


def _shuffled(node: Any, luck: random.Random) -> Any:
    """Return a tree with the entries of every mapping in another order; lists stay."""
    if isinstance(node, dict):
        keys = [*node]
        luck.shuffle(keys)
        return {key: _shuffled(node[key], luck) for key in keys}
    if isinstance(node, list):
        return [_shuffled(item, luck) for item in node]
    return node


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_the_file_changes_nothing(tmp_path: Path, seed: int, engine: str) -> None:
    text = dump_resolved(load_document(CHINA, SHORT))
    tree = yaml.load(text, Loader=yaml.BaseLoader)
    other = _shuffled(tree, random.Random(seed))
    assert [*other] != [*tree]
    shuffled = yaml.safe_dump(other, sort_keys=False, allow_unicode=True, width=10_000)
    first = run(load_text(tmp_path, text), engine)
    second = run(load_text(tmp_path, shuffled), engine)
    assert len(first.log) > 5_000
    assert first.plan.names == second.plan.names
    assert (first.log == second.log).all()
    assert (first.records == second.records).all()


ADDITIONS = {
    "a station": "rails: {aside: {kind: generic, stations: {desk: {}}, stages: "
    "[{name: a, serve: desk, time: 1 s}]}}\ncorridors: {cn_kh: {rails: [alipay_plus, bakong]}, "
    "kh_cn: {rails: [unionpay, bakong]}}\n",
    "a corridor and a stream": """
rails: {aside: {kind: generic, stages: [{name: a, delay: 1 s}]}}
corridors:
  cn_kh: {rails: [alipay_plus, bakong]}
  kh_cn: {rails: [unionpay, bakong]}
  aside: {from: {country: FR, currency: EUR}, to: {country: FR, currency: EUR}, rails: [aside]}
demand:
  another: {corridor: aside, rate: 3 /s}
""",
    "an institution and an account": """
institutions: {another: {country: KH, roles: [issuer]}}
accounts: {another: {owner: another, at: bakong, currency: KHR, balance: 5}}
""",
}
"""What is added shares nothing with the payments that were there."""

BASE = """
scenario: base
extends: MINIMAL
clock: {horizon: 5 min}
institutions:
  river_bank: {core: {service_time: {exponential: {mean: 0.2 s}}}}
  temple_bank: {core: {service_time: {exponential: {mean: 0.2 s}}}}
rails:
  khqr: {payloads: null, merchants: 50, confirmation_time: {lognormal: {median: 3 s, sigma: 0.5}}}
  alipay_plus: {technical_decline: 10 %, authorisation_time: {exponential: {mean: 0.5 s}}}
accounts: {river_khr_for_alipay: {balance: 900 000 000}, river_cny_at_unionpay: {balance: 100 000}}
demand:
  inbound: {payments: null, rate: 1 /s, amount: {lognormal: {mean: 40 000 KHR, sigma: 1}}}
  outbound: {payments: null, rate: 0.5 /s, amount: {lognormal: {mean: 50 CNY, sigma: 1}}}
"""
BASE = BASE.replace("temple_bank: {", "temple_bank: {merchant_share: 2, ").replace(
    "river_bank: {", "river_bank: {merchant_share: 1, "
)


def _payments(folder: Path, text: str, engine: str) -> dict[str, tuple[object, ...]]:
    """Return per payment, by name, every row of its log in words."""
    ran = run(load_text(folder, text), engine)
    found: dict[str, list[object]] = {}
    for row in ran.rows():
        if row[2]:
            # Prices are numbered by plan; their amounts are compared.
            found.setdefault(row[2], []).append((*row[:4], row[5], row[6]))
    return {name: tuple(rows) for name, rows in found.items()}


@pytest.mark.slow
@pytest.mark.parametrize("addition", ADDITIONS.values(), ids=ADDITIONS.keys())
def test_an_addition_that_shares_nothing_changes_no_other_payment(
    tmp_path: Path, addition: str, engine: str
) -> None:
    before = _payments(tmp_path, BASE, engine)
    child = f"scenario: child\nextends: base.yaml\n{addition}"
    (tmp_path / "base.yaml").write_text(BASE.replace("MINIMAL", str(MINIMAL)), encoding="utf-8")
    after = _payments(tmp_path, child, engine)
    assert len(before) > 300
    assert {name: after[name] for name in before} == before


def _drawn(folder: Path, text: str) -> dict[str, Array]:
    compiled = compile_scenario(load_text(folder, text))
    rows = np.vstack(list(compiled.workload()))
    columns = [
        WorkloadColumn.TIME_US,
        WorkloadColumn.ORDINAL,
        WorkloadColumn.AMOUNT,
        WorkloadColumn.PAYER,
        WorkloadColumn.CODE_STATE,
        WorkloadColumn.CODE_EXPIRY_US,
    ]
    streams = compiled.plan.names.streams
    return {
        name: rows[rows[:, WorkloadColumn.STREAM] == number][:, columns]
        for number, name in enumerate(streams)
    }


def test_a_stream_draws_the_same_payments_whatever_else_is_drawn(tmp_path: Path) -> None:
    before = _drawn(tmp_path, BASE)
    more = BASE + "  a_first: {corridor: cn_kh, rate: 5 /s, amount: 100 KHR}\n"
    more += "  z_last: {corridor: kh_kh, rate: 5 /s, amount: 100 KHR}\n"
    after = _drawn(tmp_path, more)
    assert set(after) == {*before, "a_first", "z_last"}
    for name, rows in before.items():
        assert (after[name] == rows).all(), name
    other = _drawn(tmp_path, BASE.replace("clock: {", "seed: 2\nclock: {"))
    assert not (other["inbound"][:50] == before["inbound"][:50]).all()


def test_one_payment_more_leaves_the_others_as_they_were(tmp_path: Path, engine: str) -> None:
    text = "scenario: one_more\nextends: MINIMAL\ndemand: {another: {corridor: kh_kh, payments: "
    text += "[{at: 20 s, amount: 500}]}}\n"
    before, after = run(load_scenario(MINIMAL), engine), run(load_text(tmp_path, text), engine)
    for name in ("inbound", "domestic", "outbound"):
        found = [row for row in after.rows(of=name) if row[1] != "QUOTE"]
        assert found == [row for row in before.rows(of=name) if row[1] != "QUOTE"]
    extra = after.rows(of="another")
    assert extra[-1][1] == "OUTCOME"
    assert int(after.log[-1, LogColumn.TIME_US]) >= extra[-1][0]
