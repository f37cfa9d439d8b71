"""Hold the rebuilt state of a run: one book per kind of thing.

Takes the plan and the findings; gives the books every part of the replay works on.
"""

from __future__ import annotations

from sim.contract.plan import Plan
from sim.tables.audit_accounts import AccountBook
from sim.tables.audit_events import EventBook
from sim.tables.audit_findings import Findings
from sim.tables.audit_ledgers import LedgerBook
from sim.tables.audit_prices import PriceBook
from sim.tables.audit_program import Program
from sim.tables.audit_stations import StationBook
from sim.tables.audit_turns import Turns

Row = tuple[int, int, int, int, int, int]
"""Kind, payment, stage, subject, amount, value of a log row."""


class Books:
    """Open all books of a run.

    Parameters
    ----------
    plan : Plan
        The plan of the run.
    findings : Findings
        Where violations go.
    """

    def __init__(self, plan: Plan, findings: Findings) -> None:
        self.plan = plan
        self.findings = findings
        self.stations = StationBook(plan, findings)
        self.ledgers = LedgerBook(plan, findings)
        self.accounts = AccountBook(plan, findings)
        self.prices = PriceBook(plan)
        self.program = Program(plan, findings, self.prices)
        self.turns = Turns(findings, self.program)
        self.events = EventBook(
            plan, findings, (self.stations, self.ledgers, self.accounts, self.program)
        )
