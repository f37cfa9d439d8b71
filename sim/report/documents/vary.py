"""What a search for a value found, as a document.

Takes a :class:`~sim.study.stress.varied.Varied`; gives the sentence that answers and the values
tried.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from sim.report.blocks import Block, Document, Table, Text, Tone
from sim.study.result_json import object_as_json
from sim.study.stress.varied import Varied
from sim.tables.tabular import TabularData


def vary_document(found: Varied, origin: Mapping[str, object]) -> Document:
    """Return what is shown of a search.

    Parameters
    ----------
    found : Varied
    origin : mapping
        What made it.
    """
    told = vary_sentences(found)
    table = values_table(found)
    blocks: list[Block] = [Text(told[0], Tone.STRONG), *map(Text, told[1:]), Table.of(table)]
    record = {**object_as_json(found), "sentences": told}
    return Document(tuple(blocks), table, record, origin)


def vary_sentences(found: Varied) -> list[str]:
    """Return what a reader remembers."""
    plan, field = found.plan, found.plan.field
    if found.value is None or found.low is None or found.high is None:
        tried = [point.value for point in found.points]
        most = _written(found, max(tried) if plan.is_smallest else min(tried))
        if found.holds_in_all is not None:
            return [
                f"No largest {field.path} found: {plan.wanted} holds in all "
                f"{plan.replications} runs up to {_written(found, max(tried))}."
            ]
        bound = "up to" if plan.is_smallest else "down to"
        why = f" Most payments that fail do so with {found.why}." if found.why else ""
        return [f"No {field.path} {bound} {most} holds {plan.wanted} in every run.{why}"]
    lines = [
        f"{found.find.capitalize()} {field.path} that holds {plan.wanted}: "
        f"{_written(found, found.value)} ({_interval(found)})."
    ]
    if found.holds_in_all is not None:
        runs = "the one run" if plan.replications == 1 else f"every one of {plan.replications} runs"
        lines.append(f"It holds in {runs} with {_written(found, found.holds_in_all)}.")
    own = next((point for point in found.points if point.value == found.own), None)
    if own is not None:
        lines.append(
            f"With the scenario's own, {field.written(field.own)}, it holds in {own.held_count} of "
            f"{own.count} {'run' if own.count == 1 else 'runs'}."
        )
    return lines


def values_table(found: Varied) -> TabularData:
    """Return the values tried, a row each, with the mean of what is bounded."""
    keys = tuple(objective.key for objective in found.plan.objectives)
    rows = tuple(
        (point.value, point.count, point.held_count, *point.means) for point in found.points
    )
    return TabularData((found.plan.field.path, "runs", "held", *keys), rows)


def _interval(found: Varied) -> str:
    """Return the interval, and what it is the interval of."""
    assert found.low is not None
    assert found.high is not None
    between = f"{_written(found, found.low)} to {_written(found, found.high)}"
    count = found.plan.replications
    if count == 1:
        return f"{between}, bracket of a single run, which knows nothing of luck"
    if len({(one.low, one.high) for one in found.brackets}) == 1:
        return f"{between}, bracket of all {count} replications; --tolerance narrows it"
    return f"{between}, 95 % interval over {count} replications"


def _written(found: Varied, value: float) -> str:
    """Write a value with the digits its bracket leaves, no finer than it is tried."""
    field = found.plan.field
    digits = Decimal(f"{value:.6g}")
    return field.written(digits if field.step < 1 else Decimal(round(value)))
