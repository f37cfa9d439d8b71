"""Say what is wrong: every message of the replay, with the rule it belongs to.

The replay counts and finds by number of message; the words are put together afterwards, here.
"""

from __future__ import annotations

from enum import IntEnum, auto

FIGURES = 6
"""Most figures of a message."""


class Check(IntEnum):
    """The checks of the replay, by number."""

    SUBMIT_TURN = 0
    NOT_OPEN = auto()
    NO_OUTCOME = auto()
    SUBMIT_STAGE = auto()
    EVENT_ORDER = auto()
    DUE_FIRST = auto()
    KEY_STEP = auto()
    FINISH_EVENT = auto()
    FIRST_ROW = auto()
    WITHIN_EVENT = auto()
    UNKNOWN_KIND = auto()
    SAMPLE_TIME = auto()
    SAMPLE = auto()
    SAMPLE_ROW = auto()
    SAMPLE_LEFT = auto()
    SAMPLE_NUMBER = auto()
    UNUSED = auto()
    AGENDA_ROW = auto()
    AGENDA_SKIPPED = auto()
    NO_SUCH = auto()
    OPENING = auto()
    ONE_CURRENCY = auto()
    SUM = auto()
    OVERDRAFT = auto()
    BALANCE_BOUND = auto()
    SHORT_OF_NOTHING = auto()
    STILL_WAITS = auto()
    FREED_LATE = auto()
    FREED_WITHOUT = auto()
    FAILS_WITH_FUNDS = auto()
    OVERTAKES = auto()
    RESERVES_PAST = auto()
    CLOSED_JOIN = auto()
    CLOSED_START = auto()
    CLOSED_REASON = auto()
    COULD_START = auto()
    ALL_BUSY = auto()
    QUEUE_FULL = auto()
    REFUSED = auto()
    RATE_EARLY = auto()
    RATE_LATE = auto()
    STARTS_PAST = auto()
    NOT_NEXT = auto()
    SERVED_FOR = auto()
    LASTS = auto()
    NEVER_BEGAN = auto()
    FINISH_DUE = auto()
    NEVER_FINISHED = auto()
    DELAY_CAUSE = auto()
    DELAY_ENDS = auto()
    NEVER_ARRIVED = auto()
    IDLE = auto()
    NEVER_WOKE = auto()
    ROUND_MISSED = auto()
    ROUND_TURN = auto()
    ROUND_FAILS = auto()
    LEG = auto()
    QUEUES = auto()
    QUEUES_COVERED = auto()
    SETTLES = auto()
    SETTLES_ELSEWHERE = auto()
    SETTLES_OTHERWISE = auto()
    SYSTEM_OVERTAKES = auto()
    SYSTEM_WAITS = auto()
    SYSTEM_COUNT = auto()
    OFFSET_DUE = auto()
    OFFSET_LARGEST = auto()
    OFFSET_LEFT = auto()
    SET_BROKEN = auto()
    SET_BALANCE = auto()
    RETURNS = auto()
    CLOSE_LEFT = auto()
    BLOCK_HEAD = auto()
    BLOCK_LEAVES = auto()
    BLOCK_TWICE = auto()
    BLOCK_LIMIT = auto()
    LOAD_PLACE = auto()
    LOAD_BLOCK = auto()
    LOAD_UNTOLD = auto()
    COMMIT_TURN = auto()
    COMMIT_SIZE = auto()
    COMMIT_EARLY = auto()
    UNDONE = auto()
    UNPOSTED = auto()
    IN_PLACE = auto()
    OP = auto()
    STOPS = auto()
    STOPS_POSTING = auto()
    STARTS_ELSEWHERE = auto()
    OTHER_STATION = auto()
    OTHER_LEDGER = auto()
    BRANCH = auto()
    IDLE_AT_END = auto()
    TURN_OF_OTHER = auto()
    TURN = auto()
    TIMED_OUT = auto()
    ARMS = auto()
    EXPIRES = auto()
    EXPIRES_OTHERWISE = auto()
    LEAVES = auto()
    LEFT_NOTHING = auto()
    PATIENCE = auto()
    STILL_THERE = auto()
    GONE = auto()
    GONE_OTHERWISE = auto()
    DOUBTS = auto()
    AWAITS = auto()
    KNOWS = auto()
    UNDONE_IN_DOUBT = auto()
    ENDS_IN_DOUBT = auto()
    GIVEN = auto()
    RESERVES = auto()
    WAITS_FOR = auto()
    MONEY_HELD = auto()
    POSTS_UNASKED = auto()
    POSTING_DUE = auto()
    FEE_DUE = auto()
    POSTS_TO = auto()
    OTHER_ACCOUNTS = auto()
    QUOTED = auto()
    QUOTE_VALID = auto()
    ROUTED_TWICE = auto()
    SWITCHES = auto()
    FAILS_OVER = auto()
    ATTEMPTS = auto()
    SCORE = auto()
    RESUMES = auto()
    MISCOUNTS = auto()
    OTHER_LIMIT = auto()
    LIMIT_PAYMENT = auto()
    LIMIT_DAY = auto()
    GIVEN_BACK = auto()
    FAILS = auto()
    OUTCOME = auto()
    OPEN_EARLY = auto()
    OPEN_REASON = auto()
    TIMES = auto()
    ORDER_TAKEN = auto()
    ORDER_STOCK = auto()
    ORDER_PAID = auto()
    ORDER_EXPIRES = auto()
    ORDER_OVERDUE = auto()
    RELEASES_LEFT = auto()
    SHOP_ASKS = auto()
    CALL_LEFT = auto()
    TOKEN = auto()
    SOLD_OUT = auto()
    ASKS_TURN = auto()
    ASKS = auto()
    ANSWERS = auto()
    TOLD_LATE = auto()
    POLLS = auto()
    ASKING_MOVES = auto()
    TRIES_AGAIN = auto()
    FILE_SUM = auto()
    FILE_ONCE = auto()
    FILE_TIME = auto()
    FILE_PAID = auto()
    MOVES = auto()
    MOVES_LEFT = auto()
    TOP_UP_ORDER = auto()
    TOP_UP_ONCE = auto()
    TOP_UP_TIME = auto()
    REFUNDED = auto()
    REFUND_DUE = auto()
    REFUND_ONCE = auto()
    REFUND_EXCEEDS = auto()
    REFUND_COVERED = auto()
    REFUND_MOVES = auto()
    GUARD_LATE = auto()
    GUARD_TURN = auto()
    GUARD_LEVEL = auto()
    ROUTE_CLOSED = auto()


