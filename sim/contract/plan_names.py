"""Texts behind the numbers of a plan.

Takes nothing; gives the class that :class:`~sim.contract.plan.Plan` keeps them in.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sim.units import CURRENCIES, Currency


@dataclass(frozen=True, slots=True)
class PlanNames:
    """Texts behind every index of a plan; tuples are in index order.

    Attributes
    ----------
    stages : tuple of str
        One label per stage row, as in ``"cn_kh/alipay_plus.acleda/payer.confirm"``.
    """

    scenario: str = ""
    currencies: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    stations: tuple[str, ...] = ()
    """As reports name them: ``<rail>.<station>``."""
    ledgers: tuple[str, ...] = ()
    """As reports name them, as in ``bakong.ledger``."""
    policies: tuple[str, ...] = ()
    """Routing policies of the user's own, with their settings as in ``mine(bound=7)``."""
    rails: tuple[str, ...] = ()
    corridors: tuple[str, ...] = ()
    streams: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    route_sets: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    """Fee components."""
    recipients: tuple[str, ...] = ()
    """Recipients of fees (agents or rail operators)."""
    limits: tuple[str, ...] = ()
    pairs: tuple[str, ...] = ()
    """Currency pairs, base/quote."""
    channels: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    """What schemes owe agents, ``<rail>/<agent>:<currency>``."""
    top_ups: tuple[str, ...] = ()
    """By the account that is filled up."""
    systems: tuple[str, ...] = ()
    """Large-value systems, by their rail."""
    instruments: tuple[str, ...] = ()
    """What payers pay with: apps, or currencies they hold."""
    shops: tuple[str, ...] = ()
    windows: tuple[str, ...] = ()
    """Parts of the run that are measured for themselves."""
    account_kinds: tuple[str, ...] = ()
    station_kinds: tuple[str, ...] = ()
    time_kinds: tuple[str, ...] = ()
    share_kinds: tuple[str, ...] = ()
    purposes: tuple[tuple[int, str], ...] = ()
    """(purpose id, purpose name), ascending by name."""
    declared: tuple[Currency, ...] = field(default=(), repr=False)
    """Currencies of amounts and pairs that the scenario declares, ascending by letters: of all
    others decimal places are built in."""

    @property
    def exponents(self) -> dict[str, int]:
        """Return the decimal places of every currency this plan knows, by its letters."""
        known = (*CURRENCIES.values(), *self.declared)
        return {one.code: one.exponent for one in known}
