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
and does nothing else (an orphaned TRANSIT does nothing and is not logged). An EXPIRE whose step is
not the armed one does nothing and is not logged. Every event taken from the agenda counts in
``events``, orphaned or not, as long as its time is below the horizon.

**Visit.** Draws of a payment are keyed by (stream key, ordinal n, purpose, visit) with
``visit = max(attempts - 1, 0) * 64 + requotes``; so a retry gets fresh luck and nothing else does.

**Failure.** ``fail(stage, reason)``: a FAIL row is logged, the payment's reason becomes ``reason``
and it continues at the stage's TARGET. Only failures, DECIDE hits, ROUTE and CONVERT jump.

**Time by cause.** A payment keeps the instant up to which its time is accounted for. Whenever a
wait ends (or starts serving, or is abandoned, or the horizon comes) the time since then is added to
one cause: waiting in a station's queue ``WAITING``; in service, in transit and in a ledger the
stage's CAUSE column; waiting for liquidity ``LIQUIDITY``. On fail-over everything accounted so far
moves to ``RETRY``. The seven sums therefore add up to ``end_us - submitted_us``.

**Money.** ``int64`` minor units. An account has ``posted`` balance (credits minus debits) and
``pending`` debits; ``available = posted - pending + overdraft``. A transfer debits one account and
credits another in one currency. Reserving adds to the debit account's pending; posting a
reservation moves the amount from pending to posted on both accounts; voiding removes it. Transfers
of amount 0 are skipped and leave no trace. Crediting an account or voiding on it may set free the
payments waiting for it: from the head of its queue, as long as the head's amount is available, the
head's reservation is made at once (logged RESERVE, time accounted to LIQUIDITY) and it joins the
ready list. There is no overtaking. A reservation keeps the amount and both accounts it was made
with; POST and VOID use those. Reserving a row the payment already holds is a bug.

**Rows.** The stage of a SUBMIT row is the ENTRY of its stream. A row that credits an account or
voids on it (POST, TRANSFER, DEPOSIT, VOID) is followed at once by the RESERVE rows of those it sets
free; in CHARGE the order is TRANSFER, freed RESERVE rows, FEE; at a time-out in an account's queue
EXPIRE, LEAVE, freed RESERVE rows, after which the timed-out payment advances first and the ready
list then. EXPIRE and LEAVE carry the stage the payment waited at. A deposit of 0 leaves no row but
is an event. Horizon rows are OUTCOME rows with ``time_us = horizon_us``, the key of class HORIZON
and step 0, the stage waited at and the payment's reason; they are not counted in ``events``.

**What a payment remembers.** QUOTE fills the payment's registers even when it then fails; CHARGE
finds its slot through the pricing row of the last QUOTE; the record's fees are what was charged, at
the time of charging. Neither requotes nor charged fees are reset by a fail-over. A limit slot
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

from enum import IntEnum, IntFlag

NULL = -(2**63)
"""Stands for "never happened" in every integer column."""

PAYMENT_BITS = 40
STEP_BITS = 20
STEP_MASK = (1 << STEP_BITS) - 1
PAYMENTS_MAX = (1 << PAYMENT_BITS) - (1 << 18)
"""Payment ids run from 0 to this number, exclusive; ids above are pseudo payments."""

LEDGER_PSEUDO = (1 << PAYMENT_BITS) - 1
"""Ledger ``l`` schedules its events as payment ``LEDGER_PSEUDO - l``, so that at one instant every
payment that completes something comes first and may still join the block."""

STATION_PSEUDO = (1 << PAYMENT_BITS) - 1 - (1 << 16)
"""Station ``s`` schedules its admission wake-ups as payment ``STATION_PSEUDO - s``."""

AMOUNT_MAX = 1 << 53
"""No register ever reaches this many minor units; the compiler proves it."""

RATE_MAX = 1 << 31
"""Numerator and denominator of every exchange rate stay below this, so that a remainder times a
rate fits an int64."""

