"""Rows of a plan that say what bars routes and what is learnt of them.

Takes columns by keyword; adds each rule once to the builder it is a part of.
"""

from __future__ import annotations

from sim.compiler.table_rows import TableRows
from sim.contract.own_policies import SETTINGS_MAX
from sim.routing.policies import OwnRow

_NOTHING = {
    "cost_max_ppm": -1, "time_max_us": -1, "spares": 0, "time_worth_ppm": 0, "failures": 0,
    "window": 1, "open_us": 0, "learns": 0, "explore": 0, "penalty_us": 0, "sampled": 0,
    "own": -1,
}  # fmt: skip


class RuleRows(TableRows):
    """The part of a plan builder that adds rules of routers."""

    def rule(self, columns: tuple[tuple[str, int], ...], own: OwnRow | None = None) -> int:
        """Return the rule with these columns (lower-case names), -1 for none; added if new.

        By default nothing is barred and nothing learnt. ``own`` is the policy of the user's own
        routes with this rule are chosen by.
        """
        if own is not None:
            columns = (*columns, ("own", self._own(own)))
        if not columns:
            return -1
        purposes = {
            "purpose_explore": self.purpose("route.explore"),
            "purpose_which": self.purpose("route.which"),
        }
        index = self._add("rule", _NOTHING | purposes | dict(columns))
        row = self._rows["rule"].pop()
        if row in self._rows["rule"]:
            return self._rows["rule"].index(row)
        self._rows["rule"].append(row)
        return index

    def _own(self, own: OwnRow) -> int:
        """Return the row of a policy of the user's own with its settings; added if new."""
        if own.name in self.policies:
            return self.policies[own.name]
        self._add("own", {"memory": own.memory, "digest": own.digest})
        unused = [0] * (SETTINGS_MAX - len(own.settings))
        self._rows["own_setting"].append([*own.settings, *unused])
        return self.policies.add_new(own.name)
