"""What is asked about a payment, and what is tried again, as a user writes it.

Takes text as people write it; gives frozen, checked values. What it becomes is in
:mod:`sim.rails.asking`.
"""

from __future__ import annotations

from typing import Literal

from sim.model.base import Model
from sim.model.defaults import assumed, cited
from sim.model.distributions import DurationDistribution
from sim.model.quantities import (
    DurationUs,
    Name,
    PositiveCount,
    PositiveDurationUs,
    SharePpb,
)
from sim.units import MINUTE_US, SECOND_US

_GUIDE = "Antom's integration guide: after 5 s, then 3 s apart, 10 to 20 times, then cancel"


class Polls(Model):
    """Questions for the state of a payment while it is open; each is real load."""

    first: DurationDistribution = cited("2 s", "bakong.open_api.poll_initial", "reported")
    """Time from the payment's request to the first question."""
    every: DurationDistribution = assumed("2 s", "apps ask every few seconds; no figure published")
    """Time from one question to the next, answered or not; one that varies is drawn for each."""
    factor: PositiveCount | None = None
    """How much longer each of these times is than the one before, where `every` does not vary;
    absent: they stay."""
    longest: PositiveDurationUs = assumed(MINUTE_US, "waits are capped; no figure published")
    """No time grows beyond this."""
    most: PositiveCount | None = None
    """Most questions about one payment; absent: as long as it is open."""
    serve: Name | None = None
    """Station (of the rail) that answers, beside payments; absent: one of their own without
    limit."""
    time: DurationDistribution = assumed("0 s", "a rate limit admits it; its work is not published")
    """Service time of one question."""


class Repeats(Model):
    """The same request sent again under its key: answered as the first, and executed once."""

    after: tuple[DurationUs, ...]
    """How long after the payment's request it is sent again, once for each."""
    serve: Name | None = None
    """Station (of the rail) that takes it, beside payments; absent: one of their own without
    limit."""
    time: DurationDistribution = assumed("0 s", "a key is looked up; its work is not published")
    """Service time of one request."""


class Retry(Model):
    """Trying again after a failure that may pass: longer and longer waits, spread by chance."""

    most: PositiveCount
    """Most tries after the first; at most 20."""
    first: PositiveDurationUs = assumed(SECOND_US, "the usual first wait of a client library")
    """Wait before the first of them."""
    factor: PositiveCount = assumed(2, "waits double, as is usual; no figure published")
    """How much longer each wait is than the one before."""
    longest: PositiveDurationUs = assumed(MINUTE_US, "waits are capped; no figure published")
    """No wait is longer, before it is spread."""
    jitter: SharePpb = assumed(500_000_000, "spread so that those who failed together part")
    """How far a wait is spread: evenly from this share less to this share more. Drawn for each
    payment and try."""


class QueryPlan(Model):
    """How the sender of a request in doubt finds out what has become of it."""

    first: DurationUs = assumed(5 * SECOND_US, _GUIDE)
    """Time from the doubt to the first question. UPI asks after 90 s, at most 3 times in 2 h
    (calibration: reliability.status_check)."""
    every: PositiveDurationUs = assumed(3 * SECOND_US, _GUIDE)
    """Time from one question to the next."""
    most: PositiveCount = assumed(10, _GUIDE)
    """Most questions; at most 10 000."""
    then: Literal["cancel", "wait"] = "cancel"
    """What follows the last of them without an answer, one interval later: the request is
    cancelled, or its file is waited for (`reconciliation_time`)."""
    time: DurationDistribution = assumed("0 s", "a rate limit admits it; its work is not published")
    """Service time of one question at the gateway."""
    own_station: Literal["no", "yes"] = "no"
    """Whether questions have a station of their own without limit, or stand in the gateway's
    queue."""
