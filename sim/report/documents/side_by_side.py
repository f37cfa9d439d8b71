"""Several finished runs on one page: their measures in columns, figures for each measure.

Takes results; gives a document. Nothing is tested here: runs of different folders may have
different demand and other luck; ``payroute compare`` gives differences with intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sim.analysis.catalogue import COMPARED, words_of
from sim.analysis.summary import Measure
from sim.report.blocks import (
    Block,
    Cell,
    Column,
    Document,
    Figure,
    Heading,
    Player,
    Table,
    Text,
    Tone,
)
from sim.report.figure import figure
from sim.report.figures.of_run import Told
from sim.report.figures.tape import recording_of_runs
from sim.report.names import HEADLINE
from sim.scenario.scenario import load_scenario
from sim.study.result import Result
from sim.tables.finished_run import SCENARIO_FILE
from sim.tables.tabular import TabularData

_PLAYED = (
    "The first replication of each run, on one clock. A customer is a stream of demand and a "
    "number in it: the same payment wherever seed and demand are the same."
)


def side_document(results: Sequence[Result]) -> Document:
    """Return a page on which runs stand side by side.

    Parameters
    ----------
    results : sequence of Result
    """
    names = _names([result.folder for result in results])
    keys = [key for group in HEADLINE for key in group]
    columns = (Column("measure"), *(Column(name, is_number=True) for name in names))
    rows: list[tuple[Cell, ...]] = []
    for key in keys:
        held = [result.summary.measures.get(key) for result in results]
        if any(one is not None and one.value is not None for one in held):
            rows.append((words_of(key), *held))
    about = Table(
        (Column("run"), Column("scenario"), Column("seed", is_number=True), Column("folder")),
        tuple(
            (name, result.summary.scenario, result.summary.seed, str(result.folder))
            for name, result in zip(names, results, strict=True)
        ),
    )
    blocks: list[Block] = [
        Heading(f"{len(results)} runs side by side", level=1),
        Text(
            "Side by side, not compared: luck and demand may differ. `payroute compare` gives "
            "differences of the same customers, with intervals.",
            Tone.CAUTION,
        ),
        Heading("Runs"),
        about,
        Heading("Measures"),
        Table(columns, tuple(rows)),
        *_figures(names, results),
    ]
    recording = recording_of_runs(
        [
            (name, Told(one.run, one.summary, load_scenario(one.folder / SCENARIO_FILE).scenario))
            for name, one in zip(names, results, strict=True)
        ]
    )
    if recording is not None:
        blocks.append(Player(recording, "Play them side by side", _PLAYED))
    data = TabularData(
        ("run", "measure", "value", "unit", "low", "high"),
        tuple(
            (name, key, one.value, one.unit, one.low, one.high)
            for name, result in zip(names, results, strict=True)
            for key, one in result.summary.measures.items()
        ),
    )
    record = {name: result.summary.as_json() for name, result in zip(names, results, strict=True)}
    return Document(tuple(blocks), data, record)


def _names(folders: Sequence[Path]) -> list[str]:
    """Return short names that differ: the last parts of the paths, as many as it takes."""
    parts = [folder.absolute().parts for folder in folders]
    for length in range(1, max(map(len, parts)) + 1):
        names = ["/".join(part[-length:]) for part in parts]
        if len(set(names)) == len(names):
            return names
    return [f"{'/'.join(part[-2:])} ({at})" for at, part in enumerate(parts, start=1)]


def _figures(names: Sequence[str], results: Sequence[Result]) -> list[Block]:
    """Return a figure per measure people compare: a point and its interval for each run."""
    found: list[Block] = []
    for key in COMPARED:
        rows: list[tuple[str, float, float, float]] = []
        words: list[str] = []
        factor, unit = 1.0, ""
        for name, result in zip(names, results, strict=True):
            one = result.summary.measures.get(key)
            if one is None or one.value is None:
                continue
            factor, unit = (100.0, "%") if one.unit == "share" else (1.0, one.unit)
            ends = (one.value if end is None else end for end in (one.low, one.high))
            low, high = (float(end) * factor for end in ends)
            rows.append((name, float(one.value) * factor, low, high))
            words.append(f"{name}: {figure(Measure(one.value, one.unit, one.low, one.high))}")
        if len(rows) > 1:
            data = TabularData(("row", "value", "low", "high"), tuple(rows))
            title = words_of(key)
            name = key.replace("_", "-")
            found.append(Figure(name, "points", title, data, tuple(words), unit))
    return found
