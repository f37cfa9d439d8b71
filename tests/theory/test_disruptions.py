"""Everything that goes wrong in a run, worked out by hand: slower places, surges, jumps, closures.

Outages as such are in ``test_windows.py`` and ``test_doubt.py``; every run that keeps its log is
audited by the driver.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from sim.compiler.compile import compile_scenario
from sim.compiler.occurrences import Luck, Occurrence, occurrences
from sim.compiler.parts import WindowPart
from sim.contract.meaning import LogKind
from sim.contract.records import RecordColumn as C
from sim.errors import ScenarioError
from sim.explain.agenda import agenda_lines
from sim.study.compile_case import depends_on_replication
from tests.theory.driver import SECOND, Ran, load_text, run

DESK = """
scenario: desk
clock: {start: 2025-09-17T12:00:00+07:00, horizon: HORIZON s}
rails:
  shop:
    kind: generic
    stations: {desk: STATION}
    stages: [{name: work, serve: desk, time: TIME}]
corridors:
  inside: {from: {country: KH, currency: KHR}, to: {country: KH, currency: KHR}}
demand:
  asked: {corridor: inside, DEMAND}
disruptions: {it: {WRITTEN}}
"""


def _text(
    written: str,
    *,
    at: tuple[float, ...] = (1.0,),
    horizon: int = 60,
    station: str = "{servers: 1}",
    time: str = "2 s",
) -> str:
    listed = ", ".join(f"{{at: {one} s, amount: 1}}" for one in at)
    text = DESK.replace("DEMAND", f"payments: [{listed}]").replace("HORIZON", str(horizon))
    return text.replace("STATION", station).replace("TIME", time).replace("WRITTEN", written)


def _ends(ran: Ran) -> list[float]:
    """Return when payments ended, in seconds, in order of submission."""
    ordered = ran.records[np.argsort(ran.records[:, C.PAYMENT])]
    return [round(float(end) / SECOND, 6) for end in ordered[:, C.END_US]]


def test_a_slower_desk_takes_times_as_long_for_who_starts_meanwhile(
    tmp_path: Path, engine: str
) -> None:
    written = "degradation: shop, times: 1.5, after: 10 s, for: 10 s"
    ran = run(load_text(tmp_path, _text(written, at=(1, 9, 12, 19.5, 30))), engine)
    # 2 s each; 9 to 11 began before; 12 and 19.5 take 3 s; from 20 on it is as before.
    assert _ends(ran) == [3.0, 11.0, 15.0, 22.5, 32.0]
    assert [row[:6] for row in ran.rows(LogKind.STATION_PACE)] == [
        (10 * SECOND, "STATION_PACE", "", "", "shop.desk", 1_500_000),
        (20 * SECOND, "STATION_PACE", "", "", "shop.desk", 1_000_000),
    ]


def test_half_the_servers_serve_half_as_many(tmp_path: Path, engine: str) -> None:
    written = "degradation: shop, capacity: 50 %, after: 10 s, for: 10 s"
    at = (9.0, 9.5, 9.75, 12, 18)
    ran = run(
        load_text(tmp_path, _text(written, at=at, station="{servers: 2}", time="4 s")), engine
    )
    # Two begin and go on: 9 to 13 and 9.5 to 13.5. One server is left, free at 13.5: 13.5 to 17.5.
    # The next has waited since 12: 17.5 to 21.5. At 20 the second server is back, and who came at
    # 18 starts with it: 20 to 24.
    assert _ends(ran) == [13.0, 13.5, 17.5, 21.5, 24.0]


def test_a_rate_cut_to_a_quarter_spaces_starts_four_times_as_far(
    tmp_path: Path, engine: str
) -> None:
    written = "degradation: shop, station: desk, capacity: 25 %, after: 2 s, for: 10 s"
    text = _text(written, at=(3,) * 8, station="{rate_limit: 2 /s}", time="0 s")
    # Half a second apart turns into 2 s: 3, 5, 7, 9, 11, then the start at 13 was due before the
    # cut ended; from there half a second again.
    assert _ends(run(load_text(tmp_path, text), engine)) == [3, 5, 7, 9, 11, 13, 13.5, 14]


def test_overlapping_degradations_multiply(tmp_path: Path) -> None:
    text = _text("degradation: shop, times: 2, capacity: 40 %, after: 10 s, for: 20 s")
    more = "more: {degradation: shop, times: 1.5, capacity: 50 %, after: 20 s, for: 20 s}"
    text = text.replace("disruptions: {", f"disruptions: {{{more}, ")
    text = text.replace("{servers: 1}", "{servers: 10}")
    told = list(agenda_lines(compile_scenario(load_text(tmp_path, text), with_tables=False)))
    # 2, 2 x 1.5 and 1.5 times; 4, 10 x 0.4 x 0.5 = 2 and 5 servers.
    assert [line.partition(". ")[2] for line in told if line[0].isdigit()] == [
        "t = 10 s: shop.desk takes 2 times the time drawn",
        "t = 10 s: shop.desk has 4 servers",
        "t = 20 s: shop.desk takes 3 times the time drawn",
        "t = 20 s: shop.desk has 2 servers",
        "t = 30 s: shop.desk takes 1.5 times the time drawn",
        "t = 30 s: shop.desk has 5 servers",
        "t = 40 s: shop.desk takes 1 times the time drawn",
        "t = 40 s: shop.desk has 10 servers",
    ]


def test_a_ledger_takes_fewer_payments_per_block(tmp_path: Path, engine: str) -> None:
    payments = ", ".join("{at: 1 s, amount: 1000}" for _ in range(5))
    text = f"""
