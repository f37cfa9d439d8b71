"""Follow stage programs: what a stage may do, what it must post, when it passes silently.

Takes the plan and a rebuilt payment; gives the rows a stage has to write next and whether it may
have let the payment pass without any. Luck and what is only in the workload (agents, payers, codes)
is not in the log; there the audit accepts what is possible.
"""

from __future__ import annotations

from sim.contract.plan import Plan
from sim.contract.spec import (
    FAILOVER_REASONS,
    NULL,
    Flag,
    LedgerColumn,
    LimitColumn,
    LogKind,
    Op,
    Policy,
    Reason,
    RouteColumn,
    RouteSetColumn,
    RouteViewColumn,
    StageColumn,
    StationColumn,
    TransferColumn,
)
from sim.tables.audit_findings import Findings
from sim.tables.audit_payments import Expected, PaymentState
from sim.tables.audit_prices import PriceBook, is_usable
from sim.units import DAY_US

S = StageColumn
CERTAIN = 1 << 62
"""A threshold of this size is always hit."""


class Program:
    """Know the stages of a plan.

    Parameters
    ----------
    plan : Plan
        The plan of the run.
    findings : Findings
        Where violations go.
    prices : PriceBook
        Prices computed again.
    """

    def __init__(self, plan: Plan, findings: Findings, prices: PriceBook) -> None:
        self._findings = findings
        self._prices = prices
        self.stage: list[list[int]] = plan.stage.tolist()
        self.route: list[list[int]] = plan.route.tolist()
        self.limit: list[list[int]] = plan.limit.tolist()
        self._limit_first: list[list[int]] = plan.limit_first.tolist()
        self._transfer: list[list[int]] = plan.transfer.tolist()
        self._day_offset_us = plan.day_offset_us
        self._used: dict[int, tuple[int, int]] = {}
        """(day, amount used) by limit cell; cells of past days are dropped."""
        self._used_day = 0
        self._views: list[list[int]] = plan.route_view.tolist()
        self._block: list[list[int]] = plan.ledger.tolist()
        self.seen_stations = [0] * len(plan.station)
        self.seen_ledgers = [0] * len(plan.ledger)
        self._roles = _reverse_roles(plan.agent_account.tolist())
        self._station_roles = _reverse_roles(plan.agent_station.tolist())
        self._positions = _route_positions(plan)
        self.rejects: list[int] = plan.station[:, StationColumn.REASON_CLOSED].tolist()

    def day(self) -> int:
        """Return the local day of the event at hand."""
        return (self._findings.now + self._day_offset_us) // DAY_US

    def passes(self, p: PaymentState) -> bool:
        """Let a payment pass the stage it is at without a row, if it may; say whether it may."""
        row = self.stage[p.pc]
        op = row[S.OP]
        if op == Op.RESERVE:
            return self.amount(p, row[S.FIRST]) == 0
        if op in (Op.POST, Op.VOID, Op.CHARGE):
            if not p.has_begun:
                self.begin(p)
            return not p.todo
        if op == Op.CONVERT:
            return p.expiry_us != NULL and self._findings.now <= p.expiry_us
        if op == Op.LIMIT:
            limit = self.limit[row[S.SUBJECT]]
            most = limit[LimitColumn.PER_PAYMENT]
            within = most < 0 or p.registers[limit[LimitColumn.REGISTER]] <= most
            return limit[LimitColumn.PER_DAY] < 0 and within
        if op == Op.DECIDE:
            return row[S.VALUE] < CERTAIN
        if op == Op.DEADLINE:
            if row[S.VALUE] == 0:
                p.deadline_us = -1
            return row[S.VALUE] == 0
        if op == Op.ROUTE:
            return bool(row[S.FLAGS] & Flag.NEXT)
        return op == Op.CODE

    def leave(self, p: PaymentState) -> None:
        """Take a payment from the stage it is at to the next, settling what the stage settles."""
        row = self.stage[p.pc]
        if row[S.OP] in (Op.POST, Op.BATCH):
            if row[S.FLAGS] & Flag.SETTLES and p.settled_us == NULL:
                p.settled_us = self._findings.now
            if row[S.FLAGS] & Flag.CREDITS and p.credited_us == NULL:
                p.credited_us = self._findings.now
        elif row[S.OP] == Op.VOID:
            p.limits.clear()
        self.jump(p, p.pc + 1)

    def jump(self, p: PaymentState, stage: int) -> None:
        """Take a payment to a stage."""
        p.pc = stage
        p.todo.clear()
        p.has_begun = False

    def begin(self, p: PaymentState) -> None:
        """List the rows the stage at hand must write, in order."""
        row = self.stage[p.pc]
        op = row[S.OP]
        p.has_begun = True
        if op in (Op.POST, Op.BATCH):
            for transfer in range(row[S.FIRST], row[S.FIRST] + max(row[S.COUNT], 0)):
                self._expect_transfer(p, transfer)
        elif op == Op.VOID:
            for transfer in sorted(p.reserved):
                debit, credit, amount = p.reserved[transfer]
                p.todo.append(Expected(LogKind.VOID, debit, amount, credit, transfer))
            for slot in sorted(p.limits):
                limit, amount, day, payer = p.limits[slot]
                if day == self.day():
                    p.todo.append(
                        Expected(LogKind.GIVE_BACK, limit, amount, payer, has_accounts=False)
                    )
        elif op == Op.CHARGE:
            fee = row[S.SUBJECT]
            amount = p.registers[13 + self._prices.fee_slot(p.pricing, fee)] if p.is_quoted else 0
            if amount > 0:
                debit, credit = self._prices.fee_accounts(fee)
                p.todo.append(Expected(LogKind.TRANSFER, debit, amount, credit))
                p.todo.append(Expected(LogKind.FEE, fee, amount, -1, has_accounts=False))

    def amount(self, p: PaymentState, transfer: int) -> int:
        """Return the amount of a transfer row for a payment."""
        return p.registers[self._transfer[transfer][TransferColumn.REGISTER]]

    def accounts(self, transfer: int) -> tuple[int, int]:
        """Return debit and credit of a transfer row, accounts or role references."""
        row = self._transfer[transfer]
        return row[TransferColumn.DEBIT], row[TransferColumn.CREDIT]

    def is_account(self, p: PaymentState, reference: int, account: int) -> bool:
        """Say whether a reference may stand for an account, and learn the agent from it."""
        return _resolves(p, reference, account, self._roles)

    def is_station(self, p: PaymentState, reference: int, station: int) -> bool:
        """Say whether a reference may stand for a station, and learn the agent from it."""
        return _resolves(p, reference, station, self._station_roles)

    def use_limit(self, p: PaymentState, limit: int, amount: int, payer: int) -> None:
        """Check a LIMIT row and let the use grow."""
        row, check, day = self.limit[limit], self._findings.check, self.day()
        check(
            "limit",
            amount == p.registers[row[LimitColumn.REGISTER]]
            and not 0 <= row[LimitColumn.PER_PAYMENT] < amount,
            "payment {} uses {} of limit {} for one payment",
            p.number,
            amount,
            limit,
        )
        if day != self._used_day:
            self._used, self._used_day = {}, day
        cell = self._limit_first[limit][p.stream] + payer
        used = self._used.get(cell, (day, 0))[1] + amount
        check(
            "limit",
            used <= row[LimitColumn.PER_DAY],
            "payer {} uses {} of limit {} in one day",
            payer,
            used,
            limit,
        )
        self._used[cell] = (day, used)
        p.limits[self.stage[p.pc][S.VALUE]] = (limit, amount, day, payer)

    def give_back(self, p: PaymentState, limit: int, amount: int, payer: int) -> None:
        """Let the use of a limit shrink."""
        cell = self._limit_first[limit][p.stream] + payer
        day, used = self._used.get(cell, (self.day(), 0))
        self._findings.check(
            "limit", used >= amount, "{} given back of limit {}, {} used", amount, limit, used
        )
        self._used[cell] = (day, used - amount)

    def check_route(self, p: PaymentState, route: int, score: int) -> None:
        """Check that a route may be chosen now and that its score is what a policy gives."""
        row = self.stage[p.pc]
        is_next = bool(row[S.FLAGS] & Flag.NEXT)
        check = self._findings.check
        check("route", is_next == (p.attempts > 0), "payment {} is routed twice", p.number)
        if is_next:
            check(
                "route",
                p.reason in FAILOVER_REASONS and route not in p.tried,
                "payment {} fails over to route {} for reason {}",
                p.number,
                route,
                p.reason,
            )
        choices = self._positions.get(route, [])
        most = max((attempts for _, _, _, attempts in choices), default=0)
        check(
            "route",
            p.attempts < most,
            "payment {} makes attempt {}, route {} allows {}",
            p.number,
            p.attempts + 1,
            route,
            most,
        )
        # Who has one candidate left takes it unscored.
        possible = score == 0 or any(
            score == self._score(p, route, policy, at)
            for policy, at in sorted({choice[:2] for choice in choices})
        )
        check(
            "route",
            possible,
            "payment {} takes route {} with score {}, no policy gives that",
            p.number,
            route,
            score,
        )

    def is_price_refused(self, p: PaymentState, row: list[int]) -> bool:
        """Price a payment whose QUOTE failed; say whether it had to."""
        self.price(p, row[S.SUBJECT])
        return not is_usable(p.registers)

    def price(self, p: PaymentState, pricing: int) -> None:
        """Fill a payment's registers at the rates of now."""
        p.registers = self._prices.registers(
            pricing, p.registers[0], self._findings.now, p.submitted_us
        )
        p.pricing = pricing
        p.is_quoted = True

    def check_failure(self, p: PaymentState, reason: int) -> None:
        """Check the reason of a FAIL row where the stage alone decides it."""
        row = self.stage[p.pc]
        op, allowed = row[S.OP], row[S.REASON]
        holds = True
        if op == Op.CODE:
            holds = reason in (Reason.FF01, Reason.AEXR)
        elif op == Op.LIMIT:
            holds = self._may_exceed(p, row[S.SUBJECT], reason)
        elif op == Op.DECIDE:
            holds = allowed > 0 and reason == allowed and row[S.VALUE] > 0
        elif op == Op.QUOTE:
            holds = reason == allowed and self.is_price_refused(p, row)
        elif op == Op.CONVERT:
            holds = reason == allowed and p.requotes >= row[S.VALUE]
            holds = holds and self._findings.now > p.expiry_us
        elif op == Op.RESERVE:
            holds = reason == allowed and not row[S.FLAGS] & Flag.QUEUE
        elif op == Op.ROUTE:
            holds = reason == allowed and not row[S.FLAGS] & Flag.NEXT
        elif op != Op.SERVE:
            holds = False
        self._findings.check(
            "failure",
            holds,
            "payment {} fails at stage {} for reason {} without cause",
            p.number,
            p.pc,
            reason,
        )

    def _may_exceed(self, p: PaymentState, limit: int, reason: int) -> bool:
        row = self.limit[limit]
        most = row[LimitColumn.PER_PAYMENT]
        exceeds = 0 <= most < p.registers[row[LimitColumn.REGISTER]]
        if reason == Reason.AM02:
            return exceeds
        # The payer of a payment that used no limit is not in the log: a full day is believed.
        return reason == Reason.AM14 and not exceeds and row[LimitColumn.PER_DAY] >= 0

    def _expect_transfer(self, p: PaymentState, transfer: int) -> None:
        if transfer in p.reserved:
            debit, credit, amount = p.reserved[transfer]
            p.todo.append(Expected(LogKind.POST, debit, amount, credit, transfer))
            return
        amount = self.amount(p, transfer)
        if amount != 0:
            debit, credit = self.accounts(transfer)
            p.todo.append(Expected(LogKind.TRANSFER, debit, amount, credit))

    def _score(self, p: PaymentState, route: int, policy: int, position: int) -> int:
        if policy == Policy.PRIORITY:
            return position
        row = self.route[route]
        if policy == Policy.CHEAPEST:
            return self._prices.score(route, p.registers[0], self._findings.now, p.submitted_us)
        score = row[RouteColumn.EXPECTED_US]
        first = row[RouteColumn.VIEW_FIRST]
        for view in self._views[first : first + max(row[RouteColumn.VIEW_COUNT], 0)]:
            subject = view[RouteViewColumn.SUBJECT]
            if view[RouteViewColumn.KIND] == 0:
                score += self.seen_stations[subject] * view[RouteViewColumn.PER_ITEM]
            else:
                ledger = self._block[subject]
                blocks = self.seen_ledgers[subject] // ledger[LedgerColumn.BLOCK_LIMIT]
                score += blocks * ledger[LedgerColumn.ROUND_INTERVAL_US]
        return score


