"""Say a compiled plan in words.

Takes a :class:`~sim.compiler.compile.Compiled` scenario; gives text.
"""

from __future__ import annotations

from sim.compiler.compile import Compiled


def explain_plan(compiled: Compiled) -> str:
    """Return the plan in words, the same text for the same scenario on every machine."""
    return f"Scenario {compiled.scenario.scenario}\n"
