"""Which distributions there are: one class per family, each with parameters, mean and exact law.

Importing this package registers the families of the project.
"""

from sim.draws.laws import bounded, heavy, normal, waiting
from sim.draws.laws.family import FAMILIES, Family, Parameter, build_law
from sim.draws.laws.law import TAIL_PROBABILITY, Floats, Law, build_empirical_law

__all__ = [
    "FAMILIES",
    "TAIL_PROBABILITY",
    "Family",
    "Floats",
    "Law",
    "Parameter",
    "bounded",
    "build_empirical_law",
    "build_law",
    "heavy",
    "normal",
    "waiting",
]
