"""Say what happens without a payment: who is owed what, when it is paid, what is filled up.

Takes a compiled scenario; gives sentences on its lines, clearing files and top-ups, and on the
days of calendars that no source vouches for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from fractions import Fraction

from sim.calendars.bank_days import BankDays
from sim.compiler.compile import Compiled
from sim.compiler.parts import Clearing
from sim.compiler.refunds import StreamRefunds
from sim.contract.agenda import AgendaKind, OrderColumn
from sim.contract.large_value import AtClose, Offset, Order
from sim.contract.layout import CERTAIN, PPM
from sim.explain.words import at, count, listed, share, timing
from sim.rails.resources import ClearingFile, LargeValueSystem, TopUpRule
from sim.tables.refund_rows import has_refunds
from sim.units import format_minor

_FILES_SHOWN = 16
"""Files of one line up to which each is told."""

_FILE_WORDS = {
    AgendaKind.FILE_CUT: "is closed",
    AgendaKind.FILE_CONVERTED: "is sold",
    AgendaKind.FILE_SETTLED: "is paid",
}


def clearing_lines(compiled: Compiled) -> Iterator[str]:
    """Yield every line with its fees and files, every top-up, and the days that are in doubt.

    Parameters
    ----------
    compiled : Compiled
    """
    lines = [part for part in compiled.parts if isinstance(part, Clearing)]
    rules = [part for part in compiled.parts if isinstance(part, TopUpRule)]
    for part in lines:
        yield from _line(compiled, part)
    for rule in rules:
        yield from _rule(compiled, rule)
    systems = [part for part in compiled.parts if isinstance(part, LargeValueSystem)]
    for system in systems:
        yield from _system(system)
    for stream in compiled.streams:
        if stream.refunds is not None:
            yield _refunds(stream.name, stream.refunds)
    yield from _doubts(compiled)
    if not lines and not rules and not systems:
        yield "nothing is settled after the moment of payment, and no account is filled up"


def clearing_words(compiled: Compiled, kind: int, subject: int) -> str:
    """Return what a row of the agenda does with a file or an order."""
    if kind in _FILE_WORDS:
        owners = [
            (part.line.name, file)
            for part in compiled.parts
            if isinstance(part, Clearing)
            for file in part.line.files
        ]
        name, file = owners[subject]
        return f"the file of {file.day} of {name} {_FILE_WORDS[AgendaKind(kind)]}"
    if kind >= AgendaKind.SYSTEM_OFFSET:
        system = compiled.plan.names.systems[subject]
        return f"{system} {'tries an offset' if kind == AgendaKind.SYSTEM_OFFSET else 'closes'}"
    rule = int(compiled.plan.order[subject, OrderColumn.TOP_UP])
    account = compiled.plan.names.top_ups[rule]
    if kind == AgendaKind.TOP_UP_ORDERED:
        return f"the level of {account} is looked at"
    return f"what was ordered for {account} arrives"


def _line(compiled: Compiled, part: Clearing) -> Iterator[str]:
    line = part.line
    fees = [
        f"{share(Fraction(ppm, PPM))} {word} to {where}"
        for ppm, word, where in (
            (line.interchange_ppm, "interchange", line.interchange_to),
            (line.scheme_ppm, "scheme fee", line.scheme_to),
        )
        if ppm
    ]
    less = f", less {listed(fees)}" if fees else ""
    yield f"{line.name}: what comes together on {line.payments}{less}, is paid to {line.paid_to}"
    if line.exchange is not None:
        yield f"  sold for {line.exchange.target} at the rate of its hour before it is paid"
    if line.threshold_minor:
        paid = line.currency if line.exchange is None else line.exchange.target
        yield f"  paid from {format_minor(line.threshold_minor, paid)} on; less waits"
    if has_refunds(compiled.plan):
        of = f"set off on {line.refunds}" if line.refunds else "paid only out of what is there"
        yield f"  what is refunded is {of}"
    owes = "is paid by the agent" if line.is_negative_paid else "is set off against later files"
    yield f"  a file by which the agent owes {owes}"
    if line.receivable_minor:
        amount = format_minor(line.receivable_minor, line.currency)
        yield f"  on their way at the start: the files of days of {amount} each"
    else:
        yield "  nothing is on its way at the start"
    yield from _files(line.files)


def _files(files: Sequence[ClearingFile]) -> Iterator[str]:
    shown = files if len(files) <= _FILES_SHOWN else (*files[: _FILES_SHOWN - 1], files[-1])
    for file in shown:
        if len(shown) < len(files) and file is files[-1]:
            yield f"  and {len(files) - len(shown)} more, the last:"
        cut = "before the start" if file.cut_us <= 0 else at(file.cut_us)
        yield f"  file of {file.day}: closed {cut}, paid {at(file.settled_us)}"


def _refunds(name: str, rule: StreamRefunds) -> str:
    """Return what of a stream is paid back."""
    told = []
    if rule.written:
        told.append(f"{count(len(rule.written), 'part')} as written")
    if rule.share and rule.after is not None:
        whole = share(Fraction(rule.total_ppm, PPM))
        told.append(
            f"{share(Fraction(rule.share, CERTAIN))} of completed payments, {whole} of the amount "
            f"in {count(rule.parts, 'part')}, each after {timing(rule.after)}"
        )
    return f"demand.{name}: {listed(told)} come back, at the {rule.rate.name.lower()} rate"


def _rule(compiled: Compiled, rule: TopUpRule) -> Iterator[str]:
    low, target = (format_minor(one, rule.currency) for one in (rule.low_minor, rule.target_minor))
    most = (
        "" if rule.most_minor < 0 else f", {format_minor(rule.most_minor, rule.currency)} at most"
    )
    yield f"{rule.account} is filled up from {rule.source}: below {low} to {target}{most}"
    within = [order for order in rule.orders if order[1] < compiled.plan.horizon_us]
    words = f"  {count(len(rule.orders), 'look')} at the level"
    if within:
        words += f"; what the first orders ({at(within[0][0])}) arrives {at(within[0][1])}"
    late = len(rule.orders) - len(within)
    yield words + (f"; what the last {late} order arrives after the run" if late else "")


def _system(system: LargeValueSystem) -> Iterator[str]:
    yield f"{system.name}: members pay each other; {_ORDER_WORDS[system.order]}"
    if system.offset is not Offset.NONE:
        when = "whenever a payment has to wait"
        if not system.is_offset_on_arrival:
            when = f"{count(len(system.offsets_us), 'time')} in the run"
            if system.offsets_us:
                when += f", first {at(system.offsets_us[0])}"
        yield f"  {_OFFSET_WORDS[system.offset]} at one stroke, {when}"
    if not system.closes_us:
        yield "  it does not close in the run; who waits, waits on"
        return
    net = (
        "what can be paid net settles, the rest" if system.at_close is AtClose.NET else "who waits"
    )
    yield f"  closes {listed([at(time_us) for time_us in system.closes_us])}; {net} is returned"


_ORDER_WORDS = {
    Order.FIFO: "a payment waits for those before it of the same payer",
    Order.BYPASS: "whoever can be paid is, whoever waits before",
    Order.PRIORITY: "of one payer's the stream of lowest priority first, then who came first",
    Order.DEFERRED: "nobody settles alone",
}
_OFFSET_WORDS = {
    Offset.BILATERAL: "payments of two members against each other settle",
    Offset.MULTILATERAL: "the largest set of payments, in order, that all can bear settles",
}


def _doubts(compiled: Compiled) -> Iterator[str]:
    """Yield the days no source vouches for, of the calendars that are used."""
    start = compiled.scenario.clock.start.date()
    days = compiled.scenario.clock.horizon / timedelta(days=1).total_seconds() / 1e6
    last = start + timedelta(days=int(days) + 7)
    found: set[tuple[str, date, str]] = set()
    for calendars in _used(compiled):
        found.update(BankDays.of(calendars).doubts(start - timedelta(days=7), last))
    for code, day, why in sorted(found):
        yield f"Not known for sure: {day} in {code}: {why}"


def _used(compiled: Compiled) -> Iterator[tuple[str, ...]]:
    for account in compiled.scenario.accounts.values():
        if account.top_up is not None:
            yield account.top_up.calendars
    for provider in compiled.scenario.fx.providers.values():
        yield provider.calendars
        for inventory in provider.inventory.values():
            if inventory.cover is not None:
                yield inventory.cover.calendars
    for part in compiled.parts:
        if isinstance(part, Clearing):
            yield part.line.calendars
