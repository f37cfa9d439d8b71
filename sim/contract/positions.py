"""What FX providers hold: positions, their bounds, and how covering trades bring them back.

Takes nothing; gives how the accounts of providers are named. A part of
:mod:`sim.contract.meaning`.

**Position.** What a provider holds of a currency is the posted balance of its account
``fx:<provider>:<currency>``: what it bought at mid rates less what it sold, from its opening
balance on. Its margins are income and lie on ``spread:<provider>:<currency>``. A conversion of a
payment debits the position in the bought currency by what is delivered (SETTLEMENT or
CREDITED_GROSS) and credits that in the sold one by its value at mid (MID_1 or MID_2), both where
the route books the conversion.

**Short.** How far below zero a position may go is the OVERDRAFT of that account.

**Long.** The most a position may be is kept as the balance of a *limit account*,
``room:<provider>:<currency>``, which has no overdraft: what the provider may still buy. It opens
with the limit less the opening position; what a conversion adds to the position it moves from
``room:`` to ``taken:<provider>:<currency>``, and what it takes from the position it moves back, in
the same stage. So the position and the room always add up to the limit. Neither is money; as
balances they are reserved, voided, returned and replayed by the rules of money.

**Taking and giving back.** A route with bounded positions reserves, behind all other reservations
and before its first commit, each transfer whose debit account is a bounded position or its room
(RESERVE without QUEUE, REASON AM23). So a provider refuses before money moves, the payment voids
what it holds and may fail over, to a route over another provider as well. Rejected, its VOID gives
positions back at once. Returned, the transfers are undone with all others of their ledger, at the
amounts they were made with, whatever the market did meanwhile; a refund reverses them likewise. A
price is no promise of its provider's position: of two payments quoted at once the second may find
it taken.

**Covering.** A provider brings a position back by trades with the market: a rule of
:class:`~sim.contract.agenda.TopUpColumn` with conversions, which looks and orders as every rule
does (level: balance less pending, plus what is on the way, of either sign). What ``traded`` costs
in the other currency follows from the mid rates of the instant of the *order* and the SPREAD_PPM
of the conversion: ``traded > 0`` is bought for ``mid + ceil(mid * SPREAD_PPM / 10^6)``, ``mid``
being what it costs at mid, rounded up; ``traded < 0`` is sold for the value at mid, rounded down,
of ``floor(-traded * 10^6 / (10^6 + SPREAD_PPM))``, and the cost is that below 0. All of it moves
when the order arrives: SOURCE to ACCOUNT ``traded``, PAYS to PAID_TO the cost, and where they are
bounded ROOM to TAKEN ``traded`` and OTHER_TAKEN to OTHER_ROOM the cost. A trade is not refused for
want of room.
"""

from __future__ import annotations

POSITION = "fx:"
"""Begins the name of the account of a provider's position in a currency."""
ROOM, TAKEN = "room:", "taken:"
"""Likewise of what it may still buy, and of the other side of that account."""
