"""Measures of FX providers: what they refused, how far their positions went, what they came to.

Takes what :mod:`sim.analysis.sources` holds of a provider; gives definitions to the catalogue.
"""

from __future__ import annotations

from sim.analysis.definition import Definition
from sim.analysis.kinds import AMOUNT, COUNT, Better
from sim.analysis.sources import ProviderUse

_PROVIDER = frozenset({"provider"})
LOWER = Better.LOWER

PROVIDER_MEASURES: tuple[Definition[ProviderUse], ...] = (
    Definition("conversions_refused", COUNT, _PROVIDER, lambda of: of.refused, "refused", LOWER),
    Definition("position_peak_minor", AMOUNT, _PROVIDER, lambda of: of.peak, "peak position"),
    Definition("fx_income_minor", AMOUNT, _PROVIDER, lambda of: of.income, "margins earned"),
    Definition("fx_revaluation_minor", AMOUNT, _PROVIDER, lambda of: of.revaluation, "revaluation"),
)
