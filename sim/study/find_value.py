"""Look for a value that holds objectives, from Python: what ``stress --vary`` does.

Takes a scenario's file, a field and objectives; gives what was found.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sim.study.arguments import checked_arguments
from sim.study.run import checked_seed

if TYPE_CHECKING:
    from sim.study.stress.varied import Varied


@checked_arguments
def find_value(
    scenario: Path | str,
    field: str,
    slo: str = "success>=99.9%",
    *,
    find: str = "smallest",
    step: str | None = None,
    tolerance: float = 0.005,
    overrides: Mapping[str, object] | None = None,
    seed: int | None = None,
    replications: int = 5,
    jobs: int = 1,
) -> Varied:
    """Find the smallest, or the largest, value of a field with which objectives are met.

    Parameters
    ----------
    scenario : Path or str
        The scenario file.
    field : str
        Dotted path of a field that holds a number, as in ``"accounts.X.balance"``.
    slo : str
        Objectives, as in ``"success>=99.9%"``.
    find : str
        ``smallest`` or ``largest``.
    step : str, optional
        Values are whole multiples of it; by default of the last digit written.
    tolerance : float
        How narrow a bracket has to be, relative.
    overrides, seed, replications, jobs
        As of :func:`~sim.study.api.stress`.

    Returns
    -------
    Varied
        ``value`` with its interval, ``holds_in_all``, ``brackets``, ``points``.

    Raises
    ------
    UserError
        With every mistake in the file or in the options.
    """
    from sim.study.pool import LocalPool
    from sim.study.run import load as load_file
    from sim.study.stress.varied import plan_search
    from sim.study.stress.vary import ValueTest
    from sim.study.stress.vary import find_value as search

    loaded = load_file(scenario, overrides or {})
    own = loaded.scenario.seed if seed is None else checked_seed(seed)
    plan = plan_search(loaded, (field, find, step), slo, (own, replications, tolerance))
    with LocalPool(jobs) as pool:
        return search(ValueTest(loaded, plan, pool))
