"""What an installed ``import payroute`` is: the same as ``import sim``, by the program's own name.

Installed as the module ``payroute``, beside the package; it has no parts of its own, so that no
module of the program can be loaded twice.
"""

from __future__ import annotations

import sim

__all__ = sim.__all__


def __getattr__(name: str) -> object:
    """Return what ``sim`` has by a public name."""
    if name not in sim.__all__:
        raise AttributeError(f"module 'payroute' has no attribute {name!r}")
    return getattr(sim, name)
