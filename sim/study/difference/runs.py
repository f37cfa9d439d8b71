"""In what two finished runs differ: questions, versions, measures and the first differing event.

Takes run folders; gives a :class:`RunDifference`. Nothing is tested here: whether a difference is
more than luck is what ``payroute compare`` says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from sim.analysis.summary import Measure, Summary
from sim.errors import UserError
from sim.scenario.field_values import FieldDifference, differing_fields
from sim.scenario.scenario import load_scenario
from sim.study.difference.events import Parting, first_differing_event
from sim.study.result import Result, open_result
from sim.tables.finished_run import SCENARIO_FILE
from sim.tables.run_folder import made_with
from sim.tables.schemas import EVENTS_FILE, Json

_ASKED = ("scenario", "seed", "replications", "engine", "record")
_FOUND = ("scenario_hash", "plan_hash", "payments", "events", "digest", "payments_digest")


@dataclass(frozen=True, slots=True)
class FactDifference:
    """A fact of ``run.json``, or a version, in which two runs differ."""

    name: str
    before: Json
    after: Json

    @property
    def sides(self) -> tuple[Json, Json]:
        """Return both."""
        return self.before, self.after


@dataclass(frozen=True, slots=True)
class MeasureDifference:
    """A measure in which two runs differ.

    Attributes
    ----------
    key : str
        As ``--measure`` names it: ``success_rate``, or ``corridor/cn_kh/success_rate``.
    before, after : Measure or None
        None where the run has none of that name.
    """

    JSON_KEYS: ClassVar = "key before after difference unit"

    key: str
    before: Measure | None
    after: Measure | None

    @property
    def difference(self) -> float | int | None:
        """Return the second less the first, None where one of them has no value."""
        held = self.before, self.after
        if held[0] is None or held[1] is None or held[0].value is None or held[1].value is None:
            return None
        return held[1].value - held[0].value

    @property
    def unit(self) -> str:
        """Return the unit of both."""
        held = self.before or self.after
        return "" if held is None else held.unit


@dataclass(frozen=True, slots=True)
class RunDifference:
    """In what two runs differ.

    Attributes
    ----------
    folders : (Path, Path)
    fields : tuple of FieldDifference
        Of their scenarios, defaults filled in.
    asked, found, versions : tuple of FactDifference
        What was asked (seed, replications), what was found (events, digests), and what it was made
        with.
    measures : tuple of MeasureDifference
        Of all groups; the headline first.
    measures_compared : int
    are_events_known : bool
        Whether both recorded their events.
    parting : Parting or None
        The first differing event; None where there is none, or it is not known.
    """

    JSON_KEYS: ClassVar = (
        "fields asked found versions measures measures_compared events_compared=are_events_known "
        "first_differing_event=parting"
    )

    folders: tuple[Path, Path]
    fields: tuple[FieldDifference, ...]
    asked: tuple[FactDifference, ...]
    found: tuple[FactDifference, ...]
    versions: tuple[FactDifference, ...]
    measures: tuple[MeasureDifference, ...]
    measures_compared: int
    are_events_known: bool
    parting: Parting | None

    @property
    def is_equal(self) -> bool:
        """Say whether question and answer are the same; versions may differ."""
        return not (self.fields or self.asked or self.found or self.measures or self.parting)


def diff_runs(one: Path, other: Path) -> RunDifference:
    """Return in what two finished runs differ.

    Parameters
    ----------
    one, other : Path
        Run folders.

    Raises
    ------
    UserError
        If one of them is no finished run, or lacks its scenario.
    """
    first, second = open_result(one), open_result(other)
    texts = [_scenario_file(result) for result in (first, second)]
    are_events_known = first.run.has(EVENTS_FILE) and second.run.has(EVENTS_FILE)
    measures = tuple(_measures(first.summary, second.summary))
    return RunDifference(
        folders=(one, other),
        fields=differing_fields(load_scenario(texts[0]), load_scenario(texts[1])),
        asked=_facts(first.facts, second.facts, _ASKED),
        found=_facts(first.facts, second.facts, _FOUND),
        versions=_facts({**made_with(first.facts)}, {**made_with(second.facts)}, None),
        measures=tuple(one for one in measures if one.before != one.after),
        measures_compared=len(measures),
        are_events_known=are_events_known,
        parting=first_differing_event(first.run, second.run) if are_events_known else None,
    )


def _scenario_file(result: Result) -> Path:
    path = result.folder / SCENARIO_FILE
    if not path.exists():
        raise UserError(f"{path}: missing, so what was run is not known; run it again")
    return path


def _facts(
    before: dict[str, Json], after: dict[str, Json], names: tuple[str, ...] | None
) -> tuple[FactDifference, ...]:
    """Return the facts that differ, of some names or of all."""
    return tuple(
        FactDifference(name, before.get(name), after.get(name))
        for name in (names or dict.fromkeys((*before, *after)))
        if before.get(name) != after.get(name)
    )


def _measures(one: Summary, other: Summary) -> Iterator[MeasureDifference]:
    """Yield every measure of either run."""
    first, second = dict(_keyed(one)), dict(_keyed(other))
    for key in dict.fromkeys((*first, *second)):
        yield MeasureDifference(key, first.get(key), second.get(key))


def _keyed(summary: Summary) -> Iterator[tuple[str, Measure]]:
    yield from summary.measures.items()
    for group, names in summary.by.items():
        for name, measures in names.items():
            for measure, value in measures.items():
                yield f"{group}/{name}/{measure}", value
