"""Run a scenario many times: a folder with every replication, and intervals on every measure.

Takes a scenario and how many replications, or how precise an answer, are wanted; gives the same
:class:`~sim.study.result.Result` and run folder as one run, with ``replications.parquet``
beside the tables. Further replications can be added to a finished folder: those there are kept.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING

from sim.errors import OptionError
from sim.study.case import Case, Outcome, PartFolder, RunOptions
from sim.study.compile_case import compile_replication
from sim.study.kernel_ahead import kernel_ahead
from sim.study.pool import LocalPool
from sim.study.replicate.adding import earlier_replications
from sim.study.replicate.precision import PrecisionTarget, check_targets
from sim.study.replicate.replications import (
    REPLICATIONS_FILE,
    Replicated,
    write_replications,
)
from sim.study.result import Result, Verdict
from sim.study.run import find_engine, load, make_request, write_inputs
from sim.study.runner import Asking, Batch, Notice, ask

if TYPE_CHECKING:
    from sim.analysis.summary import Summary
    from sim.audit.run import AuditReport
    from sim.scenario.scenario import LoadedScenario
    from sim.tables.run_folder import OpenRun
    from sim.tables.run_folder import RunResult as RunFacts

REPLICATIONS_MAX = 1000
_PARTS = ".parts"
"""Folder beside the tables where replications write side by side."""
BATCHES_MAX = 100
"""Batches that replications are handed out in at most, where they divide; one more where not."""
FIRST_BATCH = 10
"""Replications before a precision is judged at all; fewer make the spread itself a guess."""


@dataclass(frozen=True, slots=True)
class HowMany:
    """How many replications are wanted.

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

    @property
    def asked(self) -> str:
        """Return what is asked for, in words."""
        if self.precision:
            return ", ".join(map(str, self.precision))
        return f"{self.replications} replication{'' if self.replications == 1 else 's'}"


def replications(
    case: Callable[[int], Case], plan: HowMany, before: Replicated | None = None
) -> Asking[tuple[Replicated, list[Outcome]]]:
    """Ask for replications until there are enough; answer with all of them and with the new ones.

    Parameters
    ----------
    case : callable
        Gives the case of a number.
    plan : HowMany
        How many, or how precise.
    before : Replicated, optional
        Replications there are already; they are not repeated.

    Notes
    -----
    With a precision, batches grow by what the spread so far asks for, at most doubling, because an
    early estimate of the spread is poor. Stopping when an interval is narrow enough makes coverage
    fall a little short of its level (Law 2015, section 9.4.1), which is why at least
    :data:`FIRST_BATCH` replications are run before.
    """
    held, fresh = before or Replicated.of(()), list[Outcome]()
    wanted = max(plan.replications, min(FIRST_BATCH, plan.replications_max) * bool(plan.precision))
    while True:
        numbers = _free_numbers(held, wanted - len(held.facts))
        if numbers:
            done = yield list(_batches([case(number) for number in numbers]))
            fresh += [outcome for one in done for outcome in one.outcomes]
            held = (before or Replicated.of(())).joined(Replicated.of(fresh))
        more = _replications_for(held, plan.precision)
        if more <= len(held.facts) or len(held.facts) >= plan.replications_max:
            return held, sorted(fresh, key=lambda outcome: outcome.replication)
        wanted = min(more, 2 * len(held.facts), plan.replications_max)


