"""Figures of agents' money: weekends and holidays, one bank's outage, a bridge without debts."""

from __future__ import annotations

from itertools import accumulate

import numpy as np

from sim.contract.meaning import Outcome, Reason
from sim.contract.plan import Array
from sim.contract.records import RecordColumn as C
from sim.units import HOUR_US
from tests.published.figure import Found, mean_of, published
from tests.published.runs import Changes, measured, payments, summary

_PREFUNDED = "account/aba_khr_for_alipay_plus"
_DAY_MINOR = 12_000 * 122_500 * 100
"""What is paid out on a mean day."""
_BALANCE = 40_000_000_000
_LAG = "rails.alipay_plus.inbound.settlement.lag"
_CALENDARS = "rails.alipay_plus.inbound.settlement.calendars"
_GOLDEN: Changes = ("clock.start=2025-09-22T00:00:00+07:00", "clock.horizon=21 d")


def _peak_days(changes: Changes = (), replications: int = 3) -> Found:
    """Return by how much the account fell at most, in days of payments."""
    asked = (f"accounts.aba_khr_for_alipay_plus.balance={_BALANCE}", *changes)
    runs = [summary("prefunding-weekend", asked, number) for number in range(replications)]
    held = [run.by["account"]["aba_khr_for_alipay_plus"]["liquidity_low_minor"] for run in runs]
    return mean_of([(100 * _BALANCE - float(lowest)) / _DAY_MINOR for lowest in held])


_NEXT_DAY = f"{_LAG}=1 business day"
_EVERY_DAY = f"{_CALENDARS}=[]"


def _demand(factor: float) -> str:
    return f"demand.cn_counter.steps={{216 h: {factor}, 408 h: 1}}"


for _key, _published, _changes, _scatter, _control, _against in (
    ("prefunding-weekend/ordinary week", 4.227, (), 0.04, (_NEXT_DAY,), "T+1"),
    ("prefunding-weekend/money moves every day", 2.227, (_EVERY_DAY,), 0.04, (), "bank days"),
    ("prefunding-weekend/ordinary week at T+1", 3.227, (_NEXT_DAY,), 0.04, (), "T+2"),
    ("golden-week/peak at T+2", 10.227, _GOLDEN, 0.06, (), "an ordinary week"),
    ("golden-week/peak at T+1", 9.227, (*_GOLDEN, _NEXT_DAY), 0.06, _GOLDEN, "T+2"),
    (
        "golden-week/peak, 1.21 times as many",
        11.907,
        (*_GOLDEN, _demand(1.21)),
        0.07,
        _GOLDEN,
        "demand as before",
    ),
    (
        "golden-week/peak, 1.5 times as many",
        14.227,
        (*_GOLDEN, _demand(1.5)),
        0.07,
        _GOLDEN,
        "demand as before",
    ),
    (
        "golden-week/peak, twice as many",
        18.227,
        (*_GOLDEN, _demand(2.0)),
        0.08,
        _GOLDEN,
        "demand as before",
    ),
):
    published(
        key=_key,
        what="Most that has to be put ahead, in days of payments, with a credit at 10:00.",
        published=_published,
        unit="days",
        tolerance=_scatter,
        source="derived: bank days between a payment and its settlement, and 22.7 % of the day by "
        "10:00",
        why="twice sqrt(payments up to the peak) / 12 000: 0.019 of 4.2 days, 0.029 of 10.2, "
        "0.039 of "
        "18.2; the highest of several days lies above their mean by up to as much",
        ours=lambda changes=_changes: _peak_days(changes),
        control=lambda changes=_control: _peak_days(changes, 1),
        against=_against,
        how="worked out",
        is_large=_key != "prefunding-weekend/ordinary week",
    )


def _fluid_idle() -> float:
    """Return which part of the 4.227 days put ahead lies idle on average over a week.

    Payments flow by the hourly course; a day's are paid back at 10:00 two bank days later.
    """
    hourly = [
        6,
        3,
        2,
        2,
        4,
        12,
        32,
        56,
        58,
        52,
        54,
        70,
        74,
        52,
        44,
        46,
        54,
        72,
        82,
        78,
        60,
        44,
        28,
        15,
    ]
    paid_by = np.array([0, *accumulate(hourly)]) / 1000
    # Day 0 is a Monday; those of Thursday are paid on Monday, of Friday and the weekend on Tuesday.
    settled = {0: 2, 1: 3, 2: 4, 3: 7, 4: 8, 5: 8, 6: 8}
    owed = []
    for hour in np.arange(14 * 24, 21 * 24, 0.1):
        day, clock = divmod(float(hour), 24)
        out = day + float(np.interp(clock, range(25), paid_by))
        back = sum(
            7 * week + due + 10 / 24 <= hour / 24 for week in range(4) for due in settled.values()
        )
        owed.append(out - back)
    return 100 * (1 - float(np.mean(owed)) / 4.227)


