"""Run the cases of any study: in this process, in others of this machine, or on a cluster.

Takes cases and a :class:`~sim.study.pool.Pool`; gives what came of them in the order of the cases,
whatever the order they were done in. A study whose next cases depend on what came of the last is a
generator: it yields the batches it wants next, is sent what came of them, and returns its answer.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from sim.analysis.summary import Measure, Summary
from sim.errors import MachineError
from sim.study.case import Case, CaseTotals, Outcome
from sim.study.compile_case import compile_replication, compiled_fingerprint
from sim.study.measure_key import place
from sim.study.packed import packed
from sim.study.pool import Pool
from sim.study.run import find_engine, run_replication
from sim.tables.provenance import fingerprint

Answer = TypeVar("Answer")

Batch = tuple[Case, ...]
"""Cases that one process runs one after the other, because they are of one scenario."""


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a batch.

    Attributes
    ----------
    outcomes : tuple of Outcome
        In the order of its cases; empty where it ended with an error.
    error : Exception or None
        What it ended with.
    trace : str
        Where that was raised, in whatever process.
    """

    outcomes: tuple[Outcome, ...] = ()
    error: Exception | None = None
    trace: str = ""

    def raise_error(self) -> None:
        """Raise what it ended with, if anything."""
        if self.error is None:
            return
        if self.error.__traceback__ is None:
            # It comes from another process, where its own traceback stayed.
            self.error.add_note(self.trace)
        raise self.error


Asking = Generator[Sequence[Batch], list[Done], Answer]
"""A study: yields the batches it wants next, is sent what came of them, returns its answer."""
Notice = Callable[[int, int], None]
"""Hears cases done and cases planned."""


def ask(
    study: Asking[Answer],
    pool: Pool,
    *,
    notice: Notice | None = None,
    before: int = 0,
    is_tolerant: bool = False,
) -> Answer:
    """Run what a study asks for, round by round, until it has its answer.

    Parameters
    ----------
    study : generator
        See :data:`Asking`; it is sent what came of its batches in their order, whatever the order
        they were done in.
    pool : Pool
        Where cases are run.
    notice : callable, optional
        Hears cases done and planned, as far as the rounds so far go.
    before : int
        Cases there are already, counted as done.
    is_tolerant : bool
        Whether the study is told of errors instead of ended by them.

    Returns
    -------
    object
        What the study returns.

    Raises
    ------
    PayrouteError
        See :func:`as_done`.
    """
    count = before
    try:
        batches = next(study)
        while True:
            planned = count + sum(map(len, batches))
            found: dict[int, Done] = {}
            for at, found[at] in as_done(batches, pool, is_tolerant=is_tolerant):
                count += len(batches[at])
                if notice is not None:
                    notice(count, planned)
            batches = study.send([found[at] for at in range(len(batches))])
    except StopIteration as end:
        answer: Answer = end.value
        return answer


def run_cases(cases: Sequence[Case], pool: Pool) -> list[Outcome]:
    """Run cases, each for itself, and return their outcomes in the same order.

    Raises
    ------
    PayrouteError
        See :func:`as_done`.
    """
    found = dict(as_done([(case,) for case in cases], pool))
    return [found[at].outcomes[0] for at in range(len(cases))]


def as_done(
    batches: Sequence[Batch], pool: Pool, *, is_tolerant: bool = False
) -> Iterator[tuple[int, Done]]:
    """Yield the position of each batch and what came of it, as they are done.

    Parameters
    ----------
    batches : sequence of tuples of Case
    pool : Pool
    is_tolerant : bool
        Whether errors are given back like outcomes, and no batch may end this process.

    Raises
    ------
    PayrouteError
        If a case is refused, or kills its process even with the machine to itself.
    """
    for at, result in pool.run(run_batch, batches, is_fatal=not is_tolerant):
        done = Done(error=result) if isinstance(result, MachineError) else result
        if not is_tolerant:
            done.raise_error()
        yield at, done


def run_batch(batch: Batch) -> Done:
    """Run the cases of a batch, in whatever process this is.

    Parameters
    ----------
    batch : tuple of Case

    Returns
    -------
    Done
        An error is told, never raised: whoever asked decides what becomes of the other batches.
    """
    try:
        return Done(tuple(map(run_case, batch)))
    except MemoryError:
        advice = "shorten clock.horizon, lower --jobs or use a larger machine"
        return Done(error=MachineError(f"out of memory; {advice}"))
    except Exception as error:
        return Done(error=error, trace="".join(traceback.format_exception(error)))


def run_case(case: Case) -> Outcome:
    """Compile, run and sum up one case.

    Parameters
    ----------
    case : Case

    Raises
    ------
    PayrouteError
        If the scenario or its changes are refused, or this process has other software than it must.
    """
    if case.software:
        _check_software(case.software)
    _import_all(case.options.engine)
    begun = time.perf_counter()
    compiled = compile_replication(case.text, case.seed, case.replication, case.changes)
    own = "" if case.fingerprint is None else compiled_fingerprint(compiled)
    if own and own == case.fingerprint:
        outcome = _not_run(compiled.scenario.scenario, case)
    else:
        outcome = run_replication(compiled, case.options, folder=case.folder, watch=case.watch)
    if case.measures is not None:
        outcome = replace(outcome, summary=_narrowed(outcome.summary, case.measures))
    # Whole summaries are a hundred kilobytes each, packed ones a few.
    outcome = replace(outcome, summary=packed(outcome.summary))
    return replace(outcome, fingerprint=own, seconds=time.perf_counter() - begun)


def _import_all(engine: str) -> None:
    """Load what a run needs before the clock starts: the first run of a process tells its pace."""
    import sim.analysis.measures
    import sim.tables.run_folder
    import sim.tables.writer  # noqa: F401

    find_engine(engine)


def _not_run(scenario: str, case: Case) -> Outcome:
    """Return the outcome of a case that compiles to what is known; it says nothing new."""
    empty = Summary(scenario, case.seed, case.options.engine, 1, covers="all", measures={}, by={})
    totals = CaseTotals(case.replication, 0, 0, digest="", payments_digest="", expected=None)
    return Outcome(empty, totals, engine_seconds=0.0, is_run=False)


def _narrowed(summary: Summary, keys: Sequence[str]) -> Summary:
    """Return a summary with a few measures only: whole ones are a hundred kilobytes each."""
    measures: dict[str, Measure] = {}
    by: dict[str, dict[str, dict[str, Measure]]] = {}
    for key in keys:
        found, name = place(summary, key)
        if name not in found:
            continue
        group, slash, rest = key.partition("/")
        own = (
            by.setdefault(group, {}).setdefault(rest.rpartition("/")[0], {}) if slash else measures
        )
        own[name] = found[name]
    return replace(summary, measures=measures, by=by, g20={}, presence=None, survival=None)


def _check_software(wanted: tuple[tuple[str, str | None], ...]) -> None:
    """Refuse to run for somebody who would get another figure."""
    here, there = dict(fingerprint()), dict(wanted)
    if here == there:
        return
    differing = [name for name in {**there, **here} if here.get(name) != there.get(name)]
    listed = ", ".join(
        f"{name} {here.get(name) or 'missing'} for {there.get(name) or 'missing'}"
        for name in differing
    )
    raise MachineError(
        f"the worker runs another version of payroute or of its libraries ({listed}); install the "
        f"same on every worker, and start workers anew"
    )
