"""Where everything stands in the plan: columns of its tables, order keys, limits of its numbers.

Takes nothing; gives enumerations of columns, in whose docstrings the meaning of each column is
said, and the pure functions that fix layouts every layer must share. What happens is in
:mod:`sim.contract.meaning`; what goes in and comes out in :mod:`sim.contract.records`.
"""

from __future__ import annotations

from enum import IntEnum

# The least int64: no amount, instant or duration comes near it, and 0 and -1 mean things of
# their own.
NULL = -(2**63)
"""Stands for "never happened" in every integer column."""

PAYMENT_BITS = 40
STEP_BITS = 20
STEP_MASK = (1 << STEP_BITS) - 1

# Above it there is room for 2^16 ledgers and three times as many stations.
PAYMENTS_MAX = (1 << PAYMENT_BITS) - (1 << 18)
"""Payment ids run from 0 to this number, exclusive; ids above are pseudo payments."""

LEDGER_PSEUDO = (1 << PAYMENT_BITS) - 1
"""Ledger ``l`` schedules its events as payment ``LEDGER_PSEUDO - l``, so that at one instant every
payment that completes something comes first and may still join the block."""

STATION_PSEUDO = (1 << PAYMENT_BITS) - 1 - (1 << 16)
"""Station ``s`` schedules its admission wake-ups as payment ``STATION_PSEUDO - s``."""

LEDGERS_MAX, STATIONS_MAX = 1 << 16, 3 << 16
"""Most of each: their pseudo payments count down from above and must not meet."""
CERTAIN = 1 << 62
"""Threshold of a branch that is always taken: a draw is a number of 62 bits, and hits below its
threshold."""

TABLE_LENGTH = 5124
"""Words of one quantile table of ``Plan.table``; ``sim.draws.layout`` says what they are. Every
value drawn from a table lies between its least and its greatest word."""

NEVER_US = 1 << 62
"""An instant after every horizon, in microseconds: the expiry of what holds for ever."""

SCORE_WORST = 1 << 61
"""Score of a route whose price would fail; no other score reaches it."""

# Floats hold whole numbers up to here, so tables and analysis may use them without loss.
AMOUNT_MAX = 1 << 53
"""No register ever reaches this many minor units; the compiler proves it."""

BALANCE_MAX = 1 << 60
"""No posted balance, to either side of zero, and no sum of pending debits reaches this many minor
units: with :data:`UNLIMITED` on top, what is available stays within an int64. The compiler refuses
deposits and demand that add up to it; an engine that gets there all the same stops (see "Bounds" in
:mod:`sim.contract.meaning`)."""

HORIZON_MAX_US = 1 << 51
"""Longest run, 71 years. In seconds it is below 2^32, so that a balance's area in two halves of 31
bits (:class:`~sim.contract.records.AccountTotal`) stays within an int64 whatever the balance."""

DURATION_MAX_US = 1 << 60
"""No duration anybody writes or draws is longer; an instant of a run plus one lies before
:data:`NEVER_US`."""

SUM_MAX = 1 << 62
"""No area and no sum of waits or of amounts reaches this; who adds them up stops there."""

RATE_MAX = 1 << 31
"""Numerator and denominator of every exchange rate stay below this, so that a remainder times a
rate fits an int64."""

PPM = 1_000_000

MICRO = 1_000_000
"""Parts of a minor unit amounts are carried in while a price is made."""

FEES_MAX = 8
"""Fees per price, one register each."""

LIMITS_MAX = 4
"""Limit slots per payment."""

CANDIDATES_MAX = 32
"""Candidate routes per route set (a payment marks the tried ones in a bit mask)."""

SHARES_MAX = PPM
"""Most a candidate's share can be, so that the shares of all candidates stay below 2^31."""

REQUOTES_MAX = 63
PEERS_MAX = 64

ROLES = 2
"""Roles of a role reference: debtor agent and creditor agent."""

ROLE_KINDS_MAX = 1024
"""Kinds of account (or station, time or share) a role reference can name."""


