"""Answer Ctrl-C at any moment, however often, with a sentence and the agreed exit code.

Takes the signal; gives a :class:`KeyboardInterrupt` where a command has something to put in order,
and the end of the process everywhere else: while modules are loaded, when the second one comes,
when the first was swallowed by code that catches everything, and when machine code of somebody
else's keeps Python from hearing it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator

INTERRUPTED_EXIT = 130
INTERRUPTED = "interrupted; what was begun is not a result"
_PATIENCE_SECONDS = 5.0
"""How long putting in order may take; what is left behind is marked and goes with the next run."""
_ROUNDS = 3
_SHOW_CURSOR = b"\x1b[?25h"
"""A progress bar hides it."""


class Interrupts:
    """What Ctrl-C does to this process."""

    def __init__(self) -> None:
        self.count = 0
        self._is_gentle = False
        self._ender: int | None = None

    def listen(self) -> None:
        """Begin to answer; where whoever started us wants Ctrl-C ignored, it stays ignored."""
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            return
        signal.signal(signal.SIGINT, self._hear)
        sys.unraisablehook = self._note_swallowed
        if os.name != "posix":
            return
        # The system writes to the pipe whatever Python is doing; the other thread hears it as soon
        # as anybody lets it, as the compiler of machine code does.
        ear, mouth = os.pipe()
        os.set_blocking(mouth, False)
        signal.set_wakeup_fd(mouth, warn_on_full_buffer=False)
        threading.Thread(target=self._watch, args=(ear,), daemon=True).start()

    @contextlib.contextmanager
    def gently(self) -> Iterator[None]:
        """Let the first Ctrl-C be an exception, so that what is open can be put in order."""
        before, self._is_gentle = self._is_gentle, True
        try:
            yield
        finally:
            self._is_gentle = before

    def end(self) -> None:
        """End the process now, with the sentence, which is said once whoever asks for it."""
        asks = threading.get_ident()
        if self._ender is None:
            self._ender = asks
        elif self._ender == asks:
            # The signal came while this thread was at it.
            return
        if self._ender != asks:
            # Another thread is: it ends this one, too.
            threading.Event().wait()
        told = f"error: {INTERRUPTED}\n".encode()
        with contextlib.suppress(OSError):
            os.write(2, (_SHOW_CURSOR if os.isatty(2) else b"") + told)
        # More than once: a pool may just have started another one.
        for _ in range(_ROUNDS):
            for child in _workers():
                with contextlib.suppress(OSError):
                    os.kill(child, signal.SIGKILL)
        os._exit(INTERRUPTED_EXIT)

    def forget(self) -> None:
        """Ignore Ctrl-C from here on: everything is done, and only Python itself has to end."""
        if signal.getsignal(signal.SIGINT) == self._hear:
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    def _hear(self, number: int, frame: object) -> None:
        del number, frame
        self.count += 1
        if self.count > 1 or not self._is_gentle:
            return self.end()
        raise KeyboardInterrupt

    def _watch(self, ear: int) -> None:
        """End the process at the second Ctrl-C, or when the first is not answered in time."""
        import select

        heard = 0
        while True:
            is_late = heard > 0 and not select.select([ear], [], [], _PATIENCE_SECONDS)[0]
            heard += 0 if is_late else os.read(ear, 64).count(signal.SIGINT)
            if is_late or heard > 1:
                self.end()

    def _note_swallowed(self, unraisable: sys.UnraisableHookArgs) -> None:
        """End the process where Ctrl-C was raised in code that cannot raise, as a finaliser."""
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            self.end()
        sys.__unraisablehook__(unraisable)


def _workers() -> list[int]:
    """Return the processes this one has started, where the system tells.

    Notes
    -----
    Workers end by themselves once their parent is gone; one that is just starting would complain of
    it first. The tracker of their resources stays: it puts them away.
    """
    module = sys.modules.get("multiprocessing.resource_tracker")
    tracker = getattr(getattr(module, "_resource_tracker", None), "_pid", None)
    found: list[int] = []
    with contextlib.suppress(OSError):
        # Without pathlib, whose import would be a tenth of the time nobody answers.
        for task in os.listdir("/proc/self/task"):  # noqa: PTH208
            listed = os.open(f"/proc/self/task/{task}/children", os.O_RDONLY)
            found += map(int, os.read(listed, 1 << 16).split())
    return [child for child in found if child != tracker]


INTERRUPTS = Interrupts()
