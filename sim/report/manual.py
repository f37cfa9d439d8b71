"""The manual of fields and columns, in Markdown, out of the descriptions beside the code.

Takes the models of a scenario, the schemas of the tables and the catalogue of measures; gives the
pages of ``docs/reference/`` and of ``payroute manual``. What is wrong there is mended where the
field or the column is declared.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sim.model.base import Model
from sim.model.quantity import Quantity

NOTE = "<!-- Written by `payroute manual`; change the descriptions beside the code instead. -->"


def scenario_manual(root: type[Model]) -> str:
    """Return the manual of scenario files: every section, every field.

    Parameters
    ----------
    root : type
        Model of the whole file.
    """
    lines = [NOTE, "", "# Fields of a scenario", ""]
    lines += [
        "Units are written as people write them (`12 h`, `80 CNY`, `0.10 %`, `2000 /s`). Any value",
        "may carry `{value: …, evidence: …, source: …}`. Everything that can be listed is a",
        "mapping by name; a file that `extends` another changes single entries of it.",
        "",
    ]
    for model, title in _sections(root):
        lines += [f"## {title}", "", _sentence(model), ""]
        lines += ["| field | value | default | meaning |", "| --- | --- | --- | --- |"]
        lines += [_row(name, field) for name, field in _fields(model)]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def table_manual() -> str:
    """Return the reference of every table of a run folder: columns, units, meaning."""
    from sim.tables.schemas import SCHEMAS, UNITS

    lines = [NOTE, "", "# Tables of a run folder", ""]
    lines += [
        "Integers are int64, names dictionary-encoded text, null means that it never happened."
    ]
    lines += ["The unit and the description of a column lie in the file's own metadata, too.", ""]
    lines += ["| unit | means |", "| --- | --- |"]
    lines += [f"| {unit} | {meaning} |" for unit, meaning in UNITS.items()]
    for file, schema in SCHEMAS.items():
        lines += ["", f"## {file}", "", "| column | unit | meaning |", "| --- | --- | --- |"]
        for entry in schema:
            told = {key.decode(): value.decode() for key, value in entry.metadata.items()}
            lines.append(f"| `{entry.name}` | {told['unit']} | {told['description']} |")
    return "\n".join(lines) + "\n"


def measure_manual() -> str:
    """Return the list of measures, out of the catalogue."""
    from sim.analysis.catalogue import CATALOGUE

    lines = [NOTE, "", "# Measures", ""]
    lines += [
        "`headline` is the run as a whole; a measure of a group is asked for as",
        "`group/name/measure`, as in `route/NAME/success_rate`. Shares are from 0 to 1.",
        "Replications become one figure as the mean with Student's t (`mean`), likewise kept in",
        "0 and 1 (`share`), or by the estimate of Kaplan and Meier over all payments.",
        "",
        "| measure | short | unit | better | known of | replications | people call it |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, one in sorted(CATALOGUE.items()):
        short = f"`{one.alias}`" if one.alias else ""
        lines.append(
            f"| `{name}` | {short} | {one.kind.unit} | {one.better} | "
            f"{', '.join(sorted(one.groups))} | {one.pooling} | {one.words} |"
        )
    return "\n".join(lines) + "\n"


def _sections(root: type[Model]) -> Iterator[tuple[type[Model], str]]:
    """Yield every model once, in the order in which a reader meets them, with where it stands."""
    seen: set[type[Model]] = set()
    waiting: list[tuple[type[Model], str]] = [(root, "The whole file")]
    while waiting:
        model, title = waiting.pop(0)
        if model in seen:
            continue
        seen.add(model)
        yield model, title
        below = []
        for name, field in _fields(model):
            path = name if model is root else f"{title}.{name}"
            for inner, step in _models(field.annotation):
                kind = inner.model_fields.get("kind")
                word = f" (kind: {get_args(kind.annotation)[0]})" if kind is not None else ""
                below.append((inner, f"{path}{step}{word}"))
        waiting = below + waiting


def _models(annotation: Any) -> Iterator[tuple[type[Model], str]]:
    """Yield the models an annotation holds, with what leads into a list or a mapping."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Model):
        yield annotation, ""
    elif origin is dict:
        for model, step in _models(arguments[1]):
            yield model, f".*{step}"
    elif origin is tuple:
        for model, step in _models(arguments[0]):
            yield model, f"[]{step}"
    elif origin is Annotated or origin in (Union, types.UnionType):
        for argument in arguments:
            yield from _models(argument)


def _fields(model: type[Model]) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        yield field.alias or name, field


def _sentence(model: type[Model]) -> str:
    return " ".join((model.__doc__ or "").split("\n\n")[0].split())


def _row(name: str, field: FieldInfo) -> str:
    meaning = " ".join((field.description or "").split())
    extra = field.json_schema_extra
    if isinstance(extra, dict) and "evidence" in extra:
        meaning += f" *{extra['evidence']}: {extra['source']}*"
    cells = (f"`{name}`", _value(field), _default(field), meaning)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(field: FieldInfo) -> str:
    """Return the default as people write it; a field without one must be given."""
    if field.is_required():
        return "needed"
    held = field.get_default(call_default_factory=True, validated_data={})
    if held is None or held in ({}, (), "") or isinstance(held, BaseModel):
        return ""
    writers = [item.write for item in field.metadata if isinstance(item, Quantity) and item.write]
    if writers and not isinstance(held, str):
        return f"`{writers[0](held)}`"
    return f"`{_flow(held)}`"


def _flow(held: object) -> str:
    """Write a default in YAML's flow style."""
    if isinstance(held, dict):
        return f"{{{', '.join(f'{key}: {_flow(part)}' for key, part in held.items())}}}"
    if isinstance(held, (list, tuple)):
        return f"[{', '.join(map(_flow, held))}]"
    return str(held)


def _value(field: FieldInfo) -> str:
    """Return what may stand there."""
    for item in field.metadata:
        if isinstance(item, Quantity):
            return item.allowed
    return _kind(field.annotation)


def _kind(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        quantities = [item for item in arguments[1:] if isinstance(item, Quantity)]
        return quantities[0].allowed if quantities else _kind(arguments[0])
    if origin in (Union, types.UnionType):
        parts = [_kind(part) for part in arguments if part is not type(None)]
        return " or ".join(dict.fromkeys(parts))
    if origin is Literal:
        return ", ".join(f"`{word}`" for word in arguments)
    if origin is dict:
        return f"by name: {_kind(arguments[1])}"
    if origin is tuple:
        return f"a list of: {_kind(arguments[0])}"
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return "a mapping, see below"
    allowed = getattr(annotation, "ALLOWED", None)
    if isinstance(allowed, str):
        return allowed
    words = [str(item.value) for item in annotation] if hasattr(annotation, "__members__") else []
    return ", ".join(f"`{word}`" for word in words) or "text"
