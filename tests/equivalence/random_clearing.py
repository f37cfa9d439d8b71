"""Random lines, clearing files and top-ups for random plans.

Takes the luck of its own and the accounts of a plan under construction; adds rows to it. What
moves makes no more sense than anything else in a random plan.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from sim.compiler.builder import PlanBuilder
from sim.compiler.clearing_rows import FileTimes
from sim.contract.agenda import Negative
from sim.units import SECOND_US


def add_clearing(
    seed: int, b: PlanBuilder, accounts: Sequence[int], *, span_us: int, ties: bool
) -> None:
    """Add up to two lines with a few files each, and up to two top-ups, to every other plan."""
    # Luck of its own, so that plans with and without it are alike in all else.
    luck = random.Random(seed)
    if luck.random() < 0.5:
        return
    free = b.add_account("no limit", "USD")
    pair = b.add_pair("EUR/USD", [luck.randint(9_000, 12_000) for _ in range(3)], 10_000)

    def instant(low: int = 0) -> int:
        found = luck.randrange(low, low + span_us // 2)
        # Up, as a file is never paid before it is closed.
        return -(-found // SECOND_US) * SECOND_US if ties else found

    for number in range(luck.randint(0, 2)):
        sells = luck.random() < 0.4
        sale = {
            "conversion": b.add_conversion(
                pair, inverted=luck.random() < 0.5, spread_ppm=luck.choice((0, 20_000))
            ),
            "sold_to": free,
            "spread_to": luck.choice(accounts),
            "bought_from": free,
        }
        # Accounts others pay from and wait for, so that a file sets payments free; what it may
        # overdraw has no limit.
        line = b.add_line(
            f"line{number}",
            rail="r",
            agent=f"agent{number}",
            payments=b.add_account(f"pool{number}", "USD"),
            refunds=luck.choice((-1, b.add_account(f"refunds{number}", "USD"))),
            closed=free,
            interchange_ppm=luck.choice((0, 6_000, 30_000)),
            interchange_to=free,
            scheme_ppm=luck.choice((0, 2_000)),
            scheme_to=free,
            held=free,
            paid_to=luck.choice(accounts),
            threshold=luck.choice((0, 0, 300)),
            negative=luck.choice(list(Negative)),
            **(sale if sells else {}),
        )
        for _ in range(luck.randint(0, 4)):
            cut = instant() + 1
            sold = instant(cut) if sells else None
            times = FileTimes(cut - 1, cut, instant(cut if sold is None else sold), sold)
            b.add_file(line, free, times)
        early = FileTimes(-2, -1, instant(), None, net=luck.choice((0, 700)))
        b.add_file(line, free, early)
        for _ in range(luck.randint(1, 3)):
            # Something to close: money the world pays into the pool.
            b.deposit(instant(), b.accounts[f"pool{number}"], luck.choice((40, 333, 2500)))
    # Drawn apart, so that the rules before there were trades are what they were.
    deals = random.Random(f"{seed} trades")
    for number in range(luck.randint(0, 2)):
        low = luck.choice((50, 400, 3000))
        rule = b.add_top_up(
            f"rule{number}",
            account=luck.choice(accounts),
            source=luck.choice((free, *accounts)),
            low=low,
            target=low + luck.choice((0, 100, 2000)),
            most=luck.choice((-1, 60, 500)),
            **(_trade(deals, b, pair, accounts, low) if deals.random() < 0.5 else {}),
        )
        for _ in range(luck.randint(0, 5)):
            looked = instant()
            b.add_order(rule, looked, instant(looked))


def _trade(
    luck: random.Random, b: PlanBuilder, pair: int, accounts: Sequence[int], low: int
) -> dict[str, int]:
    """Return the columns of a covering trade."""
    buys, sells = (
        b.add_conversion(pair, inverted=luck.random() < 0.5, spread_ppm=luck.choice((0, 20_000)))
        for _ in range(2)
    )
    names = ("pays", "paid_to", "room", "taken", "other_room", "other_taken")
    others = {name: luck.choice(accounts) for name in names}
    if luck.random() < 0.5:
        others |= {"room": -1, "other_room": -1}
    return {"high": low + luck.choice((0, 90, 5000)), "buys": buys, "sells": sells, **others}
