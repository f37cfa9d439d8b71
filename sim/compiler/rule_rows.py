"""Rows of a plan that say what bars routes and what is learnt of them.

Takes columns by keyword; adds each rule once to the builder it is a part of.
"""

from __future__ import annotations

from sim.compiler.table_rows import TableRows

_NOTHING = {
    "cost_max_ppm": -1, "time_max_us": -1, "spares": 0, "time_worth_ppm": 0, "failures": 0,
    "window": 1, "open_us": 0, "learns": 0, "explore": 0, "penalty_us": 0, "sampled": 0,
}  # fmt: skip


class RuleRows(TableRows):
    """The part of a plan builder that adds rules of routers."""

    def rule(self, columns: tuple[tuple[str, int], ...]) -> int:
        """Return the rule with these columns (lower-case names), -1 for none; added if new.

        By default nothing is barred and nothing learnt.
        """
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
