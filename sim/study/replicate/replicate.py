"""Run a scenario many times: a folder with every replication, and intervals on every measure.

Takes a scenario and how many replications, or how precise an answer, are wanted; gives the same
:class:`~sim.study.result.Result` and run folder as one run, with ``replications.parquet``
beside the tables. Further replications can be added to a finished folder: those there are kept.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sim.errors import OptionError
from sim.study.case import Finished, WorkItem, compile_replication, do_work
from sim.study.pool import LocalPool, Pool
from sim.study.replicate.adding import earlier_replications, put_aside
from sim.study.replicate.precision import PrecisionTarget, check_targets
from sim.study.replicate.replications import (
    REPLICATIONS_FILE,
    Replicated,
    write_replications,
)
from sim.study.result import Result
from sim.study.run import (
    PartFolder,
    RunOptions,
    Silence,
    find_engine,
    load,
    make_request,
    write_inputs,
)

if TYPE_CHECKING:
    from sim.analysis.summary import Summary
    from sim.scenario.scenario import LoadedScenario
    from sim.tables.run_folder import RunResult as RunFacts

REPLICATIONS_MAX = 1000
_PARTS = ".parts"
"""Folder in the run folder where replications write side by side."""
FIRST_BATCH = 10
"""Replications before a precision is judged at all; fewer make the spread itself a guess."""

Notice = Callable[[int, int], None]
"""Hears replications done and replications planned."""


@dataclass(frozen=True, slots=True)
class HowMany:
    """Say how many replications are wanted.

    Attributes
    ----------
    replications : int
        This many; with a precision the least.
    precision : tuple of PrecisionTarget
        Go on until every target is reached.
    replications_max : int
        Give up after so many.
    jobs : int
        Processes.
    """

    replications: int = FIRST_BATCH
    precision: tuple[PrecisionTarget, ...] = ()
    replications_max: int = REPLICATIONS_MAX
    jobs: int = 1

    def __post_init__(self) -> None:
        if self.replications < 1:
            raise OptionError("replications", f"found {self.replications}; allowed: 1 or more")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Say whether a precision was reached.

    Attributes
    ----------
    is_reached : bool
        Whether every target was.
    reasons : tuple of str
        A sentence per target.
    """

    is_reached: bool
    reasons: tuple[str, ...]


def replicate(
    items: Callable[[int], WorkItem],
    plan: HowMany,
    pool: Pool,
    *,
    before: Replicated | None = None,
    notice: Notice | None = None,
    keep: Callable[[Finished], None] | None = None,
) -> Replicated:
    """Run replications until there are enough.

    Parameters
    ----------
    items : callable
        Gives the piece of work for a number.
    plan : HowMany
        How many, or how precise.
    pool : Pool
        Where.
    before : Replicated, optional
        Replications there are already; they are not repeated.
    notice : callable, optional
        Hears how many are done.
    keep : callable, optional
        Is given each piece of finished work.

    Notes
    -----
    With a precision, batches grow by what the spread so far asks for, at most doubling, because an
    early estimate of the spread is poor. Stopping when an interval is narrow enough makes coverage
    fall a little short of its level (Law 2015, section 9.4.1), which is why at least
    :data:`FIRST_BATCH` replications are run before.
    """
    held = before
    wanted = max(plan.replications, min(FIRST_BATCH, plan.replications_max) * bool(plan.precision))
    while True:
        known = 0 if held is None else len(held.facts)
        if known < wanted:
            numbers = _free_numbers(held, wanted - known)
            done: list[Finished] = []
            for _, finished in pool.run(do_work, [items(number) for number in numbers]):
                done.append(finished)
                if keep is not None:
                    keep(finished)
                if notice is not None:
                    notice(known + len(done), wanted)
            fresh = Replicated.of(done)
            held = fresh if held is None else held.joined(fresh)
        assert held is not None
        more = _replications_for(held, plan.precision)
        if more <= len(held.facts) or len(held.facts) >= plan.replications_max:
            return held
        wanted = min(more, 2 * len(held.facts), plan.replications_max)


def judge_precision(summary: Summary, plan: HowMany) -> Verdict:
    """Say of each target whether it was reached, and if not, why not."""
    reasons, reached = [], True
    for target in plan.precision:
        measure = summary.measures[target.measure]
        if measure.value is None or measure.low is None or measure.high is None:
            reached = False
            reasons.append(f"{target}: not reached, no replication has a value for it")
            continue
        half = (measure.high - measure.low) / 2
        is_met = target.is_reached(measure)
        reached &= is_met
        word = "reached" if is_met else "not reached"
        why = (
            ""
            if is_met
            else f"; stopped at the limit of {plan.replications_max} replications, "
            f"about {_needed(measure.value, half, target, summary.replications)} would do"
        )
        reasons.append(
            f"{target}: {word} with {summary.replications} replications "
            f"({half:.4g} {measure.unit}, wanted {target.wanted(measure):.4g}){why}"
        )
    return Verdict(reached, tuple(reasons))


