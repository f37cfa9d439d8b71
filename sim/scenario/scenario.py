"""The door through which a scenario file is read.

Takes a path and overrides; gives a checked :class:`~sim.scenario.model.Scenario` with the document
it came from, or a :class:`~sim.errors.ScenarioError` with every problem found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from sim.errors import Problem, ScenarioError, UserError
from sim.model.base import FieldPath
from sim.model.currencies import EXPONENT_MAX, DeclaredCurrency, declared_of
from sim.rails.registry import load_kinds
from sim.scenario.checks import find_problems
from sim.scenario.loader import Document, load_document, validate_model
from sim.scenario.model import Scenario, scenario_model
from sim.units import Currency, using_currencies


@dataclass(frozen=True, slots=True)
class LoadedScenario:
    """A scenario together with the document it was read from."""

    scenario: Scenario
    document: Document

    @property
    def declared(self) -> tuple[Currency, ...]:
        """Return the currencies it declares."""
        return declared_of(self.scenario.currencies)


def load_scenario(path: Path | str, overrides: Sequence[str] = ()) -> LoadedScenario:
    """Read, merge and check a scenario file.

    Parameters
    ----------
    path : Path or str
        The YAML file.
    overrides : sequence of str
        As given to ``--set``, ``path.to.field=value``.

    Raises
    ------
    UserError
        If the file is an experiment.
    ScenarioError
        With every problem found in the file and across its sections.
    """
    document = load_document(Path(path), overrides)
    # The commonest mix-up of files has a message of its own.
    if "experiment" in document.tree and "rails" not in document.tree:
        raise UserError(
            f"{path}: found an experiment; allowed: a scenario. `payroute compare` runs an "
            f"experiment with `arms`, `payroute sweep` one with a `sweep`"
        )
    load_kinds(_kinds_named(document.tree))
    # Amounts of a currency cannot be read before its decimal places are known.
    with using_currencies(_declared(document.tree)):
        scenario = validate_model(document, scenario_model())
        # Only once every field is valid by itself: the checks across sections rely on it.
        refuse_problems(document, find_problems(scenario))
    return LoadedScenario(scenario, document)


def _declared(tree: Mapping[str, object]) -> tuple[Currency, ...]:
    """Return the currencies a scenario declares, as far as they can be read.

    What is wrong with them is said where all fields are checked; until then they are known by their
    letters, so that nobody is told as well that each of their amounts is of an unknown currency.
    """
    section = tree.get("currencies")
    found = {}
    for code, entry in section.items() if isinstance(section, Mapping) else ():
        try:
            found[code] = DeclaredCurrency.model_validate(entry)
        except ValidationError:
            found[code] = DeclaredCurrency(exponent=EXPONENT_MAX)
    return declared_of(found)


def _kinds_named(tree: Mapping[str, object]) -> Iterator[str]:
    """Yield the kinds of rail a scenario names, as far as it is one."""
    rails = tree.get("rails")
    for rail in rails.values() if isinstance(rails, Mapping) else ():
        kind = rail.get("kind") if isinstance(rail, Mapping) else None
        if isinstance(kind, str):
            yield kind


def refuse_problems(document: Document, found: Sequence[tuple[FieldPath, str]]) -> None:
    """Raise every problem found, each at the file and line of its path.

    Raises
    ------
    ScenarioError
        If there is any.
    """
    problems = list(placed(document, found))
    if problems:
        raise ScenarioError(problems)


def placed(document: Document, found: Iterable[tuple[FieldPath, str]]) -> Iterator[Problem]:
    """Yield what is said of a scenario, each at the file and line of its path."""
    for path, message in found:
        yield Problem(*document.place(path), ".".join(map(str, path)), message)
