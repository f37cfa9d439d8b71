"""Remember who pays whom until a payment has ended.

Takes the chunks of a workload as an engine draws them, and the payments that have ended; gives
their payers and payees by number. A record holds what a run did to a payment, not what was drawn
before it; kept here are the payments under way only, so that memory does not grow with the run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from sim.contract.layout import NULL
from sim.contract.plan import Array
from sim.contract.records import WorkloadColumn


@dataclass(slots=True)
class _Chunk:
    """Payments drawn together."""

    first: int
    payer: Array
    merchant: Array
    left: int


class Parties:
    """The numbers of payers and payees of the payments under way."""

    def __init__(self) -> None:
        self._chunks: list[_Chunk] = []
        self._drawn = 0

    def follow(self, workload: Iterable[Array]) -> Iterator[Array]:
        """Pass a workload on, and keep what is asked for later.

        Parameters
        ----------
        workload : iterable of ndarray, shape (payments, WORKLOAD_WIDTH)
            Payments are numbered as they come.
        """
        for rows in workload:
            payer = rows[:, WorkloadColumn.PAYER].copy()
            merchant = rows[:, WorkloadColumn.MERCHANT].copy()
            if len(rows):
                self._chunks.append(_Chunk(self._drawn, payer, merchant, len(rows)))
            self._drawn += len(rows)
            yield rows

    def take(self, payments: Array) -> tuple[Array, Array]:
        """Return payers and merchants of payments that have ended; each is asked for once.

        Parameters
        ----------
        payments : ndarray of int64, shape (payments,)
            Their numbers.

        Returns
        -------
        tuple of two ndarrays of int64
            ``NULL`` where there is no such number, or the payment was never followed.
        """
        payer = np.full(len(payments), NULL, dtype=np.int64)
        merchant = payer.copy()
        at = np.searchsorted([chunk.first for chunk in self._chunks], payments, side="right") - 1
        for number in np.unique(at[at >= 0]).tolist():
            chunk = self._chunks[number]
            mine = np.flatnonzero(at == number)
            row = payments[mine] - chunk.first
            mine, row = mine[row < len(chunk.payer)], row[row < len(chunk.payer)]
            for kept, found in ((chunk.payer, payer), (chunk.merchant, merchant)):
                found[mine] = np.where(kept[row] < 0, NULL, kept[row])
            chunk.left -= len(mine)
        self._chunks = [chunk for chunk in self._chunks if chunk.left > 0]
        return payer, merchant
