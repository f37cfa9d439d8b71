"""The ``scenarios`` and ``new`` commands: what comes with the program, and a start of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli import completing
from sim.cli.given import scenario_file
from sim.cli.guard import guarded
from sim.cli.showing import FormatOption, JsonOption, OutputOption, note, showing
from sim.errors import UserError

if TYPE_CHECKING:
    from sim.scenario.loader import Document

_START = "minimal"
_SCHEMA = "scenario.schema.json"


@guarded
def scenarios_command(
    form: FormatOption = None,
    output: OutputOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the scenarios that come with the program, and what each answers.

    Any of them runs by its name: payroute run china-two-way.
    """
    from sim.report.documents.scenarios import scenarios_document
    from sim.scenario.loader import load_document
    from sim.scenario.shipped import shipped_scenarios

    wanted = showing(form, output, as_json=as_json)
    found = {name: _question(load_document(path)) for name, path in shipped_scenarios().items()}
    wanted.show(scenarios_document(found))


@guarded
def new_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the scenario, and of its file.")],
    start: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="SCENARIO",
            help="What it is to change.",
            autocompletion=completing.scenarios,
        ),
    ] = _START,
    force: Annotated[
        bool, typer.Option("--force", help="Replace files that are there already.")
    ] = False,
) -> None:
    """Write a scenario that changes another one, with comments on what to change, and its schema.

    The file runs as it is: payroute new mine --from china-two-way && payroute run mine.yaml
    """
    from sim.cli.schema import schema_text
    from sim.scenario.loader import load_document
    from sim.scenario.start import checked_name, started_text
    from sim.tables.whole_file import machine_errors, write_whole

    path = Path(f"{checked_name(name)}.yaml")
    schema = path.with_name(_SCHEMA)
    if path.exists() and not force:
        raise UserError(f"{path}: found a file already; allowed: another name, or --force")
    parent = scenario_file(start)
    text = started_text(name, start, load_document(parent), _SCHEMA)
    with machine_errors(path):
        write_whole(path, text)
        if force or not schema.exists():
            write_whole(schema, schema_text())
    note(f"written to {path}; `payroute run {path}` runs it, `payroute explain {path}` explains it")


def _question(document: Document) -> str:
    question = document.tree.get("question", "")
    return question if isinstance(question, str) else ""
