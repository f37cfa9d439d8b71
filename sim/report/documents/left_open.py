"""Say on the first screen of a run who walked away without an answer.

Takes a summary; gives blocks.
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.analysis.summary import Summary
from sim.report.blocks import Block, Text, Tone
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
        number = plain(round(float(debited), 1))
        told += f"; {number} of them had been debited by the end: their money went its way"
    yield Text(f"{told}.", Tone.CAUTION)
