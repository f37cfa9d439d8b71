"""Number what the replay of a log keeps in arrays: scalars, things, payments, services.

Only names of columns; :mod:`sim.audit.world` lays the arrays out and the rules read them.
"""

from __future__ import annotations

from enum import IntEnum, auto

from sim.contract.layout import FEES_MAX, LIMITS_MAX
from sim.contract.meaning import Cause, Flag
from sim.contract.records import REGISTER_COUNT

SETTLES, CREDITS, QUEUE, NEXT, ASKS, CONFIRMS, AUTHORISES, SAME = (int(flag) for flag in Flag)
"""Flags as numbers: sets of flags are nothing machine code knows."""

NOBODY = -1
WORD = 62
"""Members per word of a bit set; the sign stays out of it."""


class Count(IntEnum):
    """Columns of the scalars of a replay, ``World.g``."""

    NOW = 0
    KEY = auto()
    ROW = auto()
    FOUND = auto()
    """Violations so far."""
    UNREADABLE = auto()
    """1 once a row names what does not exist."""
    CURRENT = auto()
    """Slot of the payment that acts."""
    OWN_USED = auto()
    """Whether the event's own payment has acted."""
    HIGHEST = auto()
    """Highest key handled at the instant at hand."""
    NEXT_AGENDA = auto()
    NEXT_PAYMENT = auto()
    BORN = auto()
    """Events scheduled at the instant at hand for this same instant."""
    OPENED = auto()
    """Row of the ledger whose block is filled by the event at hand."""
    NEXT_ROUND_US = auto()
    REFUNDING = auto()
    """Slot of the payment a part of which is paid back by the event at hand."""
    LEAVING = auto()
    """Slot of the payment that has to leave a queue with the next row; then how."""
    LEAVING_SUBJECT = auto()
    LEAVING_PLACE = auto()
    LEAVING_STAGE = auto()
    REFILLED = auto()
    """Row of the account that may set payments free with the next row."""
    TOUCHED = auto()
    """Rows of things to look at when the event ends."""
    FREE_PAYMENT = auto()
    FREE_HELD = auto()
    PAYMENTS = auto()
    """Payments open, services under way, reservations open."""
    SERVICES = auto()
    HELD = auto()
    ENDED = auto()
    VISITED = auto()
    """Visits that ended in the block of rows at hand."""
    WANTS_RECORDS = auto()
    DUE_KIND = auto()
    """The row a payment must write next: kind, subject, amount, value, transfer."""
    DUE_SUBJECT = auto()
    DUE_AMOUNT = auto()
    DUE_VALUE = auto()
    DUE_TRANSFER = auto()
    HORIZON_US = auto()
    SAMPLE_INTERVAL_US = auto()
    NEXT_SAMPLE = auto()
    """Number of the sample due next; rows told of the one at hand; the account told last."""
    SAMPLED = auto()
    SAMPLED_ACCOUNT = auto()
    FX_STEP_US = auto()
    DAY_OFFSET_US = auto()
    PRIORITIES = auto()
    """Different priorities of streams: queues per station."""
    AGENT_WORDS = auto()
    """Words of a set of agents, and of a set of routes."""
    ROUTE_WORDS = auto()
    STATION_KINDS = auto()
    """First column of station kinds in ``World.role``."""
    MOVES = auto()
    """Moves due after the agenda's row at hand, and how many of them have been made."""
    MOVED = auto()
    NEXT_INQUIRY = auto()
    TELLING = auto()
    """Slot of the inquiry that is told with the next row how its payment ended."""
    POLL_DUE = auto()
    """Slot of the payment about which an inquiry begins with the next row."""
    WATCHED = auto()
    """Choices that were to be shown and have been."""
    INSTRUMENTS = auto()
    """Instruments the plan names."""
    WARM_UP_US = auto()
    SYSTEM_LINES = auto()
    """First of the lines of large-value systems."""
    SET_LEFT = auto()
    """Payments of a set that have still to settle at one stroke, and the system they wait in, until
    its accounts have been looked at."""
    SET_SYSTEM = auto()
    LOOK_FIRST = auto()
    """Accounts whose level the last row changed, to be looked at with the next."""
    LOOK_SECOND = auto()
    CALL_NEXT = auto()
    """Slot of the order the next call begins with; orders still to be released, the inquiry that
    found them; slot of a payment whose order has expired in this event."""
    RELEASES = auto()
    CALLER = auto()
    PAYING_BACK = auto()
    READY = auto()
    """Line of those set free by others; the next one of those in the block being committed."""
    CHECKED = auto()
    """First of the counts of checks, one per message."""


