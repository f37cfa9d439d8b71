"""Do pieces of work on a Dask cluster.

Takes the address of a scheduler; gives the same results as processes of this machine, as they are
done. A worker that is lost has its work done again elsewhere; that a piece is done twice harms
nobody, because results depend on the piece alone.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Protocol, TypeVar, cast

from sim.errors import MachineError

Work = TypeVar("Work")
Done = TypeVar("Done")

_CONNECT_SECONDS = 10


class ClusterPool:
    """The cluster behind a scheduler.

    Parameters
    ----------
    address : str
        Of the scheduler, as in ``tcp://10.0.0.5:8786``.

    Raises
    ------
    MachineError
        If Dask is not installed or nobody answers.
    """

    def __init__(self, address: str) -> None:
        try:
            self._dask = cast("_Distributed", importlib.import_module("distributed"))
        except ImportError:
            raise MachineError(
                "--cluster: needs dask and distributed, which are not installed; install them with "
                "`pip install payroute[cluster]`, or leave --cluster out"
            ) from None
        try:
            self._client = self._dask.Client(
                address, timeout=_CONNECT_SECONDS, set_as_default=False
            )
        except (OSError, TimeoutError, ValueError) as error:
            raise MachineError(
                f"--cluster: no scheduler answers at {address!r} ({error}); start one with "
                f"`dask scheduler`, or leave --cluster out"
            ) from None

    def __enter__(self) -> ClusterPool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def run(
        self, function: Callable[[Work], Done], items: Sequence[Work], *, is_fatal: bool = True
    ) -> Iterator[tuple[int, Done | MachineError]]:
        """Yield the position of each piece and its result, or the error of one that kills workers.

        Notes
        -----
        The scheduler gives up a piece after it has lost several workers with it.
        """
        futures = [self._client.submit(function, item, pure=False, retries=3) for item in items]
        places = {future.key: at for at, future in enumerate(futures)}
        waiting = self._dask.as_completed(futures, loop=self._client.loop)
        # Held by nobody else, a result leaves the cluster's memory once it has been taken.
        del futures
        for future in waiting:
            done: Done | MachineError
            try:
                done = cast("Done", future.result())
            except self._dask.KilledWorker as error:
                done = MachineError(f"workers of the cluster ended with it: {error}")
            yield places[future.key], done


class _Future(Protocol):
    """The part of a Dask future that is used."""

    key: str

    def result(self) -> object: ...


class _Client(Protocol):
    """The part of a Dask client that is used."""

    loop: object

    def submit(self, function: object, item: object, *, pure: bool, retries: int) -> _Future: ...

    def close(self) -> None: ...


class _Distributed(Protocol):
    """The part of the library that is used."""

    KilledWorker: type[Exception]

    def Client(self, address: str, *, timeout: int, set_as_default: bool) -> _Client: ...  # noqa: N802

    def as_completed(self, futures: Sequence[_Future], *, loop: object) -> Iterable[_Future]: ...
