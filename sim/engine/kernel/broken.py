"""Say what broke a run: the words for the kernel's error numbers.

Takes nothing; gives texts by number, and which of them are nobody's fault.
"""

from __future__ import annotations

from sim.contract.run import BALANCE_TOO_LARGE, SUM_TOO_LARGE
from sim.engine.kernel.state import (
    E_AMOUNT,
    E_BALANCE,
    E_BUSY,
    E_DURATION,
    E_ENDLESS,
    E_IN_DOUBT,
    E_NO_ACCOUNT,
    E_NO_HABIT,
    E_NO_INQUIRY,
    E_NO_LIMIT_CELL,
    E_NO_QUOTE,
    E_NO_STATION,
    E_OPEN_RESERVATION,
    E_OPERATION,
    E_ORDER,
    E_ORDERED_TWICE,
    E_OWN_POLICY,
    E_PENDING,
    E_RESERVED_TWICE,
    E_STAGE,
    E_STEP,
    E_SUM,
    E_TOO_LARGE,
)

ERRORS = {
    E_ORDER: "two events have the same time and key, or time ran backwards",
    E_STEP: "a payment scheduled more than 2^20 events",
    E_OPEN_RESERVATION: "a payment ended with an open reservation",
    E_BUSY: "a station finished more than it started",
    E_STAGE: "a payment ran off its program",
    E_AMOUNT: "an amount is not known yet or below zero",
    E_RESERVED_TWICE: "a payment reserved a transfer it already holds",
    E_NO_ACCOUNT: "an agent has no account of the kind a transfer names",
    E_NO_STATION: "an agent has no station of the kind a stage names",
    E_TOO_LARGE: "an amount reached 2^53 minor units",
    E_NO_LIMIT_CELL: "a payment met a limit its stream has no cells for",
    E_DURATION: "a drawn duration is below zero",
    E_PENDING: "an account's pending debits fell below zero",
    E_ENDLESS: "a payment ran a million stages without waiting",
    E_NO_QUOTE: "a payment used a price before it had one",
    E_OPERATION: "a stage has an unknown operation",
    E_NO_HABIT: "an agent has no time or share of the kind a stage names",
    E_IN_DOUBT: "a payment ended or was undone in doubt",
    E_NO_INQUIRY: "a payment is at a stage of inquiries",
    E_ORDERED_TWICE: "a payment is ordered twice",
}
OWN_POLICY = E_OWN_POLICY
# What a run may come to without anything being wrong with it or with the program.
TOO_LARGE = {E_BALANCE: BALANCE_TOO_LARGE, E_SUM: SUM_TOO_LARGE}
