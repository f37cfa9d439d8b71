"""Where the values of a quantile table lie; the one description both builder and look-up follow.

Takes nothing, gives whole numbers. A draw is a whole number u from 0 to 2**62 - 1 and stands for
the probability (u + 1/2) / 2**62.

=============  ====================================================================================
side           bit 61 of u. 0: below the median, v = u. 1: above it, v = 2**62 - 1 - u. So v counts
               from the nearer end of the distribution, 0 <= v < 2**61.
tail           v < 2**21 (probability 2**-41 on each side): one value, entry 0 of the side.
octave         j = number of zeros in front of the leading one of v, counted from bit 60: 0 to 39.
cell           the six bits after the leading one: 64 equal cells per octave.
fraction       the next 24 bits (fewer from octave 31 on, where fewer are left) place the draw in
               the middle of one of 2**24 equal parts of the cell, so that draws lie symmetrically.
=============  ====================================================================================

Node k of a side is the value at v = (64 + k % 64) * 2**(15 + k // 64): entry k + 1 of the side.
Cell k runs from node k to node k + 1; k = (39 - j) * 64 + cell. Node 2560 is the median.
"""

from __future__ import annotations

OCTAVE_COUNT = 40
CELLS_PER_OCTAVE = 64
NODE_COUNT = OCTAVE_COUNT * CELLS_PER_OCTAVE + 1
"""Nodes of one side, from tail probability 2**-41 to the median."""

SIDE_LENGTH = NODE_COUNT + 1
"""Entries of one side: the value of the tail, then the nodes."""

TABLE_LENGTH = 2 * SIDE_LENGTH
"""Entries of one table: the lower side, then the upper side."""

TAIL_END = 1 << 21
"""First v that is not in the tail."""

NODE_SPACING_BITS = 15
"""Cells of the outermost octave hold 2**15 draws each."""

FRACTION_BITS = 25
"""Width of the fraction as interpolated: 24 bits of the draw and a final one for the middle."""

VALUE_LIMIT = 1 << 53
"""No value of a table is larger; keeps interpolation inside int64, and floats exact."""
