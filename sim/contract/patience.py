"""How long payers wait for an answer, and what becomes of the payment of one who walks away.

Takes nothing; specifies :attr:`~sim.contract.meaning.Op.PATIENCE` and the rows PATIENCE and GONE. A
part of :mod:`sim.contract.meaning`.

**Patience.** A stream may say how long its payers wait (column PATIENCE, -1: for ever). A PATIENCE
stage with VALUE 1 lets the payer begin to wait, unless the stream's wait for ever or this one waits
already: the payer is not gone (any more), the patience is drawn from the stream's table (PURPOSE,
the payment's visit; at least 1 us), PATIENCE row (amount = it), EXPIRE scheduled at now + it. VALUE
0 ends the wait: an answer is here, or the payer acts. With VALUE 1 and -1 the stage is, from here
on, the one whose TARGET says where a payment leads whose payer leaves; -1: its own way, without
him. No row but PATIENCE is written, and the payment always passes on. END ends the wait, too.

**Leaving.** When the patience in force runs out, the payer is gone. GONE row, at the stage the
payment is at. It is *given up* (subject = 1) if it has a TARGET to lead to, is in no block and
awaits no answer: its reason is DS02, which ends its attempt, its wait is abandoned as by a time-out
with the rows this leaves, and it goes on at TARGET; a time-out that is armed stays armed. Otherwise
(subject = 0) it goes on as if nothing had been; but while it has not settled its reason is DS02
from here on, so that, should it fail, nothing is tried again for nobody.
"""

from __future__ import annotations

PATIENCE = "payer.patience"
"""Name of the purpose of the draw: one payer has one patience in an attempt, however often it
begins."""
