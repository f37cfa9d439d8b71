"""Symbols into numbers: the one place where parts of a plan become rows.

Takes parts in order; gives the plan, and the numbers of what a plan does not name (quantile tables,
limits of a route). A part may refer to parts before it only. Rows are numbered in the order of the
parts, so the same parts give the same plan, to the last index.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

import numpy as np

from sim.compiler.builder import QUEUE_UNLIMITED, SERVERS_UNLIMITED, PlanBuilder
from sim.compiler.clearing import Numbers, lay_clearing
from sim.compiler.disrupted import lay_timed
from sim.compiler.parts import (
    Agent,
    Change,
    Choice,
    Clearing,
    Closure,
    Conversion,
    Cover,
    Instrument,
    Load,
    Part,
    Reconciled,
    Route,
    Settings,
    ShopPart,
    Stream,
    WindowPart,
)
from sim.compiler.program_check import check_program
from sim.compiler.transfer_rows import TransferRows
from sim.contract.layout import UNLIMITED
from sim.contract.meaning import FeeKind, Op
from sim.contract.patience import PATIENCE
from sim.contract.plan import Plan
from sim.model.distributions import AmountDistribution, DurationDistribution
from sim.rails.price import FeeTerms
from sim.rails.resources import (
    BlockLedger,
    Holding,
    LargeValueSystem,
    OwnShare,
    OwnTime,
    Station,
    TopUpRule,
)
from sim.rails.stages import ROUTE_TIE, ByRole, LimitSpec, Move, Place, Program, Stage
from sim.units import currency_of

Distribution = DurationDistribution | AmountDistribution


@dataclass(frozen=True, slots=True)
class Linked:
    """A plan, and the numbers behind symbols that its names do not tell.

    Attributes
    ----------
    plan : Plan
    tables : mapping of distribution to int
        Offset of each quantile table in ``plan.table``.
    limits : mapping of str to tuple of int
        Limit rows that payments on a route meet.
    """

    plan: Plan
    tables: Mapping[Distribution, int]
    limits: Mapping[str, tuple[int, ...]]


def link(settings: Settings, parts: Iterable[Part], *, with_tables: bool = True) -> Linked:
    """Turn parts into a plan.

    Parameters
    ----------
    settings : Settings
    parts : iterable of Part
        In the order of their rows.
    with_tables : bool
        False leaves the quantile tables out: enough for validation, not for a run.
    """
    linker = _Linker(settings, with_tables=with_tables)
    for part in parts:
        linker.add(part)
    linker.builder.assign_own(linker.own, linker.table)
    return Linked(linker.builder.build(), linker.tables, linker.limits)


@dataclass(slots=True)
class _Prices:
    """Where the rows of a route's price lie."""

    pricing: int = -1
    fee_first: int = 0


@dataclass(slots=True)
class _Laid:
    """Where a program lies, and the limit rows it meets."""

    entry: int
    marks: dict[str, int] = field(default_factory=dict)
    limits: list[int] = field(default_factory=list)


