"""The ``validate`` command: every problem of every scenario given, at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli import completing
from sim.cli.given import scenario_file
from sim.cli.guard import guarded
from sim.cli.options import SetOption
from sim.cli.showing import FormatOption, JsonOption, OutputOption, showing
from sim.errors import Problem, ScenarioError, UserError

if TYPE_CHECKING:
    from sim.study.validation import Checked


@guarded
def validate_command(
    scenarios: Annotated[
        list[str],
        typer.Argument(
            metavar="SCENARIO...",
            help="Scenario files to check.",
            autocompletion=completing.scenarios,
        ),
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
        found = _check(given, tuple(changes or ()))
        problems += [problem for problem in found.problems if problem not in problems]
        notes += [note for note in found.notes if note not in notes]
        if not found.problems:
            valid.append(f"{given}: valid; {found.described}")
            valid += _doubts(given, tuple(changes or ()))
    wanted.show(validate_document(valid, problems, notes))
    if problems:
        raise ScenarioError(problems)


def _check(given: str, changes: tuple[str, ...]) -> Checked:
    """Return the problems of one file, or what it describes."""
    from sim.study.validation import Checked, check_file

    try:
        path = scenario_file(given)
    except UserError as error:
        message = str(error).removeprefix(f"{given}: ")
        return Checked((Problem(given, 0, "", message),))
    return check_file(path, given, changes)


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
