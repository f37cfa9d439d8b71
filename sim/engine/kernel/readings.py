"""Readings of the kernel: what all places have counted at the end of a window.

Takes the plan and the state; copies totals, closed up to now, and begins maxima and minima anew.
Rows of a reading stand one after the other, reading by reading.
"""

from __future__ import annotations

from sim.contract.meaning import LogKind
from sim.contract.plan import Plan
from sim.contract.records import AccountTotal, LedgerTotal, StationTotal
from sim.engine.kernel import state as st
from sim.engine.kernel.guards import settle_account, settle_channel
from sim.engine.kernel.journal import write_log
from sim.engine.kernel.ledgers import settle_queue_area
from sim.engine.kernel.state import KernelState
from sim.engine.kernel.stations import settle_areas
from sim.jit.functions import called

_STATION, _LEDGER, _ACCOUNT = len(StationTotal), len(LedgerTotal), len(AccountTotal)
_QUEUE_MAX, _LINE_MAX = st.S_TOTAL + StationTotal.QUEUE_MAX, st.L_TOTAL + LedgerTotal.QUEUE_MAX
_LOW = st.A_TOTAL + AccountTotal.LOW


@called
def read_places(plan: Plan, state: KernelState, number: int) -> None:
    """Read every station, ledger and account."""
    cursor = state.cursor
    station, ledger, account = state.station, state.ledger, state.account
    for s in range(station.shape[0]):
        settle_areas(cursor, station, s)
        row = number * station.shape[0] + s
        for column in range(_STATION):
            state.station_read[row, column] = station[s, st.S_TOTAL + column]
        station[s, _QUEUE_MAX] = 0
    for one in range(ledger.shape[0]):
        settle_queue_area(cursor, ledger, one)
        row = number * ledger.shape[0] + one
        for column in range(_LEDGER):
            state.ledger_read[row, column] = ledger[one, st.L_TOTAL + column]
        ledger[one, _LINE_MAX] = 0
    for one in range(account.shape[0]):
        settle_account(plan, state, one)
        settle_channel(state, one)
        row = number * account.shape[0] + one
        for column in range(_ACCOUNT):
            state.account_read[row, column] = account[one, st.A_TOTAL + column]
        state.account_read[row, AccountTotal.POSTED_END] = account[one, st.A_POSTED]
        state.account_read[row, AccountTotal.PENDING_END] = account[one, st.A_PENDING]
        account[one, _LOW] = st.LOW_UNKNOWN
    write_log(cursor, state.log, LogKind.READING, -1, -1, number, -1, -1)
