"""Which columns rows of the event log leave unused, by kind.

Takes nothing; gives a table beside :class:`~sim.contract.meaning.LogKind`. An unused column is -1;
where another number stood somebody would read it.
"""

from __future__ import annotations

from collections.abc import Mapping

from sim.contract.meaning import LogKind
from sim.contract.records import LogColumn as L

_NOBODYS = (L.PAYMENT, L.STAGE)
UNUSED: Mapping[LogKind, tuple[L, ...]] = {
    LogKind.SUBMIT: (),
    LogKind.JOIN: (L.AMOUNT, L.VALUE),
    LogKind.START: (L.VALUE,),
    LogKind.FINISH: (L.AMOUNT, L.VALUE),
    LogKind.LEAVE: (L.AMOUNT,),
    LogKind.DELAY: (L.VALUE,),
    LogKind.ENQUEUE: (L.AMOUNT, L.VALUE),
    LogKind.IN_BLOCK: (L.AMOUNT,),
    LogKind.COMMIT: _NOBODYS,
    LogKind.LEADER_FAILED: (*_NOBODYS, L.AMOUNT),
    LogKind.RESERVE: (),
    LogKind.POST: (),
    LogKind.TRANSFER: (),
    LogKind.VOID: (),
    LogKind.SHORT: (L.VALUE,),
    LogKind.QUOTE: (),
    LogKind.LAPSE: (L.SUBJECT, L.AMOUNT, L.VALUE),
    LogKind.ROUTE: (),
    LogKind.FEE: (L.VALUE,),
    LogKind.LIMIT: (),
    LogKind.GIVE_BACK: (),
    LogKind.DECIDE: (L.AMOUNT, L.VALUE),
    LogKind.DEADLINE: (L.SUBJECT, L.VALUE),
    LogKind.EXPIRE: (L.AMOUNT, L.VALUE),
    LogKind.FAIL: (L.AMOUNT, L.VALUE),
    LogKind.OUTCOME: (),
    LogKind.OPEN: (*_NOBODYS, L.AMOUNT, L.VALUE),
    LogKind.CLOSE: (*_NOBODYS, L.AMOUNT, L.VALUE),
    LogKind.DEPOSIT: _NOBODYS,
    LogKind.SAMPLE_STATION: _NOBODYS,
    LogKind.SAMPLE_LEDGER: _NOBODYS,
    LogKind.SAMPLE_ACCOUNT: _NOBODYS,
    LogKind.IN_DOUBT: (L.AMOUNT, L.VALUE),
    LogKind.AWAIT: (L.SUBJECT, L.VALUE),
    LogKind.KNOWN: (L.SUBJECT, L.VALUE),
    LogKind.FILE_CUT: _NOBODYS,
    LogKind.FILE_CONVERTED: _NOBODYS,
    LogKind.FILE_SETTLED: _NOBODYS,
    LogKind.TOP_UP_ORDERED: _NOBODYS,
    LogKind.TOP_UP_ARRIVED: _NOBODYS,
    LogKind.MOVED: (),
    LogKind.SWITCH: (L.AMOUNT, L.VALUE),
    LogKind.LEG: (),
    LogKind.QUEUED: (),
    LogKind.SETTLE: (),
    LogKind.OFFSET: _NOBODYS,
    LogKind.SYSTEM_OFFSET: (*_NOBODYS, L.VALUE),
    LogKind.SYSTEM_CLOSE: (*_NOBODYS, L.VALUE),
    LogKind.REFUND_DUE: (),
    LogKind.REFUND: (),
    LogKind.ASKED: (),
    LogKind.ANSWERED: (L.VALUE,),
    LogKind.RETRY: (L.SUBJECT, L.VALUE),
    LogKind.ALARM: _NOBODYS,
    LogKind.CHANNEL: _NOBODYS,
    LogKind.SAMPLE_SYSTEM: _NOBODYS,
    LogKind.SAMPLE_MEMBER: _NOBODYS,
    LogKind.STATION_PACE: (*_NOBODYS, L.VALUE),
    LogKind.STATION_RATE: (*_NOBODYS, L.VALUE),
    LogKind.STATION_SERVERS: (*_NOBODYS, L.VALUE),
    LogKind.LEDGER_BLOCK: (*_NOBODYS, L.VALUE),
    LogKind.LOAD: _NOBODYS,
    LogKind.SAMPLE_LOAD: _NOBODYS,
    LogKind.PATIENCE: (L.SUBJECT, L.VALUE),
    LogKind.GONE: (L.AMOUNT, L.VALUE),
    LogKind.READING: (*_NOBODYS, L.AMOUNT, L.VALUE),
    LogKind.ORDERED: (),
    LogKind.THROTTLED: (L.AMOUNT, L.VALUE),
    LogKind.RELEASED: (),
    LogKind.ORDER_EXPIRED: (),
    LogKind.SHOP_ASKS: (*_NOBODYS, L.VALUE),
}
"""MOVED names a payment where it is a move of a refund."""
