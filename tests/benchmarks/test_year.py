"""The year of the library, payment by payment, in the memory of a week of it.

It takes a processor an hour and more. Run it alone: ``pytest tests/benchmarks/test_year.py --large
-n 0 -s``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

COMPLETED = {"kh_khr": 771.2e6, "kh_usd": 554.5e6}
"""Transfers of 2025 (NBC annual report 2025)."""
MEMORY_GROWTH_MAX = 1.3
"""Of the year over its week: the plan of a year has a rate for every minute of it."""


def _run(out: Path, *words: str) -> tuple[dict[str, object], dict[str, object]]:
    command = [sys.executable, "-m", "sim", "run", "year-2025", "--record", "none"]
    subprocess.run([*command, "--out", str(out), *words], check=True, capture_output=True)
    told = [json.loads((out / name).read_text()) for name in ("run.json", "summary.json")]
    return told[0], told[1]


@pytest.mark.large
def test_year_completes_what_was_published_in_the_memory_of_a_week(tmp_path: Path) -> None:
    week, _ = _run(tmp_path / "week", "--set", 'clock.horizon="7 d"')
    year, summary = _run(tmp_path / "year", "--checkpoint", "7d")
    print({name: year[name] for name in ("payments", "wall_seconds", "engine_seconds")})  # noqa: T201
    growth = float(str(year["peak_memory_bytes"])) / float(str(week["peak_memory_bytes"]))
    print(f"peak memory of the year over that of a week: {growth:.2f}")  # noqa: T201
    assert growth < MEMORY_GROWTH_MAX
    by = summary["by"]
    assert isinstance(by, dict)
    for corridor, published in COMPLETED.items():
        found = by["corridor"][corridor]["completed"]["value"]
        assert found == pytest.approx(published, rel=0.01)