PPM = 1_000_000
FEES_MAX = 8
"""Fees per price, one register each."""
LIMITS_MAX = 4
"""Limit slots per payment."""
CANDIDATES_MAX = 32
"""Candidate routes per route set (a payment marks the tried ones in a bit mask)."""
REQUOTES_MAX = 63
PEERS_MAX = 64
ROLES = 2
"""Roles of a role reference: debtor agent and creditor agent."""
ROLE_KINDS_MAX = 1024
"""Kinds of account (or station) a role reference can name."""
HISTOGRAM_SUB_BITS = 7
"""128 linear cells per octave: relative error of a recorded value below 1/128 = 0.8 %."""
HISTOGRAM_LENGTH = 1 << 13


class EventClass(IntEnum):
    """Rank of simultaneous events; lower is first. Starts at 1: SimPy keeps 0 and 1 for itself."""

    CALENDAR = 1
    """A row of the agenda: opening balances, deposits, stations opening and closing. Its payment
    field is the row's index, its step 0."""
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
    and PURPOSE = service time, CAUSE, TARGET, REASON.

    In this order: station closed and its WHEN_CLOSED is REJECT: fail REASON_CLOSED of the station.
    If the queue is empty and the station can start (open, ``busy < servers``, rate allows), service
    starts now. Otherwise, if ``queue length < queue_limit``, join the queue (JOIN row); if not,
    fail with REASON. Starting: account WAITING (START row, amount = service time), busy + 1, rate
    bookkeeping, schedule COMPLETE at ``now + service time``. On COMPLETE: FINISH row, busy - 1,
    start waiting payments while the station can (they start, they do not advance), then the
    payment accounts CAUSE and advances.

    Rate: a station with RATE_COUNT > 0 starts at most RATE_COUNT per RATE_PERIOD_US, evenly spaced:
    it may start when ``now * RATE_COUNT >= tat``; a start sets
    ``tat = max(tat, now * RATE_COUNT) + RATE_PERIOD_US``. Whenever, after an event touched the
    station, payments wait, a server is free, the station is open, the rate does not allow and no
    wake-up is pending, a wake-up (class COMPLETE, pseudo payment, step = number of this station's
    wake-ups so far, from 0, modulo 2^20) is scheduled at ``ceil(tat / RATE_COUNT)``; it starts
    payments while it can.

    Queue order by DISCIPLINE: see :class:`Discipline`."""
    TRANSIT = 2
    """Take time without capacity. TABLE and PURPOSE = delay, CAUSE = TRANSIT or HUMAN (or any).
    DELAY row (subject = cause, amount = delay); COMPLETE at now + delay, even when it is 0; then
    account CAUSE and advance."""
    BATCH = 3
    """Be committed by a ledger. SUBJECT = ledger, FIRST and COUNT = transfer rows to post at commit
    (as POST does), FLAGS as POST. ENQUEUE row; waits first in first out. See :class:`LedgerColumn`
    for rounds. Inclusion in a block disarms the payment's time-out: the point of no return."""
    RESERVE = 4
    """Reserve one transfer. FIRST = transfer row, FLAGS, TARGET, REASON. If amount is 0 pass on. If
    nobody waits for the debit account and ``available >= amount``: RESERVE row, pass on. Otherwise
    with flag QUEUE: SHORT row (subject = account, amount), wait (see Money above); without it: fail
    with REASON (the account's lost_for_liquidity counts one, SHORT is not logged)."""
    POST = 5
    """Post transfer rows FIRST .. FIRST + COUNT - 1 in order: a row this payment has reserved
    becomes final (POST row), any other moves at once (TRANSFER row). Then, by FLAGS: SETTLES sets
    ``settled_us``, CREDITS sets ``credited_us`` (each only if not set yet)."""
    VOID = 6
    """Void every open reservation of the payment, in ascending order of transfer row (VOID rows),
    then give back every used limit, in order of slot (GIVE_BACK rows; only within the same day,
    otherwise nothing to give back and no row)."""
    QUOTE = 7
    """Price the payment now. SUBJECT = pricing row, VALUE = validity in us (0: for ever), TARGET,
    REASON. Computes the registers (``money/pricing.py`` is the shared arithmetic). If a register
    would be unusable (net credited amount or debited amount below 1): fail with REASON. Otherwise
    QUOTE row (subject = pricing row, amount = DEBITED, value = CREDITED), and the quote expires at
    ``now + VALUE``."""
    CONVERT = 8
    """Use the quote. SUBJECT = stage to jump back to for a new quote, VALUE = most requotes of a
    payment, TARGET, REASON. If ``now <= expiry`` pass on. Otherwise LAPSE row (``quotes_lapsed``
    + 1); if ``requotes < VALUE``: ``requotes`` + 1 and jump to SUBJECT; else fail with REASON."""
    CHARGE = 9
    """Charge one fee. SUBJECT = fee row. If its register is 0 nothing happens. Otherwise a TRANSFER
    row for the fee's accounts and a FEE row (subject = fee row, amount); the fee is marked
    charged."""
    LIMIT = 10
    """Check and use a limit. SUBJECT = limit row, VALUE = slot of the payment, TARGET. The amount
    is the register named by the limit. If it exceeds PER_PAYMENT: fail AM02. If the use of this
    payer today plus the amount exceeds PER_DAY: fail AM14. Otherwise the use grows (LIMIT row,
    subject = limit row, amount, value = payer). Bounds below 0 mean no bound; without PER_DAY
    nothing is stored and nothing logged. The day is ``(now + day_offset_us) // DAY_US``."""
    DECIDE = 11
    """Branch by luck. VALUE = 62-bit threshold, PURPOSE, TARGET. Hit when the draw is below VALUE:
    with REASON > 0 fail with it, otherwise DECIDE row (subject = TARGET) and jump to TARGET. No
    hit: pass on, no row."""
    CODE = 12
    """Read the code on the counter. TARGET. First match fails: code_state 1 (damaged): FF01;
    ``now > code_expiry_us``: AEXR. Otherwise pass on."""
    DEADLINE = 13
    """Arm the payment's only time-out. VALUE = us from now, TARGET, REASON: DEADLINE row (amount =
    VALUE) and EXPIRE scheduled at now + VALUE; an earlier one is forgotten. VALUE 0 disarms (no
    row). When it fires: EXPIRE row (subject = REASON); the wait is abandoned (below), reason =
    REASON, continue at TARGET.

    Abandoning: in a station's queue: removed, account WAITING, LEAVE row (subject = station). In
    service: account CAUSE; the server stays busy until the orphaned COMPLETE. In transit: account
    CAUSE. In a ledger's queue: removed, account CAUSE, LEAVE row (subject = ledger, value = 1).
    Waiting for liquidity: removed, account LIQUIDITY, LEAVE row (subject = account, value = 2),
    then the account's queue is looked at again from its head (these join the ready list)."""
    ROUTE = 14
    """Choose a route. FLAGS NEXT = fail-over; TARGET, REASON for a first choice without candidate.

    First choice: if the payment's route set is empty: fail with REASON. Otherwise choose, set
    ``attempts = 1``, jump to the route's ENTRY. Fail-over: if the payment's reason is in
    :data:`FAILOVER_REASONS`, ``attempts < MAX_ATTEMPTS`` of the route set and a candidate is
    untried: move all accounted time to RETRY, reason = NONE, choose among the untried,
    ``attempts`` + 1, jump to its ENTRY; otherwise pass on.

    Choosing: lowest score, ties to the earlier candidate (:class:`Policy`); a single (untried)
    candidate is taken with score 0. ROUTE row (subject = route, amount = score, value = attempts).
    A route's DEBTOR_AGENT and CREDITOR_AGENT, where not below 0, replace the payment's."""
    END = 15
    """End. VALUE = outcome; REASON, or the payment's own reason where REASON is below 0. Disarms
    the time-out. OUTCOME row (subject = outcome, amount = reason). ``completed`` sets
    ``credited_us`` if not set yet. Open reservations here are a bug."""