scenario: blocks
extends: MINIMAL
demand: {{inbound: null, outbound: null, domestic: {{payments: [{payments}]}}}}
institutions: {{temple_bank: {{core: {{servers: 9}}}}, river_bank: {{core: {{servers: 9}}}}}}
disruptions: {{it: {{degradation: bakong, station: ledger, capacity: 20 %, after: 0 s, for: 30 s}}}}
"""
    ran = run(load_text(tmp_path, text), engine)
    # 20 % of ten payments are two: 2, 2 and 1.
    assert [row[5] for row in ran.rows(LogKind.COMMIT)] == [2, 2, 1]
    assert [row[5] for row in ran.rows(LogKind.LEDGER_BLOCK)] == [2, 10]


STORM = """
scenario: storm
clock: {start: 2025-04-12T10:00:00+05:30, horizon: HORIZON s}
rails:
  upi:
    kind: generic
    stations: {switch: {rate_limit: RATE /s}}
    stages: [{name: answer, serve: switch, time: 0 s}]
    POLLS
corridors:
  inside: {from: {country: KH, currency: KHR}, to: {country: KH, currency: KHR}}
demand:
  paid: {corridor: inside, DEMAND}
disruptions:
  slow: {degradation: upi, station: switch, capacity: 10 %, after: 100 s, for: 600 s}
