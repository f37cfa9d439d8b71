"""What is wrong with a scenario or an experiment, and what it describes where nothing is.

Takes a path and changes; gives a :class:`Checked`. A scenario is compiled without its tables: what
only the compiler can refuse is a problem, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sim.compiler.compile import compile_scenario
from sim.errors import Problem, ScenarioError
from sim.scenario.loader import load_document
from sim.scenario.scenario import load_scenario, placed
from sim.study.answer import refuse_answer


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found.

    Attributes
    ----------
    problems : tuple of Problem
        What is wrong.
    described : str
        What the file describes, where nothing is wrong.
    notes : tuple of Problem
        What it says that changes nothing, or is to be known.
    """

    problems: tuple[Problem, ...] = ()
    described: str = ""
    notes: tuple[Problem, ...] = ()


def check_file(path: Path, given: str, changes: Sequence[str] = ()) -> Checked:
    """Check a scenario or an experiment.

    Parameters
    ----------
    path : Path
    given : str
        How the user named it.
    changes : sequence of str
        ``path.to.field=value``.
    """
    try:
        if "experiment" in load_document(path).tree:
            return _check_experiment(path, given, tuple(changes))
        loaded = load_scenario(path, tuple(changes))
        refuse_answer(loaded)
        compiled = compile_scenario(loaded, with_tables=False)
    except ScenarioError as error:
        return Checked(error.problems)
    counts = (
        (len(compiled.scenario.corridors), "corridor"),
        (len(compiled.routes), "route"),
        (len(compiled.demands), "demand stream"),
        (len(compiled.plan.stage), "stage"),
    )
    described = ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts)
    notes = tuple(placed(compiled.document, (*compiled.remarks, *compiled.notes)))
    return Checked(described=described, notes=notes)


def _check_experiment(path: Path, given: str, changes: tuple[str, ...]) -> Checked:
    """Return the problems of an experiment, of each of its arms and of each point of its sweep."""
    from sim.study.compare.arms import work_of_experiment
    from sim.study.experiment_file import load_experiment
    from sim.study.sweep.study import make_items

    loaded = load_experiment(path)
    described: list[str] = []
    if loaded.experiment.arms:
        described.append(f"{len(work_of_experiment(loaded, changes).arms)} arms")
    problems: list[Problem] = []
    if loaded.experiment.sweep is not None:
        items = make_items(loaded, overrides=changes)
        described.append(f"{len(items)} points")
        problems = [
            Problem(given, 0, f"sweep, point {item.number}", item.error)
            for item in items
            if item.error
        ]
    return Checked(tuple(problems), f"an experiment, {' and '.join(described)}")
