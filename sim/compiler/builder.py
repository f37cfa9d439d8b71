"""Collect the rows of a plan one by one and freeze them into integer arrays.

Takes rows by keyword in the words of :mod:`sim.contract.spec`; gives a
:class:`~sim.contract.plan.Plan`. It knows columns and names, not payment systems; the rest of the
compiler decides which rows there are. Tests use it to write plans by hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from sim.compiler.rows import Names, array_of, matrix_of, row_of
from sim.contract.plan import Array, Plan, PlanNames
from sim.contract.spec import (
    UNLIMITED,
    AccountColumn,
    AgendaKind,
    ConversionColumn,
    FeeColumn,
    LedgerColumn,
    LimitColumn,
    Op,
    PricingColumn,
    Reason,
    RouteColumn,
    RouteSetColumn,
    RouteViewColumn,
    StageColumn,
    StationColumn,
    StreamColumn,
    TierColumn,
    TransferColumn,
    WhenClosed,
    role_ref,
)
from sim.draws.keys import check_purposes, purpose_id, stream_key
from sim.draws.quantile import build_table

SERVERS_UNLIMITED = 1 << 40
QUEUE_UNLIMITED = 1 << 40
_NAMED = (
    "currencies",
    "agents",
    "accounts",
    "stations",
    "ledgers",
    "rails",
    "corridors",
    "streams",
    "routes",
    "route_sets",
    "components",
    "recipients",
    "limits",
    "pairs",
    "channels",
    "account_kinds",
    "station_kinds",
)


class PlanBuilder:
    """Build a plan row by row.

    Parameters
    ----------
    scenario : str
        Name of the scenario.
    horizon_us, warm_up_us, sample_interval_us, fx_step_us, day_offset_us : int
        Microseconds; see :class:`~sim.contract.plan.Plan`.
    seed, replication : int
        They enter the draw keys and nothing else.
    with_tables : bool
        False leaves the quantile tables out: enough for validation, not for a run.
    """

    def __init__(
        self,
        scenario: str = "test",
        *,
        horizon_us: int,
        warm_up_us: int = 0,
        sample_interval_us: int = 0,
        fx_step_us: int = 60_000_000,
        day_offset_us: int = 0,
        seed: int = 1,
        replication: int = 0,
        with_tables: bool = True,
    ) -> None:
        self._scalars = {
            "horizon_us": horizon_us,
            "warm_up_us": warm_up_us,
            "sample_interval_us": sample_interval_us,
            "fx_step_us": fx_step_us,
            "day_offset_us": day_offset_us,
            "seed": seed,
            "replication": replication,
        }
        self.scenario, self.seed, self.replication = scenario, seed, replication
        self._with_tables = with_tables
        self.currencies, self.agents, self.accounts = Names(), Names(), Names()
        self.stations, self.ledgers, self.rails = Names(), Names(), Names()
        self.corridors, self.streams, self.routes = Names(), Names(), Names()
        self.route_sets, self.components, self.recipients = Names(), Names(), Names()
        self.limits, self.pairs, self.channels = Names(), Names(), Names()
        self.account_kinds, self.station_kinds = Names(), Names()
        self._stage: list[list[int]] = []
        self._stage_names: list[str] = []
        self._station: list[list[int]] = []
        self._ledger: list[list[int]] = []
        self._account: list[list[int]] = []
        self._transfer: list[list[int]] = []
        self._rate: list[list[int]] = []
        self._scale: list[int] = []
        self._conversion: list[list[int]] = []
        self._pricing: list[list[int]] = []
        self._fee: list[list[int]] = []
        self._tier: list[list[int]] = []
        self._limit: list[list[int]] = []
        self._limit_first: dict[tuple[int, int], int] = {}
        self._limit_cells = 0
        self._route: list[list[int]] = []
        self._route_view: list[list[int]] = []
        self._route_set: list[list[int]] = []
        self._candidate: list[int] = []
        self._stream: list[list[int]] = []
        self._payer_count: list[int] = []
        self._agenda: list[list[int]] = []
        self._tables: list[Array] = []
        self._table_offset: dict[tuple[object, ...], int] = {}
        self._table_end = 0
        self._purposes: dict[str, int] = {}
        self._agent_account: dict[tuple[int, int], int] = {}
        self._agent_station: dict[tuple[int, int], int] = {}

    # -- luck --------------------

    def purpose(self, name: str) -> int:
        """Return the id of a draw purpose and remember its name."""
        return self._purposes.setdefault(name, purpose_id(name))

    def table(self, family: str, parameters: Mapping[str, float]) -> int:
        """Return the offset of a quantile table, building it once per (family, parameters)."""
        if not self._with_tables:
            return 0
        key = (family, tuple(sorted(parameters.items())))
        if key not in self._table_offset:
            self.add_table(build_table(family, parameters), key)
        return self._table_offset[key]

    def add_table(self, table: Array, key: tuple[object, ...]) -> int:
        """Lay a ready table under a key and return its offset."""
        if key not in self._table_offset:
            self._table_offset[key] = self._table_end
            self._tables.append(np.ascontiguousarray(table, dtype=np.int64))
            self._table_end += len(table)
        return self._table_offset[key]

    def constant_table(self, value: int) -> int:
        """Return the offset of the table that always gives ``value``."""
        return self.table("constant", {"value": value})

    # -- places of limited capacity --------------------

    def add_station(
        self,
        name: str,
        *,
        servers: int = SERVERS_UNLIMITED,
        queue_limit: int = QUEUE_UNLIMITED,
        rate_count: int = 0,
        rate_period_us: int = 0,
        discipline: int = 0,
        when_closed: int = WhenClosed.WAIT,
        reason_closed: int = Reason.AB07,
    ) -> int:
        """Add a station named ``<rail>.<station>`` and return its index."""
        index = self.stations.add_new(name)
        values = {
            "servers": servers,
            "queue_limit": queue_limit,
            "rate_count": rate_count,
            "rate_period_us": rate_period_us,
            "discipline": discipline,
            "when_closed": when_closed,
            "reason_closed": reason_closed,
        }
        self._station.append(row_of(StationColumn, values))
        return index

    def station_row(self, station: int) -> list[int]:
        """Return a station's row, columns as in StationColumn."""
        return self._station[station]

    def add_ledger(
        self,
        name: str,
        *,
        round_interval_us: int,
        block_limit: int,
        vote_table: int,
        peers: int = 1,
        quorum: int | None = None,
        idle_max_us: int = 0,
        leader_failure: int = 0,
    ) -> int:
        """Add a ledger named ``<rail>.<ledger>`` and return its index."""
        index = self.ledgers.add_new(name)
        values = {
            "round_interval_us": round_interval_us,
            "block_limit": block_limit,
            "peers": peers,
            "quorum": 2 * peers // 3 + 1 if quorum is None else quorum,
            "vote_table": vote_table,
            "idle_max_us": idle_max_us,
            "leader_failure": leader_failure,
            "purpose_vote": self.purpose("ledger.vote"),
            "purpose_leader": self.purpose("ledger.leader"),
        }
        self._ledger.append(row_of(LedgerColumn, values))
        return index

    # -- money --------------------

    def add_account(
        self, name: str, currency: str, *, overdraft: int = UNLIMITED, watched: bool = False
    ) -> int:
        """Add an account and return its index."""
        index = self.accounts.add_new(name)
        values = {
            "currency": self.currencies.add(currency),
            "overdraft": overdraft,
            "watched": int(watched),
        }
        self._account.append(row_of(AccountColumn, values))
        return index

    def world(self, currency: str) -> int:
        """Return the world's account of a currency, adding it if new."""
        name = f"world:{currency}"
        if name in self.accounts:
            return self.accounts[name]
        return self.add_account(name, currency)

    def assign_account(self, agent: str, kind: str, account: int) -> None:
        """Say which account of an agent a role reference of this kind means."""
        self._agent_account[self.agents.add(agent), self.account_kinds.add(kind)] = account

    def assign_station(self, agent: str, kind: str, station: int) -> None:
        """Say which station of an agent a role reference of this kind means."""
        self._agent_station[self.agents.add(agent), self.station_kinds.add(kind)] = station

    def account_ref(self, role: int, kind: str) -> int:
        """Return the reference to the account of this kind of the debtor (0) or creditor agent."""
        return role_ref(role, self.account_kinds.add(kind))

    def station_ref(self, role: int, kind: str) -> int:
        """Return the reference to the station of this kind of the debtor (0) or creditor agent."""
        return role_ref(role, self.station_kinds.add(kind))

    def add_transfer(self, debit: int, credit: int, register: int) -> int:
        """Add a transfer row and return its index."""
        values = {"debit": debit, "credit": credit, "register": register}
        self._transfer.append(row_of(TransferColumn, values))
        return len(self._transfer) - 1

    def deposit(self, time_us: int, account: int, amount: int) -> None:
        """Put money from the world on an account at an instant (0: opening balance)."""
        self.world(self.currencies.as_tuple()[self._account[account][AccountColumn.CURRENCY]])
        self._agenda.append([time_us, AgendaKind.DEPOSIT, account, amount])

    # -- prices --------------------

    def add_pair(self, name: str, rates: Sequence[int], scale: int) -> int:
        """Add the path of a pair's scaled mid rate (base/quote) and return its index."""
        index = self.pairs.add_new(name)
        self._rate.append([int(rate) for rate in rates])
        self._scale.append(int(scale))
        return index

    def add_conversion(self, pair: int, *, inverted: bool, spread_ppm: int) -> int:
        """Add a conversion and return its index."""
        values = {"pair": pair, "inverted": int(inverted), "spread_ppm": spread_ppm}
        self._conversion.append(row_of(ConversionColumn, values))
        return len(self._conversion) - 1

    def add_tiers(self, tiers: Iterable[tuple[int, int, int]]) -> tuple[int, int]:
        """Add tiers (up to, fixed, ppm) and return the first row and their count."""
        first = len(self._tier)
        for up_to, fixed, ppm in tiers:
            self._tier.append(row_of(TierColumn, {"up_to": up_to, "fixed": fixed, "ppm": ppm}))
        return first, len(self._tier) - first

    def add_fee(self, *, component: str, recipient: str, currency: str, **values: int) -> int:
        """Add a fee row (columns by lower-case name) and return its index.

        The fees of one price must follow each other.
        """
        row = row_of(FeeColumn, {"fixed": 0, "ppm": 0, "granule": 1, **values})
        row[FeeColumn.COMPONENT] = self.components.add(component)
        row[FeeColumn.RECIPIENT] = self.recipients.add(recipient)
        row[FeeColumn.CURRENCY] = self.currencies.add(currency)
        self._fee.append(row)
        return len(self._fee) - 1

    def add_pricing(
        self,
        *,
        currencies: tuple[str, str, str],
        conversions: tuple[int, int] = (-1, -1),
        providers: tuple[str, str] = ("", ""),
        granules: tuple[int, int, int] = (1, 1, 1),
        fixed_side: int = 0,
        fee_first: int = 0,
        fee_count: int = 0,
    ) -> int:
        """Add a pricing row for (debited, settlement, credited) currency and return its index."""
        values = {
            "conversion_1": conversions[0],
            "conversion_2": conversions[1],
            "fixed_side": fixed_side,
            "fee_first": fee_first,
            "fee_count": fee_count,
            "granule_debited": granules[0],
            "granule_settlement": granules[1],
            "granule_credited": granules[2],
            "currency_debited": self.currencies.add(currencies[0]),
            "currency_settlement": self.currencies.add(currencies[1]),
            "currency_credited": self.currencies.add(currencies[2]),
            "provider_1": self.agents.add(providers[0]) if providers[0] else -1,
            "provider_2": self.agents.add(providers[1]) if providers[1] else -1,
        }
        self._pricing.append(row_of(PricingColumn, values))
        return len(self._pricing) - 1

    def add_limit(
        self, name: str, *, register: int, per_payment: int = -1, per_day: int = -1
    ) -> int:
        """Add a limit row and return its index."""
        index = self.limits.add_new(name)
        values = {"register": register, "per_payment": per_payment, "per_day": per_day}
        self._limit.append(row_of(LimitColumn, values))
        return index

    def use_limit(self, limit: int, stream: int) -> None:
        """Give a limit its cells for the payers of a stream (once)."""
        if (limit, stream) not in self._limit_first:
            self._limit_first[limit, stream] = self._limit_cells
            self._limit_cells += self._payer_count[stream]

    # -- programs --------------------

    @property
    def next_stage(self) -> int:
        """Return the index the next stage will get."""
        return len(self._stage)

    def add_stage(self, op: Op, name: str = "", **values: int) -> int:
        """Add a stage (columns by lower-case name) and return its index."""
        row = row_of(StageColumn, {"flags": 0, "count": 0, **values})
        row[StageColumn.OP] = int(op)
        self._stage.append(row)
        self._stage_names.append(name or op.name.lower())
        return len(self._stage) - 1

    def set_stage(self, stage: int, **values: int) -> None:
        """Fill in columns of a stage that were not known when it was added (jump targets)."""
        for name, value in values.items():
            self._stage[stage][StageColumn[name.upper()]] = int(value)

    def add_route(self, name: str, *, rail: str, corridor: str, **values: int) -> int:
        """Add a route (columns by lower-case name) and return its index."""
        index = self.routes.add_new(name)
        row = row_of(RouteColumn, {"expected_us": 0, "view_first": 0, "view_count": 0, **values})
        row[RouteColumn.RAIL] = self.rails.add(rail)
        row[RouteColumn.CORRIDOR] = self.corridors.add(corridor)
        self._route.append(row)
        return index

    def set_route_view(self, route: int, rows: Iterable[tuple[int, int, int]]) -> None:
        """Say which queues a router sees on a route: (kind, subject, per item) rows."""
        first = len(self._route_view)
        for kind, subject, per_item in rows:
            self._route_view.append(
                row_of(RouteViewColumn, {"kind": kind, "subject": subject, "per_item": per_item})
            )
        self._route[route][RouteColumn.VIEW_FIRST] = first
        self._route[route][RouteColumn.VIEW_COUNT] = len(self._route_view) - first

    def add_route_set(
        self, name: str, candidates: Sequence[int], *, policy: int = 0, max_attempts: int = 1
    ) -> int:
        """Add a route set and return its index."""
        index = self.route_sets.add_new(name)
        values = {
            "first": len(self._candidate),
            "count": len(candidates),
            "policy": policy,
            "max_attempts": max_attempts,
        }
        self._candidate.extend(candidates)
        self._route_set.append(row_of(RouteSetColumn, values))
        return index

    def add_stream(
        self,
        name: str,
        *,
        entry: int,
        corridor: str,
        currency: str,
        scope: int = 0,
        priority: int = 0,
        channel: str = "counter",
        payers: int = 1,
    ) -> int:
        """Add a demand stream and return its index. Add streams in the order of their names."""
        index = self.streams.add_new(name)
        values = {
            "entry": entry,
            "scope": scope,
            "corridor": self.corridors.add(corridor),
            "priority": priority,
            "currency": self.currencies.add(currency),
            "channel": self.channels.add(channel),
        }
        self._stream.append(row_of(StreamColumn, values))
        self._payer_count.append(payers)
        return index

    def close_station(self, station: int, from_us: int, to_us: int) -> None:
        """Close a station over an interval."""
        self._agenda.append([from_us, AgendaKind.STATION_CLOSE, station, -1])
        self._agenda.append([to_us, AgendaKind.STATION_OPEN, station, -1])

    # -- the plan --------------------

    def build(self) -> Plan:
        """Freeze everything into a plan."""
        check_purposes(self._purposes)
        names = PlanNames(
            scenario=self.scenario,
            stages=tuple(self._stage_names),
            purposes=tuple(sorted((value, name) for name, value in self._purposes.items())),
            **{kind: getattr(self, kind).as_tuple() for kind in _NAMED},
        )
        world = [self.accounts.get(f"world:{code}") for code in names.currencies]
        limit_first = np.full((len(self._limit), len(self._stream)), -1, dtype=np.int64)
        for (limit, stream), first in self._limit_first.items():
            limit_first[limit, stream] = first
        steps = max((len(path) for path in self._rate), default=1)
        rate = [path + [path[-1]] * (steps - len(path)) for path in self._rate]
        # The sort is stable: rows of one instant stay in the order they were given.
        agenda = sorted(self._agenda, key=lambda row: row[0])
        return Plan(
            **self._scalars,
            stage=array_of(self._stage, len(StageColumn)),
            station=array_of(self._station, len(StationColumn)),
            ledger=array_of(self._ledger, len(LedgerColumn)),
            ledger_key=array_of([self._key("ledger", name) for name in names.ledgers], 4),
            account=array_of(self._account, len(AccountColumn)),
            world=np.array(world, dtype=np.int64),
            transfer=array_of(self._transfer, len(TransferColumn)),
            rate=array_of(rate, steps),
            pair_scale=np.array(self._scale, dtype=np.int64),
            conversion=array_of(self._conversion, len(ConversionColumn)),
            pricing=array_of(self._pricing, len(PricingColumn)),
            fee=array_of(self._fee, len(FeeColumn)),
            tier=array_of(self._tier, len(TierColumn)),
            limit=array_of(self._limit, len(LimitColumn)),
            limit_first=limit_first,
            limit_cells=self._limit_cells,
            route=array_of(self._route, len(RouteColumn)),
            route_view=array_of(self._route_view, len(RouteViewColumn)),
            route_set=array_of(self._route_set, len(RouteSetColumn)),
            candidate=np.array(self._candidate, dtype=np.int64),
            stream=array_of(self._stream, len(StreamColumn)),
            stream_key=array_of([self._key("payment", name) for name in names.streams], 4),
            agenda=array_of(agenda, 4),
            table=np.concatenate(self._tables) if self._tables else np.zeros(0, dtype=np.int64),
            agent_account=matrix_of(self._agent_account, len(self.agents), len(self.account_kinds)),
            agent_station=matrix_of(self._agent_station, len(self.agents), len(self.station_kinds)),
            names=names,
            payer_count=tuple(self._payer_count),
        )

    def _key(self, kind: str, name: str) -> list[int]:
        return list(stream_key(self.seed, self.replication, kind, name))
