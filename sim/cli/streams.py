"""Print whatever a terminal, a file or another program can take, and lose nothing when it cannot.

Takes the standard streams of this process; gives the same streams, on which printing never fails:
a letter they lack has a stand-in, a reader who has gone away is no error, and what a full disk
refused is remembered, so that the command can say so at its end. All that is printed goes through
them, the help and complaints of the command line's own library too.
"""

from __future__ import annotations

import codecs
import errno
import io
import select
import sys
from typing import TextIO

STAND_IN = "payroute.stand_in"
"""Name of the way to write what an encoding lacks, for ``errors=``."""
_STAND_INS = {
    **dict(zip("▁▂▃▄▅▆▇█░", "_..--==#:", strict=True)),
    "─": "-",
    "│": "|",
    "±": "+-",
    "…": "...",
    "“": '"',
    "”": '"',
    "’": "'",
    "–": "-",
    "≥": ">=",
    "≤": "<=",
    "×": "x",
    "→": "->",
    "\u00a0": " ",
}
_GONE = frozenset({errno.EPIPE, errno.ECONNRESET})


class Outlet(io.FileIO):
    """A stream of the system on which writing never fails.

    Parameters
    ----------
    descriptor : int
        Of the stream, which stays open.

    Attributes
    ----------
    refusal : OSError or None
        Why what was written last is lost; of a reader who has gone away, nothing.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self.refusal: OSError | None = None
        self._is_closed = False

    def write(self, content: object) -> int:
        """Write bytes, or drop them where an earlier write was refused."""
        size = memoryview(content).nbytes  # type: ignore[arg-type]
        try:
            while not self._is_closed:
                written = super().write(content)  # type: ignore[arg-type]
                if written is not None:
                    return written
                # Somebody made the stream one that does not wait; we do.
                select.select([], [self], [])
        except OSError as error:
            self._is_closed = True
            if error.errno not in _GONE:
                self.refusal = error
        return size


def guard_streams() -> Outlet | None:
    """Put streams on which printing never fails in the place of the standard ones.

    Returns
    -------
    Outlet or None
        Standard output, which knows what was refused; None where it is left as it is.
    """
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout, outlet = _guarded(sys.stdout, 1)
    sys.stderr, _ = _guarded(sys.stderr, 2)
    return outlet


def _guarded(stream: TextIO | None, descriptor: int) -> tuple[TextIO, Outlet | None]:
    """Return a stream on which printing never fails, in the encoding of the one there was."""
    if stream is not None and sys.platform == "win32" and stream.isatty():
        # Its console takes any letter, and is no file.
        return stream, None
    encoding = "utf-8" if stream is None else stream.encoding
    outlet = Outlet(descriptor)
    guarded = io.TextIOWrapper(
        io.BufferedWriter(outlet),
        encoding=encoding,
        errors=STAND_IN,
        # What is told of progress and errors comes at once.
        line_buffering=descriptor == 2 or outlet.isatty(),
    )
    return guarded, outlet


def encodable(text: str, encoding: str | None) -> str:
    """Return text that can be written, with stand-ins or escapes for what cannot.

    Parameters
    ----------
    text : str
    encoding : str or None
        None: UTF-8.
    """
    name = encoding or "utf-8"
    return text.encode(name, STAND_IN).decode(name)


def _stand_in(error: UnicodeError) -> tuple[str, int]:
    """Return what is written instead, and where to go on."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    told = [
        _STAND_INS.get(letter) or letter.encode("ascii", "backslashreplace").decode()
        for letter in lacking
    ]
    return "".join(told), error.end


codecs.register_error(STAND_IN, _stand_in)