"""


def _recovered_s(ran: Ran) -> float:
    """Return how long after the switch is whole the last payment comes that waits above 1 s."""
    late = ran.records[:, C.END_US] - ran.records[:, C.SUBMITTED_US] > SECOND
    return float(ran.records[late, C.SUBMITTED_US].max()) / SECOND - 700


def _storm(rate: int, demand: str, polls: str, horizon_s: int) -> str:
    text = STORM.replace("RATE", str(rate)).replace("DEMAND", demand).replace("POLLS", polls)
    return text.replace("HORIZON", str(horizon_s))


def test_ten_minutes_at_half_of_what_comes_are_made_up_in_75_seconds(
    tmp_path: Path, engine: str
) -> None:
    # Five a second are admitted, one comes; a tenth of it is half of what comes: 0.5 x 600 = 300
    # wait, and 5 - 1 = 4 a second are made up: 75 s.
    listed = ", ".join(f"{{at: {at} s, amount: 1}}" for at in range(800))
    ran = run(load_text(tmp_path, _storm(5, f"payments: [{listed}]", "", 800)), engine)
    waiting = (ran.records[:, C.SUBMITTED_US] < 700 * SECOND) & (
        ran.records[:, C.END_US] >= 700 * SECOND
    )
    assert abs(int(waiting.sum()) - 300) <= 1
    assert 72 <= _recovered_s(ran) <= 75


@pytest.mark.slow
def test_polls_count_while_it_is_slow_and_after(tmp_path: Path, engine: str) -> None:
    # Three polls a payment: 4 jobs a second come and 0.5 are done, (4 - 0.5) x 600 = 2 100 wait;
    # 5 - 4 = 1 a second is made up: 2 100 s at the latest.
    listed = ", ".join(f"{{at: {at} s, amount: 1}}" for at in range(2900))
    polls = "polls: {first: 2 s, every: 2 s, most: 3, serve: switch}"
    ran = run(load_text(tmp_path, _storm(5, f"payments: [{listed}]", polls, 2900)), engine)
    assert 1_900 <= _recovered_s(ran) <= 2_100


@pytest.mark.slow
def test_at_full_size_sixty_thousand_wait(tmp_path: Path) -> None:
    # 1 000 a second, 200 come, a tenth is 100: 100 x 600 = 60 000, made up in 60 000 / 800 = 75 s.
    text = _storm(1_000, "rate: 200 /s, amount: 1 KHR", "", 800)
    ran = run(load_text(tmp_path, text), "compiled", with_log=False)
    waiting = (ran.records[:, C.SUBMITTED_US] < 700 * SECOND) & (
        ran.records[:, C.END_US] >= 700 * SECOND
    )
    # As many as come in 600 s, give or take four standard deviations, less 60 000.
    assert abs(int(waiting.sum()) - 60_000) < 4 * 120_000**0.5
    assert 72 <= _recovered_s(ran) <= 78


def test_a_surge_multiplies_what_is_expected(tmp_path: Path, engine: str) -> None:
    text = _text("surge: asked, times: 3, after: 20 s, for: 10 s", time="0 s")
    text = (
        text[: text.index("payments: [")]
        + "rate: 20 /s, amount: 1 KHR, steps: {25 s: 2}}\n"
        + (text[text.index("disruptions") :])
    )
    loaded = load_text(tmp_path, text)
    (demand,) = compile_scenario(loaded).demands
    expected = dict(zip(demand.hazard_time_us.tolist(), demand.hazard.tolist(), strict=True))
    unit = expected[20 * SECOND] / (20 * 20)
    # 20 s x 20; then 5 s x 60; then steps and surge together, 5 s x 120; then 40 a second.
    for at_s, payments in ((25, 400 + 300), (30, 700 + 600), (60, 1_300 + 30 * 40)):
        assert expected[at_s * SECOND] / unit == pytest.approx(payments, rel=1e-9)
    ran = run(loaded, engine, with_log=False)
    came = Counter((ran.records[:, C.SUBMITTED_US] // (10 * SECOND)).tolist())
    assert abs(came[2] - 900) < 4 * 30
    assert abs(came[1] - 200) < 4 * 15


def test_a_jump_of_the_rate_prices_who_is_quoted_after_it(tmp_path: Path, engine: str) -> None:
    listed = ", ".join(f"{{at: {at} s, amount: 41 000}}" for at in (1, 100, 118, 130))
    text = f"""
