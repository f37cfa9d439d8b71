"""Rows of every table of a plan under construction, and the names they point at.

Takes rows by keyword; keeps them, the names in the order they were first seen, the purposes of
draws and the agenda. What a part of the builder adds on top of this is in a file of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

from sim.compiler.rows import Cells, Names, Rows, row_of
from sim.contract.agenda import AgendaKind
from sim.contract.layout import NULL, UNLIMITED, AccountColumn
from sim.contract.plan import NAMED, TABLES, Array
from sim.draws.keys import purpose_id

UNGUARDED = {
    "pool": 0,
    "alarm_below": NULL,
    "stop_below": NULL,
    "idle_ppb": 0,
    "overdraft_ppb": 0,
    "reserve": 0,
}
"""A row of an account of which nothing is watched."""


class TableRows:
    """Rows and names that all parts of a plan builder write to.

    Parameters
    ----------
    scalars : mapping of str to int
        The plan's single numbers by name.
    """

    def __init__(self, scalars: Mapping[str, int]) -> None:
        self._scalars = dict(scalars)
        self._names = {kind: Names() for kind in NAMED if kind != "stages"}
        self._rows: dict[str, Rows] = {name: [] for name in TABLES}
        self._cells: dict[str, Cells] = {
            name: {} for name, table in TABLES.items() if table.columns in NAMED
        }
        self._purposes: dict[str, int] = {}
        self._loads: dict[int, tuple[int, Array]] = {}

    def __getattr__(self, kind: str) -> Names:
        """Return the names of one kind, as declared in :class:`~sim.contract.plan.PlanNames`."""
        # ``__dict__`` and not the attribute: a copy that is being made has none yet, and would
        # come back here for ever.
        names = self.__dict__.get("_names", {})
        if kind not in names:
            raise AttributeError(f"a plan builder has no {kind!r}")
        found: Names = names[kind]
        return found

    def purpose(self, name: str) -> int:
        """Return the id of a draw purpose and remember its name."""
        return self._purposes.setdefault(name, purpose_id(name))

    def add_account(
        self, name: str, currency: str, *, overdraft: int = UNLIMITED, watched: bool = False
    ) -> int:
        """Add an account and return its index."""
        index = self.accounts.add_new(name)
        values = {
            "currency": self.currencies.add(currency),
            "overdraft": overdraft,
            "watched": int(watched),
        }
        self._add("account", values)
        self._add("guard", UNGUARDED)
        return index

    def world(self, currency: str) -> int:
        """Return the world's account of a currency, adding it if new."""
        name = f"world:{currency}"
        if name in self.accounts:
            return self.accounts[name]
        return self.add_account(name, currency)

    def deposit(self, time_us: int, account: int, amount: int) -> None:
        """Put money from the world on an account at an instant (0: opening balance)."""
        currency = self._rows["account"][account][AccountColumn.CURRENCY]
        self.world(self.currencies.as_tuple()[currency])
        self._schedule(time_us, AgendaKind.DEPOSIT, account, amount)

    def _add(self, table: str, values: Mapping[str, int]) -> int:
        """Add a row of a table, columns by lower-case name, and return its index."""
        self._rows[table].append(row_of(TABLES[table].enum, values))
        return len(self._rows[table]) - 1

    def _schedule(self, time_us: int, kind: AgendaKind, subject: int, amount: int = -1) -> None:
        """Put a row on the agenda."""
        values = {"time_us": time_us, "kind": kind, "subject": subject, "amount": amount}
        self._add("agenda", values)
