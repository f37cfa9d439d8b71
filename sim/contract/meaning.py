"""The meaning of a run: operations, order of events, money, outcomes. Engines are its clients.

Everything an engine, the audit or a reader needs to predict an event log by hand is said here, in
the docstrings of the enumerations, in the order in which it happens. No behaviour, only names,
numbers and their meaning; two small pure functions (:func:`order_key`, :func:`histogram_bucket`)
fix layouts that every layer must share.

**Clock.** ``int64`` microseconds since the scenario's start. A run handles every event with
``time_us < horizon_us``; payments still open then are ``in_progress``.

**Order.** Events are handled in ascending ``(time_us, key)``, ``key`` from :func:`order_key`; two
events with equal time and key are a bug. An event is handled completely, with everything it sets
free, before the next one is taken.

**Advancing.** A payment runs its stages one after the other inside the event that woke it, until a
stage makes it wait or ends it. Payments that another payment's action sets free within an event
(only liquidity does this) are appended to a *ready list*, first in first out; when the payment at
hand waits or ends, the next of the list advances, until it is empty. Nothing recurses.

**Steps.** Each payment counts the events scheduled for it: the counter starts at 0 (its SUBMIT),
and every event scheduled for it later (COMPLETE or EXPIRE) first increments the counter and takes
the new value as ``step``. A payment remembers the step it waits for; a COMPLETE with any other step
is *orphaned* (its payment timed out meanwhile): it still frees its server and is logged as FINISH,
and does nothing else but answer a request in doubt (an orphaned TRANSIT does nothing and is not
logged). An EXPIRE whose step is
not the armed one does nothing and is not logged. Every event taken from the agenda counts in
``events``, orphaned or not, as long as its time is below the horizon.

**Visit.** Draws of a payment are keyed by (stream key, ordinal n, purpose, visit) with
``visit = max(attempts - 1, 0) * 64 + requotes + resent * RESENT_VISIT``, *resent* being how often
the route at hand sent its request again; so what is tried again draws fresh random numbers and
nothing else does. Inquiries have visits of their own (:mod:`~sim.contract.inquiries`).

**Failure.** ``fail(stage, reason)``: a FAIL row is logged, the payment's reason becomes ``reason``
and it continues at the stage's TARGET. Only failures, DECIDE hits, ROUTE and CONVERT jump.

**Doubt.** A SERVE stage with flag ASKS is a request to somebody else. When a time-out abandons its
service, that work goes on and nobody here knows how it will end: the payment is *in doubt*
(IN_DOUBT row, subject = station, behind EXPIRE), since that instant unless it is already. It
remembers the step of the COMPLETE it will not wait for, of several the last; that COMPLETE,
whenever it comes, is the answer. A request that is still in a queue or on its way has not begun:
whoever gives it up knows that it never will. AWAIT waits for the answer, RESOLVE ends the doubt. To
reach VOID or END in doubt is a bug: nothing is undone before it is known what there is to undo.

**Standing.** What the payer and the payer's side have done for a payment outlives a route that
fails: passing a POST with flag CONFIRMS makes its standing 1 (the payer has confirmed the price),
with AUTHORISES 2 (and the payer's side has authorised it); it never falls but by ROUTE.

**Time by cause.** A payment keeps the instant up to which its time is accounted for. Whenever a
wait ends (or starts serving, or is abandoned, or the horizon comes) the time since then is added to
one cause: waiting in a station's queue ``WAITING``; in service, in transit and in a ledger the
stage's CAUSE column; waiting for liquidity ``LIQUIDITY``. On fail-over everything accounted so far
but ``HUMAN`` moves to ``RETRY``: a person's time stays a person's. The eight sums therefore add up
to ``end_us - submitted_us``.

**Money.** ``int64`` minor units. An account has ``posted`` balance (credits minus debits) and
``pending`` debits; ``available = posted - pending + overdraft``. A transfer debits one account and
credits another in one currency. Reserving adds to the debit account's pending; posting a
reservation moves the amount from pending to posted on both accounts; voiding removes it. Transfers
of amount 0 are skipped and leave no trace. Crediting an account or voiding on it may set free the
payments waiting for it: from the head of its queue, as long as the head's amount is available, the
head's reservation is made at once (logged RESERVE, time accounted to LIQUIDITY) and it joins the
ready list. There is no overtaking. A reservation keeps the amount and both accounts it was made
with; POST and VOID use those. Reserving a row the payment already holds is a bug.

**Bounds.** Every sum stays within an int64, by proof or by a check; nothing wraps. *Proved when
compiling*: registers below AMOUNT_MAX (rates, spreads and fees of every route included), written
amounts below BALANCE_MAX, the horizon below HORIZON_MAX_US, written durations below
DURATION_MAX_US, rate limits times the horizon below 2^62. *Checked at every change*: posted
balances (either side) and pending debits below BALANCE_MAX; areas and sums of waits below SUM_MAX.
A run that gets there is no bug and ends with an error that says so, and nothing of it is a result.
From these follow: what is available (below 2^61 + 2^61), the use of a limit of the day (below
BALANCE_MAX + AMOUNT_MAX), the two halves of a balance's area, an account's sum over a currency's
accounts (it is 0), an instant plus a duration.

**Rows.** The stage of a SUBMIT row is the ENTRY of its stream. A row that credits an account or
voids on it (POST, TRANSFER, DEPOSIT, MOVED, VOID) is followed at once by the RESERVE rows of those
it sets free (ALARM and CHANNEL rows stand right behind the row that changed the level); in CHARGE
the order is TRANSFER, freed RESERVE rows, FEE; at a time-out in an
account's queue EXPIRE, LEAVE, freed RESERVE rows, after which the timed-out payment advances first
and the ready list then. EXPIRE and LEAVE carry the stage the payment waited at. A deposit of 0
leaves no row but is an event. Horizon rows are OUTCOME rows with ``time_us = horizon_us``, the key
of class HORIZON and step 0, the stage waited at and the payment's reason; they are not counted in
``events``.

**What a payment remembers.** QUOTE fills the payment's registers even when it then fails; CHARGE
finds its slot through the pricing row of the last QUOTE; the record's fees are what was charged, at
the time of charging. Neither requotes nor charged fees are reset by a fail-over. QUOTE keeps its
instant also where it fails; a first ROUTE choice resets the standing. A limit slot
remembers its last use (row, cell, amount, day); an amount of 0 counts as used. VOID clears all
slots. A first ROUTE choice resets the tried routes. A quote with VALUE 0 expires at 2^62. A payment
that never met a ROUTE stage (route -1) is judged by its registers alone when "NULL for routes
without pricing" is decided; its last route's PRICING decides otherwise.

**Totals.** A maximum (or LOW, a minimum) over [warm_up, horizon) counts, at every single change at
time ``now``, the level after it if ``now >= warm_up`` and the level before it if ``now > warm_up``,
and the level standing at the horizon. Areas are ``level * (now - max(last, warm_up))`` while
``now > warm_up``, closed at the horizon. STARTS, waits, REFUSED (both kinds of refusal), DELAYED
(SHORT rows) and LOST count from the warm-up on; an immediate start has wait 0. BLOCKS, INCLUDED and
WAIT_SUM count at COMMIT; ROUNDS counts every round started, idle and failed ones too, and so does
the value of SAMPLE_LEDGER, which is the number of the last round started.
"""

