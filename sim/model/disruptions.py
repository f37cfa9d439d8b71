"""What goes wrong in a run, as a user writes it: outages, slower places, surges, jumps of a rate.

Takes text as people write it; gives frozen, checked values. When each of it happens in a run, and
whom it hits, is worked out by the compiler (:mod:`sim.compiler.occurrences`).
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sim.model.base import Model
from sim.model.distributions import DurationDistribution
from sim.model.quantities import (
    PPB,
    CurrencyPair,
    DurationUs,
    Name,
    PositiveDurationUs,
    SharePpb,
    TimeOfDay,
)
from sim.model.steps import Multiple
from sim.model.top_up import CalendarName

KINDS = ("outage", "degradation", "closure", "surge", "fx_jump")
"""Fields of which a disruption has exactly one: what happens, and to whom."""


class Failures(Model):
    """Failures at random: how long it works until the next, and how long it takes to mend."""

    time_to_failure: DurationDistribution
    """Time it works, from the start or the last repair on; its mean is the mean time to failure."""
    time_to_repair: DurationDistribution
    """Time each failure lasts; with the above, the mean time between failures is the sum of both
    means, and the availability the share of the first in it."""


class Disruption(Model):
    """Something that goes wrong for a while: what, whom it hits, and when."""

    outage: Name | None = None
    """Institution or rail that is down: its stations close."""
    degradation: Name | None = None
    """Or: institution or rail that works more slowly (`times`) or at a part of its capacity."""
    closure: Name | None = None
    """Or: institution or rail that is closed as planned, outside the days and hours below."""
    surge: Name | None = None
    """Or: stream of demand that is multiplied (`times`)."""
    fx_jump: CurrencyPair | None = None
    """Or: pair in `fx.mid` whose mid rate is multiplied (`times`) from then on. Rates move in steps
    (`fx.step`): it jumps with the first step at or after the instant. Quotes made before hold as
    long as they are valid."""
    role: Literal["core", "settlement_agent", "gateway"] | None = None
    """Which part of an institution or a rail; absent: all of it."""
    station: Name | None = None
    """Or: which station or ledger of it, by its own name."""
    times: Multiple | None = None
    """What is multiplied by it: service times (degradation; 0.01 to 100), demand (surge), or the
    mid rate (fx_jump; 0.5 to 2)."""
    capacity: SharePpb | None = None
    """Share left of what a degraded place does at most: its servers, its rate limit, its payments
    per block; rounded half up to whole servers and payments, at least one."""
    chance: SharePpb | None = None
    """How likely each occurrence hits what is named above, drawn anew by every replication; absent:
    it is certain."""
    together: dict[Name, SharePpb] = {}
    """Others of the same kind that an occurrence hits along with it, and how likely each. All are
    decided by one draw: whoever is more likely is hit whenever another one is."""
    from_: TimeOfDay | None = Field(default=None, alias="from")
    """Local time of day it begins."""
    after: DurationUs | None = None
    """Or: how long after the start it begins."""
    random: Failures | None = None
    """Or: at random, again and again."""
    for_: PositiveDurationUs | None = Field(default=None, alias="for")
    """How long it lasts, with `from` or `after`; a jump stays."""
    calendars: tuple[CalendarName, ...] = ()
    """Of a closure: countries whose banks must all be open on a day it opens (a weekend day worked
    in exchange for a day off is none); none: every day."""
    clock: CalendarName | None = None
    """Of a closure: country whose local time its days and hours follow; by default the first
    calendar, else the scenario's own."""
    opens: TimeOfDay | None = None
    """Of a closure: local time it opens on such a day; absent: at midnight."""
    closes: TimeOfDay | None = None
    """Of a closure: local time it closes; absent: at midnight."""

    @property
    def shares(self) -> dict[str, int]:
        """Return whom an occurrence may hit, and how likely, in 10^-9; the one named first."""
        return {self.target: PPB if self.chance is None else self.chance, **self.together}

    @property
    def is_certain(self) -> bool:
        """Return whether it happens and hits whom it names, whatever the luck."""
        return self.random is None and all(share == PPB for share in self.shares.values())

    @property
    def kind(self) -> str:
        """Return which of :data:`KINDS` it is."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def target(self) -> str:
        """Return whom it hits first: an institution, a rail, a stream or a pair."""
        named = (self.outage, self.degradation, self.closure, self.surge, self.fx_jump)
        return str(next(name for name in named if name is not None))
