"""The generator gives the published answers, however it is run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from sim.draws import lookup
from sim.draws.keys import stream_key
from sim.draws.quantile import build_table
from sim.draws.threefry import threefry4x32

# Known answers published with Random123 (Salmon et al. 2011): key, counter, words.
KNOWN_ANSWERS = [
    pytest.param(
        "00000000 00000000 00000000 00000000",
        "00000000 00000000 00000000 00000000",
        "9c6ca96a e17eae66 fc10ecd4 5256a7d8",
        id="zeros",
    ),
    pytest.param(
        "ffffffff ffffffff ffffffff ffffffff",
        "ffffffff ffffffff ffffffff ffffffff",
        "2a881696 57012287 f6c7446e a16a6732",
        id="ones",
    ),
    pytest.param(
        "a4093822 299f31d0 082efa98 ec4e6c89",
        "243f6a88 85a308d3 13198a2e 03707344",
        "59cd1dbb b8879579 86b5d00c ac8b6d84",
        id="digits-of-pi",
    ),
]

PLAIN: Callable[..., tuple[int, ...]] = getattr(threefry4x32, "py_func", threefry4x32)

# Everything a draw consists of, in numbers that a child process can print.
PROGRAM = """
import json, sys
import numpy as np
from sim.draws import lookup
from sim.draws.quantile import build_table
from sim.draws.threefry import threefry4x32

key = np.array(json.loads(sys.argv[1]))
table = build_table("lognormal", {"median": 9e5, "sigma": 1.8})
rows = []
for n in (0, 1, 77, 2**32 + 5):
    u, w = lookup.draw62_pair(key, n, 12345, 3)
    deep = u >> (n % 45)
    rows.append([*threefry4x32(*(int(word) for word in key), n & 0xFFFFFFFF, n >> 32, 9, 9), u, w,
                 lookup.draw62(key, n, 12345, 3), lookup.quantile(table, 0, u),
                 lookup.quantile(table, 0, deep), lookup.quantile(table, 0, 2**62 - 1 - deep),
                 lookup.index_below(w, 1000), int(lookup.is_hit(w, 2**61)),
                 lookup.weighted_index(w, np.array([2**60, 2**61, 2**62]), 0, 3)])
print(json.dumps([hasattr(threefry4x32, "py_func"), [[int(x) for x in row] for row in rows]]))
"""


def _words(text: str) -> list[int]:
    return [int(word, 16) for word in text.split()]


def _run(jit: bool, key: list[int]) -> tuple[bool, list[list[int]]]:
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "0" if jit else "1"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(key)],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    is_compiled, rows = json.loads(done.stdout)
    return is_compiled, rows


@pytest.mark.parametrize(("key", "counter", "words"), KNOWN_ANSWERS)
@pytest.mark.parametrize("function", [threefry4x32, PLAIN], ids=["compiled", "plain"])
def test_words_are_the_published_ones(
    function: Callable[..., tuple[int, ...]], key: str, counter: str, words: str
) -> None:
    assert list(function(*_words(key), *_words(counter))) == _words(words)


@pytest.mark.parametrize(("key", "counter", "words"), KNOWN_ANSWERS)
@pytest.mark.parametrize("at", range(8))
def test_one_changed_input_bit_changes_every_word(
    key: str, counter: str, words: str, at: int
) -> None:
    inputs = _words(key) + _words(counter)
    inputs[at] ^= 1
    changed = PLAIN(*inputs)
    assert all(a != b for a, b in zip(changed, _words(words), strict=True))


@pytest.mark.slow
def test_draws_are_equal_compiled_uncompiled_and_in_plain_python() -> None:
    key = list(stream_key(0, 0, "payment", "cn_counter"))
    was_compiled, compiled_rows = _run(True, key)
    was_uncompiled, uncompiled_rows = _run(False, key)
    assert (was_compiled, was_uncompiled) == (True, False)
    assert compiled_rows == uncompiled_rows

    # Plain Python: no NumPy array anywhere, integers of unlimited size, so that a value which
    # leaves int64 would show as a difference.
    table = build_table("lognormal", {"median": 9e5, "sigma": 1.8}).tolist()
    quantile = getattr(lookup.quantile, "py_func", lookup.quantile)
    for n, row in zip((0, 1, 77, 2**32 + 5), compiled_rows, strict=True):
        assert list(PLAIN(*key, n & 0xFFFFFFFF, n >> 32, 9, 9)) == row[:4]
        w0, w1, w2, w3 = PLAIN(*key, n & 0xFFFFFFFF, n >> 32, 12345, 3)
        u, w = (w0 << 30) | (w1 >> 2), (w2 << 30) | (w3 >> 2)
        deep = u >> (n % 45)
        assert row[4:7] == [u, w, u]
        assert row[7:10] == [quantile(table, 0, x) for x in (u, deep, 2**62 - 1 - deep)]
        assert row[10:] == [w * 1000 >> 62, int(w < 2**61), 0 if w < 2**60 else 1 + (w >= 2**61)]