MESSAGES: dict[Check, tuple[str, str]] = {
    Check.SUBMIT_TURN: ("one_outcome", "payment {} is submitted out of turn"),
    Check.NOT_OPEN: ("one_outcome", "a row of payment {}, which is not open"),
    Check.NO_OUTCOME: ("one_outcome", "payment {} has no outcome"),
    Check.SUBMIT_STAGE: ("sequence", "payment {} is submitted at stage {}"),
    Check.EVENT_ORDER: ("order", "event at {} with key {} is out of order"),
    Check.DUE_FIRST: ("order", "the event with key {} was due first"),
    Check.KEY_STEP: ("order", "key {} has a step"),
    Check.FINISH_EVENT: ("order", "payment {} finishes in an event of another"),
    Check.FIRST_ROW: ("event_class", "a row of kind {} begins an event of class {}"),
    Check.WITHIN_EVENT: ("event_class", "a row of kind {} within another event"),
    Check.UNKNOWN_KIND: ("event_class", "unknown kind of row {}"),
    Check.SAMPLE_TIME: ("sample", "sample {} is out of time"),
    Check.SAMPLE: ("sample", "a sample of kind {} shows {} and {} for {}, should be {} and {}"),
    Check.SAMPLE_ROW: ("sample", "a sample of kind {} of {} is not the next due"),
    Check.SAMPLE_LEFT: ("sample", "sample {} ends after {} rows, should have {}"),
    Check.SAMPLE_NUMBER: ("sample", "sample {} follows, {} was due"),
    Check.UNUSED: ("columns", "a row of kind {} fills a column it does not use with {}"),
    Check.AGENDA_ROW: ("agenda", "row {} of the agenda is not what was done"),
    Check.AGENDA_SKIPPED: ("agenda", "row {} of the agenda was not done"),
    Check.FILE_SUM: ("clearing", "file {} comes to {} and {}, should be {} and {}"),
    Check.FILE_ONCE: ("clearing", "file {} is cut, sold or settled twice"),
    Check.FILE_TIME: ("clearing", "file {} was due at {}"),
    Check.FILE_PAID: ("clearing", "of file {} {} is paid and {} carried, should be {} and {}"),
    Check.MOVES: ("clearing", "a move from account {} to account {} of {} was not due"),
    Check.MOVES_LEFT: ("clearing", "a row of the agenda made only {} of its moves"),
    Check.TOP_UP_ORDER: ("top_up", "order {} shows {} and {}, should be {} and {}"),
    Check.TOP_UP_TIME: ("top_up", "order {} was due at {}"),
    Check.TOP_UP_ONCE: ("top_up", "order {} arrives twice"),
    Check.NO_SUCH: (
        "readable",
        "a row of kind {} for payment {} names what does not exist (stage {}, {}, {}, {})",
    ),
    Check.GUARD_LATE: ("guard", "account {} is at {}, and what follows is not told at once"),
    Check.GUARD_TURN: ("guard", "account {} is told to be low, or no more, where nothing changed"),
    Check.GUARD_LEVEL: ("guard", "account {} is told to be at {}, low {}; it is at {}"),
    Check.ROUTE_CLOSED: ("guard", "payment {} takes route {}, whose channel is closed"),
    Check.REFUNDED: ("refund", "payment {} is paid back, or not, otherwise than it must be ({})"),
    Check.REFUND_DUE: ("refund", "payment {}: part {} asks for {} after {} us, against its rule"),
    Check.REFUND_ONCE: ("refund", "payment {}: part {} is paid back twice or not at {}"),
    Check.REFUND_EXCEEDS: ("refund", "payment {} is paid back {} in all, more than was paid"),
    Check.REFUND_COVERED: (
        "refund",
        "payment {}: part {} is paid back {}, against the money there",
    ),
    Check.REFUND_MOVES: (
        "refund",
        "payment {}: a move from {} to {} of {} was not due, or missing",
    ),
    Check.OPENING: ("opening", "a deposit comes from account {}, not the world"),
    Check.ONE_CURRENCY: (
        "conservation",
        "{} moves from account {} to account {}: not one currency, or no amount",
    ),
    Check.SUM: ("conservation", "currency {} sums to {}"),
    Check.OVERDRAFT: ("overdraft", "account {} is {} beyond its limit"),
    Check.BALANCE_BOUND: ("balance_bound", "account {} reaches a balance or pending debits of {}"),
    Check.SHORT_OF_NOTHING: ("liquidity", "payment {} waits for {} of account {}, which has it"),
    Check.STILL_WAITS: ("liquidity", "payment {} still waits for {} of account {}, which has it"),
    Check.FREED_LATE: ("liquidity", "payment {} is not given the liquidity of account {} at once"),
    Check.FREED_WITHOUT: (
        "liquidity",
        "payment {} is given the liquidity of account {}, which got none just before",
    ),
    Check.FAILS_WITH_FUNDS: ("liquidity", "payment {} fails with funds there"),
    Check.OVERTAKES: (
        "liquidity_order",
        "payment {} is given the liquidity of account {} before payment {}",
    ),
    Check.RESERVES_PAST: (
        "liquidity_order",
        "payment {} reserves past those waiting for account {}",
    ),
    Check.CLOSED_JOIN: ("closed", "station {} is closed"),
    Check.CLOSED_START: ("closed", "station {} starts payment {} closed"),
    Check.CLOSED_REASON: ("closed", "refused for reason {} when closed"),
    Check.COULD_START: ("capacity", "payment {} waits at station {} though it could start"),
    Check.ALL_BUSY: ("capacity", "station {} starts payment {} with {} busy"),
    Check.QUEUE_FULL: (
        "queue_limit",
        "payment {} joins {} waiting at station {}, whose limit is {}",
    ),
    Check.REFUSED: ("queue_limit", "station {} refuses for reason {} with {} waiting, limit {}"),
    Check.RATE_EARLY: ("rate", "station {} starts payment {} before its rate allows"),
    Check.RATE_LATE: ("rate", "station {} starts after its wake-up was due at {}"),
    Check.STARTS_PAST: ("discipline", "payment {} starts at station {} past {} waiting"),
    Check.NOT_NEXT: ("discipline", "station {} starts payment {}, next in its queue is {}"),
    Check.LASTS: (
        "service_time",
        "payment {} takes at stage {} {} us, which no draw of its table gives",
    ),
    Check.SERVED_FOR: ("service_time", "payment {} is served for {} us"),
    Check.NEVER_BEGAN: (
        "service_time",
        "payment {} finishes at station {} a service that never began (step {})",
    ),
    Check.FINISH_DUE: (
        "service_time",
        "payment {} finishes at station {}, stage {}, out of time or place: due {} there {}",
    ),
    Check.NEVER_FINISHED: ("service_time", "payment {} never finished at station {}, due {}"),
    Check.DELAY_CAUSE: ("service_time", "payment {} is delayed for the wrong cause"),
    Check.DELAY_ENDS: ("service_time", "payment {} acts though its delay ends at {}"),
    Check.NEVER_ARRIVED: ("service_time", "payment {} never arrived"),
    Check.IDLE: ("idle_server", "station {} leaves {} waiting though it can start one"),
    Check.NEVER_WOKE: ("idle_server", "station {} never woke for those waiting, due {}"),
    Check.ROUND_MISSED: (
        "ledger_round",
        "round {} of ledger {} was due at {} with payments waiting and did not start",
    ),
    Check.ROUND_TURN: ("ledger_round", "round {} of ledger {} starts, due is round {} at {}"),
    Check.ROUND_FAILS: ("ledger_round", "round {} of ledger {} fails without cause"),
    Check.BLOCK_HEAD: (
        "block_order",
        "payment {} enters block {} of ledger {}, first in line is {}",
    ),
    Check.BLOCK_LEAVES: ("block_order", "block {} takes {} payments and leaves others waiting"),
    Check.BLOCK_TWICE: ("block_order", "payment {} enters a block twice"),
    Check.BLOCK_LIMIT: ("block_limit", "block {} of ledger {} takes {} payments, its limit is {}"),
    Check.LOAD_PLACE: (
        "load",
        "payment {} enters block {} of ledger {} at place {}, its limit is {}; {} of the load came "
        "before it",
    ),
    Check.LOAD_BLOCK: (
        "load",
        "block {} takes {} of the load and leaves {} waiting; should take {} and leave {}",
    ),
    Check.LOAD_UNTOLD: ("load", "block {} of ledger {} says nothing of {} of the load that wait"),
    Check.COMMIT_TURN: ("commit", "ledger {} commits block {}, under way is {}"),
    Check.COMMIT_SIZE: ("commit", "block {} commits {} payments, {} entered it"),
    Check.COMMIT_EARLY: ("commit", "block {} commits before it began"),
    Check.UNDONE: ("sequence", "payment {} acts at stage {} without having done stage {}"),
    Check.UNPOSTED: ("postings", "payment {} acts at stage {} without having done stage {}"),
    Check.LEG: (
        "large_value",
        "payment {} is to move money from account {} to account {}, its stage names others, or "
        "another amount",
    ),
    Check.QUEUES: ("large_value", "payment {} waits with {} of account {}, not with its first leg"),
    Check.QUEUES_COVERED: ("large_value", "payment {} waits in system {}, and could settle"),
    Check.SETTLES: ("large_value", "payment {} settles at once in system {}, out of its turn"),
    Check.SETTLES_ELSEWHERE: ("large_value", "payment {} settles in system {} without waiting"),
    Check.SETTLES_OTHERWISE: ("large_value", "payment {} settles {}, not what it brought"),
    Check.SYSTEM_OVERTAKES: (
        "large_value",
        "payment {} settles in system {}, where it is the turn of payment {}",
    ),
    Check.SYSTEM_WAITS: ("large_value", "payment {} waits in system {}, and could settle"),
    Check.SYSTEM_COUNT: ("large_value", "system {} says that {} wait, it is {}"),
    Check.OFFSET_DUE: ("offset", "system {} settles a set where none is due (how {})"),
    Check.OFFSET_LARGEST: ("offset", "system {} settles a set of {}, the largest has {}"),
    Check.OFFSET_LEFT: ("offset", "system {} leaves a set of {} that could settle at one stroke"),
    Check.SET_BROKEN: ("offset", "system {} breaks a set off, or into it; {} have to settle"),
    Check.SET_BALANCE: ("offset", "system {} settles a set by which account {} lacks {}"),
    Check.RETURNS: ("close", "payment {} is returned by system {} without a close, or too early"),
    Check.CLOSE_LEFT: ("close", "system {} closes with {} waiting"),
    Check.IN_PLACE: ("sequence", "payment {} acts at stage {} while it waits (state {})"),
    Check.OP: ("sequence", "stage {} does not write such a row"),
    Check.STOPS: ("sequence", "payment {} stops at stage {} without waiting"),
    Check.STOPS_POSTING: ("postings", "payment {} stops at stage {} without waiting"),
    Check.STARTS_ELSEWHERE: ("sequence", "payment {} starts elsewhere"),
    Check.OTHER_STATION: ("sequence", "payment {} goes to station {}, its stage names another"),
    Check.OTHER_LEDGER: ("sequence", "payment {} joins another ledger"),
    Check.BRANCH: ("sequence", "payment {} branches where no chance leads"),
    Check.IDLE_AT_END: ("sequence", "payment {} is open and idle"),
    Check.TURN_OF_OTHER: ("turn", "payment {} acts in an event of another"),
    Check.TURN: ("turn", "payment {} acts before payment {}"),
    Check.TIMED_OUT: ("time_out", "payment {} timed out at {}"),
    Check.ARMS: ("time_out", "payment {} arms a time-out of {} us"),
    Check.EXPIRES: ("time_out", "payment {} expires, its time-out is at {}"),
    Check.EXPIRES_OTHERWISE: ("time_out", "payment {} expires otherwise"),
    Check.LEAVES: ("time_out", "payment {} leaves a queue"),
    Check.LEFT_NOTHING: ("time_out", "payment {} expired and left no queue"),
    Check.PATIENCE: ("patience", "the payer of payment {} begins to wait, for {} us at most"),
    Check.STILL_THERE: ("patience", "the payer of payment {} is there, its patience ran out at {}"),
    Check.GONE: ("patience", "the payer of payment {} leaves, its patience runs out at {}"),
    Check.GONE_OTHERWISE: ("patience", "payment {} is given up or goes its way, and should not"),
    Check.DOUBTS: ("doubt", "payment {} is in doubt of a request at station {} it did not give up"),
    Check.AWAITS: ("doubt", "payment {} waits for no answer, or for another time than its stage"),
    Check.KNOWS: ("doubt", "payment {} knows after {} us in doubt"),
    Check.UNDONE_IN_DOUBT: ("doubt", "payment {} is undone in doubt"),
    Check.ENDS_IN_DOUBT: ("doubt", "payment {} ends in doubt"),
    Check.ORDER_TAKEN: ("shop", "order {} of shop {} leaves {} units, should be {}"),
    Check.ORDER_STOCK: ("shop", "shop {} has nothing left and takes order {}"),
    Check.ORDER_PAID: ("shop", "order {} of shop {} is released unpaid, unasked or otherwise"),
    Check.ORDER_EXPIRES: ("shop", "order {} expires otherwise, or leaves {} units, should be {}"),
    Check.ORDER_OVERDUE: ("shop", "order {} should have expired before"),
    Check.RELEASES_LEFT: ("shop", "inquiry {} found {} orders paid that are not released"),
    Check.SHOP_ASKS: ("shop", "shop {} asks about {} orders, should be {}"),
    Check.CALL_LEFT: ("shop", "order {} is in no call"),
    Check.TOKEN: ("shop", "inquiry {} is refused though the token of shop {} allows it"),
    Check.SOLD_OUT: ("shop", "order {} is refused with {} units left"),
    Check.ASKS_TURN: ("inquiry", "inquiry {} begins out of turn"),
    Check.ASKS: ("inquiry", "inquiry {} about payment {} begins where none may"),
    Check.ANSWERS: ("inquiry", "inquiry {} is told {}, or when it is not to be told"),
    Check.TOLD_LATE: ("inquiry", "inquiry {} is not told at once how its payment ended"),
    Check.POLLS: ("inquiry", "payment {} waits for an answer and nobody asks"),
    Check.ASKING_MOVES: ("inquiry", "inquiry {} writes a row of kind {}, as if it were a payment"),
    Check.TRIES_AGAIN: ("retry", "payment {} tries again, for the {}. time, without cause"),
    Check.GIVEN: ("reservation", "payment {} is given what it did not ask"),
    Check.RESERVES: ("reservation", "payment {} reserves {}"),
    Check.WAITS_FOR: ("reservation", "payment {} waits for {}"),
    Check.MONEY_HELD: ("reservation", "payment {} ends with money held"),
    Check.POSTS_UNASKED: ("postings", "payment {} posts what no stage asks"),
    Check.POSTING_DUE: (
        "postings",
        "payment {} writes a row of kind {} over {}, due is kind {} over {}",
    ),
    Check.FEE_DUE: ("fee", "payment {} writes a row of kind {} over {}, due is kind {} over {}"),
    Check.POSTS_TO: ("postings", "payment {} posts to {}"),
    Check.OTHER_ACCOUNTS: (
        "postings",
        "payment {} moves money from account {} to account {}, its stage names others",
    ),
    Check.QUOTED: ("quote", "payment {} is quoted {} for {}, should be {} for {}"),
    Check.QUOTE_VALID: ("quote", "payment {} loses a valid quote"),
    Check.ROUTED_TWICE: ("route", "payment {} is routed twice"),
    Check.SWITCHES: ("route", "payment {} takes instrument {} where it has no second one"),
    Check.FAILS_OVER: ("route", "payment {} fails over to route {} for reason {}"),
    Check.ATTEMPTS: ("route", "payment {} makes attempt {}, route {} allows {}"),
    Check.SCORE: (
        "route",
        "payment {} takes route {} with score {}, but no choice gives that",
    ),
    Check.RESUMES: ("route", "payment {} pays {}, and behind its payer's back {}"),
    Check.MISCOUNTS: ("route", "payment {} miscounts attempts"),
    Check.OTHER_LIMIT: ("limit", "payment {} uses another limit"),
    Check.LIMIT_PAYMENT: ("limit", "payment {} uses {} of limit {} for one payment"),
    Check.LIMIT_DAY: ("limit", "payer {} uses {} of limit {} in one day"),
    Check.GIVEN_BACK: ("limit", "{} given back of limit {}, {} used"),
    Check.FAILS: ("failure", "payment {} fails at stage {} for reason {} without cause"),
    Check.OUTCOME: ("outcome", "payment {} ends with {} for {}"),
    Check.OPEN_EARLY: ("outcome", "payment {} is left open before the horizon"),
    Check.OPEN_REASON: ("outcome", "payment {} is open for {}"),
    Check.TIMES: ("time_by_cause", "payment {}: {} us accounted for"),
}
"""Rule and words of each check, with ``{}`` for each figure."""
