"""Figures of the two-way link with China: what succeeds, over what, and who carries it."""

from __future__ import annotations

from sim.contract.meaning import Outcome
from sim.contract.records import RecordColumn as C
from sim.units import MINUTE_US
from tests.published.figure import Found, published
from tests.published.runs import Changes, measured, payments, summary

_ABROAD: Changes = ("demand.domestic_khr=null", "demand.domestic_usd=null")
"""Payments at home are many and go over none of the links."""
_SYSTEMS = {
    "Alipay": "alipay_plus",
    "WeChat Pay": "wechat_pay",
    "UnionPay": "unionpay",
    "digital yuan": "ecny",
}


def _carried(prefixes: tuple[str, ...], changes: Changes = ()) -> Found:
    """Return how many of the systems complete payments of the shipped hour in a direction."""
    found = summary("china-two-way", (*_ABROAD, *changes)).by["route"]
    done = {
        rail
        for rail in _SYSTEMS.values()
        for route, one in found.items()
        if route.startswith(prefixes) and f"/{rail}" in route and float(one["completed"]) > 0
    }
    return Found(float(len(done)))


# Many visitors in a short time, each trying once with one wallet, so that nothing but the stated
# shares decides; agents hold enough for all of them.
_ONCE: Changes = (
    *_ABROAD,
    "demand.kh_counter_in_china=null",
    "demand.kh_digital_yuan=null",
    "answer=''",
    "clock.horizon=2 h",
    "demand.cn_counter.rate=60 000 /h",
    "demand.cn_counter.profile=flat",
    "demand.cn_counter.payers=1 000 000",
    "demand.cn_counter.second_instrument=null",
    "demand.cn_counter.after_failure=null",
    "routing.failover=0",
    "rails.khqr.currency_share={KHR: 100 %, USD: 0 %}",
    "corridors.kh_usd=null",
    *(
        f"accounts.{name}.balance=90 000 000 000"
        for name in (
            "aba_khr_for_alipay_plus",
            "acleda_khr_for_alipay_plus",
            "acleda_khr_for_unionpay",
            "acleda_khr_for_wechat_pay",
            "acleda_khr_for_ecny",
        )
    ),
)
_DAMAGED, _BUSINESS, _TECHNICAL = 0.002, 0.072, 0.0037
_GATEWAY, _SCREENED, _NOT_CREDITED = 0.0013, 0.001, 0.00314
_ECNY = 0.04
"""Share of visitors with digital yuan, which pass neither a gateway nor a screening."""

_READ = 1 - _DAMAGED
_DEBITED = _READ * (1 - _BUSINESS - _TECHNICAL)
_BETWEEN = 1 - (1 - _ECNY) * (1 - (1 - _GATEWAY) * (1 - _SCREENED))
_SUCCESS = _DEBITED * _BETWEEN * (1 - _NOT_CREDITED)


def _reason(code: str, changes: Changes = _ONCE) -> Found:
    share = summary("china-two-way", changes).by["reason"].get(code, {}).get("share")
    return Found(0.0 if share is None else 100 * float(share))


_OTHERWISE = (
    *_ONCE,
    *(f"institutions.{name}.decline=3 %" for name in ("alipay", "wechat", "unionpay_app")),
    "rails.khqr.damaged_share=1 %",
    *(f"institutions.{name}.declines.debit.AB10=2 %" for name in ("alipay", "wechat")),
    *(f"institutions.{name}.declines.credit.AB09=2 %" for name in ("aba", "acleda", "wing")),
)
_SAMPLE = "120 000 payments: 1.96 x sqrt(share x (1 - share) / 120 000), 0.16 points at most"
published(
    key="china-two-way/success",
    what="Success of visitors who try once at a code in riel: the product of the declines stated.",
    published=100 * _SUCCESS,
    unit="%",
    tolerance=0.2,
    source="derived: (1 - 0.2 %) x (1 - 7.57 %) x gateway, screening and credit",
    why=f"{_SAMPLE}; asked for: 0.2 points",
    ours=lambda: measured("china-two-way", "success_rate", _ONCE, times=100),
    control=lambda: measured("china-two-way", "success_rate", _OTHERWISE, times=100),
    against="other shares",
)
for _code, _what, _share in (
    ("FF01", "codes that cannot be read", _DAMAGED),
    ("AG01", "business declines of the wallet", _READ * _BUSINESS),
    (
        "AB10",
        "technical declines of wallet and gateway",
        _READ * _TECHNICAL + _DEBITED * (1 - _ECNY) * _GATEWAY,
    ),
    ("AB09", "credits declined by the merchant's bank", _DEBITED * _BETWEEN * _NOT_CREDITED),
):
    published(
        key=f"china-two-way/of it {_code}",
        what=f"Of all payments: {_what}.",
        published=100 * _share,
        unit="%",
        tolerance=0.2 if _share > 0.01 else 0.05,
        source="derived: the stated share of those who come so far",
        why=_SAMPLE,
        ours=lambda code=_code: _reason(code),
        control=lambda code=_code: _reason(code, _OTHERWISE),
        against="other shares",
    )