from __future__ import annotations

from enum import IntEnum

from sim.contract.charges import Bearer, FeeKind, FixedSide
from sim.contract.policies import Policy
from sim.contract.qualities import Cause, Discipline, Flag, Instead, Scope, WhenClosed
from sim.contract.reasons import FAILOVER_REASONS, RETRY_REASONS, Reason

__all__ = (
    "FAILOVER_REASONS",
    "RETRY_REASONS",
    "Bearer",
    "Cause",
    "Discipline",
    "EventClass",
    "FeeKind",
    "FixedSide",
    "Flag",
    "Instead",
    "LogKind",
    "Op",
    "Outcome",
    "Policy",
    "Reason",
    "Scope",
    "WhenClosed",
)


class EventClass(IntEnum):
    """Rank of simultaneous events; lower is first. Starts at 1: SimPy keeps 0 and 1 for itself."""

    CALENDAR = 1
    """A row of the agenda (:class:`~sim.contract.agenda.AgendaKind`). Its payment field is the
    row's index, its step 0."""
    COMPLETE = 2
    """Something ends and capacity is freed: service, transit, admission wake-up, ledger round and
    block commit."""
    EXPIRE = 3
    """A time-out fires."""
    SUBMIT = 4
    """A payment is submitted. Step 0."""
    SAMPLE = 5
    """The router's view and the series are refreshed, at 0, i, 2i, ... below the horizon. The
    payment field is the sample's number, the step 0."""
    HORIZON = 6
    """The end: one row per open payment, in order of payment id. Never in an event queue."""


