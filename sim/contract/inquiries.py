"""What is asked about a payment: polls of its state, and the same request sent again.

Takes nothing; gives limits of numbers. The meaning is said here; the operations are members of
:class:`~sim.contract.meaning.Op` (INQUIRE, ASK, ANSWER, and AWAIT with a SUBJECT).

**Inquiry.** Something asked about a payment under way or ended: a *poll*, or the payment's own
request once more under its key, which must not be executed twice. It goes through stages as a
payment does, waits in the same queues and takes the same servers: it is real load, and counts in
whatever counts visits of a station. It never moves money, is no payment and has no record; at the
horizon it leaves no row.

**Numbers.** Inquiries are numbered from :data:`INQUIRY_FIRST` in the order in which they begin;
keys and rows name them as they name payments. An inquiry has the stream, ordinal, priority and
agents its payment has when it begins, and draws under the payment's key with
``visit = INQUIRY_VISIT + number``, ``number`` counting the payment's inquiries from 1.

**Beginning.** ASKED row: payment = the inquiry, stage = the stage that begins it, subject = its
payment, amount = ``number``, value = the inquiry before it in its *chain*, -1 for the first. It
joins the ready list and advances, from that stage's SUBJECT, when it is its turn. A chain is begun
by INQUIRE, or by AWAIT; ASK begins the next of it.

**End.** ANSWERED row (subject = what is told: the payment's outcome, IN_PROGRESS while it is open;
amount = 1 where it was answered, 0 where it was turned away, -1 where nobody asked).

What is other than here of inquiries about orders is said in :mod:`~sim.contract.shops`.

**Chains end** by themselves: ASK asks nothing and begins no further inquiry once the payment has
ended, has begun another attempt since the chain began, or, of a chain begun by AWAIT, waits for the
answer no more.

**Query plans.** AWAIT with a SUBJECT waits for an inquiry instead of the late answer itself: the
request given up may have ended, but nobody here knows until somebody has asked. An inquiry that is
answered (amount 1) while its payment waits so, with the request's COMPLETE handled already, is the
answer: the payment accounts CAUSE and joins the ready list, to go on at the stage behind AWAIT.

**The same answer.** ANSWER with flag SAME waits, while the payment is open, for its end (AWAIT row,
amount = -1); what is told is then its outcome. Those waiting are answered behind the payment's
OUTCOME row, in the order in which they began. Whoever asks again later is told the same, and
nothing is executed.
"""

from __future__ import annotations

INQUIRY_FIRST = 1 << 39
"""Number of the first inquiry; payments are numbered below it."""

INQUIRY_VISIT = 1 << 20
"""Visits of inquiries begin here: no payment makes so many attempts."""

RESENT_VISIT = 1 << 24
"""What a request sent again adds to the visit, beyond all others."""

RESENT_MAX = 255
"""Most often a request is sent again, so that visits stay below 2^32."""
