"""What happens without a payment, in parts and rows: lines with their files, top-ups.

Takes lines of rails and top-up rules of accounts; gives parts with their conversions, instants of
looks and arrivals, and lays them out in a plan. What lies in the pipeline at the start is worked
out here, by the rules engines cut and sell files by (:mod:`sim.contract.agenda`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sim.calendars.bank_days import NO_MAKE_UP_DAY, BankDays, instant_us, midnights_us
from sim.calendars.calendar import load_calendar
from sim.compiler.builder import PlanBuilder
from sim.compiler.clearing_rows import FileTimes
from sim.compiler.parts import Clearing, Conversion, Part
from sim.compiler.parts import Cover as CoverPart
from sim.compiler.prices import Market, PriceError
from sim.compiler.refunds import refunded_lines
from sim.contract.agenda import Negative
from sim.contract.layout import PPM
from sim.contract.positions import ROOM, TAKEN
from sim.model.base import FieldPath
from sim.model.fx import Cover
from sim.model.quantities import to_minor
from sim.model.sections import Account
from sim.model.top_up import TopUp
from sim.rails.problems import check_amounts
from sim.rails.resources import ClearingLine, LargeValueSystem, TopUpRule
from sim.rails.settlement import elapsed
from sim.scenario.model import Scenario
from sim.units import format_minor


def clearings(
    lines: Sequence[ClearingLine], market: Market, problems: list[tuple[FieldPath, str]]
) -> Iterator[Clearing]:
    """Yield lines with the conversions they sell their files by.

    Parameters
    ----------
    lines : sequence of ClearingLine
    market : Market
    problems : list
        Grows by conversions without a rate.
    """
    for line in lines:
        conversion = None
        if line.exchange is not None:
            try:
                conversion = market.conversion(line.exchange)
            except PriceError as problem:
                problems.append((("rails", line.rail), str(problem)))
                continue
        yield Clearing(line, conversion)


def top_ups(scenario: Scenario, problems: list[tuple[FieldPath, str]]) -> Iterator[TopUpRule]:
    """Yield the rules by which accounts are filled up, with every look within the run.

    Parameters
    ----------
    scenario : Scenario
    problems : list
        Grows by what cannot be.
    """
    for name, account in sorted(scenario.accounts.items()):
        if account.top_up is None:
            continue
        place: FieldPath = ("accounts", name, "top_up")
        found = list(_rule_problems(scenario, name, account, account.top_up))
        orders: tuple[tuple[int, int], ...] = ()
        try:
            orders = tuple(find_looks(scenario, account.top_up))
        except ValueError as problem:
            found.append((("calendars",), f"{problem}; needed: a run within its years"))
        problems.extend(((*place, *path), message) for path, message in found)
        if not found:
            yield _rule(name, account, account.top_up, orders)


def _rule(
    name: str, account: Account, rule: TopUp, orders: tuple[tuple[int, int], ...]
) -> TopUpRule:
    currency = account.currency
    return TopUpRule(
        account=name,
        source=rule.source or f"book:{account.owner}:{currency}",
        currency=currency,
        low_minor=to_minor(rule.low, currency),
        target_minor=to_minor(rule.target, currency),
        most_minor=-1 if rule.most is None else to_minor(rule.most, currency),
        orders=orders,
    )


def _rule_problems(
    scenario: Scenario, name: str, account: Account, rule: TopUp
) -> Iterator[tuple[FieldPath, str]]:
    """Yield what of a rule does not fit the accounts it names."""
    currency = account.currency
    amounts = {"low": rule.low, "target": rule.target, "most": rule.most}
    unfit = [
        problem
        for field, amount in amounts.items()
        if amount is not None
        for problem in check_amounts(currency, amount, (field,))
    ]
    yield from unfit
    if rule.make_up_days and not BankDays.of(rule.calendars).has_make_up_days:
        yield ("make_up_days",), NO_MAKE_UP_DAY
    if not rule.look_at:
        yield ("look_at",), "found no time; needed: at least one, or nothing is ever ordered"
    if unfit:
        return
    low, target = to_minor(rule.low, currency), to_minor(rule.target, currency)
    if target < low:
        yield (
            ("target",),
            f"found {rule.target}, below the level it orders at; allowed: "
            f"{format_minor(low, currency)} or more",
        )
    if rule.source is None:
        return
    source = scenario.accounts.get(rule.source)
    if source is None or rule.source == name:
        known = ", ".join(sorted(set(scenario.accounts) - {name})) or "none"
        yield ("source",), f"found {rule.source!r}; allowed: another account: {known}"
    elif source.owner != account.owner:
        yield (
            ("source",),
            f"account {rule.source!r} belongs to {source.owner!r}; needed: {account.owner!r}",
        )
    elif source.currency != currency:
        yield (
            ("source",),
            f"account {rule.source!r} is in {source.currency}; needed: {currency}, as what it "
            "fills up",
        )


def find_looks(scenario: Scenario, rule: TopUp | Cover) -> Iterator[tuple[int, int]]:
    """Yield when a rule looks and when what it then orders arrives, in order of time."""
    clock = scenario.clock
    days = BankDays.of(rule.calendars, make_up_days=rule.make_up_days)
    code = rule.clock or (rule.calendars[0] if rule.calendars else None)
    zone = clock.start.tzinfo if code is None else load_calendar(code).zone
    assert zone is not None
    for day, _ in midnights_us(clock.start, clock.horizon, zone):
        if not days.is_open(day):
            continue
        for time_of_day in sorted(rule.look_at):
            looked_us = instant_us(clock.start, day, time_of_day, zone)
            if not 0 <= looked_us < clock.horizon:
                continue
            # Bank days first and hours then: what is sent on the day of value arrives a little
            # later, and never before banks open.
            sent = days.add(day, rule.lead_days) if rule.lead_days else day
            sent_us = instant_us(clock.start, sent, time_of_day, zone)
            yield looked_us, days.next_hours_us(clock.start, sent_us + rule.lead_time)


@dataclass(frozen=True, slots=True)
class Numbers:
    """How names become numbers of a plan.

    Attributes
    ----------
    account, conversion : callable
        They give the number of a named account, and the row of a conversion, adding it if new.
    """

    account: Callable[[str], int]
    conversion: Callable[[Conversion | None], int]


def lay_clearing(
    builder: PlanBuilder,
    part: Clearing | TopUpRule | CoverPart | LargeValueSystem,
    numbers: Numbers,
) -> None:
    """Add a line with its files, a rule with its looks or a system with its closes to a plan."""
    if isinstance(part, LargeValueSystem):
        builder.add_system(
            part.name,
            accounts=[numbers.account(name) for name in part.accounts],
            order=part.order,
            offset=part.offset,
            on_arrival=int(part.is_offset_on_arrival),
            at_close=part.at_close,
            offsets_us=part.offsets_us,
            closes_us=part.closes_us,
        )
    elif isinstance(part, Clearing):
        _lay_line(builder, part, numbers)
    elif isinstance(part, CoverPart):
        _lay_cover(builder, part, numbers)
    else:
        _lay_top_up(builder, part, numbers)


def _lay_line(builder: PlanBuilder, part: Clearing, numbers: Numbers) -> None:
    account, conversion = numbers.account, numbers.conversion
    line = part.line
    sale: Mapping[str, int] = {}
    if line.exchange is not None:
        provider = line.exchange.provider
        sale = {
            "conversion": conversion(part.conversion),
            "sold_to": account(f"fx:{provider}:{line.exchange.source}"),
            "spread_to": account(f"spread:{provider}:{line.exchange.source}"),
            "bought_from": account(f"fx:{provider}:{line.exchange.target}"),
        }
    if not line.refunds:
        builder.set_pool(account(line.payments))
    row = builder.add_line(
        line.name,
        rail=line.rail,
        agent=line.agent,
        payments=account(line.payments),
        closed=account(line.closed),
        refunds=account(line.refunds) if line.refunds else -1,
        interchange_ppm=line.interchange_ppm,
        interchange_to=account(line.interchange_to),
        scheme_ppm=line.scheme_ppm,
        scheme_to=account(line.scheme_to),
        held=account(line.held),
        paid_to=account(line.paid_to),
        threshold=line.threshold_minor,
        negative=int(Negative.PAY if line.is_negative_paid else Negative.CARRY),
        **sale,
    )
    for file in line.files:
        times = FileTimes(
            file.opens_us,
            file.cut_us,
            file.settled_us,
            file.converted_us,
            net=net_before(part) if file.cut_us <= 0 else 0,
        )
        builder.add_file(row, account(line.held), times)
        if file.opens_us < 0 < file.cut_us and line.receivable_minor:
            # The file that is open at the start: what had come of its day already.
            builder.deposit(0, account(line.payments), elapsed(line.receivable_minor, file))


def net_before(part: Clearing) -> int:
    """Return what a file of a day before the start comes to, in minor units of what is paid.

    Its payments are the line's receivable; fees and the sale are those of every other file, at the
    rate of the start.
    """
    line, paid = part.line, part.line.receivable_minor
    net = paid - _share(paid, line.interchange_ppm) - _share(paid, line.scheme_ppm)
    if part.conversion is None:
        return net
    path = part.conversion.path
    mid = net * PPM // (PPM + part.conversion.spread_ppm)
    if part.conversion.is_inverted:
        return mid * path.rates[0] // path.scale
    return mid * path.scale // path.rates[0]


def _share(amount: int, ppm: int) -> int:
    return (amount * ppm * 2 + PPM) // (2 * PPM)


def _lay_top_up(builder: PlanBuilder, part: TopUpRule, numbers: Numbers) -> None:
    account = numbers.account
    rule = builder.add_top_up(
        part.account,
        account=account(part.account),
        source=account(part.source),
        low=part.low_minor,
        target=part.target_minor,
        most=part.most_minor,
    )
    for looked_us, arrives_us in part.orders:
        builder.add_order(rule, looked_us, arrives_us)


def _lay_cover(builder: PlanBuilder, part: CoverPart, numbers: Numbers) -> None:
    """Add a rule of covering trades with its looks to a plan."""
    account, conversion = numbers.account, numbers.conversion

    def limit(owner: str) -> tuple[int, int]:
        """Return the accounts of what may still be held, and of what is."""
        return (account(ROOM + owner), account(TAKEN + owner)) if owner else (-1, -1)

    (room, taken), (other_room, other_taken) = limit(part.room), limit(part.other_room)
    rule = builder.add_top_up(
        part.name,
        account=account(part.name),
        source=account(part.source),
        low=part.low_minor,
        target=part.target_minor,
        high=part.high_minor,
        buys=conversion(part.buys),
        sells=conversion(part.sells),
        pays=account(part.pays),
        paid_to=account(part.paid_to),
        room=room,
        taken=taken,
        other_room=other_room,
        other_taken=other_taken,
    )
    for looked_us, arrives_us in part.orders:
        builder.add_order(rule, looked_us, arrives_us)


def split_lines(parts: Sequence[Part], scenario: Scenario) -> tuple[list[Part], list[ClearingLine]]:
    """Return the parts that are no lines, and the lines, which come last in a plan."""
    found = [part for part in parts if isinstance(part, ClearingLine)]
    lines = refunded_lines(scenario, found)
    return [part for part in parts if not isinstance(part, ClearingLine)], lines
