"""Say on the first screen of a run who walked away, what became of orders, what books disagree on.

Takes a summary; gives blocks.
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.analysis.catalogue import BREAKS, BREAKS_BY_AGE
from sim.analysis.summary import Measure, Summary
from sim.report.blocks import Block, Column, Table, Text, Tone
from sim.report.figure import figure, plain


def gave_up(summary: Summary) -> Iterator[Block]:
    """Yield a sentence where payers gave up waiting.

    Parameters
    ----------
    summary : Summary
        Of one run or of several replications, whose figures are means then.
    """
    share, debited = summary.measures["gave_up_share"], summary.measures["gone_after_debit"]
    if not share.value:
        return
    told = f"{figure(share)} of payers walked away before they had an answer"
    if debited.value:
        told += (
            f"; {_number(debited)} of them had been debited by the end: their money went its way"
        )
    yield Text(f"{told}.", Tone.CAUTION)


def ordered(summary: Summary) -> Iterator[Block]:
    """Yield what became of orders at shops, where there are any.

    Parameters
    ----------
    summary : Summary
        Of one run or of several replications, whose figures are means then.
    """
    known = summary.measures
    if known["orders"].value is None:
        return
    released, seen = known["orders_released"], known["order_seen_mean"]
    late = f", seen {figure(seen)} after the credit on the mean" if seen.value is not None else ""
    yield Text(
        f"{_number(known['orders'])} orders were taken, {_number(known['orders_sold_out'])} found "
        f"nothing left; {_number(released)} were released{late}, "
        f"{_number(known['orders_expired'])} expired, and {_number(known['orders_paid_late'])} "
        "were paid too late and go back."
    )
    if known["polls_throttled"].value:
        yield Text(f"{_number(known['polls_throttled'])} calls were refused (429).", Tone.CAUTION)
    if known["oversold"].value:
        yield Text(f"{_number(known['oversold'])} more were sold than there are.", Tone.CAUTION)


def reconciled(summary: Summary) -> Iterator[Block]:
    """Yield what books disagreed about when they were compared, where they did.

    Parameters
    ----------
    summary : Summary
        Of one run or of several replications, whose figures are means then.
    """
    opened, resolved, still, oldest = (summary.measures[name] for name in BREAKS)
    if not opened.value:
        return
    payments = "payment" if float(opened) == 1 else "payments"
    yield Text(
        f"Books disagreed about {_number(opened)} {payments} at the end of a day: "
        f"{_number(resolved)} resolved by the last comparison, {_number(still)} open; the oldest "
        f"had stood for {figure(oldest)}.",
        Tone.CAUTION,
    )
    rows = tuple(
        (age.replace("_", " "), Measure(found.value, found.unit))
        for age, found in ((age, held[BREAKS_BY_AGE]) for age, held in summary.by["age"].items())
        if found.value
    )
    yield Table((Column("age of breaks found"), Column("in all", is_number=True)), rows)


def _number(measure: Measure) -> str:
    return plain(round(float(measure), 1))
