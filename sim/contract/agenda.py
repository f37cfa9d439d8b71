"""What happens without a payment: the agenda, clearing files, top-ups, what slows places down.

Takes nothing; gives enumerations in whose docstrings the meaning is said. The compiler resolves
every calendar, cut-off and hour into instants; an engine takes rows of ``Plan.agenda`` in order and
knows no day. Rows at or beyond the horizon never happen.

**Lines and files.** A *line* is what one scheme owes one settlement agent in one currency. Payments
credit the line's PAYMENTS account while they run. A *clearing file* closes what came together in
one window: the agenda cuts it, converts it where the line has a conversion, and settles it, each at
its instant, once. A file whose window ended before the start is not cut again: its NET lies on the
line's HELD account from the start (a deposit), and it is only settled.

**Share.** ``share(amount, ppm)`` is ``|amount| * ppm / 10^6`` rounded half up to a whole minor
unit, with the sign of the amount. Formed as ``(a // 10^6) * ppm + ((a % 10^6) * ppm + 500,000) //
10^6``, so that no product leaves an int64.

**Moves.** What an agenda row moves is logged as MOVED rows behind the row itself, in the order
given; a move of 0 leaves none, a negative one goes the other way. Each MOVED row is followed at
once by the RESERVE rows of those it sets free, as for every credit (see "Money" in
:mod:`sim.contract.meaning`).
"""

from __future__ import annotations

from enum import IntEnum

from sim.contract.layout import PPM, AgendaColumn
from sim.contract.table import Between, By, OneOf, Table, Within

PACE_MAX = 100 * PPM
"""Slowest pace: 100 times the time drawn, which keeps every instant within an int64."""


class AgendaKind(IntEnum):
    """What a row of the agenda does."""

    DEPOSIT = 1
    """Move AMOUNT from the world's account of the currency to account SUBJECT (DEPOSIT row), then
    set free what waits for it (those advance in the order of the ready list)."""
    STATION_CLOSE = 2
    """Close station SUBJECT (CLOSE row)."""
    STATION_OPEN = 3
    """Open it (OPEN row) and start waiting payments while it can."""
    FILE_CUT = 4
    """Close file SUBJECT. ``paid`` = the posted balance of the line's PAYMENTS account less what
    is pending on it, ``back`` = the posted balance of REFUNDS with the sign turned (0 without
    one). ``interchange = share(paid - back, INTERCHANGE_PPM)``: it is returned with a refund.
    ``scheme = share(paid, SCHEME_PPM)``: it is kept. The file's net is ``paid - back -
    interchange - scheme``. FILE_CUT row (subject = file, amount = paid - back, value = net),
    then the moves PAYMENTS to CLOSED ``paid``, CLOSED to REFUNDS ``back``, CLOSED to
    INTERCHANGE_TO ``interchange``, CLOSED to SCHEME_TO ``scheme``."""
    FILE_CONVERTED = 5
    """Sell file SUBJECT at the rate of now. ``sold`` = its net plus what the line has UNSOLD.
    Above 0: ``mid = floor(sold * 10^6 / (10^6 + SPREAD_PPM))`` buys ``floor(mid at the mid
    rate)``, UNSOLD becomes 0 and the file's net what was bought. Otherwise nothing is sold,
    UNSOLD becomes ``sold`` and the net 0. FILE_CONVERTED row (subject = file, amount = sold or
    0, value = bought), then the moves CLOSED to SOLD_TO ``mid``, CLOSED to SPREAD_TO ``sold -
    mid``, BOUGHT_FROM to HELD ``bought``."""
    FILE_SETTLED = 6
    """Pay file SUBJECT. ``due`` = its net plus what the line CARRIED. If ``due >= max(THRESHOLD,
    1)`` it is paid. If ``due < 0``, NEGATIVE is PAY and the PAID_TO account has ``-due``
    available, it is paid, the other way. Else nothing is paid and all of it is carried.
    FILE_SETTLED row (subject = file, amount = paid, value = carried), then the move HELD to
    PAID_TO ``paid``."""
    TOP_UP_ORDERED = 7
    """Look at the account of order SUBJECT. ``level`` = its posted balance less pending, plus what
    the rule has on the way. Below LOW: order ``min(MOST, TARGET - level)``; above HIGH ``TARGET -
    level``, which is below 0; else 0.
    TOP_UP_ORDERED row (subject = order, amount = ordered, value = level). The order arrives
    with its own row of the agenda."""
    TOP_UP_ARRIVED = 8
    """Move what order SUBJECT ordered from the rule's SOURCE to its ACCOUNT; no more than SOURCE
    has available where that is limited. TOP_UP_ARRIVED row (subject = order, amount = arrived,
    value = ordered), then the move. Of a covering trade more moves follow, see
    :mod:`sim.contract.positions`."""
    SYSTEM_OFFSET = 9
    """An offset is due in large-value system SUBJECT (SYSTEM_OFFSET row, subject = system, amount =
    payments that wait); see :mod:`sim.contract.large_value`."""
    SYSTEM_CLOSE = 10
    """The close of system SUBJECT is due (SYSTEM_CLOSE row, likewise)."""
    STATION_PACE = 11
    """Services of station SUBJECT that start from here on take AMOUNT millionths of the time drawn:
    ``share(min(drawn, HORIZON_MAX_US), AMOUNT)``, or what was drawn where AMOUNT is 10^6. Those
    under way stay as long as they are. STATION_PACE row (subject, amount = AMOUNT), as the three
    below have each their own."""
    STATION_RATE = 12
    """RATE_PERIOD_US of station SUBJECT is AMOUNT for all who start from here on; the instant at
    which its next start was due stays."""
    STATION_SERVERS = 13
    """Station SUBJECT has AMOUNT servers from here on. Services under way go on, though they be
    more. Then start waiting payments while it can (they start, they do not advance)."""
    LEDGER_BLOCK = 14
    """BLOCK_LIMIT of ledger SUBJECT is AMOUNT for all rounds that start from here on. Routers
    reckon with the plan's."""
    READING = 15
    """Read every place, for reading SUBJECT; see :mod:`sim.contract.windows`."""
    SHOP_ASKS = 16
    """Shop SUBJECT asks about its open orders; see :mod:`sim.contract.shops`."""


