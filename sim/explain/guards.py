"""Say what is watched of an account, and what its money costs.

Takes a written account; gives sentences.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from sim.explain.words import share
from sim.model.quantities import PPB
from sim.model.sections import Account


def guard_words(account: Account) -> Iterator[str]:
    """Yield a sentence for each thing watched of an account."""
    if account.alarm_below is not None:
        yield f"an alarm is raised while less than {account.alarm_below:f} is left"
    if account.stop_below is not None:
        yield (
            f"while less than {account.stop_below:f} is left its owner closes the channel: routes "
            "that draw on it are offered to no new payment (AG10 where there is no other)"
        )
    for rate, what in (
        (account.idle_rate, "money lying on it"),
        (account.overdraft_rate, "what it is below zero"),
    ):
        if rate:
            yield f"{what} costs its owner {share(Fraction(rate, PPB))} a year"