class Flag(IntFlag):
    """Qualities of a stage."""

    SETTLES = 1
    CREDITS = 2
    QUEUE = 4
    NEXT = 8


class Cause(IntEnum):
    """Where a payment's time went; columns of the payment record, in this order."""

    WAITING = 0
    SERVICE = 1
    TRANSIT = 2
    LEDGER = 3
    HUMAN = 4
    LIQUIDITY = 5
    RETRY = 6


class Discipline(IntEnum):
    """Order of a station's queue."""

    FIFO = 0
    LIFO = 1
    PRIORITY = 2
    """Lowest PRIORITY of the payment's stream first, first in first out within."""


class WhenClosed(IntEnum):
    """What a closed station does with arrivals; service already begun always goes on."""

    WAIT = 0
    REJECT = 1


class Policy(IntEnum):
    """Score of candidate routes; the lowest wins. Users write the name in lower case.

    A description begins with what the policy prefers, in the words ``explain`` shows.
    """

    PRIORITY = 0
    """The first candidate. Score = position among the candidates."""
    CHEAPEST = 1
    """Lowest FX margin and payer's fees at the rates of now. Score = FX_MARGIN + PAYER_FEE of the
    route's price computed now (both in debited currency); a price that would fail scores
    ``2^61``."""
    FASTEST = 2
    """Lowest expected time plus the queues last seen. Score = EXPECTED_US of the route plus what
    the last SAMPLE showed: for each row of
    ``route_view`` of the route, kind 0: seen queue length of the station times PER_ITEM; kind 1:
    (seen queue length of the ledger // BLOCK_LIMIT) times ROUND_INTERVAL_US. Before the first
    sample the view is empty (zeros)."""


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
    """The payer did not confirm within the validity of any quote."""
    RR04 = 18
    """Refused after screening."""
    ED05 = 19
    """Settlement failed after the transfer; the payment is returned."""


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
)
"""Reasons another route can help against."""


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
    """subject = what was waited for, value = 0 station, 1 ledger, 2 account."""
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


