"""Keep the measures of one of thousands of replications in a few arrays instead of objects.

Takes a :class:`~sim.analysis.summary.Summary`; gives the same summary, whose measures are made when
they are looked at. Names and units are those of every replication of a scenario and are kept once;
what is left is a number or two for each measure, a few kilobytes where the objects are a hundred.
It travels between processes as it is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import isnan

import numpy as np
import numpy.typing as npt

from sim.analysis.summary import Measure, Measures, Summary

Floats = npt.NDArray[np.float64]

_SHAPES_KEPT = 256
_EXACT = 1 << 53
"""Whole numbers up to here are kept exactly by a float."""


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """What measures a summary has, whatever their values.

    Attributes
    ----------
    names : tuple of (str, str)
        Group and name of each stretch of measures; two empty texts are the headline.
    keys : tuple of (tuple of str)
        Names of the measures of each stretch, in order.
    units : tuple of str
        Of every measure, stretch after stretch.
    places : tuple of dict
        By stretch, where among the values each of its measures stands.
    groups : dict
        Stretch by group and name; groups without a name are there, too.
    """

    names: tuple[tuple[str, str], ...]
    keys: tuple[tuple[str, ...], ...]
    units: tuple[str, ...]
    places: tuple[dict[str, int], ...]
    groups: dict[str, dict[str, int]]

    def __reduce__(self) -> tuple[Callable[..., Shape], tuple[object, ...]]:
        """Let another process find the one it has, if it has one like this."""
        return shape_of, (self.names, self.keys, self.units, tuple(self.groups))


@lru_cache(maxsize=_SHAPES_KEPT)
def shape_of(
    names: tuple[tuple[str, str], ...],
    keys: tuple[tuple[str, ...], ...],
    units: tuple[str, ...],
    known: tuple[str, ...],
) -> Shape:
    """Return the one shape of these names; parameters as the attributes of :class:`Shape`.

    ``known`` are all groups, in order.
    """
    places, at = list[dict[str, int]](), 0
    groups: dict[str, dict[str, int]] = {group: {} for group in known}
    for stretch, ((group, name), own) in enumerate(zip(names, keys, strict=True)):
        places.append({key: at + number for number, key in enumerate(own)})
        at += len(own)
        if group:
            groups[group][name] = stretch
    return Shape(names, keys, units, tuple(places), groups)


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """The values of one summary.

    Attributes
    ----------
    shape : Shape
    value : ndarray of float, shape (measures,)
        Not a number where there is none.
    is_whole : ndarray of bool, shape (measures,)
    width : ndarray of float, shape (measures,), or None
        None where all are known exactly.
    large : dict of int to int
        Whole numbers no float holds, by place.
    """

    shape: Shape
    value: Floats
    is_whole: npt.NDArray[np.bool_]
    width: Floats | None
    large: dict[int, int]

    def measure(self, at: int) -> Measure:
        """Return the measure at a place."""
        unit, width = self.shape.units[at], 0.0 if self.width is None else float(self.width[at])
        value = float(self.value[at])
        if isnan(value):
            return Measure(None, unit, width=width)
        if self.is_whole[at]:
            return Measure(self.large.get(at, int(value)), unit, width=width)
        return Measure(value, unit, width=width)


class PackedMeasures(Mapping[str, Measure]):
    """The measures of one stretch, made when they are looked at.

    Parameters
    ----------
    values : Values
    stretch : int
    """

    __slots__ = ("_places", "_stretch", "kept")

    def __init__(self, values: Values, stretch: int) -> None:
        self.kept, self._stretch = values, stretch
        self._places = values.shape.places[stretch]

    def __getitem__(self, name: str) -> Measure:
        return self.kept.measure(self._places[name])

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __reduce__(self) -> tuple[object, ...]:
        return PackedMeasures, (self.kept, self._stretch)

    def figure(self, name: str) -> tuple[float, float]:
        """Return value and width of a measure, without making one of them."""
        at, width = self._places[name], self.kept.width
        return float(self.kept.value[at]), 0.0 if width is None else float(width[at])


class _Group(Mapping[str, Measures]):
    """The names of one group."""

    __slots__ = ("_group", "_stretches", "_values")

    def __init__(self, values: Values, group: str) -> None:
        self._values, self._group = values, group
        self._stretches = values.shape.groups[group]

    def __getitem__(self, name: str) -> Measures:
        return PackedMeasures(self._values, self._stretches[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._stretches)

    def __len__(self) -> int:
        return len(self._stretches)

    def __reduce__(self) -> tuple[object, ...]:
        return _Group, (self._values, self._group)


class _Groups(Mapping[str, Mapping[str, Measures]]):
    """The groups of a summary."""

    __slots__ = ("kept",)

    def __init__(self, values: Values) -> None:
        self.kept = values

    def __getitem__(self, group: str) -> Mapping[str, Measures]:
        return _Group(self.kept, group)

    def __iter__(self) -> Iterator[str]:
        return iter(self.kept.shape.groups)

    def __len__(self) -> int:
        return len(self.kept.shape.groups)

    def __reduce__(self) -> tuple[object, ...]:
        return _Groups, (self.kept,)


def packed(summary: Summary) -> Summary:
    """Return a summary of one replication with all it says, kept in little room.

    Parameters
    ----------
    summary : Summary

    Notes
    -----
    One that has intervals is of many replications, of which there are few: it stays as it is.
    """
    if values_in(summary) is not None:
        return summary
    stretches: list[tuple[str, str, Measures]] = [("", "", summary.measures)]
    stretches += [
        (group, name, held) for group, names in summary.by.items() for name, held in names.items()
    ]
    held = [one for _, _, measures in stretches for one in measures.values()]
    if any(one.low is not None or one.high is not None for one in held):
        return summary
    values = [one.value for one in held]
    widths = np.array([one.width for one in held], dtype=np.float64)
    shape = shape_of(
        tuple((group, name) for group, name, _ in stretches),
        tuple(tuple(measures) for _, _, measures in stretches),
        tuple(one.unit for one in held),
        tuple(summary.by),
    )
    kept = Values(
        shape,
        np.array([np.nan if value is None else value for value in values], dtype=np.float64),
        np.array([isinstance(value, int) for value in values], dtype=np.bool_),
        widths if widths.any() else None,
        {at: one for at, one in enumerate(values) if isinstance(one, int) and abs(one) > _EXACT},
    )
    return replace(summary, measures=PackedMeasures(kept, 0), by=_Groups(kept))


def values_in(summary: Summary) -> Values | None:
    """Return the values of a packed summary, None of one that is not, or was changed since."""
    measures, by = summary.measures, summary.by
    if isinstance(measures, PackedMeasures) and isinstance(by, _Groups):
        return measures.kept if measures.kept is by.kept else None
    return None


def figures(name: str, sets: Sequence[Measures]) -> tuple[list[float], float] | None:
    """Return the values there are of a measure, and the mean of their widths.

    Parameters
    ----------
    name : str
        Of the measure.
    sets : sequence of mappings
        One per replication.

    Returns
    -------
    tuple of list of float, and float; or None
        None where no replication has a value.
    """
    values, widths = list[float](), list[float]()
    for one in sets:
        if name not in one:
            continue
        if isinstance(one, PackedMeasures):
            value, width = one.figure(name)
            if isnan(value):
                continue
        else:
            measure = one[name]
            if measure.value is None:
                continue
            value, width = float(measure), measure.width
        values.append(value)
        widths.append(width)
    return (values, sum(widths) / len(widths)) if values else None
