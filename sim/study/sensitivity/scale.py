"""Make a value of a scenario larger or smaller, and write it as a file or a person would.

Takes a value as written, what kind it is, and a factor; gives the value multiplied. What stands in
it scales itself (:meth:`~sim.model.magnitude.Magnitude.scaled`); a distribution keeps its shape,
and weights become flatter or steeper.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from sim.model.families import FAMILIES, NAMES
from sim.model.magnitude import Form, Magnitude
from sim.model.quantities import PPB, write_share
from sim.scenario.tree import Tree
from sim.study.sensitivity.assumptions import Assumption

_SPOKEN = Decimal("0.0001")
"""Digits that people are spared."""
_WEIGHT_UNIT = 1000
"""Weights are whole numbers; so many times finer they can be flattened."""


def scale(tree: Tree, factor: float, form: Form) -> Tree | None:
    """Multiply every quantity of a value; None where there is none to multiply.

    Parameters
    ----------
    tree : Tree
        Text, or a mapping of texts as a distribution or amounts by currency are written.
    factor : float
        Above 0.
    form : Form
        What kind of value.
    """
    if form in (Form.WORD, Form.CHOICE, Form.LISTED):
        return None
    if form is Form.WEIGHTS:
        return _contrasted(tree, factor)
    if isinstance(tree, str):
        return _scaled(tree, factor, form)
    if isinstance(tree, list):
        return None
    if form is Form.DISTRIBUTION:
        return _scale_distribution(tree, factor)
    parts = {key: scale(value, factor, form) for key, value in tree.items()}
    known = {key: part for key, part in parts.items() if part is not None}
    return known if known and len(known) == len(parts) else None


def _scale_distribution(tree: dict[str, Tree], factor: float) -> Tree | None:
    """Multiply what is a duration or an amount; what says how it spreads stays."""
    ((name, body),) = tree.items()
    if name not in NAMES:
        return None
    if isinstance(body, list):
        points: list[Tree] = []
        for point in body:
            if not isinstance(point, list):
                return None
            moved = _scaled(point[0], factor, Form.NUMBER)
            if moved is None:
                return None
            points.append([moved, *point[1:]])
        return {name: points}
    if not isinstance(body, dict):
        return None
    sizes = {key: _scaled(value, factor, Form.NUMBER) for key, value in _sized(name, body)}
    return {name: {key: sizes.get(key) or value for key, value in body.items()}}


def _contrasted(tree: Tree, factor: float) -> Tree | None:
    """Raise weights to a power around their mean: below 1 they become flatter, above steeper."""
    if not isinstance(tree, list):
        return None
    weights = [int(item) for item in tree if isinstance(item, str)]
    mean = sum(weights) / len(weights)
    if mean == 0:
        return None
    return [str(round(_WEIGHT_UNIT * mean * (weight / mean) ** factor)) for weight in weights]


def _scaled(text: Tree, factor: float, form: Form) -> str | None:
    written = Magnitude.read(text)
    return None if written is None else str(written.scaled(factor, form))


def written_share(share: float | Fraction) -> str:
    """Write a share in percent, to the part per billion it is kept in."""
    return write_share(round(share * PPB))


def share_of(tree: Tree) -> float:
    """Return a share as a number from 0 to 1."""
    written = Magnitude.read(tree)
    assert written is not None
    return written.share


def size_of(assumption: Assumption) -> Magnitude | None:
    """Return the number that says how large an estimate is, None where several do."""
    tree = assumption.tree
    if assumption.form in (Form.WORD, Form.CHOICE, Form.WEIGHTS, Form.LISTED):
        return None
    if isinstance(tree, dict) and assumption.form is Form.DISTRIBUTION:
        ((name, body),) = tree.items()
        sized = _sized(name, body) if isinstance(body, dict) else []
        return Magnitude.read(sized[0][1]) if sized else None
    if isinstance(tree, dict) and len(tree) == 1:
        (tree,) = tree.values()
    return Magnitude.read(tree)


def _sized(name: str, body: dict[str, Tree]) -> list[tuple[str, str]]:
    """Return the parameters of a distribution that are durations or amounts."""
    family = FAMILIES.get(name)
    return [
        (key, value)
        for key, value in body.items()
        if family is not None and family.is_value(key) and isinstance(value, str)
    ]


def flow(tree: Tree) -> str:
    """Write a value on one line, as ``--set`` takes it."""
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{key}: {flow(value)}" for key, value in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(map(flow, tree)) + "]"
    return tree


def spoken(tree: Tree, form: Form) -> str:
    """Write a value for people: of a distribution what says how large it is."""
    if isinstance(tree, str):
        return _grouped(tree)
    if isinstance(tree, list):
        return f"{len(tree)} weights" if form is Form.WEIGHTS else flow(tree)
    if form is Form.DISTRIBUTION:
        ((name, body),) = tree.items()
        if isinstance(body, dict):
            return ", ".join(f"{key} {_grouped(value)}" for key, value in _sized(name, body))
        return name
    return ", ".join(f"{key} {spoken(value, form)}" for key, value in tree.items())


def _grouped(text: str) -> str:
    """Set groups of three digits apart where there are more than four; leave out the last few."""
    found = Magnitude.read(text)
    if found is None:
        return text
    number = found.number
    number = number.quantize(_SPOKEN).normalize() if number > 1 else number
    written = f"{number:,f}" if number >= 10_000 else f"{number:f}"
    return f"{written} {found.unit}".strip().replace(",", " ")
