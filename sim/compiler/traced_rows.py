"""Payments of a trace as rows of the workload, checked against whom they may name.

Takes the payments of a file and what a stream's payees are; gives what is wrong with them, and once
institutions have numbers the rows an engine's workload is completed from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from sim.compiler.flow import Flow
from sim.compiler.payees import Payees, World
from sim.compiler.traced import Traced
from sim.contract.layout import NEVER_US
from sim.contract.plan import Array
from sim.contract.records import WORKLOAD_WIDTH, WorkloadColumn
from sim.errors import suggest
from sim.model.base import FieldPath
from sim.tables.trace_columns import OPEN, BadRows

_SHOWN_MAX = 20


def decided_here(traced: Traced, flows: Sequence[Flow], *, has_codes: bool) -> Traced:
    """Return a trace without the institutions its payments do not choose.

    Parameters
    ----------
    traced : Traced
    flows : sequence of Flow
        What its payments may go through.
    has_codes : bool
        Whether payees show codes.

    Notes
    -----
    A table of payments says who paid whom in the end. Where the route decides that, or the code on
    the counter, it is no fact about the payment as it was submitted.
    """
    nobody = np.full(len(traced), OPEN, dtype=np.int64)
    if not any(flow.debtor.is_drawn for flow in flows):
        traced = replace(traced, debtor=nobody)
    if has_codes:
        return replace(traced, creditor=np.where(traced.merchant >= 0, OPEN, traced.creditor))
    if not any(flow.creditor.is_drawn for flow in flows):
        traced = replace(traced, creditor=nobody)
    return traced


def traced_problems(
    world: World, name: str, traced: Traced, payees: Payees
) -> Iterator[tuple[FieldPath, str]]:
    """Yield the payments of a trace that name what there is not.

    Parameters
    ----------
    world : World
    name : str
        Of the stream.
    traced : Traced
    payees : Payees
        Of the stream.
    """
    demand = world.scenario.demand[name]
    corridor = world.scenario.corridors[demand.corridor]
    bad = traced.bad
    beyond = np.flatnonzero(traced.payer >= demand.payers)
    allowed = f"allowed: below payers = {demand.payers:,}"
    bad.add("payer", beyond, lambda row: f"found {traced.payer[row]}; {allowed}")
    for column, codes, country in (
        ("debtor_agent", traced.debtor, corridor.from_.country),
        ("creditor_agent", traced.creditor, corridor.to.country),
    ):
        banks = [m.name for m in world.members if m.entry.country == country and m.holds_money]
        if column == "creditor_agent" and payees.merchants:
            # Who shows a code is chosen among the codes of the bank that is named.
            banks = sorted({entry.agent for entry in payees.entries} - {""})
        _refuse_words(bad, traced, column, codes, banks)
    for column, codes in (("instrument", traced.instrument), ("second_instrument", traced.second)):
        _refuse_words(bad, traced, column, codes, sorted(demand.instruments))
    shown = np.array(payees.merchants, dtype=np.int64)
    unknown = np.flatnonzero((traced.merchant >= 0) & ~np.isin(traced.merchant, shown))
    which = f"one of {len(shown)} codes" if len(shown) else "none, as payees show no codes"
    bad.add("merchant", unknown, lambda row: f"found {traced.merchant[row]}; allowed: {which}")
    yield from bad.problems(("demand", name, "trace", "file"))


def _refuse_words(
    bad: BadRows, traced: Traced, column: str, codes: Array, known: Sequence[str]
) -> None:
    unknown = [number for number, word in enumerate(traced.words) if word not in known]
    shown = ", ".join(known[:_SHOWN_MAX]) or "none"

    def say(row: int) -> str:
        word = traced.words[int(codes[row])]
        return f"unknown {word!r}; known: {shown}.{suggest(word, known)}"

    bad.add(column, np.flatnonzero(np.isin(codes, unknown)), say)


def traced_rows(
    traced: Traced,
    stream: int,
    *,
    agents: Mapping[str, int],
    instruments: Mapping[str, int],
) -> Array:
    """Return the rows of a trace, with -1 for what is drawn.

    Parameters
    ----------
    traced : Traced
    stream : int
        Its number.
    agents, instruments : mapping of str to int
        Numbers of institutions, and of what payers carry, from 1.

    Returns
    -------
    ndarray of int64, shape (payments, WORKLOAD_WIDTH)
    """
    rows = np.full((len(traced), WORKLOAD_WIDTH), OPEN, dtype=np.int64)
    agent_of = np.array([*(agents.get(word, OPEN) for word in traced.words), OPEN], dtype=np.int64)
    carried = [*(instruments.get(word, OPEN) for word in traced.words), OPEN]
    instrument_of = np.array(carried, dtype=np.int64)
    rows[:, WorkloadColumn.TIME_US] = traced.time_us
    rows[:, WorkloadColumn.STREAM] = stream
    rows[:, WorkloadColumn.ORDINAL] = traced.ordinal
    rows[:, WorkloadColumn.AMOUNT] = traced.amount
    rows[:, WorkloadColumn.PAYER] = traced.payer
    rows[:, WorkloadColumn.MERCHANT] = traced.merchant
    # A code of -1 reads the last entry, which is -1.
    rows[:, WorkloadColumn.DEBTOR_AGENT] = agent_of[traced.debtor]
    rows[:, WorkloadColumn.CREDITOR_AGENT] = agent_of[traced.creditor]
    rows[:, WorkloadColumn.INSTRUMENT] = instrument_of[traced.instrument]
    second = instrument_of[traced.second]
    if traced.says_second:
        second = np.where(traced.second < 0, 0, second)
    rows[:, WorkloadColumn.INSTRUMENT_2] = second
    rows[:, WorkloadColumn.CODE_EXPIRY_US] = NEVER_US
    return rows
