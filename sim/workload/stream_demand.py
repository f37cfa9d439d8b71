"""One stream of demand, described: what its payments are drawn from.

Takes nothing; gives the data class the compiler fills and the workload is drawn from.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sim.contract.plan import Array


def _none() -> Array:
    """Return an array of nothing."""
    return np.zeros(0, dtype=np.int64)


def classes(of_agents: Array) -> int:
    """Return how many classes agents are in; an empty array means a single one."""
    return int(of_agents.max()) + 1 if len(of_agents) else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamDemand:
    """The payments of one stream, before they are drawn.

    Attributes
    ----------
    stream, name
        Index in ``plan.stream``, and its name.
    key
        (4,): draw key.
    written
        (n, WORKLOAD_WIDTH) or None: payments given one by one, ascending in time. TIME_US, STREAM,
        ORDINAL and AMOUNT are given; what else is below 0 is drawn as for payments at a rate (of an
        instrument 0 means none), and routes follow. Takes the place of hazard and amounts.
    hazard_time_us, hazard
        Breakpoints of the expected number of payments in 1 / HAZARD_UNIT (``arrivals``).
    count_max
        Payments at most; -1 for no such bound.
    amount_table, amount_granule, amount_least
        Offset of the amounts' quantile table; amounts are rounded down to whole granules, to one
        granule and ``amount_least`` (whole granules, too) at least.
    amount_fixed
        Amount of every payment, 0 or more; below 0: drawn.
    payers, payer_skew
        Number of payers, and k in ``payer = floor(payers * u^k)``; 1: all alike.
    debtor_agent, debtor_cumulative62
        Agents, and ascending thresholds of their shares, the last 2^62. Empty: -1.
    merchant, merchant_agent, merchant_route_set
        Per entry of the stream's pool: merchant, its agent, routes to it. Entries are equally
        likely. Empty: no merchant, the creditor agent is drawn by shares.
    merchant_is_damaged, merchant_expiry_us
        Per entry: 1 if its code cannot be read; expiry of a code given with one, else 2^62.
    creditor_agent, creditor_cumulative62, default_route_set
        Used without merchants.
    static_threshold62
        Share, out of 2^62, of scans that show a static code. The others show a dynamic one that
        expires at ``time + dynamic_life_us - age``.
    dynamic_life_us, code_age_table
        Life of a dynamic code; offset of the table of its age when scanned, -1 for age 0.
    damaged_threshold62
        Share, out of 2^62, of scans that cannot be read.
    instrument, instrument_cumulative62
        Instruments, numbered from 1, and ascending thresholds of their shares, the last 2^62.
        Empty: nothing is said. With some, ``merchant_route_set`` has a stretch for each.
    second_cumulative62
        Per instrument as many ascending thresholds of having each of them as the second.
    instrument_route_set
        Routes by instrument, used without merchants.
    debtor_class, creditor_class
        Per agent of the plan the class of it as a payer's institution, and as a payee's where
        payees show no codes. Empty: a single class. With several, a stream's routes by merchant or
        instrument have a stretch for each class of payers' institutions, and those by instrument
        (one where nothing is said of it) an entry for each class of payees'.
    """

    stream: int
    name: str
    key: Array
    written: Array | None
    hazard_time_us: Array
    hazard: Array
    count_max: int
    amount_table: int
    amount_granule: int
    amount_least: int
    amount_fixed: int
    payers: int
    payer_skew: int
    debtor_agent: Array
    debtor_cumulative62: Array
    merchant: Array
    merchant_agent: Array
    merchant_route_set: Array
    merchant_is_damaged: Array
    merchant_expiry_us: Array
    creditor_agent: Array
    creditor_cumulative62: Array
    default_route_set: int
    static_threshold62: int
    dynamic_life_us: int
    code_age_table: int
    damaged_threshold62: int
    instrument: Array = field(default_factory=_none)
    instrument_cumulative62: Array = field(default_factory=_none)
    second_cumulative62: Array = field(default_factory=_none)
    instrument_route_set: Array = field(default_factory=_none)
    debtor_class: Array = field(default_factory=_none)
    creditor_class: Array = field(default_factory=_none)

    @property
    def has_classes(self) -> bool:
        """Return whether routes depend on the institutions of the two ends."""
        return len(self.debtor_class) + len(self.creditor_class) > 0
