"""The ``validate`` command: every problem of every scenario given, at once."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from sim.cli.given import scenario_file
from sim.cli.guard import guarded
from sim.cli.run import SetOption
from sim.errors import Problem, ScenarioError, UserError


@guarded
def validate_command(
    scenarios: Annotated[
        list[str], typer.Argument(metavar="SCENARIO...", help="Scenario files to check.")
    ],
    changes: SetOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check scenarios: all problems at once, each with file and line."""
    problems: list[Problem] = []
    valid: list[str] = []
    for given in scenarios:
        found, described = _check(given, tuple(changes or ()))
        problems += [problem for problem in found if problem not in problems]
        if not found:
            valid.append(f"{given}: valid; {described}")
    if as_json:
        content = {"problems": [asdict(problem) for problem in problems]}
        typer.echo(json.dumps(content, indent=2))
    else:
        for line in valid:
            typer.echo(line)
    if problems:
        raise ScenarioError(problems)


def _check(given: str, changes: tuple[str, ...]) -> tuple[tuple[Problem, ...], str]:
    """Return the problems of one scenario, or what it describes."""
    from sim.compiler.compile import compile_scenario
    from sim.scenario.scenario import load_scenario

    try:
        path = scenario_file(given)
    except UserError as error:
        message = str(error).removeprefix(f"{given}: ")
        return (Problem(given, 0, "", message),), ""
    try:
        compiled = compile_scenario(load_scenario(path, changes), with_tables=False)
    except ScenarioError as error:
        return error.problems, ""
    counts = (
        (len(compiled.scenario.corridors), "corridor"),
        (len(compiled.routes), "route"),
        (len(compiled.demands), "demand stream"),
        (len(compiled.plan.stage), "stage"),
    )
    return (), ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts)
