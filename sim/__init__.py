"""payroute: a discrete-event simulator of cross-border payment routing around Cambodia.

``sim.run("scenarios/minimal.yaml")`` runs a scenario and gives a result; ``sim.compare``,
``sim.sweep``, ``sim.stress``, ``sim.sensitivity`` and ``sim.validate`` do what the commands of that
name do, ``sim.find_value`` what ``stress --vary`` does; ``sim.open`` opens a finished run's folder.
Everything behind them is imported when it is first used, so that ``import sim`` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from sim.study.api import compare, run, sensitivity, stress, sweep, validate
    from sim.study.find_value import find_value
    from sim.study.opening import open_folder as open  # noqa: A004 - as people say it
    from sim.study.result import Result

__all__ = [
    "Result", "__version__", "compare", "find_value", "open", "run", "sensitivity", "stress",
    "sweep", "validate",
]  # fmt: skip

_OF_API = ("compare", "run", "sensitivity", "stress", "sweep", "validate")
_HOMES = dict.fromkeys(_OF_API, "sim.study.api")
_HOMES |= {"Result": "sim.study.result", "open": "sim.study.opening"}
_HOMES |= {"find_value": "sim.study.find_value"}
_NAMES = {"open": "open_folder"}
"""What is called otherwise where it is at home."""


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'sim' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), _NAMES.get(name, name))
