"""The ``schema`` command: the JSON schema an editor checks scenario files with."""

from __future__ import annotations

import json

import typer

from sim.cli.guard import guarded


def schema_text() -> str:
    """Return the schema as JSON text, the same on every machine."""
    from sim.model.editor_schema import editor_schema
    from sim.scenario.scenario import Scenario

    return json.dumps(editor_schema(Scenario), indent=2, ensure_ascii=True) + "\n"


@guarded
def schema_command() -> None:
    """Print the JSON schema of scenario files, for editors."""
    typer.echo(schema_text(), nl=False)