class Op(IntEnum):
    """What a stage does. Columns are :class:`StageColumn`; unnamed columns are unused (-1)."""

    SERVE = 1
    """Be served at a station. SUBJECT = station (or a role reference, see :func:`role_ref`), TABLE
    and PURPOSE = service time (TABLE may be a role reference, too: the agent's own, by the agents
    the payment has when it starts), CAUSE, TARGET, REASON, FLAGS ASKS (see Doubt above).

    In this order: station closed and its WHEN_CLOSED is REJECT: fail REASON_CLOSED of the station.
    If the queue is empty and the station can start (open, ``busy < servers``, rate allows), service
    starts now. Otherwise, if ``queue length < queue_limit``, join the queue (JOIN row); if not,
    fail with REASON. Starting: account WAITING (START row, amount = service time: what is drawn, at
    the station's pace), busy + 1, rate bookkeeping, schedule COMPLETE at ``now + service time``. On
    COMPLETE: FINISH row, busy - 1, start waiting payments while the station can (they start, they
    do not advance), then the payment accounts CAUSE and advances.

    Rate: a station with RATE_COUNT > 0 starts at most RATE_COUNT per RATE_PERIOD_US, evenly spaced:
    it may start when ``now * RATE_COUNT >= tat``; a start sets ``tat = due + RATE_PERIOD_US``,
    where ``due`` is tat itself in the first microsecond that allows it (``now * RATE_COUNT - tat <
    RATE_COUNT``) and ``now * RATE_COUNT`` later: rounding a start up to a whole microsecond moves
    no later one, so a saturated station passes just what its rate says. Whenever, after an event
    touched the station, payments wait, a server is free, the station is open, the rate does not
    allow and no wake-up is pending, a wake-up (class COMPLETE, pseudo payment, step = number of
    this station's wake-ups so far, from 0, modulo 2^20) is scheduled at ``ceil(tat / RATE_COUNT)``;
    it starts payments while it can.

    Queue order by DISCIPLINE: see :class:`Discipline`."""
    TRANSIT = 2
    """Take time without capacity. TABLE (or a role reference) and PURPOSE = delay, CAUSE = TRANSIT
    or HUMAN (or any). DELAY row (subject = cause, amount = delay); COMPLETE at now + delay, even
    when it is 0; then account CAUSE and advance."""
    BATCH = 3
    """Be committed by a ledger. SUBJECT = ledger, FIRST and COUNT = transfer rows to post at commit
    (as POST does), FLAGS SETTLES and CREDITS as POST. ENQUEUE row; waits first in first out. See
    :class:`LedgerColumn` for rounds. Inclusion in a block disarms the payment's time-out: the point
    of no return."""
    RESERVE = 4
    """Reserve one transfer. FIRST = transfer row, FLAGS, TARGET, REASON. If amount is 0 pass on. If
    nobody waits for the debit account and ``available >= amount``: RESERVE row, pass on. Otherwise
    with flag QUEUE: SHORT row (subject = account, amount), wait (see Money above); without it: fail
    with REASON (the account's lost_for_liquidity counts one, SHORT is not logged)."""
    POST = 5
    """Post transfer rows FIRST .. FIRST + COUNT - 1 in order: a row this payment has reserved
    becomes final (POST row), any other moves at once (TRANSFER row). Then, by FLAGS: SETTLES sets
    ``settled_us``, CREDITS sets ``credited_us`` (each only if not set yet); CONFIRMS and AUTHORISES
    raise the standing."""
    VOID = 6
    """Void every open reservation of the payment, in ascending order of transfer row (VOID rows),
    then give back every used limit, in order of slot (GIVE_BACK rows; only within the same day,
    otherwise nothing to give back and no row)."""
    QUOTE = 7
    """Price the payment now. SUBJECT = pricing row, VALUE = validity in us (0: for ever), TARGET,
    REASON. Notes the instant (QUOTED_US), whether the price is usable or not, and computes the
    registers (``money/pricing.py`` is the shared arithmetic). If a register
    would be unusable (net credited amount or debited amount below 1, debited amount below
    LEAST_DEBITED): fail with REASON. Otherwise
    QUOTE row (subject = pricing row, amount = DEBITED, value = CREDITED), and the quote expires at
    ``now + VALUE``."""
    CONVERT = 8
    """Use the quote. SUBJECT = stage to jump back to for a new quote, VALUE = most requotes of a
    payment, TARGET, REASON. If ``now <= expiry`` pass on; before any quote nothing is valid.
    Otherwise LAPSE row (``quotes_lapsed`` + 1); if ``requotes < VALUE``: ``requotes`` + 1 and jump
    to SUBJECT; else fail with REASON."""
    CHARGE = 9
    """Charge one fee. SUBJECT = fee row. If its register is 0 nothing happens. Otherwise a TRANSFER
    row for the fee's accounts and a FEE row (subject = fee row, amount); the fee is marked
    charged."""
    LIMIT = 10
    """Check and use a limit. SUBJECT = limit row, VALUE = slot of the payment, TARGET. The amount
    is the register named by the limit. If it is below LEAST: fail AM06. If it exceeds PER_PAYMENT:
    fail AM02. If the use of this payer today plus the amount exceeds PER_DAY: fail REASON, or AM14
    where that is not above 0. Otherwise the use grows (LIMIT row, subject = limit row, amount,
    value = payer). Bounds below 0 mean no bound; without PER_DAY nothing is stored and nothing
    logged. "Today" is the period ``((now + day_offset_us) // DAY_US + SHIFT) // DAYS`` of the
    limit, a day where DAYS is 1."""
    DECIDE = 11
    """Branch at random. VALUE = 62-bit threshold (or a role reference to the agent's own),
    PURPOSE, TARGET. Hit when the draw is below the threshold: with REASON > 0 fail with it,
    otherwise DECIDE row (subject = TARGET) and jump to TARGET. No hit: pass on, no row."""
    CODE = 12
    """Read the code on the counter. TARGET. First match fails: code_state 1 (damaged): FF01;
    ``now > code_expiry_us``: AEXR. Otherwise pass on."""
    DEADLINE = 13
    """Arm the payment's only time-out. VALUE = us from now, TARGET, REASON: DEADLINE row (amount =
    VALUE) and EXPIRE scheduled at now + VALUE; an earlier one is forgotten. VALUE 0 disarms (no
    row). VALUE -1 leaves the instant of the armed one as it is; it takes TARGET and REASON of this
    stage from here on (no row; with none armed nothing happens). When it fires: reason = REASON,
    unless that is below 0; EXPIRE row (subject = reason); the wait is abandoned (below), IN_DOUBT
    row where that is so, continue at TARGET.

    Abandoning: in a station's queue: removed, account WAITING, LEAVE row (subject = station). In
    service: account CAUSE; the server stays busy until the orphaned COMPLETE. In transit or
    waiting for an answer: account CAUSE. In a ledger's queue: removed, account CAUSE, LEAVE row
    (subject = ledger, value = 1). Waiting for liquidity: removed, account LIQUIDITY, LEAVE row
    (subject = account, value = 2), then the account's queue is looked at again from its head (these
    join the ready list)."""
    ROUTE = 14
    """Choose a route. FLAGS NEXT = fail-over; PURPOSE = of ties; TARGET, REASON for a first choice
    without candidate.

    First choice: if the payment's route set is empty: fail with REASON; if no candidate of it is
    open (:mod:`~sim.contract.guards`): fail with AG10. Otherwise choose among the open, note as
    *begun* how many attempts there were, ``attempts`` + 1, jump to the route's ENTRY. Fail-over: if
    the payment's reason is in :data:`FAILOVER_REASONS`, ``attempts - begun < MAX_ATTEMPTS`` of the
    route set and an open candidate is untried: move all accounted time but HUMAN to RETRY, reason =
    NONE, ``attempts`` + 1, choose among these; otherwise go on at the stream's AFTER_FAILURE, or
    pass on where it has none. If the route chosen has the CLASS (not below 0) of the one
    given up, nothing of it concerns the payer again: it goes on at AUTHORISED with standing 2, at
    CONFIRMED with standing 1 (or where AUTHORISED is below 0), and if both routes are priced its
    registers are priced anew by the new PRICING at the instant of the last QUOTE, which by the
    meaning of a class leaves what the payer pays as it is. Otherwise, and where neither is there,
    standing = 0 and it goes on at ENTRY.

    Choosing: lowest score (:class:`Policy`), then lowest RANK; of several still equal one is drawn
    by its SHARE, with PURPOSE and the visit of the attempt begun (see
    :class:`~sim.contract.layout.CandidateColumn`). A single (open, untried) candidate is taken with
    score 0. ROUTE row (subject = route, amount = score, value = attempts).
    A route's DEBTOR_AGENT and CREDITOR_AGENT, where not below 0, replace the payment's."""
    END = 15
    """End. VALUE = outcome; FIRST, COUNT = rows of a refund (:mod:`~sim.contract.refunds`); SUBJECT
    = what the payer does instead, -1: not known; REASON, or the payment's own where it is below 0.
    Disarms the time-out. OUTCOME row (subject = outcome, amount = reason). ``completed`` sets
    ``credited_us`` if not set yet. Open reservations or a doubt here are a bug."""
    ON_US = 16
    """Branch where both ends are at one institution. TARGET. If the payment has a debtor agent and
    it is its creditor agent, too: DECIDE row (subject = TARGET) and jump to TARGET. Otherwise pass
    on, no row."""
    AWAIT = 17
    """Wait for the answer to a request in doubt. VALUE = longest wait in us, CAUSE, TARGET, REASON,
    SUBJECT = stage at which polls begin, -1 where the answer comes by itself.
    Nothing is in doubt: jump to TARGET, no row. The answer is there already and SUBJECT is -1: pass
    on, no row. Otherwise AWAIT row (amount = VALUE), a time-out is armed as by DEADLINE, and the
    payment waits for the orphaned COMPLETE of its request: FINISH row, busy - 1, those waiting
    start, then the payment accounts CAUSE and advances, its time-out still armed. With a SUBJECT
    an inquiry begins behind the AWAIT row, and the payment waits for one that is answered (query
    plans in :mod:`~sim.contract.inquiries`)."""
    RESOLVE = 18
    """How a request in doubt ended is known. Disarms the time-out. If the payment is in doubt:
    KNOWN row (amount = us since the doubt began), and it is no more; an answer that is still to
    come is a plain orphan from here on."""
    SWITCH = 19
    """Let the payer take the second instrument. VALUE = 62-bit threshold, PURPOSE, TARGET. With no
    second one (INSTRUMENT_2 = 0), or a draw not below VALUE: pass on, no row. Otherwise SWITCH row:
    instrument and route set are the second ones, and there is no further second; accounted time
    moves to RETRY as on fail-over, reason = NONE; jump to TARGET, where ROUTE begins anew."""
    SETTLE = 20
    """Settle between members of a large-value system. SUBJECT = system, FIRST and COUNT = transfer
    rows (its legs), CAUSE, TARGET and REASON where a close returns it, FLAGS SETTLES and CREDITS as
    POST. It may wait: see :mod:`sim.contract.large_value`."""
    INQUIRE = 21
    """Begin a chain of inquiries about this payment. SUBJECT = stage at which the first begins.
    ASKED row of the inquiry; pass on. See :mod:`~sim.contract.inquiries`."""
    ASK = 22
    """Of an inquiry: ask. SUBJECT = stage at which the next of the chain begins, VALUE = most of a
    chain. If the chain is over (see there): end unasked. Otherwise the next begins, if there may be
    one more (ASKED row); pass on."""
    ANSWER = 23
    """Of an inquiry: end. VALUE = 1 answered, 0 turned away; FLAGS SAME. ANSWERED row."""
    RETRY = 24
    """Try again. VALUE = most, TARGET, FLAGS. If the payment's reason is in :data:`RETRY_REASONS`
    and it has tried again less than VALUE times: RETRY row (amount = how often by now), reason =
    NONE, jump to TARGET; otherwise pass on. With flag NEXT the institution sends the request at
    hand again, which is counted since the last choice of a route and draws anew (see Visit); else
    the payer begins anew, and accounted time moves to RETRY as on fail-over."""
    PATIENCE = 25
    """The payer waits, or no more: see :mod:`~sim.contract.patience`."""
    ORDER = 26
    """Take an order of a shop; this and POLL: see :mod:`~sim.contract.shops`."""
    POLL = 27


