"""Where the moves of a program lie among a plan's transfer rows.

Takes a program; gives FIRST and COUNT of the stages that reserve and post.
"""

from __future__ import annotations

from collections.abc import Callable

from sim.contract.meaning import Op
from sim.rails.stages import Move, Program


class TransferRows:
    """Transfer rows of one program, laid as its stages ask for them.

    A stage posts rows that follow each other, and a reserved move is posted through the row it was
    reserved by. So the whole block of a posting stage is laid where the first of its moves is
    reserved, and looked up when the stage itself is reached.

    Parameters
    ----------
    program : Program
    lay : callable
        Adds the row of a move and returns its number.
    """

    def __init__(self, program: Program, lay: Callable[[Move], int]) -> None:
        self._program, self._lay = program, lay
        self._first: dict[int, int] = {}
        self._reserved: dict[Move, int] = {}

    def of(self, position: int) -> tuple[int, int]:
        """Return the first row of a stage that reserves or posts, -1 for none, and their number."""
        stage = self._program[position]
        if stage.op is not Op.RESERVE:
            if position not in self._first:
                self._first[position] = self._block(stage.moves, {})
            return self._first[position], len(stage.moves)
        (move,) = stage.moves
        if move not in self._reserved:
            poster = self._poster(position, move)
            self._first[poster] = self._block(self._program[poster].moves, self._reserved)
        return self._reserved[move], 1

    def _poster(self, position: int, move: Move) -> int:
        """Return the stage that posts what a stage reserves: the next one that names the move."""
        for later in range(position + 1, len(self._program)):
            stage = self._program[later]
            if stage.op in (Op.POST, Op.BATCH, Op.SETTLE) and move in stage.moves:
                return later
        raise AssertionError(f"{self._program[position].label}: nothing posts what it reserves")

    def _block(self, moves: tuple[Move, ...], reserved: dict[Move, int]) -> int:
        """Add the rows of a block and return the first, -1 for none."""
        rows = [self._lay(move) for move in moves]
        reserved.update(zip(moves, rows, strict=True))
        return rows[0] if rows else -1
