"""Make a value of a scenario larger or smaller, and write it as a file or a person would.

Takes a value as written, what kind it is, and a factor; gives the value multiplied. Durations,
amounts, rates and counts are multiplied; a share is multiplied below one half, and above it its
complement is divided, so that it stays between 0 and 100 %; weights become flatter or steeper; a
distribution keeps its shape.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from sim.model.families import FAMILIES
from sim.model.number_text import write_scaled
from sim.model.quantities import PPB
from sim.scenario.tree import Tree
from sim.study.sensitivity.assumptions import Assumption, Form, read_number

_WHOLE_MONEY = frozenset({"KHR", "IDR", "VND", "LAK", "KRW", "JPY"})
_UNITS: dict[str, tuple[str, Fraction]] = {
    "us": ("time", Fraction(1, 10**6)),
    "ms": ("time", Fraction(1, 1000)),
    "s": ("time", Fraction(1)),
    "min": ("time", Fraction(60)),
    "h": ("time", Fraction(3600)),
    **dict.fromkeys(("d", "day", "days"), ("time", Fraction(86_400))),
    "/s": ("rate", Fraction(1)),
    "/min": ("rate", Fraction(1, 60)),
    **dict.fromkeys(("/h", "/hour"), ("rate", Fraction(1, 3600))),
    **dict.fromkeys(("/d", "/day"), ("rate", Fraction(1, 86_400))),
    "%": ("share", Fraction(1, 100)),
    "bps": ("share", Fraction(1, 10_000)),
    **dict.fromkeys(("business day", "business days"), ("business days", Fraction(1))),
}
"""What a unit measures, and how much of it one is."""
_DIGITS = {"us": 0, "ms": 3}
"""Decimal places of a unit, where there are fewer than :data:`_DIGITS_MOST`."""
_DIGITS_MOST = 6
_SPOKEN = Decimal("0.0001")
"""Digits that people are spared."""
_WEIGHT_UNIT = 1000
"""Weights are whole numbers; so many times finer they can be flattened."""


def moved_share(share: float, factor: float) -> float:
    """Multiply a share that is below one half; above, divide its complement.

    Parameters
    ----------
    share : float
        Between 0 and 1.
    factor : float
        Above 0.

    Notes
    -----
    ``u`` up to 1/2 and ``1 - 1 / (4 u)`` beyond meet with the same slope, so the share is a smooth
    function of the factor: 3 % becomes 1.5 % to 6 %, 70 % becomes 42 % to 85 %.
    """
    there = stretched(share) * factor
    return there if there <= 0.5 else 1 - 1 / (4 * there)


def stretched(share: float) -> float:
    """Return what a factor multiplies: the share up to one half, beyond it without bound."""
    return share if share <= 0.5 else 1 / (4 * (1 - share))


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
        return _scale_text(tree, factor, form)
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
    family = FAMILIES.get(name)
    if family is None:
        return None
    if isinstance(body, list):
        points: list[Tree] = []
        for point in body:
            if not isinstance(point, list) or not isinstance(point[0], str):
                return None
            moved = _scale_text(point[0], factor, Form.DISTRIBUTION)
            if moved is None:
                return None
            points.append([moved, *point[1:]])
        return {name: points}
    if not isinstance(body, dict):
        return None
    changed: dict[str, Tree] = {}
    for key, value in body.items():
        is_size = family.is_value(key) and isinstance(value, str)
        scaled = _scale_text(str(value), factor, Form.DISTRIBUTION) if is_size else None
        changed[key] = value if scaled is None else scaled
    return {name: changed}


def _contrasted(tree: Tree, factor: float) -> Tree | None:
    """Raise weights to a power around their mean: below 1 they become flatter, above steeper."""
    if not isinstance(tree, list):
        return None
    weights = [int(item) for item in tree if isinstance(item, str)]
    mean = sum(weights) / len(weights)
    if mean == 0:
        return None
    return [str(round(_WEIGHT_UNIT * mean * (weight / mean) ** factor)) for weight in weights]


def _scale_text(text: str, factor: float, form: Form) -> str | None:
    found = read_number(text)
    if found is None:
        return None
    number, unit = found
    if form in (Form.SHARE, Form.FEE):
        part = _UNITS.get(unit, ("share", Fraction(1)))[1]
        share = moved_share(share_of(text), factor) / float(part)
        # A share is kept in parts per billion, a fee in parts per million.
        places = (9 if form is Form.SHARE else 6) - {"%": 2, "bps": 4}.get(unit, 0)
        return write(Decimal(repr(share)), unit, places)
    value = number * Decimal(repr(factor))
    is_counted = form is Form.WHOLE or (form is Form.AMOUNT and number == int(number))
    if is_counted:
        # A count stays a count, and never becomes none at all.
        least = Decimal(min(1, int(number)))
        return write(max(value.to_integral_value(), least), unit, 0)
    if unit in _WHOLE_MONEY:
        return write(max(value.to_integral_value(), Decimal(min(1, int(number)))), unit, 0)
    if form is Form.AMOUNT or (len(unit) == 3 and unit.isupper()):
        return write(value, unit, 2)
    return write(value, unit)


def write(value: Decimal, unit: str, places: int | None = None) -> str:
    """Write a number with its unit, in plain digits."""
    if places is None:
        places = _DIGITS.get(unit, _DIGITS_MOST)
    number = format(value.quantize(Decimal(1).scaleb(-places)).normalize(), "f")
    return f"{number} {unit}".strip()


def write_share(share: float | Fraction) -> str:
    """Write a share in percent, to the part per billion it is kept in."""
    return f"{write_scaled(round(share * PPB), 7)} %"


def share_of(tree: Tree) -> float:
    """Return a share as a number from 0 to 1."""
    found = read_number(tree) if isinstance(tree, str) else None
    assert found is not None
    number, unit = found
    return float(number) * float(_UNITS.get(unit, ("share", Fraction(1)))[1])


def size_of(assumption: Assumption) -> tuple[Decimal, str] | None:
    """Return the number and unit that say how large an estimate is, None where several do."""
    tree = assumption.tree
    if assumption.form in (Form.WORD, Form.CHOICE, Form.WEIGHTS, Form.LISTED):
        return None
    if isinstance(tree, dict) and assumption.form is Form.DISTRIBUTION:
        ((name, body),) = tree.items()
        sized = _sized(name, body) if isinstance(body, dict) else []
        return read_number(sized[0][1]) if sized else None
    if isinstance(tree, dict) and len(tree) == 1:
        (tree,) = tree.values()
    return read_number(tree) if isinstance(tree, str) else None


def _sized(name: str, body: dict[str, Tree]) -> list[tuple[str, str]]:
    """Return the parameters of a distribution that are durations or amounts."""
    family = FAMILIES.get(name)
    return [
        (key, value)
        for key, value in body.items()
        if family is not None and family.is_value(key) and isinstance(value, str)
    ]


def in_unit(text: str, unit: str) -> Decimal | None:
    """Return a quantity in another unit of the same kind, None where it is none."""
    found = read_number(text)
    if found is None:
        return None
    if found[1] == unit:
        return found[0]
    own, wanted = _UNITS.get(found[1]), _UNITS.get(unit)
    if own is None or wanted is None or own[0] != wanted[0]:
        return None
    ratio = own[1] / wanted[1]
    return found[0] * ratio.numerator / ratio.denominator


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
    found = read_number(text)
    if found is None:
        return text
    number, unit = found
    number = number.quantize(_SPOKEN).normalize() if number > 1 else number
    written = f"{number:,f}" if number >= 10_000 else f"{number:f}"
    return f"{written} {unit}".strip().replace(",", " ")
