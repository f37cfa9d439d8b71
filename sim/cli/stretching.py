"""Options of a run that stops on its way and goes on later.

Takes what the user wrote; gives the instants as :class:`~sim.study.checkpoints.Stretches`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sim.errors import OptionError

if TYPE_CHECKING:
    from sim.study.checkpoints import Stretches

CheckpointOption = Annotated[
    str | None,
    typer.Option(
        metavar="EVERY", help="Keep a checkpoint after every so much simulated time: 1d, 6 h."
    ),
]
StopOption = Annotated[
    str | None,
    typer.Option(
        "--stop-at", metavar="TIME", help="Stop so far from the start, with a checkpoint."
    ),
]
ContinueOption = Annotated[
    bool, typer.Option("--continue", help="Go on from the checkpoint in the run's folder.")
]


def stretches_of(every: str | None, stop_at: str | None, *, goes_on: bool) -> Stretches | None:
    """Return when a run stops; None where nothing is said of it.

    Raises
    ------
    OptionError
        For what is no duration.
    """
    if every is None and stop_at is None and not goes_on:
        return None
    from sim.study.checkpoints import Stretches

    return Stretches(_duration("checkpoint", every), _duration("stop-at", stop_at), goes_on)


def refuse_together(**given: object) -> None:
    """Refuse options that have no meaning for a run in stretches."""
    for option, value in given.items():
        if value:
            raise OptionError(option, "found together with checkpoints; allowed: for one run alone")


def _duration(option: str, text: str | None) -> int | None:
    if text is None:
        return None
    from sim.model.quantities import parse_positive_duration_us

    try:
        return parse_positive_duration_us(text)
    except ValueError as error:
        raise OptionError(option, f"{error}") from None
