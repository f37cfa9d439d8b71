"""The arrays that payments are folded into, one by one.

Takes nothing; gives their names, shapes and columns to the folder that makes them and to the loop
that fills them.
"""

from __future__ import annotations

from typing import NamedTuple

from sim.contract.plan import Array

# Columns of ``Fold.cursor``: where the loop is, how much it found in the chunk, and the run.
ROW, CELLS, TIMED, OPEN, OWING, ROUTES, HORIZON, STEP, INTERVALS = range(9)
CURSOR_WIDTH = 9
# Columns of ``Fold.stream``.
PROMISE, SCOPE, COUNTS = 0, 1, 2
# What ``Fold.reason_kind`` says of a reason.
IS_BUSINESS, IS_TECHNICAL = 1, 2
# Rows of ``Fold.peak``: most in a second, the second at hand, and those in it.
HIGHEST, SECOND, WITHIN = 0, 1, 2


class Fold(NamedTuple):
    """Arrays of a folder, and of the chunk at hand."""

    cursor: Array
    """(CURSOR_WIDTH,)."""
    rows: Array
    """(payments, RECORD_WIDTH): the records."""
    part: Array
    """(TALLY_WIDTH,): what the payment at hand adds."""
    span: Array
    """(spans, 2): from when to when payments count."""
    slot: Array
    """(streams * routes,): row of a pair of stream and route, -1 for those not seen yet."""
    code: Array
    """(room,): the pairs seen, in the order they came."""
    tally: Array
    """(room, TALLY_WIDTH)."""
    maximum: Array
    """(room, 3)."""
    reasons: Array
    """(room, REASONS)."""
    agent: Array
    """(agents, TALLY_WIDTH)."""
    stream: Array
    """(streams, 3): promise, scope, and whether what is owed by it counts."""
    third: Array
    """(routes + 1,): the settlement agent of each route, -1 of none."""
    lined: Array
    """(routes + 1,): whether payments over a route may leave an obligation on a line."""
    reason_kind: Array
    """(reasons,)."""
    peak: Array
    """(3, 3): of each scope, and of all."""
    came: Array
    """(4, intervals + 1): who came and when within an interval, and who left and when."""
    timed: Array
    """(payments, 3): row, end-to-end and machine time of completed payments."""
    aged: Array
    """(payments, 2): row and age of open ones."""
    owing: Array
    """(payments,): those that may owe something."""
