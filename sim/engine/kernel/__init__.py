"""The event loop over arrays: the same meaning as ``reference``, compiled.

Takes a plan, of which it reads the arrays, and the state of a run; moves the state on by a number
of events and says why it stopped. Nothing here allocates, prints or raises: room that runs out,
workload that is wanted and invariants that break are return values, and ``sim.engine.compiled``
acts on them. No index of the plan is checked here: ``check_plan`` did at the door. Read ``loop``
first, then ``operations``.

==============  ====================================================================================
``state``       the arrays of a run's state and their columns
``laying``      the state before the first event
``heap``        what is scheduled, in order of (time, key)
``queues``      waiting lines of payments, linked through the pool
``payments``    what every operation does to a payment: schedule, draw, fail
``journal``     rows of the event log, payment records, time by cause
``stations``    SERVE: places of limited capacity
``accounts``    RESERVE, POST, VOID: balances and who waits for them
``guards``      balances over time, alarms and channels of accounts
``ledgers``     BATCH: rounds, blocks and commits
``prices``      QUOTE, CONVERT, CHARGE, LIMIT
``routing``     ROUTE and the router's view
``scores``      what a router thinks of a route, and what bars it
``health``      what a router has heard of routes: breakers, times learnt
``broken``      words for what broke a run
``inquiries``   INQUIRE, ASK, ANSWER, RETRY: what is asked about a payment, and asked again
``operations``  one stage of one payment; time-outs
``arrivals``    what comes from outside: the workload and the agenda
``loop``        the next event, and what it does
``jit``         how a function becomes machine code
``views``       how compiled code sees the arrays: one pointer instead of forty arrays
``cache``       where machine code is kept between runs
==============  ====================================================================================
"""
