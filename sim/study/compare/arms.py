"""Resolve what is to be compared, and compare it.

Takes an experiment file or several scenarios; gives the arms with their plan, every problem of
every arm told before anything runs, and the finished comparison with the best arm where the
experiment asks for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sim.analysis.catalogue import CATALOGUE, COMPARED
from sim.analysis.definition import WINDOW
from sim.analysis.kinds import Better
from sim.analysis.selection import SelectionRule
from sim.errors import OptionError, UserError
from sim.routing.policies import routing_of
from sim.study.compare.best import choose_best
from sim.study.compare.comparison import (
    ArmWork,
    Comparison,
    ComparisonPlan,
    compare_arms,
)
from sim.study.experiment_file import LoadedExperiment, Select
from sim.study.measure_key import full_key, name_of, refuse_pooled
from sim.study.pool import Pool
from sim.study.replicate.precision import parse_precision
from sim.study.runner import Notice

if TYPE_CHECKING:
    from sim.scenario.model import Scenario
    from sim.scenario.scenario import LoadedScenario

_BEST = re.compile(
    r"\s*(?P<measure>[a-z][A-Za-z0-9_./]*)\s*(?:=\s*(?P<way>lowest|highest)\s*)?"
    r"(?:±|\+-|\+/-)\s*(?P<width>\d+(?:\.\d+)?)\s*"
)
ORACLES = {"oracle_cost": "cost", "oracle_time": "time"}
"""What each oracle chooses by, by its name."""
_WAYS = {Better.LOWER: "lowest", Better.HIGHER: "highest"}


@dataclass(frozen=True, slots=True)
class ComparisonWork:
    """Everything a comparison needs.

    Attributes
    ----------
    arms : tuple of ArmWork
        Resolved.
    plan : ComparisonPlan
    select : Select or None
        What is asked about the best arm.
    """

    arms: tuple[ArmWork, ...]
    plan: ComparisonPlan
    select: Select | None = None


def work_of_experiment(
    loaded: LoadedExperiment, changes: tuple[str, ...] = (), *, oracle: bool = False
) -> ComparisonWork:
    """Resolve the arms of an experiment file.

    Parameters
    ----------
    loaded : LoadedExperiment
    changes : tuple of str
        ``path.to.field=value``, in every arm.
    oracle : bool
        Whether to add the baseline (else the first arm) with oracles of cost and of time.

    Raises
    ------
    UserError
        If it has no arms.
    ScenarioError
        With every problem of an arm, at its own file and line.
    """
    experiment = loaded.experiment
    if not experiment.arms:
        raise UserError(
            f"{loaded.path}: found no arms; allowed: arms to compare, or `payroute sweep`"
        )
    seeded = [name for name, arm in experiment.arms.items() if "seed" in arm.changes]
    if seeded:
        raise UserError(
            f"{loaded.path}: arms.{seeded[0]}.set: found a seed; every arm has the same luck: "
            f"allowed: `seed:` of the experiment, or --seed"
        )
    scenarios = {name: loaded.arm(name, changes) for name in experiment.arms}
    _refuse_contradictions(scenarios)
    first = next(iter(scenarios.values())).scenario
    plan = ComparisonPlan(
        seed=first.seed if experiment.seed is None else experiment.seed,
        replications=experiment.replications,
        measures=tuple(map(full_key, experiment.measures)) or _compared(scenarios.values()),
        baseline=experiment.baseline,
        precision=parse_precision(experiment.precision) if experiment.precision else (),
        same_mix=experiment.same_mix,
    )
    arms = tuple(_arm(name, scenario) for name, scenario in scenarios.items())
    if oracle:
        base = experiment.baseline or next(iter(scenarios))
        plan = replace(plan, baseline=base)
        arms = _with_oracles(
            arms, scenarios[base].scenario, lambda more: loaded.arm(base, (*changes, *more))
        )
    return ComparisonWork(arms, plan, experiment.select)


def work_of_scenarios(
    paths: Sequence[Path], changes: tuple[str, ...] = (), *, oracle: bool = False
) -> ComparisonWork:
    """Resolve scenarios as arms, named after their files; the first one's seed serves all.

    Parameters
    ----------
    paths : sequence of Path
        Two or more; with oracles one will do.
    changes : tuple of str
        ``path.to.field=value``, in every arm.
    oracle : bool
        Whether to add the first one with oracles of cost and of time.

    Raises
    ------
    UserError
        If a file is named twice.
    ScenarioError
        With every problem of an arm.
    """
    from sim.scenario.scenario import load_scenario

    if len(set(paths)) < len(paths):
        raise UserError("compare: found a scenario twice; allowed: different ones")
    stems = [path.stem for path in paths]
    names = stems if len(set(stems)) == len(stems) else [str(path) for path in paths]
    scenarios = [load_scenario(path, changes) for path in paths]
    _refuse_contradictions(dict(zip(names, scenarios, strict=True)))
    arms = tuple(_arm(name, one) for name, one in zip(names, scenarios, strict=True))
    seed, measures = scenarios[0].scenario.seed, _compared(scenarios)
    plan = ComparisonPlan(seed=seed, measures=measures)
    if oracle:
        plan = replace(plan, baseline=names[0])
        arms = _with_oracles(
            arms, scenarios[0].scenario, lambda more: load_scenario(paths[0], (*changes, *more))
        )
    return ComparisonWork(arms, plan)


def _refuse_contradictions(scenarios: Mapping[str, LoadedScenario]) -> None:
    """Refuse arms in which a currency has other decimal places: their amounts are not comparable.

    Raises
    ------
    UserError
        If there are any.
    """
    found: dict[str, tuple[str, int]] = {}
    for name, loaded in scenarios.items():
        for one in loaded.declared:
            other, exponent = found.setdefault(one.code, (name, one.exponent))
            if exponent != one.exponent:
                raise UserError(
                    f"compare: found {one.code} with {exponent} decimal places in {other} and "
                    f"{one.exponent} in {name}; allowed: the same in all arms"
                )


def _with_oracles(
    arms: tuple[ArmWork, ...],
    base: Scenario,
    load: Callable[[tuple[str, ...]], LoadedScenario],
) -> tuple[ArmWork, ...]:
    """Return arms and, beside them, a base with an oracle of cost and one of time."""
    added = []
    ways = {"routing": base.routing}
    for name, corridor in base.corridors.items():
        if corridor.routing is not None:
            ways[f"corridors.{name}.routing"] = corridor.routing
    for foreseen in ORACLES:
        changed = [f"{place}.policy={foreseen}" for place in ways]
        # What is set of a policy of the user's own means nothing to another.
        changed += [f"{place}.settings=null" for place, way in ways.items() if way.settings]
        if all(arm.name != foreseen for arm in arms):
            added.append(_arm(foreseen, load(tuple(changed))))
    return (*arms, *added)


def run_comparison(work: ComparisonWork, pool: Pool, *, notice: Notice | None = None) -> Comparison:
    """Compare the arms, and choose the best one where that is asked for.

    Parameters
    ----------
    work : ComparisonWork
    pool : Pool
        Where the work is done.
    notice : callable, optional
        Hears pieces of work done and planned.
    """
    select, plan = work.select, work.plan
    if select is None:
        return compare_arms(work.arms, plan, pool, notice=notice)
    rule = SelectionRule(
        float(select.indifference),
        select.best == "lowest",
        float(select.probability),
        select.replications_max,
    )
    if rule.probability <= 1 / len(work.arms):
        raise UserError(
            f"select: found a probability of {rule.probability:g}; allowed: above "
            f"{1 / len(work.arms):.3g}, which choosing blindly among {len(work.arms)} arms has"
        )
    measure = full_key(select.measure)
    refuse_pooled((measure,), where="select")
    if measure not in plan.measures:
        # What decides is compared, too; and a name that is unknown shows before anything long.
        plan = replace(plan, measures=(*plan.measures, measure))
    found = compare_arms(work.arms, plan, pool, notice=notice)
    return replace(
        found,
        selection=choose_best(found, work.arms, rule, measure=measure, pool=pool, notice=notice),
    )


def parse_best(text: str) -> Select:
    """Read what is asked about the best arm.

    Parameters
    ----------
    text : str
        As in ``payer_cost_bps=lowest±0.5``: the measure, which way is better (where the catalogue
        does not say it), and the difference nobody would care about, in the measure's unit.

    Raises
    ------
    UserError
        If it cannot be read.
    """
    found = _BEST.fullmatch(text)
    if found is None or float(found["width"]) == 0:
        raise OptionError(
            "best",
            f"found {text!r}; allowed: such as payer_cost_bps=lowest±0.5 or "
            f"success_rate=highest±0.002 (+- for ±)",
        )
    measure = CATALOGUE.get(name_of(found["measure"]))
    way = found["way"] or _WAYS.get(measure.better if measure is not None else Better.NEITHER)
    if way is None:
        raise OptionError(
            "best", f"found {text!r}; needed: which way is better, as in {found['measure']}=lowest"
        )
    # Pydantic reads the rest, by the rules of the experiment file.
    return Select.model_validate(
        {"measure": found["measure"], "best": way, "indifference": found["width"]}
    )


def _compared(scenarios: Iterable[LoadedScenario]) -> tuple[str, ...]:
    """Return what is compared unless the user says otherwise: windows that all arms have, too."""
    named = [loaded.scenario.windows for loaded in scenarios]
    shared = [name for name in named[0] if all(name in windows for windows in named)]
    return (*COMPARED, *(f"{WINDOW}/{name}/{key}" for name in shared for key in COMPARED[:3]))


def _arm(name: str, loaded: LoadedScenario) -> ArmWork:
    """Return an arm that will run: compiled once, so that its problems show now."""
    from sim.compiler.compile import compile_scenario
    from sim.scenario.loader import dump_resolved

    compile_scenario(loaded, with_tables=False)
    scenario = loaded.scenario
    return ArmWork(
        name,
        dump_resolved(loaded.document),
        tuple(sorted(scenario.demand)),
        demand_of(scenario),
        _covered(scenario),
        _foresees(scenario),
    )


def _foresees(scenario: Scenario) -> str:
    """Return what an oracle chooses all routes by, empty where one does not choose them all."""
    policies = {routing_of(scenario, stream.corridor).policy for stream in scenario.demand.values()}
    return ORACLES.get(policies.pop(), "") if len(policies) == 1 else ""


def _covered(scenario: Scenario) -> tuple[str, ...]:
    """Return the corridors of the headline: those across a border, or all where none is."""
    used = sorted({stream.corridor for stream in scenario.demand.values()})
    ends = {name: scenario.corridors[name] for name in used}
    across = [name for name, one in ends.items() if one.from_.country != one.to.country]
    return tuple(across or used)


_BESIDE = {"priority", "channel", "shop", "name_check"}


def demand_of(scenario: Scenario) -> dict[str, str]:
    """Return every field that says which payments there are, by its dotted path.

    Parameters
    ----------
    scenario : Scenario

    Notes
    -----
    What a payment is, not what becomes of it: when it comes, how much, who pays and who is paid. A
    stream's priority, its shop and its check of names are of the latter kind.
    """
    found = {"clock.start": str(scenario.clock.start), "clock.horizon": str(scenario.clock.horizon)}
    for name, stream in scenario.demand.items():
        fields = set(type(stream).model_fields) - _BESIDE
        found |= {f"demand.{name}.{field}": repr(getattr(stream, field)) for field in fields}
    found |= {f"profiles.{name}": repr(profile) for name, profile in scenario.profiles.items()}
    for name, bank in scenario.institutions.items():
        for field in ("payer_share", "merchant_share"):
            # Nobody's bank is no part of demand, whether it stands there or not.
            if getattr(bank, field):
                found[f"institutions.{name}.{field}"] = repr((getattr(bank, field), bank.members))
    for name, corridor in scenario.corridors.items():
        if corridor.foreign_codes is not None:
            found[f"corridors.{name}.foreign_codes"] = repr(corridor.foreign_codes)
    return found
