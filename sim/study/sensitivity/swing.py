"""Judge how far an assumption moves the answer: shown, noise, or not at all.

Takes the paired differences of every assumption at its low and its high end; gives swings with
intervals, p values corrected for having looked at all of them, and their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from scipy import stats

from sim.analysis.comparison import adjust_holm, compare_paired
from sim.analysis.intervals import Interval, mean_interval
from sim.study.sensitivity.assumptions import Assumption
from sim.study.sensitivity.range import Span
from sim.study.sensitivity.scale import spoken
from sim.study.verdicts import SIGNIFICANCE


class Effect(StrEnum):
    """What moving an assumption does to the answer."""

    MOVES = "moves"
    """A difference was shown."""
    UNKNOWN = "one replication"
    """There is a difference, and one replication cannot tell it from noise."""
    NOISE = "not shown"
    """There are differences that chance alone could make."""
    NONE = "no effect seen"
    """It enters the scenario and the answer stays exactly as it is."""
    ABSENT = "does not enter"
    """The scenario compiles to the same plan and the same demand: nothing depends on it."""
    UNVARIED = "not varied"
    """It could not be moved; the note says why."""


@dataclass(frozen=True, slots=True)
class End:
    """The answer with an assumption at one end of its range.

    Attributes
    ----------
    words : str
        The value there.
    value : float or None
        The measure, as mean over replications; None where there is none.
    differences : tuple of float
        Measure less base, of every replication; of the first few where it is the same
        in all of them.
    width : float
        Of the cells the differences lie in the middle of, on average.
    note : str
        Why there is no value.
    is_same : bool
        Whether the scenario compiles to what it is without the move.
    is_untouched : bool
        Whether every payment is as it is without the move.
    is_spared : bool
        Whether replications were left out, because those that were run show no difference.
    p_holm : float
        Of no difference, corrected.
    """

    words: str
    value: float | None = None
    differences: tuple[float, ...] = ()
    width: float = 0.0
    note: str = ""
    is_same: bool = False
    is_untouched: bool = False
    is_spared: bool = False
    p_holm: float = 1.0

    @property
    def is_moved(self) -> bool:
        """Say whether the answer differs at all."""
        return any(self.differences)

    @property
    def is_of_base(self) -> bool:
        """Say whether the answer is that of the scenario as it stands, and not of runs in full."""
        is_run = bool(self.differences) and not (self.is_same or self.is_spared)
        return self.value is not None and not (is_run or self.is_moved)

    @property
    def is_shown(self) -> bool:
        """Say whether a difference was shown."""
        return self.is_moved and self.p_holm < SIGNIFICANCE

    @property
    def difference(self) -> Interval | None:
        """Return the mean difference with its interval, None where the answer has no value."""
        return mean_interval(self.differences, width=self.width) if self.differences else None


@dataclass(frozen=True, slots=True)
class Swing:
    """What one assumption moves on its own.

    Attributes
    ----------
    span : Span or str
        How far it is moved, or why it is not.
    ends : tuple of End
        Low and high, or one per word; empty where it is not moved.
    effect : Effect
        Filled by :func:`judge`.
    """

    assumption: Assumption
    span: Span | str
    ends: tuple[End, ...]
    effect: Effect = field(default=Effect.UNVARIED)

    @property
    def is_candidate(self) -> bool:
        """Say whether it may be measured first."""
        return self.effect in (Effect.MOVES, Effect.UNKNOWN)

    @property
    def widest(self) -> End | None:
        """Return the end at which the answer is moved most, among those shown where any is."""
        known = [end for end in self.ends if end.difference is not None]
        shown = [end for end in known if end.is_shown]
        return max(shown or known, key=lambda end: abs(_mean(end)), default=None)

    @property
    def size(self) -> float:
        """Return how far the answer moves at most."""
        return 0.0 if self.widest is None else abs(_mean(self.widest))

    @property
    def interval(self) -> Interval | None:
        """Return the size with its interval; None with one replication."""
        difference = None if self.widest is None else self.widest.difference
        if difference is None or difference.count < 2:
            return None
        if difference.value >= 0:
            return difference
        return replace(
            difference, value=-difference.value, low=-difference.high, high=-difference.low
        )

    @property
    def allowed(self) -> Span | None:
        """Return the part of the range the scenario allows, up to the estimate from one side."""
        if isinstance(self.span, str):
            return None
        fine = [end.value is not None for end in self.ends]
        if self.span.factors is None:
            texts = zip(self.span.texts, fine, strict=True)
            return Span(None, tuple(text for text, is_fine in texts if is_fine))
        low, high = self.span.factors
        return Span((low if fine[0] else min(1.0, high), high if fine[1] else max(1.0, low)))

    @property
    def outer(self) -> tuple[End, ...]:
        """Return the two ends to show; of more, those with the least and the greatest answer."""
        known = [end for end in self.ends if end.value is not None]
        if len(self.ends) <= 2 or len(known) < 2:
            return self.ends[:2]
        ordered = sorted(known, key=lambda end: end.value or 0.0)
        return ordered[0], ordered[-1]

    @property
    def low_end(self) -> End | None:
        """Return the end to show first, None where it is not moved."""
        return self.outer[0] if self.outer else None

    @property
    def high_end(self) -> End | None:
        """Return the end to show second, None where there is none."""
        return self.outer[1] if len(self.outer) > 1 else None

    @property
    def factors(self) -> tuple[float, float] | None:
        """Return the factors it is moved between, None where it is moved otherwise or not."""
        return self.span.factors if isinstance(self.span, Span) else None

    @property
    def p_holm(self) -> float | None:
        """Return the p value of its widest end; None with one replication."""
        return None if self.interval is None or self.widest is None else self.widest.p_holm

    @property
    def estimate(self) -> str:
        """Return the estimate as people read it."""
        return spoken(self.assumption.tree, self.assumption.form)

    @property
    def note(self) -> str:
        """Return what is to be said of it besides its figures."""
        if isinstance(self.span, str):
            return self.span
        notes = [end.note for end in self.ends if end.note]
        if len(self.ends) > 2:
            known = [f"{end.words} {end.value:.6g}" for end in self.ends if end.value is not None]
            notes.append(f"answers: {', '.join(known)}")
        counts = sorted({len(end.differences) for end in self.ends if end.differences})
        if self.effect is Effect.NONE:
            is_untouched = all(end.is_untouched for end in self.ends)
            what = "not one payment differs" if is_untouched else "other figures do differ"
            times = "replication" if counts[0] == 1 else f"{counts[0]} replications"
            notes.append(f"{what} in the first {times}")
        elif self.effect is not Effect.ABSENT:
            notes += [
                f"{end.words}: the answer of the scenario as it stands, {_why_of_base(end)}"
                for end in self.ends
                if end.is_of_base and not end.note
            ]
        return "; ".join(dict.fromkeys(notes))


def _why_of_base(end: End) -> str:
    if end.is_same:
        return "which compiles to the same"
    return f"no difference in the first {len(end.differences)} replications"


def is_shown_larger(one: Swing, other: Swing) -> bool:
    """Say whether one swing is shown to be larger than another, on common random numbers.

    Parameters
    ----------
    one, other : Swing
        Of one measure, each with an answer.
    """
    first, second = (swing.widest for swing in (one, other))
    if first is None or second is None or len(first.differences) < 2:
        return False
    signed = [
        [value if _mean(end) > 0 else -value for value in end.differences]
        for end in (first, second)
    ]
    width = first.width + second.width
    return compare_paired(signed[1], signed[0], width=width).p_value < SIGNIFICANCE


def enough_to_see(replications: int) -> int:
    """Return after how many replications without any difference none can be shown any more.

    Parameters
    ----------
    replications : int
        Planned.

    Notes
    -----
    Of ``n`` paired differences ``k`` are 0. Student's t is largest where the others are equal:
    ``sqrt((n - k) (n - 1) / k)``. Where even that is not significant, the rest need not be run: of
    five replications it is two, and of four the first.
    """
    for still in range(1, replications):
        largest = ((replications - still) * (replications - 1) / still) ** 0.5
        if 2 * stats.t.sf(largest, replications - 1) >= SIGNIFICANCE:
            return still
    return replications


def judge(swings: Sequence[Swing]) -> tuple[Swing, ...]:
    """Correct all p values together, say what each swing is, and sort.

    Parameters
    ----------
    swings : sequence of Swing
        Of one measure.

    Notes
    -----
    An end at which the answer is the same in every replication is no test: nothing is estimated.
    """
    tested = [
        (at, side)
        for at, swing in enumerate(swings)
        for side, end in enumerate(swing.ends)
        if end.is_moved and len(end.differences) > 1
    ]
    raw = [
        compare_paired([0.0] * len(end.differences), end.differences, width=end.width).p_value
        for end in (swings[at].ends[side] for at, side in tested)
    ]
    corrected = dict(zip(tested, adjust_holm(raw), strict=True))
    judged = []
    for at, swing in enumerate(swings):
        ends = tuple(
            replace(end, p_holm=corrected.get((at, side), 1.0))
            for side, end in enumerate(swing.ends)
        )
        moved = replace(swing, ends=ends)
        judged.append(replace(moved, effect=_effect(moved)))
    order = list(Effect)
    return tuple(sorted(judged, key=lambda s: (order.index(s.effect), -s.size, s.assumption.name)))


def _effect(swing: Swing) -> Effect:
    known = [end for end in swing.ends if end.difference is not None]
    if not known:
        return Effect.UNVARIED
    if any(end.is_shown for end in known):
        return Effect.MOVES
    if any(end.is_moved for end in known):
        is_single = all(len(end.differences) == 1 for end in known)
        return Effect.UNKNOWN if is_single else Effect.NOISE
    return Effect.ABSENT if all(end.is_same for end in known) else Effect.NONE


def _mean(end: End) -> float:
    difference = end.difference
    return 0.0 if difference is None else difference.value