def _idle(changes: Changes = ()) -> Found:
    asked = (
        f"accounts.aba_khr_for_alipay_plus.balance={round(4.227 * _DAY_MINOR / 100)}",
        "clock.horizon=28 d",
        # The levels of a run count from its start; cold, the first four days are empty.
        *changes,
    )
    return measured(
        "prefunding-weekend",
        f"{_PREFUNDED}/balance_mean_minor",
        asked,
        replications=2,
        times=100 / (4.227 * _DAY_MINOR),
    )


def _cold(week_idle: float) -> float:
    """Return the mean of four weeks of which the first begins with everything put ahead."""
    # Monday to Wednesday of the first week still hold what later weeks owe for Thursday to Sunday:
    # four days until Monday at 10:00, three until Tuesday at 10:00.
    spared_days = (4 * 10 + 3 * 24) / 24 / 4.227
    return week_idle + 100 * spared_days / 28


published(
    key="prefunding-weekend/idle share",
    what="Part of the 4.227 days put ahead that lies idle on average of four weeks.",
    published=_cold(_fluid_idle()),
    unit="%",
    tolerance=1.0,
    source="derived: the same flow without chance, worked out beside the simulator",
    why="what is owed scatters by 0.019 of 4.227 days, 0.4 %; twice that, and 0.2 for the minutes "
    "a "
    "payment takes",
    ours=_idle,
    control=lambda: _idle((_NEXT_DAY,)),
    against="T+1",
    how="worked out",
    is_large=True,
)


def _before_the_holiday_ends(until: str) -> Found:
    """Return the peak of a run that ends at an instant, as a part of that of the whole run."""
    changes = (*_GOLDEN[:1], f"clock.horizon={until}")
    return Found(_peak_days(changes, 1).value / _peak_days(_GOLDEN, 1).value)


published(
    key="golden-week/instant of the peak",
    what="Peak up to 10 October 2025, 10:00 of Beijing, as a part of the peak of the three weeks.",
    published=1.0,
    unit="share",
    tolerance=0.001,
    source="derived: 30 September to 8 October are paid on the 10th, the 29th on the 9th",
    why="nothing is left to chance: after that instant less is owed",
    ours=lambda: _before_the_holiday_ends("442 h"),
    control=lambda: _before_the_holiday_ends("410 h"),
    against="up to 9 October, 02:00",
    how="worked out",
    is_large=True,
)

_ORDER: Changes = (
    "routing.policy=priority",
    "routing.order=[kh_th/promptpay.acleda, cn_kh/alipay_plus.aba]",
)
_FIXED: Changes = (*_ORDER, "routing.failover=0", "routing.breaker=null")
_CALM: Changes = (*_FIXED, "disruptions=null")
_RESILIENT: Changes = (*_ORDER, "routing.failover=1")
_ALTERNATIVES = ("to_th", "from_cn")
_OUTAGE_US = (3 * HOUR_US, 15 * HOUR_US)


def _in_outage(changes: Changes) -> tuple[Array, Array]:
    """Return payments of corridors with another route, and which of them come in the outage."""
    made, rows = payments("acleda-outage", changes)
    streams = [made.plan.names.streams.index(name) for name in _ALTERNATIVES]
    rows = rows[np.isin(rows[:, C.STREAM], streams)]
    after, before = _OUTAGE_US
    at = rows[:, C.SUBMITTED_US]
    return rows, (at >= after) & (at < before)


def _extra_failures(changes: Changes) -> Found:
    """Return what fails on top, as a part of what ACLEDA carried without the outage."""
    calm, during = _in_outage(_CALM)
    other, _ = _in_outage(changes)
    made, _ = payments("acleda-outage", _CALM)
    over_acleda = np.array([".acleda" in route for route in made.plan.names.routes])
    done = during & (calm[:, C.OUTCOME] == Outcome.COMPLETED)
    carried = done & over_acleda[calm[:, C.ROUTE]]
    failed = done & (other[:, C.OUTCOME] != Outcome.COMPLETED)
    return Found(float(failed.sum()) / float(carried.sum()))


