"""At every event and in every currency: debited = credited + fees + returned + still on its way.

Replays logs event by event and knows only accounts, prices and outcomes: what a payer was debited
is either with the payee, at the price the payer was shown, or back with the payer, or on its way,
and never in two of these places.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from sim.compiler.compile import Compiled, compile_scenario
from sim.contract.layout import AccountColumn
from sim.contract.meaning import LogKind, Outcome
from sim.contract.plan import Array
from sim.contract.records import LogColumn as L
from sim.engine.compiled import run_compiled
from sim.scenario.scenario import load_scenario
from tests.theory.driver import ROOT, Recorder

MOVES = (LogKind.POST, LogKind.TRANSFER, LogKind.MOVED, LogKind.DEPOSIT)


@dataclass
class _Payment:
    """What has been done with a payment's money, in minor units."""

    currency: int = -1
    payer: int = -1
    debited: int = 0
    credited: int = 0
    taken: int = 0
    given: int = 0
    payer_fees: int = 0
    payee_fees: int = 0
    back: int = 0
    """Paid back after it had completed."""


@dataclass
class _Books:
    """Balances and payments as a log tells them."""

    compiled: Compiled
    balance: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    payments: defaultdict[int, _Payment] = field(default_factory=lambda: defaultdict(_Payment))
    problems: list[str] = field(default_factory=list)
    events: int = 0
    on_the_way: int = 0
    """Events at whose end money was on its way."""

    def replay(self, log: Array) -> _Books:
        """Replay a log; stop at the first event after which something is missing."""
        last = None
        for row in log.tolist():
            at = (row[L.TIME_US], row[L.KEY])
            if last is not None and at != last:
                self._close()
                if self.problems:
                    return self
            last = at
            self._row(row)
        self._close()
        return self

    def _row(self, row: list[int]) -> None:
        kind, number, subject = row[L.KIND], row[L.PAYMENT], row[L.SUBJECT]
        amount, value = row[L.AMOUNT], row[L.VALUE]
        if kind == LogKind.QUOTE:
            of = self.payments[number]
            of.debited, of.credited = amount, value
        elif kind in MOVES:
            self.balance[subject] -= amount
            self.balance[value] += amount
            if number >= 0:
                self._move(self.payments[number], subject, amount, value, kind)
        elif kind == LogKind.OUTCOME:
            self._end(number, subject)

    def _move(self, of: _Payment, debit: int, amount: int, credit: int, kind: int) -> None:
        names = self.compiled.plan.names.accounts
        is_fee = names[credit].startswith("fees:")
        if kind == LogKind.MOVED:
            of.back += amount if credit == of.payer else 0
        elif names[debit].startswith("customers:"):
            if of.payer < 0:
                of.payer = debit
                of.currency = int(self.compiled.plan.account[debit, AccountColumn.CURRENCY])
            if is_fee and debit == of.payer:
                of.payer_fees += amount
            elif is_fee:
                of.payee_fees += amount
            elif debit == of.payer:
                of.taken += amount
            else:
                # What was credited and is refused afterwards goes back the way it came.
                of.given -= amount
        if kind != LogKind.MOVED and names[credit].startswith("customers:"):
            # A return gives the payer back; both may be customers of one bank and one account.
            if credit == of.payer and of.given == 0 and debit != of.payer:
                of.taken -= amount
            else:
                of.given += amount

    def _end(self, number: int, outcome: int) -> None:
        of = self.payments[number]
        right = {
            Outcome.COMPLETED: of.taken == of.debited and of.given - of.payee_fees == of.credited,
            Outcome.REJECTED: of.taken == 0 and of.given == 0,
            Outcome.NOT_PAYABLE: of.taken == 0 and of.given == 0,
            Outcome.RETURNED: of.taken == 0 and of.given == 0 and of.payer_fees == 0,
        }.get(Outcome(outcome), True)
        if not right:
            self.problems.append(f"payment {number} ends {Outcome(outcome).name} with {of}")

    def _close(self) -> None:
        """Ask at the end of an event for what must hold in every currency."""
        self.events += 1
        total: defaultdict[int, int] = defaultdict(int)
        plan = self.compiled.plan
        for account, balance in self.balance.items():
            total[int(plan.account[account, AccountColumn.CURRENCY])] += balance
        if any(total.values()):
            self.problems.append(f"currencies sum to {dict(total)}")
        debited, placed = defaultdict(int), defaultdict(int)
        for number, of in self.payments.items():
            debited[of.currency] += of.taken + of.payer_fees
            # Credited, or on its way with the whole of what was taken; a bill is paid at once.
            if of.taken not in (0, of.debited):
                self.problems.append(f"payment {number} is debited in part: {of}")
            if of.given and of.taken != of.debited:
                self.problems.append(f"payment {number} is credited and not debited: {of}")
            self.on_the_way += bool(of.taken and not of.given)
            credited = of.debited if of.given else 0
            on_its_way = of.taken if not of.given else 0
            placed[of.currency] += credited + of.payer_fees + on_its_way
        if debited != placed:
            self.problems.append(f"debited {dict(debited)}, placed {dict(placed)}")


