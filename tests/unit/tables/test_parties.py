"""Who pays whom is known by number until a payment has ended, and no longer."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sim.contract.layout import NULL
from sim.contract.records import WORKLOAD_WIDTH, WorkloadColumn
from sim.study.run import run_scenario
from sim.tables.parties import Parties

MINIMAL = Path(__file__).parents[3] / "scenarios" / "minimal.yaml"


def _chunk(*pairs: tuple[int, int]) -> np.ndarray:
    rows = np.zeros((len(pairs), WORKLOAD_WIDTH), dtype=np.int64)
    rows[:, WorkloadColumn.PAYER] = [payer for payer, _ in pairs]
    rows[:, WorkloadColumn.MERCHANT] = [merchant for _, merchant in pairs]
    return rows


def test_numbers_follow_payments_that_end_in_any_order() -> None:
    parties = Parties()
    for _ in parties.follow([_chunk((7, 1), (8, -1)), _chunk(), _chunk((9, 3))]):
        pass
    payer, merchant, _ = parties.take(np.array([2, 0]))
    assert (payer.tolist(), merchant.tolist()) == ([9, 7], [3, 1])
    payer, merchant, _ = parties.take(np.array([1, 5]))
    # -1 stands for nobody, and payment 5 was never drawn.
    assert (payer.tolist(), merchant.tolist()) == ([8, NULL], [NULL, NULL])
    # Whoever has ended is forgotten.
    assert parties.take(np.array([0]))[0].tolist() == [NULL]


def test_tables_say_their_units_clock_warm_up_and_parties(tmp_path: Path) -> None:
    changes = {"clock.warm_up": "2 s"}
    result = run_scenario(
        MINIMAL, engine="reference", out=tmp_path / "run", overrides=changes, record="events"
    )
    table = pq.read_table(tmp_path / "run" / "payments.parquet")
    rows = {row["payment_id"]: row for row in table.to_pylist()}
    # The three payments of the file, in order: coming in (merchant 1) at 1 s, at home (merchant 0)
    # at 2.1 s, going out at 3 s to the only payee abroad. The warm-up ends at 2 s.
    assert [rows[at]["in_warm_up"] for at in range(3)] == [1, 0, 0]
    assert [rows[at]["merchant"] for at in range(2)] == [1, 0]
    assert [rows[at]["payer"] for at in range(3)] == [0, 0, 0]
    clock = {"start": "2025-09-17T12:00:00+07:00", "horizon_us": 60_000_000}
    wanted = {**clock, "warm_up_us": 2_000_000}
    assert result.facts["clock"] == wanted
    assert json.loads(table.schema.metadata[b"payroute"])["clock"] == wanted
    for name in table.column_names:
        if name.endswith("_minor"):
            told = table.schema.field(name).metadata
            column = told[b"currency_column"].decode()
            assert column in table.column_names
            # Riel and cents have two decimal places in ISO 4217, the dong has none.
            exponents = json.loads(told[b"exponents"])
            assert (exponents["KHR"], exponents["VND"]) == (2, 0)
    series = pq.read_table(tmp_path / "run" / "series.parquet")
    is_money = pc.equal(series.column("kind"), "account")
    currencies = set(series.filter(is_money).column("currency").to_pylist())
    assert currencies == {"KHR", "CNY"}
    assert set(series.filter(pc.invert(is_money)).column("currency").to_pylist()) == {None}
    assert result.summary.as_json()["currencies"] == {
        "CNY": {"exponent": 2},
        "KHR": {"exponent": 2},
        # What its own conversion costs an agent.
        "USD": {"exponent": 2},
    }
