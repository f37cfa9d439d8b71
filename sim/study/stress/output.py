"""Show a stress test to programs.

Takes a :class:`~sim.study.stress.study.Stress`; gives the JSON object of ``stress --json``.
"""

from __future__ import annotations

from sim.analysis.summary import Json
from sim.study.result_json import object_as_json
from sim.study.stress.study import Stress
from sim.study.stress.words import sentences


def as_json_object(found: Stress) -> dict[str, Json]:
    """Return the object of ``stress --json``."""
    return {**object_as_json(found), "sentences": list(sentences(found))}