def _batches(cases: Sequence[Case]) -> Iterator[Batch]:
    """Give cases in batches, each of which one process runs: a hundred at most.

    Handing a case over costs as much as running one that is small, and of few cases none may wait
    for another while a process is idle.
    """
    size = max(1, len(cases) // BATCHES_MAX)
    for first in range(0, len(cases), size):
        yield tuple(cases[first : first + size])


def judge_precision(summary: Summary, plan: HowMany) -> Verdict:
    """Say of each target whether it was reached, and if not, why not."""
    widths = [target.width(summary.measures[target.measure]) for target in plan.precision]
    return Verdict(
        all(width.is_reached for width in widths),
        tuple(width.sentence(summary.replications) for width in widths),
    )


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
        Told how many are done.

    Returns
    -------
    tuple of Result and Verdict

    Raises
    ------
    UserError
        If the input is wrong, or ``add`` meets a run of something else.
    """
    from sim.scenario.loader import dump_resolved
    from sim.tables import run_folder

    begun = time.perf_counter()
    options = options or RunOptions()
    loaded = load(scenario, overrides)
    text = dump_resolved(loaded.document)
    chosen = loaded.scenario.seed if seed is None else seed
    compiled = compile_replication(text, chosen, 0)
    request = make_request(
        compiled,
        options,
        command=command or ("sim.run",),
        replications=1 if plan.precision else plan.replications,
        asked=plan.asked,
    )
    choice = run_folder.FolderChoice(out=out, force=force)
    check_targets(plan.precision)
    wanted = 0 if plan.precision else plan.replications
    before = earlier_replications(choice, request, wanted) if add else None
    with run_folder.begin_run(choice, request, adds=add) as opened:
        if before is not None:
            before.check_unchanged()
        place = _begin_parts(opened.aside)

        def case(number: int) -> Case:
            folder = PartFolder(place, opened.provenance(), suffix=f".r{number:06d}")
            return Case(text, chosen, number, options, folder=folder)

        if plan.jobs > 1:
            # What draws and what runs is compiled once, before many processes would all do it.
            with kernel_ahead(options.engine):
                next(iter(compiled.workload()), None)
                find_engine(options.engine)
        with LocalPool(plan.jobs) as pool:
            known = Replicated.of(()) if before is None else before.held
            asked = replications(case, plan, known)
            held, parts = ask(asked, pool, notice=notice, before=len(known.facts))
        write_inputs(opened, compiled)
        _merge_tables(opened.aside, {} if before is None else before.tables(), parts)
        shutil.rmtree(place)
        seconds_before = 0.0 if before is None else before.engine_seconds
        facts = _facts(held, parts, time.perf_counter() - begun, before=seconds_before)
        result = _complete(opened, held, facts)
    verdict = judge_precision(result.summary, plan)
    repeat = None if add else run_folder.compare_with_earlier(opened, facts)
    result = replace(result, audit=_report(parts), repeat=repeat)
    return (replace(result, verdict=verdict) if plan.precision else result), verdict


def _complete(opened: OpenRun, held: Replicated, facts: RunFacts) -> Result:
    """Write what is known of all replications; from then on the folder is a result."""
    from sim.tables.run_folder import complete_run

    write_replications(opened.aside / REPLICATIONS_FILE, held, opened.provenance())
    summary = held.summary()
    opened = replace(opened, facts={**opened.facts, "replications": len(held.facts)})
    return Result(summary, complete_run(opened, facts, summary.as_json()))


def _begin_parts(path: Path) -> Path:
    """Make the folder replications write in, side by side."""
    from sim.tables.whole_file import machine_errors

    place = path / _PARTS
    with machine_errors(place):
        place.mkdir()
    return place


def _report(parts: Sequence[Outcome]) -> AuditReport | None:
    """Return one report of the audit for all: the first that found something wrong, else any."""
    reports = [part.audit for part in parts if part.audit is not None]
    return next((one for one in reports if not one.ok), reports[0] if reports else None)


def combined_digest(digests: Sequence[str]) -> str:
    """Return one fingerprint for the digests of many replications, in order."""
    kind = digests[0].partition(":")[0]
    state = hashlib.blake2b("\n".join(digests).encode(), digest_size=16, person=b"payroute.reps")
    return digests[0] if len(digests) == 1 else f"{kind}x{len(digests)}:{state.hexdigest()}"


def _free_numbers(held: Replicated, wanted: int) -> list[int]:
    """Return the lowest numbers no replication has yet."""
    taken = {fact.replication for fact in held.facts}
    return list(islice((number for number in count() if number not in taken), max(0, wanted)))


def _replications_for(held: Replicated, targets: Sequence[PrecisionTarget]) -> int:
    """Return how many replications the targets ask for, judged by the spread so far."""
    if not targets:
        return 0
    measures, known = held.summary().measures, len(held.facts)
    return max(target.width(measures[target.measure]).needed(known) for target in targets)


def _merge_tables(path: Path, before: Mapping[str, Path], parts: Sequence[Outcome]) -> None:
    """Join the tables of all replications, in order of number, into one file each."""
    from sim.tables.parquet_stream import merge_parts

    tables: dict[str, list[Path]] = {}
    for part in parts:
        for file in part.files:
            name = f"{file.name.partition('.')[0]}.parquet"
            tables.setdefault(name, []).append(file)
    for name in dict.fromkeys((*before, *tables)):
        fresh = tables.get(name, [])
        merge_parts(path / name, [*([before[name]] if name in before else []), *fresh])
        # Table by table, so that the disk holds everything twice for one of them at most.
        for file in fresh:
            file.unlink()


def _facts(
    held: Replicated, parts: Sequence[Outcome], seconds: float, *, before: float
) -> RunFacts:
    from sim.tables.run_folder import RunResult

    return RunResult(
        payments=sum(fact.payments for fact in held.facts),
        events=sum(fact.events for fact in held.facts),
        digest=combined_digest([fact.digest for fact in held.facts]),
        payments_digest=combined_digest([f"records:{f.payments_digest}" for f in held.facts]),
        wall_seconds=seconds,
        engine_seconds=before + sum(part.engine_seconds for part in parts),
    )
