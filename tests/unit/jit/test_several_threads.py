"""Rooms that several threads load keep their machine code side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numba
import pytest

from sim.jit import cache


def test_a_room_is_not_looked_for_while_another_is_decorated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Path | None] = []
    others: list[threading.Thread] = []

    def slow(**options: object) -> Callable[[object], object]:
        # Numba's directory is ours for as long as this takes.
        others.append(threading.Thread(target=lambda: found.append(cache.find_directory("tables"))))
        others[0].start()
        others[0].join(0.3)
        return lambda function: function

    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(numba, "njit", slow)
    monkeypatch.setattr(cache, "_with_part", lambda whole, function: whole)
    monkeypatch.setattr(cache, "is_jit_disabled", lambda: False)
    cache.find_directory.cache_clear()
    try:
        cache.cached_njit(cache.source_digest)
        others[0].join()
    finally:
        cache.find_directory.cache_clear()
    assert found == [tmp_path / "payroute" / cache.source_digest("tables")]
