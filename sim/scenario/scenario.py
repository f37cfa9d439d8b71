"""The whole scenario file as one model, and the door that reads it.

Takes a path and overrides; gives a checked :class:`Scenario` with the document it came from, or a
:class:`~sim.errors.ScenarioError` with every problem found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Discriminator

from sim.errors import Problem, ScenarioError, UserError
from sim.model.base import FieldPath, Model
from sim.model.quantities import Name, ScenarioName, Seed
from sim.rails.bakong import BakongRail
from sim.rails.generic import GenericRail
from sim.rails.khqr import KhqrRail
from sim.rails.wallet_gateway import WalletGatewayRail
from sim.scenario.checks import find_problems
from sim.scenario.loader import Document, load_document, validate_model
from sim.scenario.parts import (
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

Rail = Annotated[
    BakongRail | KhqrRail | WalletGatewayRail | GenericRail,
    Discriminator("kind"),
]
"""Any kind of rail, told apart by `kind`."""


class Scenario(Model):
    """Describe institutions, rails, corridors, prices, demand and disruptions."""

    scenario: ScenarioName
    """Name of the scenario; names the folder of its runs."""
    question: str = ""
    """What the scenario is meant to answer."""
    clock: Clock
    """Start and length."""
    seed: Seed = 1
    """Seed of all luck; `--seed` overrides it."""
    fx: Fx = Fx()
    """Exchange rates."""
    institutions: dict[Name, Institution] = {}
    """Banks, PSPs, wallets and operators, by name."""
    rails: dict[Name, Rail]
    """Payment systems, by name."""
    accounts: dict[Name, Account] = {}
    """Money placed ahead, by name."""
    corridors: dict[Name, Corridor]
    """Country and currency pairs, by name."""
    profiles: dict[Name, Profile] = {}
    """Courses of the day, by name."""
    demand: dict[Name, Demand]
    """Streams of payments, by name; their luck is keyed by it."""
    routing: Routing = Routing()
    """How routes are chosen."""
    disruptions: dict[Name, Disruption] = {}
    """Outages, by name."""


@dataclass(frozen=True, slots=True)
class LoadedScenario:
    """Keep a scenario together with the document it was read from."""

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
    if "experiment" in document.tree and "rails" not in document.tree:
        raise UserError(
            f"{path}: found an experiment; allowed: a scenario. `payroute compare` runs an "
            f"experiment with `arms`, `payroute sweep` one with a `sweep`"
        )
    scenario = validate_model(document, Scenario)
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