scenario: jump
extends: MINIMAL
clock: {{horizon: 4 min}}
demand: {{inbound: {{payments: [{listed}]}}, outbound: null, domestic: null}}
accounts: {{river_khr_for_alipay: {{balance: 1 000 000}}}}
disruptions: {{shock: {{fx_jump: USD/CNY, times: 1.1, after: 90 s}}}}
"""
    ran = run(load_text(tmp_path, text), engine)
    debited = ran.records[np.argsort(ran.records[:, C.PAYMENT]), C.DEBITED]
    # 41 000 / 4 000 = 10.25 USD; x 7.1875 x 1.01 = 74.41 CNY. Rates move once a minute, so the jump
    # of 90 s comes at 120 s. Who was quoted at 118 s confirms at 121 s and pays the old price; then
    # 74.4086 x 1.1 = 81.85.
    assert debited.tolist() == [74_41, 74_41, 74_41, 81_85]


def test_a_closure_follows_hours_and_calendars(tmp_path: Path, engine: str) -> None:
    # From Tuesday 30 September, 20:00 in Phnom Penh (21:00 in Beijing): the first day of Golden
    # Week is Wednesday; banks open again on Thursday, 9 October.
    text = _text("closure: shop, calendars: [CN]", at=(60, 4 * 3600))
    text = text.replace("2025-09-17T12:00:00+07:00", "2025-09-30T20:00:00+07:00")
    text = text.replace("60 s}", "240 h}", 1)
    ran = run(load_text(tmp_path, text), engine)
    # Midnight in Beijing is 23:00 here, 3 h after the start; eight days later it opens again.
    opens = 3 * 3600 + 8 * 86_400
    assert _ends(ran) == [62.0, opens + 2.0]
    # 12:00 at the start: open to 12:10 and from 12:20 tomorrow is beyond the hour.
    text = _text('closure: shop, opens: "12:00", closes: "12:10"', at=(1, 601), horizon=3600)
    ran = run(load_text(tmp_path, text), engine)
    assert _ends(ran)[0] == 3.0
    assert [row[0] for row in ran.rows(LogKind.CLOSE)] == [600 * SECOND]
    assert not ran.rows(LogKind.OPEN)


def test_failures_and_repairs_follow_each_other(tmp_path: Path, engine: str) -> None:
    written = "outage: shop, random: {time_to_failure: 10 s, time_to_repair: 5 s}"
    text = _text(written, at=(11, 26, 42))
    ran = run(load_text(tmp_path, text), engine)
    # Works for 10 s, is mended in 5 s: down from 10 to 15, 25 to 30, 40 to 45 and 55 to 60.
    closed = [row[0] // SECOND for row in ran.rows(LogKind.CLOSE)]
    assert closed == [10, 25, 40, 55]
    assert [row[0] // SECOND for row in ran.rows(LogKind.OPEN)] == [15, 30, 45]
    assert _ends(ran) == [17, 32, 47]


RANDOM = (
    "outage: shop, random: {time_to_failure: {exponential: {mean: 4 h}}, "
    "time_to_repair: {exponential: {mean: 1 h}}}"
)


def test_failures_are_luck_of_their_own(tmp_path: Path) -> None:
    short = load_text(tmp_path, _text(RANDOM, horizon=500 * 3600)).scenario
    long = load_text(tmp_path, _text(RANDOM, horizon=50_000 * 3600)).scenario
    found = occurrences(short, Luck(1))
    # A longer run goes on with the same failures; another replication has others.
    assert found == occurrences(long, Luck(1))[: len(found)]
    assert found[0] != occurrences(short, Luck(1, 1))[0]
    # Of 50 000 h it is down for 1 / (4 + 1); the share of a renewal process of exponential times
    # has a standard deviation of sqrt(2 x 4^2 x 1^2 / (5^3 x 50 000)) = 0.0023.
    down = sum(one.stop_us - one.start_us for one in occurrences(long, Luck(1)))
    assert abs(down / (50_000 * 3600 * SECOND) - 0.2) < 4 * 0.0023


def test_every_replication_of_a_study_has_failures_of_its_own(tmp_path: Path) -> None:
    # A study compiles anew what is more than keys of draws: the instants of failures are.
    at_random = "random: {time_to_failure: 9 s, time_to_repair: 1 s}"
    left = ("chance: 30 %, after: 5 s, for: 1 s", at_random)
    for when in (*left, "after: 5 s, for: 1 s"):
        loaded = load_text(tmp_path, _text(f"outage: shop, {when}"))
        found = depends_on_replication(compile_scenario(loaded, with_tables=False))
        assert found == (when in left)


def test_one_draw_hits_several(tmp_path: Path) -> None:
    others = "together: {near: 30 %, far: 10 %}"
    text = _text(f"outage: shop, chance: 60 %, {others}, after: 5 s, for: 1 s")
    rail = "{kind: generic, stations: {a: {}}, stages: [{name: w, serve: a, time: 1 s}]}"
    text = text.replace("rails:\n", f"rails:\n  near: {rail}\n  far: {rail}\n")
    scenario = load_text(tmp_path, text).scenario
    hit = Counter[tuple[str, ...]]()
    for replication in range(4_000):
        (targets,) = [one.targets for one in occurrences(scenario, Luck(1, replication))] or [()]
        hit[targets] += 1
    # One draw: below 10 % all three, below 30 % two, below 60 % one, else nobody.
    for targets, share in (
        (("shop", "near", "far"), 0.1), (("shop", "near"), 0.2), (("shop",), 0.3), ((), 0.4)
    ):  # fmt: skip
        sd = (share * (1 - share) * 4_000) ** 0.5
        assert abs(hit[targets] - share * 4_000) < 4 * sd, targets
    assert sum(hit.values()) == 4_000
    assert len(hit) == 4


def test_windows_of_what_happens_again_are_several_spans(tmp_path: Path) -> None:
    written = "outage: shop, random: {time_to_failure: 10 s, time_to_repair: 5 s}"
    text = (
        _text(written)
        + "windows: {down: {during: it}, calm: {before: it, for: 20 s}, "
        + ("healed: {after: it, for: 4 s}}\n")
    )
    told = list(agenda_lines(compile_scenario(load_text(tmp_path, text), with_tables=False)))
    # Before a failure reaches back to the last repair at most.
    assert [line for line in told if line.startswith("Window")] == [
        "Window calm (before it): measured for itself: t = 0 s to t = 10 s, t = 15 s to t = 25 s, "
        "t = 30 s to t = 40 s, t = 45 s to t = 55 s",
        "Window down (during it): measured for itself: t = 10 s to t = 15 s, t = 25 s to t = 30 s, "
        "t = 40 s to t = 45 s, t = 55 s to t = 1 min",
        "Window healed (after it): measured for itself: t = 15 s to t = 19 s, t = 30 s to "
        "t = 34 s, t = 45 s to t = 49 s",
    ]


def test_windows_of_what_does_not_happen_by_chance_are_empty(tmp_path: Path) -> None:
    windows = "calm: {before: it, for: 2 s}, down: {during: it}, healed: {after: it, for: 2 s}"
    text = _text("outage: shop, chance: 30 %, after: 5 s, for: 1 s") + f"windows: {{{windows}}}"
    loaded = load_text(tmp_path, text)
    found = {
        sum(map(len, (part.spans for part in compile_scenario(loaded, replication=n).parts
            if isinstance(part, WindowPart)))) for n in range(8)
    }  # fmt: skip
    assert found == {0, 3}


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("after: 1 s, for: 1 s", "found none of them; allowed: exactly one of outage, degradation"),
        ("outage: shop, surge: asked, after: 1 s, for: 1 s", "found outage and surge"),
        ("outage: shop, times: 2, after: 1 s, for: 1 s", "found it of a outage"),
        ("outage: shop, after: 1 s", "found after without a length"),
        ("outage: shop, for: 1 s", "found neither of from, after and random"),
        ("degradation: shop, after: 1 s, for: 1 s", "found neither times nor capacity"),
        ("degradation: shop, times: 200, after: 1 s, for: 1 s", "found 200; allowed: 0.01 to 100"),
        ("degradation: shop, capacity: 0 %, after: 1 s, for: 1 s", "found no capacity at all"),
        ("degradation: shop, station: dsk, times: 2, after: 1 s, for: 1 s", "has no station 'dsk'"),
        ("surge: asked, times: 2, after: 1 s, for: 1 s", "asked is a written list"),
        ("surge: askd, times: 2, after: 1 s, for: 1 s", "unknown demand 'askd'"),
        ("fx_jump: USD/KHR, times: 1.1, after: 1 s", "unknown mid rate 'USD/KHR'"),
        ("closure: shop", "found neither calendars nor hours"),
        ("closure: shop, calendars: [CN], after: 1 s", "found it of a closure"),
        ("outage: shop, together: {shop: 10 %}, after: 1 s, for: 1 s", "hit in any case"),
        (
            "outage: shop, random: {time_to_failure: 1 us, time_to_repair: 1 us}",
            "more than 10,000 failures",
        ),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, written: str, words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        compile_scenario(load_text(tmp_path, _text(written)), with_tables=False)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("degradation: shop, times: 2, after: 2 min, for: 1 s", "the run ends after 1 min"),
        (
            "degradation: shop, capacity: 50 %, after: 1 s, for: 1 s",
            "neither servers to count nor a rate limit",
        ),
        ('closure: shop, opens: "11:00", closes: "13:00"', "nothing is closed within the run"),
    ],
)
def test_what_does_nothing_is_told(tmp_path: Path, written: str, words: str) -> None:
    text = _text(written, station="{}")
    (note,) = compile_scenario(load_text(tmp_path, text), with_tables=False).notes
    assert note[0][:2] == ("disruptions", "it")
    assert words in note[1]


def test_an_occurrence_is_told_by_explain(tmp_path: Path) -> None:
    text = _text("outage: shop, chance: 30 %, after: 5 s, for: 1 s")
    lines = [
        list(agenda_lines(compile_scenario(load_text(tmp_path, text), replication=replication)))
        for replication in range(8)
    ]
    assert {found[0] for found in lines} == {
        "Disruption it: shop is out of service from 12:00:05 to 12:00:06 (t = 5 s, for 1 s); "
        "30 % likely; closes shop.desk"
    }
    assert {found[1] for found in lines} == {"  here: t = 5 s for 1 s", "  here: never"}
    hit = next(number for number, found in enumerate(lines) if "never" not in found[1])
    (one,) = occurrences(load_text(tmp_path, text).scenario, Luck(1, hit))
    assert one == Occurrence("it", 5 * SECOND, 6 * SECOND, ("shop",))