class Negative(IntEnum):
    """What a line does with a net the agent owes."""

    CARRY = 0
    """It is set off against later files."""
    PAY = 1
    """The agent pays it."""


class LineColumn(IntEnum):
    """Columns of ``Plan.line``; accounts of one currency but those behind a conversion."""

    PAYMENTS = 0
    """Account payments are credited on while they run; returns debit it."""
    REFUNDS = 1
    """Account refunds are paid from, which stands below zero by them until the cut; -1: none, or
    they are paid from PAYMENTS."""
    CLOSED = 2
    """Account cut files lie on."""
    INTERCHANGE_PPM = 3
    INTERCHANGE_TO = 4
    SCHEME_PPM = 5
    SCHEME_TO = 6
    CONVERSION = 7
    """Row of ``Plan.conversion``, source the currency of CLOSED; -1: none."""
    SOLD_TO = 8
    SPREAD_TO = 9
    BOUGHT_FROM = 10
    """Accounts of the provider; only with a conversion."""
    HELD = 11
    """Account files wait on to be paid; CLOSED without a conversion."""
    PAID_TO = 12
    THRESHOLD = 13
    """Least that is paid out, in minor units of HELD; 0: anything."""
    NEGATIVE = 14
    RAIL = 15
    AGENT = 16


class FileColumn(IntEnum):
    """Columns of ``Plan.file``; files of a line in order of time, also before the start."""

    LINE = 0
    OPENS_US = 1
    CUT_US = 2
    """End of its window, exclusive."""
    CONVERTED_US = 3
    """-2^63 without a conversion."""
    SETTLED_US = 4
    NET = 5
    """Of a file cut before the start, in minor units of HELD; 0 for all others."""


class FileTotal(IntEnum):
    """Columns of what became of a file; NULL where it has not come to it."""

    PAID = 0
    """Paid by FILE_SETTLED, earlier files included; below 0: by the agent."""
    CARRIED = 1


class TopUpColumn(IntEnum):
    """Columns of ``Plan.top_up``: a rule by which an account is filled up."""

    ACCOUNT = 0
    SOURCE = 1
    LOW = 2
    TARGET = 3
    MOST = 4
    """Of one order; -1: no bound."""
    HIGH = 5
    """Level above which it sells; :data:`~sim.contract.layout.UNLIMITED` for what is no trade."""
    BUYS = 6
    """Row of ``Plan.conversion`` by which the currency of ACCOUNT is bought, source the currency
    of PAYS; -1: what arrives is paid for by nobody."""
    SELLS = 7
    """Likewise by which it is sold."""
    PAYS = 8
    PAID_TO = 9
    ROOM = 10
    TAKEN = 11
    """Limit accounts of ACCOUNT; -1: what it may hold has no bound."""
    OTHER_ROOM = 12
    OTHER_TAKEN = 13
    """Likewise of PAYS."""


