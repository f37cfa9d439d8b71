"""Choose the best arm of a comparison with a stated probability of being right.

Takes a comparison and its arms; gives the choice, replicating further until it can be made.
"""

from __future__ import annotations

from collections.abc import Sequence

from sim.analysis.selection import FIRST_STAGE, Selection, SelectionRule, select_best
from sim.analysis.summary import Summary
from sim.errors import UserError
from sim.study.case import Case
from sim.study.compare.comparison import ArmWork, Comparison
from sim.study.measure_key import pick
from sim.study.pool import Pool
from sim.study.runner import Notice, run_cases


def choose_best(
    comparison: Comparison,
    arms: Sequence[ArmWork],
    rule: SelectionRule,
    *,
    measure: str,
    pool: Pool,
    notice: Notice | None = None,
) -> Selection:
    """Go on replicating until the best arm is known with the probability asked for.

    Parameters
    ----------
    comparison : Comparison
        Its replications are used first.
    arms : sequence of ArmWork
    rule : SelectionRule
    measure : str
        What decides.
    pool : Pool
    notice : callable, optional
        Hears replications used and the most there may be.
    """
    texts = {arm.name: arm.text for arm in arms}
    known: dict[tuple[str, int], float] = {}
    for name, held in comparison.arms.items():
        for fact, summary in zip(held.facts, held.summaries, strict=True):
            known[name, fact.replication] = _value(summary, measure)

    def draw(replication: int, wanted: Sequence[str]) -> dict[str, float]:
        missing = [name for name in wanted if (name, replication) not in known]
        plan = comparison.plan
        cases = [Case(texts[name], plan.seed, replication, plan.options) for name in missing]
        for name, outcome in zip(missing, run_cases(cases, pool), strict=True):
            known[name, replication] = _value(outcome.summary, measure)
        if notice is not None and missing:
            notice(replication + 1, rule.replications_max)
        return {name: known[name, replication] for name in wanted}

    return select_best(list(texts), draw, rule, first_stage=FIRST_STAGE)


def _value(summary: Summary, measure: str) -> float:
    found = pick(summary, measure)
    if found is None or found.value is None:
        raise UserError(
            f"select: a replication has no value of {measure!r}; choose a measure that every run "
            f"has, or a longer clock.horizon"
        )
    return float(found)