class LogColumn(IntEnum):
    """Columns of the event log, all int64.

    ``stage`` is the stage row the payment is at (the stage that acts or waits; for FINISH the stage
    served; for rows without payment -1). ``key`` is the order key of the event being handled.
    """

    TIME_US = 0
    KEY = 1
    KIND = 2
    PAYMENT = 3
    STAGE = 4
    SUBJECT = 5
    AMOUNT = 6
    VALUE = 7


LOG_WIDTH = 8


class AgendaColumn(IntEnum):
    """Columns of ``Plan.agenda``; its rows are in order of time, then as listed."""

    TIME_US = 0
    KIND = 1
    SUBJECT = 2
    AMOUNT = 3
    """Of a deposit, in minor units."""


class AgendaKind(IntEnum):
    """What a row of the agenda does."""

    DEPOSIT = 1
    """Move AMOUNT from the world's account of the currency to account SUBJECT (DEPOSIT row), then
    set free what waits for it (those advance in the order of the ready list)."""
    STATION_CLOSE = 2
    """Close station SUBJECT (CLOSE row)."""
    STATION_OPEN = 3
    """Open it (OPEN row) and start waiting payments while it can."""


class Register(IntEnum):
    """A payment's integer registers. All NULL at submission but INSTRUCTED."""

    INSTRUCTED = 0
    DEBITED = 1
    """Principal taken from the debtor, FX margin included, explicit fees not."""
    SETTLEMENT = 2
    CREDITED_GROSS = 3
    CREDITED = 4
    """What the creditor keeps: CREDITED_GROSS less MERCHANT_FEE."""
    MID_1 = 5
    """Part of DEBITED that buys SETTLEMENT at the first conversion's mid rate."""
    SPREAD_1 = 6
    """DEBITED - MID_1, in debited currency."""
    MID_2 = 7
    SPREAD_2 = 8
    """SETTLEMENT - MID_2, in settlement currency."""
    FX_MARGIN = 9
    """DEBITED less the value of CREDITED_GROSS at mid rates now, in debited currency.

    The value goes through both mid rates exactly and is rounded up once, at the end; rounding at
    the settlement currency is margin. Never below SPREAD_1."""
    FX_DRIFT = 10
    """That value now less the same, rounded likewise, at the rates of the instant of submission."""
    PAYER_FEE = 11
    MERCHANT_FEE = 12
    FEE_0 = 13


