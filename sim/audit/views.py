"""The audit's entrances from Python: compiled code sees a world as one table of pointers.

Takes a :class:`~sim.audit.world.World` and rows; hands them to compiled code, or to the same
functions in plain Python where nothing is compiled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_type_hints

from sim.audit.prices import price_all, worth_all
from sim.audit.rows import finish, replay
from sim.audit.world import World
from sim.contract.plan import Array
from sim.jit.cache import compiled, is_jit_disabled
from sim.jit.tables import TableType, pointer_to

_WORLD = TableType(
    "WorldTable",
    {
        name: (hint.__metadata__[0], None)
        for name, hint in get_type_hints(World, include_extras=True).items()
    },
)
_as_world = pointer_to(_WORLD)


@compiled
def replay_words(words: Array, rows: Array) -> None:
    """Replay rows over the table of a world."""
    replay(_as_world(words), rows)


@compiled
def finish_words(words: Array) -> None:
    """Finish a replay over the table of a world."""
    finish(_as_world(words))


@compiled
def price_words(words: Array, asked: Array, found: Array) -> None:
    """Price over the table of a world."""
    price_all(_as_world(words), asked, found)


@compiled
def worth_words(words: Array, asked: Array, found: Array) -> None:
    """Value credited amounts over the table of a world."""
    worth_all(_as_world(words), asked, found)


def replay_rows(w: World, rows: Array) -> None:
    """Replay rows of a log; stop for good at a row that names what does not exist."""
    _enter(replay, replay_words, w, rows)


def finish_replay(w: World) -> None:
    """Check what must hold at the end of a run."""
    _enter(finish, finish_words, w)


def price_rows(w: World, asked: Array, found: Array) -> None:
    """Fill the registers of many prices.

    Parameters
    ----------
    w : World
        Of the plan whose prices are meant.
    asked : ndarray of int64, shape (rows, 4)
        Number of the price, instructed amount, instants of the quote and of the submission.
    found : ndarray of int64, shape (rows, REGISTER_COUNT)
        Receives the registers.
    """
    _enter(price_all, price_words, w, asked, found)


def worth_rows(w: World, asked: Array, found: Array) -> None:
    """Fill in what many credited amounts are worth.

    Parameters
    ----------
    w : World
        Of the plan whose prices are meant.
    asked : ndarray of int64, shape (rows, 3)
        Number of the price, credited amount, instant of the rates.
    found : ndarray of int64, shape (rows,)
        Receives minor units of the debited currency.
    """
    _enter(worth_all, worth_words, w, asked, found)


def _enter(
    plain: Callable[..., None], over_words: Callable[..., None], w: World, *arrays: Any
) -> None:
    """Call a function of a world, compiled where anything is."""
    if is_jit_disabled():
        plain(w, *arrays)
    else:
        # Described anew for each call, since between two calls pools are replaced by longer ones.
        over_words(_WORLD.describe(w._asdict()), *arrays)
