"""In what two scenarios differ: their fields, and the routes they compile to.

Takes loaded scenarios; gives a :class:`ScenarioDifference`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sim.compiler.compile import compile_scenario
from sim.scenario.field_values import FieldDifference, differing_fields
from sim.scenario.scenario import LoadedScenario
from sim.tables.digest import plan_hash


@dataclass(frozen=True, slots=True)
class ScenarioDifference:
    """In what two scenarios differ.

    Attributes
    ----------
    fields : tuple of FieldDifference
        Defaults filled in.
    plans : (str, str)
        Hashes of the plans they compile to.
    routes_gone, routes_new : tuple of str
        Routes of the first alone, and of the second.
    """

    JSON_KEYS: ClassVar = "fields plans routes_gone routes_new"

    fields: tuple[FieldDifference, ...]
    plans: tuple[str, str]
    routes_gone: tuple[str, ...] = ()
    routes_new: tuple[str, ...] = ()

    @property
    def is_equal(self) -> bool:
        """Say whether nothing differs."""
        return not self.fields and self.plans[0] == self.plans[1]


def diff_scenarios(one: LoadedScenario, other: LoadedScenario) -> ScenarioDifference:
    """Return in what two scenarios differ.

    Parameters
    ----------
    one, other : LoadedScenario

    Raises
    ------
    ScenarioError
        If one of them does not compile.
    """
    first, second = compile_scenario(one), compile_scenario(other)
    routes = [tuple(route.name for route in compiled.routes) for compiled in (first, second)]
    return ScenarioDifference(
        fields=differing_fields(one, other),
        plans=(plan_hash(first.plan), plan_hash(second.plan)),
        routes_gone=tuple(name for name in routes[0] if name not in set(routes[1])),
        routes_new=tuple(name for name in routes[1] if name not in set(routes[0])),
    )
