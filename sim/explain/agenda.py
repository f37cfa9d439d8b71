"""Say what happens in a run beside its payments: what the user put in, and the plan's own agenda.

Takes a scenario or a compiled one; gives sentences. What a user wrote is always said in full; only
rows the compiler makes by itself, such as opening balances of every member, are counted instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from sim.compiler.compile import Compiled
from sim.compiler.parts import WindowPart
from sim.contract.agenda import AgendaKind
from sim.contract.layout import AccountColumn, AgendaColumn
from sim.explain.clearing import clearing_words
from sim.explain.disruptions import change_words, disruption_words, happened_lines
from sim.explain.loads import joining_words
from sim.explain.words import at, count, listed
from sim.model.quantities import to_minor
from sim.model.sections import Account
from sim.model.steps import write_multiple
from sim.scenario.model import Scenario
from sim.units import format_minor

_ALL_SHOWN = 60
"""Rows of an agenda up to which each has its line, whoever made it."""
_NAMED = 5
"""Stations of one outage that are named; the rest is counted."""


def put_in(scenario: Scenario) -> list[str]:
    """Return what the user lets happen in a run: disruptions, deposits, steps of demand.

    Parameters
    ----------
    scenario : Scenario
    """
    lines = [disruption_words(scenario, name) for name in sorted(scenario.disruptions)]
    lines += [
        f"Deposits on {name}: {_deposit_words(account)}"
        for name, account in sorted(scenario.accounts.items())
        if account.deposits
    ]
    for name, demand in sorted(scenario.demand.items()):
        if demand.steps:
            told = ", ".join(
                f"times {write_multiple(multiple)} from {at(time_us)}"
                for time_us, multiple in sorted(demand.steps.items())
            )
            lines.append(f"Demand {name}: {told}")
    return lines


def _window_words(scenario: Scenario, window: WindowPart) -> str:
    """Return from when to when measures look at a part of the run, and how that was written."""
    told = ", ".join(f"{at(first)} to {at(last)}" for first, last in window.spans) or "nothing"
    written = scenario.windows[window.name]
    ways = (("before", written.before), ("during", written.during), ("after", written.after))
    why = "".join(f" ({way} {name})" for way, name in ways if name is not None)
    return f"Window {window.name}{why}: measured for itself: {told}"


def _deposit_words(account: Account) -> str:
    """Return when how much arrives; of many the first, the last and the sum."""
    ordered = sorted(account.deposits.values(), key=lambda one: (one.after, one.amount))
    amounts = [to_minor(one.amount, account.currency) for one in ordered]
    if len(ordered) <= 3:
        return ", ".join(
            f"{format_minor(amount, account.currency)} at {at(one.after)}"
            for one, amount in zip(ordered, amounts, strict=True)
        )
    total = format_minor(sum(amounts), account.currency)
    return f"{len(ordered)} from {at(ordered[0].after)} to {at(ordered[-1].after)}, {total} in all"


def agenda_lines(compiled: Compiled) -> Iterator[str]:
    """Yield what the user put in, then the plan's agenda by number.

    Parameters
    ----------
    compiled : Compiled
    """
    plan, scenario = compiled.plan, compiled.scenario
    windows = [part for part in compiled.parts if isinstance(part, WindowPart)]
    yield from (_window_words(scenario, window) for window in windows)
    loads = list(joining_words(compiled))
    yield from loads
    if not len(plan.agenda) and not scenario.disruptions:
        if not windows and not loads:
            yield "nothing"
        return
    yield from happened_lines(compiled)
    rows = list(enumerate([int(value) for value in row] for row in plan.agenda))
    written = set(scenario.accounts)

    def group(item: tuple[int, list[int]]) -> tuple[object, ...]:
        number, (time_us, kind, subject, _) = item
        if len(rows) > _ALL_SHOWN and kind != AgendaKind.DEPOSIT:
            return time_us, kind
        is_opening = kind == AgendaKind.DEPOSIT and plan.names.accounts[subject] not in written
        return (time_us, kind) if len(rows) > _ALL_SHOWN and is_opening else (number,)

    for _, found in groupby(rows, group):
        yield _together(compiled, list(found))


def _together(compiled: Compiled, rows: Sequence[tuple[int, list[int]]]) -> str:
    """Return rows of one instant and kind in one line."""
    (first, row), last = rows[0], rows[-1][0]
    when = at(row[AgendaColumn.TIME_US])
    if first == last:
        return f"{first}. {when}: {_row_words(compiled, row)}"
    if row[AgendaColumn.KIND] == AgendaKind.DEPOSIT:
        return f"{first}. to {last}. {when}: {count(len(rows), 'opening balance')} of members"
    if row[AgendaColumn.KIND] >= AgendaKind.FILE_CUT:
        told = [_row_words(compiled, one) for _, one in rows]
        return f"{first}. to {last}. {when}: {_some(told)}"
    subjects = [compiled.plan.names.stations[one[AgendaColumn.SUBJECT]] for _, one in rows]
    is_close = row[AgendaColumn.KIND] == AgendaKind.STATION_CLOSE
    return f"{first}. to {last}. {when}: {_some(subjects)} {'close' if is_close else 'open'}"


def _row_words(compiled: Compiled, row: Sequence[int]) -> str:
    plan = compiled.plan
    _, kind, subject, amount = row
    if kind == AgendaKind.DEPOSIT:
        currency = plan.names.currencies[int(plan.account[subject, AccountColumn.CURRENCY])]
        return f"{plan.names.accounts[subject]} gets {format_minor(amount, currency)}"
    if kind >= AgendaKind.STATION_PACE:
        return change_words(compiled, row)
    if kind >= AgendaKind.FILE_CUT:
        return clearing_words(compiled, kind, subject)
    word = "closes" if kind == AgendaKind.STATION_CLOSE else "opens"
    return f"{plan.names.stations[subject]} {word}"


def _some(names: Sequence[str]) -> str:
    """Return names, of many the first and how many more."""
    if len(names) <= _NAMED + 1:
        return listed(names)
    return f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more"
