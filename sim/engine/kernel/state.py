"""The arrays the kernel works on: their columns, and how they are first laid out.

Takes nothing; gives the named tuple of C-contiguous int64 arrays all functions of the kernel take
beside the plan. All state lives here, so a run can stop after any event and go on with more room.

The kernel's own columns are plain integers under short names: they stand in nearly every line.
Those of the plan, the log and the records are the enumerations of ``spec``.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

from sim.contract.agenda import FileTotal
from sim.contract.large_value import MemberTotal
from sim.contract.layout import FEES_MAX, LIMITS_MAX
from sim.contract.own_policies import MEMORY_MAX
from sim.contract.plan import Array
from sim.contract.records import (
    HISTOGRAM_LENGTH,
    LOG_WIDTH,
    RECORD_WIDTH,
    REGISTER_COUNT,
    WORKLOAD_WIDTH,
    AccountTotal,
    LedgerTotal,
    StationTotal,
)
from sim.contract.refunds import RefundTotal
from sim.contract.shops import ShopTotal
from sim.contract.table import Table, declared_tables

# Numbers and not exceptions: what lacks is provided by Python, which may allocate and raise.
# -- why the kernel returns --------------------
(
    GOES_ON, BUDGET_SPENT, WANTS_WORKLOAD, WANTS_FLUSH, WANTS_HEAP, WANTS_SLOTS,
    WANTS_NODES, WANTS_TIMERS, AT_HORIZON, FINISHED, BROKEN, WANTS_FORESIGHT, WANTS_EVENTS,
) = range(13)  # fmt: skip

# -- what can break: what would spoil balances or the order of events without a trace --
(
    E_ORDER, E_STEP, E_OPEN_RESERVATION, E_BUSY, E_STAGE, E_AMOUNT, E_RESERVED_TWICE,
    E_NO_ACCOUNT, E_NO_STATION, E_TOO_LARGE, E_NO_LIMIT_CELL, E_DURATION, E_PENDING, E_ENDLESS,
    E_NO_QUOTE, E_OPERATION, E_BALANCE, E_SUM, E_NO_HABIT, E_IN_DOUBT, E_NO_INQUIRY,
    E_OWN_POLICY, E_ORDERED_TWICE,
) = range(1, 24)  # fmt: skip

# -- cursor: the run's single numbers --------------------
C_NOW = 0
C_KEY = 1
C_EVENTS = 2
C_HEAP = 3
C_LOG = 4
C_RECORDS = 5
C_FREE = 6
"""First free slot of the pool, -1 if none; free slots are linked by P_NEXT."""
C_LIVE = 7
C_LIVE_MAX = 8
C_NODE = 9
"""First free reservation node, -1 if none; linked by N_NEXT."""
C_ACTIVE = 10
"""Slot of the payment at hand, -1 if none."""
C_BLOCK = 11
"""Row of ``ends`` of the block being committed, -1 if none."""
C_BLOCK_LEDGER = 12
C_ARRIVAL = 13
C_CHUNK = 14
C_WORKLOAD_DONE = 15
C_NEXT_PAYMENT = 16
C_AGENDA = 17
C_SAMPLE = 18
C_HEAD_TIME = 19
"""Time and key of the first of agenda, time-outs, workload and samples."""
C_HEAD_KEY = 20
C_ERROR = 21
C_ERROR_PAYMENT = 22
C_WANTS_LOG = 23
LOG_NONE = 0
LOG_ALL = 1
LOG_SAMPLES = 2
C_WANTS_RECORDS = 24
C_HORIZON = 25
C_WARM_UP = 26
C_SAMPLE_INTERVAL = 27
C_FX_STEP = 28
C_DAY_OFFSET = 29
C_RANKS = 30
"""Queues per station: one for every distinct priority of the plan's streams."""
C_LEDGER_ENDS = 31
C_BLOCK_ENDS = 32
C_ACCOUNT_ENDS = 33
C_READY = 34
"""Row of ``ends`` of the ready list; the three above are first rows of their kind."""
C_MARGIN = 35
"""Log rows one step may write besides one for every live payment."""
C_CLOSING = 36
"""Open payments already closed at the horizon, -1 before it."""
C_HEAD_LINE = 37
"""Line of time-outs the earliest of these stands in, if it is a time-out."""
C_TIMER = 38
"""First free timer, -1 if none; linked by T_NEXT."""
C_SYSTEM_ENDS = 39
"""First row of ``ends`` of the queues of large-value systems."""
C_MARKED = 40
"""How many systems are to be looked at."""
C_SETTLING = 41
"""System of which a set is being settled, -1 if none; and how, below 0 where all are returned."""
C_HOW = 42
C_STAMP = 43
C_BETWEEN = 44
"""1 while a set settles at one stroke, whose levels between are nobody's."""
C_INQUIRIES = 45
"""Inquiries begun so far."""
C_GUARDED = 46
"""1 where any account has an alarm or a stop-loss."""
C_ASKS = 47
"""Slot + 1 of the payment an oracle chooses for, 0 if none; below 0 until scores are foreseen."""
C_COURSE = 48
"""In a course that is foreseen: 1 + the position to take next, then -1; else 0."""
C_WATCHES = 49
"""1 + the payment of whose choices it is asked what is foreseen, whoever chooses; 0: none."""
C_CALLING = 50
"""1 + slot of the first order of the next call a shop begins, 0 if none."""
C_EDGE = 51
"""Events from this instant on are set aside at the end of the heap's array; how many are."""
C_LATER = 52
CURSOR_LENGTH = 53
NO_EDGE = 2**63 - 1