def _offline(changes: Changes) -> Found:
    """Return how many payments in corridors with another route end because ACLEDA is away."""
    rows, during = _in_outage(changes)
    return Found(float((during & (rows[:, C.REASON] == Reason.AB07)).sum()))


published(
    key="acleda-outage/extra failures of fixed priority",
    what="Payments in corridors with another route that fail on top, to those ACLEDA carried.",
    published=1.0,
    unit="ratio",
    tolerance=0.005,
    source="derived: whoever is sent to ACLEDA fails, and nobody else (pattern: ABA, 25 November "
    "2021, 12 h)",
    why="payments under way when the desk closes or opens: about 8 s of 12 h at each end, 0.04 %; "
    "few pass in 24 000",
    ours=lambda: _extra_failures(_FIXED),
    control=lambda: _extra_failures((*_ORDER, "routing.failover=1", "routing.breaker=null")),
    against="one fail-over",
    how="worked out",
)
published(
    key="acleda-outage/offline with a breaker and one fail-over",
    what="Payments in corridors with another route that end for want of ACLEDA.",
    published=0.0,
    unit="payments",
    tolerance=3,
    source="derived: each has another route",
    why="0.37 % of 3 400 fail technically elsewhere, 13; the one fail-over of each meets ACLEDA "
    "where "
    "it is time for a probe, one in five or less: up to 3",
    ours=lambda: _offline(_RESILIENT),
    control=lambda: _offline(_FIXED),
    against="fixed priority without fail-over",
    how="worked out",
)
published(
    key="acleda-outage/extra failures with a breaker and one fail-over",
    what="Payments in corridors with another route that fail on top, to those ACLEDA carried.",
    published=0.0,
    unit="ratio",
    tolerance=0.005,
    source="derived, of routes alike: design table of the library",
    why="none may",
    ours=lambda: _extra_failures(_RESILIENT),
    control=lambda: _extra_failures(_FIXED),
    against="fixed priority without fail-over",
    how="worked out",
    because="Thailand's sponsors are rails of their own here: whoever fails over confirms again at "
    "another sponsor, and 7.6 % are declined there. With two payments a minute every second one is "
    "a probe of the breaker, so that many fail over.",
)


def _owed(stream: str) -> Found:
    """Return the most that is owed on one line, in dollars, where one stream alone pays."""
    others = {"by_bridge", "by_gateway", "back", "pilot"} - {stream}
    changes = ("answer=''", *(f"demand.{name}=null" for name in sorted(others)))
    return measured("ecny-bridge", "claim_peak_minor", changes, times=0.01)


published(
    key="ecny-bridge/owed over the bridge",
    what="Most that anybody owed anybody at any event of the week.",
    published=0.0,
    unit="USD",
    tolerance=0.0,
    source="derived: both sides are released at one stroke",
    why="none may",
    ours=lambda: _owed("by_bridge"),
    control=lambda: _owed("by_gateway"),
    against="the same payments through the gateway",
    how="worked out",
)


def _pilot(changes: Changes = ()) -> Found:
    made, rows = payments("ecny-bridge", (*_ONLY_PILOT, *changes))
    assert len(rows) == 1
    assert made.plan.names.streams == ("pilot",)
    return Found(int(rows[0, C.DEBITED]) / 100)


_ONLY_PILOT: Changes = (
    "answer=''",
    "demand.by_bridge=null",
    "demand.by_gateway=null",
    "demand.back=null",
    "clock.horizon=12 h",
)
published(
    key="ecny-bridge/quote of the pilot in Laos",
    what="What 3 000 kip cost a payer in digital yuan.",
    published=0.99,
    unit="CNY",
    tolerance=0.005,
    source="e_cny.cross_border_qr_pilot (27 December 2025); 7.0432 yuan to a dollar that day",
    why="half a fen, what rounding to fen leaves",
    ours=_pilot,
    control=lambda: _pilot(("fx.mid.USD/LAK.rate=21 625",)),
    against="21 625 kip to a dollar, the rate of January 2026",
)
