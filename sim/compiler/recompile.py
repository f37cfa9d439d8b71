"""Compile the scenario of a finished run again.

Takes a run folder; gives the compiled scenario it was made from. The plan is not stored with a run
but compiled from the folder's own ``scenario.yaml``, and its hash is compared with the one noted.
"""

from __future__ import annotations

from typing import cast

from sim.compiler.compile import Compiled, compile_scenario
from sim.errors import UserError
from sim.scenario.scenario import load_scenario
from sim.tables.digest import plan_hash
from sim.tables.finished_run import SCENARIO_FILE, FinishedRun


def compile_again(run: FinishedRun, replication: int = 0) -> Compiled:
    """Return the compiled scenario of a run.

    Parameters
    ----------
    run : FinishedRun
        From :func:`~sim.tables.open_run.open_run`.
    replication : int
        Which one.

    Raises
    ------
    UserError
        If the plan is not the one that was run.
    """
    # The file as it was run, which may since have changed where the user keeps it.
    path = run.path / SCENARIO_FILE
    if not path.exists():
        raise UserError(f"{path}: missing, so the run's plan cannot be compiled; run it again")
    seed = int(cast(int, run.facts["seed"]))
    compiled = compile_scenario(load_scenario(path), seed=seed, replication=replication)
    found = plan_hash(compiled.plan)
    # Rate paths are part of the plan, so only the first replication has the hash that was noted.
    if replication == 0 and found != run.facts["plan_hash"]:
        raise UserError(
            f"{path}: compiles to plan {found}, but the run was made with plan "
            f"{run.facts['plan_hash']}; the file or the software has changed since, run it again"
        )
    return compiled