REGISTER_COUNT = 13 + FEES_MAX


class FeeKind(IntEnum):
    """How a fee follows from its BASE register, is kept in bounds and then rounded down to GRANULE.

    Bounds are MINIMUM and MAXIMUM (below 0: none).
    """

    FIXED = 0
    """FIXED."""
    PROPORTIONAL = 1
    """FIXED + floor(base * PPM / 10^6)."""
    TIERED = 2
    """Of the first tier with ``base <= UP_TO`` (below 0: no end): its FIXED + floor(base * PPM /
    10^6). The last tier has no end."""
    SURCHARGE = 3
    """0 while ``base <= THRESHOLD``, else FIXED + floor(base * PPM / 10^6), on the whole amount;
    MINIMUM and MAXIMUM only where the fee is not 0."""


class Bearer(IntEnum):
    """Who bears a fee (ISO 20022 charge bearer DEBT, CRED)."""

    DEBTOR = 0
    CREDITOR = 1


class FixedSide(IntEnum):
    """Side of the payment the instructed amount fixes."""

    CREDITOR = 0
    DEBTOR = 1


class Scope(IntEnum):
    """Whether headline measures cover a payment or it is background."""

    CROSS_BORDER = 0
    DOMESTIC = 1


class StageColumn(IntEnum):
    """Columns of ``Plan.stage``."""

    OP = 0
    CAUSE = 1
    TARGET = 2
    REASON = 3
    PURPOSE = 4
    TABLE = 5
    SUBJECT = 6
    FIRST = 7
    COUNT = 8
    VALUE = 9
    FLAGS = 10


class StationColumn(IntEnum):
    """Columns of ``Plan.station``."""

    SERVERS = 0
    """At least 1; a very large number for a station without that limit."""
    QUEUE_LIMIT = 1
    RATE_COUNT = 2
    """0: no rate limit."""
    RATE_PERIOD_US = 3
    DISCIPLINE = 4
    WHEN_CLOSED = 5
    REASON_CLOSED = 6


class LedgerColumn(IntEnum):
    """Columns of ``Plan.ledger``.

    Round 1 starts at ROUND_INTERVAL_US. At the start ``s`` of round ``r`` (class COMPLETE, pseudo
    payment, step ``(2r) & STEP_MASK``), in this order: (1) if nobody waits the gap becomes
    ``min(2 * gap, max(IDLE_MAX_US, ROUND_INTERVAL_US))`` and the next round starts at ``s + gap``;
    no row, no draw. (2) Otherwise the gap becomes ROUND_INTERVAL_US; if the leader fails (draw
    keyed by ledger key, n = r, PURPOSE_LEADER, visit 0, below LEADER_FAILURE): LEADER_FAILED row,
    next round at ``s + gap``, those waiting wait on. (3) Otherwise the first BLOCK_LIMIT waiting
    payments enter the block in order (IN_BLOCK rows; time-outs disarmed). Each peer ``i`` votes
    after a delay drawn with n = r, PURPOSE_VOTE, visit = i; the QUORUM-th smallest is the vote
    time ``v``. The block commits at ``s + v`` (step ``(2r + 1) & STEP_MASK``), the next round
    starts at ``max(s + gap, s + v)``. At commit: COMMIT row; then each payment in order posts its
    BATCH rows, accounts its CAUSE, advances as far as it can, and the ready list is emptied, before
    the next payment of the block. The stage's FLAGS act as in POST.
    """

    ROUND_INTERVAL_US = 0
    BLOCK_LIMIT = 1
    PEERS = 2
    QUORUM = 3
    """floor(2 * peers / 3) + 1: more than two thirds."""
    VOTE_TABLE = 4
    IDLE_MAX_US = 5
    LEADER_FAILURE = 6
    """62-bit threshold."""
    PURPOSE_VOTE = 7
    PURPOSE_LEADER = 8