for _way, _prefixes, _change, _words in (
    ("coming in", ("cn_kh/",), "rails.khqr.unionpay_share=0 %", "no code with UnionPay's tag 15"),
    (
        "going out",
        ("kh_cn/", "kh_ecny/"),
        "demand.kh_digital_yuan=null",
        "nobody paid in digital yuan",
    ),
):
    published(
        key=f"china-two-way/systems {_way}",
        what="Systems that complete payments: Alipay, WeChat Pay, UnionPay, digital yuan.",
        published=4,
        unit="systems",
        tolerance=0,
        source="derived: each is carried or met by a stated share",
        why="none may stand still",
        ours=lambda prefixes=_prefixes: _carried(prefixes),
        control=lambda prefixes=_prefixes, change=_change: _carried(prefixes, (change,)),
        against=_words,
        how="worked out",
    )


def _longest(changes: Changes) -> Found:
    made, rows = payments("china-two-way", changes)
    done = rows[rows[:, C.OUTCOME] == Outcome.COMPLETED]
    counters = [made.plan.names.streams.index(name) for name in ("cn_counter",)]
    took = done[:, C.CREDITED_US] - done[:, C.SUBMITTED_US]
    return Found(float(took[done[:, C.STREAM] == counters[0]].max()) / MINUTE_US)


published(
    key="china-two-way/longest at a counter",
    what="Longest time from scan to credit of a completed payment coming in.",
    published=1.0,
    unit="min",
    tolerance=1.0,
    source="published antom_counter_time_out: 60 s at a counter, not the 14 min of an order online",
    why="up to two minutes: 60 s, once again after a change of wallet",
    ours=lambda: _longest(_ABROAD),
    control=lambda: _longest(
        (
            *_ABROAD,
            "institutions.aba.screening.hit_share=5 %",
            "institutions.aba.screening.review_time={lognormal: {median: 600 s, sigma: 0.8}}",
            "institutions.aba.screening.refused_share=5 %",
            "rails.alipay_plus.order_life=840 s",
        )
    ),
    against="hits that are reviewed while the payer waits, and orders of 14 min",
)


def _smallest(changes: Changes = ()) -> Found:
    made, rows = payments("china-two-way", (*_ABROAD, *changes))
    stream = made.plan.names.streams.index("cn_counter")
    return Found(float(rows[rows[:, C.STREAM] == stream, C.INSTRUCTED].min()) / 100)


published(
    key="china-two-way/least amount",
    what="Least amount asked at a counter here.",
    published=100,
    unit="KHR",
    tolerance=9_900,
    source="facts 2.25: 100 riel",
    why="none below 100; of a thousand visitors the smallest asks for up to some thousands",
    ours=_smallest,
    control=lambda: _smallest(("demand.cn_counter.amount=12 000 KHR",)),
    against="everybody asks for 12 000",
)


def _of_acleda(changes: Changes = _ONCE) -> Found:
    found = summary("china-two-way", changes).by["route"]
    acleda, aba = (
        float(found[f"cn_kh/alipay_plus.{agent}"]["submitted"]) for agent in ("acleda", "aba")
    )
    return Found(100 * acleda / (acleda + aba))


_AGENTS = "rails.alipay_plus.settlement_agents"
published(
    key="china-two-way/ACLEDA's share of Alipay+",
    what="Payments of Alipay+ that go through ACLEDA.",
    published=50,
    unit="%",
    tolerance=0.5,
    source="derived: the share stated for it",
    why="55 000 payments: 1.96 x sqrt(0.25 / 55 000) = 0.42 points",
    ours=_of_acleda,
    control=lambda: _of_acleda(
        (*_ONCE, f"{_AGENTS}.acleda.share=60 %", f"{_AGENTS}.aba.share=40 %")
    ),
    against="60 and 40 %",
    is_large=True,
)


def _unpayable(changes: Changes = ()) -> Found:
    asked = (*_ONCE, "rails.khqr.currency_share={KHR: 96 %, USD: 4 %}", *changes)
    return _reason("AG03", asked)


published(
    key="china-two-way/codes in dollars",
    what="Of all payments: codes in dollars, which no wallet pays.",
    published=4 * _READ,
    unit="%",
    tolerance=0.9,
    source="derived: the share of such codes stated",
    why="2 000 codes drawn by share: 1.96 x sqrt(0.04 x 0.96 / 2 000) = 0.86 points",
    ours=_unpayable,
    control=lambda: _unpayable(("rails.khqr.currency_share={KHR: 80 %, USD: 20 %}",)),
    against="20 % of them",
    is_large=True,
)
