"""Try damaged input: ``python -m tests.hostile scenarios|codes|files [--count N] [--seed N]``.

Takes how many and a seed; prints how many were tried, how many were accepted and how quickly. What
is not answered ends the program, with what to do to see it again.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from tests.hostile import codes, files, scenarios


def main() -> None:
    """Read the command line and try."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile")
    parser.add_argument("what", choices=("scenarios", "codes", "files"))
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    folder, began = Path(tempfile.mkdtemp(prefix="hostile-")), time.monotonic()
    if asked.what == "codes":
        accepted = codes.try_mutants(asked.count, asked.seed)
    elif asked.what == "scenarios":
        accepted = scenarios.try_mutants(asked.count, asked.seed, folder)
    else:
        accepted = files.try_mutants(asked.count, asked.seed, folder)
    seconds = time.monotonic() - began
    told = (
        f"{asked.count:,} {asked.what} from seed {asked.seed}: all answered, {accepted:,} accepted"
    )
    print(f"{told}, in {seconds:.0f} s, {asked.count / seconds:,.0f} /s")  # noqa: T201


if __name__ == "__main__":
    main()
