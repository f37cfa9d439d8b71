"""What a refund moves: all that a payment has moved, the other way.

Takes the moves of a route, in order; gives those of its refund.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sim.rails.stages import Move


def moves_back(moves: Sequence[Move], refunded: Mapping[str, str] | None) -> tuple[Move, ...]:
    """Return what a refund moves, the last first.

    Parameters
    ----------
    moves : sequence of Move
        What a completed payment has moved, in order.
    refunded : mapping of str to str or None
        The account that pays in place of the one the payment came to, where it is another. None:
        nothing is paid back.
    """
    if refunded is None:
        return ()
    back = [move.reversed() for move in reversed(moves)]
    return tuple(
        replace(move, debit=refunded.get(move.debit, move.debit))
        if isinstance(move.debit, str)
        else move
        for move in back
    )
