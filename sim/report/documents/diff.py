"""In what two scenarios or two runs differ, as a document.

Takes what :mod:`sim.study.difference` found; gives what people read, a table of every difference
and the object of ``diff --json``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sim.analysis.catalogue import HEADLINE_UNITS, words_of
from sim.analysis.summary import Measure
from sim.report.blocks import Block, Cell, Column, Document, Heading, Table, Text, Tone
from sim.report.figure import figure
from sim.scenario.field_values import FieldDifference, FieldValue
from sim.study.difference.events import Parting
from sim.study.difference.runs import FactDifference, MeasureDifference, RunDifference
from sim.study.difference.scenarios import ScenarioDifference
from sim.study.result_json import object_as_json
from sim.tables.tabular import Cell as Plain
from sim.tables.tabular import TabularData

SHOWN = 40
"""Differences of a kind people are shown; files and JSON hold all."""
_WORDS_MAX = 160
"""Letters of a value that are shown; of a whole section the rest is left out."""
_COLUMNS = ("kind", "name", "before", "after", "before_value", "after_value", "difference", "unit")
_NO_NUMBERS = (None, None, None, None)
_WORDS = {
    "scenario_hash": "scenario (hash)",
    "plan_hash": "plan (hash)",
    "payments_digest": "payments (digest)",
    "digest": "everything recorded (digest)",
}


def scenario_diff_document(
    found: ScenarioDifference, names: tuple[str, str], *, remarks: Sequence[str] = ()
) -> Document:
    """Return in what two scenarios differ.

    Parameters
    ----------
    found : ScenarioDifference
    names : (str, str)
        What they are called at the head of their columns.
    remarks : sequence of str
        What there is to know besides.
    """
    blocks: list[Block] = [*_verdict(found.is_equal, names, "scenarios")]
    blocks += _fields(found.fields, names)
    if found.plans[0] == found.plans[1]:
        if found.fields:
            blocks.append(Text("They compile to the same plan: nothing that differs acts."))
    else:
        blocks.append(Text(f"They compile to other plans: {found.plans[0]} and {found.plans[1]}."))
    for routes, name in zip((found.routes_gone, found.routes_new), names, strict=True):
        if routes:
            blocks += [Heading(f"Routes only in {name}"), *map(Text, routes[:SHOWN])]
            blocks += _rest(len(routes))
    blocks += [Text(words, Tone.CAUTION) for words in remarks]
    rows = [*_field_rows(found.fields)]
    rows += [("route", name, "there", None, *_NO_NUMBERS) for name in found.routes_gone]
    rows += [("route", name, None, "there", *_NO_NUMBERS) for name in found.routes_new]
    record = {"equal": found.is_equal, "kind": "scenarios", **object_as_json(found)}
    return Document(tuple(blocks), TabularData(_COLUMNS, tuple(rows)), record)


def run_diff_document(found: RunDifference, names: tuple[str, str]) -> Document:
    """Return in what two runs differ.

    Parameters
    ----------
    found : RunDifference
    names : (str, str)
    """
    blocks: list[Block] = [*_verdict(found.is_equal, names, "runs")]
    blocks += _fields(found.fields, names)
    blocks += _facts("What was asked", found.asked, names)
    blocks += _facts("What was found", found.found, names)
    blocks += _facts("What they were made with", found.versions, names)
    blocks += _measures(found, names)
    blocks += _parting(found, names)
    rows = [*_field_rows(found.fields)]
    kinds = {"asked": found.asked, "found": found.found, "version": found.versions}
    rows += [
        (kind, one.name, _plain(one.before), _plain(one.after), *_NO_NUMBERS)
        for kind, facts in kinds.items()
        for one in facts
    ]
    rows += [
        (
            *("measure", one.key, None, None, _value(one.before), _value(one.after)),
            *(one.difference, one.unit),
        )
        for one in found.measures
    ]
    if found.parting is not None:
        rows += [
            ("event", name, str(before), str(after), *_NO_NUMBERS)
            for name, before, after in _event_cells(found.parting)
        ]
    record = {"equal": found.is_equal, "kind": "runs", **object_as_json(found)}
    return Document(tuple(blocks), TabularData(_COLUMNS, tuple(rows)), record)


def _verdict(is_equal: bool, names: tuple[str, str], what: str) -> Iterator[Block]:
    if is_equal:
        yield Text(f"equal: the {what} {names[0]} and {names[1]} say the same", Tone.GOOD)


def _fields(fields: Sequence[FieldDifference], names: tuple[str, str]) -> Iterator[Block]:
    if not fields:
        return
    yield Heading(f"Fields that differ: {len(fields)}")
    columns = (Column("field"), *(Column(name, is_prose=True) for name in names))
    rows = tuple((one.path, _said(one.before), _said(one.after)) for one in fields[:SHOWN])
    yield Table(columns, rows)
    yield from _rest(len(fields))


def _said(value: FieldValue | None) -> str:
    """Return what a scenario says of a field, and whether it says so itself."""
    if value is None:
        return "not there"
    words = value.words if len(value.words) <= _WORDS_MAX else f"{value.words[:_WORDS_MAX]}…"
    if not value.is_written:
        return f"{words} (default)"
    return f"{words} ({value.evidence})" if value.evidence else words


def _field_rows(fields: Sequence[FieldDifference]) -> list[tuple[Plain, ...]]:
    return [
        ("field", one.path, _written(one.before), _written(one.after), *_NO_NUMBERS)
        for one in fields
    ]


def _written(value: FieldValue | None) -> str | None:
    return None if value is None else value.words


def _facts(title: str, facts: Sequence[FactDifference], names: tuple[str, str]) -> Iterator[Block]:
    if not facts:
        return
    yield Heading(title)
    columns = (Column(""), *(Column(name, is_prose=True) for name in names))
    yield Table(
        columns,
        tuple(
            (_WORDS.get(one.name, one.name), *(_plain(side) or "none" for side in one.sides))
            for one in facts
        ),
    )


def _measures(found: RunDifference, names: tuple[str, str]) -> Iterator[Block]:
    differing = found.measures
    if not differing:
        yield Text(f"All {found.measures_compared} measures are equal.", Tone.GOOD)
        return
    headline = [one for one in differing if one.key in HEADLINE_UNITS]
    yield Heading(f"Measures that differ: {len(differing)} of {found.measures_compared}")
    columns = (
        Column("measure"),
        *(Column(name, is_number=True) for name in names),
        Column("difference", is_number=True),
    )
    shown = (headline or list(differing))[:SHOWN]
    yield Table(columns, tuple(_measure_row(one) for one in shown))
    more = len(differing) - len(shown)
    if more:
        yield Text(
            f"and {more} more, of corridors, routes, stations and accounts among them; "
            "`--format csv` and `--json` hold all of them"
        )
    yield Text(
        "A difference of two runs may be luck: `payroute compare` says whether it is more.",
        Tone.QUIET,
    )


def _measure_row(one: MeasureDifference) -> tuple[Cell, ...]:
    words = words_of(one.key) if one.key in HEADLINE_UNITS else one.key
    difference = one.difference
    told = "" if difference is None else figure(Measure(difference, one.unit))
    sign = "+" if difference is not None and difference > 0 else ""
    return words, one.before, one.after, f"{sign}{told}"


def _parting(found: RunDifference, names: tuple[str, str]) -> Iterator[Block]:
    parting = found.parting
    if parting is None:
        words = (
            "Their events are equal to the last row."
            if found.are_events_known
            else "Where they part is not known: `run --record events` in both tells it."
        )
        yield Text(words, Tone.GOOD if found.are_events_known else Tone.QUIET)
        return
    yield Heading("Where they part")
    yield Text(f"The first {parting.number} events are equal; the next one is")
    yield Table(
        (Column("event"), *(Column(name, is_number=True) for name in names)),
        tuple(_event_cells(parting)),
    )
    if any(one.name == "plan_hash" for one in found.found):
        yield Text("Numbers of stages and subjects are each plan's own.", Tone.QUIET)


def _event_cells(parting: Parting) -> Iterator[tuple[str, Plain, Plain]]:
    before: Mapping[str, Plain] = parting.before or {}
    after: Mapping[str, Plain] = parting.after or {}
    for name in before or after:
        yield name, before.get(name, "no more events"), after.get(name, "no more events")


def _rest(count: int) -> Iterator[Block]:
    if count > SHOWN:
        yield Text(f"and {count - SHOWN} more; `--format csv` and `--json` hold all of them")


def _plain(value: object) -> str | None:
    return None if value is None else str(value)


def _value(measure: Measure | None) -> float | int | None:
    return None if measure is None else measure.value
