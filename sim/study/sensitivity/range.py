"""Say how far an estimate is moved, and put it anywhere in between.

Takes an assumption and a range (factors, or values with their units); gives the changes of the
scenario that put it there, and its ends in words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from sim.errors import OptionError
from sim.model.magnitude import Form, Magnitude, moved_share, stretched
from sim.model.quantities import PPB
from sim.scenario.tree import Tree
from sim.study.sensitivity.assumptions import Assumption
from sim.study.sensitivity.scale import flow, scale, share_of, size_of, spoken, written_share

_SAYS_HOW = "--range FIELD=LOW..HIGH tries two values"


@dataclass(frozen=True, slots=True)
class Move:
    """One place of an assumption: a factor of its estimate, or a value as written."""

    assumption: Assumption
    factor: float = 1.0
    text: str | None = None

    def words(self) -> str:
        """Say the value in words."""
        if self.text is not None:
            return self.text
        if self.assumption.mix:
            return spoken(written_share(moved_share(self.share, self.factor)), Form.SHARE)
        if self.assumption.form is Form.WEIGHTS:
            return f"contrast ^{self.factor:.4g}"
        moved = scale(self.assumption.tree, self.factor, self.assumption.form)
        return "" if moved is None else spoken(moved, self.assumption.form)

    @property
    def share(self) -> float:
        """Return the estimate of a share that is part of a mix."""
        return share_of(self.assumption.tree)

    @property
    def is_idle(self) -> bool:
        """Say whether rounding leaves the estimate where it is."""
        if self.text is not None:
            return self.text == self.assumption.tree
        if self.assumption.mix or self.assumption.form is Form.WEIGHTS:
            return False
        form, tree = self.assumption.form, self.assumption.tree
        return scale(tree, self.factor, form) == scale(tree, 1.0, form)


@dataclass(frozen=True, slots=True)
class Span:
    """How far an assumption is moved: between two factors, or to values as written.

    Attributes
    ----------
    factors : tuple of float or None
        Of the estimate.
    texts : tuple of str
        Where the estimate is 0 or no quantity: two numbers, or words.
    """

    factors: tuple[float, float] | None
    texts: tuple[str, ...] = ()

    def ends(self, assumption: Assumption) -> tuple[Move, ...]:
        """Return the moves to the low and the high end, or to every word."""
        if self.factors is not None:
            # The ends are exact: no rounding of logarithms moves them.
            return tuple(Move(assumption, factor) for factor in self.factors)
        return tuple(Move(assumption, text=text) for text in self.texts)

    def at(self, assumption: Assumption, place: float) -> Move:
        """Return the move to a place between 0, the low end, and 1, the high end.

        Notes
        -----
        Factors are spaced by their logarithms: half and twice the estimate are as far from it. Two
        numbers of which one may be 0 are spaced evenly. Words, the estimate among them, each take
        an equal part.
        """
        if self.factors is not None:
            low, high = self.factors
            return Move(assumption, low * (high / low) ** place)
        numbers = [Magnitude.read(text) for text in self.texts]
        if assumption.form in (Form.WORD, Form.CHOICE) or None in numbers:
            words = tuple(dict.fromkeys((flow(assumption.tree), *self.texts)))
            return Move(assumption, text=words[min(int(place * len(words)), len(words) - 1)])
        first, second = (number for number in numbers if number is not None)
        value = first.number + (second.number - first.number) * Decimal(repr(place))
        return Move(assumption, text=str(Magnitude(value, second.unit).rounded()))


def default_span(assumption: Assumption, factors: tuple[float, float]) -> Span | str:
    """Return the range of an assumption that none was given for, or why it has none.

    Parameters
    ----------
    assumption : Assumption
    factors : tuple of float
        Low and high.
    """
    if assumption.form is Form.LISTED:
        return "stands in a list, which is set as a whole: choose arms in `compare`"
    if assumption.form is Form.CHOICE:
        return Span(None, assumption.choices)
    if assumption.form in (Form.SHARE, Form.FEE) and share_of(assumption.tree) >= 1:
        return f"all there is, and no multiple is larger; {_SAYS_HOW}"
    if scale(assumption.tree, 1.0, assumption.form) is None:
        return f"no quantity; {_SAYS_HOW}"
    if assumption.form is Form.WEIGHTS:
        return Span(factors)
    size = size_of(assumption)
    if size is not None and size.number == 0:
        return f"0, and no multiple of 0 is anything else; {_SAYS_HOW}"
    return Span(factors)


def parse_span(assumption: Assumption, text: str) -> Span:
    """Read a range such as ``0.5..3`` (factors), ``0.5 s..5 s`` or ``=4..=13`` (values).

    Parameters
    ----------
    assumption : Assumption
        What it is the range of.
    text : str
        Plain numbers are factors; what has a unit or a ``=`` before it is a value.

    Raises
    ------
    OptionError
        If it is no range.
    """
    parts = [part.strip() for part in text.split("..")]
    plain = [Magnitude.read(part) for part in parts]
    where = f"range {assumption.name}"
    if len(parts) != 2 or not all(part.lstrip("= ") for part in parts):
        raise OptionError(
            where,
            f"found {text!r}; allowed: LOW..HIGH as factors (0.5..3) or as values "
            f"(0.5 s..5 s, or =4..=13 for a field without a unit)",
        )
    if assumption.form is Form.LISTED:
        raise OptionError(where, "found a value in a list; allowed: a list is set as a whole")
    if all(number is not None and number.unit == "" for number in plain):
        factors = (float(parts[0].replace(" ", "")), float(parts[1].replace(" ", "")))
        if not 0 < factors[0] < factors[1]:
            raise OptionError(where, f"found {text!r}; allowed: two factors above 0, rising")
        usual = default_span(assumption, factors)
        if assumption.form is Form.CHOICE:
            usual = "a choice"
        if isinstance(usual, str):
            raise OptionError(where, f"found factors; {assumption.name} is {usual}")
        return usual
    texts = (parts[0].lstrip("= "), parts[1].lstrip("= "))
    return _absolute(assumption, texts, where)


def _absolute(assumption: Assumption, texts: tuple[str, str], where: str) -> Span:
    """Return the range between two values, as factors where the estimate is a quantity above 0."""
    size = size_of(assumption)
    if size is None:
        if assumption.form in (Form.WORD, Form.CHOICE):
            return Span(None, texts)
        raise OptionError(where, "found values; allowed for several at once: factors (0.5..3)")
    read = [Magnitude.read(text) for text in texts]
    low, high = (None if found is None else found.in_unit(size.unit) for found in read)
    if low is None or high is None:
        found = texts[low is not None]
        raise OptionError(
            where,
            f"found {found!r}; allowed: values like the estimate, "
            f"{spoken(assumption.tree, assumption.form)}",
        )
    if low.number >= high.number:
        raise OptionError(where, f"found {texts[0]}..{texts[1]}; allowed: rising values")
    if assumption.mix and not 0 < low.number < high.number < 100:
        raise OptionError(where, f"found {texts[0]}..{texts[1]}; allowed: above 0 %, below 100 %")
    is_share = assumption.form in (Form.SHARE, Form.FEE)
    # As they are written, no finer: what the scenario reads is what the factor is of.
    ends = low.rounded(), high.rounded()
    is_edge = is_share and max(size.share, ends[1].share) >= 1
    if assumption.mix and (size.number == 0 or is_edge):
        raise OptionError(where, "found a mix of one; allowed: a mix is set as a whole")
    if size.number == 0 or low.number == 0 or is_edge:
        if assumption.form is Form.DISTRIBUTION and isinstance(assumption.tree, dict):
            raise OptionError(where, f"found {texts[0]}; allowed: above 0")
        return Span(None, (str(ends[0]), str(ends[1])))
    if is_share:
        estimate = stretched(size.share)
        return Span((stretched(ends[0].share) / estimate, stretched(ends[1].share) / estimate))
    return Span((float(low.number / size.number), float(high.number / size.number)))


def overrides(moves: Sequence[Move]) -> tuple[str, ...]:
    """Return the changes of a scenario that make all moves at once.

    Parameters
    ----------
    moves : sequence of Move
        Of different assumptions.

    Notes
    -----
    A share of a mix takes its place and the others shrink or grow in proportion; where several of
    one mix move, their odds are multiplied together and the mix is brought back to 100 %.
    """
    found: list[str] = []
    mixes: dict[tuple[str, ...], list[Move]] = {}
    for move in moves:
        assumption = move.assumption
        if assumption.mix and move.text is None:
            stems = tuple(path.rpartition(".")[0] for path in assumption.paths)
            mixes.setdefault(stems, []).append(move)
            continue
        moved: Tree | None = move.text
        if moved is None:
            moved = scale(assumption.tree, move.factor, assumption.form)
        assert moved is not None
        found += [f"{path}={flow(moved)}" for path in assumption.paths]
    for stems, together in mixes.items():
        for key, share in _mixed(together):
            found += [f"{stem}.{key}={written_share(share)}" for stem in stems]
    return tuple(found)


def _mixed(moves: Sequence[Move]) -> list[tuple[str, Fraction]]:
    """Return all shares of a mix after some of them moved; they add up to 1 exactly."""
    weights = {key: share / PPB for key, share in moves[0].assumption.mix}
    for move in moves:
        key = move.assumption.name.rpartition(".")[2]
        there = moved_share(move.share, move.factor)
        weights[key] *= there / (1 - there) / (move.share / (1 - move.share))
    total = sum(weights.values())
    shares = {key: Fraction(round(weight / total * PPB), PPB) for key, weight in weights.items()}
    largest = max(shares, key=lambda key: (shares[key], key))
    shares[largest] += 1 - sum(shares.values())
    return list(shares.items())
