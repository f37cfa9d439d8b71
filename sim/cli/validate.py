"""The ``validate`` command: every problem of every scenario given, at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sim.cli.given import scenario_file
from sim.cli.guard import guarded
from sim.cli.options import SetOption
from sim.cli.showing import FormatOption, JsonOption, OutputOption, showing
from sim.errors import Problem, ScenarioError, UserError


@guarded
def validate_command(
    scenarios: Annotated[
        list[str], typer.Argument(metavar="SCENARIO...", help="Scenario files to check.")
    ],
    changes: SetOption = None,
    form: FormatOption = None,
    output: OutputOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check scenarios: all problems at once, each with file and line."""
    from sim.report.documents.validate import validate_document

    wanted = showing(form, output, as_json=as_json)
    problems: list[Problem] = []
    valid: list[str] = []
    notes: list[Problem] = []
    for given in scenarios:
        found, described, said = _check(given, tuple(changes or ()))
        problems += [problem for problem in found if problem not in problems]
        notes += [note for note in said if note not in notes]
        if not found:
            valid.append(f"{given}: valid; {described}")
            valid += _doubts(given, tuple(changes or ()))
    wanted.show(validate_document(valid, problems, notes))
    if problems:
        raise ScenarioError(problems)


_Checked = tuple[tuple[Problem, ...], str, tuple[Problem, ...]]
"""Problems, or what a scenario describes and what in it changes nothing."""


def _check(given: str, changes: tuple[str, ...]) -> _Checked:
    """Return the problems of one scenario, or what it describes."""
    from sim.compiler.compile import compile_scenario
    from sim.scenario.loader import load_document
    from sim.scenario.scenario import load_scenario, placed

    try:
        path = scenario_file(given)
    except UserError as error:
        message = str(error).removeprefix(f"{given}: ")
        return (Problem(given, 0, "", message),), "", ()
    try:
        if "experiment" in load_document(path).tree:
            return _check_experiment(path, given, changes)
        compiled = compile_scenario(load_scenario(path, changes), with_tables=False)
    except ScenarioError as error:
        return error.problems, "", ()
    counts = (
        (len(compiled.scenario.corridors), "corridor"),
        (len(compiled.routes), "route"),
        (len(compiled.demands), "demand stream"),
        (len(compiled.plan.stage), "stage"),
    )
    described = ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts)
    return (), described, tuple(placed(compiled.document, (*compiled.remarks, *compiled.notes)))


def _check_experiment(path: Path, given: str, changes: tuple[str, ...]) -> _Checked:
    """Return the problems of an experiment, of each of its arms and of each point of its sweep."""
    from sim.study.compare.arms import work_of_experiment
    from sim.study.experiment_file import load_experiment
    from sim.study.sweep.study import make_items

    loaded = load_experiment(path)
    described: list[str] = []
    if loaded.experiment.arms:
        described.append(f"{len(work_of_experiment(loaded, changes).arms)} arms")
    problems: list[Problem] = []
    if loaded.experiment.sweep is not None:
        items = make_items(loaded, overrides=changes)
        described.append(f"{len(items)} points")
        problems = [
            Problem(given, 0, f"sweep, point {item.number}", item.error)
            for item in items
            if item.error
        ]
    return tuple(problems), f"an experiment, {' and '.join(described)}", ()


def _doubts(given: str, changes: tuple[str, ...]) -> list[str]:
    """Return what of a valid scenario is most likely not meant."""
    from sim.scenario.doubts import find_doubts
    from sim.scenario.loader import load_document
    from sim.scenario.scenario import load_scenario

    path = scenario_file(given)
    if "experiment" in load_document(path).tree:
        return []
    loaded = load_scenario(path, changes)
    found = []
    for place, message in find_doubts(loaded.scenario):
        file, line = loaded.document.place(place)
        found.append(f"warning: {Problem(file, line, '.'.join(map(str, place)), message)}")
    return found
