"""When the books of a run are compared.

Takes a scenario; gives instants since the start.
"""

from __future__ import annotations

from datetime import tzinfo

from sim.calendars.bank_days import BankDays, instant_us, midnights_us
from sim.calendars.calendar import load_calendar
from sim.compiler.parts import Reconciled
from sim.model.base import FieldPath
from sim.scenario.model import Scenario


def reconciliations(scenario: Scenario, problems: list[tuple[FieldPath, str]]) -> list[Reconciled]:
    """Return the instants of a run at which books are compared, in order; none where none is.

    Parameters
    ----------
    scenario : Scenario
    problems : list
        Grows by calendars that do not know a year of the run.
    """
    clock, rule = scenario.clock, scenario.reconciliation
    days, zone = BankDays.of(rule.calendars), clock.start.tzinfo
    if rule.calendars:
        zone = load_calendar(rule.calendars[0]).zone
    assert isinstance(zone, tzinfo)
    try:
        found = [
            instant_us(clock.start, day, rule.at, zone)
            for day, _ in midnights_us(clock.start, clock.horizon, zone)
            if days.is_open(day)
        ]
    except ValueError as problem:
        where = ("reconciliation", "calendars")
        problems.append((where, f"{problem}; needed: a run within its years"))
        return []
    instants = tuple(at for at in found if 0 < at <= clock.horizon)
    return [Reconciled(instants)] if instants else []
