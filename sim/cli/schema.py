"""The ``schema`` command: the JSON schema an editor checks scenarios and experiments with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, cast

import typer

from sim.cli.guard import guarded

if TYPE_CHECKING:
    from sim.model.base import Model

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

_NAMED = ("properties", "patternProperties", "$defs")
_NESTED = ("anyOf", "oneOf", "allOf", "prefixItems")
_SINGLE = ("items", "additionalProperties")
_SHARED_LENGTH = 200
"""Parts shorter than this are written out where they stand."""


def schema_text() -> str:
    """Return the schema of scenario files as JSON text, the same on every machine."""
    from sim.scenario.model import scenario_model

    return _written(scenario_model())


def experiment_schema_text() -> str:
    """Return the schema of experiment files as JSON text, the same on every machine."""
    from sim.study.experiment_file import Experiment

    return _written(Experiment)


def _written(model: type[Model]) -> str:
    from sim.model.editor_schema import editor_schema

    whole = cast("dict[str, Json]", editor_schema(model))
    return json.dumps(share_parts(whole), indent=1, ensure_ascii=True, sort_keys=False) + "\n"


def share_parts(schema: dict[str, Json]) -> dict[str, Json]:
    """Write parts that occur more than once only once, below ``$defs``.

    Notes
    -----
    Every duration may be a distribution, every distribution has every family, and each of them may
    carry evidence: written out everywhere, the same few parts make megabytes.
    """
    counts: dict[str, int] = {}
    _count(schema, counts)
    shared: dict[str, Json] = {}
    names: dict[str, str] = {}
    slim = _slim(schema, counts, names, shared)
    assert isinstance(slim, dict)
    definitions = slim.setdefault("$defs", {})
    assert isinstance(definitions, dict)
    definitions.update(shared)
    return slim


def _text(part: Json) -> str:
    return json.dumps(part, sort_keys=True)


def _below(part: dict[str, Json]) -> list[tuple[str, str | int, Json]]:
    """Return the schemas directly inside a schema: keyword, key or position, schema."""
    found: list[tuple[str, str | int, Json]] = []
    for word, value in part.items():
        if word in _NAMED and isinstance(value, dict):
            found += [(word, key, inner) for key, inner in value.items()]
        elif word in _NESTED and isinstance(value, list):
            found += [(word, at, inner) for at, inner in enumerate(value)]
        elif word in _SINGLE:
            found.append((word, "", value))
    return found


def _count(part: Json, counts: dict[str, int]) -> None:
    if not isinstance(part, dict):
        return
    text = _text(part)
    counts[text] = counts.get(text, 0) + 1
    # What is inside a part seen before will be written once, with it.
    if counts[text] == 1:
        for _, _, inner in _below(part):
            _count(inner, counts)


def _slim(
    part: Json, counts: dict[str, int], names: dict[str, str], shared: dict[str, Json]
) -> Json:
    if not isinstance(part, dict):
        return part
    text = _text(part)
    if text in names:
        return {"$ref": f"#/$defs/{names[text]}"}
    is_shared = counts[text] > 1 and len(text) >= _SHARED_LENGTH
    if is_shared:
        names[text] = f"part_{len(names) + 1}"
    slim = dict(part)
    for word, key, inner in _below(part):
        smaller = _slim(inner, counts, names, shared)
        held = slim[word]
        if isinstance(held, dict) and word in _NAMED:
            slim[word] = {**held, str(key): smaller}
        elif isinstance(held, list):
            slim[word] = [smaller if at == key else old for at, old in enumerate(held)]
        else:
            slim[word] = smaller
    if not is_shared:
        return slim
    shared[names[text]] = slim
    return {"$ref": f"#/$defs/{names[text]}"}


@guarded
def schema_command(
    experiment: Annotated[
        bool, typer.Option("--experiment", help="Of experiment files instead.")
    ] = False,
) -> None:
    """Print the JSON schema of scenario files, for editors."""
    typer.echo(experiment_schema_text() if experiment else schema_text(), nl=False)
