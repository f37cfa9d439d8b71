"""Figures of correspondent banks: how soon gpi payments are credited, fitted at two points only.

Two figures of 2018 say how much of a day the payee's bank works (half are credited within 30
minutes) and how long it works at a payment (40 % within five). Both are fitted, and show nothing by
themselves. What then follows from hours, and goes into nothing, are the figures of hours and of a
day: whoever comes when the bank is closed waits for the morning.
"""

from __future__ import annotations

import numpy as np

from sim.contract.meaning import Outcome
from sim.contract.records import RecordColumn as C
from sim.units import DAY_US, HOUR_US, MINUTE_US
from tests.published.figure import Found, published
from tests.published.runs import Changes, payments

_OTHERS = ("customers", "by_hub", "by_card", "by_wallet_card", "in_digital_yuan")
_DAYS = 3


def _bank(opens: str, closes: str, work: str) -> str:
    hours = f'opens: "{opens}", closes: "{closes}", cut_off: "{closes}"'
    return f"{{calendar: CN, {hours}, work_time: {work}, clerks: 1 000 000}}"


_FITTED = _bank("07:00", "18:33", "{exponential: {mean: 2.84 min}}")
"""Open for a of the day, and q of payments done within five minutes: a payment comes within t of
its opening or while it is open, so that a + 30 / 1 440 less 2.84 minutes of work of a day are half,
a = 48.1 %, 11 h 33 min; and a x q and 0.1 % that come just before it opens are 40 %, q = 82.8 %, a
mean of 5 / -ln(1 - 0.828) = 2.84 minutes."""
_NEVER_CLOSED = _bank("00:00", "23:59:59", "{exponential: {mean: 2.84 min}}")
_EIGHT_HOURS = _bank("09:00", "17:00", "{exponential: {mean: 2.84 min}}")


def _asked(bank: str, start: str = "2025-09-15") -> Changes:
    return (
        "answer=''",
        f"clock.start={start}T00:00:00+07:00",
        f"clock.horizon={_DAYS + 4} d",
        *(f"demand.{name}=null" for name in _OTHERS),
        "demand.by_wire.profile=flat",
        "demand.by_wire.rate=300 /h",
        # The sender's bank passes on whenever it is, as gpi counts from its sending on.
        'rails.wire.banks.acleda={calendar: KH, opens: "00:00", closes: "23:59:59", '
        'cut_off: "23:59:59", work_time: 0 s, clerks: 1 000 000}',
        f"rails.wire.banks.china_bank={bank}",
        "rails.wire.repair_share=0 %",
    )


def _delays(bank: str, start: str = "2025-09-15") -> np.ndarray:
    """Return how long payments took up to the credit, of those of three bank days."""
    _, rows = payments("five-ways-to-pay", _asked(bank, start))
    rows = rows[(rows[:, C.SUBMITTED_US] < _DAYS * DAY_US)]
    done = rows[rows[:, C.OUTCOME] == Outcome.COMPLETED]
    return np.asarray(done[:, C.CREDITED_US] - done[:, C.SUBMITTED_US])


def _within(bound_us: int, bank: str, start: str = "2025-09-15") -> Found:
    return Found(100 * float((_delays(bank, start) <= bound_us).mean()))


def _median_h(bank: str) -> Found:
    return Found(float(np.median(_delays(bank))) / HOUR_US)


_GPI = "benchmarks.swift_gpi_cdf (Swift, 2018)"
_SAMPLE = "20 000 payments: 1.96 x sqrt(share x (1 - share) / 20 000), 0.7 points at most"
for _minutes, _share in ((5, 40.0), (30, 50.0)):
    published(
        key=f"five-ways-to-pay/gpi, credited within {_minutes} min",
        what=f"Payments through two correspondent banks that are credited within {_minutes} "
        "minutes.",
        published=_share,
        unit="%",
        tolerance=1.0,
        source=_GPI,
        why=f"{_SAMPLE}; and a quarter of a point by which seconds of messages shift it",
        ours=lambda us=_minutes * MINUTE_US: _within(us, _FITTED),
        control=lambda us=_minutes * MINUTE_US: _within(us, _EIGHT_HOURS),
        against="a bank open for eight hours",
        how="fitted",
    )
published(
    key="five-ways-to-pay/gpi, credited within 6 h",
    what="The same within six hours.",
    published=75.0,
    unit="%",
    tolerance=3.2,
    source=_GPI,
    why=f"published in steps of five points: 2.5; {_SAMPLE}",
    ours=lambda: _within(6 * HOUR_US, _FITTED),
    control=lambda: _within(6 * HOUR_US, _NEVER_CLOSED),
    against="a bank that never closes",
    how="predicted",
)
published(
    key="five-ways-to-pay/gpi, credited within a day",
    what="The same within a day.",
    published=99.0,
    unit="%",
    tolerance=1.0,
    source=f"{_GPI}; told as nearly all",
    why="nearly all: 98 % or more",
    ours=lambda: _within(DAY_US, _FITTED),
    control=lambda: _within(DAY_US, _FITTED, "2025-09-19"),
    against="sent from Friday to Sunday, before Pchum Ben",
    how="predicted",
)
published(
    key="five-ways-to-pay/gpi, median",
    what="Time within which half of them are credited, of gpi payments of 2022.",
    published=1.0,
    unit="h",
    tolerance=1.0,
    source="facts 6.12 (BIS, 2022): a median below two hours, delays mainly at the payee's bank",
    why="between nothing and two hours",
    ours=lambda: _median_h(_FITTED),
    control=lambda: _median_h(_EIGHT_HOURS),
    against="a bank open for eight hours",
    how="predicted",
)
published(
    key="five-ways-to-pay/Swift, credited within 1 h",
    what="Payments credited within an hour, as Swift told in 2024.",
    published=43.0,
    unit="%",
    tolerance=3.2,
    source="benchmarks.swift_credit_customer_1h (Swift, October 2024)",
    why=f"told to the point, of other payments than those of 2018: 2.5 points; {_SAMPLE}",
    ours=lambda: _within(HOUR_US, _FITTED),
    control=lambda: _within(HOUR_US, _NEVER_CLOSED),
    against="a bank that never closes",
    how="predicted",
    because="Swift's share of 2024 is lower at an hour than its share of 2018 at half an hour: the "
    "two cannot both be met. It counts all payments, and that of 2018 those over gpi alone.",
)
