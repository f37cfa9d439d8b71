"""What scenarios of the library say of themselves: in their first lines, and in `explain`."""

from __future__ import annotations

import re

import pytest

from sim.compiler.compile import compile_scenario
from sim.errors import ScenarioError
from sim.explain.plan import explain_plan
from sim.scenario.answers import keys_of
from sim.scenario.scenario import load_scenario
from sim.scenario.shipped import shipped_scenarios
from sim.study.answer import refuse_answer
from tests.published.everything import ALL

SHIPPED = shipped_scenarios()
LIBRARY = tuple(dict.fromkeys(figure.scenario for figure in ALL))


@pytest.mark.parametrize("name", LIBRARY)
def test_the_first_lines_say_what_a_reader_asks_first(name: str) -> None:
    lines = SHIPPED[name].read_text(encoding="utf-8").split("scenario:")[0]
    for word in ("Question", "Actors", "Hypothetical links", "Evidence", "Must reproduce"):
        assert re.search(f"^# {word}[ :]", lines, re.MULTILINE), word
    loaded = load_scenario(SHIPPED[name])
    assert loaded.scenario.question.endswith("?")
    # One sentence or two with figures in them, of measures that there are.
    assert len(keys_of(loaded.scenario.answer)) >= 2
    refuse_answer(loaded)


@pytest.mark.slow
@pytest.mark.parametrize("name", LIBRARY)
def test_explain_names_every_hypothetical_link(name: str) -> None:
    compiled = compile_scenario(load_scenario(SHIPPED[name]))
    told = " ".join(explain_plan(compiled).split("\nHypothetical links\n")[1].split()[1:])
    start = compiled.scenario.clock.start.date()
    links = [
        (rail, link)
        for rail, settings in compiled.scenario.rails.items()
        for link in settings.links()
        if link.is_hypothetical
    ]
    for rail, link in links:
        assert link.live_from > start
        assert f"{rail} {link.use}".strip() in told, (rail, link.use)
    says_none = "# Hypothetical links: none" in SHIPPED[name].read_text(encoding="utf-8")
    assert says_none is not bool(links)


def test_links_that_were_not_live_are_refused_without_a_word() -> None:
    for rail, use, day in (("paynow", "outbound", "2025-11-12"), ("upi", "inbound", "2026-06-02")):
        change = f"rails.{rail}.{use}.hypothetical=false"
        with pytest.raises(ScenarioError, match=day):
            load_scenario(SHIPPED["asean-qr"], (change,))
    # A year later they are live, and need no word.
    later = ("clock.start=2026-09-17T00:00:00+07:00", "rails.paynow.outbound.hypothetical=false")
    assert load_scenario(SHIPPED["asean-qr"], later).scenario.rails["paynow"]


def test_merchants_show_codes_from_the_day_their_bank_joined() -> None:
    # ACLEDA's from 25 October 2021 on (facts 2.3), nine months before the launch.
    def with_codes(start: str) -> set[str]:
        changes = (f"clock.start={start}T00:00:00+07:00", "rails.khqr.merchants=200")
        loaded = load_scenario(SHIPPED["cambodia-2022"], changes)
        return {one.agent for one in compile_scenario(loaded, with_tables=False).merchants}

    assert {"acleda", "aba"} & with_codes("2021-10-24") == {"aba"}
    assert {"acleda", "aba"} & with_codes("2021-10-25") == {"acleda", "aba"}


def test_corridors_that_hang_on_one_bank_are_those_with_one_agent() -> None:
    compiled = compile_scenario(load_scenario(SHIPPED["acleda-outage"]), with_tables=False)
    agents: dict[str, set[str]] = {}
    for route in compiled.routes:
        corridor, _, path = route.name.partition("/")
        agents.setdefault(corridor, set()).add(path.rpartition(".")[2])
    alone = {corridor for corridor, found in agents.items() if found == {"acleda"}}
    assert alone == {
        *("kh_vn", "vn_kh", "kh_la", "la_kh", "kh_sg", "in_kh", "th_kh", "up_kh", "kh_cn"),
    }
    assert agents["kh_th"] == {"acleda", "ftb", "ccb"}
    assert agents["cn_kh"] == {"acleda", "aba"}
    assert agents["kh_my"] == {"maybank_kh"}