def _reverse_roles(table: list[list[int]]) -> dict[tuple[int, int], frozenset[int]]:
    """Return the agents that have an account or station, by (kind, account or station)."""
    found: dict[tuple[int, int], set[int]] = {}
    for agent, row in enumerate(table):
        for kind, subject in enumerate(row):
            if subject >= 0:
                found.setdefault((kind, subject), set()).add(agent)
    return {place: frozenset(agents) for place, agents in found.items()}


def _resolves(
    p: PaymentState,
    reference: int,
    subject: int,
    roles: dict[tuple[int, int], frozenset[int]],
) -> bool:
    if reference >= 0:
        return reference == subject
    role, kind = divmod(-reference - 2, 1024)
    possible = roles.get((kind, subject), frozenset())
    known = p.agents[role]
    agents = possible if known is None else known & possible
    if not agents:
        return False
    p.agents[role] = agents
    return True


def _route_positions(plan: Plan) -> dict[int, list[tuple[int, int, int, int]]]:
    """Return (policy, position, candidates, attempts allowed) of every set a route is in."""
    found: dict[int, list[tuple[int, int, int, int]]] = {}
    candidates = plan.candidate.tolist()
    for row in plan.route_set.tolist():
        first, count = row[RouteSetColumn.FIRST], row[RouteSetColumn.COUNT]
        for at, route in enumerate(candidates[first : first + count]):
            entry = (row[RouteSetColumn.POLICY], at, count, row[RouteSetColumn.MAX_ATTEMPTS])
            found.setdefault(route, []).append(entry)
    return found
