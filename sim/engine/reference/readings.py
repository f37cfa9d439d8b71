"""Readings of the reference engine: what all places have counted at the end of a window.

Takes the run; keeps copies of totals, closed up to now, and begins maxima and minima anew.
"""

from __future__ import annotations

from sim.contract.meaning import LogKind
from sim.contract.records import AccountTotal, LedgerTotal, StationTotal
from sim.engine.reference.run import Run


def read_places(run: Run, number: int) -> None:
    """Read every station, ledger and account, as a row of the agenda says."""
    keep_totals(run)
    run.log(LogKind.READING, None, number)


def keep_totals(run: Run) -> None:
    """Keep what all places have counted, and begin maxima and minima anew."""
    now_us = run.now_us
    read: tuple[list[list[int]], ...] = [], [], []
    stations, ledgers, accounts = read
    for station in run.stations:
        station.busy.settle(now_us)
        station.queue.gauge.settle(now_us)
        stations.append(station.totals())
        stations[-1][StationTotal.QUEUE_MAX] = station.queue.gauge.most
        station.queue.gauge.begin_anew()
    for ledger in run.ledgers:
        ledger.queue.gauge.settle(now_us)
        ledgers.append(ledger.totals())
        ledgers[-1][LedgerTotal.QUEUE_MAX] = ledger.queue.gauge.most
        ledger.queue.gauge.begin_anew()
    for account in run.accounts:
        account.settle(now_us)
        account.guard.settle(now_us)
        accounts.append(account.totals())
        accounts[-1][AccountTotal.LOW] = account.low or 0
        known = [one for one in (account.read_low, account.low) if one is not None]
        account.read_low, account.low = min(known, default=None), None
    run.readings.append(read)
