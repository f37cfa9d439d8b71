"""Margins of rails at which nothing is converted, as providers of the market convert at their own.

Takes a scenario and its candidate routes; gives (path, message) pairs. No kind of rail is known: a
margin without effect is one that changes what its rail asks, and nothing of what is then asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from pydantic import BaseModel

from sim.model.base import FieldPath
from sim.rails.desks import as_made, quote_of
from sim.rails.protocol import Found, LegContext, LegTerms, Rail
from sim.routing.candidates import Candidate
from sim.scenario.model import Scenario

Settings = TypeVar("Settings", bound=BaseModel)

_FIELD = "spread"


def idle_spreads(scenario: Scenario, candidates: Sequence[Candidate]) -> Found:
    """Yield the margins written of rails in whose place providers of the market have theirs.

    Parameters
    ----------
    scenario : Scenario
    candidates : sequence of Candidate
        All routes.
    """
    # Without providers every margin is its rail's own.
    for name, rail in scenario.rails.items() if scenario.fx.providers else ():
        over = [one for one in candidates if any(leg.rail == name for leg in one.legs)]
        for path, other in _less(rail, ()):
            asked = [_terms(scenario, one, name, other) for one in over]
            was = [_terms(scenario, one, name, rail) for one in over]
            if any(one != less for one, less in zip(was, asked, strict=True)) and all(
                _made(scenario, at, one) == _made(scenario, at, less)
                for at, one, less in zip(over, was, asked, strict=True)
            ):
                yield (
                    ("rails", name, *path),
                    "providers of the market (`fx.providers`) convert at margins of their own",
                )


def _less(settings: Settings, place: FieldPath) -> Iterator[tuple[FieldPath, Settings]]:
    """Yield every margin that is written, with the same settings but for a millionth less of it."""
    for field in sorted(settings.model_fields_set):
        value = getattr(settings, field)
        if field == _FIELD and value:
            yield (*place, field), settings.model_copy(update={field: value - 1})
        elif isinstance(value, BaseModel):
            for path, below in _less(value, (*place, field)):
                yield path, settings.model_copy(update={field: below})
        elif isinstance(value, dict):
            for key, item in value.items():
                for path, below in _less(item, (*place, field, key)) if _has_fields(item) else ():
                    yield path, settings.model_copy(update={field: {**value, key: below}})


def _has_fields(item: object) -> bool:
    return isinstance(item, BaseModel)


def _terms(scenario: Scenario, candidate: Candidate, name: str, rail: Rail) -> list[LegTerms]:
    """Return what the legs of a route ask, with one rail in place of the scenario's of its name."""
    corridor, legs = candidate.corridor_in(scenario), candidate.legs
    rails = {**scenario.rails, name: rail}
    return [
        rails[leg.rail].terms(LegContext(scenario, corridor, leg.rail, legs, at, leg.source))
        for at, leg in enumerate(legs)
    ]


def _made(scenario: Scenario, candidate: Candidate, terms: Sequence[LegTerms]) -> object:
    """Return what a route's payments are asked once the market has converted."""
    made = as_made(scenario.fx, terms, candidate.desks)
    exchanges = [
        (one, 0 if quote_of(scenario.fx, one.provider, one) is not None else one.spread_ppm)
        for term in made
        for one in term.exchanges
    ]
    sides = [(one.source, one.target, one.provider, one.quote, ppm) for one, ppm in exchanges]
    return sides, [term.own_costs for term in made]
