"""The ``fuzz`` command: scenarios drawn from seeds, each held to everything that must hold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli.guard import guarded
from sim.cli.progress import RunCounter
from sim.cli.showing import FormatOption, JsonOption, OutputOption, showing
from sim.errors import CheckFailed, UserError

if TYPE_CHECKING:
    from sim.study.fuzz.check import Tried

_RUNS = 20


@guarded
def fuzz_command(
    seed: Annotated[int, typer.Option(min=0, help="First seed; the next runs count on.")] = 0,
    runs: Annotated[
        int | None, typer.Option(min=1, help=f"How many scenarios; default {_RUNS}.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.01, help="For how long, in place of a number of runs.")
    ] = None,
    keep: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for the smallest scenario of a failure.")
    ] = Path("fuzz"),
    form: FormatOption = None,
    output: OutputOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw scenarios from seeds, run each in both engines, and check whatever must hold of any.

    Both engines must tell the same to the last bit, the audit must find nothing in log and tables,
    money must add up, and the number in the system must be what arrivals and stays make it. A
    failure is shrunk to a small scenario file, and told with the command that replays it.
    """
    if runs is not None and minutes is not None:
        raise UserError("fuzz: found --runs and --minutes; allowed: one of them")
    wanted = showing(form, output, as_json=as_json)
    from sim.report.documents.fuzzing import fuzzing_document
    from sim.study.fuzz.fuzzing import fuzz, replay

    count = _RUNS if runs is None and minutes is None else runs
    with RunCounter("scenarios") as counter:

        def notice(tried_seed: int, tried: Tried) -> None:
            done = tried_seed - seed + 1
            # By the clock nobody knows how many there will be.
            counter.tell(done, done + 1 if count is None else count)
            if tried.finding is not None:
                counter.say(f"seed {tried_seed}: {tried.finding.check}: {tried.finding.message}")

        found = fuzz(seed, runs=count, minutes=minutes, keep=keep, notice=notice)
    wanted.show(fuzzing_document(found))
    if found.failures:
        first = found.failures[0]
        raise CheckFailed(
            f"{len(found.failures)} of {found.runs} scenarios fail a check, the first: "
            f"{first.finding.check}: {first.finding.message}; `{replay(first.seed)}`"
        )
