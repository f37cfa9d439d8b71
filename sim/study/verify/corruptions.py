"""Right logs made wrong in one place: the audit must find every one of them.

Takes a short run of ``china-two-way``; gives verdicts. One row of each kind is changed in every way
a faulty engine or writer would: its amount, its instant, its subject, left out, told twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from sim.contract.meaning import LogKind
from sim.contract.plan import Array
from sim.contract.records import LogColumn as L
from sim.engine.compiled import run_compiled
from sim.scenario.shipped import shipped_scenarios
from sim.study.verify.engines import audited
from sim.study.verify.figures import Verdict
from sim.study.verify.kept import compile_file, run_kept

_SCENARIO = "china-two-way"
_SHORT = ("clock.horizon=20 s", "clock.warm_up=0 s", "demand.domestic_khr.as=load")
"""Half of the domestic payments are load, so that blocks hold both kinds."""
Corruption = Callable[[Array, int], Array]


def _changed(column: L) -> Corruption:
    def change(log: Array, at: int) -> Array:
        log[at, column] += 1
        return log

    return change


def _left_out(log: Array, at: int) -> Array:
    return np.delete(log, at, axis=0)


def _told_twice(log: Array, at: int) -> Array:
    return np.insert(log, at, log[at], axis=0)


_WAYS: dict[str, Corruption] = {
    "amount one more": _changed(L.AMOUNT),
    "a microsecond later": _changed(L.TIME_US),
    "another subject": _changed(L.SUBJECT),
    "in the event of another": _changed(L.KEY),
    "another value": _changed(L.VALUE),
    "left out": _left_out,
    "told twice": _told_twice,
}


# The workload alone knows the ordinal of a payment and the number of its payer; the log does not
# contradict another one.
_UNKNOWABLE = {(LogKind.SUBMIT, "another value"), (LogKind.LIMIT, "another value")}


def check_corruptions() -> Iterator[Verdict]:
    """Yield, by kind of row, whether the audit finds each way to make one of them wrong."""
    compiled = compile_file(shipped_scenarios()[_SCENARIO], _SHORT)
    kept, _ = run_kept(run_compiled, compiled)
    log = kept.log
    for kind in LogKind:
        rows = np.flatnonzero(log[:, L.KIND] == kind)
        if not len(rows):
            continue
        # In the middle, where whatever can surround a row does.
        at = int(rows[len(rows) // 2])
        ways = {name: way for name, way in _WAYS.items() if (kind, name) not in _UNKNOWABLE}
        missed = [
            name for name, corrupt in ways.items()
            if not audited(compiled, corrupt(log.copy(), at), None).violations
        ]  # fmt: skip
        yield Verdict(
            "planted corruptions",
            f"a row {kind.name}, made wrong in {len(ways)} ways",
            f"{len(ways)} found",
            f"{len(ways) - len(missed)} found" + (f"; not: {', '.join(missed)}" if missed else ""),
            not missed,
        )
