"""The reference engine: the meaning of a run, written to be read.

Takes a :class:`~sim.contract.plan.Plan`, workload chunks and a sink; gives the sink rows and
records, and returns :class:`~sim.contract.run.Totals`. It is the independent oracle the compiled
kernel is compared with, and the place to learn what the simulator does. Files that read the same
part of the specification bear the same name here and in :mod:`sim.engine.kernel`.

==============  ==================================================================
``loop``        arrivals, the calendar, samples, the horizon, totals
``run``         clock and agenda, advancing, drawing, the log, invariants
``state``       payments, stations, ledgers, accounts and how they count themselves
``operations``  TRANSIT, DECIDE, CODE, DEADLINE, END, records
``stations``    SERVE, opening and closing
``ledgers``     BATCH, rounds
``accounts``    RESERVE, POST, VOID, CHARGE, deposits
``prices``      QUOTE, CONVERT, LIMIT
``routing``     ROUTE, the router's view
==============  ==================================================================
"""

from sim.engine.reference.loop import run_reference

__all__ = ["run_reference"]
