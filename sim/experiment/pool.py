"""Do many pieces of work in parallel processes of this machine.

Takes a function and pieces of work; gives their results as they are done. Each process uses one
thread: work is spread over processes only, so that they do not fight for cores. Nothing heavy is
imported here, because a new process reads this file before its threads are limited.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from types import TracebackType
from typing import Generic, Protocol, TypeVar

from sim.errors import MachineError, UserError

Work = TypeVar("Work")
Done = TypeVar("Done")

_THREAD_VARIABLES = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"),
    *("NUMBA_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "ARROW_IO_THREADS"),
)
_IN_FLIGHT_PER_JOB = 2
"""Pieces handed out per process: one at work and one waiting, so that none is ever idle and little
is lost when the caller has seen enough."""


class Pool(Protocol):
    """Do pieces of work somewhere."""

    def run(
        self, function: Callable[[Work], Done], items: Sequence[Work]
    ) -> Iterator[tuple[int, Done]]:
        """Yield the position of each piece and its result, as they are done."""


class LocalPool:
    """Do work in processes of this machine; with one job, in this very process.

    Parameters
    ----------
    jobs : int
        Processes, at least 1.
    """

    def __init__(self, jobs: int = 1) -> None:
        if jobs < 1:
            raise MachineError(f"--jobs: found {jobs}; allowed: 1 or more")
        self.jobs = jobs
        self._executor: ProcessPoolExecutor | None = None

    def __enter__(self) -> LocalPool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._executor is not None:
            # After an error or Ctrl-C nobody waits for what is still queued.
            self._executor.shutdown(wait=True, cancel_futures=True)
            self._executor = None

    def run(
        self, function: Callable[[Work], Done], items: Sequence[Work]
    ) -> Iterator[tuple[int, Done]]:
        """Yield the position of each piece and its result, as they are done.

        Raises
        ------
        MachineError
            If a process was killed.
        """
        if self.jobs == 1 or (len(items) < 2 and self._executor is None):
            for at, item in enumerate(items):
                yield at, function(item)
            return
        try:
            yield from _Round(self._processes(), function, items).results(self.jobs)
        except BrokenProcessPool:
            self._executor = None
            raise MachineError(
                "a worker process ended unexpectedly; it was killed, most often for want of "
                "memory: lower --jobs or --record, or shorten clock.horizon"
            ) from None

    def _processes(self) -> ProcessPoolExecutor:
        if self._executor is None:
            self._executor = ProcessPoolExecutor(
                self.jobs, mp_context=get_context("spawn"), initializer=use_one_thread
            )
        return self._executor


class _Round(Generic[Work, Done]):
    """Hand out the pieces of one round, a few at a time."""

    def __init__(
        self,
        executor: ProcessPoolExecutor,
        function: Callable[[Work], Done],
        items: Sequence[Work],
    ) -> None:
        self._executor, self._function = executor, function
        self._left = iter(enumerate(items))
        self._open: dict[Future[Done], int] = {}

    def results(self, jobs: int) -> Iterator[tuple[int, Done]]:
        for _ in range(jobs * _IN_FLIGHT_PER_JOB):
            self._submit()
        try:
            while self._open:
                done, _ = wait(self._open, return_when=FIRST_COMPLETED)
                for future in sorted(done, key=self._open.__getitem__):
                    at = self._open.pop(future)
                    self._submit()
                    yield at, future.result()
        finally:
            for future in self._open:
                future.cancel()

    def _submit(self) -> None:
        for at, item in self._left:
            self._open[self._executor.submit(self._function, item)] = at
            break


def use_one_thread() -> None:
    """Limit this process to one thread; called before anything heavy is imported."""
    for name in _THREAD_VARIABLES:
        os.environ[name] = "1"


def wanted_jobs(jobs: int | None) -> int:
    """Return how many processes to use: those asked for, else one per processor.

    Parameters
    ----------
    jobs : int or None
        From ``--jobs``.

    Raises
    ------
    UserError
        Where it is below 1.
    """
    if jobs is None:
        return default_jobs()
    if jobs < 1:
        raise UserError(f"--jobs: found {jobs}; allowed: 1 or more")
    return jobs


def default_jobs() -> int:
    """Return the processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
