"""A plan, or the story of a payment, as a document."""

from __future__ import annotations

from dataclasses import asdict

from sim.compiler.compile import Compiled
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


def story_document(text: str) -> Document:
    """Return the story of a payment; its table holds a line each."""
    table = TabularData(("line",), tuple((line,) for line in text.splitlines()))
    return Document((Verbatim(text),), table, {"text": text})
