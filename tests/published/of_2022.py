"""Figures of payments at home in the first half of 2022, and of what one code changed."""

from __future__ import annotations

from tests.published.figure import Found, published
from tests.published.runs import Changes, measured, paid

FIRST_HALF = 10_240_000 / 181
"""Completed transfers a day in the first half of 2022."""
_RIEL_A_DOLLAR = 4_050


def _transfers(changes: Changes = ()) -> Found:
    return Found(float(sum(count for count, _ in paid("cambodia-2022", changes).values())))


def _value(changes: Changes = ()) -> Found:
    """Return what was credited on the day, in million dollars."""
    done = paid("cambodia-2022", changes)
    return Found((done["khr"][1] / _RIEL_A_DOLLAR + done["usd"][1]) / 100 / 1e6)


published(
    key="cambodia-2022/transfers a day",
    what="Completed transfers of a day of the first half of 2022.",
    published=FIRST_HALF,
    unit="transfers",
    tolerance=1.96 * FIRST_HALF**0.5,
    source="facts 1.37 (Khmer Daily): 10.24 million in 181 days",
    why="95 % of Poisson counts of that mean: 1.96 x sqrt(56 575) = 466",
    ours=_transfers,
    control=lambda: _transfers(("demand.khr.rate=19 389 /day", "demand.usd.rate=37 186 /day")),
    against="published transfers taken as attempts, of which 7.4 % fail",
)
published(
    key="cambodia-2022/value a day",
    what="Value of these transfers, riel and dollars together at 4 050.",
    published=(4.34e12 / _RIEL_A_DOLLAR + 4.76e9) / 181 / 1e6,
    unit="million USD",
    tolerance=0.041 * (4.34e12 / _RIEL_A_DOLLAR + 4.76e9) / 181 / 1e6,
    source="facts 1.37 (Khmer Daily): 4.34 T riel and 4.76 bn dollars",
    why="a lognormal with sigma 1.8 varies by sqrt(exp(3.24) - 1) = 4.95 times its mean; of 56 575 "
    "payments the sum by 4.95 / sqrt(56 575) = 2.08 %, and 1.96 of that are 4.1 %",
    ours=_value,
    control=lambda: _value(("demand.usd.amount={lognormal: {mean: 647 USD, sigma: 1.8}}",)),
    against="a mean of 647 dollars, which forgets what limits cut off and more",
)

_TWO_HOURS = (
    "clock.horizon=2 h",
    "clock.start=2022-06-16T11:00:00+07:00",
    "rails.bakong.on_us=book",
    "rails.khqr.damaged_share=0 %",
    *(
        f"institutions.{name}.decline=0 %"
        for name in ("acleda", "aba", "wing", "canadia", "with_khqr", "without_khqr")
    ),
)
"""The settings of scenarios/experiments/one-code.yaml."""
_APART = (*_TWO_HOURS, "disruptions={apart: {outage: bakong, after: 0 s, for: 3 h}}")
_EVENLY = (
    *_TWO_HOURS,
    *(f"institutions.{name}.payer_share=1" for name in ("acleda", "aba", "wing", "canadia")),
    "institutions.with_khqr.payer_share=25",
    "institutions.without_khqr.payer_share=6",
)
_OFF = "institutions.not_on_bakong.payer_share"


def _reach(changes: Changes) -> Found:
    return measured("cambodia-2022", "success_rate", changes, replications=3, times=100)


published(
    key="cambodia-2022/reach of own codes",
    what="Payments that find a merchant of the payer's own institution, before there was one code.",
    published=20.6,
    unit="%",
    tolerance=0.6,
    source="derived: sum over institutions of payer share x merchant share, as assumed",
    why="10 000 merchants drawn by share: sqrt((sum p^2 m - 0.206^2) / 10 000) = 0.13 points; "
    "three "
    "times 9 000 payments: sqrt(0.206 x 0.794 / 27 000) = 0.25; 1.96 of both together is 0.55",
    ours=lambda: _reach(_APART),
    control=lambda: _reach(_TWO_HOURS),
    against="one code",
    how="worked out",
)
published(
    key="cambodia-2022/reach of one code",
    what="Payments that find a merchant with one code.",
    published=100.0,
    unit="%",
    tolerance=0.1,
    source="derived: every institution with codes reaches every other",
    why="limits of a day stop up to one payment in a thousand",
    ours=lambda: _reach(_TWO_HOURS),
    control=lambda: _reach(_APART),
    against="own codes",
    how="worked out",
)
published(
    key="cambodia-2022/payers who can pay another institution",
    what="Payers spread evenly over 69 institutions whose own is on Bakong.",
    published=100 * 35 / 69,
    unit="%",
    tolerance=0.7,
    source="seed_2022.bakong_institutions and institutions_mobile_payment (Xinhua): 35 of 69",
    why="three times 9 000 payments: 1.96 x sqrt(0.507 x 0.493 / 27 000) = 0.60 points, and 0.1 "
    "for "
    "limits",
    ours=lambda: _reach((*_EVENLY, f"{_OFF}=34")),
    control=lambda: _reach((*_EVENLY, f"{_OFF}=0")),
    against="nobody at one of the 34 others",
    how="worked out",
    is_large=True,
)
