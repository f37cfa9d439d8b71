"""Draw, run and write at once: threads that work ahead of an engine and behind it.

Takes a workload and a sink; gives a workload whose next chunks are drawn while the engine is busy,
and a sink that is told in a thread of its own. Machine code and Arrow leave Python to others while
they work, so two processors are used. Every thread takes what it is given in order and nobody else
touches what it holds, so what comes of a run does not depend on how many there are. Few chunks wait
between two threads, so memory does not grow. What goes wrong in a thread is raised where the engine
runs, and no thread outlives its pipeline.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from queue import Empty, Full, Queue
from threading import Thread
from types import TracebackType
from typing import Any, TypeVar

from sim.contract.plan import Array
from sim.contract.run import Sink

THREADS_MAX = 4
"""The engine, what is drawn ahead of it, what is folded behind it, and what is written."""
_HELD = 4
"""Chunks that wait between two threads: enough to bridge a slow moment of either."""
_TICK_SECONDS = 0.2
"""How long anybody waits at a time: not every system wakes who waits when Ctrl-C is pressed."""

_Given = TypeVar("_Given")
_Item = TypeVar("_Item")


class Worker:
    """A thread that does what it is told, one after the other.

    Parameters
    ----------
    name : str
        What the thread is called.
    """

    def __init__(self, name: str) -> None:
        self._queue: Queue[tuple[Callable[[Any], object], Any] | None] = Queue(_HELD)
        self._error: BaseException | None = None
        self._is_stopped = self._is_over = False
        self._thread = Thread(target=self._work, name=name)

    def do(self, step: Callable[[_Given], object], given: _Given) -> None:
        """Have a step taken behind all before it, and wait while too many wait already.

        Raises
        ------
        BaseException
            Whatever an earlier step raised.
        """
        self._raise()
        if self._is_over:
            # As nothing waits any more, the order is the same.
            step(given)
            return
        if self._thread.ident is None:
            self._thread.start()
        self._put((step, given))

    def finish(self) -> None:
        """Wait until everything is done.

        Raises
        ------
        BaseException
            Whatever a step raised.
        """
        self._end()
        self._is_over = True
        self._raise()

    def stop(self) -> None:
        """Leave undone what waits, and wait until the thread has ended."""
        self._is_stopped = True
        self._end()

    def _end(self) -> None:
        if self._thread.ident is None:
            return
        # Nobody is there any more to make room.
        if self._thread.is_alive():
            self._put(None)
        _join(self._thread)

    def _put(self, item: tuple[Callable[[Any], object], Any] | None) -> None:
        _insist(partial(self._queue.put, item, timeout=_TICK_SECONDS), self._thread.is_alive)

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        """Take step after step; once one has failed, only make room for whoever gives more."""
        while True:
            try:
                item = self._queue.get(timeout=_TICK_SECONDS)
            except Empty:
                # Whoever stopped it may have been interrupted before saying so here.
                if self._is_stopped:
                    return
                continue
            if item is None:
                return
            if self._error is None and not self._is_stopped:
                try:
                    item[0](item[1])
                except BaseException as error:
                    self._error = error
            # A chunk is not kept until the next one comes.
            del item


class Ahead:
    """A workload whose next chunks are drawn by a thread.

    Parameters
    ----------
    workload : iterable of ndarray
        Read by the thread alone.
    """

    def __init__(self, workload: Iterable[Array]) -> None:
        self._workload = workload
        self._queue: Queue[Array | BaseException | None] = Queue(_HELD)
        self._is_stopped = False
        self._thread = Thread(target=self._draw, name="payroute-draw")

    def begin(self) -> None:
        """Begin to draw."""
        self._thread.start()

    def __iter__(self) -> Iterator[Array]:
        if self._thread.ident is None:
            self.begin()
        while True:
            get = partial(self._queue.get, timeout=_TICK_SECONDS)
            found = _insist(get, lambda: self._thread.is_alive() or not self._queue.empty())
            if found is None:
                return
            # In its turn: chunks drawn before it are run first, as without a thread.
            if isinstance(found, BaseException):
                raise found
            yield found

    def stop(self) -> None:
        """Draw no more, and wait until the thread has ended."""
        self._is_stopped = True
        if self._thread.ident is not None:
            _join(self._thread)

    def _draw(self) -> None:
        try:
            for chunk in self._workload:
                if not self._put(chunk):
                    return
            self._put(None)
        except BaseException as error:
            self._put(error)

    def _put(self, item: Array | BaseException | None) -> bool:
        """Say whether anybody was still there to take it."""
        while not self._is_stopped:
            try:
                self._queue.put(item, timeout=_TICK_SECONDS)
            except Full:
                continue
            return True
        return False


class Behind:
    """A sink that tells another one in a thread; progress is told at once.

    Parameters
    ----------
    sink : Sink
        Told by the thread alone, but for progress.
    worker : Worker
        The thread.
    """

    def __init__(self, sink: Sink, worker: Worker) -> None:
        self._sink, self._worker = sink, worker
        self.wants_log, self.wants_records = sink.wants_log, sink.wants_records
        self.wants_samples = bool(getattr(sink, "wants_samples", False))

    def take_log(self, rows: Array) -> None:
        """Pass log rows on."""
        self._worker.do(self._sink.take_log, rows)

    def take_records(self, rows: Array) -> None:
        """Pass records on."""
        self._worker.do(self._sink.take_records, rows)

    def take_progress(self, time_us: int, payments: int, events: int) -> None:
        """Pass progress on at once: whoever shows it is interrupted where the engine runs."""
        self._sink.take_progress(time_us, payments, events)


class Pipeline:
    """The threads of one run; a context that leaves none behind.

    Parameters
    ----------
    threads : int
        From 1, with which everything is done where the engine runs, to :data:`THREADS_MAX`; more
        are as good as that.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._ahead: list[Ahead] = []
        self._behind, self._aside = Worker("payroute-fold"), Worker("payroute-write")

    def ahead(self, workload: Iterable[Array]) -> Iterable[Array]:
        """Return a workload that is drawn ahead of whoever reads it, which is done once."""
        if self._threads < 3:
            return workload
        ahead = Ahead(workload)
        self._ahead.append(ahead)
        # Before it is read: whoever is to read it may have to be compiled first.
        ahead.begin()
        return ahead

    def behind(self, sink: Sink) -> Sink:
        """Return a sink that passes everything on to one while the engine goes on."""
        return sink if self._threads < 2 else Behind(sink, self._behind)

    def aside(self, step: Callable[[_Given], object], given: _Given) -> None:
        """Take a step, as of writing a table, while whoever asks for it goes on."""
        if self._threads < 4:
            step(given)
        else:
            self._aside.do(step, given)

    def finish(self) -> None:
        """Wait until everything that was given is dealt with.

        Raises
        ------
        BaseException
            Whatever a thread met.
        """
        self._behind.finish()
        # Nobody gives it anything any more.
        self._aside.finish()

    def __enter__(self) -> Pipeline:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        threads: tuple[Ahead | Worker, ...] = (*self._ahead, self._behind, self._aside)
        for thread in threads:
            thread.stop()


def useful_threads() -> int:
    """Return how many threads help on this machine: all, or none besides that of the engine."""
    from sim.study.pool import default_jobs

    return THREADS_MAX if default_jobs() > 1 else 1


def _insist(step: Callable[[], _Item], is_alive: Callable[[], bool]) -> _Item | None:
    """Take a step that gives up after a while again and again; None where its partner is gone."""
    while True:
        try:
            return step()
        except (Empty, Full):
            if not is_alive():
                return None


def _join(thread: Thread) -> None:
    while thread.is_alive():
        thread.join(_TICK_SECONDS)
