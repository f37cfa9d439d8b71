"""Do many pieces of work in parallel processes of this machine.

Takes a function and pieces of work; gives their results as they are done. Each process uses one
thread: work is spread over processes only, so that they do not fight for cores. Nothing heavy is
imported here, because a new process reads this file before its threads are limited.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process, resource_tracker
from types import TracebackType
from typing import Generic, Protocol, TypeVar

from sim.errors import MachineError, OptionError

Work = TypeVar("Work")
Done = TypeVar("Done")

_THREAD_VARIABLES = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"),
    *("NUMBA_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "ARROW_IO_THREADS"),
)
_QUIETLY = "ignore:resource_tracker:UserWarning"
"""Option of the interpreter under which the tracker of resources runs."""
_IN_FLIGHT_PER_JOB = 2
"""Pieces handed out per process: one at work and one waiting, so that none is ever idle and little
is lost when the caller has seen enough."""
_RESTARTS_MAX = 8
"""How often processes are started again after one was killed: a machine that is too small for one
piece may do the others, one that kills everything should not be tried for hours."""
_KILLED = (
    "a worker process ended unexpectedly; it was killed, most often for want of memory: lower "
    "--jobs or --record, or shorten clock.horizon"
)


class Pool(Protocol):
    """A place where pieces of work are done, that survives its workers."""

    def run(
        self, function: Callable[[Work], Done], items: Sequence[Work], *, is_fatal: bool = True
    ) -> Iterator[tuple[int, Done | MachineError]]:
        """Yield the position of each piece and its result, as they are done.

        A piece that kills its worker gives an error. ``is_fatal`` says that such a piece is the end
        of everything, so that a single one may be done in this process.
        """


class LocalPool:
    """Processes of this machine; with one job, this very process.

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
            if kind is not None and not issubclass(kind, Exception):
                # Ctrl-C is for this process alone, which ends what the others have at work.
                for process in list(self._executor._processes.values()):
                    process.terminate()
            # After an error or Ctrl-C nobody waits for what is still queued.
            self._executor.shutdown(wait=True, cancel_futures=True)
            self._executor = None

    def run(
        self, function: Callable[[Work], Done], items: Sequence[Work], *, is_fatal: bool = True
    ) -> Iterator[tuple[int, Done | MachineError]]:
        """Yield the position of each piece and its result, or the error of one that was killed.

        Raises
        ------
        MachineError
            If processes are killed again and again.

        Notes
        -----
        Which piece was at work in a killed process nobody knows. Each that was handed out is done
        again with the machine to itself; only what is killed then as well is given up.
        """
        # Processes take seconds to start, which a single piece is not worth. Where others are to
        # outlive it, it is done in a process of its own, or it would take us with it.
        if self.jobs == 1 or (is_fatal and len(items) < 2 and self._executor is None):
            for at, item in enumerate(items):
                yield at, function(item)
            return
        left, restarts = list(range(len(items))), 0
        while left:
            places = tuple(left)
            round_ = _Round(self._processes(), function, [items[at] for at in places])
            try:
                for number, done in round_.results(self.jobs):
                    left.remove(places[number])
                    yield places[number], done
            except BrokenProcessPool:
                self._executor, restarts = None, restarts + 1
                for at in [places[number] for number in round_.unfinished()]:
                    again = self._alone(function, items[at])
                    restarts += isinstance(again, MachineError)
                    if restarts > _RESTARTS_MAX:
                        raise MachineError(f"{_KILLED} ({restarts} times)") from None
                    left.remove(at)
                    yield at, again

    def _alone(self, function: Callable[[Work], Done], item: Work) -> Done | MachineError:
        """Do one piece with no other at work."""
        try:
            ((_, done),) = _Round(self._processes(), function, [item]).results(1)
        except BrokenProcessPool:
            self._executor = None
            return MachineError(_KILLED)
        return done

    def _processes(self) -> ProcessPoolExecutor:
        if self._executor is None:
            _begin_tracker()
            self._executor = ProcessPoolExecutor(
                self.jobs, mp_context=get_context("spawn"), initializer=begin_worker
            )
        return self._executor


def _begin_tracker() -> None:
    """Start what puts away the resources of processes, without a word of its own.

    Notes
    -----
    Started with the first worker, it would unblock the signal blocked for that worker. After a
    Ctrl-C that ends everything at once it finds semaphores nobody put away, and puts them away; a
    warning of it would be news of no use behind the sentence the user is told.
    """
    sys.warnoptions.append(_QUIETLY)
    try:
        resource_tracker.ensure_running()
    finally:
        # Workers are started with the options of this process, and may warn.
        sys.warnoptions.remove(_QUIETLY)


class _Round(Generic[Work, Done]):
    """Pieces that are handed out a few at a time."""

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
                    at, result = self._open[future], future.result()
                    self._submit()
                    del self._open[future]
                    yield at, result
        finally:
            for future in self._open:
                future.cancel()

    def unfinished(self) -> list[int]:
        """Return which pieces were handed out and not given back, in order."""
        return sorted(self._open.values())

    def _submit(self) -> None:
        for at, item in self._left:
            # A new process begins with the signals of this one: Ctrl-C must find it deaf at once.
            with no_interrupts():
                self._open[self._executor.submit(self._function, item)] = at
            break


@contextmanager
def no_interrupts() -> Iterator[None]:
    """Keep Ctrl-C waiting, where the system can; a process that is started meanwhile hears none."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def begin_worker() -> None:
    """Make this process a worker: one thread, deaf to Ctrl-C, gone when its parent is gone."""
    use_one_thread()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Wait until the parent is gone, however it ended; then end, whatever is at work."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


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
        raise OptionError("jobs", f"found {jobs}; allowed: 1 or more")
    return jobs


def default_jobs() -> int:
    """Return the processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
