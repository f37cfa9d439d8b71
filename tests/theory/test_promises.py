"""Hold every theory scenario to the figure its first lines promise, and both engines to each other.

That the figure is reached is tested file by file beside this one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from sim.scenario.scenario import load_scenario
from tests.theory import oracle
from tests.theory.driver import SCENARIOS, run

FOLDER = SCENARIOS / "theory"
FILES = sorted(FOLDER.glob("*.yaml"))

PROMISES: dict[str, dict[str, Callable[[], float]]] = {
    "mm1": {"3.2 s": lambda: oracle.mmc_wait(1.0, 0.8, 1)},
    "mm3": {
        "1.0787 s": lambda: oracle.mmc_wait(2.4, 1.0, 3),
        "0.6472": lambda: oracle.erlang_c(2.4, 3),
    },
    "md1": {"1.6 s": lambda: oracle.mg1_wait(1.0, 0.8, 0.8**2)},
    "mg1": {"2.125 s": lambda: oracle.mg1_wait(1.0, 0.6, 1.7)},
    "mmck": {
        "22.32 %": lambda: 100 * oracle.mmck_loss(2.2, 1.0, 2, 5),
        "0.7372 s": lambda: oracle.mmck_wait(2.2, 1.0, 2, 5),
    },
    "tandem": {
        "3.3333 s": lambda: oracle.tandem_stay(1.0, 0.5, 0.7),
        "1.6333 s": lambda: oracle.mmc_wait(1.0, 0.7, 1),
    },
    "bulk-ledger": {
        "0.86 s": lambda: oracle.bulk_wait_by_roots(9.0, 0.8, 8) + 0.1,
        "3.24": lambda: 9 * oracle.bulk_wait_by_roots(9.0, 0.8, 8) - 3.6,
    },
    "bakong-alone": {
        "0.5839 s": lambda: 0.4 + oracle.lognormal_order_mean(0.15, 0.5, rank=5, of=7),
    },
}
"""Figures in a file's first lines and what theory says they are."""


def _head(path: Path) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    return " ".join(line.removeprefix("#").strip() for line in lines if line.startswith("#"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_promises_what_theory_says(path: Path) -> None:
    head = _head(path)
    assert "theory" in head.lower()
    for words, figure in PROMISES[path.stem].items():
        (digits,) = re.findall(r"^[\d.]+", words)
        assert re.search(rf"(?<![\d.]){re.escape(words)}(?![\d.]*\d)", head), words
        places = len(digits.partition(".")[2])
        assert f"{figure():.{places}f}" == digits


def test_every_file_promises_something() -> None:
    assert {path.stem for path in FILES} == set(PROMISES)


@pytest.mark.slow
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_both_engines_do_the_same(path: Path) -> None:
    # The equivalence suite compares the first payments of each; here a warm-up ends among them.
    horizon = {"bakong-alone": "2 s", "bulk-ledger": "200 s"}.get(path.stem, "1000 s")
    settings = [f"clock.horizon={horizon}", "clock.warm_up=1 s"]
    # Each run with its log is audited.
    first, second = (run(load_scenario(path, settings), name) for name in ("reference", "compiled"))
    assert len(first.records) > 900
    assert (first.log == second.log).all()
    assert (first.records == second.records).all()
    assert (first.totals.station == second.totals.station).all()
    assert (first.totals.ledger == second.totals.ledger).all()
