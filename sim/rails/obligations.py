"""What a completed payment leaves owing between the obligors of a scheme.

Takes nothing; gives :class:`Obligation`, which a rail answers with.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Obligation:
    """What a completed payment leaves one obligor of a scheme owing another.

    Attributes
    ----------
    scheme : str
        The rail within which obligations cancel out.
    debtor, creditor : str
        Institutions.
    """

    scheme: str
    debtor: str
    creditor: str
