"""Keys that name nothing are answered with what there is."""

from __future__ import annotations

import pytest

from sim.analysis.summary import Measure, Summary
from sim.errors import OptionError
from sim.study.measure_key import require

SECONDS = Measure(1.0, "s")
SUMMARY = Summary(
    "s",
    1,
    "compiled",
    1,
    "all",
    {"success_rate": Measure(1.0, "share")},
    {
        "station": {f"bank_{at:02d}.core": {"utilisation": SECONDS} for at in range(25)},
        "route": {"kh/a/b": {"end_to_end_p99": SECONDS, "submitted": SECONDS}},
        "reason": {},
    },
)


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("station/bank_99.core/utilisation", "unknown station 'bank_99.core'; known: bank_00.core"),
        # 25 stations: 20 are told.
        ("station/bank_99.core/utilisation", "bank_19.core and 5 more. Did you mean 'bank_"),
        ("station/bank_01.core/utilization", "known of bank_01.core: utilisation. Did you mean"),
        ("station/bank_01.core", "(a key is station/NAME/MEASURE). Did you mean 'bank_01.core'?"),
        (
            "route/kh/a/b/success",
            "unknown measure 'success' in 'route/kh/a/b/success'; known of kh/a/b",
        ),
        ("reason/AM04/share", "unknown reason 'AM04'; known: none, this run has no reason"),
        ("stations/x/utilisation", "unknown group 'stations'"),
    ],
)
def test_what_is_known_is_told(key: str, told: str) -> None:
    with pytest.raises(OptionError) as found:
        require(SUMMARY, (key,), where="measures")
    assert told in str(found.value)
