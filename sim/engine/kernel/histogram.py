"""Count durations in the cells of a histogram, as machine code.

Takes a duration in microseconds; gives its cell, the same as ``records.histogram_bucket``.
"""

from __future__ import annotations

from sim.contract.records import HISTOGRAM_SUB_BITS
from sim.jit.functions import called

_LINEAR = 1 << HISTOGRAM_SUB_BITS


@called
def bucket(value: int) -> int:
    """Return ``records.histogram_bucket`` of a duration."""
    octave = 0
    rest = value >> HISTOGRAM_SUB_BITS
    # Nearly all waits are below some seconds: halving the search space first would cost more.
    while rest > 1:
        rest >>= 1
        octave += 1
    return value if value < _LINEAR else (octave << HISTOGRAM_SUB_BITS) + (value >> octave)
