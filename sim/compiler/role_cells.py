"""What role references mean, agent by agent: the part of a plan builder that says whose is what.

Takes names of agents and of kinds; gives cells of the tables by agent, and the references to them
that stages and transfers carry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sim.compiler.table_rows import TableRows
from sim.contract.layout import role_ref
from sim.model.distributions import DurationDistribution
from sim.rails.resources import OwnShare, OwnTime


class RoleCells(TableRows):
    """Accounts, stations, times and shares of agents, by kind."""

    def assign_account(self, agent: str, kind: str, account: int) -> None:
        """Say which account of an agent a role reference of this kind means."""
        self._cells["agent_account"][self.agents.add(agent), self.account_kinds.add(kind)] = account

    def assign_station(self, agent: str, kind: str, station: int) -> None:
        """Say which station of an agent a role reference of this kind means."""
        self._cells["agent_station"][self.agents.add(agent), self.station_kinds.add(kind)] = station

    def assign_time(self, agent: str, kind: str, table: int) -> None:
        """Say which quantile table of an agent a role reference of this kind means."""
        self._cells["agent_time"][self.agents.add(agent), self.time_kinds.add(kind)] = table

    def assign_share(self, agent: str, kind: str, threshold: int) -> None:
        """Say which 62-bit threshold of an agent a role reference of this kind means."""
        self._cells["agent_share"][self.agents.add(agent), self.share_kinds.add(kind)] = threshold

    def assign_own(
        self,
        parts: Iterable[OwnTime | OwnShare],
        table: Callable[[DurationDistribution], int],
    ) -> None:
        """Give agents their own times and shares of the kinds some program looks up.

        Parameters
        ----------
        parts : iterable of OwnTime or OwnShare
        table : callable
            Gives the offset of a law's quantile table.
        """
        # The others would have no reader, and whoever compares plans would think they matter.
        for part in parts:
            if isinstance(part, OwnTime) and part.kind in self.time_kinds:
                self.assign_time(part.owner, part.kind, table(part.time))
            if isinstance(part, OwnShare) and part.kind in self.share_kinds:
                self.assign_share(part.owner, part.kind, part.threshold)

    def account_ref(self, role: int, kind: str) -> int:
        """Return the reference to the account of this kind of the debtor (0) or creditor agent."""
        return role_ref(role, self.account_kinds.add(kind))

    def station_ref(self, role: int, kind: str) -> int:
        """Return the reference to the station of this kind of the debtor (0) or creditor agent."""
        return role_ref(role, self.station_kinds.add(kind))

    def time_ref(self, role: int, kind: str) -> int:
        """Return the reference to the time of this kind of the debtor (0) or creditor agent."""
        return role_ref(role, self.time_kinds.add(kind))

    def share_ref(self, role: int, kind: str) -> int:
        """Return the reference to the share of this kind of the debtor (0) or creditor agent."""
        return role_ref(role, self.share_kinds.add(kind))
