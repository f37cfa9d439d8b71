"""Swings are judged together: noise is called noise and is never first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sim.analysis.intervals import mean_interval
from sim.model.magnitude import Form
from sim.report.documents.sensitivity import answer_table, sentences
from sim.study.sensitivity.assumptions import Assumption
from sim.study.sensitivity.indices import Design, Index, Indices, correlation
from sim.study.sensitivity.plan import SensitivityPlan
from sim.study.sensitivity.range import Span
from sim.study.sensitivity.study import Sensitivity
from sim.study.sensitivity.swing import Effect, End, Swing, enough_to_see, judge
from tests.theory.oracle import BOUND

SEED = 20250917


def _swing(name: str, low: list[float], high: list[float]) -> Swing:
    assumption = Assumption(name, (name,), "guess", "1 s", Form.NUMBER)
    ends = tuple(
        End(words, value=10 + sum(found) / len(found), differences=tuple(found))
        for words, found in (("0.5 s", low), ("2 s", high))
    )
    return Swing(assumption, Span((0.5, 2.0)), ends)


def _answer(*swings: Swing) -> Sensitivity:
    plan = SensitivityPlan(("waiting_mean",), SEED)
    base = mean_interval([9.9, 10.0, 10.1, 10.0])
    return Sensitivity(plan, "waiting_mean", "s", base, judge(swings))


NOISY = _swing("noisy", [5.0, -4.0, 6.0, -3.0], [-5.0, 7.0, 8.0, -2.0])
SURE = _swing("sure", [-0.5, -0.51, -0.49, -0.5], [1.0, 1.01, 0.99, 1.0])
SMALL = _swing("small", [-0.1, -0.11, -0.09, -0.1], [0.2, 0.2, 0.21, 0.19])
STILL = _swing("still", [0.0] * 4, [0.0] * 4)
WORDS = (("KHR", 11.0), ("THB", 9.0), ("USD", 10.0), ("CNY", 30.0))


def test_a_large_swing_that_may_be_chance_is_never_first() -> None:
    answer = _answer(NOISY, STILL, SMALL, SURE)
    assert [swing.assumption.name for swing in answer.swings] == [
        "sure",
        "small",
        "noisy",
        "still",
    ]
    assert [swing.effect for swing in answer.swings] == [
        Effect.MOVES,
        Effect.MOVES,
        Effect.NOISE,
        Effect.NONE,
    ]
    assert answer.first is not None
    assert answer.first.assumption.name == "sure"
    assert answer.swings[2].size > answer.swings[0].size
    told = sentences(answer)
    assert told[0].startswith("Measure sure first")
    assert any(line.startswith("Not settled: chance leaves room") for line in told)


def test_nothing_but_noise_names_no_assumption() -> None:
    answer = _answer(NOISY, STILL)
    assert answer.first is None
    assert sentences(answer)[0].startswith("No estimate is shown to move waiting_mean")
    assert sentences(_answer(STILL))[0] == "No estimate moves waiting_mean."


def test_an_end_that_may_be_chance_is_no_answer_to_move_to() -> None:
    one_sided = _swing("one_sided", [-4.0, 5.0, -3.0, 4.0], [1.0, 1.01, 0.99, 1.0])
    answer = _answer(one_sided)
    assert answer.first is not None
    # From 10 to 11: the low end, at 10.5, is not shown.
    assert "moves from 10 s to 11 s, by" in sentences(answer)[0]


def test_the_index_names_only_what_is_shown_to_move_this_answer() -> None:
    # Together move the strongest of all measures; of this one `noisy` is not shown to move it.
    def index(value: float) -> Index:
        return Index(value, value - 0.01, value + 0.01, 0.005)

    found = Indices(
        (index(0.1),) * 3, (index(0.2), index(0.9), index(0.3)), index(0.0), 32, 32, 1.0
    )
    answer = replace(_answer(NOISY, SMALL, SURE), indices=found, indexed=("sure", "noisy", "small"))
    assert answer.stronger == "small"
    assert replace(answer, indexed=("sure", "noisy", "noisy")).stronger is None


def test_an_answer_not_run_in_full_is_marked_as_the_scenarios_own() -> None:
    spared = End("high", value=10.0, differences=(0.0, 0.0), is_spared=True)
    moved = SURE.ends[0]
    (swing,) = judge([replace(SURE, ends=(moved, spared))])
    assert swing.effect is Effect.MOVES
    assert spared.is_of_base
    assert not moved.is_of_base
    assert swing.note == (
        "high: the answer of the scenario as it stands, no difference in the first 2 replications"
    )
    row = answer_table(_answer(swing), 1).rows[0]
    assert row[4] == "= 10 s"
    same = replace(spared, differences=(0.0,) * 4, is_spared=False, is_same=True)
    (swing,) = judge([replace(SURE, ends=(moved, same))])
    assert swing.note.endswith("which compiles to the same")
    # Run in full, and as it is without the move: that is a finding.
    assert not replace(spared, differences=(0.0,) * 4, is_spared=False).is_of_base


def test_looking_at_many_asks_more_of_each() -> None:
    # Student's t with 3 degrees of freedom is 4.9 here: p = 0.016 alone, far above 5 % among many.
    barely = _swing("barely", [0.0] * 4, [1.0, 2.0, 1.2, 0.8])
    assert judge([barely])[0].effect is Effect.MOVES
    among = judge(
        [barely, *(_swing(f"n{at}", [0.1, -0.2, 0.1, 0.1], [0.0] * 4) for at in range(9))]
    )
    assert {swing.effect for swing in among} == {Effect.NOISE}
    # Ends at which nothing differs are no tests and cost nothing.
    spared = judge([barely, *(_swing(f"n{at}", [0.0] * 4, [0.0] * 4) for at in range(9))])
    assert spared[0].effect is Effect.MOVES


def test_two_swings_as_large_as_each_other_are_called_so() -> None:
    twin = _swing("twin", [0.5, 0.49, 0.51, 0.5], [-1.01, -1.0, -1.0, -0.99])
    answer = _answer(SURE, twin, SMALL)
    assert [swing.assumption.name for swing in answer.tied] == ["twin"]
    assert "is not shown to be larger than that of twin" in sentences(answer)[0]
    assert _answer(SURE, SMALL).tied == ()


@pytest.mark.parametrize(
    ("planned", "enough"), [(1, 1), (2, 1), (3, 1), (4, 1), (5, 2), (10, 7), (20, 17)]
)
def test_differences_that_come_late_could_not_be_shown(planned: int, enough: int) -> None:
    assert enough_to_see(planned) == enough
    late = [0.0] * enough + [1.0] * (planned - enough)
    (swing,) = judge([_swing("late", late, [0.0] * planned)])
    assert swing.effect in (Effect.NOISE, Effect.NONE)
    if enough > 1:
        # A replication fewer without a difference, and the others might show one after all.
        (swing,) = judge([_swing("sooner", [*late[1:], 1.0], [0.0] * planned)])
        assert swing.effect is Effect.MOVES


def test_no_effect_in_one_replication_is_no_proof_of_one() -> None:
    (swing,) = judge([_swing("rare", [0.0, 0.0, 3.0, 0.0], [0.0] * 4)])
    assert swing.effect is Effect.NOISE
    single = judge([_swing("once", [1.0], [2.0]), _swing("never", [0.0], [0.0])])
    assert [swing.effect for swing in single] == [Effect.UNKNOWN, Effect.NONE]


def test_a_refused_end_leaves_the_rest_of_the_range_to_the_indices() -> None:
    whole = _swing("half", [1.0] * 4, [2.0] * 4)
    refused = End("2 s", note="2 s is not allowed: too long")
    assert whole.allowed == Span((0.5, 2.0))
    assert replace(whole, ends=(whole.ends[0], refused)).allowed == Span((0.5, 1.0))
    assert replace(whole, ends=(refused, whole.ends[1])).allowed == Span((1.0, 2.0))
    words = replace(whole, span=Span(None, ("CNY", "KHR")), ends=(refused, whole.ends[1]))
    assert words.allowed == Span(None, ("KHR",))
    assert replace(whole, span="no quantity").allowed is None


def test_of_many_words_the_least_and_the_greatest_answer_are_shown() -> None:
    ends = tuple(End(word, value=value, differences=(value - 10,)) for word, value in WORDS)
    swing = replace(STILL, ends=ends, span=Span(None, tuple(word for word, _ in WORDS)))
    assert [end.words for end in swing.outer] == ["THB", "CNY"]
    assert swing.note == "answers: KHR 11, THB 9, USD 10, CNY 30"


def _sum(points: np.ndarray) -> np.ndarray:
    return points @ np.array([3.0, 1.0])


def test_points_without_an_answer_are_left_out_whole() -> None:
    design = Design.of(2, 64, SEED)
    answers = _sum(design.points)
    whole = design.indices(answers)
    answers[[3, 70, 200]] = np.nan
    found = design.indices(answers)
    assert whole is not None
    assert found is not None
    # Three of 64 are gone; the largest power of two that is left is used.
    assert (whole.used, found.used, found.planned) == (64, 32, 64)
    # 3 and 1 explain 9/10 and 1/10 of the variance, and nothing is left for interactions.
    for index, known in zip((*found.first_order, *found.total), (0.9, 0.1) * 2, strict=True):
        assert abs(index.value - known) <= BOUND * index.standard_error
        assert index.low < index.value < index.high
    assert abs(found.interactions.value) <= BOUND * found.interactions.standard_error


@pytest.mark.parametrize("factors", [2, 5, 11, 15])
@pytest.mark.parametrize("base", [32, 64])
def test_columns_of_a_design_do_not_depend_on_each_other(factors: int, base: int) -> None:
    design = Design.of(factors, base, SEED)
    assert design.a.shape == design.b.shape == (factors, base)
    assert correlation(np.concatenate([design.a, design.b])) < 0.6
    assert design.a.min() >= 0
    assert design.b.max() < 1


def test_many_factors_and_few_points_give_no_more_than_everything() -> None:
    from scipy.stats import qmc

    def errors(design: Design) -> list[float]:
        """Return by how many standard errors the index of an only factor that matters is off."""
        found = design.indices(design.points[:, 0])
        assert found is not None
        chosen = (found.first_order[0], found.total[0])
        return [abs(index.value - 1) / index.standard_error for index in chosen]

    assert max(max(errors(Design.of(11, 32, seed))) for seed in range(5)) <= BOUND
    # The columns as the sequence has them: the check rejects the first of A and B.
    plain = qmc.Sobol(22, rng=SEED, bits=64).random(32).T
    assert max(errors(Design(plain[:11], plain[11:], SEED))) > BOUND


@pytest.mark.parametrize("answers", [np.full(256, np.nan), np.ones(256)])
def test_nothing_is_said_where_nothing_is_known_or_varies(answers: np.ndarray) -> None:
    assert Design.of(2, 64, SEED).indices(answers) is None


def test_the_same_seed_gives_the_same_intervals() -> None:
    first, again, other = (Design.of(2, 32, seed) for seed in (SEED, SEED, SEED + 1))
    assert first.indices(_sum(first.points)) == again.indices(_sum(again.points))
    assert first.indices(_sum(first.points)) != other.indices(_sum(other.points))
