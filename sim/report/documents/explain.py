"""A plan, or the story of a payment, as a document."""

from __future__ import annotations

from dataclasses import asdict

from sim.compiler.compile import Compiled
from sim.explain.choice import RouteChoice, choice_lines
from sim.explain.evidence import assumptions
from sim.explain.plan import explain_plan, plan_lines
from sim.report.blocks import Document, Verbatim
from sim.tables.tabular import TabularData


def plan_document(compiled: Compiled) -> Document:
    """Return a plan in words; its table holds every value with evidence."""
    text = explain_plan(compiled)
    found = [asdict(one) for one in assumptions(compiled.scenario, compiled.document)]
    record = {"text": text, "assumptions": found}
    return Document((Verbatim(plan_lines(compiled)),), TabularData.of(found), record)


def story_document(text: str, choices: tuple[RouteChoice, ...] = ()) -> Document:
    """Return the story of a payment and why it took its routes; its table holds a line each."""
    if choices:
        lines = [line for choice in choices for line in ("", *choice_lines(choice))]
        text = "\n".join([text.rstrip("\n"), "", "Why this route:", *lines[1:]]) + "\n"
    table = TabularData(("line",), tuple((line,) for line in text.splitlines()))
    record = {"text": text, "choices": [_choice_record(choice) for choice in choices]}
    return Document((Verbatim(text),), table, record)


def _choice_record(choice: RouteChoice) -> dict[str, object]:
    """Return a choice as JSON, with what oracles would have taken."""
    best = {
        "oracle_cost": list(choice.best(by_time=False)),
        "oracle_time": list(choice.best(by_time=True)),
    }
    return {**asdict(choice), **best}