class Outcome(IntEnum):
    """How a payment ended."""

    COMPLETED = 0
    """The creditor was credited."""
    REJECTED = 1
    """Ended badly before settlement."""
    RETURNED = 2
    """Ended badly after settlement; the money went back."""
    IN_PROGRESS = 3
    """Open at the horizon."""
    NOT_PAYABLE = 4
    """No route serves what the payer pays with at this code, or none that does is open (AG10); or
    the shop has nothing left to order (OUT_OF_STOCK)."""


class LogKind(IntEnum):
    """What a row of the event log tells. Columns are :class:`LogColumn`; unused ones are -1."""

    SUBMIT = 1
    """subject = stream, amount = instructed amount, value = ordinal n."""
    JOIN = 2
    """subject = station."""
    START = 3
    """subject = station, amount = service time. ``payment`` starts; the key is of the event at
    hand, which may be another payment's."""
    FINISH = 4
    """subject = station."""
    LEAVE = 5
    """subject = what was waited for, value = 0 station, 1 ledger, 2 account, 3 system."""
    DELAY = 6
    ENQUEUE = 7
    """subject = ledger."""
    IN_BLOCK = 8
    """subject = ledger, value = round."""
    COMMIT = 9
    """subject = ledger, amount = payments in the block, value = round; payment and stage -1."""
    LEADER_FAILED = 10
    """subject = ledger, value = round."""
    RESERVE = 11
    """subject = debit account, amount, value = credit account; likewise POST, TRANSFER, VOID."""
    POST = 12
    TRANSFER = 13
    VOID = 14
    SHORT = 15
    QUOTE = 16
    LAPSE = 17
    ROUTE = 18
    FEE = 19
    LIMIT = 20
    GIVE_BACK = 21
    """subject = limit row, amount given back, value = payer."""
    DECIDE = 22
    DEADLINE = 23
    EXPIRE = 24
    FAIL = 25
    """subject = reason."""
    OUTCOME = 26
    OPEN = 27
    """subject = station."""
    CLOSE = 28
    DEPOSIT = 29
    """subject = debit account (world), amount, value = credit account."""
    SAMPLE_STATION = 30
    """subject = station, amount = queue length, value = busy servers."""
    SAMPLE_LEDGER = 31
    """subject = ledger, amount = queue length, value = rounds so far."""
    SAMPLE_ACCOUNT = 32
    """subject = account, amount = posted balance, value = pending; only accounts with WATCHED."""
    IN_DOUBT = 33
    """subject = station that goes on working at the request given up."""
    AWAIT = 34
    KNOWN = 35
    FILE_CUT = 36
    """Rows of the agenda that move no payment, see :class:`~sim.contract.agenda.AgendaKind`."""
    FILE_CONVERTED = 37
    FILE_SETTLED = 38
    TOP_UP_ORDERED = 39
    TOP_UP_ARRIVED = 40
    MOVED = 41
    """subject = debit account, amount, value = credit account: a transfer of such a row."""
    SWITCH = 42
    """subject = the new instrument."""
    LEG = 43
    """Of large-value systems, see :mod:`sim.contract.large_value`; of a leg as of a RESERVE row."""
    QUEUED = 44
    SETTLE = 45
    OFFSET = 46
    SYSTEM_OFFSET = 47
    """Rows of the agenda of systems: amount = payments that wait."""
    SYSTEM_CLOSE = 48
    REFUND_DUE = 49
    """Both are specified in :mod:`sim.contract.refunds`."""
    REFUND = 50
    ASKED = 51
    """Of inquiries, see :mod:`~sim.contract.inquiries`."""
    ANSWERED = 52
    RETRY = 53
    """amount = how often by now."""
    ALARM = 54
    """Of accounts, see :mod:`~sim.contract.guards`."""
    CHANNEL = 55
    SAMPLE_SYSTEM = 56
    """Both are specified in :mod:`~sim.contract.large_value`."""
    SAMPLE_MEMBER = 57
    STATION_PACE = 58
    """Rows of the agenda, amount as there; see :class:`~sim.contract.agenda.AgendaKind`."""
    STATION_RATE = 59
    STATION_SERVERS = 60
    LEDGER_BLOCK = 61
    """subject = ledger."""
    LOAD = 62
    """Both are specified in :mod:`~sim.contract.loads`."""
    SAMPLE_LOAD = 63
    """subject = ledger, amount = load that waits, value = load taken into blocks so far."""
    PATIENCE = 64
    """This and GONE: see :mod:`~sim.contract.patience`; READING: :mod:`~sim.contract.windows`."""
    GONE = 65
    READING = 66
    ORDERED = 67
    """Of orders at shops; these five: see :mod:`~sim.contract.shops`."""
    THROTTLED = 68
    RELEASED = 69
    ORDER_EXPIRED = 70
    SHOP_ASKS = 71