class AgendaColumn(IntEnum):
    """Columns of ``Plan.agenda``; its rows are in order of time, then as listed."""

    TIME_US = 0
    KIND = 1
    SUBJECT = 2
    AMOUNT = 3
    """Of a deposit, in minor units; else as its kind says."""


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
    """Columns of ``Plan.ledger``; what load changes is said in :mod:`sim.contract.loads`.

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


# With a balance below 2^62 on top, the sum of what is available stays within an int64.
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
    SPREAD_FIRST = 3
    SPREAD_COUNT = 4
    """Rows of ``Plan.spread``: margins by amount and time, see :mod:`sim.contract.spreads`."""


class PricingColumn(IntEnum):
    """Columns of ``Plan.pricing``.

    How it is rounded is said by ROUNDING, a member of :class:`Rounding`.

    **EACH_STEP.** Creditor fixed: CREDITED_GROSS = INSTRUCTED; backwards, each conversion (the
    second first) asks ``mid = ceil(bought at mid)``, ``paid = mid + ceil(mid * SPREAD_PPM / 10^6)``
    rounded up to the source granule; SPREAD = paid - mid. Debtor fixed: DEBITED = INSTRUCTED;
    forwards, each conversion takes ``mid = floor(paid * 10^6 / (10^6 + SPREAD_PPM))``, SPREAD =
    paid - mid, and buys ``floor(mid at mid rate)`` rounded down to the bought currency's granule.
    Without a conversion MID is the whole amount and SPREAD 0, amounts equal. Remainders stay with
    the FX provider in every case.

    Value at mid: ``ceil(gross * n2 * n1 / (d2 * d1))``, n / d being what
    a bought minor unit costs (1 / 1 without a conversion; n and d are a rate and its scale). In
    int64, for every gross below AMOUNT_MAX: ``gross * n2 = q2 * d2 + r2``, ``q2 * n1 = q1 * d1 +
    r1``, value = ``q1 + ceil((r1 * d2 + r2 * n1) / (d1 * d2))``. As r < d < 2^31 and n < 2^31, each
    product is below 2^62 and the sum below 2^63. For q and r, ``a * n`` is never formed: ``q = (a
    // d) * n + ((a % d) * n) // d``, ``r = ((a % d) * n) % d``.

    **ONCE.** On the way an amount is carried to the MICRO-th of a minor unit: ``times(x, n, d) = x
    * n / d``, half up to a millionth of a minor unit. ``whole(x, granule)`` is half up, ``cut(x,
    granule)`` down to whole granules. With spread s and PPM = 10^6:

    Creditor fixed: CREDITED_GROSS = INSTRUCTED = g; ``m2 = times(g, n2, d2)``, ``s = times(m2, PPM
    + s2, PPM)``, ``m1 = times(s, n1, d1)``, ``d = times(m1, PPM + s1, PPM)``. MID_2 = whole(m2),
    SETTLEMENT = whole(s), MID_1 = whole(m1), DEBITED = whole(d), each to the granule of its
    currency; the amount that is billed, DEBITED or without a first conversion SETTLEMENT, is one
    granule at least. Debtor fixed: DEBITED = INSTRUCTED = d; ``m1 = times(d, PPM, PPM + s1)``, ``s
    = times(m1, d1, n1)``, ``m2 = times(s, PPM, PPM + s2)``, ``g = times(m2, d2, n2)``. MID_1 =
    whole(m1), SETTLEMENT = whole(s), MID_2 = whole(m2), none of them more than the amount before
    it, and CREDITED_GROSS = cut(g): nobody pays out more than came in. Without a conversion the
    amounts on both sides of it are equal (that of the debtor's fixed side is then cut, too), MID is
    the whole amount and SPREAD 0.

    Value at mid: ``whole(times(times(gross, n2, d2), n1, d1))``, to the granule of the debited
    currency, without a first conversion of the settlement currency, without any conversion as it
    is.

    FX_ROUNDING, under both rules: ``10^6 * FX_MARGIN`` less what the spreads alone make,
    ``d - times(times(g, n2, d2), n1, d1)`` of the creditor's fixed side and ``d - times(m1, PPM,
    PPM + s2)`` of the debtor's, all carried as under ONCE.

    Then fees: each register FEE_0 + slot, PAYER_FEE = sum of debtor-borne, MERCHANT_FEE = sum of
    creditor-borne, CREDITED = CREDITED_GROSS - MERCHANT_FEE. What an agent bears is in no sum.
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
    ROUNDING = 13
    LEAST_DEBITED = 14
    """Least DEBITED the price is offered for, as a tier of a quote is; 0: any."""


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
    LEAST = 3
    DAYS = 4
    """Days of the period PER_DAY bounds: 1, or those of the year the run begins in."""
    SHIFT = 5
    """Days of that period before the day of the start."""


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
    CLASS = 10
    """Routes of one class are one to the payer: the same rails, ends and fixed side, and a PRICING
    that asks the payer for the same amount and charges payer and payee the same. They differ in the
    institutions between, and in what those bear themselves. -1: a class of its own."""
    CONFIRMED = 11
    """Where one goes on that was confirmed on another route of the class, -1 for none."""
    AUTHORISED = 12
    """Where it goes on if the payer's side has authorised it, too; -1 for none."""
    RULE = 13
    """What bars it, -1 for nothing (:class:`~sim.contract.policies.RuleColumn`)."""


class RouteViewColumn(IntEnum):
    """Columns of ``Plan.route_view``."""

    KIND = 0
    """0 station, 1 ledger, 2 account whose channel must be open (it adds nothing to a score)."""
    SUBJECT = 1
    PER_ITEM = 2
    """Microseconds one waiting payment adds (stations); the register taken from it (accounts)."""


class CandidateColumn(IntEnum):
    """Columns of ``Plan.candidate``: a route of a route set, and what decides between equals.

    Of the untried candidates with the lowest score, those with the lowest RANK are tied. One of
    them alone is taken. Of several one is drawn: ``SHARES_MAX`` bounds each SHARE, so ``total``,
    their sum over the tied, stays below 2^31 and ``at = ((u62 >> 31) * total) >> 31`` lies in [0,
    total) without overflow; the first, in the order of candidates, at which the running sum of
    SHARE exceeds ``at`` is taken. Where total is 0 it is the first.
    """

    ROUTE = 0
    RANK = 1
    SHARE = 2
    GROUP = 3
    """Who quotes against whom, see :mod:`~sim.contract.policies`; -1: no other."""


class RouteSetColumn(IntEnum):
    """Columns of ``Plan.route_set``; candidates: ``candidate[FIRST : FIRST + COUNT]``."""

    FIRST = 0
    COUNT = 1
    POLICY = 2
    MAX_ATTEMPTS = 3


class ObligationColumn(IntEnum):
    """Columns of ``Plan.obligation``: what a completed payment over a route leaves somebody owing.

    The amount is the payment's SETTLEMENT in its settlement currency. Only what stands counts: a
    payment that is returned, rejected or still open leaves nothing. Engines take no notice.
    """

    ROUTE = 0
    SCHEME = 1
    """The rail within which obligations cancel out."""
    DEBTOR = 2
    """Agent that owes."""
    CREDITOR = 3
    """Agent that is owed."""


class StreamColumn(IntEnum):
    """Columns of ``Plan.stream``."""

    ENTRY = 0
    SCOPE = 1
    CORRIDOR = 2
    PRIORITY = 3
    CURRENCY = 4
    """Of the instructed amount."""
    CHANNEL = 5
    PROMISE_US = 6
    """How long a payment may take by rule; open after it, it counts in measures as failed."""
    AFTER_FAILURE = 7
    """Stage at which a payment goes on that no other route helps; -1: where it is."""
    PATIENCE = 8
    """Quantile table of how long a payer waits for an answer; -1: for ever."""


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
    # Three fields side by side: comparing keys as numbers compares class, then payment, then
    # step.
    return (int(event_class) << (PAYMENT_BITS + STEP_BITS)) | (payment << STEP_BITS) | step


def role_ref(role: int, kind: int) -> int:
    """Return the number that stands for "this payment's agent's account" (station, time, share).

    Parameters
    ----------
    role : int
        0 debtor agent, 1 creditor agent.
    kind : int
        Column of ``Plan.agent_account`` (``agent_station`` for a station, ``agent_time`` for a
        quantile table, ``agent_share`` for a threshold), below ROLE_KINDS_MAX.

    Notes
    -----
    ``ref = -(2 + role * 1024 + kind)``; resolved as ``agent_account[agent, kind]`` with the agent
    the payment has when the stage runs.
    """
    # From -2 downwards: -1 is taken for none, and what is not negative is a number outright.
    return -(2 + role * ROLE_KINDS_MAX + kind)
