"""Say on the first screen of a run what was carried as load, and that no figure counts it.

Takes a summary; gives blocks.
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.analysis.summary import Summary
from sim.report.blocks import Block, Text
from sim.report.figure import figure, plain


def load_blocks(summary: Summary) -> Iterator[Block]:
    """Yield a sentence for each ledger that carried load.

    Parameters
    ----------
    summary : Summary
        Of one run or of several replications, whose figures are means then.
    """
    for name, held in sorted(summary.by["station"].items()):
        carried = held.get("load_carried")
        if carried is None or carried.value is None:
            continue
        most, left = (
            plain(round(float(held[key].value or 0)))
            for key in ("load_waiting_max", "load_waiting_end")
        )
        yield Text(
            f"{name} also carried {plain(round(float(carried.value)))} payments as load: numbers "
            "that took places in its blocks, not payments, so no other figure counts them. With "
            f"them {figure(held['block_fill_mean'])} of the places were used; at most {most} of "
            f"the load waited for a block, and {left} at the end."
        )
