"""How a table of whole numbers is declared: what its rows and columns are, what its cells may hold.

Takes what a class of arrays writes beside each array (``Annotated[Array, Table(...)]``); gives the
declarations by name, checked when they are read. A rule says what a column may hold, so that an
index that points outside its table is found before anything runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Annotated, Protocol, get_origin, get_type_hints

import numpy as np
import numpy.typing as npt

from sim.contract.layout import ROLE_KINDS_MAX, ROLES

Array = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Counts = Mapping[str, int]
"""How many there are of everything that is counted, as in ``{"stages": 812}``."""


class Rule(Protocol):
    """What one column may hold."""

    def broken(self, rows: Array, column: int, counts: Counts) -> Mask:
        """Return a mask of the rows whose value is not allowed."""

    def allowed(self, counts: Counts) -> str:
        """Say what is allowed."""


def _without_roles(broken: Mask, values: Array, kinds: str, counts: Counts) -> Mask:
    """Take role references of known kinds out of what is not allowed."""
    if kinds:
        role, kind = np.divmod(-(values + 2), ROLE_KINDS_MAX)
        broken &= ~((values < -1) & (role < ROLES) & (kind < counts[kinds]))
    return broken


@dataclass(frozen=True, slots=True)
class Within:
    """Index of something that is counted.

    Attributes
    ----------
    counted : str
        What the index points at, as in ``"stages"``.
    or_none : bool
        Whether -1 is allowed.
    kinds : str
        Kinds a role reference may name (see :func:`~sim.contract.layout.role_ref`); empty: none is
        allowed.
    """

    counted: str
    or_none: bool = False
    kinds: str = ""

    def broken(self, rows: Array, column: int, counts: Counts) -> Mask:
        """Return a mask of the rows whose value is not allowed."""
        values = rows[:, column]
        # -1 is allowed where none is; everything below is a role reference or wrong.
        broken: Mask = (values < -int(self.or_none)) | (values >= counts[self.counted])
        return _without_roles(broken, values, self.kinds, counts)

    def allowed(self, counts: Counts) -> str:
        """Say what is allowed."""
        roles = " or a role reference" if self.kinds else ""
        return (
            f"{'-1 or ' if self.or_none else ''}one of {counts[self.counted]} {self.counted}{roles}"
        )


@dataclass(frozen=True, slots=True)
class Span:
    """First of several rows that follow each other; another column says how many.

    Attributes
    ----------
    counted : str
        What the rows are.
    count : int
        Column that holds their number; where it is 0 the first does not matter.
    most : int
        Largest number of rows.
    """

    counted: str
    count: int
    most: int = 1 << 40

    def broken(self, rows: Array, column: int, counts: Counts) -> Mask:
        """Return a mask of the rows whose value is not allowed."""
        first, count = rows[:, column], rows[:, self.count]
        # A span of no rows may begin anywhere.
        outside = (first < 0) | (first + count > counts[self.counted])
        broken: Mask = (count < 0) | (count > self.most) | ((count > 0) & outside)
        return broken

    def allowed(self, counts: Counts) -> str:
        """Say what is allowed."""
        return f"the first of rows that lie within {counts[self.counted]} {self.counted}"


@dataclass(frozen=True, slots=True)
class OneOf:
    """Member of an enumeration.

    Attributes
    ----------
    members : type of IntEnum
        Which.
    or_none : bool
        Whether -1 is allowed.
    """

    members: type[IntEnum]
    or_none: bool = False

    def broken(self, rows: Array, column: int, counts: Counts) -> Mask:
        """Return a mask of the rows whose value is not allowed."""
        known = [*map(int, self.members), *([-1] if self.or_none else [])]
        return ~np.isin(rows[:, column], known)

    def allowed(self, counts: Counts) -> str:
        """Say what is allowed."""
        return f"{'-1 or ' if self.or_none else ''}a member of {self.members.__name__}"


@dataclass(frozen=True, slots=True)
class Between:
    """Whole number from a lowest to a highest one, both included.

    Attributes
    ----------
    lowest, highest : int
    kinds : str
        As in :class:`Within`.
    """

    lowest: int
    highest: int = 2**62
    kinds: str = ""

    def broken(self, rows: Array, column: int, counts: Counts) -> Mask:
        """Return a mask of the rows whose value is not allowed."""
        values = rows[:, column]
        broken: Mask = (values < self.lowest) | (values > self.highest)
        return _without_roles(broken, values, self.kinds, counts)

    def allowed(self, counts: Counts) -> str:
        """Say what is allowed."""
        return f"{self.lowest} to {self.highest}{' or a role reference' if self.kinds else ''}"


@dataclass(frozen=True, slots=True)
class By:
    """Rule that depends on another column of the same row, as an operand on its operation.

    Attributes
    ----------
    column : int
        The other column.
    rules : mapping of int to Rule
        What is allowed by its value; values without a rule allow anything.
    """

    column: int
    rules: Mapping[int, Rule]

    def broken(self, rows: Array, column: int, counts: Counts) -> Mask:
        """Return a mask of the rows whose value is not allowed."""
        broken = np.zeros(len(rows), dtype=np.bool_)
        for value, rule in self.rules.items():
            # Only rows of this value are looked at: what SUBJECT means depends on the
            # operation.
            at = np.flatnonzero(rows[:, self.column] == value)
            broken[at] = rule.broken(rows[at], column, counts)
        return broken

    def allowed(self, counts: Counts) -> str:
        """Say what is allowed."""
        return "; ".join(
            f"{getattr(value, 'name', value)}: {rule.allowed(counts)}"
            for value, rule in self.rules.items()
        )


@dataclass(frozen=True, slots=True)
class Table:
    """One array of whole numbers: what its rows and columns are and what they may hold.

    Attributes
    ----------
    rows : str
        What the rows are and how many: a kind of name, or a word of its own.
    columns : type of IntEnum, int, str or None
        The columns by name; their number where they have no names; what they are where their
        number varies; None where the array has one dimension.
    holds : mapping of int to Rule
        What a column may hold; columns without a rule may hold anything.
    each : Rule or None
        What every cell may hold.
    """

    rows: str
    columns: type[IntEnum] | int | str | None = None
    holds: Mapping[int, Rule] = field(default_factory=dict)
    each: Rule | None = None

    @property
    def width(self) -> int | None:
        """Number of columns, None where it varies or there is one dimension."""
        if isinstance(self.columns, int):
            return self.columns
        return len(self.columns) if isinstance(self.columns, type) else None

    @property
    def enum(self) -> type[IntEnum]:
        """Columns by name."""
        if not isinstance(self.columns, type):
            raise TypeError(f"the columns of a table of {self.rows} have no names")
        return self.columns

    @property
    def dimensions(self) -> int:
        """One or two."""
        return 1 if self.columns is None else 2

    def shape(self, counts: Counts) -> tuple[int, ...]:
        """Return the shape of the array, given how many there are of everything."""
        if self.columns is None:
            return (counts[self.rows],)
        width = counts[self.columns] if isinstance(self.columns, str) else self.width
        return (counts[self.rows], width or 0)

    def shape_text(self) -> str:
        """Return the shape in words, as in ``(stages, 11): StageColumn``."""
        if self.columns is None:
            return f"({self.rows},)"
        if isinstance(self.columns, type):
            return f"({self.rows}, {self.width}): {self.columns.__name__}"
        return f"({self.rows}, {self.columns})"

    def column_name(self, column: int) -> str:
        """Return the name of a column, or its number where it has none."""
        return self.columns(column).name if isinstance(self.columns, type) else str(column)


def declared_tables(owner: type) -> dict[str, Table]:
    """Return the declarations of a class's arrays by name, in order.

    Parameters
    ----------
    owner : type
        Class whose arrays are annotated ``Annotated[Array, Table(...)]``.

    Raises
    ------
    TypeError
        If an array is not declared, columns do not count up from 0 one by one, or a rule speaks of
        a column that is not there.
    """
    tables = {}
    for name, hint in get_type_hints(owner, include_extras=True).items():
        where = f"{owner.__name__}.{name}"
        if hint == Array:
            raise TypeError(f"{where}: an array without a table; needed: Annotated[Array, Table()]")
        if get_origin(hint) is Annotated:
            [table] = [item for item in hint.__metadata__ if isinstance(item, Table)]
            _check_columns(where, table)
            tables[name] = table
    return tables


def _check_columns(where: str, table: Table) -> None:
    """Check that named columns fill the table and rules speak of columns that are there."""
    if isinstance(table.columns, type):
        found = [int(column) for column in table.columns.__members__.values()]
        # A gap or a double would shift every column behind it, in compiled code without a word.
        if found != list(range(len(found))):
            raise TypeError(f"{where}: columns {found}; needed: 0, 1, 2, ... without gap or double")
    unknown = [column for column in table.holds if not 0 <= column < (table.width or 0)]
    if unknown:
        raise TypeError(f"{where}: rules for the columns {unknown}, which are not there")