class OrderColumn(IntEnum):
    """Columns of ``Plan.order``: when a rule looks, and when what it then orders arrives."""

    TOP_UP = 0
    ORDERED_US = 1
    ARRIVES_US = 2
    """Orders that would arrive at or beyond the horizon are placed and never arrive."""


_ACCOUNT, _ACCOUNT_OR_NONE = Within("accounts"), Within("accounts", or_none=True)
_STATION, _FILE, _ORDER = Within("stations"), Within("files"), Within("orders")

AGENDA = Table(
    "agenda rows",
    AgendaColumn,
    {
        AgendaColumn.TIME_US: Between(0),
        AgendaColumn.KIND: OneOf(AgendaKind),
        AgendaColumn.SUBJECT: By(
            AgendaColumn.KIND,
            {
                AgendaKind.DEPOSIT: _ACCOUNT,
                AgendaKind.STATION_CLOSE: _STATION,
                AgendaKind.STATION_OPEN: _STATION,
                AgendaKind.FILE_CUT: _FILE,
                AgendaKind.FILE_CONVERTED: _FILE,
                AgendaKind.FILE_SETTLED: _FILE,
                AgendaKind.TOP_UP_ORDERED: _ORDER,
                AgendaKind.TOP_UP_ARRIVED: _ORDER,
                AgendaKind.SYSTEM_OFFSET: Within("systems"),
                AgendaKind.SYSTEM_CLOSE: Within("systems"),
                AgendaKind.STATION_PACE: _STATION,
                AgendaKind.STATION_RATE: _STATION,
                AgendaKind.STATION_SERVERS: _STATION,
                AgendaKind.LEDGER_BLOCK: Within("ledgers"),
                AgendaKind.SHOP_ASKS: Within("shops"),
            },
        ),
        AgendaColumn.AMOUNT: By(
            AgendaColumn.KIND,
            {
                AgendaKind.DEPOSIT: Between(0),
                AgendaKind.STATION_PACE: Between(1, PACE_MAX),
                AgendaKind.STATION_RATE: Between(1),
                AgendaKind.STATION_SERVERS: Between(1),
                AgendaKind.LEDGER_BLOCK: Between(1),
            },
        ),
    },
)
"""In order of time."""

LINES = Table(
    "lines",
    LineColumn,
    {
        LineColumn.PAYMENTS: _ACCOUNT,
        LineColumn.REFUNDS: _ACCOUNT_OR_NONE,
        LineColumn.CLOSED: _ACCOUNT,
        LineColumn.INTERCHANGE_PPM: Between(0, PPM),
        LineColumn.INTERCHANGE_TO: _ACCOUNT,
        LineColumn.SCHEME_PPM: Between(0, PPM),
        LineColumn.SCHEME_TO: _ACCOUNT,
        LineColumn.CONVERSION: Within("conversions", or_none=True),
        LineColumn.SOLD_TO: _ACCOUNT_OR_NONE,
        LineColumn.SPREAD_TO: _ACCOUNT_OR_NONE,
        LineColumn.BOUGHT_FROM: _ACCOUNT_OR_NONE,
        LineColumn.HELD: _ACCOUNT,
        LineColumn.PAID_TO: _ACCOUNT,
        LineColumn.THRESHOLD: Between(0),
        LineColumn.NEGATIVE: OneOf(Negative),
        LineColumn.RAIL: Within("rails"),
        LineColumn.AGENT: Within("agents"),
    },
)
FILES = Table("files", FileColumn, {FileColumn.LINE: Within("lines")})
TOP_UPS = Table(
    "top_ups",
    TopUpColumn,
    {
        TopUpColumn.ACCOUNT: _ACCOUNT,
        TopUpColumn.SOURCE: _ACCOUNT,
        TopUpColumn.MOST: Between(-1),
        TopUpColumn.BUYS: Within("conversions", or_none=True),
        TopUpColumn.SELLS: Within("conversions", or_none=True),
        TopUpColumn.PAYS: _ACCOUNT_OR_NONE,
        TopUpColumn.PAID_TO: _ACCOUNT_OR_NONE,
        TopUpColumn.ROOM: _ACCOUNT_OR_NONE,
        TopUpColumn.TAKEN: _ACCOUNT_OR_NONE,
        TopUpColumn.OTHER_ROOM: _ACCOUNT_OR_NONE,
        TopUpColumn.OTHER_TAKEN: _ACCOUNT_OR_NONE,
    },
)
ORDERS = Table("orders", OrderColumn, {OrderColumn.TOP_UP: Within("top_ups")})
"""The tables of the plan that these are columns of."""
