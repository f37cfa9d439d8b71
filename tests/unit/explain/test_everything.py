"""What the plan of the scenario that has everything is told as, section by section.

Numbers are those of ``everything.yaml``, or follow from them as said beside.
"""

from __future__ import annotations

from functools import cache

import pytest

from sim.compiler.compile import compile_scenario
from sim.explain.plan import explain_plan
from sim.scenario.scenario import load_scenario
from tests.support.scenarios import ROOT

PATH = ROOT / "sim" / "study" / "fuzz" / "everything.yaml"


@cache
def _sections() -> dict[str, str]:
    """Return the words of every section, lines that were wrapped made one again."""
    found: dict[str, list[str]] = {}
    lines = explain_plan(compile_scenario(load_scenario(PATH))).splitlines()
    name = ""
    for at, line in enumerate(lines):
        following = lines[at + 1] if at + 1 < len(lines) else ""
        if following and set(following) == {"-"} and len(following) == len(line):
            name = line
            found[name] = []
        elif name:
            found[name].append(line)
    return {name: " ".join(" ".join(body).split()) for name, body in found.items()}


TOLD = {
    "Institutions and rails": (
        "rail alipay_plus: operator alipay_operator; wallet alipay_wallet; inbound live from "
        "2024-10-14; inbound at hill_bank live from 2026-01-01; outbound live from 2025-03-10",
        "rail visa_card: operator unionpay_operator; acquirer alipay_wallet; live from 2024-01-01",
    ),
    "Exchange rates": (
        "USD/LAK 21500, moves as everything_rates.csv says, every 10 s",
        "provider quay, whose days are those of banks in CN USD/HKD, both ways: 0.3 %, from 40.00 "
        "HKD on 0.2 % over the mid rate dusk: 0.2 % more from 12:01 to 12:02 local time 0.1 % more "
        "on days banks are closed",
        "position in HKD: opens with 50 HKD; down to -40 HKD and up to 3000 HKD; beyond it refuses "
        "(AM23) looked at 12:01 on days banks in CN are open: more than 20 HKD from the opening, "
        "all of it is traded for USD at 0.1 % over the mid rate, delivered 9 bank days and 30 min "
        "later",
        "position in USD: opens with nothing; down to -100 USD; beyond it refuses (AM23)",
        "provider wharf, whose days are those of banks in CN HKD/USD, both ways: 0.35 % over the "
        "mid rate late: 0.4 % more from 13:02 to 13:02:30 local time",
        "for alipay_operator convert, the first where quotes are equal: quay, wharf",
    ),
    "Demand": (
        "linked: corridor kh_kh, channel online orders at linked arrivals: 40 /min on average",
        "inbound: corridor cn_kh, channel counter arrivals: 30 /min on average, by profile day; "
        "times 2 from t = 1 min, times 1 from t = 2 min",
        "payments: 3 payments of everything.csv, in order of time payment n = 0 at t = 4.5 s: "
        "8 000.00 KHR",
        "linked: 12 units, an order holds its unit until it is released or expires an order is "
        "shown a link for 20 s; what is credited too late is paid back 3 s later it asks about "
        "each order after 1 s, then 3 times as long each time, at most 5 s (at shop.desk) the "
        "provider takes 1 /s of them, 3 at once; others are refused (429)",
        "listed: 9 units, taken when goods are released: more may be sold than there are",
        "every 2 s it asks about all open orders, 3 open orders a call",
    ),
    "Routing": (
        # 3 % is 300 basis points.
        "Routes that cost more than 300 bps, or that take longer than 90 s, or that would take an "
        "account below its reserve are taken only where all are barred.",
        "A route that failed 3 of the last 9 times is barred for 40 s, then probed by one payment.",
        "A second of time counts as 3 bps of the amount.",
        "How attempts ended is known up to 10 s later.",
        "kh_cn: 6 % of payments try any route to learn from; a failure counts as 70 s.",
        "th_free: It is sums_up(times=3,plus=1), a policy of the user's own: digest ",
    ),
    "Programs": (
        "order a unit of linked, whose code lasts as long, asked about from",
        "ask whether the order is paid, while it is open; the next from",
        "answered; what is found paid is released",
        "end, completed; of a part that is paid back later move its share of",
        "settle in large, or wait there",
        "from here on it is asked about, from",
    ),
    "Accounts": (
        "river_usd_at_alipay: river_bank at alipay_plus, 500 USD, down to -100 USD; payments wait "
        "when it is short an alarm is raised while less than 250 is left while less than 40 is "
        "left its owner closes the channel",
        "money lying on it costs its owner 3.5 % a year what it is below zero costs its owner 9 % "
        "a year",
    ),
    "Settlement": (
        # Nine bank days of China from the 5th on lead to the 18th, 22 h after noon of the 17th.
        "file of 2025-09-05: closed before the start, paid t = 22 h",
        "file of 2025-09-17: closed t = 11 h, paid t = 310 h",
        "what is refunded is paid only out of what is there a file by which the agent owes is paid "
        "by the agent",
        "what is refunded is set off on refunds:clearing:unionpay:river_bank:USD a file by which "
        "the agent owes is set off against later files",
        # At 30, 60, 90, 120 and 150 s.
        "the largest set of payments, in order, that all can bear settles at one stroke, 5 times "
        "in the run, first t = 30 s closes t = 2 min; what can be paid net settles, the rest is "
        "returned",
        "demand.inbound: 40 % of completed payments, 60 % of the amount in 3 parts, each after 7 s "
        "come back, at the current rate",
        "demand.returned: 1 part as written come back, at the original rate",
        "demand.linked: 100 % of completed payments, 100 % of the amount in 1 part, each after 3 s "
        "come back, at the original rate",
    ),
    "Agenda": (
        "Window rough (during core): measured for itself: t = 1 min to t = 80 s",
        "Disruption block: ledger of bakong has 50 % of its capacity from 12:01:00 to 12:01:30 (t "
        "= 1 min, for 30 s); slows bakong.ledger",
        "Disruption late: the settlement_agent of river_bank is closed when banks of KH are not "
        "open and outside 12:00:05 to 24:00 in KH: t = 0 s to t = 5 s",
        "Disruption rush: demand inbound is multiplied by 2 from 12:01:10 to 12:01:30 (t = 70 s, "
        "for 20 s); 80 % likely; along with it, by one draw: thai (50 %)",
        "Disruption shock: the mid rate USD/KHR is multiplied by 1.1 at 12:01:05 (t = 65 s)",
        "Disruption slow: desk of shop takes 1.5 times as long and has 50 % of its capacity",
        "Disruption shut: the core of river_bank is closed outside 12:00:10 to 12:02:40 in KH",
    ),
}


@pytest.mark.parametrize(
    ("section", "words"), [(name, words) for name, told in TOLD.items() for words in told]
)
def test_every_section_is_told(section: str, words: str) -> None:
    assert words in _sections()[section]
