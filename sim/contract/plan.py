"""The compiled scenario: what an engine runs, as plain integer arrays with names beside them.

Made by ``sim.compiler``; read by both engines, the audit and the tables. Every table is declared
here, once: what its rows and columns are and what they may hold. The plan builder, the empty plan,
the kernel's view of a plan and :func:`~sim.contract.plan_check.check_plan` follow the declarations.
The meaning of every column is in :mod:`sim.contract.meaning`. Arrays are C-contiguous ``int64``.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, fields
from typing import Annotated, Any

import numpy as np

from sim.contract.agenda import AGENDA, FILES, LINES, ORDERS, TOP_UPS
from sim.contract.breaks import RECONCILIATIONS
from sim.contract.charges import Rounding
from sim.contract.guards import GUARDS
from sim.contract.inquiries import RESENT_MAX
from sim.contract.large_value import MEMBERS, SYSTEMS
from sim.contract.layout import (
    CANDIDATES_MAX,
    CERTAIN,
    FEES_MAX,
    LIMITS_MAX,
    PEERS_MAX,
    RATE_MAX,
    SHARES_MAX,
    AccountColumn,
    CandidateColumn,
    ConversionColumn,
    FeeColumn,
    LedgerColumn,
    ObligationColumn,
    PricingColumn,
    RouteColumn,
    RouteSetColumn,
    RouteViewColumn,
    StageColumn,
    StationColumn,
    StreamColumn,
    TierColumn,
    TransferColumn,
)
from sim.contract.limits import LIMITS
from sim.contract.loads import LOAD_COUNTS, LOADS
from sim.contract.meaning import (
    Bearer,
    Cause,
    Discipline,
    FeeKind,
    FixedSide,
    Instead,
    Op,
    Outcome,
    Policy,
    Reason,
    Scope,
    WhenClosed,
)
from sim.contract.own_policies import OWN, OWN_SETTINGS
from sim.contract.plan_names import PlanNames
from sim.contract.policies import RULES
from sim.contract.records import REGISTER_COUNT
from sim.contract.refunds import REFUNDS, WRITTEN_REFUNDS
from sim.contract.shops import SHOPS
from sim.contract.spreads import SPREADS
from sim.contract.table import (
    Array,
    Between,
    By,
    OneOf,
    Span,
    Table,
    Within,
    declared_tables,
)
from sim.contract.windows import WINDOWS

__all__ = ("KEY_WORDS", "NAMED", "SCALARS", "TABLES", "Array", "Plan", "PlanNames")

KEY_WORDS = 4
"""Words of a draw key."""

_REGISTER = Between(0, REGISTER_COUNT - 1)
_YES_OR_NO = Between(0, 1)
_ACCOUNT = Within("accounts", kinds="account_kinds")
_AGENT_OR_NONE = Within("agents", or_none=True)
_CURRENCY = Within("currencies")
_CONVERSION_OR_NONE = Within("conversions", or_none=True)
_GRANULES = {at: Between(1) for at in PricingColumn if at.name.startswith("GRANULE_")}


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything an engine needs but the payments themselves.

    Attributes
    ----------
    horizon_us, warm_up_us, sample_interval_us, fx_step_us : int
        Microseconds. ``sample_interval_us`` 0: no samples.
    day_offset_us : int
        Local time of day at the start of the scenario.
    limit_cells : int
        Number of state cells of limits in all.
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
    stage: Annotated[
        Array,
        Table(
            "stages",
            StageColumn,
            {
                StageColumn.OP: OneOf(Op),
                StageColumn.CAUSE: OneOf(Cause, or_none=True),
                StageColumn.TARGET: Within("stages", or_none=True),
                StageColumn.REASON: OneOf(Reason, or_none=True),
                StageColumn.TABLE: Within("words", or_none=True, kinds="time_kinds"),
                StageColumn.SUBJECT: By(
                    StageColumn.OP,
                    {
                        Op.SERVE: Within("stations", kinds="station_kinds"),
                        Op.BATCH: Within("ledgers"),
                        Op.SETTLE: Within("systems"),
                        Op.QUOTE: Within("pricings"),
                        Op.CONVERT: Within("stages"),
                        Op.CHARGE: Within("fees"),
                        Op.LIMIT: Within("limits"),
                        Op.END: OneOf(Instead, or_none=True),
                        Op.AWAIT: Within("stages", or_none=True),
                        Op.INQUIRE: Within("stages"),
                        Op.ASK: Within("stages", or_none=True),
                        Op.ORDER: Within("stages"),
                        Op.POLL: Within("stages", or_none=True),
                    },
                ),
                StageColumn.FIRST: By(
                    StageColumn.OP,
                    {
                        Op.RESERVE: Within("transfers"),
                        Op.POST: Span("transfers", StageColumn.COUNT),
                        Op.BATCH: Span("transfers", StageColumn.COUNT),
                        Op.SETTLE: Span("transfers", StageColumn.COUNT),
                        Op.END: Span("transfers", StageColumn.COUNT),
                        Op.ORDER: Within("shops"),
                        Op.POLL: Within("shops"),
                        Op.ANSWER: Within("shops", or_none=True),
                    },
                ),
                StageColumn.COUNT: By(StageColumn.OP, {Op.SETTLE: Between(1, 2)}),
                StageColumn.VALUE: By(
                    StageColumn.OP,
                    {
                        Op.LIMIT: Between(0, LIMITS_MAX - 1),
                        Op.DECIDE: Between(0, CERTAIN, kinds="share_kinds"),
                        Op.SWITCH: Between(0, CERTAIN),
                        Op.DEADLINE: Between(-1),
                        Op.PATIENCE: Between(-1, 1),
                        Op.AWAIT: Between(1),
                        Op.ASK: Between(1),
                        Op.POLL: Between(1),
                        Op.ANSWER: _YES_OR_NO,
                        Op.RETRY: Between(1, RESENT_MAX),
                        Op.END: OneOf(Outcome),
                    },
                ),
            },
        ),
    ]
    station: Annotated[
        Array,
        Table(
            "stations",
            StationColumn,
            {
                StationColumn.SERVERS: Between(1),
                StationColumn.QUEUE_LIMIT: Between(0),
                StationColumn.RATE_COUNT: Between(0),
                StationColumn.DISCIPLINE: OneOf(Discipline),
                StationColumn.WHEN_CLOSED: OneOf(WhenClosed),
                StationColumn.REASON_CLOSED: OneOf(Reason),
            },
        ),
    ]
    ledger: Annotated[
        Array,
        Table(
            "ledgers",
            LedgerColumn,
            {
                LedgerColumn.ROUND_INTERVAL_US: Between(1),
                LedgerColumn.BLOCK_LIMIT: Between(1),
                LedgerColumn.PEERS: Between(1, PEERS_MAX),
                LedgerColumn.QUORUM: Between(1, PEERS_MAX),
                LedgerColumn.VOTE_TABLE: Within("words"),
            },
        ),
    ]
    guard: Annotated[Array, GUARDS]
    ledger_key: Annotated[Array, Table("ledgers", KEY_WORDS)]
    load: Annotated[Array, LOADS]
    load_count: Annotated[Array, LOAD_COUNTS]
    account: Annotated[
        Array,
        Table(
            "accounts",
            AccountColumn,
            {AccountColumn.CURRENCY: _CURRENCY, AccountColumn.WATCHED: _YES_OR_NO},
        ),
    ]
    world: Annotated[Array, Table("currencies", each=Within("accounts", or_none=True))]
    """The world's account of each currency, -1 if none."""
    transfer: Annotated[
        Array,
        Table(
            "transfers",
            TransferColumn,
            {
                TransferColumn.DEBIT: _ACCOUNT,
                TransferColumn.CREDIT: _ACCOUNT,
                TransferColumn.REGISTER: _REGISTER,
            },
        ),
    ]
    rate: Annotated[Array, Table("pairs", "steps", each=Between(1, RATE_MAX - 1))]
    """Scaled mid rates, quote currency per base."""
    pair_scale: Annotated[Array, Table("pairs", each=Between(1, RATE_MAX - 1))]
    conversion: Annotated[
        Array,
        Table(
            "conversions",
            ConversionColumn,
            {
                ConversionColumn.PAIR: Within("pairs"),
                ConversionColumn.INVERTED: _YES_OR_NO,
                ConversionColumn.SPREAD_PPM: Between(0),
                ConversionColumn.SPREAD_FIRST: Span("spreads", ConversionColumn.SPREAD_COUNT),
            },
        ),
    ]
    spread: Annotated[Array, SPREADS]
    pricing: Annotated[
        Array,
        Table(
            "pricings",
            PricingColumn,
            {
                PricingColumn.CONVERSION_1: _CONVERSION_OR_NONE,
                PricingColumn.CONVERSION_2: _CONVERSION_OR_NONE,
                PricingColumn.FIXED_SIDE: OneOf(FixedSide),
                PricingColumn.FEE_FIRST: Span("fees", PricingColumn.FEE_COUNT, FEES_MAX),
                **_GRANULES,
                PricingColumn.CURRENCY_DEBITED: _CURRENCY,
                PricingColumn.CURRENCY_SETTLEMENT: _CURRENCY,
                PricingColumn.CURRENCY_CREDITED: _CURRENCY,
                PricingColumn.PROVIDER_1: _AGENT_OR_NONE,
                PricingColumn.PROVIDER_2: _AGENT_OR_NONE,
                PricingColumn.ROUNDING: OneOf(Rounding),
            },
        ),
    ]
    fee: Annotated[
        Array,
        Table(
            "fees",
            FeeColumn,
            {
                FeeColumn.KIND: OneOf(FeeKind),
                FeeColumn.BASE: _REGISTER,
                FeeColumn.TIER_FIRST: By(
                    FeeColumn.KIND, {FeeKind.TIERED: Span("tiers", FeeColumn.TIER_COUNT)}
                ),
                FeeColumn.GRANULE: Between(1),
                FeeColumn.BEARER: OneOf(Bearer),
                FeeColumn.DEBIT: Within("accounts", or_none=True, kinds="account_kinds"),
                FeeColumn.CREDIT: Within("accounts", or_none=True, kinds="account_kinds"),
                FeeColumn.COMPONENT: Within("components"),
                FeeColumn.RECIPIENT: Within("recipients"),
                FeeColumn.CURRENCY: _CURRENCY,
            },
        ),
    ]
    tier: Annotated[Array, Table("tiers", TierColumn)]
    limit: Annotated[Array, LIMITS]
    limit_first: Annotated[
        Array, Table("limits", "streams", each=Within("limit cells", or_none=True))
    ]
    """First state cell, -1 where the stream never meets the limit."""
    limit_cells: int
    route: Annotated[
        Array,
        Table(
            "routes",
            RouteColumn,
            {
                RouteColumn.ENTRY: Within("stages"),
                RouteColumn.PRICING: Within("pricings", or_none=True),
                RouteColumn.VIEW_FIRST: Span("view rows", RouteColumn.VIEW_COUNT),
                RouteColumn.DEBTOR_AGENT: _AGENT_OR_NONE,
                RouteColumn.CREDITOR_AGENT: _AGENT_OR_NONE,
                RouteColumn.RAIL: Within("rails"),
                RouteColumn.CORRIDOR: Within("corridors"),
                RouteColumn.SETTLEMENT_AGENT: _AGENT_OR_NONE,
                RouteColumn.CONFIRMED: Within("stages", or_none=True),
                RouteColumn.AUTHORISED: Within("stages", or_none=True),
                RouteColumn.RULE: Within("rules", or_none=True),
            },
        ),
    ]
    obligation: Annotated[
        Array,
        Table(
            "obligations",
            ObligationColumn,
            {
                ObligationColumn.ROUTE: Within("routes"),
                ObligationColumn.SCHEME: Within("rails"),
                ObligationColumn.DEBTOR: Within("agents"),
                ObligationColumn.CREDITOR: Within("agents"),
            },
        ),
    ]
    """In order of routes."""
    route_view: Annotated[
        Array,
        Table(
            "view rows",
            RouteViewColumn,
            {
                RouteViewColumn.KIND: Between(0, 2),
                RouteViewColumn.SUBJECT: By(
                    RouteViewColumn.KIND,
                    {0: Within("stations"), 1: Within("ledgers"), 2: Within("accounts")},
                ),
            },
        ),
    ]
    rule: Annotated[Array, RULES]
    own: Annotated[Array, OWN]
    own_setting: Annotated[Array, OWN_SETTINGS]
    route_set: Annotated[
        Array,
        Table(
            "route_sets",
            RouteSetColumn,
            {
                RouteSetColumn.FIRST: Span("candidates", RouteSetColumn.COUNT, CANDIDATES_MAX),
                RouteSetColumn.POLICY: OneOf(Policy),
            },
        ),
    ]
    candidate: Annotated[
        Array,
        Table(
            "candidates",
            CandidateColumn,
            {
                CandidateColumn.ROUTE: Within("routes"),
                CandidateColumn.SHARE: Between(0, SHARES_MAX),
            },
        ),
    ]
    stream: Annotated[
        Array,
        Table(
            "streams",
            StreamColumn,
            {
                StreamColumn.ENTRY: Within("stages"),
                StreamColumn.SCOPE: OneOf(Scope),
                StreamColumn.CORRIDOR: Within("corridors"),
                StreamColumn.CURRENCY: _CURRENCY,
                StreamColumn.CHANNEL: Within("channels"),
                StreamColumn.PROMISE_US: Between(1),
                StreamColumn.AFTER_FAILURE: Within("stages", or_none=True),
                StreamColumn.PATIENCE: Within("words", or_none=True),
            },
        ),
    ]
    stream_key: Annotated[Array, Table("streams", KEY_WORDS)]
    agenda: Annotated[Array, AGENDA]
    """In order of time."""
    line: Annotated[Array, LINES]
    file: Annotated[Array, FILES]
    top_up: Annotated[Array, TOP_UPS]
    order: Annotated[Array, ORDERS]
    shop: Annotated[Array, SHOPS]
    window: Annotated[Array, WINDOWS]
    reconciliation: Annotated[Array, RECONCILIATIONS]
    """In order of time."""
    system: Annotated[Array, SYSTEMS]
    member: Annotated[Array, MEMBERS]
    refund: Annotated[Array, REFUNDS]
    written_refund: Annotated[Array, WRITTEN_REFUNDS]
    table: Annotated[Array, Table("words")]
    """All quantile tables, one after the other."""
    agent_account: Annotated[
        Array, Table("agents", "account_kinds", each=Within("accounts", or_none=True))
    ]
    agent_station: Annotated[
        Array, Table("agents", "station_kinds", each=Within("stations", or_none=True))
    ]
    agent_time: Annotated[Array, Table("agents", "time_kinds", each=Within("words", or_none=True))]
    """Quantile tables of what differs from agent to agent, by offset."""
    agent_share: Annotated[Array, Table("agents", "share_kinds", each=Between(-1, CERTAIN))]
    """62-bit thresholds of the same kind; -1 where an agent has none."""
    names: PlanNames = field(default_factory=PlanNames)
    payer_count: tuple[int, ...] = ()

    @classmethod
    def empty(cls) -> Plan:
        """Return a plan in which nothing happens."""
        none = defaultdict[str, int](int)
        # Instants are divided by the step of the rates, which therefore is never 0.
        values: dict[str, Any] = {**dict.fromkeys(SCALARS, 0), "fx_step_us": 1}
        for name, table in TABLES.items():
            values[name] = np.zeros(table.shape(none), dtype=np.int64)
        return cls(**values)


TABLES: dict[str, Table] = declared_tables(Plan)
"""The plan's arrays by name, in the order of its fields."""

_SINGLE = ("scenario", "purposes", "declared")
NAMED: tuple[str, ...] = tuple(one.name for one in fields(PlanNames) if one.name not in _SINGLE)
"""Kinds of names; the rows and columns of many tables are counted by them."""

_NO_SCALARS = {*TABLES, "names", "payer_count"}
SCALARS: tuple[str, ...] = tuple(one.name for one in fields(Plan) if one.name not in _NO_SCALARS)
"""The plan's single numbers."""

Plan.__doc__ = f"{Plan.__doc__}\n" + "\n".join(
    f"    {name} : {table.shape_text()}" for name, table in TABLES.items()
)
