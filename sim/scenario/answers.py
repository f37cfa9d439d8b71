"""The sentence in which a scenario answers its question: which measures stand in it.

Takes the text a user wrote, with measures in braces; gives its keys, and what is wrong with them as
far as the scenario alone can tell. Whether there is such a measure is known where runs are made.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sim.rails.problems import Found, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sim.scenario.model import Scenario

_KEY = re.compile(r"\{([^{}]*)\}")
ANSWER = "answer"
"""Name of the field."""


def keys_of(answer: str) -> tuple[str, ...]:
    """Return the keys of the measures in a sentence, in order."""
    return tuple(key.strip() for key in _KEY.findall(answer))


def filled(answer: str, figure: Callable[[str], str]) -> str:
    """Return a sentence with a figure in the place of every key."""
    return _KEY.sub(lambda found: figure(found[1].strip()), answer)


def check_answer(scenario: Scenario) -> Found:
    """Yield braces that are not closed, and names of groups that are not in the scenario."""
    rest = _KEY.sub("", scenario.answer)
    if "{" in rest or "}" in rest:
        yield (ANSWER,), "found a brace alone; allowed: measures in braces, as in {success_rate}"
    named: dict[str, Mapping[str, object]] = {
        "corridor": scenario.corridors,
        "account": scenario.accounts,
        "window": scenario.windows,
    }
    for key in keys_of(scenario.answer):
        group, _, name = key.partition("/")
        first = name.partition("/")[0]
        if group in named and first not in named[group]:
            told = unknown(group, first, named[group])
            yield (ANSWER,), f"{told} An answer of a scenario it extends is taken back by ''"
