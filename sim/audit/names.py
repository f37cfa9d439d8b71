"""Read the names in tables as the plan's numbers, and say numbers as names again.

Takes a plan and Arrow tables; gives int64 cells in which a name is the number of the first of that
name, since a table knows names only. A null is -1, a name the plan does not have one beyond the
last. Which names a column holds is said here by what the column is called and by the plan alone.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sim.contract.layout import NULL
from sim.contract.plan import Array, Plan
from sim.tables.reading import int_values, text_codes
from sim.tables.schemas import (
    BEARERS,
    CAUSES,
    FX_SPREAD,
    INSTEADS,
    OUTCOMES,
    REASONS,
    SCOPES,
    SERIES_KINDS,
    SERIES_MEASURES,
)

UNKNOWN = -2
"""Stands for an agent of a payment that the log does not determine."""

Words = dict[str, tuple[str, ...]]
"""Names behind the numbers of a column, by column; a column that is not in it holds figures."""


def payment_words(plan: Plan) -> Words:
    """Return the names in ``payments.parquet``."""
    names = plan.names
    words: Words = {
        "scope": SCOPES,
        "corridor": names.corridors,
        "stream": names.streams,
        "route": names.routes,
        "channel": names.channels,
        "outcome": OUTCOMES,
        "instrument": names.instruments,
        "first_instrument": names.instruments,
        "instead": INSTEADS,
        "reason_code": REASONS,
    }
    words |= dict.fromkeys(("debtor_agent", "creditor_agent"), names.agents)
    for side in ("instructed", "debited", "settlement", "credited"):
        words[f"{side}_currency"] = names.currencies
    return words


def fee_words(plan: Plan) -> Words:
    """Return the names in ``fees.parquet``; FX providers are agents, others who take fees are not.

    Agents come after the recipients of fees: agent ``a`` is number ``len(names.recipients) + a``.
    """
    names = plan.names
    return {
        "component": (*names.components, FX_SPREAD),
        "recipient": (*names.recipients, *names.agents),
        "bearer": BEARERS,
        "currency": names.currencies,
    }


def visit_words(plan: Plan) -> Words:
    """Return the names in ``stages.parquet``; accounts and ledgers come after stations."""
    return {"stage_name": plan.names.stages, "station": places(plan), "cause": CAUSES}


def series_words(plan: Plan) -> Words:
    """Return the names in ``series.parquet``."""
    return {
        "kind": SERIES_KINDS,
        "name": (*places(plan), *plan.names.lines, *plan.names.top_ups, *plan.names.systems),
        "measure": SERIES_MEASURES,
        "currency": plan.names.currencies,
    }


def places(plan: Plan) -> tuple[str, ...]:
    """Return the names of everything a payment can wait at: stations, ledgers, accounts."""
    return (*plan.names.stations, *plan.names.ledgers, *plan.names.accounts)


def cells(table: pa.Table, columns: tuple[str, ...], words: Words) -> Array:
    """Return columns of a table as numbers.

    Parameters
    ----------
    table : Table
        Rows as they were read.
    columns : tuple of str
        Which columns, in the order wanted.
    words : dict of str to tuple of str
        What the numbers of text columns stand for.

    Returns
    -------
    ndarray of int64, shape (rows, columns)
        Figures are NULL where they are null.
    """
    made = np.empty((table.num_rows, len(columns)), dtype=np.int64)
    for at, name in enumerate(columns):
        column = table.column(name)
        made[:, at] = numbers(column, words[name]) if name in words else int_values(column)
    return made


def numbers(column: pa.ChunkedArray, words: tuple[str, ...]) -> Array:
    """Return a text column as numbers of the names it holds."""
    first: dict[str, int] = {}
    for number, word in enumerate(words):
        # Several things may have one name. A table knows the name only, so the first stands for
        # all.
        first.setdefault(word, number)
    codes, found = text_codes(column)
    # The last entry is for null, which has code -1.
    lookup = np.array([*(first.get(word, len(words)) for word in found), -1], dtype=np.int64)
    # A name the plan does not have becomes one beyond the last, which every check refuses.
    named: Array = lookup[codes]
    return named


def first_of_name(indices: Array, words: tuple[str, ...]) -> Array:
    """Return the first number of the same name; UNKNOWN stays, other numbers below 0 are null."""
    first: dict[str, int] = {}
    for number, word in enumerate(words):
        first.setdefault(word, number)
    # -1 picks the last entry, which is -1 again: null stays null.
    lookup = np.array([*(first[word] for word in words), -1], dtype=np.int64)
    known = (indices >= 0) & (indices < len(words))
    named = lookup[np.where(known, indices, -1)]
    made: Array = np.where(indices == UNKNOWN, UNKNOWN, named)
    return made


def shown(value: int, words: tuple[str, ...] | None) -> str:
    """Return a cell as a reader knows it."""
    if words is None:
        return "null" if value == NULL else str(value)
    if value < 0:
        return "null"
    return words[value] if value < len(words) else "a name the plan does not have"
