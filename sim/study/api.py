"""What ``import sim`` offers: run a scenario, compare arms, sweep over fields, find capacity.

Takes files and options in Python's words; gives the same results as the commands. Work is done in
this process unless ``jobs`` says otherwise; a script that asks for more processes keeps its own
work below ``if __name__ == "__main__":``, as Python's processes require.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sim.errors import OptionError, Problem
from sim.study.arguments import checked_arguments
from sim.study.case import RunOptions
from sim.study.result import Result
from sim.study.run import checked_seed, override_texts, run_scenario

if TYPE_CHECKING:
    from sim.study.cluster import ClusterPool
    from sim.study.compare.comparison import Comparison
    from sim.study.pool import LocalPool
    from sim.study.sensitivity.study import SensitivityStudy
    from sim.study.stress.study import Stress
    from sim.study.sweep.study import SweepResult


@checked_arguments
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
    replications: int | None = None,
    replication: int = 0,
    precision: str | None = None,
    jobs: int = 1,
) -> Result:
    """Run a scenario once or many times and return its result.

    Parameters
    ----------
    path : Path or str
        The scenario file.
    seed : int, optional
        Seed of all random numbers, in place of the scenario's own.
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
    replications : int, optional
        Run so often with other random numbers; every measure then has an interval (``low``,
        ``high``).
    replication : int
        Run this one of a set alone, with the same numbers as in the set.
    precision : str, optional
        Go on until it is reached, as in ``"success_rate±0.1%"``; a warning says where it was not.
    jobs : int
        Processes for replications.

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
    if replications is not None or precision is not None:
        if replication:
            raise OptionError(
                "replication", f"found {replication} together with several; allowed: alone"
            )
        from sim.study.replicate.precision import parse_precision
        from sim.study.replicate.replicate import FIRST_BATCH, HowMany, run_replications

        targets = () if precision is None else parse_precision(precision)
        count = FIRST_BATCH if replications is None else replications
        result, verdict = run_replications(
            path,
            HowMany(count, targets, jobs=jobs),
            options=RunOptions(engine, record, audit),
            seed=None if seed is None else checked_seed(seed),
            out=None if out is None else Path(out),
            force=force,
            overrides=overrides or {},
        )
        if not verdict.is_reached:
            warnings.warn("; ".join(verdict.reasons), stacklevel=2)
        return result
    return run_scenario(
        path,
        seed=seed,
        replication=replication,
        engine=engine,
        record=record,
        audit=audit,
        out=out,
        force=force,
        overrides=overrides or {},
    )


@checked_arguments
def compare(
    *files: Path | str,
    overrides: Mapping[str, object] | None = None,
    seed: int | None = None,
    replications: int | None = None,
    measures: Sequence[str] | None = None,
    baseline: str | None = None,
    same_mix: bool = False,
    oracle: bool = False,
    jobs: int = 1,
) -> Comparison:
    """Compare arms on the same customers and common random numbers.

    Parameters
    ----------
    *files : Path or str
        One experiment file, or two scenarios and more.
    overrides : mapping, optional
        Fields to change in every arm, by dotted path.
    seed, replications : int, optional
        In place of the experiment's own.
    measures : sequence of str, optional
        Keys such as ``"p99"`` or ``"corridor/cn_kh/payer_cost_bps"``.
    baseline : str, optional
        Arm the others are compared with; by default all pairs.
    same_mix : bool
        Compare shares, means and costs also at one mix of corridors, for arms whose demand differs.
    oracle : bool
        Also against the baseline (else the first arm) with oracles; ``regret`` says how much worse.
    jobs : int
        Processes.

    Returns
    -------
    Comparison
        ``pairs`` hold paired differences with intervals and a verdict in words, ``summaries`` each
        arm's measures; ``to_arrow()`` is the table of differences.

    Raises
    ------
    UserError
        With every mistake in the files or in the options.
    """
    from sim.scenario.shipped import named_file
    from sim.study.compare.arms import run_comparison, work_of_experiment, work_of_scenarios
    from sim.study.experiment_file import is_experiment, load_experiment
    from sim.study.measure_key import full_key
    from sim.study.pool import LocalPool

    changes, paths = override_texts(overrides or {}), [Path(file) for file in files]
    if len(paths) > 1 or (oracle and paths and not is_experiment(named_file(paths[0]))):
        work = work_of_scenarios(paths, changes, oracle=oracle)
    else:
        work = work_of_experiment(load_experiment(paths[0]), changes, oracle=oracle)
    plan = work.plan
    if seed is not None:
        plan = replace(plan, seed=checked_seed(seed))
    if replications is not None:
        plan = replace(plan, replications=replications)
    if measures is not None:
        plan = replace(plan, measures=tuple(map(full_key, measures)))
    if baseline is not None:
        plan = replace(plan, baseline=baseline)
    plan = replace(plan, same_mix=same_mix or plan.same_mix)
    with LocalPool(jobs) as pool:
        return run_comparison(replace(work, plan=plan), pool)


