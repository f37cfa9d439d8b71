"""The pydantic hook of quantities.

Takes a pair of plain functions (text to value, value to text); gives :class:`Quantity`, a pydantic
type with a JSON schema that also knows how its values can be larger or smaller.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from sim.model.magnitude import Form

Value = TypeVar("Value")


@dataclass(frozen=True)
class Quantity(Generic[Value]):
    """One kind of quantity: how it is read, written, documented and made larger or smaller.

    Attributes
    ----------
    parse : callable
        Takes what was found, gives the value; raises ``ValueError`` with the whole message.
    write : callable or None
        Gives text that ``parse`` reads back to the same value; None when the value is plain JSON.
    allowed : str
        What may be written, as error messages and the schema say it.
    pattern : str
        ECMAScript-compatible pattern of the text, for editors.
    examples : tuple of str
        Texts that are accepted.
    json_types : tuple of str
        What an editor may take the text for: to it a bare ``0.001`` is a number.
    form : Form
        How its magnitudes scale themselves; a word cannot.
    """

    parse: Callable[[object], Value]
    allowed: str
    pattern: str
    examples: tuple[str, ...]
    write: Callable[[Value], str] | None = None
    json_types: tuple[str, ...] = ("string",)
    form: Form = Form.WORD

    def core_schema(self) -> CoreSchema:
        """Return the pydantic schema of this quantity."""
        serialization = None
        if self.write is not None:
            serialization = core_schema.plain_serializer_function_ser_schema(
                self.write, return_schema=core_schema.str_schema()
            )
        return core_schema.no_info_plain_validator_function(self.parse, serialization=serialization)

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON schema of this quantity."""
        return {
            "type": list(self.json_types) if len(self.json_types) > 1 else self.json_types[0],
            "pattern": f"^(?:{self.pattern})$",
            "description": self.allowed,
            "examples": list(self.examples),
        }

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Replace the annotated type's own schema: none of its coercions apply."""
        return self.core_schema()

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Describe the text, not the integer it becomes."""
        return self.json_schema()
