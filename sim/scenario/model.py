"""The whole scenario file as one model.

Takes the kinds of rail that are registered; gives :class:`Scenario`, or the same model with further
kinds.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Union

from pydantic import Discriminator, create_model
from pydantic.fields import FieldInfo

from sim.model.base import Model
from sim.model.currencies import CurrencyLetters, DeclaredCurrency
from sim.model.disruptions import Disruption
from sim.model.fx import Fx
from sim.model.quantities import Name, ScenarioName, Seed
from sim.model.reconciliation import Reconciliation
from sim.model.sections import (
    Account,
    Clock,
    Corridor,
    Demand,
    Institution,
    Profile,
    Routing,
)
from sim.model.shops import Shop
from sim.model.windows import Window
from sim.rails.protocol import Rail
from sim.rails.registry import rail_kinds

if TYPE_CHECKING:
    AnyRail = Rail
else:
    # Every kind that is registered, told apart by its `kind`.
    AnyRail = Annotated[Union[rail_kinds()], Discriminator("kind")]  # noqa: UP007 - a tuple


class Scenario(Model):
    """Describe institutions, rails, corridors, prices, demand and disruptions."""

    scenario: ScenarioName
    """Name of the scenario; names the folder of its runs."""
    question: str = ""
    """What the scenario is meant to answer."""
    answer: str = ""
    """Its answer in one sentence, with measures in braces, as in `half take {end_to_end_p50}, those
    coming in {corridor/cn_kh/end_to_end_p50}`: what a run found stands there."""
    clock: Clock
    """Start and length."""
    seed: Seed = 1
    """Seed of all random numbers; `--seed` overrides it."""
    currencies: dict[CurrencyLetters, DeclaredCurrency] = {}
    """Currencies that are not built in, by their letters; known in this scenario alone."""
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
    shops: dict[Name, Shop] = {}
    """Online shops, by name; streams of demand order from them."""
    demand: dict[Name, Demand]
    """Streams of payments, by name; their luck is keyed by it."""
    routing: Routing = Routing()
    """How routes are chosen."""
    disruptions: dict[Name, Disruption] = {}
    """What goes wrong, by name; luck in it is keyed by the name."""
    reconciliation: Reconciliation = Reconciliation()
    """When books are compared, and what disagrees is a break."""
    windows: dict[Name, Window] = {}
    """Parts of the run of which every measure of payments is given, too, by name."""


def has_patience(scenario: Scenario, corridor: str) -> bool:
    """Return whether some payers of a corridor wait for an answer no longer than they can bear."""
    streams = scenario.demand.values()
    return any(one.corridor == corridor and one.patience is not None for one in streams)


def scenario_model() -> type[Scenario]:
    """Return the model of scenario files for the kinds of rail that are registered now.

    Kinds of the project are known to :class:`Scenario` itself; a program that registers one of its
    own gets a model that knows it, too.
    """
    return _model_of(rail_kinds())


@lru_cache(maxsize=8)
def _model_of(kinds: tuple[type[Rail], ...]) -> type[Scenario]:
    """Return the model for some kinds of rail, the same class for the same kinds."""
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
