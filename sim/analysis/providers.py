"""What FX providers refused, held and earned.

Takes a plan and the totals of its accounts; gives measures by provider. What accounts are named
after is specified in :mod:`sim.contract.positions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from sim.analysis.catalogue import measured
from sim.analysis.of_providers import PROVIDER_MEASURES
from sim.analysis.rates import common_currency, worth_in
from sim.analysis.sources import ProviderUse
from sim.analysis.summary import Measures
from sim.contract.agenda import AgendaKind
from sim.contract.layout import AccountColumn
from sim.contract.plan import Plan
from sim.contract.positions import POSITION, ROOM
from sim.contract.records import AccountTotal
from sim.contract.run import Totals

_INCOME = "spread:"


def provider_measures(plan: Plan, totals: Totals) -> dict[str, Measures]:
    """Return the measures of every provider with a bounded position, by name.

    Notes
    -----
    All of a provider's positions count for its result, bounded or not, and covering trades with
    them: what a position gains or loses while it is open is in the value of all together, as every
    conversion moves two of them by the same value at mid. The lowest of a position is known from
    the warm-up on, the highest where it is bounded above.
    """
    accounts = {name: at for at, name in enumerate(plan.names.accounts)}
    owners = {
        name.removeprefix(POSITION).rpartition(":")[0]
        for name, at in accounts.items()
        if name.startswith(POSITION) and plan.account[at, AccountColumn.WATCHED] == 1
    }
    opened = _opened(plan)
    return {
        owner: measured(
            PROVIDER_MEASURES, "provider", _use(plan, totals, owner, (accounts, opened))
        )
        for owner in sorted(owners)
    }


def _use(
    plan: Plan, totals: Totals, owner: str, known: tuple[Mapping[str, int], Mapping[int, int]]
) -> ProviderUse:
    """Return what a run tells of one provider."""
    accounts, opened = known

    def of(kind: str) -> dict[str, int]:
        """Return the provider's accounts of a kind, by currency."""
        head = f"{kind}{owner}:"
        return {name[len(head) :]: at for name, at in accounts.items() if name.startswith(head)}

    positions, rooms, incomes = of(POSITION), of(ROOM), of(_INCOME)
    common, start = common_currency(plan, sorted({*positions, *incomes}))
    end = worth_in(plan, common, -1)
    refused = sum(
        int(totals.account[at, AccountTotal.LOST]) for at in (*positions.values(), *rooms.values())
    )
    if not {*positions, *incomes} <= end.keys():
        return ProviderUse(common, refused, None, None, None)
    far = [Fraction(0)]
    for currency, at in positions.items():
        if plan.account[at, AccountColumn.WATCHED] == 1:
            lowest = int(totals.account[at, AccountTotal.LOW])
            far.append(abs(lowest) * start[currency])
            if currency in rooms:
                room = rooms[currency]
                most = opened.get(at, 0) + opened.get(room, 0)
                highest = most - int(totals.account[room, AccountTotal.LOW])
                far.append(abs(highest) * start[currency])
    held = sum(int(totals.end_posted[at]) * end[code] for code, at in positions.items())
    began = sum(opened.get(at, 0) * start[code] for code, at in positions.items())
    income = sum(int(totals.end_posted[at]) * end[code] for code, at in incomes.items())
    return ProviderUse(common, refused, round(max(far)), round(income), round(held - began))


def _opened(plan: Plan) -> dict[int, int]:
    """Return what lies on accounts at the start."""
    found: dict[int, int] = {}
    for time_us, kind, account, amount in plan.agenda.tolist():
        if kind == AgendaKind.DEPOSIT and time_us == 0:
            found[account] = found.get(account, 0) + amount
    return found
