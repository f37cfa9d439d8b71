"""The compiled kernel, from the cache of machine code or compiled into it.

Takes nothing; gives ``loop.run`` as a function of a plan, a state and a budget. Where
the machine code lies, and when it is still good, is in ``sim.jit.cache``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import cast

from sim.contract.plan import Array, Plan
from sim.engine.kernel.loop import run
from sim.engine.kernel.state import KernelState
from sim.jit.cache import cached_njit, find_directory, is_jit_disabled

Kernel = Callable[[Plan, KernelState, int], int]
_Tables = Callable[[Array, Array, int], int]


@cache
def load_kernel() -> Kernel:
    """Return ``loop.run``, compiled on first call or read from the cache."""
    if is_jit_disabled():
        return run
    from sim.engine.kernel.views import describe_plan, describe_state, run_tables

    compiled = cast(_Tables, cached_njit(run_tables, error_model="python", _nrt=False))

    def kernel(plan: Plan, state: KernelState, budget: int) -> int:
        return compiled(describe_plan(plan), describe_state(state), budget)

    return kernel


def is_compiled_cached() -> bool:
    """Tell whether a first run will find the kernel's machine code instead of compiling it."""
    if is_jit_disabled():
        return True
    directory = find_directory()
    # Other functions share the directory, so it is the entry of the kernel that has to be there.
    return directory is not None and any(directory.rglob("*run_tables*.nbc"))
