"""How each payment system works: one file per kind of rail, its configuration and its stages.

Importing this package registers the kinds of the project.
"""

from sim.rails import bakong, fast_payment, generic, khqr, rtgs, wallet_gateway

__all__ = ["bakong", "fast_payment", "generic", "khqr", "rtgs", "wallet_gateway"]
