"""Whether an alarm and a stop-loss fit the account they watch.

Takes an account; gives (path, message) pairs.
"""

from __future__ import annotations

from sim.model.base import FieldPath
from sim.model.sections import Account
from sim.rails.problems import Found, check_amounts


def guard_problems(account: Account, place: FieldPath) -> Found:
    """Yield what of an account's alarm and stop-loss is wrong."""
    levels = {"alarm_below": account.alarm_below, "stop_below": account.stop_below}
    for field, level in levels.items():
        if level is not None:
            yield from check_amounts(account.currency, level, (*place, field))
    alarm, stop = account.alarm_below, account.stop_below
    # An alarm is there to be heard before the channel closes.
    if alarm is not None and stop is not None and stop > alarm:
        yield (
            (*place, "stop_below"),
            f"found {stop}, above alarm_below of {alarm}; allowed: at most that",
        )