# Four words to a row make half a cache line, so four children fit in two lines.
# -- heap row --------------------
H_TIME = 0
H_KEY = 1
H_SLOT = 2
H_PLACE = 3
"""Where service ends, even if the payment has gone: (stage << 20) | (station + 1); else 0."""
HEAP_WIDTH = 4
PLACE_BITS = 20

# Columns stand by how often they are touched: a row is 104 words, most events need sixteen.
# -- pool row: one payment in flight --------------------
# Rows are whole cache lines; what every event touches shares the first two.
P_ID = 0
P_STAGE = 1
P_STEP = 2
P_WAIT_STEP = 3
"""Step of the COMPLETE it waits for, -1 if none."""
P_WAIT = 4
P_PLACE = 5
"""Station, ledger or account it waits for."""
P_SINCE = 6
"""Instant up to which its time is accounted for."""
P_ORDINAL = 7
P_STREAM = 8
P_ATTEMPTS = 9
P_VISIT = 10
"""What its draws are keyed by besides purpose and ordinal, kept with every change of it."""
P_ARMED_STEP = 11
P_DEBTOR_AGENT = 12
P_CREDITOR_AGENT = 13
P_NODE = 14
"""First open reservation, in ascending order of transfer row; -1 if none."""
P_ARMED_STAGE = 15
# Eight columns up to P_QUEUE, one for each member of Cause.
P_TIME = 16
P_QUEUE = 24
"""Row of ``ends`` it stands in."""
P_PREVIOUS = 25
P_NEXT = 26
P_INSTRUCTED = 27
P_ROUTE_SET = 28
P_ROUTE = 29
P_TRIED = 30
P_PAYER = 31
P_SUBMITTED = 32
P_SETTLED = 33
P_CREDITED = 34
P_PRICING = 35
"""Pricing row of the last quote, -1 before it."""
P_EXPIRY = 36
P_CHARGED = 37
P_LIMITS = 38
"""Bit mask of limit slots in use; the columns from P_LIMIT on are only then valid."""
P_LAPSED = 39
P_PAYER_FEE = 40
P_MERCHANT_FEE = 41
P_WANTED = 42
"""Node of the reservation it waits for."""
P_CODE_STATE = 43
P_CODE_EXPIRY = 44
P_REASON = 45
P_STANDING = 46
P_QUOTED = 47
"""Instant of the last quote."""
# A multiple of eight, so that the registers begin a cache line.
P_REGISTER = 48
P_DOUBT_SINCE = P_REGISTER + REGISTER_COUNT
P_UNANSWERED = P_DOUBT_SINCE + 1
"""Step of the COMPLETE that answers the request in doubt, -1 once it has come."""
P_INSTRUMENT = P_UNANSWERED + 1
P_INSTRUMENT_2 = P_INSTRUMENT + 1
"""Second instrument, 0 for none; its route set in the column behind."""
P_ROUTE_SET_2 = P_INSTRUMENT_2 + 1
P_BEGUN = P_ROUTE_SET_2 + 1
"""Attempts made before the instrument at hand."""
P_PART = P_BEGUN + 1
"""Of a payment that has ended and is paid back: last part that fell due, what was paid back, what
the next part asks for, instant of the end."""
P_BACK = P_PART + 1
P_ASKED = P_BACK + 1
P_ENDED = P_ASKED + 1
P_REQUOTES = P_ENDED + 1
P_RETRIES = P_REQUOTES + 1
P_RESENT = P_RETRIES + 1
"""How often the payer tried again, and how often the route at hand sent its request again."""
P_INQUIRED = P_RESENT + 1
"""Inquiries made about it so far."""
P_INQUIRY = P_INQUIRED + 1
"""First and last slot of its open inquiries, which are linked by the next two; -1 if none."""
P_INQUIRY_LAST = P_INQUIRY + 1
P_SIBLING = P_INQUIRY_LAST + 1
P_SIBLING_BEFORE = P_SIBLING + 1
P_ASKS = P_SIBLING_BEFORE + 1
"""Of an inquiry, slot of the payment it asks about."""
P_TOLD = P_ASKS + 1
"""Outcome of that payment once it has ended, NULL before; its slot means nothing then."""
P_CHAIN = P_TOLD + 1
"""Place of an inquiry in its chain; below 0 where AWAIT began the chain."""
P_HEARD = P_CHAIN + 1
"""Whether its attempt has begun and not yet ended for the router."""
P_ROUTED = P_HEARD + 1
"""Instant its attempt began, less what was spent by a person until then."""
P_LOAD_BEFORE = P_ROUTED + 1
"""Load that joined the ledger's queue before it."""
P_PATIENCE_STEP, P_PATIENCE_STAGE = P_LOAD_BEFORE + 1, P_LOAD_BEFORE + 2
"""Step of the EXPIRE at which the payer leaves, -1: none; the stage that says where that leads."""
(
    P_GONE, P_DOUBTED, P_KNOWN, P_ORDER, P_ORDER_STAGE, P_ORDER_STEP, P_CALL, P_POLLS, P_ORDER_NEXT,
    P_ORDER_BEFORE, P_OUTCOME, P_OF_ORDER, P_FEE,
) = range(P_LOAD_BEFORE + 3, P_LOAD_BEFORE + 16)  # fmt: skip
"""Status of its order, stage, step of its EXPIRE (else -1), newest inquiry, polls, neighbours among
open orders, how the payment ended; of an inquiry: whether it is about an order. Then fees."""
P_LIMIT = P_FEE + FEES_MAX
LIMIT_COLUMNS = 4
"""Limit row, cell, amount, day."""
# Rounded up to whole cache lines of eight words, or a row would touch one line more.
POOL_WIDTH = -(-(P_LIMIT + LIMITS_MAX * LIMIT_COLUMNS) // 8) * 8

# Set with every wait and cleared with its end. What a time-out has to undo depends on it.
# -- kinds of waiting --------------------
W_NOTHING = 0
W_STATION = 1
W_SERVICE = 2
W_TRANSIT = 3
W_LEDGER = 4
W_BLOCK = 5
W_ACCOUNT = 6
W_ANSWER = 7
W_SYSTEM = 8
W_RETURNED = 9
"""A close has returned it: it fails when its turn comes."""
W_REFUND = 10
"""It has ended; a part of it is to be paid back."""
W_OUTCOME = 11
W_ORDER = 12
"""It has ended, and its order is open."""

# Reservations are a linked list: most payments hold none or one, and none can be bounded.
# -- reservation node --------------------
N_TRANSFER = 0
N_DEBIT = 1
N_CREDIT = 2
N_AMOUNT = 3
N_NEXT = 4
NODE_WIDTH = 5

# A timer is freed only when it falls due, armed or forgotten: there may be more than payments.
# -- timer: one armed time-out, forgotten ones included --------------------
T_TIME = 0
T_KEY = 1
T_SLOT = 2
T_NEXT = 3
TIMER_WIDTH = 4
# More would make the search for the earliest cost more than a heap saves; scenarios have three.
LINES_MAX = 8
"""Lines of time-outs; they are looked through one by one."""

# -- queue ends --------------------
Q_HEAD = 0
Q_TAIL = 1

# S_SINCE is the instant up to which areas are counted; it starts at the warm-up.
# -- station state --------------------
S_BUSY = 0
S_QUEUE = 1
S_OPEN = 2
S_TAT = 3
S_WAKE_PENDING = 4
S_WAKE_COUNT = 5
S_SINCE = 6
S_SEEN = 7
S_SERVERS = 8
S_PERIOD = 9
S_PACE = 10
"""What the agenda may change: servers, period of the rate, pace."""
S_TOTAL = 11
STATION_WIDTH = S_TOTAL + len(StationTotal)

# L_SEEN and S_SEEN are what the router saw at the last sample; nobody knows the queues of now.
# -- ledger state --------------------
L_ROUND = 0
L_GAP = 1
L_QUEUE = 2
L_SINCE = 3
L_SEEN = 4
L_BLOCK_SIZE = 5
L_BLOCK_ROUND = 7
"""Two of each: around a wrap of the step two blocks may be in flight."""
L_BLOCK_LIMIT = 9
L_TAKEN = 10
"""Load that has entered blocks so far; behind it that of two blocks."""
L_BLOCK_LOAD = 11
L_TOTAL = 13
LEDGER_WIDTH = L_TOTAL + len(LedgerTotal)

# -- account state --------------------
A_POSTED = 0
A_PENDING = 1
A_SINCE = 2
A_REFUSED = 3
"""Sum of the amounts refused from the warm-up on, and of those that wait."""
A_WAITING = 4
A_ALARMED = 5
"""1 while an alarm is raised, and while its channel is closed; since when that is counted."""
A_CLOSED = 6
A_CLOSED_SINCE = 7
A_TOTAL = 8
ACCOUNT_WIDTH = A_TOTAL + len(AccountTotal)

# -- large-value system --------------------
X_COUNT, X_MARKED, X_OFFSET_DUE, X_CLOSE_DUE, X_SETTLED, SYSTEM_WIDTH = range(6)
"""First how many payments wait."""

# -- route, as the router knows it --------------------
H_MARKS = 0
"""A bit for each attempt its breaker looks back on, the newest lowest: 1 if it failed."""
H_OPENED = 1
H_PROBE = 2
"""Payment that probes it, -1 for none."""
H_LEARNT = 3
H_SEEN_OPENED = 4
H_SEEN_LEARNT = 5
HEALTH_WIDTH = 6

# -- shop --------------------
O_LEFT, O_TAT, O_HEAD, O_TAIL, O_OPEN = 0, 1, 2, 3, 4
"""Units left, instant (times the rate) its token is free, first, last and number of open orders."""
O_TOTAL = 5
SHOP_WIDTH = O_TOTAL + len(ShopTotal)

# By slot, beside the pool: few plans have systems, and a row of the pool is long enough.
# -- payment at a large-value system --------------------
E_RANK = 0
E_COUNTED = 1
E_IN = 2
"""Whether it is in the set that is being chosen."""
E_LEGS = 3
E_TRIED = 4
"""Last search for an offset in which the pair of its accounts was tried."""
E_LEG = 5
"""Debit, credit and amount of each of two legs."""
E_DEBIT, E_CREDIT, E_AMOUNT = 0, 1, 2
ENTRY_WIDTH = E_LEG + 6

# -- account as a member's --------------------
G_SYSTEM = 0
"""System it belongs to, -1 for none; its row among the members in G_MEMBER."""
G_MEMBER = 1
G_LEVEL = 2
"""What would be left on it, were the set at hand settled; in a sample, what waits of it."""
G_STAMP = 3
"""Last walk of a queue in which somebody stood before others on it."""
GAUGE_WIDTH = 4

# Above every balance, so that the first minimum replaces it; written out as 0 where none was.
LOW_UNKNOWN = 2**62


class KernelState(NamedTuple):
    """Everything that changes while a run goes on, and what is worked out once from the plan."""

    cursor: Annotated[Array, Table("cursor")]
    heap: Annotated[Array, Table("scheduled events", HEAP_WIDTH)]
    pool: Annotated[Array, Table("slots", POOL_WIDTH)]
    node: Annotated[Array, Table("nodes", NODE_WIDTH)]
    timer: Annotated[Array, Table("timers", TIMER_WIDTH)]
    due: Annotated[Array, Table("lines", 2)]
    """Head and tail timer of every line of time-outs, -1 where empty."""
    ends: Annotated[Array, Table("queues", 2)]
    """Head and tail slot of every waiting line, -1 where empty."""
    station: Annotated[Array, Table("stations", STATION_WIDTH)]
    ledger: Annotated[Array, Table("ledgers", LEDGER_WIDTH)]
    account: Annotated[Array, Table("accounts", ACCOUNT_WIDTH)]
    limit: Annotated[Array, Table("limit cells", 2)]
    """Day and amount used."""
    wait: Annotated[Array, Table("stations", HISTOGRAM_LENGTH)]
    """Waits before service."""
    commit_wait: Annotated[Array, Table("ledgers", HISTOGRAM_LENGTH)]
    """Waits from ENQUEUE to commit."""
    log: Annotated[Array, Table("log rows", LOG_WIDTH)]
    record: Annotated[Array, Table("records", RECORD_WIDTH)]
    chunk: Annotated[Array, Table("payments", WORKLOAD_WIDTH)]
    scratch: Annotated[Array, Table("scratch")]
    order: Annotated[Array, Table("slots")]
    """Slots open at the horizon, in order of payment id."""
    rank: Annotated[Array, Table("streams")]
    """Which of a priority station's queues a stream's payments join; from the plan."""
    carried: Annotated[Array, Table("lines", 2)]
    """What each line carries to its next file: unpaid, and unsold."""
    net: Annotated[Array, Table("files")]
    """What a file comes to, once it is cut, and again once it is sold."""
    filed: Annotated[Array, Table("files", len(FileTotal))]
    coming: Annotated[Array, Table("top_ups")]
    """Money on the way, by rule."""
    ordered: Annotated[Array, Table("orders")]
    system: Annotated[Array, Table("systems", SYSTEM_WIDTH)]
    entry: Annotated[Array, Table("entries", ENTRY_WIDTH)]
    """By slot of the pool; no rows without systems."""
    gauge: Annotated[Array, Table("gauges", GAUGE_WIDTH)]
    """By account; no rows without systems."""
    member: Annotated[Array, Table("members", len(MemberTotal))]
    refund: Annotated[Array, Table("streams", len(RefundTotal))]
    shop: Annotated[Array, Table("shops", SHOP_WIDTH)]
    station_read: Annotated[Array, Table("station readings", len(StationTotal))]
    ledger_read: Annotated[Array, Table("ledger readings", len(LedgerTotal))]
    account_read: Annotated[Array, Table("account readings", len(AccountTotal))]
    health: Annotated[Array, Table("healths", HEALTH_WIDTH)]
    """By route; no rows without rules."""
    own: Annotated[Array, Table("policies", 2)]
    memory: Annotated[Array, Table("healths", MEMORY_MAX)]
    foreseen: Annotated[Array, Table("candidates")]
    seen_memory: Annotated[Array, Table("healths", MEMORY_MAX)]
    told: Annotated[Array, Table("told")]
    """Own policies: addresses of score and hear; memory by route, then as seen; what is told."""
    line: Annotated[Array, Table("stages")]
    """Line of time-outs a DEADLINE stage arms in, -1 for the heap; from the plan."""


STATE_TABLES = declared_tables(KernelState)
