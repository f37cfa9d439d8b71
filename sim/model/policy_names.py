"""Names of routing policies, and what is set of those of a user's own.

Takes text; gives names. Those of ours are read off :class:`~sim.contract.meaning.Policy`, where
each is specified once; those of users' own are known to :mod:`sim.policies`.
"""

from __future__ import annotations

import re
from typing import Annotated

from sim.contract.meaning import Policy
from sim.errors import suggest
from sim.model.magnitude import Form
from sim.model.number_text import match_text, refuse
from sim.model.quantity import Quantity
from sim.policies.registry import policy_names

OURS = tuple(policy.name.lower() for policy in Policy if policy is not Policy.OWN)
"""Names of the policies of the program itself."""
_WHOLE = re.compile(r"-?[0-9]+(?: [0-9]{3})*")
_WHOLE_ALLOWED = "a whole number, as in 7, -2 or 30 000"


def _policy(found: object) -> str:
    """Return the name of a policy there is."""
    known = (*OURS, *policy_names())
    if isinstance(found, str) and found in known:
        return found
    allowed = f"{', '.join(known)}, or a policy of your own made known before"
    return refuse(found, allowed, f".{suggest(str(found), known)}".rstrip("."))


def _whole(found: object) -> int:
    """Return a whole number of 62 bits and a sign."""
    number = int(match_text(_WHOLE, found, _WHOLE_ALLOWED)[0].replace(" ", ""))
    if abs(number) >= 1 << 62:
        refuse(found, "whole numbers below 2^62")
    return number


PolicyName = Annotated[
    str,
    # Oracles are for studies: no example anybody starts from.
    Quantity(
        _policy,
        ", ".join(OURS),
        "[a-z][a-z0-9_]*",
        tuple(name for name in OURS if not name.startswith("oracle_")),
    ),
]
"""A routing policy."""
WholeNumber = Annotated[
    int,
    Quantity(
        _whole, _WHOLE_ALLOWED, _WHOLE.pattern, ("7", "-2"), json_types=("string", "number"),
        form=Form.WHOLE,
    ),
]  # fmt: skip
"""Whole number of either sign."""
