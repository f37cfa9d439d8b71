"""Compile the kernel in a process of its own, while this one does what needs none of it.

Takes the name of an engine; gives a context in which another process may be at work, and waits for
it where the kernel is needed. The kernel is most of what a first run compiles, and the rest of it
(reading and compiling the scenario, drawing, folding) takes a third of the time. The other process
leaves machine code where this one looks for it, so if it fails nothing is lost but time. It hears
no Ctrl-C and ends with this process, however that ends.

    python -m sim.study.kernel_ahead DIRECTORY

is the other process: it compiles the kernel into a directory of machine code if it is its own, too.
"""

from __future__ import annotations

import contextlib
import gc
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from sim.study.pool import default_jobs, no_interrupts, use_one_thread

_ROOT = Path(__file__).resolve().parents[2]
_TICK_SECONDS = 0.2
"""How long is waited at a time: not every system wakes who waits when Ctrl-C is pressed."""
_begun: list[subprocess.Popen[bytes]] = []


@contextlib.contextmanager
def kernel_ahead(engine: str, *, is_alone: bool = False) -> Iterator[None]:
    """Have the kernel compiled while the context is open, where that gains anything.

    Parameters
    ----------
    engine : str
        One of :data:`~sim.study.case.ENGINES`; only ``compiled`` has a kernel.
    is_alone : bool
        Whether only one processor is to be used.

    Notes
    -----
    Nothing is begun on one processor, where the machine code is there, where it cannot be kept, or
    where somebody has begun already. No process outlives the context.
    """
    directory = None if is_alone else _wanted(engine)
    process = None if directory is None else _begin(directory)
    if process is None:
        yield
        return
    _begun.append(process)
    try:
        yield
    finally:
        _begun.remove(process)
        process.kill()
        process.wait()
        if process.stdin is not None:
            process.stdin.close()


def await_kernel() -> None:
    """Wait until whoever compiles the kernel for this process has ended."""
    from sim.jit.telling import begin_compiling

    for process in tuple(_begun):
        if process.poll() is None:
            begin_compiling(__name__)
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_TICK_SECONDS)
                break


def _wanted(engine: str) -> str | None:
    """Return where the kernel is to be compiled to; None where that gains nothing."""
    # An interpreter inside another program does not know how it is started.
    if engine != "compiled" or _begun or default_jobs() < 2 or not sys.executable:
        return None
    from sim.engine.compiled import is_compiled_cached
    from sim.jit.cache import find_directory

    directory = None if is_compiled_cached() else find_directory()
    return None if directory is None else str(directory)


def _begin(directory: str) -> subprocess.Popen[bytes] | None:
    """Start the other process, where the machine lets us."""
    # What lies in the folder somebody works in must not be taken for a module of ours.
    settings = {**os.environ, "PYTHONSAFEPATH": "1"}
    before = settings.get("PYTHONPATH")
    settings["PYTHONPATH"] = os.pathsep.join([str(_ROOT), *([before] if before else [])])
    # It begins with the signals of this process: Ctrl-C finds it deaf at once.
    with no_interrupts(), contextlib.suppress(OSError):
        return subprocess.Popen(
            [sys.executable, "-m", "sim.study.kernel_ahead", directory],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=settings,
        )  # fmt: skip
    return None


def _compile(directory: str) -> int:
    """Compile the kernel, unless machine code of this process lies elsewhere."""
    use_one_thread()
    # A twentieth of the time would go into looking for what is not used any more.
    gc.disable()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from sim.engine.compiled import warm_up
    from sim.jit.cache import find_directory

    if str(find_directory()) != directory:
        return 1
    warm_up()
    return 0


def _end_with_parent() -> None:
    """Wait until the other end of the pipe is closed, which the system does if nobody else does."""
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    code = _compile(sys.argv[1])
    # The thread that listens is not waited for.
    os._exit(code)
