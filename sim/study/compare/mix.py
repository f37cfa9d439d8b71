"""Arms with different demand at one mix of payments: direct standardisation by corridor.

Takes replications of every arm; gives the same with one further entry among the corridors,
:data:`SAME_MIX`: the shares, means and costs of an arm's corridors, weighed as one arm submits
payments to them. What then differs between arms is what happens to alike payments and not which
payments there are. Quantiles are left out: a mixture's do not follow from those of its parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sim.analysis.catalogue import CATALOGUE
from sim.analysis.kinds import COST, COUNT, SHARE, TIME
from sim.analysis.summary import Measure, Measures, Summary
from sim.study.measure_key import full_key
from sim.study.replicate.replications import Replicated

SAME_MIX = "same mix"
"""Name of the entry; no corridor has a space in its name."""
_WEIGHED = frozenset({SHARE, TIME, COST})


def same_mix_keys(measures: Sequence[str]) -> tuple[str, ...]:
    """Return the keys under which measures are known at one mix, of those that can be."""
    names = [full_key(key) for key in measures if "/" not in key]
    return tuple(f"corridor/{SAME_MIX}/{name}" for name in names if _is_weighed(name))


def mix_of(base: Replicated, corridors: Sequence[str]) -> dict[str, float]:
    """Return the share of payments an arm submits to each corridor, over all its replications.

    Parameters
    ----------
    base : Replicated
        The arm whose mix it is.
    corridors : sequence of str
        Those the headline covers.
    """
    sums = dict.fromkeys(corridors, 0.0)
    for summary in base.summaries:
        for name in corridors:
            submitted = summary.by["corridor"].get(name, {}).get("submitted")
            sums[name] += 0.0 if submitted is None else float(submitted)
    total = sum(sums.values())
    return {name: count / total for name, count in sums.items() if count}


def at_mix(held: Replicated, mix: Mapping[str, float]) -> Replicated:
    """Return replications with the measures of their corridors at a mix beside the corridors."""
    return replace(held, summaries=tuple(_at_mix(summary, mix) for summary in held.summaries))


def _at_mix(summary: Summary, mix: Mapping[str, float]) -> Summary:
    corridors = summary.by["corridor"]
    parts = [(corridors.get(name, {}), share) for name, share in mix.items()]
    names = {name for part, _ in parts for name in part}
    found: dict[str, Measure] = {}
    for name in sorted(names):
        measure = _counted(name, parts) or (_weighed(name, parts) if _is_weighed(name) else None)
        if measure is not None:
            found[name] = measure
    return replace(summary, by={**summary.by, "corridor": {**corridors, SAME_MIX: found}})


def _is_weighed(name: str) -> bool:
    definition = CATALOGUE.get(name)
    return (
        definition is not None
        and "corridor" in definition.groups
        and definition.kind in _WEIGHED
        and definition.quantile is None
        # A maximum is of one payment, whatever the others are.
        and not name.endswith("_max")
    )


def _counted(name: str, parts: Sequence[tuple[Measures, float]]) -> Measure | None:
    """Add up what is counted: of how many payments a share is; unknown where nobody counts it."""
    if CATALOGUE[name].kind is not COUNT:
        return None
    known = [one.value for part, _ in parts if (one := part.get(name)) and one.value is not None]
    return Measure(float(sum(known)) if known else None, COUNT.unit)


def _weighed(name: str, parts: Sequence[tuple[Measures, float]]) -> Measure | None:
    """Weigh the corridors' values; unknown where one of them is."""
    unit = CATALOGUE[name].kind.unit
    values = [(part.get(name), share) for part, share in parts]
    known = [
        (float(one.value), share)
        for one, share in values
        if one is not None and one.value is not None
    ]
    if len(known) < len(parts):
        return Measure(None, unit)
    return Measure(sum(value * share for value, share in known), unit)
