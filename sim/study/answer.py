"""What a run answers to the question of its scenario, in the sentence the scenario gives for it.

Takes the sentence with measures in braces, and the measures of a run; gives the sentence with their
figures, or says which of the keys can be no measure.
"""

from __future__ import annotations

from collections.abc import Callable

from sim.analysis.catalogue import ALIASES, CATALOGUE
from sim.analysis.summary import Measure, Summary
from sim.errors import suggest
from sim.scenario.answers import ANSWER, filled, keys_of
from sim.scenario.scenario import LoadedScenario, refuse_problems
from sim.study.measure_key import complaint, name_of, pick


def refuse_answer(loaded: LoadedScenario) -> None:
    """Refuse an answer with a key that can be no measure, at its line.

    Raises
    ------
    ScenarioError
        With every such key.
    """
    found = [((ANSWER,), told) for told in map(_wrong, keys_of(loaded.scenario.answer)) if told]
    refuse_problems(loaded.document, found)


def _wrong(key: str) -> str:
    name = name_of(key)
    if not complaint(key) and name not in CATALOGUE:
        return f"unknown measure {name!r} in {key!r}.{suggest(name, (*CATALOGUE, *ALIASES))}"
    return complaint(key)


def answer_of(answer: str, summary: Summary, written: Callable[[Measure], str]) -> str:
    """Return a scenario's answer with the figures of a run.

    Parameters
    ----------
    answer : str
        With measures in braces.
    summary : Summary
    written : callable
        How a figure is written; one that a run does not have is written as a measure of nothing.
    """

    def figure(key: str) -> str:
        return written(pick(summary, key) or Measure(None, ""))

    return filled(answer, figure)