class Things(IntEnum):
    """The tables whose rows follow each other in ``World.things``, by number.

    ``World.first[table]`` is a table's first row and ``World.size[table]`` the number of its rows.
    Stages come first: the row of a stage is its number.
    """

    STAGE = 0
    STATION = 1
    LEDGER = 2
    ACCOUNT = 3
    TRANSFER = 4
    CONVERSION = 5
    PRICING = 6
    FEE = 7
    TIER = 8
    LIMIT = 9
    ROUTE = 10
    VIEW = 11
    STREAM = 12
    AGENDA = 13
    CHOICE = 14
    """Ways to come to a route: policy, position, first and number of the candidates."""
    CANDIDATE = 15
    """Candidates of route sets, as in the plan."""
    LINE = 16
    FILE = 17
    TOP_UP = 18
    ORDER = 19
    SYSTEM = 20
    GUARD = 21
    REFUND = 22
    WRITTEN_REFUND = 23
    RULE = 24
    SPREAD = 25
    SHOP = 26


STAGE_SHORTEST, STAGE_LONGEST, REFUND_SHORTEST, REFUND_LONGEST = 11, 12, 9, 10
"""Columns of a stage, after those of the plan: least and greatest value of its quantile table;
likewise of the time until a part of a stream's refunds."""


class StationState(IntEnum):
    """Columns of what is rebuilt of a station, after those of the plan."""

    BUSY = 7
    WAITING = 8
    CLOSED = 9
    TAT = 10
    START_BY_US = 11
    """Latest instant by which the head of the queue must start; -1 when it cannot."""
    TOUCHED = 12
    SEEN = 13
    """Queue length the last sample showed."""
    PACE_PPM = 14


class LedgerState(IntEnum):
    """Columns of what is rebuilt of a ledger."""

    GAP_US = 9
    NEXT_US = 10
    """Start of the next round; never while a block is under way."""
    NUMBER = 11
    """Number of the next round."""
    STARTED_US = 12
    BLOCK_SIZE = 13
    SEEN = 14
    BLOCK_LIMIT = 15
    """In force; what routers reckon with is the plan's."""
    LOAD_TAKEN = 16
    """Load in blocks so far; what waited at the start of the round, and what of it its block takes,
    -1 before that is told."""
    LOAD_WAITS = 17
    BLOCK_LOAD = 18
    LOAD_0 = 19
    """Totals of load, in the order of :class:`~sim.contract.records.LedgerTotal`."""


class AccountState(IntEnum):
    """Columns of what is rebuilt of an account."""

    POSTED = 3
    PENDING = 4
    TOUCHED = 5
    WORLD = 6
    """The world's account of its currency."""
    SYSTEM = 7
    """Large-value system it belongs to, -1 for none."""
    TOTAL_0 = 8
    """Totals of a member, in the order of :class:`~sim.contract.large_value.MemberTotal`."""


class GuardState(IntEnum):
    """Columns of what was told of an account's level: 1 while it is low."""

    ALARMED = 6
    CLOSED = 7


class SystemState(IntEnum):
    """Columns of what is rebuilt of a large-value system."""

    TOUCHED = 4
    OFFSET_DUE = 5
    CLOSE_DUE = 6
    HAS_NETTED = 7
    HAS_RETURNED = 8
    """Whether the close at hand has settled a set, and returned somebody."""
    CLOSED_ROW = 9
    """Row of the log at which the close at hand is known to have begun."""
    SETTLED = 10
    """Payments that have settled so far."""


class LineState(IntEnum):
    """Columns of what is rebuilt of a line: what it carries, unpaid and unsold."""

    CARRIED = 17
    UNSOLD = 18


class FileState(IntEnum):
    """Columns of what has been done with a file."""

    CUT = 6
    SOLD = 7
    SETTLED = 8


class TopUpState(IntEnum):
    """Columns of what is rebuilt of a rule."""

    COMING = 14
    """Ordered and not arrived."""


class OrderState(IntEnum):
    """Columns of what is rebuilt of an order."""

    ORDERED = 3
    ARRIVED = 4


class RouteState(IntEnum):
    """Columns of what is known of a route."""

    CHOICE_FIRST = 14
    CHOICE_COUNT = 15
    ATTEMPTS_MAX = 16
    MARKS = 17
    """Of attempts since its breaker closed, a bit each: failed."""
    OPENED_US = 18
    """-1: closed; likewise below for nothing."""
    PROBE = 19
    LEARNT_US = 20
    SEEN_OPENED_US = 21
    SEEN_LEARNT_US = 22


class Shown(IntEnum):
    """Columns of what a router thought of a candidate, ``World.shown``."""

    STANDING = 0
    """1: it may be taken; 2: tried before; 3: its channel is closed."""
    SCORE = 1
    COST = 2
    """-1: it carries no money; -2: its price would fail."""
    DEBITED = 3
    TIME_US = 4
    BARS = 5
    OPENED_US = 6
    """As the router saw it, -1: closed; likewise LEARNT_US."""
    PROBE = 7
    LEARNT_US = 8
    SEEN_US = 9
    """Instant of the last sample, -1 before any."""


class Wait(IntEnum):
    """What a payment waits for."""

    NOTHING = 0
    """It acts within the event at hand."""
    QUEUE = 1
    SERVICE = 2
    DELAY = 3
    LEDGER = 4
    BLOCK = 5
    LIQUIDITY = 6
    ANSWER = 7
    ENDED = 8
    SYSTEM = 9
    REFUND = 10
    """It has ended, and a part of it is to be paid back."""
    OUTCOME = 11
    ORDER = 12
    """It has ended, and its order is open."""