class _Linker:
    """The state of one linking: the rows so far, and what they are called."""

    def __init__(self, settings: Settings, *, with_tables: bool) -> None:
        scalars = asdict(settings)
        name = scalars.pop("scenario")
        self.builder = PlanBuilder(name, **scalars, with_tables=with_tables)
        self.tables: dict[Distribution, int] = {}
        self.limits: dict[str, tuple[int, ...]] = {}
        self.own: list[OwnTime | OwnShare] = []

    def add(self, part: Part) -> None:
        """Add the rows of one part."""
        # Who is there, what they have, where payments go: parts refer backwards only.
        match part:
            case Agent():
                self.builder.agents.add(part.name)
            case Instrument():
                self.builder.instruments.add(part.name)
            case Station():
                self._station(part)
            case BlockLedger():
                self._ledger(part)
            case Holding():
                self._holding(part)
            case OwnTime() | OwnShare():
                self.own.append(part)
            case Route():
                self._route(part)
            case Choice():
                self._choice(part)
            case Stream():
                self._stream(part)
            case Clearing() | TopUpRule() | Cover() | LargeValueSystem():
                lay_clearing(self.builder, part, Numbers(self._account, self._conversion))
            case ShopPart() | Change() | Closure() | WindowPart() | Load() | Reconciled():
                lay_timed(self.builder, part)

    # -- resources --------------------

    def _station(self, part: Station) -> None:
        rate = part.rate_limit
        station = self.builder.add_station(
            part.name,
            servers=SERVERS_UNLIMITED if part.servers is None else part.servers,
            queue_limit=QUEUE_UNLIMITED if part.queue_limit is None else part.queue_limit,
            # In lowest terms: the smaller the numbers, the longer a run fits their arithmetic.
            rate_count=0 if rate is None else rate.numerator,
            rate_period_us=0 if rate is None else rate.denominator,
            discipline=part.discipline,
            when_closed=part.when_closed,
            reason_closed=part.reason_closed,
        )
        if part.kind:
            self.builder.assign_station(part.owner, part.kind, station)

    def _ledger(self, part: BlockLedger) -> None:
        self.builder.add_ledger(
            part.name,
            round_interval_us=part.round_interval_us,
            block_limit=part.block_limit,
            vote_table=self.table(part.vote_delay),
            peers=part.peers,
            quorum=part.quorum,
            idle_max_us=part.idle_max_us,
            leader_failure=part.leader_failure,
        )

    def _holding(self, part: Holding) -> None:
        builder, overdraft = self.builder, part.overdraft_minor
        # Only an account without limit may be named twice; a limit or a balance belongs to one.
        if part.name in builder.accounts and overdraft is None and not part.deposits:
            # Named before by a program or another part: an account without limit is one account.
            account = builder.accounts[part.name]
        else:
            account = builder.add_account(
                part.name,
                part.currency,
                overdraft=UNLIMITED if overdraft is None else overdraft,
                watched=part.is_watched,
            )
        for time_us, amount in part.deposits:
            builder.deposit(time_us, account, amount)
        builder.guard(account, part.guards)
        if part.kind:
            builder.assign_account(part.owner, part.kind, account)

    def _account(self, place: Place) -> int:
        """Return the account a place names; one that is not there yet has no limit.

        Unlimited accounts are named ``<what>:...:<currency>``.
        """
        if isinstance(place, ByRole):
            return self.builder.account_ref(place.role, place.kind)
        # Programs name accounts before anybody has described them: customers and own books,
        # which have no limit.
        if place in self.builder.accounts:
            return self.builder.accounts[place]
        return self.builder.add_account(place, place.rpartition(":")[2])

    def table(self, distribution: Distribution) -> int:
        """Return the offset of a distribution's quantile table, adding it if new."""
        # Shares are written in 10^-9, so that equal distributions are equal keys.
        if distribution.points:
            # Only written points need the numeric library at this place.
            from sim.draws.quantile import build_empirical

            points = [(value, share / 10**9) for value, share in distribution.points]
            table = np.asarray(build_empirical(points))
            offset = self.builder.add_table(table, ("empirical", *distribution.points))
        else:
            offset = self.builder.table(distribution.family, distribution.parameters())
        # By the distribution itself: equal ones share a table.
        self.tables[distribution] = offset
        return offset

    # -- prices --------------------

    def _prices(self, part: Route) -> _Prices:
        price = part.flow.price
        if price is None:
            return _Prices()
        conversions, fee_first = [self._conversion(item) for item in part.conversions], 0
        for position, terms in enumerate(price.fees):
            row = self._fee(terms)
            # Fees of a price follow each other, and CHARGE counts from the first.
            fee_first = row if position == 0 else fee_first
        first, second, third = (currency_of(code).granule for code in price.currencies)
        pricing = self.builder.add_pricing(
            currencies=price.currencies,
            conversions=(conversions[0], conversions[1]),
            providers=price.providers,
            granules=(first, second, third),
            fixed_side=int(part.fixed_side),
            fee_first=fee_first,
            fee_count=len(price.fees),
            rounding=price.rounding,
            least_debited=price.least_minor,
        )
        return _Prices(pricing, fee_first)

    def _conversion(self, part: Conversion | None) -> int:
        if part is None:
            return -1
        path = part.path
        if path.name not in self.builder.pairs:
            self.builder.add_pair(path.name, path.rates, path.scale)
        pair, margin = self.builder.pairs[path.name], part.spread_ppm
        return self.builder.add_conversion(
            pair, inverted=part.is_inverted, spread_ppm=margin, spreads=part.spreads
        )

    def _fee(self, terms: FeeTerms) -> int:
        fee, rows = terms.fee, terms.fee.tier_rows()
        debit, credit = self._account(terms.debit), self._account(terms.credit)
        tier_first, tier_count = self.builder.add_tiers(rows) if rows else (0, 0)
        values = {
            "kind": int(FeeKind[fee.kind.upper()]),
            "base": int(terms.base),
            "granule": currency_of(terms.currency).granule,
            "bearer": int(terms.bearer),
            "debit": debit,
            "credit": credit,
            "threshold": 0,
            "tier_first": tier_first,
            "tier_count": tier_count,
            # Last, since a kind of fee may say otherwise than the defaults above.
            **fee.row(),
        }
        return self.builder.add_fee(
            component=terms.component,
            recipient=terms.recipient,
            currency=terms.currency,
            **values,
        )

    # -- routes and streams --------------------

    def _route(self, part: Route) -> None:
        prices = self._prices(part)
        laid = self._program(part.flow.program, prices, prefix=part.name)
        candidate = part.candidate
        agents = {
            key: self.builder.agents[side.institution]
            for key, side in (
                ("debtor_agent", part.flow.debtor),
                ("creditor_agent", part.flow.creditor),
            )
            # An end without a name is the payment's own institution, drawn with the workload.
            if side.institution
        }
        entrances = zip(("confirmed", "authorised"), part.flow.entrances, strict=True)
        index = self.builder.add_route(
            part.name,
            rail=candidate.rail,
            corridor=candidate.corridor,
            entry=laid.entry,
            pricing=prices.pricing,
            expected_us=part.expected_us,
            # A route without one has none to name; ``get`` gives -1 then.
            settlement_agent=self.builder.agents.get(candidate.agent),
            rule=self.builder.rule(part.rule, part.own),
            **agents,
            **{"class": part.class_number},
            **{column: laid.marks[label] for column, label in entrances if label},
        )
        for owed in part.flow.obligations:
            self.builder.owe(index, owed.scheme, debtor=owed.debtor, creditor=owed.creditor)
        ledgers, stations = self.builder.ledgers, self.builder.stations
        queues = [
            (1, ledgers[view.place], 0)
            if view.is_ledger
            else (0, stations[view.place], view.per_item_us)
            for view in part.views
        ]
        watched = self.builder.watched(part.flow.program, self._account)
        self.builder.set_route_view(index, [*queues, *watched])
        self.limits[part.name] = tuple(laid.limits)

    def _choice(self, part: Choice) -> None:
        ties = zip(part.routes, part.ties, strict=True)
        self.builder.add_route_set(
            part.name,
            [(self.builder.routes[name], rank, share) for name, (rank, share) in ties],
            policy=part.policy,
            max_attempts=part.attempts_max,
            groups=part.groups,
        )

    def _stream(self, part: Stream) -> None:
        # The stages of a payment draw under the same key as its workload: no two may meet.
        for purpose in part.purposes:
            self.builder.purpose(purpose)
        laid = self._program(part.prologue, _Prices(), prefix=part.name)
        stream = self.builder.add_stream(
            part.name,
            entry=laid.entry,
            corridor=part.corridor,
            currency=part.currency,
            scope=int(part.scope),
            priority=part.priority,
            channel=part.channel,
            payers=part.payers,
            promise_us=part.promise_us,
            after_failure=laid.marks[part.after_failure] if part.after_failure else -1,
            patience=-1 if part.patience is None else self.table(part.patience),
        )
        if part.refunds is not None:
            self.builder.set_refunds(stream, **part.refunds.columns(self.table))
        for route in part.routes:
            # Cells for the stream's payers, once per limit, however many routes share it.
            for limit in self.limits[route]:
                self.builder.use_limit(limit, stream)
        for distribution in part.tables:
            self.table(distribution)

    def _program(self, program: Program, prices: _Prices, *, prefix: str) -> _Laid:
        """Add a program's stages; ``prefix`` stands before each stage's name."""
        check_program(program, prefix)
        first = self.builder.next_stage
        # Labels are known before any stage is laid, so jumps may lead forwards.
        marks = {stage.mark: first + number for number, stage in enumerate(program) if stage.mark}
        laid = _Laid(first, marks)
        rows = TransferRows(program, self._transfer)
        # By name and in order of appearance: VOID gives back in this order.
        slots: dict[str, int] = {}
        for position, stage in enumerate(program):
            values = self._columns(stage, marks)
            if stage.moves or stage.op in (Op.RESERVE, Op.POST, Op.BATCH, Op.SETTLE):
                values["first"], values["count"] = rows.of(position)
            if stage.op is Op.QUOTE:
                values["subject"] = prices.pricing
            if stage.op is Op.CHARGE:
                values["subject"] = prices.fee_first + stage.fee
            if stage.op is Op.LIMIT:
                assert stage.limit is not None
                limit = self._limit(stage.limit)
                # Only what is used up by the day is given back, and needs a slot.
                is_daily = stage.limit.per_day >= 0
                slot = slots.setdefault(stage.limit.name, len(slots)) if is_daily else 0
                values |= {"subject": limit, "value": slot}
                laid.limits.append(limit)
            self.builder.add_stage(stage.op, f"{prefix}/{stage.label}", **values)
        return laid

    def _limit(self, limit: LimitSpec) -> int:
        """Return the row of a limit, adding it if new."""
        if limit.name in self.builder.limits:
            return self.builder.limits[limit.name]
        return self.builder.add_limit(limit.name, register=limit.register, **limit.bounds)

    def _columns(self, stage: Stage, marks: dict[str, int]) -> dict[str, int]:
        """Return the columns that mean the same for every operation."""
        values = {
            "cause": int(stage.cause),
            "reason": -1 if stage.own_reason else int(stage.reason),
            "value": stage.value,
            "flags": int(stage.flags),
        }
        # A name that is no label of the program is a KeyError: nothing jumps out of a program.
        if stage.target:
            values["target"] = marks[stage.target]
        # Draws are keyed by the stage's label, which routes of a rail share, so two routes are
        # compared on the same random numbers at the same desk.
        if stage.op in (Op.SERVE, Op.TRANSIT, Op.DECIDE, Op.SWITCH, Op.ROUTE):
            # A first choice and the next are told apart by the attempt and not by the purpose.
            label = ROUTE_TIE if stage.op is Op.ROUTE else stage.label
            values["purpose"] = self.builder.purpose(label)
        if stage.op is Op.PATIENCE and stage.value > 0:
            values["purpose"] = self.builder.purpose(PATIENCE)
        if isinstance(stage.time, ByRole):
            values["table"] = self.builder.time_ref(stage.time.role, stage.time.kind)
        elif stage.time is not None:
            values["table"] = self.table(stage.time)
        if stage.share is not None:
            values["value"] = self.builder.share_ref(stage.share.role, stage.share.kind)
        if stage.op is Op.SERVE:
            values["subject"] = self._station_of(stage.place)
        if stage.op in (Op.BATCH, Op.SETTLE):
            assert isinstance(stage.place, str)
            kinds = self.builder.ledgers if stage.op is Op.BATCH else self.builder.systems
            values["subject"] = kinds[stage.place]
        if stage.op is Op.END:
            values["subject"] = stage.instead
        values |= {"first": self.builder.shops[stage.shop]} if stage.shop else {}
        if stage.back_to:
            values["subject"] = marks[stage.back_to]
        return values

    def _station_of(self, place: Place | None) -> int:
        if isinstance(place, ByRole):
            return self.builder.station_ref(place.role, place.kind)
        return self.builder.stations[place or ""]

    def _transfer(self, move: Move) -> int:
        sides = self._account(move.debit), self._account(move.credit)
        return self.builder.add_transfer(*sides, move.register)
