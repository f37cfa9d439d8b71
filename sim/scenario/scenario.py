"""The whole scenario file as one model, and the door that reads it.

Takes a path and overrides; gives a checked :class:`Scenario` with the document it came from, or a
:class:`~sim.errors.ScenarioError` with every problem found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Union

from pydantic import Discriminator, create_model
from pydantic.fields import FieldInfo

from sim.errors import Problem, ScenarioError, UserError
from sim.model.base import FieldPath, Model
from sim.model.quantities import Name, ScenarioName, Seed
from sim.model.sections import (
    Account,
    Clock,
    Corridor,
    Demand,
    Disruption,
    Fx,
    Institution,
    Profile,
    Routing,
)
from sim.rails.protocol import Rail
from sim.rails.registry import rail_kinds
from sim.scenario.checks import find_problems
from sim.scenario.loader import Document, load_document, validate_model

if TYPE_CHECKING:
    AnyRail = Rail
else:
    # Every kind that is registered, told apart by its `kind`.
    AnyRail = Annotated[Union[rail_kinds()], Discriminator("kind")]  # noqa: UP007 - a tuple


class Scenario(Model):
    """A scenario: institutions, rails, corridors, prices, demand and disruptions."""

    scenario: ScenarioName
    """Name of the scenario; names the folder of its runs."""
    question: str = ""
    """What the scenario is meant to answer."""
    clock: Clock
    """Start and length."""
    seed: Seed = 1
    """Seed of all random numbers; `--seed` overrides it."""
    fx: Fx = Fx()
    """Exchange rates."""
    institutions: dict[Name, Institution] = {}
    """Banks, PSPs, wallets and operators, by name."""
    rails: dict[Name, AnyRail]
    """Payment systems, by name."""
    accounts: dict[Name, Account] = {}
    """Money placed ahead, by name."""
    corridors: dict[Name, Corridor]
    """Country and currency pairs, by name."""
    profiles: dict[Name, Profile] = {}
    """Courses of the day, by name."""
    demand: dict[Name, Demand]
    """Streams of payments, by name, which keys their random numbers."""
    routing: Routing = Routing()
    """How routes are chosen."""
    disruptions: dict[Name, Disruption] = {}
    """Outages, by name."""


def scenario_model() -> type[Scenario]:
    """Return the model of scenario files for the kinds of rail that are registered now.

    Kinds of the project are known to :class:`Scenario` itself; a program that registers one of its
    own gets a model that knows it, too.
    """
    return _model_of(rail_kinds())


@lru_cache(maxsize=8)
def _model_of(kinds: tuple[type[Rail], ...]) -> type[Scenario]:
    """Return the model for some kinds of rail, the same class for the same kinds."""
    # The usual case keeps the class that type checkers know.
    if kinds == _OWN_KINDS:
        return Scenario
    union = Annotated[Union[kinds], Discriminator("kind")]  # type: ignore[valid-type]  # noqa: UP007
    field = FieldInfo.from_annotation(dict[Name, union])
    field.description = Scenario.model_fields["rails"].description
    return create_model(
        "Scenario",
        __base__=Scenario,
        __doc__=Scenario.__doc__,
        rails=(field.annotation, field),  # type: ignore[arg-type]
    )


_OWN_KINDS = rail_kinds()


@dataclass(frozen=True, slots=True)
class LoadedScenario:
    """A scenario together with the document it was read from."""

    scenario: Scenario
    document: Document


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
    scenario = validate_model(document, scenario_model())
    # Only once every field is valid by itself: the checks across sections rely on it.
    refuse_problems(document, find_problems(scenario))
    return LoadedScenario(scenario, document)


def refuse_problems(document: Document, found: Sequence[tuple[FieldPath, str]]) -> None:
    """Raise every problem found, each at the file and line of its path.

    Raises
    ------
    ScenarioError
        If there is any.
    """
    problems = [
        Problem(*document.place(path), ".".join(map(str, path)), message) for path, message in found
    ]
    if problems:
        raise ScenarioError(problems)
