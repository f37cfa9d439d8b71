"""The agenda of the reference engine: deposits, closures, slower places, clearing files, top-ups.

Takes the run and a row of the plan's agenda; does what it says. The meaning of every kind is in
:class:`~sim.contract.agenda.AgendaKind`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sim.contract.agenda import AgendaKind, FileTotal, Negative
from sim.contract.layout import AMOUNT_MAX, NULL, PPM, UNLIMITED, ConversionColumn
from sim.contract.meaning import LogKind
from sim.engine.reference.accounts import deposit, move_money
from sim.engine.reference.large_value import Systems
from sim.engine.reference.readings import read_places
from sim.engine.reference.run import Run
from sim.engine.reference.shares import share
from sim.engine.reference.shops import ask_about_orders
from sim.engine.reference.stations import change_servers, close_station, open_station
from sim.money.covering import trade_cost
from sim.money.exchange import mid_value

_SLOWS = {
    AgendaKind.STATION_PACE: LogKind.STATION_PACE,
    AgendaKind.STATION_RATE: LogKind.STATION_RATE,
    AgendaKind.STATION_SERVERS: LogKind.STATION_SERVERS,
    AgendaKind.LEDGER_BLOCK: LogKind.LEDGER_BLOCK,
}


class Line(NamedTuple):
    """One row of ``Plan.line``; fields are columns of ``LineColumn``."""

    payments: int
    refunds: int
    closed: int
    interchange_ppm: int
    interchange_to: int
    scheme_ppm: int
    scheme_to: int
    conversion: int
    sold_to: int
    spread_to: int
    bought_from: int
    held: int
    paid_to: int
    threshold: int
    negative: int
    rail: int
    agent: int


class File(NamedTuple):
    """One row of ``Plan.file``; fields are columns of ``FileColumn``."""

    line: int
    opens_us: int
    cut_us: int
    converted_us: int
    settled_us: int
    net: int


class TopUp(NamedTuple):
    """One row of ``Plan.top_up``; fields are columns of ``TopUpColumn``."""

    account: int
    source: int
    low: int
    target: int
    most: int
    high: int
    buys: int
    sells: int
    pays: int
    paid_to: int
    room: int
    taken: int
    other_room: int
    other_taken: int


class Clearing:
    """What is owed and ordered: nets of files, what lines carry, what is on the way.

    Parameters
    ----------
    run : Run
    systems : Systems
        Large-value systems, whose offsets and closes the agenda knows.
    """

    def __init__(self, run: Run, systems: Systems) -> None:
        plan = run.plan
        self.run = run
        self.lines = [Line(*row) for row in plan.line.tolist()]
        self.files = [File(*row) for row in plan.file.tolist()]
        self.rules = [TopUp(*row) for row in plan.top_up.tolist()]
        self.orders: list[list[int]] = plan.order.tolist()
        # Of a file cut before the start the plan knows the net already.
        self.net = [file.net for file in self.files]
        self.filed = [[NULL] * len(FileTotal) for _ in self.files]
        """Totals of files: paid and carried."""
        self.carried = [0] * len(self.lines)
        self.unsold = [0] * len(self.lines)
        self.ordered = [0] * len(self.orders)
        self.coming = [0] * len(self.rules)
        self._kept: dict[int, Callable[[int], None]] = {
            AgendaKind.FILE_CUT: self._cut,
            AgendaKind.FILE_CONVERTED: self._convert,
            AgendaKind.FILE_SETTLED: self._settle,
            AgendaKind.TOP_UP_ORDERED: self._order,
            AgendaKind.TOP_UP_ARRIVED: self._arrive,
            AgendaKind.SYSTEM_OFFSET: systems.due_offset,
            AgendaKind.SYSTEM_CLOSE: systems.due_close,
        }

    def keep(self, index: int) -> None:
        """Do what a row of the agenda says."""
        _, kind, subject, amount = self.run.plan.agenda[index].tolist()
        if kind == AgendaKind.DEPOSIT:
            deposit(self.run, subject, amount)
        elif kind == AgendaKind.STATION_CLOSE:
            close_station(self.run, subject)
        elif kind == AgendaKind.STATION_OPEN:
            open_station(self.run, subject)
        elif kind == AgendaKind.READING:
            read_places(self.run, subject)
        elif kind == AgendaKind.SHOP_ASKS:
            ask_about_orders(self.run, subject)
        elif kind in _SLOWS:
            self._slow(kind, subject, amount)
        elif kind in self._kept:
            self._kept[kind](subject)
        else:
            self.run.broken(f"row {index} of the agenda has the unknown kind {kind}")

    def _slow(self, kind: int, subject: int, amount: int) -> None:
        """Let a place work at another pace, rate or size from here on."""
        self.run.log(_SLOWS[AgendaKind(kind)], None, subject, amount)
        if kind == AgendaKind.STATION_PACE:
            self.run.stations[subject].pace_ppm = amount
        elif kind == AgendaKind.STATION_RATE:
            self.run.stations[subject].rate_period_us = amount
        elif kind == AgendaKind.STATION_SERVERS:
            change_servers(self.run, subject, amount)
        else:
            self.run.ledgers[subject].block_limit = amount

    def _cut(self, number: int) -> None:
        line = self.lines[self.files[number].line]
        accounts = self.run.accounts
        # What a refund holds back belongs to the file of the day the refund ends on.
        paid = accounts[line.payments].posted - accounts[line.payments].pending
        back = -accounts[line.refunds].posted if line.refunds >= 0 else 0
        interchange = share(paid - back, line.interchange_ppm)
        # On payments alone: a scheme keeps its fee when the payee gives the money back.
        scheme = share(paid, line.scheme_ppm)
        self.net[number] = paid - back - interchange - scheme
        self.run.log(LogKind.FILE_CUT, None, number, paid - back, value=self.net[number])
        self._move(line.payments, line.closed, paid)
        if line.refunds >= 0:
            self._move(line.closed, line.refunds, back)
        self._move(line.closed, line.interchange_to, interchange)
        self._move(line.closed, line.scheme_to, scheme)

    def _convert(self, number: int) -> None:
        of = self.files[number].line
        line, plan = self.lines[of], self.run.plan
        sold = self.net[number] + self.unsold[of]
        # A pool that stands below zero waits for the payments of later days.
        if sold <= 0:
            self.unsold[of], self.net[number] = sold, 0
            self.run.log(LogKind.FILE_CONVERTED, None, number, 0, value=0)
            return
        if sold >= AMOUNT_MAX:
            self.run.broken(f"file {number} sells {sold}, beyond the arithmetic of prices")
        spread = int(plan.conversion[line.conversion, ConversionColumn.SPREAD_PPM])
        mid = sold * PPM // (PPM + spread)
        bought = mid_value(
            plan.conversion,
            plan.rate,
            plan.pair_scale,
            plan.fx_step_us,
            line.conversion,
            mid,
            self.run.now_us,
        )
        self.unsold[of], self.net[number] = 0, int(bought)
        self.run.log(LogKind.FILE_CONVERTED, None, number, sold, value=int(bought))
        self._move(line.closed, line.sold_to, mid)
        self._move(line.closed, line.spread_to, sold - mid)
        self._move(line.bought_from, line.held, int(bought))

    def _settle(self, number: int) -> None:
        of = self.files[number].line
        line = self.lines[of]
        due = self.net[number] + self.carried[of]
        can_pay = self.run.accounts[line.paid_to].available >= -due
        owes = due < 0 and line.negative == Negative.PAY and can_pay
        paid = due if due >= max(line.threshold, 1) or owes else 0
        self.carried[of] = due - paid
        self.filed[number] = [paid, due - paid]
        self.run.log(LogKind.FILE_SETTLED, None, number, paid, value=due - paid)
        self._move(line.held, line.paid_to, paid)

    def _order(self, number: int) -> None:
        of = self.orders[number][0]
        rule = self.rules[of]
        account = self.run.accounts[rule.account]
        level = account.posted - account.pending + self.coming[of]
        # What is on the way counts, or every look would order the same money again.
        is_far = level < rule.low or level > rule.high
        wanted = rule.target - level if is_far else 0
        # Only what is bought is bounded.
        amount = min(wanted, rule.most) if rule.most >= 0 else wanted
        if rule.buys >= 0 and abs(amount) >= AMOUNT_MAX:
            self.run.broken(f"order {number} trades {amount}, beyond the arithmetic of prices")
        self.ordered[number] = amount
        self.coming[of] += amount
        self.run.log(LogKind.TOP_UP_ORDERED, None, number, amount, value=level)

    def _arrive(self, number: int) -> None:
        of, ordered = self.orders[number][0], self.ordered[number]
        rule = self.rules[of]
        source = self.run.accounts[rule.source]
        left = max(source.available, 0)
        amount = ordered if source.overdraft >= UNLIMITED else min(ordered, left)
        self.coming[of] -= ordered
        self.run.log(LogKind.TOP_UP_ARRIVED, None, number, amount, value=ordered)
        self._move(rule.source, rule.account, amount)
        if rule.buys >= 0:
            self._pay(number, rule, amount)

    def _pay(self, number: int, rule: TopUp, traded: int) -> None:
        """Pay for what a covering trade has brought, or be paid for what it has taken."""
        plan = self.run.plan
        cost = trade_cost(
            plan.conversion,
            plan.rate,
            plan.pair_scale,
            plan.fx_step_us,
            rule.buys,
            rule.sells,
            traded,
            # Dealt when it was ordered; only the money comes later.
            self.orders[number][1],
        )
        self._move(rule.pays, rule.paid_to, int(cost))
        if rule.room >= 0:
            self._move(rule.room, rule.taken, traded)
        if rule.other_room >= 0:
            self._move(rule.other_taken, rule.other_room, int(cost))

    def _move(self, debit: int, credit: int, amount: int) -> None:
        if amount < 0:
            debit, credit, amount = credit, debit, -amount
        move_money(self.run, debit, credit, amount)
