"""Small large-value systems out of a few words: members, payments, settings.

Amounts are whole dollars (or riel); payments come a second apart. Gives what both engines, found
equal, made of it, and what the audit says.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sim.audit.run import AuditReport, audit_log
from sim.compiler.compile import Compiled, compile_scenario
from sim.contract.large_value import MemberTotal
from sim.contract.meaning import LogKind, Outcome
from sim.contract.plan import Array
from sim.contract.records import LogColumn as L
from sim.contract.records import RecordColumn
from sim.contract.run import Totals
from sim.scenario.scenario import load_scenario
from tests.equivalence.compared import run_both

CENTS = 100
"""Minor units of a dollar, and of a riel."""
Asked = tuple[str, str, int]
"""Who pays whom how much."""


@dataclass(frozen=True)
class Ran:
    """What happened in a run of both engines; amounts in whole dollars."""

    compiled: Compiled
    log: Array
    record: Array
    totals: Totals

    def told(self, *kinds: LogKind) -> list[tuple[str, int, int, int, int]]:
        """Return kind, payment, subject, amount in minor units and value of rows, in order."""
        rows = self.log[[kind in kinds for kind in self.log[:, L.KIND]]]
        return [
            (LogKind(row[L.KIND]).name, *(int(row[at]) for at in (L.PAYMENT, L.SUBJECT)),
             int(row[L.AMOUNT]), int(row[L.VALUE]))
            for row in rows
        ]  # fmt: skip

    @property
    def settled(self) -> list[tuple[int, int]]:
        """Return payments in the order in which they settled, with how they did."""
        return [(payment, how) for _, payment, _, _, how in self.told(LogKind.SETTLE)]

    @property
    def outcomes(self) -> dict[int, Outcome]:
        """Return the outcome of every payment."""
        columns = [RecordColumn.PAYMENT, RecordColumn.OUTCOME]
        return {int(number): Outcome(found) for number, found in self.record[:, columns]}

    def balances(self, currency: str = "USD", *, before: int | None = None) -> tuple[int, ...]:
        """Return members' balances at the end, or before a row of the log, in order of names."""
        names = self.compiled.plan.names.accounts
        found = dict.fromkeys(range(len(names)), 0)
        for row in self.log[:before]:
            if row[L.KIND] in (LogKind.MOVED, LogKind.DEPOSIT):
                found[int(row[L.SUBJECT])] -= int(row[L.AMOUNT])
                found[int(row[L.VALUE])] += int(row[L.AMOUNT])
        return tuple(
            found[at] // CENTS
            for name, at in sorted((name, at) for at, name in enumerate(names))
            if name.endswith(f"@system:{currency}")
        )

    def row_of(self, kind: LogKind, which: int = 0) -> int:
        """Return the place in the log of a row of a kind."""
        return [at for at, found in enumerate(self.log[:, L.KIND]) if found == kind][which]

    def total(self, column: MemberTotal) -> tuple[int, ...]:
        """Return one total of every member, in whole dollars, in order of accounts."""
        return tuple(int(value) // CENTS for value in self.totals.member[:, column])

    def audit(self) -> AuditReport:
        """Replay the log."""
        return audit_log(self.compiled.plan, [self.log], [self.record], totals=self.totals)

    def audit_of(self, log: Array) -> set[str]:
        """Return the rules another log breaks."""
        return {found.rule for found in audit_log(self.compiled.plan, [log]).violations}


@dataclass(frozen=True)
class Given:
    """A system under construction.

    Attributes
    ----------
    folder : Path
        Where the scenario is written.
    members : mapping of str to int or mapping
        Balance by member, in dollars, or by currency.
    payments : sequence of (str, str, int)
        Payer, payee and dollars of payments a second apart.
    system : mapping of str to object
        Fields of the rail.
    rest : mapping of str to object
        Sections of the scenario in place of those made here.
    """

    folder: Path
    members: Mapping[str, int | Mapping[str, int]]
    payments: Sequence[Asked] = ()
    system: Mapping[str, object] = field(default_factory=dict)
    rest: Mapping[str, object] = field(default_factory=dict)

    def compiled(self) -> Compiled:
        """Return the scenario, compiled."""
        path = self.folder / "system.yaml"
        path.write_text(json.dumps(self._sections()), encoding="utf-8")
        return compile_scenario(load_scenario(path))

    def run(self) -> Ran:
        """Run both engines, compare them, and audit what they say."""
        compiled = self.compiled()
        both = run_both(compiled.plan, np.concatenate(list(compiled.workload())))
        assert both.totals is not None
        found = Ran(compiled, both.log, both.record, both.totals)
        violations = found.audit().violations
        assert not violations, violations
        return found

    def _sections(self) -> dict[str, object]:
        members = {
            name: {"balance": {"USD": held} if isinstance(held, int) else dict(held)}
            for name, held in self.members.items()
        }
        return {
            "scenario": "system",
            "question": "What settles, and when?",
            "clock": {"start": "2025-09-17T09:00:00+07:00", "horizon": "1 h"},
            "institutions": {
                name: {"country": "KH", "roles": ["issuer"]} for name in self.members
            },
            "rails": {
                "system": {
                    "kind": "rtgs", "currencies": ["USD"], "members": members, **self.system,
                }
            },
            "corridors": {
                "large": {
                    "from": {"country": "KH", "currency": "USD"},
                    "to": {"country": "KH", "currency": "USD"},
                    "rails": ["system"],
                }
            },
            "demand": {
                "large": {
                    "corridor": "large",
                    "payments": [
                        {"at": f"{at} s", "amount": str(amount), "debtor_agent": payer,
                         "creditor_agent": payee}
                        for at, (payer, payee, amount) in enumerate(self.payments, start=1)
                    ],
                }
            },
            **self.rest,
        }  # fmt: skip