@checked_arguments
def sweep(
    experiment: Path | str,
    *,
    out: Path | str | None = None,
    overrides: Mapping[str, object] | None = None,
    replications: int | None = None,
    seed: int | None = None,
    jobs: int = 1,
    cluster: str | None = None,
) -> SweepResult:
    """Run every point of a sweep that is not finished yet.

    Parameters
    ----------
    experiment : Path or str
        The experiment file.
    out : Path or str, optional
        Folder or fsspec address of the points; by default below ``results/``.
    overrides : mapping, optional
        Fields to change in every point, by dotted path.
    replications : int, optional
        In place of the experiment's own.
    seed : int, optional
        Of every point, in place of the experiment's or the scenario's.
    jobs : int
        Processes.
    cluster : str, optional
        Address of a Dask scheduler that does the work instead.

    Returns
    -------
    SweepResult
        ``to_arrow()`` is the tidy table, a row per point.

    Raises
    ------
    UserError
        With every mistake in the file or in the options.
    MachineError
        If no scheduler answers or the folder cannot be written.
    """
    from sim.study.experiment_file import load_experiment
    from sim.study.sweep.study import default_folder, run_sweep

    loaded = load_experiment(Path(experiment))
    with _pool(jobs, cluster) as pool:
        return run_sweep(
            loaded,
            str(out or default_folder(loaded)),
            pool,
            overrides=override_texts(overrides or {}),
            replications=replications,
            seed=None if seed is None else checked_seed(seed),
        )


@checked_arguments
def stress(
    scenario: Path | str,
    slo: str = "p99<=5s",
    *,
    load: float | None = None,
    profile: str = "step",
    streams: Sequence[str] = (),
    window_s: int | None = None,
    tolerance: float = 0.005,
    overrides: Mapping[str, object] | None = None,
    seed: int | None = None,
    replications: int = 5,
    jobs: int = 1,
) -> Stress:
    """Find the highest load that meets objectives, and the bottleneck.

    Parameters
    ----------
    scenario : Path or str
        The scenario file.
    slo : str
        Objectives, as in ``"p99<=5s,success>=99.5%"``.
    load : float, optional
        Payments per second; tests this load only.
    profile : str
        ``step``, ``ramp`` or ``soak``.
    streams : sequence of str
        Demand that scales; by default all.
    window_s : int, optional
        Seconds measured, at least 600.
    tolerance : float
        How narrow the bracket around the capacity has to be, relative.
    overrides : mapping, optional
        Fields to change, by dotted path.
    seed : int, optional
        In place of the scenario's own.
    replications : int
        Runs of every load.
    jobs : int
        Processes.

    Returns
    -------
    Stress
        ``capacity`` with its interval, ``bottleneck``, ``points``, ``participants()``.

    Raises
    ------
    UserError
        With every mistake in the file or in the options.
    """
    from sim.study.pool import LocalPool
    from sim.study.run import load as load_file
    from sim.study.slo import parse_slo
    from sim.study.stress.demand import choose_streams
    from sim.study.stress.points import LoadTest, StressPlan, choose_windows
    from sim.study.stress.study import run_stress

    loaded = load_file(scenario, overrides or {})
    windows = choose_windows(profile, window_s)
    plan = StressPlan(
        objectives=parse_slo(slo),
        streams=choose_streams(loaded, tuple(streams)),
        seed=loaded.scenario.seed if seed is None else checked_seed(seed),
        replications=replications,
        window_s=windows[0],
        profile=profile,
        tolerance=tolerance,
        ramp_window_s=windows[1],
    )
    with LocalPool(jobs) as pool:
        return run_stress(LoadTest(loaded, plan, pool), load)


