"""Rows of a plan for what happens without a payment: lines, clearing files, top-ups.

Takes rows by keyword; adds them to the builder it is a part of, with the agenda's rows they need.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sim.compiler.table_rows import TableRows
from sim.contract.agenda import AgendaKind
from sim.contract.layout import NULL, UNLIMITED


@dataclass(frozen=True, slots=True)
class FileTimes:
    """Instants of a clearing file, in microseconds; see :class:`~sim.contract.agenda.FileColumn`.

    ``converted_us`` is None without a conversion, ``net`` given for files cut before the start.
    """

    opens_us: int
    cut_us: int
    settled_us: int
    converted_us: int | None = None
    net: int = 0


class ClearingRows(TableRows):
    """The part of a plan builder that adds lines, files, rules and orders."""

    def close_station(self, station: int, from_us: int, to_us: int) -> None:
        """Close a station over an interval."""
        self._schedule(from_us, AgendaKind.STATION_CLOSE, station)
        self._schedule(to_us, AgendaKind.STATION_OPEN, station)

    def change(self, time_us: int, kind: AgendaKind, subject: int, amount: int) -> None:
        """Let a station or a ledger work otherwise from an instant on."""
        self._schedule(time_us, kind, subject, amount)

    def add_line(self, name: str, *, rail: str, agent: str, **values: int) -> int:
        """Add a line (columns by lower-case name) and return its index.

        By default it has no refunds, no fees, no conversion and no threshold.
        """
        index = self.lines.add_new(name)
        closed = values["closed"]
        defaults = {
            "refunds": -1,
            "interchange_ppm": 0,
            "interchange_to": closed,
            "scheme_ppm": 0,
            "scheme_to": closed,
            "conversion": -1,
            "held": closed,
            "threshold": 0,
            "negative": 0,
            "rail": self.rails.add(rail),
            "agent": self.agents.add(agent),
        }
        self._add("line", defaults | values)
        return index

    def add_file(self, line: int, held: int, times: FileTimes) -> int:
        """Add a clearing file with its rows of the agenda and return its index.

        Parameters
        ----------
        line, held : int
            Its line, and the line's HELD account.
        times : FileTimes
            Rows at or beyond the horizon are left out.
        """
        values = {
            "line": line,
            "opens_us": times.opens_us,
            "cut_us": times.cut_us,
            "converted_us": NULL if times.converted_us is None else times.converted_us,
            "settled_us": times.settled_us,
            "net": times.net,
        }
        index = self._add("file", values)
        if times.net:
            # It was cut before the start: what it comes to is there already.
            self.deposit(0, held, times.net)
        if times.cut_us > 0:
            for kind, time_us in (
                (AgendaKind.FILE_CUT, times.cut_us),
                (AgendaKind.FILE_CONVERTED, times.converted_us),
            ):
                if time_us is not None and time_us < self._scalars["horizon_us"]:
                    self._schedule(time_us, kind, index)
        if times.settled_us < self._scalars["horizon_us"]:
            self._schedule(times.settled_us, AgendaKind.FILE_SETTLED, index)
        return index

    def add_system(
        self,
        name: str,
        *,
        accounts: Iterable[int],
        offsets_us: Iterable[int] = (),
        closes_us: Iterable[int] = (),
        **values: int,
    ) -> int:
        """Add a large-value system (columns by lower-case name) and return its index.

        By default it settles first in first out, offsets nothing and returns at a close.

        Parameters
        ----------
        accounts : iterable of int
            Its members'.
        offsets_us, closes_us : iterable of int
            Instants of its rows of the agenda.
        """
        index = self.systems.add_new(name)
        self._add("system", {"order": 0, "offset": 0, "on_arrival": 1, "at_close": 0, **values})
        for account in sorted(accounts):
            self._add("member", {"system": index, "account": account})
        for times, kind in (
            (offsets_us, AgendaKind.SYSTEM_OFFSET),
            (closes_us, AgendaKind.SYSTEM_CLOSE),
        ):
            for time_us in times:
                self._schedule(time_us, kind, index)
        return index

    def add_top_up(
        self, name: str, *, account: int, source: int, low: int, target: int, **values: int
    ) -> int:
        """Add a rule by which an account is filled up and return its index.

        Columns of a covering trade are given by their names in lower case.
        """
        index = self.top_ups.add_new(name)
        rule = {"account": account, "source": source, "low": low, "target": target}
        self._add("top_up", {**rule, "most": -1, "high": UNLIMITED, **values})
        return index

    def add_order(self, top_up: int, ordered_us: int, arrives_us: int) -> int:
        """Add a look of a rule, and the arrival of what it orders; return its index."""
        values = {"top_up": top_up, "ordered_us": ordered_us, "arrives_us": arrives_us}
        index = self._add("order", values)
        self._schedule(ordered_us, AgendaKind.TOP_UP_ORDERED, index)
        if arrives_us < self._scalars["horizon_us"]:
            self._schedule(arrives_us, AgendaKind.TOP_UP_ARRIVED, index)
        return index
