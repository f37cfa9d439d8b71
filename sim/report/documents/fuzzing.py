"""What ``payroute fuzz`` found, as a document."""

from __future__ import annotations

from sim.report.blocks import Column, Document, Table, Text, Tone
from sim.study.fuzz.fuzzing import Failure, Fuzzed, replay
from sim.tables.tabular import TabularData

_NAMES = ("seed", "check", "found", "replay", "smallest")


def fuzzing_document(found: Fuzzed) -> Document:
    """Return the verdict in a sentence, and each failure as a row with what replays it.

    Parameters
    ----------
    found : Fuzzed
    """
    failures = found.failures
    seeds = f"seeds {found.first_seed} to {found.first_seed + found.runs - 1}"
    ran = f"{found.runs} scenarios ({seeds}), {found.payments:,} payments, {found.rows:,} rows"
    said = f"{len(failures)} of {ran} FAILED" if failures else f"all {ran} clean"
    rows = tuple(_row(failure) for failure in failures)
    table = TabularData(_NAMES, rows)
    columns = tuple(Column(name, is_prose=name in ("found", "replay")) for name in _NAMES)
    shown = (Table(columns, rows),) if rows else ()
    tone = Tone.BAD if failures else Tone.GOOD
    record = {
        "ok": not failures,
        "first_seed": found.first_seed,
        "runs": found.runs,
        "payments": found.payments,
        "rows": found.rows,
        "failures": table.records(),
        "drawn": {str(failure.seed): list(failure.told) for failure in failures},
        "seconds": round(found.seconds, 3),
    }
    return Document((*shown, Text(f"{said}, in {found.seconds:.0f} s", tone)), table, record)


def _row(failure: Failure) -> tuple[str, ...]:
    finding, path = failure.finding, failure.path
    smallest = str(path) if path is not None else "not kept"
    return str(failure.seed), finding.check, finding.message, replay(failure.seed), smallest
