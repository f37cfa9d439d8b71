"""Costs by value: what was paid for payments over what they were worth.

Takes sums of costs and of amounts; gives shares in which large payments weigh as much as they are
worth.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from sim.analysis.sources import Payments
from sim.tables.folding import Tally


def cost_by_value(
    cost: Tally, amount: Tally, *, is_payer: bool
) -> Callable[[Payments], float | None]:
    """Return what works out a cost by value: ``10^4 * sum of cost / sum of amount``.

    Parameters
    ----------
    cost, amount : Tally
        Sums in minor units per price list.
    is_payer : bool
        Whether the payer bears it, in the debited currency; else the payee, in the credited one.

    Notes
    -----
    Both sums are added up at the mid rates of the start; the currency they are added up in cancels
    out. In the mean over payments a fixed fee on a small one weighs as much as a rate on a large
    one.
    """

    def of(group: Payments) -> float | None:
        sums = Fraction(0), Fraction(0)
        for cell in group.cells:
            worth = cell.debited if is_payer else cell.credited
            part, whole = int(cell.tally[cost]), int(cell.tally[amount])
            if whole and worth is None:
                return None
            sums = sums[0] + part * (worth or 0), sums[1] + whole * (worth or 0)
        return float(10_000 * sums[0] / sums[1]) if sums[1] else None

    return of