@checked_arguments
def sensitivity(
    scenario: Path | str,
    measures: Sequence[str] = ("end_to_end_mean",),
    *,
    low: float = 0.5,
    high: float = 2.0,
    ranges: Mapping[str, object] | None = None,
    assumed: bool = False,
    replications: int = 5,
    top: int = 5,
    sobol: int = 32,
    sobol_replications: int = 1,
    overrides: Mapping[str, object] | None = None,
    seed: int | None = None,
    jobs: int = 1,
) -> SensitivityStudy:
    """Find which estimated assumptions move the answer.

    Parameters
    ----------
    scenario : Path or str
        The scenario file.
    measures : sequence of str
        The answers that are asked about.
    low, high : float
        Factors an estimate is multiplied by.
    ranges : mapping, optional
        Ranges of single assumptions, as in ``{"rails.bakong.vote_delay": "0.5..3"}``.
    assumed : bool
        Whether defaults without any published figure vary, too.
    replications : int
        Runs of each variant.
    top : int
        How many get Sobol indices.
    sobol : int
        Base sample of the indices, a power of two; 0 leaves them out.
    sobol_replications : int
        Runs of each of its points.
    overrides : mapping, optional
        Fields to change, by dotted path.
    seed : int, optional
        In place of the scenario's own.
    jobs : int
        Processes.

    Returns
    -------
    SensitivityStudy
        ``answers``, one per measure, each with its ``swings``, the largest first.

    Raises
    ------
    UserError
        With every mistake in the file or in the options.
    """
    from sim.model.evidence import Evidence
    from sim.study.pool import LocalPool
    from sim.study.run import load as load_file
    from sim.study.sensitivity.plan import SensitivityPlan
    from sim.study.sensitivity.study import find_sensitivity

    loaded = load_file(scenario, overrides or {})
    plan = SensitivityPlan(
        measures=tuple(measures),
        seed=loaded.scenario.seed if seed is None else checked_seed(seed),
        replications=replications,
        low=low,
        high=high,
        ranges=tuple((name, str(span)) for name, span in (ranges or {}).items()),
        top=top,
        sobol=sobol,
        sobol_replications=sobol_replications,
        grades=(Evidence.ESTIMATED, *((Evidence.ASSUMED,) if assumed else ())),
    )
    with LocalPool(jobs) as pool:
        return find_sensitivity(loaded, plan, pool)


@checked_arguments
def validate(
    path: Path | str, *, overrides: Mapping[str, object] | None = None
) -> tuple[Problem, ...]:
    """Return everything that is wrong with a scenario or an experiment; nothing if it is valid.

    Parameters
    ----------
    path : Path or str
        The file, or the name of a scenario that comes with the program.
    overrides : mapping, optional
        Fields to change, by dotted path.

    Returns
    -------
    tuple of Problem
        Each with ``file``, ``line``, ``path`` and ``message``.
    """
    from sim.study.validation import check_file

    return check_file(Path(path), str(path), override_texts(overrides or {})).problems


def _pool(jobs: int, cluster: str | None) -> AbstractContextManager[LocalPool | ClusterPool]:
    if cluster is not None:
        from sim.study.cluster import ClusterPool

        return ClusterPool(cluster)
    from sim.study.pool import LocalPool

    return LocalPool(jobs)
