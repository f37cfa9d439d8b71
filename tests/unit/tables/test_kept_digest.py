"""The digest that can be written down is the library's, wherever rows are cut."""

from __future__ import annotations

import copy
import os
import subprocess
import sys

import numpy as np
import pytest

from sim.tables.digest import RollingDigest
from sim.tables.kept_digest import KeptDigest


@pytest.mark.parametrize("words", [0, 1, 15, 16, 17, 31, 32, 33, 1000])
def test_digest_is_the_one_of_the_library_at_every_length(words: int) -> None:
    rows = np.random.default_rng(words).integers(-(2**62), 2**62, words)
    mine, theirs = KeptDigest(), RollingDigest()
    mine.take(rows)
    theirs.take(rows)
    assert mine.text() == theirs.text()


def test_digest_does_not_depend_on_where_rows_are_cut() -> None:
    rows = np.random.default_rng(7).integers(-(2**62), 2**62, (500, 8))
    theirs = RollingDigest()
    theirs.take(rows)
    for size in (1, 2, 3, 16, 499):
        mine = KeptDigest()
        for first in range(0, 500, size):
            mine.take(rows[first : first + size])
            # Asked for on the way, it changes nothing.
            mine.text()
        assert mine.text() == theirs.text()


def test_copy_of_the_state_goes_on_like_the_original() -> None:
    rows = np.random.default_rng(8).integers(0, 2**63, (40, 3))
    first = KeptDigest()
    first.take(rows)
    second = copy.deepcopy(first)
    for one in (first, second):
        one.take(rows[::-1])
    assert first.text() == second.text()
    other = KeptDigest()
    other.take(rows[::-1])
    assert other.text() != first.text()


def test_digest_is_the_same_without_machine_code() -> None:
    program = (
        "import numpy as np\n"
        "from sim.tables.kept_digest import KeptDigest\n"
        "from sim.tables.digest import RollingDigest\n"
        "rows = np.arange(-300, 300) ** 7\n"
        "one, other = KeptDigest(), RollingDigest()\n"
        "one.take(rows); other.take(rows)\n"
        "assert one.text() == other.text()\n"
    )
    subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        check=True,
    )