class Pay(IntEnum):
    """Columns of a payment in flight."""

    NUMBER = 0
    STREAM = 1
    ORDINAL = 2
    SUBMITTED_US = 3
    PC = 4
    ACCOUNTED_US = 5
    RANK = 6
    """Rank of the stream's priority."""
    WAIT = 7
    WAIT_SUBJECT = 8
    WAIT_AMOUNT = 9
    DUE_US = 10
    DUE_KEY = 11
    CAUSE = 12
    STEPS = 13
    PRICING = 14
    """Row of the price of the last quote, -1 before."""
    EXPIRY_US = 15
    DEADLINE_US = 16
    DEADLINE_KEY = 17
    DEADLINE_STAGE = 18
    ATTEMPTS = 19
    REQUOTES = 20
    LAPSED = 21
    ROUTE = 22
    HAS_BEGUN = 23
    """Whether the rows of the stage at hand are counted by CURSOR."""
    CURSOR = 24
    CHARGED = 25
    PAYER_FEE = 26
    MERCHANT_FEE = 27
    SETTLED_US = 28
    CREDITED_US = 29
    REASON = 30
    LINE = 31
    """Line it stands in, and its neighbours."""
    NEXT = 32
    PREVIOUS = 33
    HELD = 34
    """First of its reservations, by transfer."""
    AGENT_0 = 35
    """For both roles: the agent where known, -2 where a set is, -1 where nothing is."""
    QUEUED_US = 37
    """When it began to wait where it waits, and when that began to be work on it."""
    STARTED_US = 38
    QUOTED_US = 39
    STANDING = 40
    """How far its payer's side is: 1 confirmed, 2 authorised."""
    DOUBT_SINCE_US = 41
    UNANSWERED = 42
    """Step of the service given up that has not ended, -1 where none is or it has."""
    INSTRUMENT = 43
    """What is paid with, from 1; 0: nothing is said, -2: not known."""
    BEGUN = 44
    """Attempts made before the instrument at hand."""
    LEGS = 45
    """Legs told of a payment at a large-value system; debit, credit and amount of each."""
    LEG_0 = 46
    CAME_US = 52
    IN_SET = 53
    """1 in the set at hand, 2 in the way of those behind, else 0."""
    RETURNED = 54
    """1 once a close has returned it, until it fails."""
    PART = 55
    """Part paid back last, what was paid back, what the next asks for, the payment's end, and
    whether the part at hand is paid."""
    BACK = 56
    ASKED = 57
    ENDED_US = 58
    PAID_BACK = 59
    RETRIES = 60
    RESENT = 61
    INQUIRED = 62
    """Inquiries made about it."""
    INQUIRY = 63
    """Newest of its open inquiries, linked by the next two."""
    SIBLING = 64
    SIBLING_BEFORE = 65
    ASKS = 66
    """Of an inquiry, the payment it asks about; 0 for payments, which nobody reads."""
    TOLD = 67
    """Outcome of that payment once it has ended, NULL before."""
    NEXT_TOLD = 68
    """Inquiry told after this one."""
    PLACE = 69
    """Place in its chain, below 0 where AWAIT began it."""
    TRIED = 70
    """1 where an offset of its pair has been looked for in the search at hand."""
    QUEUED_ROW = 71
    """Row of the log at which it began to wait in a large-value system."""
    UNHEARD = 72
    """1 from a ROUTE row until its router hears of the attempt; and when it began, less the time
    of a person."""
    ROUTED_US = 73
    LOAD_BEFORE = 74
    """Load that joined the ledger's queue before it."""
    PATIENCE_US = 75
    """Instant at which the payer leaves, below 0 while none waits; its key, and the stage that says
    where it leads."""
    PATIENCE_KEY = 76
    PATIENCE_STAGE = 77
    GONE_US = 78
    DOUBTED_US = 79
    KNOWN_US = 80
    ORDER = 81
    """Status of its order, the stage it was taken at, instant and key of its expiry."""
    ORDER_STAGE = 82
    ORDER_US = 83
    ORDER_KEY = 84
    CALL = 85
    """Newest inquiry about the order, polls so far, neighbours among the shop's open orders."""
    POLLS = 86
    ORDER_NEXT = 87
    ORDER_BEFORE = 88
    OUTCOME = 89
    """Of a payment that has ended while its order is open."""
    OF_ORDER = 90
    """1 of an inquiry about an order."""
    TIME_0 = 91
    FEE_0 = 91 + len(Cause)
    REGISTER_0 = 91 + len(Cause) + FEES_MAX
    LIMIT_0 = 91 + len(Cause) + FEES_MAX + REGISTER_COUNT
    """Limit (-1: none), amount, day, payer by slot."""
    SETS = 91 + len(Cause) + FEES_MAX + REGISTER_COUNT + 4 * LIMITS_MAX
    """Sets of agents by role, then the routes tried."""
