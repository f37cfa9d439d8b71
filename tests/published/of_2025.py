"""Figures of a nationwide day of 2025: what completes, and what is declined and comes back."""

from __future__ import annotations

from tests.published.figure import Found, mean_of, published
from tests.published.runs import Changes, measured, paid, summary

# A Wednesday has 1.02 times the payments of a mean day by the profile of the scenario.
_WEDNESDAY = 1.02
_DAY_CHANGES: Changes = ("demand.cn_counter=null", "demand.kh_counter_in_china=null", "answer=''")


def _day(at: int, stream: str, scale: float, changes: Changes = ()) -> Found:
    """Return of three Wednesdays the transfers or what was credited, for a mean day."""
    asked = (*_DAY_CHANGES, *changes)
    streams = ("domestic_khr", "domestic_usd") if stream == "both" else (stream,)
    found = []
    for number in range(3):
        done = paid("cambodia-2025", asked, number)
        found.append(sum(done[one][at] for one in streams) / scale / _WEDNESDAY)
    return mean_of(found)


_AS_ATTEMPTS = (
    "demand.domestic_khr.rate=2 112 877 /day",
    "demand.domestic_usd.rate=1 519 178 /day",
)
for _what, _published, _unit, _stream, _at, _scale, _source in (
    ("transfers", (771.2 + 554.5) / 365, "million", "both", 0, 1e6, "bakong.tx_count.2025"),
    ("riel", 285.9e12 / 365 / 1e9, "bn KHR", "domestic_khr", 1, 1e11, "bakong.tx_value.2025_khr"),
    (
        "dollars",
        152.8e9 / 365 / 1e6,
        "million USD",
        "domestic_usd",
        1,
        1e8,
        "bakong.tx_value.2025_usd",
    ),
):
    published(
        key=f"cambodia-2025/{_what} of a day",
        what=f"Completed {_what} of a mean day of 2025.",
        published=_published,
        unit=_unit,
        tolerance=0.01 * _published,
        source=f"{_source} (NBC annual report 2025), over 365 days",
        why="1 %: by-the-minute bursts of 20 % move a day by 0.2 x sqrt(1.5 / 1 440) = 0.65 %, "
        "three "
        "days by 0.37 %; a sum of 1.5 million lognormal amounts by 4.95 / sqrt(1.5 million) = 0.4 "
        "%",
        ours=lambda at=_at, stream=_stream, scale=_scale: _day(at, stream, scale),
        control=lambda at=_at, stream=_stream, scale=_scale: _day(at, stream, scale, _AS_ATTEMPTS),
        against="published transfers taken as attempts",
        is_large=True,
    )

_EVENING: Changes = (
    *_DAY_CHANGES,
    "clock.start=2025-09-17T18:00:00+07:00",
    "clock.horizon=1 h",
    # Of a code that cannot be read no bank hears.
    "rails.khqr.damaged_share=0 %",
)
_BANKS = ("acleda", "aba", "wing", "canadia", "other_members")
_OTHERWISE = (
    *_EVENING,
    *(f"institutions.{name}.decline=3 %" for name in _BANKS),
    *(
        f"institutions.{name}.declines="
        "{debit: {AB10: 0.13 %}, credit: {AB09: 1 %}, automatic: 50 %}"
        for name in _BANKS
    ),
)
"""The declines that scenarios assumed before these figures were looked up, and other reversals."""


def _hour(key: str, changes: Changes) -> Found:
    return measured("cambodia-2025", f"scope/domestic/{key}", changes, times=100)


def _reversals(changes: Changes) -> tuple[float, float, float]:
    """Return how many credits declined have come back, how many not yet, and of how many."""
    found = summary("cambodia-2025", changes)
    # In the hour nobody begins by hand; whoever waits for that is open at its end.
    back, waits = (float(found.by["reason"]["AB09"][one]) for one in ("returned", "in_progress"))
    return back, waits, float(found.by["scope"]["domestic"]["submitted"])


def _reversed(changes: Changes) -> Found:
    back, waits, all_of_them = _reversals(changes)
    return Found(100 * (back + waits) / all_of_them)


def _automatic(changes: Changes) -> Found:
    back, waits, _ = _reversals(changes)
    return Found(100 * back / (back + waits))


for _key, _what, _published, _tolerance, _made, _why in (
    (
        "business declines",
        "Business declines, of all attempts.",
        7.2,
        0.1,
        lambda changes: _hour("business_decline_share", changes),
        "1.96 x sqrt(0.072 x 0.928 / 345 000) = 0.09 points",
    ),
    (
        "technical declines",
        "Technical declines, of all attempts.",
        0.37,
        0.03,
        lambda changes: _hour("technical_decline_share", changes),
        "1.96 x sqrt(0.0037 / 345 000) = 0.02 points",
    ),
    (
        "reversals",
        "Credits declined, of all attempts: what was paid goes back.",
        0.29,
        0.03,
        _reversed,
        "1.96 x sqrt(0.0029 / 345 000) = 0.018 points",
    ),
    (
        "automatic reversals",
        "Reversals that begin at once; the others begin on the next bank day.",
        79.6,
        2.6,
        _automatic,
        "1 000 reversals: 1.96 x sqrt(0.796 x 0.204 / 1 000) = 2.5 points",
    ),
):
    published(
        key=f"cambodia-2025/{_key}",
        what=_what,
        published=_published,
        unit="%",
        tolerance=_tolerance,
        source="NPCI: UPI's 23 largest remitter banks, July 2025, weighted by volume",
        why=f"one busy hour: {_why}",
        ours=lambda made=_made: made(_EVENING),
        control=lambda made=_made: made(_OTHERWISE),
        against="3 % and 0.13 % of declines, 1 % of reversals of which half begin at once",
    )
