"""Both engines on what comes with the program: the same log to the last bit, and a clean audit.

Takes every scenario that comes along, shortened; gives verdicts on what the engines told, and on
what the audit, which shares no code with either, found in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

import numpy as np

from sim.audit.findings import Findings
from sim.audit.replay import Replay
from sim.compiler.compile import Compiled
from sim.contract.plan import Array
from sim.contract.run import Totals
from sim.engine.compiled import run_compiled
from sim.engine.reference import run_reference
from sim.scenario.shipped import shipped_scenarios
from sim.study.verify.figures import Verdict
from sim.study.verify.kept import Kept, compile_file, run_kept
from sim.units import SECOND_US

_PAYMENTS = 1_500
"""So many payments of a scenario are enough, as the reference engine is slow."""
_LONGEST_US = 400 * SECOND_US
_HORIZONS_US = tuple(SECOND_US * seconds for seconds in (1, 2, 5, 10, 20, 60, 200, 400))


def check_engines() -> Iterator[Verdict]:
    """Yield, by scenario, whether both engines say the same and the audit agrees."""
    for name, path in shipped_scenarios().items():
        compiled = _shortened(path)
        theirs, reference = run_kept(run_reference, compiled)
        mine, totals = run_kept(run_compiled, compiled)
        is_same = _is_same(theirs, mine, reference, totals)
        count = f"{totals.payments:,} payments, {len(mine.log):,} rows"
        yield Verdict(
            "two engines", name, f"log {digest(theirs.log)}", f"log {digest(mine.log)}", is_same
        )
        findings = audited(compiled, mine.log, totals)
        found = f"{len(findings.violations)} findings in {sum(findings.checks.values()):,} checks"
        yield Verdict(
            "audit", f"{name}, {count}", "0 findings", found, not len(findings.violations)
        )


def audited(compiled: Compiled, log: Array, totals: Totals | None) -> Findings:
    """Return what the audit finds in a log.

    Parameters
    ----------
    compiled : Compiled
    log : ndarray of int64, shape (rows, LOG_WIDTH)
    totals : Totals, optional
        The engine's own sums; without them the log alone is looked at.
    """
    findings = Findings()
    replay = Replay(compiled.plan, findings, None)
    replay.take(np.ascontiguousarray(log))
    if replay.is_readable:
        replay.finish(totals)
    return findings


def digest(rows: Array) -> str:
    """Return a short digest of rows."""
    return blake2b(np.ascontiguousarray(rows).tobytes(), digest_size=8).hexdigest()


def _shortened(path: Path) -> Compiled:
    """Return a scenario with a horizon that gives a few thousand payments at most."""
    whole = compile_file(path)
    horizon_us = min(whole.plan.horizon_us, _LONGEST_US)
    compiled = whole
    for candidate in reversed(_HORIZONS_US):
        if candidate > horizon_us:
            continue
        compiled = compile_file(
            path, (f"clock.horizon={candidate // SECOND_US} s", "clock.warm_up=0 s")
        )
        if sum(len(chunk) for chunk in compiled.workload()) <= _PAYMENTS:
            break
    return compiled


def _is_same(theirs: Kept, mine: Kept, reference: Totals, compiled: Totals) -> bool:
    """Tell whether two engines told the same log, the same records and the same sums."""
    counts = (reference.payments, reference.events) == (compiled.payments, compiled.events)
    return (
        counts
        and np.array_equal(theirs.log, mine.log)
        and np.array_equal(theirs.records, mine.records)
        and np.array_equal(reference.account, compiled.account)
    )
