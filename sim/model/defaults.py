"""Defaults that say where they come from.

Takes a default and the calibration key behind it; gives a pydantic field that carries both, so that
``explain`` and the report can show every assumption a scenario did not state itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field


@dataclass(frozen=True, slots=True)
class DefaultUsed:
    """A default that a scenario left as it is.

    Attributes
    ----------
    path : str
        Dotted path of the field.
    evidence : str
        ``reported``, ``derived``, ``estimated`` or ``assumed``.
    source : str
        Calibration key, or why the default was chosen.
    value : str
        The default as text.
    """

    path: str
    evidence: str
    source: str
    value: str


def cited(default: object, source: str, evidence: str = "estimated") -> Any:
    """Return a field whose default rests on a calibration key.

    Parameters
    ----------
    default : object
        In base units, or text that the field's own type reads.
    source : str
        Key of the calibration table, as in ``bakong.consensus.peers``.
    evidence : str
        ``reported``, ``derived`` or ``estimated``.
    """
    return Field(default, json_schema_extra={"evidence": evidence, "source": source})


def assumed(default: object, why: str) -> Any:
    """Return a field whose default is an assumption of ours without a published figure."""
    return Field(default, json_schema_extra={"evidence": "assumed", "source": why})


def defaults_used(model: BaseModel, path: str = "") -> Iterator[DefaultUsed]:
    """Walk a model and yield every evidence-carrying default that was left unset."""
    for name, field in type(model).model_fields.items():
        place = f"{path}.{name}" if path else name
        value = getattr(model, name)
        extra = field.json_schema_extra
        if name not in model.model_fields_set and isinstance(extra, dict) and "evidence" in extra:
            shown = field.get_default(call_default_factory=True)
            yield DefaultUsed(place, str(extra["evidence"]), str(extra["source"]), str(shown))
        yield from _below(value, place)


def _below(value: object, place: str) -> Iterator[DefaultUsed]:
    if isinstance(value, BaseModel):
        yield from defaults_used(value, place)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _below(item, f"{place}.{key}")
    elif isinstance(value, (list, tuple)):
        for position, item in enumerate(value):
            yield from _below(item, f"{place}.{position}")
