"""Outages worked out by hand on either engine: from when, until when, and whom they close.

Takes small scenarios of one desk that serves in a second and makes who comes to closed doors wait.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.compiler.compile import compile_scenario
from sim.contract.agenda import AgendaKind
from sim.contract.layout import AgendaColumn
from sim.contract.meaning import LogKind
from tests.theory.driver import SECOND, load_text, run

DESK = """
scenario: desk
clock: {start: 2025-09-17T18:00:00+07:00, horizon: 120 s}
rails:
  hall:
    kind: generic
    stations: {desk: {}}
    stages: [{name: work, serve: desk, time: 1 s}]
corridors:
  inside: {from: {country: KH, currency: KHR}, to: {country: KH, currency: KHR}}
"""
GROUP = """
scenario: group
extends: MINIMAL
institutions:
  others: {country: KH, roles: [issuer, acquirer], payer_share: 1, members: 3, bakong_id: othr}
disruptions: {down: {outage: others, after: 5 s, for: 5 s}}
"""


@pytest.mark.parametrize(
    ("outages", "starts"),
    [
        # Closed from 10 to 30: who comes at 9 is served, the next three wait, at 30 it is open.
        (("outage: hall, after: 10 s, for: 20 s",), [9, 30, 30, 30, 30]),
        # Ten to forty, and twenty to twenty-five within it: at 26 it is still closed.
        (
            ("outage: hall, after: 10 s, for: 30 s", "outage: hall, after: 20 s, for: 5 s"),
            [9, 40, 40, 40, 40],
        ),
        # Twenty to thirty behind ten to twenty: at 20 it does not open for an instant.
        (
            ("outage: hall, after: 20 s, for: 10 s", "outage: hall, after: 10 s, for: 10 s"),
            [9, 30, 30, 30, 30],
        ),
        # By the clock on the wall in Phnom Penh, which shows six in the evening at the start.
        (('outage: hall, from: "18:00:20", for: 7 s',), [9, 10, 27, 29, 30]),
        # It opens late, and whoever came before waits at the door.
        (('closure: hall, opens: "18:00:27"',), [27, 27, 27, 29, 30]),
    ],
    ids=["one", "one within another", "one behind another", "by the clock", "until it opens"],
)
def test_when_a_desk_is_closed(
    tmp_path: Path, engine: str, outages: tuple[str, ...], starts: list[int]
) -> None:
    text = DESK + "disruptions:\n"
    for number, outage in enumerate(outages):
        text += f"  down_{number}: {{{outage}}}\n"
    times = (9, 10, 26, 29, 30)
    listed = ", ".join(f"{{at: {at} s, amount: 1}}" for at in times)
    text += f"demand: {{crowd: {{corridor: inside, payments: [{listed}]}}}}\n"
    ran = run(load_text(tmp_path, text), engine)
    found = sorted(row[0] / SECOND for row in ran.rows(LogKind.START))
    assert found == starts


def test_an_outage_of_a_group_closes_each_of_its_members(tmp_path: Path) -> None:
    plan = compile_scenario(load_text(tmp_path, GROUP)).plan
    closes = plan.agenda[:, AgendaColumn.KIND] == AgendaKind.STATION_CLOSE
    found = plan.agenda[closes][:, [AgendaColumn.TIME_US, AgendaColumn.SUBJECT]].tolist()
    told = sorted((at // SECOND, plan.names.stations[station]) for at, station in found)
    # All at once, five seconds from the start.
    cores = [name for name in plan.names.stations if name.startswith("others")]
    assert len(cores) == 3
    assert told == sorted((5, name) for name in cores)