class AccountColumn(IntEnum):
    """Columns of ``Plan.account``."""

    CURRENCY = 0
    OVERDRAFT = 1
    """Most the balance may go below zero, in minor units; :data:`UNLIMITED` for the world,
    customers and institutions' own books."""
    WATCHED = 2
    """1: sampled into the series and reported by account."""


UNLIMITED = 1 << 61


class TransferColumn(IntEnum):
    """Columns of ``Plan.transfer``; DEBIT and CREDIT are accounts or role references."""

    DEBIT = 0
    CREDIT = 1
    REGISTER = 2


class ConversionColumn(IntEnum):
    """Columns of ``Plan.conversion``; it turns SOURCE (paid) into TARGET (bought).

    ``mid(pair, t) = rate[pair, min(t // fx_step_us, steps - 1)] / pair_scale[pair]`` minor units of
    the pair's quote currency per minor unit of its base.
    """

    PAIR = 0
    INVERTED = 1
    """0: the source currency is the pair's quote currency (buying base costs rate); 1: the source
    is the pair's base."""
    SPREAD_PPM = 2


class PricingColumn(IntEnum):
    """Columns of ``Plan.pricing``.

    Creditor fixed: CREDITED_GROSS = INSTRUCTED; backwards, each conversion (the second first) asks
    ``mid = ceil(bought at mid)``, ``paid = mid + ceil(mid * SPREAD_PPM / 10^6)`` rounded up to the
    source granule; SPREAD = paid - mid. Debtor fixed: DEBITED = INSTRUCTED; forwards, each
    conversion takes ``mid = floor(paid * 10^6 / (10^6 + SPREAD_PPM))``, SPREAD = paid - mid, and
    buys ``floor(mid at mid rate)`` rounded down to the bought currency's granule. Without a
    conversion MID is the whole amount and SPREAD 0, amounts equal. Remainders stay with the FX
    provider in every case.

    Value at mid for FX_MARGIN and FX_DRIFT: ``ceil(gross * n2 * n1 / (d2 * d1))``, n / d being what
    a bought minor unit costs (1 / 1 without a conversion; n and d are a rate and its scale). In
    int64, for every gross below AMOUNT_MAX: ``gross * n2 = q2 * d2 + r2``, ``q2 * n1 = q1 * d1 +
    r1``, value = ``q1 + ceil((r1 * d2 + r2 * n1) / (d1 * d2))``. As r < d < 2^31 and n < 2^31, each
    product is below 2^62 and the sum below 2^63. For q and r, ``a * n`` is never formed: ``q = (a
    // d) * n + ((a % d) * n) // d``, ``r = ((a % d) * n) % d``.

    Then fees: each register FEE_0 + slot, PAYER_FEE = sum of debtor-borne, MERCHANT_FEE = sum of
    creditor-borne, CREDITED = CREDITED_GROSS - MERCHANT_FEE.
    """

    CONVERSION_1 = 0
    """Debited to settlement currency; -1: same currency."""
    CONVERSION_2 = 1
    """Settlement to credited currency; -1: same currency."""
    FIXED_SIDE = 2
    FEE_FIRST = 3
    FEE_COUNT = 4
    GRANULE_DEBITED = 5
    GRANULE_SETTLEMENT = 6
    GRANULE_CREDITED = 7
    CURRENCY_DEBITED = 8
    CURRENCY_SETTLEMENT = 9
    CURRENCY_CREDITED = 10
    PROVIDER_1 = 11
    PROVIDER_2 = 12


