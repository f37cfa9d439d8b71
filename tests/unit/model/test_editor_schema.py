"""The editor's schema admits what the loader admits."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import Field

from sim.model.base import Model
from sim.model.editor_schema import editor_schema
from sim.model.quantities import Count, DurationUs, Name


class Ledger(Model):
    kind: Literal["ledger"]
    """Kind."""

    peers: Count
    """Peers."""


class Gateway(Model):
    kind: Literal["gateway"]
    """Kind."""


class Sample(Model):
    wait: DurationUs
    """How long to wait."""

    rails: dict[Name, Annotated[Ledger | Gateway, Field(discriminator="kind")]] = Field(
        default_factory=dict
    )
    """Rails."""


def test_every_field_may_carry_evidence_or_be_deleted() -> None:
    wait = editor_schema(Sample)["properties"]["wait"]  # type: ignore[index]
    bare, wrapper, deleted = wait["anyOf"]
    assert wait["description"] == "How long to wait."
    assert bare["pattern"] == wrapper["properties"]["value"]["pattern"]
    assert wrapper["required"] == ["value", "evidence"]
    assert wrapper["properties"]["evidence"]["enum"] == ["reported", "derived", "estimated"]
    assert deleted["type"] == "null"


def test_child_may_leave_out_fields_and_tags() -> None:
    schema = editor_schema(Sample)
    assert "extends" in schema["properties"]  # type: ignore[operator]
    assert "required" not in schema
    assert "required" not in schema["$defs"]["Ledger"]  # type: ignore[index]
    assert "oneOf" not in json.dumps(schema)


def test_unknown_fields_stay_refused() -> None:
    schema = editor_schema(Sample)
    assert schema["additionalProperties"] is False
    assert schema["$defs"]["Ledger"]["additionalProperties"] is False  # type: ignore[index]
