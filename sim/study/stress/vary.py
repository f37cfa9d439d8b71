"""Find the smallest, or the largest, value of a field with which a scenario meets its objectives.

Takes a scenario, a field with a number, and objectives; gives the value with its interval, as the
search for a load does: every replication brackets a value of its own, and the brackets are combined
(:mod:`sim.study.stress.search`). How much prefunding for 99.9 % is asked so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from sim.analysis.summary import Summary
from sim.errors import ScenarioError, UserError
from sim.scenario.loader import dump_resolved
from sim.scenario.scenario import LoadedScenario
from sim.study.case import Case, Outcome
from sim.study.measure_key import pick
from sim.study.pool import Pool
from sim.study.runner import as_done
from sim.study.slo import check_objectives
from sim.study.stress.search import Bracket
from sim.study.stress.values import combine_values, value_bracket
from sim.study.stress.varied import Varied, VaryPlan, VaryPoint

_ROUNDS_MAX = 200
_FLAT = 4
"""Values in a row with which nothing changes, after which a search gives up."""
Notice = Callable[[str], None]


class ValueTest:
    """The values of a field that were run, and how they did.

    Parameters
    ----------
    loaded : LoadedScenario
    plan : VaryPlan
    pool : Pool
    notice : callable, optional
        Hears a sentence per run.
    software : tuple of (str, str or None)
        What the process that runs a value must have; empty: any.
    """

    def __init__(
        self,
        loaded: LoadedScenario,
        plan: VaryPlan,
        pool: Pool,
        *,
        notice: Notice | None = None,
        software: tuple[tuple[str, str | None], ...] = (),
    ) -> None:
        self.plan, self._pool, self._software = plan, pool, software
        self._text = dump_resolved(loaded.document)
        self._notice = notice or (lambda sentence: None)
        self._found: dict[Decimal, dict[int, Outcome]] = {}
        self._refused: set[Decimal] = set()

    def run(self, wanted: Sequence[tuple[Decimal, int]]) -> None:
        """Run values in replications that were not run before, in parallel."""
        missing = [
            (value, number)
            for value, number in dict.fromkeys(wanted)
            if number not in self._found.get(value, {}) and value not in self._refused
        ]
        cases = [
            Case(
                self._text,
                self.plan.seed,
                number,
                changes=(self.plan.field.change(value),),
                software=self._software,
            )
            for value, number in missing
        ]
        for at, done in as_done([(case,) for case in cases], self._pool, is_tolerant=True):
            value, number = missing[at]
            if isinstance(done.error, ScenarioError) and self._found:
                # The scenario itself is right: here the field ends, as servers do below one.
                self._refused.add(value)
                self._notice(f"{self.plan.field.written(value)}: not allowed")
                continue
            done.raise_error()
            outcome = done.outcomes[0]
            summary = outcome.summary
            check_objectives(self.plan.objectives, summary)
            self._refuse_few(summary)
            self._found.setdefault(value, {})[number] = outcome
            verdict = "PASS" if self._holds(summary) else "FAIL"
            self._notice(f"{self.plan.field.written(value)}, run {number + 1}: {verdict}")

    def held(self, number: int) -> dict[Decimal, bool]:
        """Return whether each value holds in a replication, ascending; what is refused does not."""
        known = {
            value: self._holds(runs[number].summary)
            for value, runs in self._found.items()
            if number in runs
        }
        return dict(sorted((known | dict.fromkeys(self._refused, False)).items()))

    def is_flat(self, number: int) -> bool:
        """Say whether going on in one direction has stopped to change anything in a replication.

        So it is where what the objectives bound is the same, and missed, with the last few values.
        """
        held = self.held(number)
        last = sorted(held, reverse=self.plan.is_smallest)[:_FLAT]
        if len(last) < _FLAT or any(held.values()):
            return False
        told = {
            None
            if value in self._refused
            else tuple(
                pick(self._found[value][number].summary, one.key) for one in self.plan.objectives
            )
            for value in last
        }
        return len(told) == 1

    def why(self) -> str:
        """Return the reason of most payments that fail where a search that found nothing ended."""
        tried = [value for value, runs in self._found.items() if 0 in runs]
        last = max(tried) if self.plan.is_smallest else min(tried)
        reasons = self._found[last][0].summary.by["reason"]
        return max(reasons, key=lambda name: float(reasons[name]["submitted"]), default="")

    def outcomes(self, value: Decimal) -> tuple[Outcome, ...]:
        """Return every run of a value, in order of replication."""
        return tuple(self._found[value][number] for number in sorted(self._found[value]))

    def points(self) -> tuple[VaryPoint, ...]:
        """Return every value run so far, ascending."""
        return tuple(self._point(value) for value in sorted(self._found))

    def _point(self, value: Decimal) -> VaryPoint:
        runs = [self._found[value][number].summary for number in sorted(self._found[value])]
        means = tuple(_mean(runs, objective.key) for objective in self.plan.objectives)
        return VaryPoint(float(value), tuple(map(self._holds, runs)), means)

    def _holds(self, summary: Summary) -> bool:
        return all(objective.is_met(summary) for objective in self.plan.objectives)

    def _refuse_few(self, summary: Summary) -> None:
        """Refuse a run too short for a quantile it is held against."""
        came = float(summary.measures["submitted"].value or 0)
        for objective in self.plan.objectives:
            needed = objective.completions_needed()
            if came < needed:
                raise UserError(
                    f"{came:,.0f} payments were submitted; {objective.key} needs {needed} to be "
                    "believed. Lengthen clock.horizon or bound a lower quantile"
                )


def find_value(test: ValueTest) -> Varied:
    """Bracket the value each replication needs, and combine them.

    Parameters
    ----------
    test : ValueTest

    Raises
    ------
    UserError
        If a run is too short for a quantile.

    Notes
    -----
    Replication 0 starts at the scenario's own value, doubles or halves until it has both ends and
    then bisects; the others start at its bracket and move away in growing steps. Then every
    replication is run at the end that holds in all of them. What holds is taken to go on holding
    beyond: of a smallest value, the bracket lies above the highest one that fails. A value the
    scenario refuses counts as one that fails: there are no fewer servers than one.
    """
    plan = test.plan
    own = plan.field.rounded(plan.field.own)
    # Rounding down to nothing would begin where many a field does not reach.
    _search(test, (0,), (own or (plan.field.step if plan.field.own else own),))
    first = value_bracket(test.held(0), is_smallest=plan.is_smallest)
    start = tuple(value for value in first if value is not None)
    _search(test, range(1, plan.replications), start)
    found = [
        value_bracket(test.held(number), is_smallest=plan.is_smallest)
        for number in range(plan.replications)
    ]
    holding = [high if plan.is_smallest else low for low, high in found]
    known = [value for value in holding if value is not None]
    in_all = None
    if len(known) == len(holding):
        in_all = max(known) if plan.is_smallest else min(known)
        test.run([(in_all, number) for number in range(plan.replications)])
        if not all(test.held(number)[in_all] for number in range(plan.replications)):
            in_all = None
    brackets = tuple(
        Bracket(number, None if low is None else float(low), None if high is None else float(high))
        for number, (low, high) in enumerate(found)
    )
    value, low, high = combine_values(brackets, is_smallest=plan.is_smallest)
    return Varied(
        plan,
        test.points(),
        brackets,
        value,
        low,
        high,
        None if in_all is None else float(in_all),
        "" if known else test.why(),
    )


def next_values(
    held: Mapping[Decimal, bool], start: Sequence[Decimal], plan: VaryPlan
) -> tuple[Decimal, ...]:
    """Return the values one replication tries next; none when its search is over.

    Parameters
    ----------
    held : mapping of Decimal to bool
        Every value run in it, ascending, and whether it holds.
    start : sequence of Decimal
        Values tried first: the scenario's own, or the bracket of another replication.
    plan : VaryPlan
    """
    untried = tuple(value for value in start if value not in held)
    if untried:
        return untried
    low, high = value_bracket(held, is_smallest=plan.is_smallest)
    step = plan.field.step
    if low is not None and high is not None:
        if high - low <= max(step, Decimal(repr(plan.tolerance)) * high):
            return ()
        middle = plan.field.rounded((low + high) / 2)
        return (middle if middle > low else low + step,)
    known = high if low is None else low
    assert known is not None
    # From another's bracket in steps of its width, which double; alone by a factor of two.
    width = start[-1] - start[0] if len(start) > 1 else known or step
    reach = width * 2 ** max(len(held) - len(start), 0) if len(start) > 1 else width
    if low is None:
        target = max(known - reach, known / 2) if len(start) > 1 else known / 2
        value = plan.field.rounded(max(target, Decimal(0)))
    else:
        value = plan.field.rounded(min(known + max(reach, step), plan.value_max))
    return () if value in held else (value,)


def _search(test: ValueTest, numbers: Sequence[int], start: tuple[Decimal, ...]) -> None:
    """Let replications search side by side, a round of runs at a time."""
    for _ in range(_ROUNDS_MAX):
        wanted = [
            (value, number)
            for number in numbers
            if not test.is_flat(number)
            for value in next_values(test.held(number), start, test.plan)
        ]
        if not wanted:
            return
        test.run(wanted)


def _mean(runs: Sequence[Summary], key: str) -> float | None:
    values = [found.value for found in (pick(run, key) for run in runs) if found is not None]
    known = [float(value) for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(runs) else None
