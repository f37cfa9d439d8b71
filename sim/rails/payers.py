"""Payers and creditors, as far as what they are decides which rails may carry their payments.

Takes nothing; gives :class:`PayerClass` and :class:`CreditorClass`.
"""

from __future__ import annotations

from dataclasses import dataclass

Use = tuple[str, str]
"""A rail, and its own word for a way of using it."""


@dataclass(frozen=True, slots=True)
class PayerClass:
    """What decides on which rails a payer can begin.

    Attributes
    ----------
    instrument : str
        What the payer pays with; empty where nothing is said of it.
    currency : str
        Currency of the payer's account, where it is not the corridor's; empty otherwise.
    absent : tuple of (str, str)
        Rails and uses in which the payer's institution does not take part yet.
    """

    instrument: str = ""
    currency: str = ""
    absent: tuple[Use, ...] = ()


ANYBODY = PayerClass()
"""A payer of whom nothing is said."""


@dataclass(frozen=True, slots=True)
class CreditorClass:
    """What decides which rails may pay a creditor.

    Attributes
    ----------
    currency : str
        Currency of the creditor's code; empty where there is no code.
    schemes : tuple of str
        Schemes the code shows.
    absent : tuple of (str, str)
        Rails, and their uses, in which the creditor's institution does not take part yet.
    """

    currency: str = ""
    schemes: tuple[str, ...] = ()
    absent: tuple[Use, ...] = ()
