"""How each payment system works: one file per kind of rail, its configuration and its stages.

Importing this package registers the kinds of the project.
"""

from sim.rails import (
    bakong,
    card,
    correspondent,
    ecny,
    fast_payment,
    generic,
    hub,
    khqr,
    rtgs,
    wallet_gateway,
)

__all__ = [
    "bakong",
    "card",
    "correspondent",
    "ecny",
    "fast_payment",
    "generic",
    "hub",
    "khqr",
    "rtgs",
    "wallet_gateway",
]
