"""More than a plan can number is refused before it is linked."""

from __future__ import annotations

import pytest

from sim.compiler.size import size_problems
from sim.contract.layout import (
    LEDGER_PSEUDO,
    LEDGERS_MAX,
    PAYMENTS_MAX,
    ROLE_KINDS_MAX,
    STATION_PSEUDO,
    STATIONS_MAX,
)
from sim.model.distributions import DurationDistribution
from sim.rails.resources import BlockLedger, Holding, Station

VOTE = DurationDistribution("constant", (("value", 1),))


def test_ids_of_ledgers_stations_and_payments_just_do_not_meet() -> None:
    # Ledgers count down from the top, stations from below the last ledger, payments up from 0.
    assert LEDGER_PSEUDO - (LEDGERS_MAX - 1) == STATION_PSEUDO + 1
    assert STATION_PSEUDO - (STATIONS_MAX - 1) == PAYMENTS_MAX


@pytest.mark.parametrize(
    ("most", "message", "make"),
    [
        (STATIONS_MAX, "stations; allowed: at most 196,608", lambda n: Station(f"s{n}")),
        (
            LEDGERS_MAX,
            "ledgers; allowed: at most 65,536",
            lambda n: BlockLedger(
                f"l{n}", round_interval_us=1, block_limit=1, vote_delay=VOTE, peers=1, quorum=1
            ),
        ),
        (ROLE_KINDS_MAX, "at most 1,024", lambda n: Holding(f"a{n}", "KHR", kind=f"k{n}")),
    ],
)
def test_one_more_than_fits_is_refused(most, message, make) -> None:
    parts = [make(number) for number in range(most)]
    assert list(size_problems(parts)) == []
    ((_, found),) = size_problems([*parts, make(most)])
    assert found.endswith(message)
    assert f"found {most + 1:,} " in found
