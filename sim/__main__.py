"""Run the command line, as ``payroute`` or as ``python -m sim``.

Ctrl-C is answered before anything is loaded: the commands are a quarter of a second of imports.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import NoReturn

from sim.interrupts import INTERRUPTS


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    _open_closed()
    # Imports and a compiled scenario are hundreds of thousands of objects that stay: looking
    # through them for garbage again and again is a third of what a start takes.
    gc.set_threshold(200_000, 20, 20)
    INTERRUPTS.listen()
    from sim.cli import run_commands

    code = run_commands()
    INTERRUPTS.forget()
    if INTERRUPTS.count:
        # Ctrl-C that was raised within an ``exec`` of text, as modules that write code do, makes
        # Python end as if nobody had caught it.
        os._exit(code)
    sys.exit(code)


def _open_closed() -> None:
    """Give the standard streams that were closed before the start nowhere to go.

    Otherwise the next file that is opened gets their number, and what is printed goes into it.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest free number is this one.
            os.open(os.devnull, os.O_RDWR)


if __name__ == "__main__":
    main()
