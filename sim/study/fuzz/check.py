"""Everything that must hold of any scenario that validates, tried on one.

Takes a scenario's tree; gives the first thing that does not hold. Both engines run it and must tell
the same to the last bit; the audit, which shares no code with either, replays the log and reads the
tables; money sums to zero, nobody's ends nowhere, and the number in the system is what arrivals and
stays make it (Little's law, from two sources that do not know each other).
"""

from __future__ import annotations

import tempfile
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sim.audit.findings import Findings
from sim.audit.replay import Replay
from sim.compiler.compile import Compiled, compile_scenario
from sim.contract.inquiries import INQUIRY_FIRST
from sim.contract.layout import NULL
from sim.contract.meaning import LogKind
from sim.contract.plan import Array
from sim.contract.records import LogColumn, RecordColumn
from sim.contract.run import Totals
from sim.engine.compiled import run_compiled
from sim.engine.reference import run_reference
from sim.errors import ScenarioError
from sim.study.audit_folder import audit_folder
from sim.study.fuzz.draw import Tree, load_tree
from sim.study.run import run_scenario
from sim.study.verify.kept import Kept, run_kept


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not hold.

    Attributes
    ----------
    check : str
        Which of the checks.
    message : str
        What was found.
    """

    check: str
    message: str


@dataclass(frozen=True, slots=True)
class Tried:
    """What trying one scenario came to.

    Attributes
    ----------
    payments, rows : int
        Payments submitted, and rows of the event log.
    finding : Finding or None
    """

    payments: int
    rows: int
    finding: Finding | None


def try_scenario(tree: Tree, *, with_tables: bool = True) -> Tried:
    """Hold one scenario to everything.

    Parameters
    ----------
    tree : dict
        As written.
    with_tables : bool
        Whether a run's folder is written and audited, too.
    """
    try:
        loaded = load_tree(tree)
        compiled = compile_scenario(loaded)
    except ScenarioError as error:
        return Tried(0, 0, Finding("refused", str(error).splitlines()[0]))
    except Exception:
        return Tried(0, 0, Finding("compile", _last_line()))
    payments = rows = 0
    try:
        theirs, reference = run_kept(run_reference, compiled)
        mine, totals = run_kept(run_compiled, compiled)
        payments, rows = totals.payments, len(mine.log)
        found = next(_differences(compiled, theirs, reference, mine, totals), None)
        if found is None and with_tables:
            with tempfile.TemporaryDirectory(prefix="payroute-") as folder:
                out = Path(folder) / "run"
                run_scenario(loaded, engine="compiled", record="events", out=out)
                report = audit_folder(out)
                if not report.ok:
                    first = report.violations[0]
                    found = Finding("tables", f"{first.rule}: {first.message}")
    except Exception:
        return Tried(payments, rows, Finding("crash", _last_line()))
    return Tried(payments, rows, found)


def _last_line() -> str:
    """Return where an exception came from, and what it said."""
    lines = traceback.format_exc().strip().splitlines()
    places = [line.strip() for line in lines if line.lstrip().startswith("File ")]
    return f"{lines[-1]} ({places[-1] if places else 'nowhere'})"


def _differences(
    compiled: Compiled, theirs: Kept, reference: Totals, mine: Kept, totals: Totals
) -> Iterator[Finding]:
    """Yield what does not hold of two runs of one plan."""
    if not np.array_equal(theirs.log, mine.log):
        yield Finding("engines", f"logs differ from row {_first_difference(theirs.log, mine.log)}")
    if not np.array_equal(theirs.records, mine.records):
        at = _first_difference(theirs.records, mine.records)
        yield Finding("engines", f"records differ from row {at}")
    for name in ("payments", "events", "account", "end_posted"):
        if not np.array_equal(getattr(reference, name), getattr(totals, name)):
            yield Finding("engines", f"totals differ in {name}")
    findings = Findings()
    replay = Replay(compiled.plan, findings, None)
    replay.take(np.ascontiguousarray(mine.log))
    if replay.is_readable:
        replay.finish(totals)
    for violation in findings.violations:
        yield Finding("audit", f"{violation.rule}: {violation.message}")
    for number, currency in enumerate(compiled.plan.names.currencies):
        held = int(totals.end_posted[compiled.plan.account[:, 0] == number].sum())
        if held:
            yield Finding("conservation", f"accounts in {currency} add up to {held}")
    yield from _little(compiled, mine)


def _first_difference(first: Array, second: Array) -> int:
    shared = min(len(first), len(second))
    unlike = np.flatnonzero((first[:shared] != second[:shared]).any(axis=1))
    return int(unlike[0]) if len(unlike) else shared


def _little(compiled: Compiled, kept: Kept) -> Iterator[Finding]:
    """Compare the number in the system over time, from the log, with stays, from the records."""
    horizon_us = compiled.plan.horizon_us
    kind, payment = kept.log[:, LogColumn.KIND], kept.log[:, LogColumn.PAYMENT]
    is_own = payment < INQUIRY_FIRST
    time_us = kept.log[:, LogColumn.TIME_US]
    came = time_us[(kind == LogKind.SUBMIT) & is_own]
    left = time_us[(kind == LogKind.OUTCOME) & is_own]
    # The area under the number in the system: what came counts from then on, what left no more.
    area = int((horizon_us - came).sum() - (horizon_us - left).sum())
    end = kept.records[:, RecordColumn.END_US]
    until = np.where(end == NULL, horizon_us, end)
    stays = int((until - kept.records[:, RecordColumn.SUBMITTED_US]).sum())
    if area != stays:
        yield Finding("little", f"{area} us in the system by the log, {stays} us by the records")
    ended = payment[(kind == LogKind.OUTCOME) & is_own]
    if len(ended) != len(came) or len(np.unique(ended)) != len(ended):
        yield Finding("little", "a payment that came ended twice, or not at all")
