"""Random plans over all operations, and workloads for them.

Takes a seed and a few sizes; gives a plan that ends (no backward jump but requotes), keeps engines'
invariants (every way to END voids what is reserved) and is tight. Accounts are paired at random.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from sim.compiler.builder import PlanBuilder
from sim.contract.charges import Rounding
from sim.contract.meaning import (
    FAILOVER_REASONS,
    Bearer,
    Cause,
    Discipline,
    FeeKind,
    FixedSide,
    Flag,
    Instead,
    Op,
    Outcome,
    Reason,
    WhenClosed,
)  # fmt: skip
from sim.contract.plan import Array, Plan
from sim.contract.records import Register
from sim.units import SECOND_US
from tests.equivalence.random_asking import Asking
from tests.equivalence.random_clearing import add_clearing
from tests.equivalence.random_guards import add_guards
from tests.equivalence.random_load import add_load
from tests.equivalence.random_patience import Patience
from tests.equivalence.random_refunds import add_refunds
from tests.equivalence.random_rules import OURS, add_rules
from tests.equivalence.random_shops import Shops
from tests.equivalence.random_slower import add_closures, add_slower
from tests.equivalence.random_spreads import with_spreads
from tests.equivalence.random_systems import Systems
from tests.equivalence.random_workload import random_workload

_MONEY = (Register.INSTRUCTED, Register.DEBITED, Register.SETTLEMENT, Register.CREDITED)
_PRICED = (*_MONEY, Register.SPREAD_1, Register.PAYER_FEE, Register.MID_1, Register.FEE_0)
_CAUSES = (Cause.SERVICE, Cause.TRANSIT, Cause.LEDGER, Cause.HUMAN)


@dataclass(frozen=True)
class Case:
    """A plan and payments for it."""

    plan: Plan
    workload: Array


def random_case(seed: int, payments: int, *, ties: bool) -> Case:
    """Return a random plan and workload.

    Parameters
    ----------
    seed : int
        Decides everything else.
    payments : int
    ties : bool
        Everything on whole seconds: most events have company.
    """
    return _Maker(random.Random(seed), ties=ties).make(seed, payments)


class _Maker:
    """Make one random plan."""

    def __init__(self, luck: random.Random, *, ties: bool) -> None:
        self.luck, self.ties = luck, ties

    def make(self, seed: int, payments: int) -> Case:
        luck = self.luck
        self.span_us = luck.choice((20, 60, 200)) * SECOND_US
        self.b = PlanBuilder(
            day_offset_us=luck.choice((0, 0, 86_400 * SECOND_US - self.span_us // 2)),
            horizon_us=self.span_us + (0 if self.ties else luck.randrange(SECOND_US)),
            warm_up_us=luck.choice((0, self.span_us // 4, self.span_us // 3 + 1)),
            sample_interval_us=luck.choice((0, 5, 7)) * SECOND_US,
            fx_step_us=luck.choice((1, 10)) * SECOND_US,
            seed=seed,
        )
        for name in ("one", "two"):
            self.b.instruments.add(name)
        self._add_places()
        self._add_accounts()
        self._add_prices()
        self.systems = Systems(seed, self.b, span_us=self.span_us)
        self.asking = Asking(seed, self.b, self.stations)
        self.patience = Patience(seed, self.b, ties=self.ties)
        self.shops = Shops(seed, self.b, self.stations)
        self._add_streams_and_routes()
        add_closures(luck, self.b, self.stations, span_us=self.span_us)
        add_slower(seed, self.b, (self.stations, self.ledgers), span_us=self.span_us)
        add_clearing(seed, self.b, self.accounts, span_us=self.span_us, ties=self.ties)
        add_refunds(seed, self.b, self.accounts, ties=self.ties)
        add_guards(seed, self.b, self.accounts)
        add_rules(seed, self.b, self.accounts)
        add_load(seed, self.b, self.ledgers, span_us=self.span_us, ties=self.ties)
        plan, by = with_spreads(seed, self.b.build()), {"span_us": self.span_us, "ties": self.ties}
        return Case(plan, random_workload(luck, payments, len(plan.stream), **by))

    def _time(self) -> int:
        """Return a table of random durations."""
        if self.ties:
            return self.b.constant_table(self.luck.choice((0, 1, 1, 2, 3, 5)) * SECOND_US)
        family = self.luck.choice(("exponential", "uniform", "constant"))
        if family == "uniform":
            return self.b.table("uniform", {"low": 100_000.0, "high": 3_000_000.0})
        if family == "constant":
            return self.b.constant_table(1_234_567)
        return self.b.table("exponential", {"mean": self.luck.choice((400_000.0, 2_000_000.0))})

    def _stage_time(self) -> int:
        """Return a table, or a reference to that of one of the payment's agents."""
        if self.luck.random() < 0.2:
            return self.b.time_ref(self.luck.randrange(2), "pace")
        return self._time()

    def _purpose(self) -> int:
        return self.b.purpose(f"purpose {self.luck.randrange(6)}")

    def _threshold(self) -> int:
        return int(self.luck.choice((0.0, 0.1, 0.3, 0.6)) * 2.0**62)

    def _branch(self) -> int:
        """Return a threshold, or a reference to that of one of the payment's agents."""
        if self.luck.random() < 0.3:
            return self.b.share_ref(self.luck.randrange(2), "habit")
        return self._threshold()

    def _reason(self) -> int:
        return int(self.luck.choice((*FAILOVER_REASONS, Reason.RR04, Reason.AG01, Reason.MS03)))

    def _add_places(self) -> None:
        luck, b = self.luck, self.b
        self.stations, self.ledgers = [], []
        for number in range(luck.randint(1, 4)):
            station = b.add_station(
                f"r.s{number}",
                servers=luck.choice((1, 1, 2, 5, 1 << 40)),
                queue_limit=luck.choice((0, 1, 3, 1 << 40)),
                rate_count=luck.choice((0, 0, 1, 3)),
                rate_period_us=luck.choice((SECOND_US, 2 * SECOND_US, 1_700_001)),
                discipline=luck.choice(list(Discipline)),
                when_closed=luck.choice(list(WhenClosed)),
                reason_closed=self._reason(),
            )
            self.stations.append(station)
        for number in range(luck.randint(1, 3)):
            peers = luck.choice((1, 4, 7))
            ledger = b.add_ledger(
                f"r.l{number}",
                round_interval_us=luck.choice((1, 2, 3)) * SECOND_US,
                block_limit=luck.choice((1, 2, 5, 100)),
                vote_table=self._time(),
                peers=peers,
                idle_max_us=luck.choice((0, 4, 16)) * SECOND_US,
                leader_failure=self._threshold(),
            )
            self.ledgers.append(ledger)

    def _add_accounts(self) -> None:
        luck, b = self.luck, self.b
        b.world("USD")
        self.accounts = []
        for number in range(luck.randint(2, 6)):
            account = b.add_account(
                f"a{number}",
                "USD",
                overdraft=luck.choice((0, 0, 0, 300, 1 << 61)),
                watched=luck.random() < 0.6,
            )
            self.accounts.append(account)
            for _ in range(luck.randint(0, 4)):
                at = luck.choice((0, luck.randrange(self.span_us // SECOND_US) * SECOND_US))
                b.deposit(at, account, luck.choice((0, 50, 400, 3000, 9000)))
        for agent in range(3):
            for kind in ("nostro", "book"):
                b.assign_account(f"agent{agent}", kind, luck.choice(self.accounts))
            b.assign_station(f"agent{agent}", "host", luck.choice(self.stations))
            b.assign_time(f"agent{agent}", "pace", self._time())
            b.assign_share(f"agent{agent}", "habit", self._threshold())

    def _account(self) -> int:
        if self.luck.random() < 0.4:
            return self.b.account_ref(self.luck.randrange(2), self.luck.choice(("nostro", "book")))
        return self.luck.choice(self.accounts)

    def _transfer(self, registers: tuple[Register, ...]) -> int:
        return self.b.add_transfer(self._account(), self._account(), self.luck.choice(registers))

    def _add_prices(self) -> None:
        luck, b, steps, spreads = self.luck, self.b, self.luck.randint(1, 8), (0, 5_000, 30_000)
        pairs = [
            b.add_pair("USD/KHR", [luck.randint(39_000, 42_000) for _ in range(steps)], 10_000),
            b.add_pair("CNY/USD", [luck.randint(1_300, 1_500) for _ in range(steps)], 10_000),
        ]
        conversions = [-1, -1] + [
            b.add_conversion(
                luck.choice(pairs), inverted=luck.random() < 0.5, spread_ppm=luck.choice(spreads)
            )
            for _ in range(3)
        ]
        self.pricings: list[tuple[int, list[int]]] = []
        for _ in range(3):
            fees = [self._fee() for _ in range(luck.randint(0, 4))]
            pricing = b.add_pricing(
                rounding=Rounding(len(self.pricings) % 2),
                currencies=("USD", "USD", "USD"),
                conversions=(luck.choice(conversions), luck.choice(conversions)),
                granules=(luck.choice((1, 10)), luck.choice((1, 10)), luck.choice((1, 100))),
                fixed_side=luck.choice(list(FixedSide)),
                fee_first=fees[0] if fees else 0,
                fee_count=len(fees), least_debited=luck.choice((0, 0, 300)),
            )  # fmt: skip
            self.pricings.append((pricing, fees))
        self.limits = [
            b.add_limit(
                f"limit{number}",
                register=luck.choice((Register.INSTRUCTED, Register.INSTRUCTED, Register.DEBITED)),
                per_payment=luck.choice((-1, 340, 450)),
                per_day=luck.choice((-1, 900, 2000, 5000)),
                **luck.choice(({}, {"least": 40}, {"days": 365, "shift": 7})),
            )
            for number in range(2)
        ]

    def _fee(self) -> int:
        luck, b = self.luck, self.b
        kind = luck.choice(list(FeeKind))
        first, count = b.add_tiers([(100, 1, 0), (300, 2, 4_000), (-1, 0, 9_000)])
        return b.add_fee(
            component="c", recipient="r", currency="USD", kind=kind,
            base=luck.choice((Register.DEBITED, Register.SETTLEMENT, Register.CREDITED_GROSS)),
            fixed=luck.choice((0, 1, 7)),
            ppm=luck.choice((0, 2_000, 30_000)),
            threshold=luck.choice((0, 200)),
            minimum=luck.choice((-1, 2)),
            maximum=luck.choice((-1, 10)),
            granule=luck.choice((1, 5)),
            tier_first=first,
            tier_count=count,
            bearer=luck.choice(list(Bearer)),
            debit=self._account(),
            credit=self._account(),
        )  # fmt: skip

    def _add_streams_and_routes(self) -> None:
        """Lay out programs: streams first, then the routes their ROUTE stages jump to."""
        luck, b = self.luck, self.b
        for number in range(luck.randint(1, 3)):
            end, again = self._tail(before_end=[])
            entry = self.shops.maybe_order(end)
            body = b.next_stage
            self._middle(end, (Register.INSTRUCTED,), luck.randint(0, 3))
            if luck.random() < 0.85:
                b.add_stage(Op.ROUTE, "first choice", target=end, reason=Reason.AG03)
            else:
                self._finish()
            self.asking.lead(again, body)
            b.add_stream(
                f"stream{number}",
                entry=entry,
                corridor="c",
                currency="USD",
                priority=luck.randrange(3),
                payers=4,
                after_failure=luck.choice((-1, end)),
                patience=self.patience.of_stream(),
            )
            for limit in self.limits:
                b.use_limit(limit, number)
        routes = [self._route(number) for number in range(luck.randint(1, 4))]
        for number in range(3):
            count = luck.randint(0 if number == 2 else 1, len(routes))
            b.add_route_set(
                f"set{number}",
                [
                    (route, luck.choice((0, 0, 1)), luck.choice((0, 1, 1, 3)))
                    for route in luck.sample(routes, count)
                ],
                policy=luck.choice(OURS),
                max_attempts=luck.randint(1, 4),
            )

    def _route(self, number: int) -> int:
        luck, b = self.luck, self.b
        fail_path, again = self._tail(before_end=["failover"])
        entry = b.next_stage
        pricing, fees = luck.choice(self.pricings) if luck.random() < 0.8 else (-1, [])
        registers: tuple[Register, ...] = (Register.INSTRUCTED,)
        if pricing >= 0:
            registers = tuple(_PRICED)
            validity = luck.choice((0, 0, 1, 2)) * SECOND_US
            quoted = b.add_stage(
                Op.QUOTE, "quote", subject=pricing, value=validity, target=fail_path,
                reason=Reason.AM12,
            )  # fmt: skip
            if luck.random() < 0.7:
                self._wait(fail_path)
            b.add_stage(
                Op.CONVERT, "convert", subject=quoted, value=luck.randint(0, 2), target=fail_path,
                reason=Reason.NOAS,
            )  # fmt: skip
        self._middle(fail_path, registers, luck.randint(2, 7))
        for fee in luck.sample(fees, luck.randint(0, len(fees))):
            b.add_stage(Op.CHARGE, "charge", subject=fee)
        self._finish()
        self.asking.lead(again, entry)
        route = b.add_route(
            f"route{number}",
            rail="r",
            corridor="c",
            entry=entry,
            pricing=pricing,
            expected_us=luck.randrange(10) * SECOND_US,
            debtor_agent=luck.choice((-1, 0, 1)),
            creditor_agent=luck.choice((-1, 1, 2)),
            confirmed=self.reached.get(Flag.CONFIRMS, -1),
            authorised=self.reached.get(Flag.AUTHORISES, -1),
            **{"class": pricing + 1 if luck.random() < 0.8 else -1},
        )
        b.set_route_view(
            route,
            [
                (0, luck.choice(self.stations), luck.randrange(3) * SECOND_US),
                (1, luck.choice(self.ledgers), -1),
            ][: luck.randint(0, 2)],
        )
        return route

    def _tail(self, before_end: list[str]) -> tuple[int, int]:
        """Add the way every failure goes; return its first stage, and a try again."""
        luck, b = self.luck, self.b
        first = self._resolve()
        b.add_stage(Op.VOID, "void")
        if luck.random() < 0.3:
            b.add_stage(
                Op.TRANSIT, "reversal", table=self._time(), purpose=self._purpose(),
                cause=Cause.TRANSIT,
            )  # fmt: skip
        again = self.asking.maybe_retry(Flag.NEXT if before_end else Flag(0))
        if before_end and luck.random() < 0.9:
            b.add_stage(Op.ROUTE, "next choice", flags=Flag.NEXT)
        b.add_stage(
            Op.END, "rejected", value=luck.choice((Outcome.REJECTED, Outcome.NOT_PAYABLE)),
            reason=luck.choice((-1, -1, 18)), subject=luck.choice((-1, *Instead)),
        )  # fmt: skip
        return first, again

    def _resolve(self) -> int:
        """Add what ends a doubt, perhaps after the answer has come; return its first stage."""
        luck, b = self.luck, self.b
        first = b.next_stage
        if luck.random() < 0.2:
            b.add_stage(
                Op.TRANSIT, "before", table=self._time(), purpose=self._purpose(),
                cause=Cause.IN_DOUBT,
            )  # fmt: skip
        wait = None
        if luck.random() < 0.8:
            wait = b.add_stage(
                Op.AWAIT, "answer", value=luck.choice((1, 2, 20)) * SECOND_US,
                cause=luck.choice((Cause.IN_DOUBT, Cause.TRANSIT)),
                reason=luck.choice((-1, -1, self._reason())), subject=self.asking.polled(),
            )  # fmt: skip
            if luck.random() < 0.5:
                b.add_stage(
                    Op.TRANSIT, "way", table=self._time(), purpose=self._purpose(),
                    cause=Cause.IN_DOUBT,
                )  # fmt: skip
        known = b.add_stage(Op.RESOLVE, "known")
        b.set_stage(first if wait is None else wait, target=known)
        return first

    def _finish(self) -> None:
        """Add settlement, perhaps a return, and the good end."""
        luck, b = self.luck, self.b
        for row in self.reserved:
            if luck.random() < 0.8:
                b.add_stage(Op.POST, "post reserved", first=row, count=1, flags=Flag(0))
        self._post(Flag.SETTLES)
        if luck.random() < 0.3:
            skip = b.add_stage(Op.DECIDE, "goes well", purpose=self._purpose())
            self._post(Flag(0))
            b.add_stage(Op.VOID, "void")
            b.add_stage(Op.END, "returned", value=Outcome.RETURNED, reason=Reason.ED05)
            b.set_stage(skip, value=int(0.7 * 2.0**62), target=b.next_stage, reason=0)
        self._post(Flag.CREDITS if luck.random() < 0.5 else Flag.SETTLES | Flag.CREDITS)
        b.add_stage(Op.VOID, "void the rest")
        b.add_stage(Op.END, "completed", value=Outcome.COMPLETED, reason=Reason.NONE)

    def _post(self, flags: Flag) -> None:
        first = self._transfer((Register.INSTRUCTED,))
        for _ in range(self.luck.randint(0, 1)):
            self._transfer((Register.INSTRUCTED,))
        count = len(self.b._rows["transfer"]) - first
        self.b.add_stage(Op.POST, "post", first=first, count=count, flags=flags)

    def _wait(self, fail_path: int) -> None:
        luck, b = self.luck, self.b
        cause = luck.choice(_CAUSES)
        if luck.random() < 0.5:
            b.add_stage(
                Op.TRANSIT,
                "transit",
                table=self._stage_time(),
                purpose=self._purpose(),
                cause=cause,
            )
            return
        station = luck.choice(self.stations)
        if luck.random() < 0.3:
            station = b.station_ref(luck.randrange(2), "host")
        b.add_stage(
            Op.SERVE, "serve", subject=station, table=self._stage_time(), purpose=self._purpose(),
            cause=cause, target=fail_path, reason=self._reason(),
            flags=luck.choice((Flag(0), Flag.ASKS)),
        )  # fmt: skip

    def _middle(self, fail_path: int, registers: tuple[Register, ...], count: int) -> None:
        """Add stages of any kind; jumps go forward only."""
        luck, b = self.luck, self.b
        forward: list[int] = []
        self.reserved: list[int] = []
        self.reached: dict[Flag, int] = {}
        self.asking.maybe_inquire()
        for _ in range(count):
            self.systems.maybe_settle(fail_path)
            self.patience.maybe(fail_path)
            kind = luck.choice(
                ("wait", "wait", "batch", "reserve", "reserve", "post", "limit", "decide", "branch",
                 "on_us", "switch", "code", "deadline", "deadline", "disarm", "standing")
            )  # fmt: skip
            if kind == "wait":
                self._wait(fail_path)
            elif kind == "batch":
                first = self._transfer(registers)
                b.add_stage(
                    Op.BATCH, "batch", subject=luck.choice(self.ledgers), first=first,
                    count=luck.randint(0, 1), cause=Cause.LEDGER,
                    flags=luck.choice((Flag(0), Flag.SETTLES)),
                )  # fmt: skip
            elif kind == "reserve":
                self.reserved.append(self._transfer(registers))
                b.add_stage(
                    Op.RESERVE, "reserve", first=self.reserved[-1], target=fail_path,
                    flags=luck.choice((Flag(0), Flag.QUEUE, Flag.QUEUE)), reason=Reason.AM04,
                )  # fmt: skip
            elif kind == "post":
                first = luck.choice(self.reserved) if self.reserved else self._transfer(registers)
                b.add_stage(Op.POST, "post", first=first, count=1, flags=Flag(0))
            elif kind == "limit":
                limit = luck.choice(self.limits)
                if len(registers) > 1 or self._is_plain(limit):
                    slot = luck.randrange(4)
                    b.add_stage(Op.LIMIT, "limit", subject=limit, value=slot, target=fail_path)
            elif kind == "decide":
                b.add_stage(
                    Op.DECIDE, "decline", value=self._threshold() // 6, purpose=self._purpose(),
                    target=fail_path, reason=self._reason(),
                )  # fmt: skip
            elif kind == "branch":
                forward.append(
                    b.add_stage(
                        Op.DECIDE, "branch", value=self._branch(), purpose=self._purpose(),
                        reason=0,
                    )
                )  # fmt: skip
            elif kind == "switch":
                forward.append(
                    b.add_stage(
                        Op.SWITCH, "switch", value=self._threshold(), purpose=self._purpose()
                    )
                )
            elif kind == "on_us":
                forward.append(b.add_stage(Op.ON_US, "on us"))
            elif kind == "code":
                b.add_stage(Op.CODE, "code", target=fail_path)
            elif kind == "deadline":
                b.add_stage(
                    Op.DEADLINE, "deadline", value=luck.choice((1, 2, 3, 8)) * SECOND_US,
                    target=fail_path, reason=self._reason(),
                )  # fmt: skip
            elif kind == "standing":
                flag = luck.choice((Flag.CONFIRMS, Flag.AUTHORISES))
                self.reached[flag] = b.add_stage(Op.POST, "stands", first=0, count=0, flags=flag)
            else:
                b.add_stage(Op.DEADLINE, "to", value=-luck.randrange(2), target=fail_path, reason=3)
        for stage in forward:
            b.set_stage(stage, target=b.next_stage)

    def _is_plain(self, limit: int) -> bool:
        return bool(self.b._rows["limit"][limit][0] == Register.INSTRUCTED)
