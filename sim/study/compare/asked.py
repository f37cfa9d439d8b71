"""What a comparison is asked for: which arms with which, and how precisely.

Takes names of arms, measures and targets; gives pairs, or refuses what could never be answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from sim.errors import OptionError
from sim.study.measure_key import full_key
from sim.study.replicate.precision import PrecisionTarget, check_targets


def pairs_of(names: Sequence[str], baseline: str | None) -> list[tuple[str, str]]:
    """Return the pairs of arms that are compared: all, or each with the baseline.

    Parameters
    ----------
    names : sequence of str
    baseline : str or None
    """
    if baseline is None:
        return list(combinations(names, 2))
    return [(baseline, name) for name in names if name != baseline]


def refuse_targets(targets: Sequence[PrecisionTarget], measures: Sequence[str]) -> None:
    """Refuse a precision of what is not compared; it would never be reached nor missed.

    Parameters
    ----------
    targets : sequence of PrecisionTarget
    measures : sequence of str
        What is compared.

    Raises
    ------
    OptionError
        For the first such target.
    """
    check_targets(targets)
    compared = [full_key(measure) for measure in measures]
    for target in targets:
        if target.measure not in compared:
            raise OptionError(
                "precision",
                f"found {target.measure}, which is not compared; allowed: "
                f"{', '.join(compared)}, or add it with --measures",
            )
