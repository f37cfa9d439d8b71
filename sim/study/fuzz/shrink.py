"""Make a scenario that fails a check as small as it can be and still fail it.

Takes a tree and what it fails; gives a smaller tree. Parts are taken out one after the other, the
largest first; a part stays where the scenario no longer validates or no longer fails without it.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from typing import Any

from sim.model.base import FieldPath
from sim.study.fuzz.draw import Tree, take_out, without

_DEPTH_MAX = 5


def shrink(tree: Tree, fails: Callable[[Tree], bool], *, seconds: float = 120) -> Tree:
    """Return a smaller scenario that fails as well.

    Parameters
    ----------
    tree : dict
        Fails.
    fails : callable
        Whether a scenario fails in the same way.
    seconds : float
        How long to look; what was reached by then is given.
    """
    until = time.monotonic() + seconds
    smallest = tree
    for depth in range(2, _DEPTH_MAX + 1):
        for path in list(_paths(smallest, depth)):
            if time.monotonic() > until:
                return smallest
            # With what depends on it first; deeper parts have nothing that does.
            made = without(smallest, [path]) if depth == 2 else _taken(smallest, path)
            if made is not None and made != smallest and fails(made):
                smallest = made
    return smallest


def _taken(tree: Tree, path: FieldPath) -> Tree | None:
    left = copy.deepcopy(tree)
    return left if take_out(left, path) else None


def _paths(tree: Tree, depth: int) -> Iterator[FieldPath]:
    """Yield the paths of a depth, lists from their end: what is taken out renumbers the rest."""

    def walk(node: Any, path: FieldPath) -> Iterator[FieldPath]:
        if len(path) == depth:
            yield path
            return
        if isinstance(node, dict):
            for key, item in node.items():
                yield from walk(item, (*path, key))
        elif isinstance(node, list):
            for position in range(len(node) - 1, -1, -1):
                yield from walk(node[position], (*path, position))

    yield from walk(tree, ())