def run_replications(
    scenario: Path | str | LoadedScenario,
    plan: HowMany,
    *,
    options: RunOptions | None = None,
    seed: int | None = None,
    out: Path | None = None,
    force: bool = False,
    add: bool = False,
    overrides: Sequence[str] | Mapping[str, object] = (),
    command: Sequence[str] = (),
    notice: Notice | None = None,
) -> tuple[Result, Verdict]:
    """Run a scenario many times and write one run folder.

    Parameters
    ----------
    scenario : Path, str or LoadedScenario
        What to run.
    plan : HowMany
        How many, or how precise.
    options : RunOptions, optional
        Engine, tables, audit.
    seed : int, optional
        In place of the scenario's own.
    out : Path, optional
        The run folder itself.
    force, add : bool
        Whether a finished run at ``out`` may be replaced, or added to.
    overrides : sequence of str, or mapping
        Changes of fields.
    command : sequence of str
        Words of the command line, for ``run.json``.
    notice : callable, optional
        Hears how many are done.

    Returns
    -------
    tuple of Result and Verdict

    Raises
    ------
    UserError
        If the input is wrong, or ``add`` meets a run of something else.
    """
    from sim.scenario.loader import dump_resolved
    from sim.tables.parquet_stream import machine_errors
    from sim.tables.run_folder import (
        FolderChoice,
        OpenRun,
        begin_run,
        compare_with_earlier,
        complete_run,
        open_run,
    )

    begun = time.perf_counter()
    options = options or RunOptions()
    loaded = load(scenario, overrides)
    text = dump_resolved(loaded.document)
    chosen = loaded.scenario.seed if seed is None else seed
    compiled = compile_replication(text, chosen, 0)
    request = make_request(compiled, options, command=command or ("sim.run",))
    choice = FolderChoice(out=out, force=force or add)
    path = choice.path(request)
    check_targets(plan.precision)
    wanted = 0 if plan.precision else plan.replications
    before = earlier_replications(path, request, wanted) if add else None
    # What is there stays a result until the new replications are done.
    opened = OpenRun(path, request, open_run(path).facts) if add else begin_run(choice, request)
    seconds_before = float(str(opened.facts["engine_seconds"] or 0)) if add else 0.0
    place = path / _PARTS
    with machine_errors(place):
        place.mkdir(parents=True, exist_ok=True)

    def item(number: int) -> WorkItem:
        folder = PartFolder(place, opened.provenance(), suffix=f".r{number:06d}")
        return WorkItem(text, chosen, number, options, folder)

    parts: list[Finished] = []
    try:
        if plan.jobs > 1:
            find_engine(options.engine, Silence())
        with LocalPool(plan.jobs) as pool:
            held = replicate(item, plan, pool, before=before, notice=notice, keep=parts.append)
        kept = put_aside(path) if add else {}
        opened = begin_run(choice, request) if add else opened
        write_inputs(opened, compiled)
        _merge_tables(path, kept, parts)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    write_replications(path / REPLICATIONS_FILE, held, opened.provenance())
    summary = held.summary()
    facts = _facts(held, parts, time.perf_counter() - begun, before=seconds_before)
    opened = replace(opened, facts={**opened.facts, "replications": len(held.facts)})
    run = complete_run(opened, facts, summary.as_json())
    report = next((done.audit for done in parts if done.audit and not done.audit.ok), None)
    report = report or (parts[0].audit if parts else None)
    repeat = None if add else compare_with_earlier(opened, facts)
    verdict = judge_precision(summary, plan)
    return Result(summary, run, report, repeat, verdict if plan.precision else None), verdict


def combined_digest(digests: Sequence[str]) -> str:
    """Return one fingerprint for the digests of many replications, in order."""
    kind = digests[0].partition(":")[0]
    state = hashlib.blake2b("\n".join(digests).encode(), digest_size=16, person=b"payroute.reps")
    return digests[0] if len(digests) == 1 else f"{kind}x{len(digests)}:{state.hexdigest()}"


def _free_numbers(held: Replicated | None, count: int) -> list[int]:
    """Return the lowest numbers no replication has yet."""
    taken = frozenset() if held is None else frozenset(fact.replication for fact in held.facts)
    numbers: list[int] = []
    number = 0
    while len(numbers) < count:
        if number not in taken:
            numbers.append(number)
        number += 1
    return numbers


def _replications_for(held: Replicated, targets: Sequence[PrecisionTarget]) -> int:
    """Return how many replications the targets ask for, judged by the spread so far."""
    if not targets:
        return 0
    measures = held.summary().measures
    needed = len(held.facts)
    for target in targets:
        measure = measures[target.measure]
        if target.is_reached(measure):
            continue
        if measure.value is None or measure.low is None or measure.high is None:
            needed = max(needed, 2 * len(held.facts))
            continue
        half = (measure.high - measure.low) / 2
        needed = max(needed, _needed(measure.value, half, target, len(held.facts)), needed + 1)
    return needed


def _needed(value: float, half: float, target: PrecisionTarget, count: int) -> int:
    """Return about how many replications would reach a target."""
    wanted = target.half_width * abs(value) if target.is_relative else target.half_width
    if wanted == 0:
        return 2 * count
    return min(10**9, int(count * (half / wanted) ** 2) + 1)


def _merge_tables(path: Path, kept: Mapping[str, Path], parts: Sequence[Finished]) -> None:
    """Join the tables of all replications, in order of number, into one file each."""
    from sim.tables.parquet_stream import merge_parts

    tables = {name: [aside] for name, aside in kept.items()}
    for done in sorted(parts, key=lambda part: part.replication):
        for file in done.files:
            name = f"{file.name.partition('.')[0]}.parquet"
            tables.setdefault(name, []).append(file)
    for name, files in tables.items():
        merge_parts(path / name, files)


def _facts(
    held: Replicated, parts: Sequence[Finished], seconds: float, *, before: float
) -> RunFacts:
    from sim.tables.run_folder import RunResult

    return RunResult(
        payments=sum(fact.payments for fact in held.facts),
        events=sum(fact.events for fact in held.facts),
        digest=combined_digest([fact.digest for fact in held.facts]),
        payments_digest=combined_digest([f"records:{f.payments_digest}" for f in held.facts]),
        wall_seconds=seconds,
        engine_seconds=before + sum(done.engine_seconds for done in parts),
    )
