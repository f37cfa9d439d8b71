"""Draw a scenario from one seed: whole features switched off, and values changed by their types.

Takes a number; gives the text of a scenario that validates. It begins with the file in which every
field of the schema stands, so what can be drawn grows with the schema: features are taken out with
all that depends on them, then values are put in place of others, the extremes of their types among
them. What the checks refuse is taken back, so every drawn scenario is one a user could run.
"""

from __future__ import annotations

import copy
import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sim.compiler.compile import Compiled, compile_scenario
from sim.errors import ScenarioError
from sim.model.base import FieldPath
from sim.model.distributions import DurationDistribution
from sim.scenario.scenario import LoadedScenario, load_scenario
from sim.scenario.tree_text import tree_text
from sim.study.fuzz import own_policy
from sim.study.fuzz.field_changes import Place, change, extremes, places, value_at
from sim.workload.arrivals import HAZARD_UNIT

EVERYTHING = Path(__file__).with_name("everything.yaml")
"""Scenario in which every field of the schema stands at least once."""

_SECTIONS = (
    *("demand", "corridors", "rails", "disruptions", "windows", "accounts", "institutions"),
    "shops",
)
_OFF_SHARES = (0.1, 0.4, 0.7)
_CHANGES_MAX = 24
_BATCH = 4
_REPAIRS_MAX = 8
_PAYMENTS_EACH = 40
"""Payments of a stream at most: the reference engine is slow, and trouble shows with few."""
_GRID = ("0 s", "0.1 s", "1 s")
"""Durations of a clock on which much happens at one instant."""
_LONG = {
    ("clock", "horizon"): "6 d",
    ("clock", "warm_up"): "0 s",
    ("fx", "step"): "6 h",
    ("routing", "view_interval"): "6 h",
}
"""Changes that make a run of days in which files are cleared and top-ups arrive."""
_ROUNDS_MAX = 40_000
_PAYMENTS_MAX = 1_600
"""Most rounds and payments: more is allowed to a user and takes long."""

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A scenario, and how it came about.

    Attributes
    ----------
    seed : int
    tree : dict
        As it would be written.
    told : tuple of str
        What was taken out and what was changed.
    """

    seed: int
    tree: Tree
    told: tuple[str, ...]

    @property
    def text(self) -> str:
        """Return the scenario as YAML text."""
        return tree_text(self.tree)


def draw_scenario(seed: int) -> Drawn:
    """Draw the scenario of a seed.

    Parameters
    ----------
    seed : int
        From 0.
    """
    # Text as a seed is hashed whole, so that neighbouring numbers have nothing in common.
    chance = random.Random(f"payroute fuzz {seed}")
    tree, told = copy.deepcopy(_everything().document.tree), []
    share = chance.choice(_OFF_SHARES)
    off = [part for part in _parts(tree) if chance.random() < share]
    taken = without(tree, off)
    if taken is not None:
        tree = taken
        told += ["without " + ".".join(map(str, part)) for part in off]
    tree, more = _bounded(tree, chance)
    told += more
    for _ in range(chance.randint(1, _CHANGES_MAX) // _BATCH + 1):
        tree, more = _changed(tree, chance)
        told += more
    return Drawn(seed, tree, tuple(told))


@cache
def _everything() -> LoadedScenario:
    # The file names a policy of the user's own, which importing has made known.
    assert own_policy.SUMS_UP
    return load_scenario(EVERYTHING)


def load_tree(tree: Tree) -> LoadedScenario:
    """Load a scenario from its tree.

    Raises
    ------
    ScenarioError
        With every problem.
    """
    with tempfile.TemporaryDirectory(prefix="payroute-") as folder:
        path = Path(folder) / "drawn.yaml"
        path.write_text(tree_text(tree), encoding="utf-8")
        return load_scenario(path)


def valid(tree: Tree) -> Compiled | None:
    """Return a scenario compiled, None where the checks refuse it or a run would take hours."""
    try:
        compiled = compile_scenario(load_tree(tree), with_tables=False)
    except ScenarioError:
        return None
    return compiled if _is_short(compiled) else None


def _is_short(compiled: Compiled) -> bool:
    """Tell whether a run takes seconds: it is no use to learn that long runs take long."""
    scenario, horizon_us = compiled.scenario, compiled.plan.horizon_us
    gaps = [scenario.routing.view_interval, scenario.fx.step]
    gaps += [ledger.round_interval_us for ledger in compiled.ledgers]
    expected = sum(
        demand.count_max if demand.count_max >= 0 else int(demand.hazard[-1]) / HAZARD_UNIT
        for demand in compiled.demands
        if demand.written is None
    )
    return expected <= _PAYMENTS_MAX and horizon_us / max(min(gaps), 1) <= _ROUNDS_MAX


def _parts(tree: Tree) -> list[FieldPath]:
    """Return what can be switched off: every entry of a section, in order."""
    return [(section, name) for section in _SECTIONS for name in tree.get(section, {})]


def without(tree: Tree, parts: Sequence[FieldPath]) -> Tree | None:
    """Return a scenario without some parts and whatever cannot stand without them.

    Parameters
    ----------
    tree : dict
    parts : sequence of path

    Returns
    -------
    dict or None
        None where no valid scenario is left.
    """
    left = copy.deepcopy(tree)
    for part in parts:
        take_out(left, part)
    for _ in range(_REPAIRS_MAX):
        try:
            compile_scenario(load_tree(left), with_tables=False)
            return left
        except ScenarioError as error:
            # Whatever complains goes, too: corridors without a rail, demand without a corridor.
            gone = [take_out(left, path) for path in _complaining(error)]
            if not any(gone):
                return None
    return None


def _complaining(error: ScenarioError) -> Iterator[FieldPath]:
    for problem in error.problems:
        path = tuple(problem.path.split("."))
        # A field of an entry, or the entry where the field is one it needs.
        yield path[: max(2, len(path) - 1)] if len(path) > 3 else path[:2]


def take_out(tree: Tree, path: FieldPath) -> bool:
    """Take a part out of a tree; tell whether it was there."""
    node: Any = tree
    for step in path[:-1]:
        if isinstance(node, list) and str(step).isdigit() and int(step) < len(node):
            node = node[int(step)]
        elif isinstance(node, dict) and step in node:
            node = node[step]
        else:
            return False
    key = path[-1]
    if isinstance(node, list):
        if not str(key).isdigit() or int(key) >= len(node) or len(node) == 1:
            return False
        del node[int(key)]
        return True
    if not isinstance(node, dict) or key not in node:
        return False
    del node[key]
    return True


def _bounded(tree: Tree, chance: random.Random) -> tuple[Tree, list[str]]:
    """Bound the payments, and make the run long or its clock coarse where chance has it."""
    told = []
    bounded = copy.deepcopy(tree)
    for demand in bounded.get("demand", {}).values():
        if "rate" in demand:
            demand["count"] = str(chance.randint(1, _PAYMENTS_EACH))
    tree = bounded if valid(bounded) is not None else tree
    if chance.random() < 0.3:
        long = copy.deepcopy(tree)
        for (section, field), value in _LONG.items():
            long.setdefault(section, {})[field] = value
        rails = load_tree(tree).scenario.rails
        for name, rail in long.get("rails", {}).items():
            if hasattr(rails[name], "round_interval"):
                rail |= {"round_interval": "20 s", "idle_interval": "10 min"}
        for demand in long.get("demand", {}).values():
            if "rate" in demand:
                demand["rate"] = f"{chance.randint(5, 60)} /day"
        # Without what is meant for minutes, as failures every half minute are.
        left = without(long, ())
        if left is not None and valid(left) is not None:
            tree = left
            told.append("a run of six days")
    if chance.random() < 0.4:
        tree, told = _on_a_grid(tree, chance, told)
    return tree, told


def _on_a_grid(tree: Tree, chance: random.Random, told: list[str]) -> tuple[Tree, list[str]]:
    """Let durations be few round ones, so that much happens at one instant."""
    coarse, scenario = copy.deepcopy(tree), load_tree(tree).scenario
    for place in places(load_tree(tree)):
        if isinstance(value_at(scenario, place.path), DurationDistribution):
            change(coarse, scenario, place, chance.choice(_GRID))
    if valid(coarse) is None:
        return tree, told
    return coarse, [*told, "durations on a grid"]


def _changed(tree: Tree, chance: random.Random) -> tuple[Tree, list[str]]:
    """Change a few values at random places; what the checks refuse is taken back."""
    loaded = load_tree(tree)
    known = tuple(places(loaded))
    chosen: list[tuple[Place, Any]] = []
    for place in chance.sample(known, min(_BATCH, len(known))):
        # One in four is at the edge of what a field may be.
        values = extremes(loaded, place) if chance.random() < 0.25 else place.others
        if values:
            chosen.append((place, chance.choice(values)))
    for count in range(len(chosen), 0, -1):
        made = copy.deepcopy(tree)
        try:
            for place, other in chosen[:count]:
                change(made, loaded.scenario, place, other)
        except LookupError:
            continue
        if valid(made) is not None:
            told = [f"{'.'.join(map(str, p.path))} = {value!r}" for p, value in chosen[:count]]
            return made, told
    return tree, []
