"""What the reference engine remembers: payments, stations, ledgers, accounts, waiting lines.

Takes rows of the plan, as plain lists; gives small mutable objects. They know how to count
themselves (areas, maxima, sums), and nothing of the order of events. The meaning of every field is
in :mod:`sim.contract.meaning`.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from enum import IntEnum
from typing import NamedTuple

from sim.contract.inquiries import RESENT_VISIT
from sim.contract.layout import (
    NULL,
    PPM,
    SUM_MAX,
    LedgerColumn,
    StageColumn,
    StationColumn,
)
from sim.contract.meaning import Cause, Reason, WhenClosed
from sim.contract.records import REGISTER_COUNT, histogram_bucket
from sim.contract.run import SUM_TOO_LARGE
from sim.contract.shops import OrderStatus, ShopTotal
from sim.engine.reference.gauges import Gauge
from sim.engine.reference.loads import Load
from sim.errors import TooLargeError

NOWHERE = -1
"""Stands for no station, no route, no price, no armed time-out."""


class Wait(IntEnum):
    """What a payment waits for between two events."""

    NOTHING = 0
    QUEUE = 1
    SERVICE = 2
    TRANSIT = 3
    LEDGER = 4
    BLOCK = 5
    LIQUIDITY = 6
    ANSWER = 7
    SYSTEM = 8
    RETURNED = 9
    """Returned by a close: it fails when its turn comes."""
    OUTCOME = 10


@dataclass(frozen=True, slots=True)
class Stage:
    """One row of ``Plan.stage``; fields are columns of ``StageColumn``."""

    op: int
    cause: int
    target: int
    reason: int
    purpose: int
    table: int
    subject: int
    first: int
    count: int
    value: int
    flags: int

    @classmethod
    def of(cls, row: Sequence[int]) -> Stage:
        """Return a stage made of a row of the plan."""
        # By name and not by position, so that the order of fields here is free.
        return cls(*(row[StageColumn[entry.name.upper()]] for entry in fields(cls)))


class Due(NamedTuple):
    """What a payment's scheduled event is about, whatever the payment does meanwhile."""

    step: int
    stage: int
    """Stage row the payment was at."""
    subject: int
    """Station that serves it, or :data:`NOWHERE`."""


class Transfer(NamedTuple):
    """One movement of money with its accounts resolved."""

    debit: int
    credit: int
    amount: int


class LimitUse(NamedTuple):
    """What a payment used of a limit, so that VOID can give it back."""

    limit: int
    cell: int
    amount: int
    day: int


