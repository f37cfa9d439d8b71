"""What can be shown: a document of blocks, the same for every format.

Takes nothing of ours but measures; a study's result becomes one document
(:mod:`sim.report.documents`), and every format turns blocks into text (:mod:`sim.report.formats`).
Bars are cells of tables, so that every bar stands beside its number and a format that cannot draw
loses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from sim.analysis.summary import Measure
from sim.explain.wrapping import LINE_WIDTH, lay_out
from sim.tables.tabular import TabularData


class Tone(StrEnum):
    """The weight of words, where a format can show it."""

    PLAIN = ""
    STRONG = "bold"
    QUIET = "dim"
    GOOD = "green"
    BAD = "red"
    CAUTION = "yellow"


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of what follows."""

    words: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph, a note or a warning by its tone; also a cell of a table."""

    words: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Lines that are laid out already, each as long as it is."""

    words: str

    def kept(self) -> str:
        """Return them as they go to a file: long sentences broken, rows of tables as they are."""
        return "\n".join(lay_out(self.words, LINE_WIDTH, keeps_tables=True))


@dataclass(frozen=True, slots=True)
class Series:
    """Numbers over time, between words that say what they are.

    Attributes
    ----------
    before, after : str
        Words around the drawing; they hold what is to be known without it.
    values : tuple of float
        At least 0, in equal steps.
    """

    before: str
    values: tuple[float, ...]
    after: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A length in a table, from an origin to one end or two.

    Attributes
    ----------
    ends : tuple of float or None
        The second is drawn darker; None is not drawn.
    scale : tuple of float and float
        Values at the left and right edge, the same in a whole column.
    origin : float
        Where bars begin.
    """

    ends: tuple[float | None, ...]
    scale: tuple[float, float]
    origin: float = 0.0

    def place(self, value: float, width: int) -> int:
        """Return where a value lies on a line of so many steps."""
        left, right = self.scale
        return round(width * (value - left) / (right - left)) if right > left else 0

    def spans(self, width: int) -> list[tuple[int, int]]:
        """Return every end's stretch on a line of so many steps; a drawn bar is never nothing."""
        middle, found = self.place(self.origin, width), []
        for end in self.ends:
            there = middle if end is None else self.place(end, width)
            low, high = sorted((middle, there))
            is_short = end is not None and end != self.origin and high == low
            found.append((low, high + (1 if is_short else 0)))
        return found


Cell = str | int | float | bool | None | Measure | Text | Bar


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    name : str
        Heading; a column of bars may have none.
    is_number : bool
        Whether it is set to the right.
    is_prose : bool
        Whether its words may go on in the next line.
    spare : int
        What does not fit is left out from the highest number down; 0 never is.
    """

    name: str
    is_number: bool = False
    is_prose: bool = False
    spare: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; the first column names the row."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    is_headed: bool = True

    @classmethod
    def of(
        cls, data: TabularData, *, prose: Sequence[str] = (), spare: Sequence[str] = ()
    ) -> Table:
        """Return plain data as a table to be shown.

        Parameters
        ----------
        data : TabularData
        prose : sequence of str
            Columns whose words may go on in the next line.
        spare : sequence of str
            Columns that may be left out, the first of them first.
        """
        return cls(
            tuple(
                Column(
                    name,
                    any(_is_number(row[at]) for row in data.rows),
                    name in prose,
                    len(spare) - spare.index(name) if name in spare else 0,
                )
                for at, name in enumerate(data.columns)
            ),
            data.rows,
        )


@dataclass(frozen=True, slots=True)
class Facts:
    """Figures with their names, in groups that stand side by side where there is room."""

    groups: tuple[tuple[tuple[str, Measure], ...], ...]

    def tables(self) -> tuple[Table, ...]:
        """Return each group as a table."""
        columns = (Column(""), Column("", is_number=True))
        return tuple(Table(columns, group, is_headed=False) for group in self.groups)

    def table(self) -> Table:
        """Return all of them as one table."""
        columns = (Column("measure"), Column("value", is_number=True))
        return Table(columns, tuple(fact for group in self.groups for fact in group))


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure that stands for many, with what it is called and what is to be known of it."""

    name: str
    value: Cell
    note: str = ""


@dataclass(frozen=True, slots=True)
class Tiles:
    """The few figures a reader takes home."""

    items: tuple[Tile, ...]

    def table(self) -> Table:
        """Return them as a table."""
        columns = (Column("measure"), Column("value", is_number=True), Column("", is_prose=True))
        return Table(columns, tuple((one.name, one.value, one.note) for one in self.items))


@dataclass(frozen=True, slots=True)
class Folded:
    """A table most readers do not need, behind its title."""

    title: str
    table: Table


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing of a table.

    Attributes
    ----------
    name : str
        Of its files.
    kind : str
        Which drawing, see :mod:`sim.report.figures.charts`; it says which columns it needs.
    title : str
        What is to be seen.
    data : TabularData
        What is drawn, every digit.
    mark_words : tuple of str
        For each row the text of its mark; empty where it has none of its own.
    unit : str
        Of what is measured.
    note : str
        What is to be known besides.
    x_unit : str
        Of the other axis, where it has one.
    origin : float or None
        Value a line is drawn at.
    bands : tuple of (float, float)
        Stretches of the other axis in which something was put in.
    is_zoomed : bool
        Whether the axis shows the range of the values, else from 0.
    """

    name: str
    kind: str
    title: str
    data: TabularData
    mark_words: tuple[str, ...]
    unit: str = ""
    note: str = ""
    x_unit: str = ""
    origin: float | None = None
    bands: tuple[tuple[float, float], ...] = ()
    is_zoomed: bool = False

    def table(self) -> Table:
        """Return what is drawn as a table."""
        return Table.of(self.data)


@dataclass(frozen=True, slots=True)
class Player:
    """Runs to watch, with what stands above them: on a page alone, as paper does not move.

    Attributes
    ----------
    recording : object
        The :class:`~sim.report.figures.tape.Recording` that is played.
    title : str
    words : str
        What is to be known of it; may be empty.
    """

    recording: object
    title: str = "Play it"
    words: str = ""


Block = Heading | Text | Verbatim | Series | Facts | Table | Tiles | Folded | Figure | Player


@dataclass(frozen=True, slots=True)
class Document:
    """Everything a command shows.

    Attributes
    ----------
    blocks : tuple of Block
        For people.
    table : TabularData
        For spreadsheets and data frames: one tidy table, every digit.
    record : object
        For programs: what JSON holds.
    origin : mapping
        Software and command that made it.
    """

    blocks: tuple[Block, ...]
    table: TabularData
    record: object
    origin: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def of_table(cls, table: TabularData, origin: Mapping[str, object] | None = None) -> Document:
        """Return a document of nothing but a table."""
        return cls((Table.of(table),), table, table.records(), origin or {})


def _is_number(cell: object) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool)