class FeeColumn(IntEnum):
    """Columns of ``Plan.fee``. The row's slot is its position after FEE_FIRST."""

    KIND = 0
    BASE = 1
    FIXED = 2
    PPM = 3
    THRESHOLD = 4
    MINIMUM = 5
    MAXIMUM = 6
    TIER_FIRST = 7
    TIER_COUNT = 8
    GRANULE = 9
    BEARER = 10
    DEBIT = 11
    CREDIT = 12
    COMPONENT = 13
    RECIPIENT = 14
    CURRENCY = 15


class TierColumn(IntEnum):
    """Columns of ``Plan.tier``."""

    UP_TO = 0
    FIXED = 1
    PPM = 2


class LimitColumn(IntEnum):
    """Columns of ``Plan.limit``; cell of payer p: ``limit_first[limit, stream] + p``."""

    REGISTER = 0
    PER_PAYMENT = 1
    PER_DAY = 2


class RouteColumn(IntEnum):
    """Columns of ``Plan.route``."""

    ENTRY = 0
    """First stage of the route's program."""
    PRICING = 1
    """-1: the route carries no money."""
    EXPECTED_US = 2
    VIEW_FIRST = 3
    VIEW_COUNT = 4
    DEBTOR_AGENT = 5
    CREDITOR_AGENT = 6
    RAIL = 7
    CORRIDOR = 8
    SETTLEMENT_AGENT = 9


class RouteViewColumn(IntEnum):
    """Columns of ``Plan.route_view``."""

    KIND = 0
    """0 station, 1 ledger."""
    SUBJECT = 1
    PER_ITEM = 2
    """Microseconds one waiting payment adds (stations)."""


class RouteSetColumn(IntEnum):
    """Columns of ``Plan.route_set``; candidates: ``candidate[FIRST : FIRST + COUNT]``."""

    FIRST = 0
    COUNT = 1
    POLICY = 2
    MAX_ATTEMPTS = 3


class StreamColumn(IntEnum):
    """Columns of ``Plan.stream``."""

    ENTRY = 0
    SCOPE = 1
    CORRIDOR = 2
    PRIORITY = 3
    CURRENCY = 4
    """Of the instructed amount."""
    CHANNEL = 5


class WorkloadColumn(IntEnum):
    """Columns of a workload chunk, one row per payment in order of submission.

    Payments are numbered from 0 in ascending (time, stream, n).
    """

    TIME_US = 0
    STREAM = 1
    ORDINAL = 2
    ROUTE_SET = 3
    AMOUNT = 4
    PAYER = 5
    DEBTOR_AGENT = 6
    CREDITOR_AGENT = 7
    CODE_STATE = 8
    CODE_EXPIRY_US = 9
    MERCHANT = 10


WORKLOAD_WIDTH = 11


class RecordColumn(IntEnum):
    """Columns of a finished payment's record, in the order payments end.

    Amounts, fees and times not reached are NULL. DEBITED, SETTLEMENT and PAYER_FEE (sum of charged
    debtor-borne fees), FX_MARGIN and FX_DRIFT are given once the payment settled or completed,
    CREDITED and MERCHANT_FEE (sum of charged creditor-borne fees) once it was credited; all of them
    NULL for routes without pricing. A returned payment's FX_MARGIN and FX_DRIFT are NULL.
    """

    PAYMENT = 0
    STREAM = 1
    ORDINAL = 2
    ROUTE = 3
    DEBTOR_AGENT = 4
    CREDITOR_AGENT = 5
    INSTRUCTED = 6
    DEBITED = 7
    SETTLEMENT = 8
    CREDITED = 9
    PAYER_FEE = 10
    FX_MARGIN = 11
    FX_DRIFT = 12
    MERCHANT_FEE = 13
    SUBMITTED_US = 14
    SETTLED_US = 15
    CREDITED_US = 16
    END_US = 17
    """NULL while in progress."""
    OUTCOME = 18
    REASON = 19
    ATTEMPTS = 20
    REQUOTES = 21
    QUOTES_LAPSED = 22
    TIME_0 = 23
    """Seven columns, in the order of :class:`Cause`; of a payment in progress, up to the
    horizon."""
    SPREAD_1 = 30
    CHARGED = 31
    """Bit mask of the charged fee slots."""
    FEE_0 = 32


