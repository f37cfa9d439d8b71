"""Why payments end as they do: reason codes, and which of them another route can help against.

Takes nothing; gives enumerations, in whose docstrings each code is said. A part of
:mod:`sim.contract.meaning`, which hands the names on.
"""

from __future__ import annotations

from enum import IntEnum


class Reason(IntEnum):
    """Why it ended so, by ISO 20022 external code where one exists (ExternalStatusReason1Code)."""

    NONE = 0
    AB03 = 1
    """Settlement timed out."""
    AB05 = 2
    """The creditor agent's side timed out."""
    AB06 = 3
    """An instructed (intermediary) agent timed out."""
    AB07 = 4
    """An agent in the chain is offline."""
    AB08 = 5
    """The creditor agent is offline."""
    AB09 = 6
    """Error at the creditor agent."""
    AB10 = 7
    """Error at an instructed agent (technical decline)."""
    AEXR = 8
    """The code's validity has already expired."""
    AG01 = 9
    """The debtor's institution refuses (business decline)."""
    AG03 = 10
    """No route supports this payment."""
    AM02 = 11
    """Above the maximum allowed for one payment."""
    AM04 = 12
    """Insufficient funds: an agent's prefunded account is short."""
    AM12 = 13
    """The amount cannot be priced (nothing would be left)."""
    AM14 = 14
    """Above the agreed limit of the day."""
    FF01 = 15
    """The code cannot be read."""
    MS03 = 16
    """No reason given by the agent; here: a station's queue was full."""
    NOAS = 17
    """The payer did not confirm within the validity of any quote, or pay what was ordered."""
    RR04 = 18
    """Refused after screening."""
    ED05 = 19
    """Settlement failed after the transfer; the payment is returned."""
    AM06 = 20
    """Below the least amount a scheme carries."""
    AG10 = 21
    """An agent has suspended its channel: each route leads over an account below its stop-loss."""
    DS02 = 22
    """Cancelled by the payer, who waited in vain for an answer and left."""
    AM23 = 23
    """Above a settlement limit: an FX provider's position has no room for it."""
    OUT_OF_STOCK = 24
    """The shop has nothing left to order. No ISO code: nothing was instructed."""
    BE01 = 25
    """The name given is not that of the payee's account."""


# Technical failures, time-outs and short prefunding. What the payer's institution, a limit or
# the code says would be said on every route.
FAILOVER_REASONS: tuple[Reason, ...] = (
    Reason.AB03,
    Reason.AB05,
    Reason.AB06,
    Reason.AB07,
    Reason.AB08,
    Reason.AB09,
    Reason.AB10,
    Reason.AM04,
    Reason.MS03,
    Reason.AM23,
)
"""Reasons another route can help against."""

# Whatever may pass by itself: who was turned away, timed out or met an error may be lucky later.
# Short funds and refusals stay what they are.
RETRY_REASONS: tuple[Reason, ...] = (
    Reason.AB03,
    Reason.AB05,
    Reason.AB06,
    Reason.AB07,
    Reason.AB08,
    Reason.AB09,
    Reason.AB10,
    Reason.MS03,
)
"""Reasons after which the same may be tried again."""

TECHNICAL_REASONS: tuple[Reason, ...] = RETRY_REASONS
"""Reasons of a technical decline: systems that failed, and not rules, people or funds."""

BUSINESS_REASONS: tuple[Reason, ...] = (
    Reason.AEXR,
    Reason.AG01,
    Reason.AM02,
    Reason.AM06,
    Reason.AM12,
    Reason.AM14,
    Reason.BE01,
    Reason.FF01,
    Reason.NOAS,
    Reason.RR04,
)
"""Reasons of a business decline: what rules, limits, the code or the payer refuse."""
