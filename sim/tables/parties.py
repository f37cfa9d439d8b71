"""Remember who pays whom, and with what, until a payment has ended.

Takes the chunks of a workload as an engine draws them, and the payments that have ended; gives
their payers, payees and first instruments by number. A record holds what a run did to a payment,
not what was drawn before it; kept here are the payments under way only, so that memory does not
grow with the run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from threading import Lock

import numpy as np

from sim.contract.layout import NULL
from sim.contract.plan import Array
from sim.contract.records import WorkloadColumn


@dataclass(slots=True)
class Drawn:
    """Payments drawn together."""

    first: int
    columns: tuple[Array, ...]
    left: int


_KEPT = (WorkloadColumn.PAYER, WorkloadColumn.MERCHANT, WorkloadColumn.INSTRUMENT)


class Parties:
    """The numbers of payers, payees and first instruments of the payments under way."""

    def __init__(self) -> None:
        self._chunks: list[Drawn] = []
        # A payment may be drawn in one thread while what is known of others is taken in another.
        self._lock = Lock()
        self._drawn = 0

    def follow(self, workload: Iterable[Array]) -> Iterator[Array]:
        """Pass a workload on, and keep what is asked for later.

        Parameters
        ----------
        workload : iterable of ndarray, shape (payments, WORKLOAD_WIDTH)
            Payments are numbered as they come.
        """
        for rows in workload:
            if len(rows):
                columns = tuple(rows[:, column].copy() for column in _KEPT)
                with self._lock:
                    self._chunks.append(Drawn(self._drawn, columns, len(rows)))
            self._drawn += len(rows)
            yield rows

    def take(self, payments: Array) -> tuple[Array, ...]:
        """Return what is kept of payments that have ended; each is asked for once.

        Parameters
        ----------
        payments : ndarray of int64, shape (payments,)
            Their numbers.

        Returns
        -------
        tuple of three ndarrays of int64
            Payer, merchant and first instrument; ``NULL`` where there is no such number, or the
            payment was never followed.
        """
        taken = tuple(np.full(len(payments), NULL, dtype=np.int64) for _ in _KEPT)
        with self._lock:
            chunks = self._chunks.copy()
        at = np.searchsorted([chunk.first for chunk in chunks], payments, side="right") - 1
        for number in np.unique(at[at >= 0]).tolist():
            chunk = chunks[number]
            mine = np.flatnonzero(at == number)
            row = payments[mine] - chunk.first
            inside = row < len(chunk.columns[0])
            mine, row = mine[inside], row[inside]
            for kept, found in zip(chunk.columns, taken, strict=True):
                found[mine] = np.where(kept[row] < 0, NULL, kept[row])
            chunk.left -= len(mine)
        with self._lock:
            self._chunks = [chunk for chunk in self._chunks if chunk.left > 0]
        return taken
