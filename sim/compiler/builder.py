"""Collect the rows of a plan one by one and freeze them into integer arrays.

Takes rows by keyword in the words of :mod:`sim.contract.meaning`; gives a
:class:`~sim.contract.plan.Plan`. It knows columns and names, not payment systems; the rest of the
compiler decides which rows there are. Tests use it to write plans by hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from sim.compiler.clearing_rows import ClearingRows
from sim.compiler.guard_rows import GuardRows
from sim.compiler.load_rows import LoadRows
from sim.compiler.refund_rows import NO_REFUNDS, RefundRows
from sim.compiler.role_cells import RoleCells
from sim.compiler.rows import Candidates, Rows, cells_array, rows_array
from sim.compiler.rule_rows import RuleRows
from sim.compiler.shop_rows import ShopRows
from sim.compiler.time_rows import WindowRows
from sim.contract.charges import DESK, Rounding
from sim.contract.layout import NEVER_US, AgendaColumn, FeeColumn, RouteColumn, StageColumn
from sim.contract.meaning import Op, Reason, WhenClosed
from sim.contract.plan import NAMED, TABLES, Array, Plan, PlanNames
from sim.contract.plan_check import check_plan
from sim.draws.keys import check_purposes, stream_key
from sim.draws.quantile import build_table
from sim.units import declared_currencies

SERVERS_UNLIMITED = 1 << 40
QUEUE_UNLIMITED = 1 << 40


class PlanBuilder(
    RoleCells, ClearingRows, RefundRows, WindowRows, GuardRows, LoadRows, RuleRows, ShopRows
):
    """A plan under construction, row by row.

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
        super().__init__(
            {
                "horizon_us": horizon_us,
                "warm_up_us": warm_up_us,
                "sample_interval_us": sample_interval_us,
                "fx_step_us": fx_step_us,
                "day_offset_us": day_offset_us,
                "seed": seed,
                "replication": replication,
            }
        )
        self.scenario, self.seed, self.replication = scenario, seed, replication
        self._with_tables = with_tables
        self._stage_names: list[str] = []
        self._limit_cells = 0
        self._payer_count: list[int] = []
        self._quantiles: list[Array] = []
        self._quantile_offset: dict[tuple[object, ...], int] = {}
        self._quantile_end = 0

    # -- random numbers --------------------

    def table(self, family: str, parameters: Mapping[str, float]) -> int:
        """Return the offset of a quantile table, building it once per (family, parameters)."""
        if not self._with_tables:
            return 0
        key = (family, tuple(sorted(parameters.items())))
        if key not in self._quantile_offset:
            self.add_table(build_table(family, parameters), key)
        return self._quantile_offset[key]

    def add_table(self, table: Array, key: tuple[object, ...]) -> int:
        """Lay a ready table under a key and return its offset."""
        if key not in self._quantile_offset:
            self._quantile_offset[key] = self._quantile_end
            self._quantiles.append(np.ascontiguousarray(table, dtype=np.int64))
            self._quantile_end += len(table)
        return self._quantile_offset[key]

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
        self._add("station", values)
        return index

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
            # More than two thirds: up to a third of the peers may fail.
            "quorum": 2 * peers // 3 + 1 if quorum is None else quorum,
            "vote_table": vote_table,
            "idle_max_us": idle_max_us,
            "leader_failure": leader_failure,
            "purpose_vote": self.purpose("ledger.vote"),
            "purpose_leader": self.purpose("ledger.leader"),
        }
        self._add("ledger", values)
        return index

    # -- money --------------------

    def add_transfer(self, debit: int, credit: int, register: int) -> int:
        """Add a transfer row and return its index."""
        values = {"debit": debit, "credit": credit, "register": register}
        return self._add("transfer", values)

    # -- prices --------------------

    def add_pair(self, name: str, rates: Sequence[int], scale: int) -> int:
        """Add the path of a pair's scaled mid rate (base/quote) and return its index."""
        index = self.pairs.add_new(name)
        self._rows["rate"].append([int(rate) for rate in rates])
        self._rows["pair_scale"].append([int(scale)])
        return index

    def add_conversion(
        self,
        pair: int,
        *,
        inverted: bool,
        spread_ppm: int,
        spreads: Sequence[tuple[int, int, int]] = (),
    ) -> int:
        """Add a conversion and return its index; margins as rows of ``Plan.spread``, if any."""
        first = len(self._rows["spread"])
        for from_us, at_least, ppm in spreads:
            self._add("spread", {"from_us": from_us, "at_least": at_least, "ppm": ppm})
        values = {
            "pair": pair,
            "inverted": int(inverted),
            "spread_ppm": spread_ppm,
            "spread_first": first,
            "spread_count": len(spreads),
        }
        return self._add("conversion", values)

    def add_tiers(self, tiers: Iterable[tuple[int, int, int]]) -> tuple[int, int]:
        """Add tiers (up to, fixed, ppm) and return the first row and their count."""
        first = len(self._rows["tier"])
        for up_to, fixed, ppm in tiers:
            self._add("tier", {"up_to": up_to, "fixed": fixed, "ppm": ppm})
        return first, len(self._rows["tier"]) - first

    def add_fee(self, *, component: str, recipient: str, currency: str, **values: int) -> int:
        """Add a fee row (columns by lower-case name) and return its index.

        The fees of one price must follow each other.
        """
        index = self._add("fee", {"fixed": 0, "ppm": 0, "granule": 1, **values})
        row = self._rows["fee"][index]
        row[FeeColumn.COMPONENT] = self.components.add(component)
        row[FeeColumn.RECIPIENT] = self.recipients.add(recipient)
        row[FeeColumn.CURRENCY] = self.currencies.add(currency)
        return index

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
        rounding: Rounding = Rounding.ONCE,
        least_debited: int = 0,
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
            "rounding": int(rounding),
            "least_debited": least_debited,
        }
        return self._add("pricing", values)

    def add_limit(self, name: str, *, register: int, **bounds: int) -> int:
        """Add a limit row (bounds by lower-case column name, none by default); return its index."""
        index = self.limits.add_new(name)
        self._add("limit", {"register": register, "days": 1, "shift": 0, **bounds})
        return index

    def use_limit(self, limit: int, stream: int) -> None:
        """Give a limit its cells for the payers of a stream (once)."""
        first = self._cells["limit_first"]
        if (limit, stream) not in first:
            first[limit, stream] = self._limit_cells
            self._limit_cells += self._payer_count[stream]

    # -- programs --------------------

    @property
    def next_stage(self) -> int:
        """Return the index the next stage will get."""
        return len(self._rows["stage"])

    def add_stage(self, op: Op, name: str = "", **values: int) -> int:
        """Add a stage (columns by lower-case name) and return its index."""
        self._stage_names.append(name or op.name.lower())
        index = self._add("stage", {"flags": 0, "count": 0, **values})
        self._rows["stage"][index][StageColumn.OP] = int(op)
        return index

    def set_stage(self, stage: int, **values: int) -> None:
        """Fill in columns of a stage that were not known when it was added (jump targets)."""
        for name, value in values.items():
            self._rows["stage"][stage][StageColumn[name.upper()]] = int(value)

    def add_route(self, name: str, *, rail: str, corridor: str, **values: int) -> int:
        """Add a route (columns by lower-case name) and return its index."""
        index = self.routes.add_new(name)
        self._add("route", {"expected_us": 0, "view_first": 0, "view_count": 0, **values})
        row = self._rows["route"][index]
        row[RouteColumn.RAIL] = self.rails.add(rail)
        row[RouteColumn.CORRIDOR] = self.corridors.add(corridor)
        return index

    def owe(self, route: int, scheme: str, *, debtor: str, creditor: str) -> None:
        """Say who owes whom once a payment over a route is completed; in the order of routes."""
        values = {
            "route": route,
            "scheme": self.rails.add(scheme),
            "debtor": self.agents[debtor],
            "creditor": self.agents[creditor],
        }
        self._add("obligation", values)

    def set_route_view(self, route: int, rows: Iterable[tuple[int, int, int]]) -> None:
        """Say which queues a router sees on a route: (kind, subject, per item) rows."""
        seen = self._rows["route_view"]
        first = len(seen)
        for kind, subject, per_item in rows:
            self._add("route_view", {"kind": kind, "subject": subject, "per_item": per_item})
        row = self._rows["route"][route]
        row[RouteColumn.VIEW_FIRST], row[RouteColumn.VIEW_COUNT] = first, len(seen) - first

    def add_route_set(
        self,
        name: str,
        candidates: Candidates,
        *,
        policy: int = 0,
        max_attempts: int = 1,
        groups: Sequence[int] = (),
    ) -> int:
        """Add a route set and return its index; see :data:`~sim.compiler.rows.Candidates`."""
        index = self.route_sets.add_new(name)
        values = {
            "first": len(self._rows["candidate"]),
            "count": len(candidates),
            "policy": policy,
            "max_attempts": max_attempts,
        }
        for found, group in zip(candidates, groups or [-1] * len(candidates), strict=True):
            route, rank, share = found if isinstance(found, tuple) else (found, 0, 1)
            values_of = {"route": route, "rank": rank, "share": share, "group": group}
            self._add("candidate", values_of)
        self._add("route_set", values)
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
        promise_us: int = NEVER_US,
        after_failure: int = -1,
        patience: int = -1,
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
            "promise_us": promise_us,
            "after_failure": after_failure,
            "patience": patience,
        }
        self._add("stream", values)
        self._add("refund", NO_REFUNDS)
        self._payer_count.append(payers)
        return index

    # -- the plan --------------------

    def build(self) -> Plan:
        """Freeze everything into a plan.

        Raises
        ------
        InvariantViolation
            If a row points at something that is not there.
        """
        # All purposes are known only now, and two that share a number would share their draws.
        check_purposes(self._purposes)
        # Only those an amount or a rate is in: what nobody uses makes no other plan.
        used = {*self._names["currencies"].as_tuple(), *_sides(self._names["pairs"].as_tuple())}
        known = declared_currencies()
        names = PlanNames(
            declared=tuple(known[code] for code in sorted(used & known.keys())),
            scenario=self.scenario,
            stages=tuple(self._stage_names),
            purposes=tuple(sorted((value, name) for name, value in self._purposes.items())),
            **{kind: found.as_tuple() for kind, found in self._names.items()},
        )
        rows = {**self._rows, **self._last_rows(names)}
        counts = {kind: len(getattr(names, kind)) for kind in NAMED}
        counts["steps"] = max((len(path) for path in rows["rate"]), default=1)
        for name, table in TABLES.items():
            counts.setdefault(table.rows, len(rows[name]))
        arrays = {
            name: cells_array(self._cells[name], table.shape(counts))
            if name in self._cells
            else rows_array(rows[name], table.shape(counts))
            for name, table in TABLES.items()
        }
        if self._quantiles:
            arrays["table"] = np.concatenate(self._quantiles)
        arrays["load_count"] = self._load_counts()
        values: dict[str, Any] = {**self._scalars, **arrays}
        plan = Plan(
            **values,
            limit_cells=self._limit_cells,
            names=names,
            payer_count=tuple(self._payer_count),
        )
        check_plan(plan, can_run=self._with_tables)
        return plan

    def _last_rows(self, names: PlanNames) -> dict[str, Rows]:
        """Return the tables that follow from the rest, or are only now put in order."""
        steps = max((len(path) for path in self._rows["rate"]), default=1)
        return {
            "ledger_key": [self._key("ledger", name) for name in names.ledgers],
            "stream_key": [self._key("payment", name) for name in names.streams],
            "load": self._load_rows(),
            "world": [[self.accounts.get(f"world:{code}")] for code in names.currencies],
            # A path that ends early stays where it is.
            "rate": [path + [path[-1]] * (steps - len(path)) for path in self._rows["rate"]],
            # The sort is stable: rows of one instant stay in the order they were given.
            "agenda": sorted(
                [*self._readings(), *self._rows["agenda"]],
                key=lambda row: row[AgendaColumn.TIME_US],
            ),
        }

    def _key(self, kind: str, name: str) -> list[int]:
        return list(stream_key(self.seed, self.replication, kind, name))


def _sides(pairs: Sequence[str]) -> Iterator[str]:
    """Yield the currencies of pairs, a desk's own name left out."""
    for pair in pairs:
        yield from pair.partition(DESK)[0].split("/")
