"""What ``import sim`` offers: one function that runs a scenario.

Takes a scenario file and options in Python's words; gives a
:class:`~sim.experiment.result.Result`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sim.experiment.result import Result
from sim.experiment.run import run_scenario


def run(
    path: Path | str,
    *,
    seed: int | None = None,
    overrides: Mapping[str, object] | None = None,
    engine: str = "compiled",
    record: str = "payments",
    audit: bool = False,
    out: Path | str | None = None,
    force: bool = False,
) -> Result:
    """Run a scenario and return its result.

    Parameters
    ----------
    path : Path or str
        The scenario file.
    seed : int, optional
        Seed of all luck, in place of the scenario's own.
    overrides : mapping, optional
        Fields to change, by dotted path, as in ``{"routing.policy": "fastest"}``.
    engine : str
        ``compiled`` or ``reference``.
    record : str
        ``none``, ``payments``, ``stages`` or ``events``.
    audit : bool
        Whether the event log is replayed independently on the way.
    out : Path or str, optional
        The run folder itself; by default one below ``results/``.
    force : bool
        Whether a finished run at ``out`` may be replaced.

    Returns
    -------
    Result
        ``summary["success_rate"]`` is a measure that turns into a float; ``payments`` is an Arrow
        table; ``folder`` is where everything was written.

    Raises
    ------
    UserError
        With every mistake in the scenario or in the options.
    MachineError
        If the folder cannot be written.
    """
    return run_scenario(
        path,
        seed=seed,
        engine=engine,
        record=record,
        audit=audit,
        out=out,
        force=force,
        overrides=overrides or {},
    )
