"""What measures are called where people read: the one place words of measures are looked up.

Takes keys; gives words.
"""

from __future__ import annotations

from sim.contract.spec import Reason
from sim.contract.words import member_words

HEADLINE = (
    {
        "submitted": "submitted",
        "completed": "completed",
        "rejected": "rejected",
        "returned": "returned",
        "in_progress": "in progress",
    },
    {
        "success_rate": "success rate",
        "end_to_end_p50": "half took at most",
        "end_to_end_p99": "99 % took at most",
        "end_to_end_mean": "mean",
        "machine_time_mean": "mean, machines only",
    },
    {
        "payer_cost_bps": "payer's cost",
        "merchant_cost_bps": "merchant's cost",
        "within_10s": "within 10 s",
        "within_60s": "within 60 s",
        "completed_rate_peak": "peak rate",
    },
)
"""The first figures of a run, in groups."""

GROUP = {
    "submitted": "payments",
    "success_rate": "success",
    "end_to_end_p50": "p50",
    "end_to_end_p99": "p99",
    "payer_cost_bps": "payer",
    "merchant_cost_bps": "merchant",
}
"""Headings of tables by corridor and by route."""

STATION = {
    "utilisation": "utilisation",
    "queue_mean": "mean queue",
    "queue_max": "longest queue",
    "wait_mean": "mean wait",
    "refused": "refused",
}

COST = {
    "fx_margin_bps": "FX margin",
    "payer_fee_bps": "fees",
    "merchant_cost_bps": "merchant's fees",
}
"""Parts of what a payment costs."""

G20 = {
    "cost_mean": "mean cost to the payer",
    "cost_worst_corridor": "cost in the dearest corridor",
    "within_1h": "credited within one hour",
}


def reason_words(code: str) -> str:
    """Return what a reason code means, from the specification."""
    return member_words(Reason).get(code, "").partition(";")[0].rstrip(".")
