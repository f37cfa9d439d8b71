"""Plant faults and print who notices: ``python -m tests.faults [WORD ...]``.

Takes words that stand in a fault's name, none for all of them; prints one line per fault and ends
with 1 where one is not noticed.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.faults.bench import Bench
from tests.faults.fault import read_faults


def main(words: list[str]) -> int:
    """Judge the faults that are asked for and return the exit code."""
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        for fault in read_faults():
            if words and not any(word in fault.name for word in words):
                continue
            began = time.monotonic()
            before = bench.untouched(fault)
            after = bench.planted(fault)
            noticed = after.noticed(fault) if before.is_sound and not before.failed else ""
            missed += not noticed
            took = f"{time.monotonic() - began:5.1f} s"
            told = f"-> {noticed}" if noticed else f"NOT NOTICED {before} {after}"
            print(f"{took} {fault.name} | {told}", flush=True)  # noqa: T201
        bench.close()
    print(f"{missed} not noticed")  # noqa: T201
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
