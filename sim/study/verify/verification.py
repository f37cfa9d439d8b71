"""All checks of ``payroute verify``, in order.

Takes a callable that is told of each verdict; gives them all.
"""

from __future__ import annotations

from collections.abc import Callable

from sim.study.verify.corruptions import check_corruptions
from sim.study.verify.engines import check_engines
from sim.study.verify.figures import Checks, Verdict
from sim.study.verify.known import check_by_hand, check_generator
from sim.study.verify.loads import check_load
from sim.study.verify.theory import check_theory

GROUPS: tuple[Checks, ...] = (
    check_generator,
    check_by_hand,
    check_load,
    check_theory,
    check_engines,
    check_corruptions,
)


def verify(tell: Callable[[Verdict], None] | None = None) -> tuple[Verdict, ...]:
    """Make all checks and return their verdicts.

    Parameters
    ----------
    tell : callable, optional
        Hears each verdict as it is there.
    """
    verdicts: list[Verdict] = []
    for group in GROUPS:
        for verdict in group():
            verdicts.append(verdict)
            if tell is not None:
                tell(verdict)
    return tuple(verdicts)
