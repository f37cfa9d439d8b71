"""The way of load to its ledger: how many of a stream's payments get there, and after how long.

Takes what a stream's payments meet before they join a ledger, and the institutions at their ends;
gives a :class:`Way`. It is walked in symbols: branches by their probabilities, times by their
means. What depends on other payments (queues, money, limits, time-outs) is no part of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.compiler.expectation import Typical, likely_path
from sim.contract.layout import CERTAIN
from sim.contract.meaning import Op
from sim.rails.stages import CREDITOR_AGENT, ByRole, Place, Program, Stage

Pairs = npt.NDArray[np.float64]
"""A number for every pair of institutions, debtors by creditors, or a shape that spreads so."""


@dataclass(frozen=True, slots=True, eq=False)
class Ends:
    """Who pays whom: the institutions of a stream's payers and of its payees.

    Attributes
    ----------
    debtors, creditors : mapping of str to int
        Weights by institution.
    branches : mapping of (str, str) to float
        Probability of a branch by institution and kind.
    stations : mapping of (str, str) to str
        Station by institution and kind.
    """

    debtors: Mapping[str, int]
    creditors: Mapping[str, int]
    branches: Mapping[tuple[str, str], float]
    stations: Mapping[tuple[str, str], str]

    @property
    def weights(self) -> Pairs:
        """Return how likely each pair is."""
        debtors = np.array(list(self.debtors.values()), dtype=np.float64)
        creditors = np.array(list(self.creditors.values()), dtype=np.float64)
        found: Pairs = np.outer(debtors / debtors.sum(), creditors / creditors.sum())
        return found

    @property
    def same(self) -> Pairs:
        """Return 1 where both are one institution, else 0."""
        found: Pairs = np.array(
            [[float(debtor == other) for other in self.creditors] for debtor in self.debtors]
        )
        return found

    def hit(self, stage: Stage) -> Pairs:
        """Return how likely a branch is taken."""
        if stage.share is None:
            return np.array(stage.value / CERTAIN)
        return self._by_role(stage.share, self.branches)

    def closed(self, place: Place, closed: frozenset[str]) -> Pairs:
        """Return 1 where a station is closed, else 0."""
        if isinstance(place, str):
            return np.array(float(place in closed))
        return self._by_role(
            place, {key: float(name in closed) for key, name in self.stations.items()}
        )

    def _by_role(self, named: ByRole, values: Mapping[tuple[str, str], float]) -> Pairs:
        is_creditor = named.role == CREDITOR_AGENT
        names = self.creditors if is_creditor else self.debtors
        found = np.array([values.get((name, named.kind), 0.0) for name in names])
        return found[None, :] if is_creditor else found[:, None]


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """The way of a stream's payments to a ledger.

    Attributes
    ----------
    ledger : str
        Empty where there is none.
    passed : tuple of Place
        Stations on the way, in order.
    after_us : int
        Mean time from the submission to joining the ledger, queues left out.
    """

    ledger: str
    passed: tuple[Place, ...]
    after_us: int
    _program: Program
    _ends: Ends
    _readable: float

    @classmethod
    def of(cls, program: Program, typical: Typical, ends: Ends, readable: float) -> Way:
        """Return the way through a program.

        Parameters
        ----------
        program : Program
            What comes before the choice of a route, and behind it that of the only one.
        typical : Typical
            What is expected of the institutions.
        ends : Ends
        readable : float
            Share of codes that can be read and still hold.
        """
        ledger, after = "", 0.0
        passed: list[Place] = []
        for stage in likely_path(program, typical):
            if stage.op is Op.BATCH:
                assert isinstance(stage.place, str)
                ledger = stage.place
                break
            if stage.op in (Op.SERVE, Op.TRANSIT) and stage.time is not None:
                after += typical.mean_us(stage.time)
            if stage.op is Op.SERVE and stage.place is not None:
                passed.append(stage.place)
        return cls(ledger, tuple(passed), round(after), program, ends, readable)

    def reaching(self, closed: frozenset[str] = frozenset()) -> float:
        """Return the share of the payments that join the ledger while some stations are closed.

        Who comes to a closed station gets no further, be it that it turns payments away or lets
        them wait until their payers give up.
        """
        weights = self._ends.weights
        return float((weights * self._walk(0, closed, {})).sum())

    def on_us(self) -> float:
        """Return the share of payments between customers of one institution."""
        return float((self._ends.weights * self._ends.same).sum())

    def _walk(self, at: int, closed: frozenset[str], known: dict[int, Pairs]) -> Pairs:
        """Return, by pair of ends, how many of the payments at a stage will join the ledger."""
        if at not in known:
            nobody = np.zeros_like(self._ends.weights)
            # Whoever comes back to a stage goes in a circle that leads nowhere.
            known[at] = nobody
            if at < len(self._program):
                known[at] = nobody + self._from(self._program[at], at, closed, known)
        return known[at]

    def _from(
        self, stage: Stage, at: int, closed: frozenset[str], known: dict[int, Pairs]
    ) -> Pairs | float:
        if stage.op is Op.BATCH:
            return 1.0
        # A failure leads to other routes, of which there are none, or to the end.
        if stage.op in (Op.END, Op.ROUTE):
            return 0.0
        further = self._walk(at + 1, closed, known)
        if stage.op is Op.CODE:
            return further * self._readable
        if stage.op is Op.SERVE and stage.place is not None:
            return further * (1.0 - self._ends.closed(stage.place, closed))
        if stage.op in (Op.ON_US, Op.DECIDE):
            hit = self._ends.same if stage.op is Op.ON_US else self._ends.hit(stage)
            return hit * self._jump(stage, closed, known) + (1.0 - hit) * further
        return further

    def _jump(self, stage: Stage, closed: frozenset[str], known: dict[int, Pairs]) -> Pairs | float:
        if stage.reason:
            return 0.0
        marks = [at for at, other in enumerate(self._program) if other.mark == stage.target]
        return self._walk(marks[0], closed, known) if marks else 0.0