@dataclass(slots=True, eq=False)
class Payment:
    """One payment in flight."""

    number: int
    stream: int
    ordinal: int
    route_set: int
    instructed: int
    payer: int
    debtor_agent: int
    creditor_agent: int
    code_state: int
    code_expiry_us: int
    instrument: int
    route_set_2: int
    instrument_2: int
    priority: int
    submitted_us: int
    at: int
    """Stage row it is at."""
    accounted_us: int
    """Instant up to which its time is accounted for."""
    wait: Wait = Wait.NOTHING
    wait_subject: int = NOWHERE
    """Station, ledger or account waited for."""
    step: int = 0
    awaited_step: int = NOWHERE
    armed_step: int = NOWHERE
    armed_stage: int = NOWHERE
    """Stage that says where the armed time-out leads."""
    reason: int = int(Reason.NONE)
    route: int = NOWHERE
    tried: int = 0
    """Bit mask of the tried positions of its route set."""
    attempts: int = 0
    is_heard_of: bool = False
    """Whether the attempt at hand has begun and not yet ended for the router."""
    routed_us: int = 0
    """Instant its attempt began, less what was spent by a person until then."""
    begun: int = 0
    """Attempts made before the instrument at hand."""
    load_before: int = 0
    """Load that joined the ledger's queue before it."""
    instead: int = NULL
    retries: int = 0
    """How often the payer tried again."""
    resent: int = 0
    """How often the route at hand sent its request again."""
    requotes: int = 0
    quotes_lapsed: int = 0
    pricing: int = NOWHERE
    # NULL lies before every instant, so CONVERT without a quote lapses instead of passing
    # silently; programs quote first.
    quote_expiry_us: int = NULL
    quoted_us: int = NULL
    """Instant of the last QUOTE."""
    standing: int = 0
    """1: the payer has confirmed; 2: the payer's side has authorised, too."""
    in_doubt_since_us: int = NULL
    doubted_us: int = NULL
    known_us: int = NULL
    """Instants at which the first doubt began and the last one ended."""
    patience_step: int = NOWHERE
    """Step of the EXPIRE at which the payer leaves, while one is in force."""
    patience_stage: int = NOWHERE
    gone_us: int = NULL
    unanswered_step: int = NOWHERE
    """Step of the COMPLETE that answers the request in doubt, while it is still to come."""
    settled_us: int = NULL
    credited_us: int = NULL
    wanted: Transfer | None = None
    """The transfer it waits for liquidity for."""
    times: list[int] = field(default_factory=lambda: [0] * len(Cause))
    registers: list[int] = field(default_factory=lambda: [NULL] * REGISTER_COUNT)
    reservations: dict[int, Transfer] = field(default_factory=dict)
    """Open reservations by transfer row."""
    limits: dict[int, LimitUse] = field(default_factory=dict)
    """Used limits by slot."""
    charged: dict[int, int] = field(default_factory=dict)
    """Charged fees by slot."""
    payer_fee: int = 0
    merchant_fee: int = 0
    inquired: int = 0
    """Inquiries made about it."""
    open_inquiries: dict[int, Payment] = field(default_factory=dict)
    asks: Payment | None = None
    """Of an inquiry: the payment it asks about."""
    own_visit: int = 0
    place: int = 0
    """Its place in its chain."""
    is_of_doubt: bool = False
    """Whether AWAIT began its chain."""
    told: int = NULL
    """Outcome of its payment, once that has ended."""
    is_of_order: bool = False
    """Whether it asks about an order."""
    order: OrderStatus = OrderStatus.NONE
    order_stage: int = NOWHERE
    order_step: int = NOWHERE
    """Step of the EXPIRE of its order, while that is open."""
    order_call: int = NOWHERE
    """Number of the newest inquiry about its order."""
    order_polls: int = 0
    ended: tuple[int, Stage] | None = None
    """Outcome and END stage of a payment whose order is still open."""

    @property
    def visit(self) -> int:
        """Return what draws are keyed by besides purpose and ordinal."""
        if self.asks is not None:
            return self.own_visit
        # 64 per attempt, more than a payment can requote, so no two visits share a number.
        return max(self.attempts - 1, 0) * 64 + self.requotes + self.resent * RESENT_VISIT

    def account_time(self, cause: int, now_us: int) -> None:
        """Add the time since the last accounting to one cause."""
        self.times[cause] += now_us - self.accounted_us
        self.accounted_us = now_us

    def stop_waiting(self) -> None:
        """Forget what was waited for, so that a late completion is recognised as orphaned."""
        self.wait = Wait.NOTHING
        self.wait_subject = NOWHERE
        self.awaited_step = NOWHERE


@dataclass(slots=True)
class Shop:
    """One row of ``Plan.shop``, and what has become of its stock."""

    stock: int
    holds: int
    life_us: int
    token_count: int
    token_period_us: int
    token_burst: int
    per_call: int
    left: int = 0
    tat: int = 0
    open: dict[int, Payment] = field(default_factory=dict)
    """Open orders by number, in order."""
    total: list[int] = field(default_factory=lambda: [0] * len(ShopTotal))

    def __post_init__(self) -> None:
        """Begin with everything there is."""
        self.left = self.stock


class WaitingLine:
    """Payments in the order in which they will be taken: by rank, within it by arrival."""

    __slots__ = ("gauge", "newest_first", "ranks")

    def __init__(self, warm_up_us: int, newest_first: bool = False) -> None:
        self.gauge = Gauge(warm_up_us)
        self.newest_first = newest_first
        # One ordered dict per rank: joining, leaving from the middle and finding the head take
        # the same time however long the line is.
        self.ranks: dict[int, OrderedDict[int, Payment]] = {}

    def __len__(self) -> int:
        return self.gauge.level

    def join(self, payment: Payment, now_us: int, rank: int = 0) -> None:
        """Let a payment wait; the lowest rank is taken first."""
        self.ranks.setdefault(rank, OrderedDict())[payment.number] = payment
        self.gauge.move(now_us, +1)

    def head(self) -> Payment:
        """Return the payment to take next."""
        # Few ranks, so a search is cheap. Lines of a rank may be empty; ``len`` has said that
        # not all are.
        line = self.ranks[min(rank for rank, line in self.ranks.items() if line)]
        # LIFO takes the newest, and payments join at the end in every discipline.
        return line[next(reversed(line) if self.newest_first else iter(line))]

    def leave(self, payment: Payment, now_us: int, rank: int = 0) -> None:
        """Take one payment out, wherever it stands."""
        del self.ranks[rank][payment.number]
        self.gauge.move(now_us, -1)


