"""The way a function of this folder becomes machine code: see :mod:`sim.machine_code`."""

from sim.machine_code import compiled

__all__ = ["compiled"]
