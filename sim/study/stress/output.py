"""A stress test as JSON, every digit kept.

Takes a :class:`~sim.study.stress.study.Stress`; gives what ``stress --json`` holds but for
sentences.
"""

from __future__ import annotations

from sim.analysis.summary import Json
from sim.study.result_json import object_as_json
from sim.study.stress.study import Stress


def as_json_object(found: Stress) -> dict[str, Json]:
    """Return the object of ``stress --json`` but for its sentences."""
    return object_as_json(found)
