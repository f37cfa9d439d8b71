"""Who answers how many questions for names at once, worked out from the streams that ask."""

from __future__ import annotations

import pytest

from sim.contract.meaning import Cause, Reason
from sim.model.name_check import NameCheck
from sim.model.sections import Demand
from sim.rails.name_check import asked_payee, names_stations, read_name
from sim.scenario.scenario import load_scenario
from tests.theory.driver import MINIMAL


def _asks(servers: int | None) -> Demand:
    check = {"time": "1 s"} if servers is None else {"time": "1 s", "servers": str(servers)}
    return Demand.model_validate({"corridor": "c", "rate": "1 /s", "name_check": check})


QUIET = Demand.model_validate({"corridor": "c", "rate": "1 /s"})


@pytest.mark.parametrize(
    ("streams", "servers"),
    [
        # As many as any stream says; without limit where one of them says nothing.
        ([_asks(2), _asks(5), _asks(3)], 5),
        ([_asks(2), _asks(None)], None),
        ([QUIET, _asks(4)], 4),
    ],
)
def test_servers_are_the_most_any_stream_says(streams: list[Demand], servers: int | None) -> None:
    found = list(names_stations(streams, ["a", "b"]))
    assert [(one.name, one.servers) for one in found] == [
        ("a.names", servers),
        ("b.names", servers),
    ]


def test_nobody_answers_where_nobody_asks() -> None:
    assert list(names_stations([QUIET], ["a"])) == []


def test_what_is_read_is_time_of_people_and_each_refusal_has_its_reason() -> None:
    check = NameCheck.model_validate(
        {"time": "1 s", "mismatch": "10 %", "reads": "4 s", "refuses": "20 %"}
    )
    world = load_scenario(MINIMAL).scenario
    asked = asked_payee("look_up", check, world, target="failed")
    read = read_name(check, patient=False, target="failed")
    stages = {stage.label: stage for stage in (*asked, *read)}
    assert stages["name_check.mismatch"].reason == Reason.BE01
    assert stages["name_check.refuses"].reason == Reason.NOAS
    assert stages["name_check.reads"].cause == Cause.HUMAN
    assert stages["name_check"].cause != Cause.HUMAN
    assert {stage.target for stage in stages.values()} <= {"failed", ""}
