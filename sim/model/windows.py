"""Windows of time as a user writes them: parts of a run that are measured for themselves.

Takes text as people write it; gives frozen, checked values. Where a window lies in a run is worked
out by the compiler.
"""

from __future__ import annotations

from pydantic import Field

from sim.model.base import Model
from sim.model.quantities import DurationUs, Name, PositiveDurationUs, TimeOfDay


class Window(Model):
    """A part of the run: written by its times, or as before, during or after a disruption."""

    from_: TimeOfDay | None = Field(default=None, alias="from")
    """Local time of day it begins: the first such at or after the start."""
    at: DurationUs | None = None
    """Or: how long after the start it begins."""
    before: Name | None = None
    """Or: the disruption at whose beginning it ends."""
    during: Name | None = None
    """Or: the disruption it lasts as long as."""
    after: Name | None = None
    """Or: the disruption at whose end it begins."""
    for_: PositiveDurationUs | None = Field(default=None, alias="for")
    """How long it lasts; with `during` it is not written, all others need it."""

    @property
    def disruption(self) -> str | None:
        """Return the disruption it is told by, None where it is written by its times."""
        return self.before or self.during or self.after
