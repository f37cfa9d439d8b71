"""The ``verify`` command: what this program computes on this machine, against what it should."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sim.cli.guard import guarded
from sim.cli.showing import FormatOption, JsonOption, OutputOption, note, showing
from sim.errors import CheckFailed

if TYPE_CHECKING:
    from sim.study.verify.figures import Verdict


@guarded
def verify_command(
    form: FormatOption = None,
    output: OutputOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check on this machine that everything computes what it should; about a minute.

    Published answers of the generator, payments worked out by hand, queues with a formula, both
    engines on every scenario that comes along, and wrong logs the audit has to find.
    """
    wanted = showing(form, output, as_json=as_json)
    from sim.report.documents.verification import verification_document
    from sim.study.verify.verification import verify

    groups: list[str] = []

    def tell(verdict: Verdict) -> None:
        if verdict.group not in groups:
            note(f"checking {verdict.group}")
        groups.append(verdict.group)

    began = time.perf_counter()
    verdicts = verify(tell)
    wanted.show(verification_document(verdicts, time.perf_counter() - began))
    failed = [verdict for verdict in verdicts if not verdict.holds]
    if failed:
        first = failed[0]
        raise CheckFailed(
            f"{len(failed)} checks failed, the first: {first.check}: expected {first.expected}, "
            f"found {first.found}"
        )