RECORD_WIDTH = 32 + FEES_MAX


class StationTotal(IntEnum):
    """Columns of a station's totals over [warm_up, horizon)."""

    BUSY_AREA = 0
    """Sum of busy servers times microseconds."""
    QUEUE_AREA = 1
    QUEUE_MAX = 2
    STARTS = 3
    WAIT_SUM_US = 4
    """Of the payments that started; waits are also counted in a histogram."""
    REFUSED = 5


class LedgerTotal(IntEnum):
    """Columns of a ledger's totals; events at or after the warm-up count."""

    BLOCKS = 0
    INCLUDED = 1
    QUEUE_AREA = 2
    QUEUE_MAX = 3
    ROUNDS = 4
    WAIT_SUM_US = 5
    """From ENQUEUE to commit, of the payments committed; also counted in a histogram."""


class AccountTotal(IntEnum):
    """Columns of an account's totals over [warm_up, horizon).

    LOW and both areas are kept for WATCHED accounts only (0 for others).
    """

    POSTED_END = 0
    PENDING_END = 1
    LOW = 2
    """Lowest posted balance seen from the warm-up on (the balance at the warm-up included)."""
    BALANCE_AREA = 3
    """Minor units times seconds: at each change ``level * (now // 10^6 - last // 10^6)``, that is
    the sum over whole-second instants. A day of a trillion riel does not fit 64 bits, so here the
    level is ``posted before & (2^31 - 1)``, and BALANCE_AREA_HIGH counts ``posted before >> 31``:
    the area is ``BALANCE_AREA + 2^31 * BALANCE_AREA_HIGH``."""
    DELAYED = 4
    LOST = 5
    BALANCE_AREA_HIGH = 6


AREA_BITS = 31


def order_key(event_class: int, payment: int, step: int) -> int:
    """Return the key that orders simultaneous events.

    Parameters
    ----------
    event_class : int
        A member of :class:`EventClass`.
    payment : int
        Payment id, pseudo payment, agenda index or sample number, below 2^40.
    step : int
        The payment's event counter, below 2^20.
    """
    return (int(event_class) << (PAYMENT_BITS + STEP_BITS)) | (payment << STEP_BITS) | step


def role_ref(role: int, kind: int) -> int:
    """Return the number that stands for "this payment's agent's account" (or station).

    Parameters
    ----------
    role : int
        0 debtor agent, 1 creditor agent.
    kind : int
        Column of ``Plan.agent_account`` (or ``Plan.agent_station``), below ROLE_KINDS_MAX.

    Notes
    -----
    ``ref = -(2 + role * 1024 + kind)``; resolved as ``agent_account[agent, kind]`` with the agent
    the payment has when the stage runs.
    """
    return -(2 + role * ROLE_KINDS_MAX + kind)


def histogram_bucket(value: int) -> int:
    """Return the bucket of a non-negative duration: linear below 128, then 128 cells per octave."""
    if value < (1 << HISTOGRAM_SUB_BITS):
        return value
    octave = value.bit_length() - 1 - HISTOGRAM_SUB_BITS
    return (octave << HISTOGRAM_SUB_BITS) + (value >> octave)


def histogram_value(bucket: int) -> int:
    """Return the middle of a bucket of :func:`histogram_bucket`."""
    if bucket < (2 << HISTOGRAM_SUB_BITS):
        return bucket
    octave = (bucket >> HISTOGRAM_SUB_BITS) - 1
    low = (bucket - (octave << HISTOGRAM_SUB_BITS)) << octave
    return low + (1 << octave) // 2
