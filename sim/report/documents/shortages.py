"""Say on the first screen of a run which accounts ran dry or low, when, and what would have helped.

Takes a summary and the scenario; gives blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from sim.analysis.of_accounts import GUARD_COLUMNS, PLACED
from sim.analysis.summary import Measure, Measures, Summary
from sim.explain.words import moment
from sim.report.blocks import Block, Text, Tone
from sim.report.figure import figure, plain
from sim.scenario.scenario import LoadedScenario


def shortages(summary: Summary, loaded: LoadedScenario) -> Iterator[Block]:
    """Yield a sentence for each account that was short, the one that lost most payments first.

    Parameters
    ----------
    summary : Summary
        Of one run or of several replications, whose figures are means then.
    loaded : LoadedScenario
        For the clock.
    """
    short = [
        (name, held)
        for name, held in summary.by["account"].items()
        if "missing_minor" in held and float(held["missing_minor"].value or 0) > 0
    ]
    for name, held in sorted(short, key=lambda item: (-_harmed(item[1]), item[0])):
        lost, waited = held["lost_for_liquidity"], held["delayed_for_liquidity"]
        told = [
            f"{plain(round(float(one.value)))} payments {word}"
            for one, word in ((lost, "refused"), (waited, "waited"))
            if one.value
        ]
        yield Text(
            f"{name} ran dry, {_when(held, loaded)}: {' and '.join(told)}. All else alike, "
            f"{_enough(held['missing_minor'])} more on it, or topped up before that, would have "
            f"been enough.",
            Tone.CAUTION,
        )
    yield from _low(summary, loaded)


def _low(summary: Summary, loaded: LoadedScenario) -> Iterator[Block]:
    """Yield a sentence for each alarm that was raised and each channel that closed."""
    for name, held in sorted(summary.by["account"].items()):
        for (counted, first, lasted), words in zip(
            GUARD_COLUMNS, ("alarm raised", "closed its channel"), strict=True
        ):
            often = held.get(counted)
            if often is None or not often.value:
                continue
            told = f"{name}: {words} {_often(often)}, first {_at(held[first], loaded)}"
            if lasted is not None:
                told += f", for {figure(held[lasted])} in all"
            yield Text(f"{told}.", Tone.CAUTION)


def placed_in_all(summary: Summary) -> Block | None:
    """Say what all money placed ahead came to, where somebody says what it costs."""
    idle, cost, interest = (summary.measures.get(name) for name in PLACED)
    told = [
        f"{words} {figure(one)}"
        for one, words in ((cost, "idle money cost"), (interest, "overdrafts"))
        if one is not None and one.value is not None
    ]
    if idle is None or idle.value is None or not told:
        return None
    return Text(f"In all {figure(idle)} lay idle on the mean of time; {' and '.join(told)}.")


def _often(count: Measure) -> str:
    assert count.value is not None
    number = plain(round(float(count.value), 1))
    return "once" if number == "1" else f"{number} times"


def _at(instant: Measure, loaded: LoadedScenario) -> str:
    """Return an instant by the clock of the scenario."""
    if instant.value is None:
        return "at times"
    return f"at {moment(loaded.scenario.clock.start + timedelta(seconds=int(instant.value)))}"


def _harmed(held: Measures) -> float:
    return sum(
        float(held[name].value or 0) for name in ("lost_for_liquidity", "delayed_for_liquidity")
    )


def _enough(missing: Measure) -> str:
    """Return the amount in whole minor units, up: a mean of several runs is none."""
    assert missing.value is not None
    return figure(Measure(-int(-float(missing.value) // 1), missing.unit))


def _when(held: Measures, loaded: LoadedScenario) -> str:
    """Return from when to when, by the clock of the scenario."""
    first, last = (held[name].value for name in ("short_first", "short_last"))
    start = loaded.scenario.clock.start
    if first is None or last is None:
        return "at times"
    since, until = (moment(start + timedelta(seconds=int(at))) for at in (first, last))
    return f"at {since}" if since == until else f"between {since} and {until}"
