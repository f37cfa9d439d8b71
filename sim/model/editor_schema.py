"""The JSON schema an editor checks a scenario file with while it is being written.

Takes a model; gives its schema, widened by what the loader allows in every file but no model knows:
evidence wrappers, ``null`` to delete an inherited value, ``extends``, and fields left out because a
parent states them.
"""

from __future__ import annotations

from typing import Any

from sim.model.base import Model
from sim.model.evidence import Evidence

_EVIDENCE = {
    "enum": [grade.value for grade in Evidence if grade is not Evidence.ASSUMED],
    "description": "How well founded the value is.",
}
_SOURCE = {"type": "string", "description": "Key of the source."}
_EXTENDS = {
    "description": "File or files this one inherits from, relative to it.",
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}],
}
_NULL = {"type": "null", "description": "Deletes the inherited value."}


def editor_schema(model: type[Model]) -> dict[str, object]:
    """Return the schema of files that are checked against a model.

    Parameters
    ----------
    model : type
        Class of the whole scenario.

    Returns
    -------
    dict
        JSON schema (draft 2020-12). It is laxer than the model where a parent may fill in: no
        field is required, and a part of a tagged union may leave out its tag.
    """
    schema: dict[str, Any] = model.model_json_schema()
    for definition in (schema, *schema.get("$defs", {}).values()):
        _widen(definition)
    schema.setdefault("properties", {})["extends"] = _EXTENDS
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _widen(schema: dict[str, Any]) -> None:
    """Widen every value an object holds, in place."""
    schema.pop("required", None)
    if "oneOf" in schema:
        # Without its tag a part of a child fits several arms, which oneOf would refuse.
        schema["anyOf"] = schema.pop("oneOf")
        schema.pop("discriminator", None)
    for key in ("properties", "patternProperties"):
        for name, inner in schema.get(key, {}).items():
            _widen(inner)
            schema[key][name] = _widened(inner)
    if isinstance(schema.get("additionalProperties"), dict):
        _widen(schema["additionalProperties"])
        schema["additionalProperties"] = _widened(schema["additionalProperties"])
    if isinstance(schema.get("items"), dict):
        _widen(schema["items"])
    for arm in schema.get("anyOf", ()):
        _widen(arm)


def _widened(inner: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {
        key: inner[key] for key in ("title", "description", "default") if key in inner
    }
    value = {key: part for key, part in inner.items() if key not in ("title", "default")}
    wrapper = {
        "type": "object",
        "additionalProperties": False,
        "required": ["value", "evidence"],
        "properties": {"value": value, "evidence": _EVIDENCE, "source": _SOURCE},
    }
    return {**shown, "anyOf": [value, wrapper, _NULL]}