SCENARIOS = {
    "minimal": "scenario: minimal_again\nextends: minimal.yaml\n",
    "nostro": """scenario: nostro
extends: minimal.yaml
clock: {start: 2025-09-17T12:00:00+07:00, horizon: 20 min}
rails: {unionpay: {debit_first: true}}
accounts: {river_cny_at_unionpay: {balance: 40, when_short: queue}}
demand: {inbound: null, domestic: null}
""",
    "gwlate": """scenario: gwlate
extends: minimal.yaml
clock: {start: 2025-09-17T12:00:00+07:00, horizon: 60 min}
rails: {unionpay: {authorisation_time: 1200 s}}
demand: {inbound: null, domestic: null}
""",
    "frozen": """scenario: frozen
extends: minimal.yaml
clock: {start: 2025-09-17T12:00:00+07:00, horizon: 23 h}
rails: {bakong: {idle_interval: 1 min}}
institutions: {river_bank: {screening: {mode: after, hit_share: 100 %, refused_share: 100 %}}}
""",
    "refunds": """scenario: refunded
extends: minimal.yaml
clock: {start: 2025-09-17T12:00:00+07:00, horizon: 10 min}
demand:
  outbound: {payments: [{at: 3 s, amount: 50, refunds: {half: {after: 1 min, amount: 25}}}]}
""",
    "two_way": """scenario: two_way
extends: china-two-way.yaml
clock: {start: 2025-09-17T18:00:00+07:00, horizon: 60 s}
demand: {domestic_khr: null, domestic_usd: null}
""",
}
UNDER_WAY = {"nostro", "gwlate", "frozen"}


def _ran(folder: Path, name: str) -> tuple[Compiled, Array]:
    text = SCENARIOS[name]
    for file in ("minimal.yaml", "china-two-way.yaml"):
        text = text.replace(f"extends: {file}", f"extends: {ROOT / 'scenarios' / file}")
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    compiled = compile_scenario(load_scenario(path))
    sink = Recorder(wants_log=True)
    run_compiled(compiled.plan, compiled.workload(), sink)
    return compiled, np.concatenate(sink.logs)


@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_is_lost_at_any_event(tmp_path: Path, name: str) -> None:
    compiled, log = _ran(tmp_path, name)
    books = _Books(compiled).replay(log)
    assert books.problems == []
    assert books.events > 10
    if name in UNDER_WAY:
        assert books.on_the_way > 0


def _without(log: Array, compiled: Compiled, kind: LogKind, prefix: str) -> Array:
    """Leave out the first row of a kind that credits an account whose name begins so."""
    names = compiled.plan.names.accounts
    for at in np.flatnonzero(log[:, L.KIND] == kind).tolist():
        if names[log[at, L.VALUE]].startswith(prefix):
            return np.delete(log, at, axis=0)
    raise AssertionError(prefix)


def test_what_is_missing_or_there_twice_is_found(tmp_path: Path) -> None:
    # The negative controls: a payee who is not credited, one who is credited a unit too much, a
    # payer debited twice, a return that does not come.
    compiled, log = _ran(tmp_path, "minimal")
    payee = _without(log, compiled, LogKind.TRANSFER, "customers:")
    assert "ends COMPLETED" in _Books(compiled).replay(payee).problems[0]
    more = log.copy()
    names = compiled.plan.names.accounts
    moves = np.flatnonzero(log[:, L.KIND] == LogKind.TRANSFER)
    credit = next(at for at in moves if names[log[at, L.VALUE]].startswith("customers:"))
    more[credit, L.AMOUNT] += 1
    assert _Books(compiled).replay(more).problems
    debit = next(at for at in moves if names[log[at, L.SUBJECT]].startswith("customers:"))
    twice = np.insert(log, debit, log[debit], axis=0)
    assert "debited in part" in _Books(compiled).replay(twice).problems[0]
    compiled, log = _ran(tmp_path, "nostro")
    lost = log.copy()
    ends = np.flatnonzero(log[:, L.KIND] == LogKind.OUTCOME)
    assert lost[ends[-1], L.SUBJECT] == Outcome.RETURNED
    kinds = (LogKind.POST, LogKind.TRANSFER)
    back = [
        at
        for at in np.flatnonzero(np.isin(log[:, L.KIND], kinds)).tolist()
        if names[log[at, L.VALUE]].startswith("customers:")
    ]
    lost = np.delete(log, back, axis=0)
    assert "ends RETURNED" in _Books(compiled).replay(lost).problems[0]
