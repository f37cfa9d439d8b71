"""Try scenario after scenario, seed after seed, and say how to come back to what failed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sim.scenario.tree_text import tree_text
from sim.study.fuzz.check import Finding, Tried, try_scenario
from sim.study.fuzz.draw import Drawn, Tree, draw_scenario
from sim.study.fuzz.shrink import shrink


@dataclass(frozen=True, slots=True)
class Failure:
    """A seed whose scenario fails a check.

    Attributes
    ----------
    seed : int
    finding : Finding
    told : tuple of str
        How the scenario was drawn.
    path : Path or None
        Smallest scenario that fails in the same way, None where nothing was kept.
    """

    seed: int
    finding: Finding
    told: tuple[str, ...]
    path: Path | None


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """What trying many scenarios came to.

    Attributes
    ----------
    first_seed, runs : int
    payments, rows : int
        In all of them.
    failures : tuple of Failure
    seconds : float
    """

    first_seed: int
    runs: int
    payments: int
    rows: int
    failures: tuple[Failure, ...]
    seconds: float


def fuzz(
    seed: int,
    *,
    runs: int | None = None,
    minutes: float | None = None,
    keep: Path | None = None,
    notice: Callable[[int, Tried], None] | None = None,
) -> Fuzzed:
    """Try the scenarios of a seed and of those behind it.

    Parameters
    ----------
    seed : int
        The first.
    runs : int, optional
        How many.
    minutes : float, optional
        For how long, where no number of runs is given.
    keep : Path, optional
        Folder that receives the smallest scenario of each failure.
    notice : callable, optional
        Told after each seed.
    """
    began = time.monotonic()
    until = began + 60 * (minutes or 0)
    failures: list[Failure] = []
    done = payments = rows = 0
    while done < runs if runs is not None else time.monotonic() < until:
        drawn = draw_scenario(seed + done)
        tried = try_scenario(drawn.tree)
        payments, rows = payments + tried.payments, rows + tried.rows
        if tried.finding is not None:
            failures.append(_failure(drawn, tried.finding, keep))
        done += 1
        if notice is not None:
            notice(drawn.seed, tried)
    return Fuzzed(seed, done, payments, rows, tuple(failures), time.monotonic() - began)


def _failure(drawn: Drawn, finding: Finding, keep: Path | None) -> Failure:
    path = None
    if keep is not None:

        def fails(tree: Tree) -> bool:
            again = try_scenario(tree, with_tables=finding.check == "tables")
            return again.finding is not None and again.finding.check == finding.check

        smallest = shrink(drawn.tree, fails)
        keep.mkdir(parents=True, exist_ok=True)
        path = keep / f"fuzz-{drawn.seed}.yaml"
        head = f"# {finding.check}: {finding.message}\n# {replay(drawn.seed)}\n"
        path.write_text(head + tree_text(smallest), encoding="utf-8")
    return Failure(drawn.seed, finding, drawn.told, path)


def replay(seed: int) -> str:
    """Return the command that tries a seed again."""
    return f"payroute fuzz --seed {seed} --runs 1"
