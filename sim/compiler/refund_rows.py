"""Rows of a plan for what is paid back: rules by stream, written refunds, pools.

Takes rows by keyword; adds them to the builder it is a part of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sim.compiler.rows import row_of
from sim.compiler.table_rows import TableRows
from sim.contract.guards import GuardColumn
from sim.contract.refunds import RefundColumn

NO_REFUNDS: Mapping[str, int] = {
    "share": 0, "total_ppm": 0, "parts": 0, "rate": 0, "written_first": 0, "written_count": 0,
}  # fmt: skip
"""The rule of a stream of which nothing is paid back."""


class RefundRows(TableRows):
    """The part of a plan builder that says what is paid back."""

    def set_refunds(
        self, stream: int, written: Iterable[tuple[int, int, int]] = (), **values: int
    ) -> None:
        """Say what of a stream is paid back.

        Parameters
        ----------
        stream : int
        written : iterable of (int, int, int)
            Ordinal, microseconds after the payment's end or the part before, and minor units; by
            ordinal, then in order of time.
        **values : int
            Columns of the rule by lower-case name.
        """
        first = len(self._rows["written_refund"])
        for ordinal, after_us, amount in written:
            values_of = {"ordinal": ordinal, "after_us": after_us, "amount": amount}
            self._add("written_refund", values_of)
        own = {
            "purpose_share": self.purpose("refund"),
            "purpose_after": self.purpose("refund.after"),
            "written_first": first,
            "written_count": len(self._rows["written_refund"]) - first,
        }
        self._rows["refund"][stream] = row_of(RefundColumn, {**NO_REFUNDS, **own, **values})

    def set_pool(self, account: int) -> None:
        """Let refunds be paid only out of what an account holds."""
        self._rows["guard"][account][GuardColumn.POOL] = 1