class Station:
    """One station: its servers, queue, rate limit and totals."""

    def __init__(self, row: Sequence[int], *, newest_first: bool, warm_up_us: int) -> None:
        self.servers = row[StationColumn.SERVERS]
        self.queue_limit = row[StationColumn.QUEUE_LIMIT]
        self.rate_count = row[StationColumn.RATE_COUNT]
        self.rate_period_us = row[StationColumn.RATE_PERIOD_US]
        self.pace_ppm = PPM
        """How long services last, in millionths of what is drawn for them."""
        self.discipline = row[StationColumn.DISCIPLINE]
        self.rejects_when_closed = row[StationColumn.WHEN_CLOSED] == WhenClosed.REJECT
        self.reason_closed = row[StationColumn.REASON_CLOSED]
        self.warm_up_us = warm_up_us
        self.is_open = True
        self.busy = Gauge(warm_up_us)
        self.queue = WaitingLine(warm_up_us, newest_first)
        self.tat = 0
        """Theoretical arrival time of the next start, in microseconds times RATE_COUNT, so that
        even spacing needs no rounding."""
        self.wake_ups = 0
        self.wake_up_pending = False
        self.starts = 0
        self.wait_sum_us = 0
        self.refused = 0
        self.wait_histogram = Counter[int]()

    def rate_allows(self, now_us: int) -> bool:
        """Tell whether the rate limit lets a service start now."""
        # Both sides in microseconds times RATE_COUNT: no division, no rounding (GCRA, ITU-T
        # I.371).
        return self.rate_count == 0 or now_us * self.rate_count >= self.tat

    def can_start(self, now_us: int) -> bool:
        """Tell whether a service may start now."""
        return self.is_open and self.busy.level < self.servers and self.rate_allows(now_us)

    def count_refusal(self, now_us: int) -> None:
        """Count an arrival turned away."""
        if now_us >= self.warm_up_us:
            self.refused += 1

    def count_start(self, now_us: int, wait_us: int) -> None:
        """Count a service begun after a wait."""
        if now_us >= self.warm_up_us:
            self.starts += 1
            self.wait_sum_us += wait_us
            if self.wait_sum_us >= SUM_MAX:
                raise TooLargeError(SUM_TOO_LARGE)
            self.wait_histogram[histogram_bucket(wait_us)] += 1

    def totals(self) -> list[int]:
        """Return the station's totals in the order of ``StationTotal``."""
        queue = self.queue.gauge
        return [
            self.busy.area,
            queue.area,
            queue.highest,
            self.starts,
            self.wait_sum_us,
            self.refused,
        ]


class Ledger:
    """One ledger: its queue, its rounds and totals."""

    def __init__(self, row: Sequence[int], load: Load, warm_up_us: int) -> None:
        self.load = load
        self.round_interval_us = row[LedgerColumn.ROUND_INTERVAL_US]
        self.block_limit = row[LedgerColumn.BLOCK_LIMIT]
        self.peers = row[LedgerColumn.PEERS]
        self.quorum = row[LedgerColumn.QUORUM]
        self.vote_table = row[LedgerColumn.VOTE_TABLE]
        self.idle_max_us = row[LedgerColumn.IDLE_MAX_US]
        self.leader_failure = row[LedgerColumn.LEADER_FAILURE]
        self.purpose_vote = row[LedgerColumn.PURPOSE_VOTE]
        self.purpose_leader = row[LedgerColumn.PURPOSE_LEADER]
        self.warm_up_us = warm_up_us
        self.gap_us = self.round_interval_us
        self.round = 0
        self.queue = WaitingLine(warm_up_us)
        self.blocks = 0
        self.included = 0
        self.rounds = 0
        self.wait_sum_us = 0
        self.wait_histogram = Counter[int]()

    def count_block(self, now_us: int, waits_us: Sequence[int], load: int) -> None:
        """Count a block committed, how long its payments waited for it, and its load."""
        if now_us >= self.warm_up_us:
            self.blocks += 1
            self.load.carried += load
            self.included += len(waits_us)
            self.wait_sum_us += sum(waits_us)
            if self.wait_sum_us >= SUM_MAX:
                raise TooLargeError(SUM_TOO_LARGE)
            self.wait_histogram.update(map(histogram_bucket, waits_us))

    def totals(self) -> list[int]:
        """Return the ledger's totals in the order of ``LedgerTotal``."""
        queue = self.queue.gauge
        return [
            self.blocks,
            self.included,
            queue.area,
            queue.highest,
            self.rounds,
            self.wait_sum_us,
            *self.load.totals(),
        ]
