"""Options several commands take, each declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sim.cli import completing

SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="FIELD=VALUE",
        help="Change a field, as in routing.policy=fastest.",
        autocompletion=completing.fields,
    ),
]
SeedOption = Annotated[
    int | None, typer.Option("--seed", metavar="N", help="Seed of all luck; default: the file's.")
]
JobsOption = Annotated[
    int | None, typer.Option("--jobs", metavar="N", help="Processes; default: one per processor.")
]
RunJobsOption = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        metavar="N",
        help="Processes; 1: a single run in one thread. Default: one per processor.",
    ),
]
ScenarioArgument = Annotated[
    str,
    typer.Argument(
        metavar="SCENARIO",
        help="The scenario file, or its name.",
        autocompletion=completing.scenarios,
    ),
]
RunArgument = Annotated[
    Path, typer.Argument(metavar="RUN", help="A run folder.", autocompletion=completing.runs)
]
EngineOption = Annotated[
    str,
    typer.Option(
        "--engine",
        metavar="compiled|reference",
        help="Which engine runs it.",
        autocompletion=completing.words("engine"),
    ),
]
RecordOption = Annotated[
    str,
    typer.Option(
        "--record",
        metavar="none|payments|stages|events",
        help="How much is written down.",
        autocompletion=completing.words("record"),
    ),
]
MeasuresOption = Annotated[
    str | None,
    typer.Option(
        "--measures",
        metavar="A,B",
        help="Measures to compare.",
        autocompletion=completing.measures,
    ),
]
