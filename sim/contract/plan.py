"""The compiled scenario: what an engine runs, as plain integer arrays with names beside them.

Made by ``sim.compiler``; read by both engines, the audit and the tables. No behaviour: the meaning
of every column is in :mod:`sim.contract.spec`. All arrays are C-contiguous ``int64``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PlanNames:
    """Give the text behind every index of a plan; tuples are in index order.

    Attributes
    ----------
    stages : tuple of str
        One label per stage row, as in ``"cn_kh/alipay_plus.acleda/payer.confirm"``.
    """

    scenario: str = ""
    currencies: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    stations: tuple[str, ...] = ()
    """As reports name them: ``<rail>.<station>``."""
    ledgers: tuple[str, ...] = ()
    """As reports name them, as in ``bakong.ledger``."""
    rails: tuple[str, ...] = ()
    corridors: tuple[str, ...] = ()
    streams: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    route_sets: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    """Fee components."""
    recipients: tuple[str, ...] = ()
    """Recipients of fees (agents or rail operators)."""
    limits: tuple[str, ...] = ()
    pairs: tuple[str, ...] = ()
    """Currency pairs, base/quote."""
    channels: tuple[str, ...] = ()
    account_kinds: tuple[str, ...] = ()
    station_kinds: tuple[str, ...] = ()
    purposes: tuple[tuple[int, str], ...] = ()
    """(purpose id, purpose name), ascending by name."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Hold everything an engine needs but the payments themselves.

    Attributes
    ----------
    horizon_us, warm_up_us, sample_interval_us, fx_step_us : int
        Microseconds. ``sample_interval_us`` 0: no samples.
    day_offset_us : int
        Local time of day at the start of the scenario.
    payer_count : tuple of int
        Payers of each stream.
    """

    horizon_us: int
    warm_up_us: int
    sample_interval_us: int
    fx_step_us: int
    day_offset_us: int
    seed: int
    replication: int
    stage: Array
    """(stages, 11), :class:`~sim.contract.spec.StageColumn`."""
    station: Array
    """(stations, 7)."""
    ledger: Array
    """(ledgers, 9)."""
    ledger_key: Array
    """(ledgers, 4): draw keys."""
    account: Array
    """(accounts, 3)."""
    world: Array
    """(currencies,): the world's account of each currency, -1 if none."""
    transfer: Array
    """(transfers, 3)."""
    rate: Array
    """(pairs, steps): scaled mid rates."""
    pair_scale: Array
    """(pairs,)."""
    conversion: Array
    """(conversions, 3)."""
    pricing: Array
    """(pricings, 13)."""
    fee: Array
    """(fees, 16)."""
    tier: Array
    """(tiers, 3)."""
    limit: Array
    """(limits, 3)."""
    limit_first: Array
    """(limits, streams): first state cell, -1 where the stream never meets the limit."""
    limit_cells: int
    """Number of state cells in all."""
    route: Array
    """(routes, 10)."""
    route_view: Array
    """(view rows, 3)."""
    route_set: Array
    """(route sets, 4)."""
    candidate: Array
    """(n,): route indices, see RouteSetColumn."""
    stream: Array
    """(streams, 6)."""
    stream_key: Array
    """(streams, 4): draw keys."""
    agenda: Array
    """(rows, 4): TIME_US, AgendaKind, SUBJECT, AMOUNT; sorted."""
    table: Array
    """(n,): all quantile tables, one after the other."""
    agent_account: Array
    """(agents, account kinds): account index or -1."""
    agent_station: Array
    """(agents, station kinds): station index or -1."""
    names: PlanNames = field(default_factory=PlanNames)
    payer_count: tuple[int, ...] = ()
