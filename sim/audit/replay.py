"""Replay an event log block by block and put what was found into words.

Takes the plan and the rows of a log, in order; gives findings and the records ended payments must
have. The rules are compiled: see :mod:`sim.audit.rows`. Memory holds the payments in flight.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sim.audit.findings import VIOLATIONS_KEPT, Findings
from sim.audit.messages import MESSAGES, Check
from sim.audit.positions import check_positions
from sim.audit.state import AccountState, Count, LedgerState, Shown, Things
from sim.audit.views import finish_replay, replay_rows
from sim.audit.world import BLOCK_ROWS, VIOLATION_WIDTH, first_violation, make_room, open_world
from sim.contract.large_value import MemberColumn, MemberTotal
from sim.contract.layout import CANDIDATES_MAX
from sim.contract.plan import Array, Plan
from sim.contract.records import LedgerTotal
from sim.contract.run import Totals
from sim.policies.asking import plain_addresses


class Replay:
    """The rebuilt state of a run.

    Parameters
    ----------
    plan : Plan
        The plan of the run.
    findings : Findings
        Where violations go.
    ended : callable or None
        Takes the records ended payments must have, in the order they ended; shape (payments,
        ENDED_WIDTH), see :attr:`~sim.audit.world.World.ended`.
    visited : callable or None
        Takes the visits that ended, shape (visits, 8), see :class:`~sim.audit.state.Visit`.
    watch : ndarray of int64, shape (choices, 4), or None
        ROUTE rows, in order, of which it is written down what the router thought: row of the log,
        policy, first candidate and number of candidates.
    """

    def __init__(
        self,
        plan: Plan,
        findings: Findings,
        ended: Callable[[Array], None] | None,
        visited: Callable[[Array], None] | None = None,
        watch: Array | None = None,
    ) -> None:
        self._findings, self._ended, self._visited = findings, ended, visited
        # Plain Python, whatever the kernel was given: where a policy brings two functions, each is
        # held against the other.
        addresses, self._kept = plain_addresses(plan)
        self._world = open_world(plan, wants_records=ended is not None, addresses=addresses)
        if watch is not None:
            rows = np.zeros((len(watch) * CANDIDATES_MAX, len(Shown)), dtype=np.int64)
            self._world = self._world._replace(watch=np.ascontiguousarray(watch), shown=rows)
        self._plan = plan
        self._members = plan.member[:, MemberColumn.ACCOUNT]
        self._told = 0
        self._counted = np.zeros(len(MESSAGES), dtype=np.int64)

    @property
    def is_readable(self) -> bool:
        """Whether every row so far named what exists; after another nothing is replayed."""
        return not self._world.g[Count.UNREADABLE]

    def shown(self, choice: int) -> Array:
        """Return what was thought of candidates, shape (candidates, columns of ``Shown``)."""
        count = int(self._world.watch[choice, 3])
        first = choice * CANDIDATES_MAX
        return self._world.shown[first : first + count].copy()

    def take(self, rows: Array) -> None:
        """Replay rows of the log."""
        for at in range(0, len(rows), BLOCK_ROWS):
            # Between blocks and never within: compiled code cannot make an array longer.
            self._world = make_room(self._world)
            # Writable, as compiled code is made for one kind of array; a file's columns are
            # read-only.
            block = np.require(rows[at : at + BLOCK_ROWS], np.int64, ["C", "W"])
            replay_rows(self._world, block)
            self._tell()
            count = int(self._world.g[Count.ENDED])
            if count and self._ended is not None:
                # A copy: the next block writes over it.
                self._ended(self._world.ended[:count].copy())
            self._world.g[Count.ENDED] = 0
            count = int(self._world.g[Count.VISITED])
            if count and self._visited is not None:
                self._visited(self._world.visits[:count].copy())
            self._world.g[Count.VISITED] = 0

    def finish(self, totals: Totals | None) -> None:
        """Check what must hold at the end of a run."""
        finish_replay(self._world)
        self._tell()
        world, check = self._world, self._findings.check
        first, size = world.first[Things.ACCOUNT], world.size[Things.ACCOUNT]
        posted = world.things[first : first + size, AccountState.POSTED]
        check_positions(self._plan, posted, self._findings)
        if totals is None:
            return
        # Compared with the engine's own totals, which it keeps apart from the log.
        submitted = int(world.g[Count.NEXT_PAYMENT])
        check(
            "totals",
            totals.payments == submitted,
            "totals count {} payments, the log {}",
            totals.payments,
            submitted,
        )
        accounts = world.things[first : first + size]
        same = np.array_equal(totals.end_posted, accounts[:, AccountState.POSTED])
        check("totals", same, "posted balances at the end are not those of the log")
        same = np.array_equal(totals.end_pending, accounts[:, AccountState.PENDING])
        check("totals", same, "pending amounts at the end are not those of the log")
        first, size = world.first[Things.LEDGER], world.size[Things.LEDGER]
        load = world.things[first : first + size, LedgerState.LOAD_0 :][:, :3]
        same = np.array_equal(totals.ledger[:, LedgerTotal.LOAD : LedgerTotal.LOAD + 3], load)
        check("totals", same, "totals of load are not those of the log")
        members = accounts[self._members, AccountState.TOTAL_0 :][:, : len(MemberTotal)]
        same = np.array_equal(totals.member, members)
        check("totals", same, "totals of members of large-value systems are not those of the log")

    def _tell(self) -> None:
        """Hand on what was checked and found since the last time."""
        f, g = self._findings, self._world.g
        counted = g[Count.CHECKED : Count.CHECKED + len(MESSAGES)]
        for message in np.flatnonzero(counted - self._counted).tolist():
            rule = MESSAGES[Check(message)][0]
            made = int(counted[message] - self._counted[message])
            f.checks[rule] = f.checks.get(rule, 0) + made
        self._counted = counted.copy()
        found = int(g[Count.FOUND])
        for at in range(self._told, min(found, VIOLATIONS_KEPT)):
            start = first_violation() + at * VIOLATION_WIDTH
            message, row, now, *figures = g[start : start + VIOLATION_WIDTH].tolist()
            f.row, f.now = row, now
            rule, words = MESSAGES[Check(message)]
            f.add(rule, words.format(*figures))
        # Those not kept are counted all the same.
        # ``add`` has counted those it kept.
        f.count += max(0, found - max(self._told, VIOLATIONS_KEPT))
        self._told = found
        f.row, f.now, f.key = (int(g[at]) for at in (Count.ROW, Count.NOW, Count.KEY))
