"""No circle of files: whoever reads one file never needs it to understand what it stands on.

Imports of a module and those for type checkers count, those inside functions do not. Circles
between folders are impossible by the contracts of import-linter in ``pyproject.toml``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "sim").rglob("*.py"))
}

KNOWN: tuple[frozenset[str], ...] = ()
"""Circles there are; the list may shrink, not grow."""


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield child
            yield from _outside_functions(child)


def _imported(text: str) -> set[str]:
    """Return the modules of ours a source imports outside its functions."""
    found = set()
    for node in _outside_functions(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found.add(whole if whole in MODULES else str(node.module))
    return found & MODULES.keys()


def _circles(graph: Mapping[str, set[str]]) -> list[frozenset[str]]:
    """Return the largest sets of modules in which each reaches every other."""
    reached = {name: _reached(graph, name) for name in graph}
    return sorted(
        {
            frozenset(other for other in reached[name] if name in reached[other])
            for name in graph
            if name in reached[name]
        },
        key=sorted,
    )


def _reached(graph: Mapping[str, set[str]], name: str) -> set[str]:
    seen: set[str] = set()
    waiting = list(graph[name])
    while waiting:
        at = waiting.pop()
        if at not in seen:
            seen.add(at)
            waiting += graph[at]
    return seen


def _graph() -> dict[str, set[str]]:
    return {
        name: _imported(path.read_text(encoding="utf-8")) - {name} for name, path in MODULES.items()
    }


def test_files_import_each_other_in_no_new_circle() -> None:
    found = _circles(_graph())
    new = [sorted(circle) for circle in found if not any(circle <= known for known in KNOWN)]
    assert not new, f"new circles: {new}"
    mended = [sorted(known) for known in KNOWN if not any(circle <= known for circle in found)]
    assert not mended, f"no circle any more, take it off the list: {mended}"
    larger = [sorted(known - set().union(*found)) for known in KNOWN]
    assert not any(larger), f"no longer in a circle, take them off the list: {larger}"


def test_the_search_for_circles_finds_them() -> None:
    assert _circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [frozenset({"b", "c"})]
    assert _imported("from sim.contract import plan\ndef f():\n    import sim.errors\n") == {
        "sim.contract.plan"
    }
