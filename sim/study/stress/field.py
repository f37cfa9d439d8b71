"""One field of a scenario whose number is looked for, as a person wrote it.

Takes a scenario and the path of a field; gives the number that stands there with what stands behind
it, and writes others in its place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

from sim.errors import OptionError, suggest
from sim.scenario.tree import Mapping, Scalar

if TYPE_CHECKING:
    from sim.scenario.scenario import LoadedScenario

_NUMBER = re.compile(r"\s*(?P<number>\d[\d _]*(?:\.\d+)?)(?P<unit>\s*[^\d\s].*?)?\s*")


@dataclass(frozen=True, slots=True)
class VariedField:
    """A field and the number that stands in it.

    Attributes
    ----------
    path : str
        Dotted, as ``--set`` names it.
    own : Decimal
        What the scenario says.
    unit : str
        What stands behind the number.
    step : Decimal
        Values tried are whole multiples of it.
    """

    path: str
    own: Decimal
    unit: str
    step: Decimal

    def rounded(self, value: Decimal) -> Decimal:
        """Return the next lower value that may be tried."""
        return (value / self.step).to_integral_value(ROUND_FLOOR) * self.step

    def change(self, value: Decimal) -> str:
        """Return the change by which a scenario says another value."""
        return f"{self.path}={self.written(value)}"

    def written(self, value: Decimal) -> str:
        """Write a value as the file would."""
        return f"{value.normalize():f}{self.unit and ' '}{self.unit}"


def find_field(loaded: LoadedScenario, path: str, step: str | None = None) -> VariedField:
    """Return a field of a scenario with a number.

    Parameters
    ----------
    loaded : LoadedScenario
    path : str
        Dotted.
    step : str, optional
        Values are whole multiples of it; by default of the last digit written.

    Raises
    ------
    OptionError
        If the scenario writes no number there.
    """
    text = _text_at(loaded, path)
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise OptionError("vary", f"found {path} = {text!r}; needed: a field that holds one number")
    own = Decimal(re.sub(r"[ _]", "", found["number"]))
    exponent = own.as_tuple().exponent
    assert isinstance(exponent, int)
    smallest = Decimal(1).scaleb(min(exponent, 0)) if step is None else _step(step)
    return VariedField(path, own, (found["unit"] or "").strip(), smallest)


def _step(text: str) -> Decimal:
    if not re.fullmatch(r"\d+(?:\.\d+)?", text) or not Decimal(text):
        raise OptionError("step", f"found {text!r}; allowed: a number above 0")
    return Decimal(text)


def _text_at(loaded: LoadedScenario, path: str) -> str:
    node: object = loaded.document.root
    for at, key in enumerate(path.split(".")):
        known = sorted(map(str, node.entries)) if isinstance(node, Mapping) else []
        if key not in known:
            where = ".".join(path.split(".")[:at]) or "the scenario"
            raise OptionError(
                "vary",
                f"found {path!r}; {where} writes no {key!r}, which the search needs to start from "
                f"(written: {', '.join(known[:12]) or 'none'}).{suggest(key, known)}",
            )
        assert isinstance(node, Mapping)
        node = node.entries[key].node
    if not isinstance(node, Scalar):
        raise OptionError("vary", f"found {path!r}, which holds more than one value; needed: one")
    return node.text
