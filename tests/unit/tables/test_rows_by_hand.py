"""One record with a figure of its own in every column: each stands under its name in the table."""

from __future__ import annotations

import numpy as np

from sim.compiler.builder import PlanBuilder
from sim.contract.meaning import Op, Outcome, Reason
from sim.contract.plan import Plan
from sim.contract.records import RECORD_WIDTH
from sim.contract.records import RecordColumn as C
from sim.tables.columns import lay_out
from sim.tables.payment_rows import PaymentRows

CAUSES = (
    "waiting_us", "service_us", "transit_us", "ledger_us", "human_us", "liquidity_us",
    "in_doubt_us", "retry_us",
)  # fmt: skip
NAMED = {
    "instructed_amount_minor": C.INSTRUCTED, "debited_amount_minor": C.DEBITED,
    "settlement_amount_minor": C.SETTLEMENT, "credited_amount_minor": C.CREDITED,
    "payer_fee_minor": C.PAYER_FEE, "merchant_fee_minor": C.MERCHANT_FEE,
    "fx_margin_minor": C.FX_MARGIN, "fx_drift_minor": C.FX_DRIFT,
    "submitted_us": C.SUBMITTED_US, "settled_us": C.SETTLED_US, "credited_us": C.CREDITED_US,
    "end_us": C.END_US, "attempts": C.ATTEMPTS, "requotes": C.REQUOTES,
}  # fmt: skip


def _plan() -> Plan:
    """Return a plan with a price of two conversions, made by two banks in this order."""
    b = PlanBuilder(horizon_us=10)
    entry = b.add_stage(Op.END, value=Outcome.COMPLETED, reason=0)
    conversions = tuple(
        b.add_conversion(b.add_pair(name, [2], 1), inverted=False, spread_ppm=0)
        for name in ("CNY/USD", "USD/KHR")
    )
    pricing = b.add_pricing(
        currencies=("CNY", "USD", "KHR"),
        conversions=(conversions[0], conversions[1]),
        providers=("first_bank", "second_bank"),
    )
    b.add_route("way", rail="rail", corridor="abroad", entry=entry, pricing=pricing)
    b.add_stream("all", entry=entry, corridor="abroad", currency="KHR")
    return b.build()


def _record(**cells: int) -> np.ndarray:
    # Each cell its own number, so that no two columns are alike.
    row = np.arange(100, 100 + RECORD_WIDTH, dtype=np.int64)
    fixed = {
        "stream": 0, "route": 0, "debtor_agent": 0, "creditor_agent": 1, "instrument": 0,
        "instead": -1, "outcome": Outcome.COMPLETED, "reason": Reason.NONE, "charged": 0, **cells,
    }  # fmt: skip
    for name, value in fixed.items():
        row[C[name.upper()]] = value
    return row[None, :]


def test_every_figure_stands_under_its_name() -> None:
    record = _record()
    found = PaymentRows(_plan()).payments(lay_out(record)).to_pylist()[0]
    assert {name: found[name] for name in NAMED} == {
        name: int(record[0, column]) for name, column in NAMED.items()
    }
    # In the order in which the specification names causes.
    first = int(C.TIME_0)
    assert [found[name] for name in CAUSES] == record[0, first : first + 8].tolist()


def test_no_reason_is_no_code() -> None:
    rows = PaymentRows(_plan())
    assert rows.payments(lay_out(_record())).to_pylist()[0]["reason_code"] is None
    refused = _record(reason=Reason.AM04, outcome=Outcome.REJECTED)
    assert rows.payments(lay_out(refused)).to_pylist()[0]["reason_code"] == "AM04"


def test_either_provider_has_its_own_part_of_the_margin() -> None:
    # The first conversion's spread is 30 of a margin of 50; what is left is the second's.
    found = PaymentRows(_plan()).fees(_record(fx_margin=50, spread_1=30)).to_pylist()
    told = {row["recipient"]: (row["amount_minor"], row["currency"]) for row in found}
    assert told == {"first_bank": (30, "CNY"), "second_bank": (20, "CNY")}
