"""What can be wrong with a code, and the one exception of the codec.

Takes the numbers of the official KHQR kit and gives them words. A fault of a code is a
:class:`QrProblem`; writers collect them and raise one :class:`QrError`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from sim.errors import UserError

INVALID: Final = 8
"""Number of every fault of structure or checksum."""

EXCERPT_LENGTH: Final = 40
"""Characters of a hostile value that a message repeats."""

MEANINGS: Final[Mapping[int, str]] = MappingProxyType(
    {
        1: "Bakong account id is missing",
        2: "merchant name is missing",
        3: "Bakong account id has the wrong form",
        4: "amount is not allowed",
        5: "account template is missing",
        6: "Bakong account id is too long",
        7: "merchant name is too long",
        8: "not a valid KHQR string",
        9: "currency is missing",
        10: "bill number is empty or too long",
        11: "store label is empty or too long",
        12: "terminal label is empty or too long",
        16: "payload format indicator is too long",
        17: "point of initiation is too long",
        18: "merchant category code is too long",
        19: "currency has the wrong length",
        20: "country has the wrong length",
        21: "city is too long",
        22: "checksum has the wrong length",
        23: "payload format indicator is missing",
        24: "checksum is missing",
        25: "merchant category code is missing",
        26: "country is missing",
        27: "city is missing",
        28: "currency is not supported",
        30: "merchant id is missing",
        31: "acquiring bank is missing",
        32: "merchant id is too long",
        33: "acquiring bank is too long",
        34: "mobile number is empty or too long",
        35: "account information is too long",
        37: "language preference is missing",
        38: "language preference has the wrong form",
        39: "name in the other language is missing",
        40: "name in the other language is too long",
        41: "city in the other language is too long",
        42: "purpose of transaction is empty or too long",
        43: "UnionPay account is too long",
        44: "UnionPay account is not allowed with dollars",
        45: "expiry is required",
        46: "code has expired",
        47: "dynamic code without an amount",
        48: "point of initiation is not allowed",
        49: "timestamp is not 13 digits",
        50: "expiry lies before creation",
        51: "merchant category code is not digits",
    }
)
"""Our words for the numbers of the official kit (JavaScript kit 1.0.20)."""


@dataclass(frozen=True, slots=True)
class QrProblem:
    """One thing that is wrong with a code, and where.

    Attributes
    ----------
    code : int
        Number of the official KHQR kit.
    path : str
        Tag path such as ``62.01``; empty for the string as a whole.
    found : str
        What was found, shortened and with unprintable characters escaped.
    allowed : str
        What is allowed there.
    """

    code: int
    path: str
    found: str
    allowed: str

    @property
    def message(self) -> str:
        """Return the meaning of the number with what was found and what is allowed."""
        return f"{MEANINGS[self.code]}: found {self.found}; allowed: {self.allowed}"

    def __str__(self) -> str:
        place = f"tag {self.path}: " if self.path else ""
        return f"{place}{self.message} (code {self.code})"


class QrError(UserError):
    """Refusal of what cannot be written or drawn as a code.

    Parameters
    ----------
    problems : sequence of QrProblem
        At least one, in the order of the official rules.

    Attributes
    ----------
    code : int
        Number of the first problem.
    problems : tuple of QrProblem
        All of them.
    """

    def __init__(self, problems: Sequence[QrProblem]) -> None:
        super().__init__(tuple(problems))
        self.problems: tuple[QrProblem, ...] = tuple(problems)
        self.code: int = self.problems[0].code

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class QrTypeError(QrError, TypeError):
    """Refusal of a value of a kind the codec does not take, such as bytes for a text."""


def excerpt(value: object) -> str:
    """Quote a value for a message, shortened, so that hostile text stays harmless.

    Parameters
    ----------
    value : object
        A text, or ``None`` when nothing is there.

    Returns
    -------
    str
        ASCII-safe where characters are unprintable; Khmer stays readable.
    """
    if value is None:
        return "nothing"
    if not isinstance(value, str):
        return type(value).__name__
    quoted = repr(value[:EXCERPT_LENGTH])
    return quoted if len(value) <= EXCERPT_LENGTH else f"{quoted}... ({len(value)} characters)"
