"""Ask functions of the user's own: in plain Python, or by the address compiled code calls.

Takes a plan; gives its policies with their settings, ready to be asked. An answer out of bounds, or
none, is the user's mistake and said as such.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sim.contract.own_policies import (
    HEARD_WIDTH,
    KNOWN_WIDTH,
    MEMORY_MAX,
    OWN_SCORE_MAX,
    Heard,
    Known,
    OwnColumn,
)
from sim.contract.plan import Plan
from sim.errors import UserError
from sim.policies.registry import OwnPolicy, find_policy

_WORD_MAX = (1 << 63) - 1


class _Words(Protocol):
    """What a pointer points at."""

    def __getitem__(self, at: int) -> int: ...
    def __setitem__(self, at: int, value: int) -> None: ...


@dataclass(frozen=True)
class Asked:
    """One policy of a plan with its settings.

    Attributes
    ----------
    name : str
    policy : OwnPolicy
    settings : tuple of int
        A named tuple.
    """

    name: str
    policy: OwnPolicy
    settings: Any

    def score(self, known: Known, memory: Sequence[int]) -> int:
        """Return what a route is worth.

        Raises
        ------
        UserError
            If the function raises, or gives no whole number from 0 to 2^60 - 1.
        """
        return _scored(self.name, self.policy.score, known, tuple(memory), self.settings)

    def hear(self, heard: Heard, memory: list[int]) -> None:
        """Let a route's memory change.

        Raises
        ------
        UserError
            If the function raises or leaves something else than whole numbers of 64 bits.
        """
        if self.policy.hear is not None:
            _heard(self.name, self.policy.hear, heard, memory, self.settings)


def asked_of(plan: Plan) -> list[Asked]:
    """Return the policies of a plan in the order of its table ``own``.

    Raises
    ------
    UserError
        If one is not known to this process, or is another one than when the plan was compiled.
    """
    found = []
    rows = zip(plan.names.policies, plan.own.tolist(), plan.own_setting.tolist(), strict=True)
    for name, row, values in rows:
        # Settings are part of the name, so that two corridors may set the same policy differently.
        policy = find_policy(name.partition("(")[0])
        if policy.digest != row[OwnColumn.DIGEST]:
            raise UserError(f"policy {name!r} is another one than when the plan was compiled")
        settings = policy.setting_type(*values[: len(policy.settings)])
        found.append(Asked(name, policy, settings))
    return found


def kernel_addresses(plan: Plan) -> tuple[list[tuple[int, int]], list[object]]:
    """Return the addresses of (score, hear) the kernel calls, and what must live as long.

    Without ``hear`` its address is 0.

    Raises
    ------
    UserError
        If Numba cannot compile a function.
    """
    from sim.jit.cache import is_jit_disabled
    from sim.jit.own_functions import compiled_address

    addresses, kept = [], []
    for asked in asked_of(plan):
        policy = asked.policy
        score, hear = policy.kernel_score or policy.score, policy.kernel_hear or policy.hear
        if is_jit_disabled():
            row, alive = _plain(asked, score, hear)
        else:
            row, alive = [0, 0], []
            # Memory is read as a tuple and changed as an array.
            for at, (function, told) in enumerate(((score, Known), (hear, Heard))):
                if function is None:
                    continue
                try:
                    row[at], made = compiled_address(
                        function, told, policy.memory, policy.setting_type, writes=at == 1
                    )
                except TypeError as error:
                    which = ("score", "hear")[at]
                    raise UserError(
                        f"policy {asked.name!r}: Numba cannot compile {which}: {error}; write it "
                        f"in the subset of Python it knows, or give kernel_{which} beside it"
                    ) from error
                alive.append(made)
        addresses.append((row[0], row[1]))
        kept += alive
    return addresses, kept


def plain_addresses(plan: Plan) -> tuple[list[tuple[int, int]], list[object]]:
    """Return addresses at which compiled code finds the functions of plain Python."""
    addresses, kept = [], []
    for asked in asked_of(plan):
        row, alive = _plain(asked, asked.policy.score, asked.policy.hear)
        addresses.append((row[0], row[1]))
        kept += alive
    return addresses, kept


def _plain(
    asked: Asked, score: Callable[..., int], hear: Callable[..., None] | None
) -> tuple[list[int], list[object]]:
    """Return the addresses of two functions that stay plain Python, and what must live as long."""
    from sim.jit.own_functions import BROKEN, plain_address

    memory_length = asked.policy.memory

    def ask_score(told: _Words, memory: _Words, settings: _Words) -> int:
        del settings
        known = Known(*(told[at] for at in range(KNOWN_WIDTH)))
        kept = tuple(memory[at] for at in range(memory_length))
        try:
            return _scored(asked.name, score, known, kept, asked.settings)
        except UserError:
            return BROKEN

    def ask_hear(told: _Words, memory: _Words, settings: _Words) -> int:
        del settings
        assert hear is not None
        heard = Heard(*(told[at] for at in range(HEARD_WIDTH)))
        kept = [memory[at] for at in range(memory_length)]
        try:
            _heard(asked.name, hear, heard, kept, asked.settings)
        except UserError:
            return BROKEN
        for at, value in enumerate(kept):
            memory[at] = value
        return 0

    found = [plain_address(ask_score)]
    if hear is not None:
        found.append(plain_address(ask_hear))
    return [*(address for address, _ in found), 0][:2], [made for _, made in found]


def _scored(
    name: str, score: Callable[..., int], known: Known, memory: tuple[int, ...], settings: Any
) -> int:
    try:
        found = score(known, memory, settings)
    except Exception as error:
        raise UserError(
            broken_words(name, f"score raised {type(error).__name__}: {error}")
        ) from error
    if isinstance(found, bool) or not isinstance(found, int):
        raise UserError(broken_words(name, f"score gave {found!r}"))
    if not 0 <= found <= OWN_SCORE_MAX:
        raise UserError(broken_words(name, f"score gave {found}"))
    return found


def _heard(
    name: str, hear: Callable[..., None], heard: Heard, memory: list[int], settings: Any
) -> None:
    length = len(memory)
    try:
        hear(heard, memory, settings)
    except Exception as error:
        raise UserError(
            broken_words(name, f"hear raised {type(error).__name__}: {error}")
        ) from error
    if len(memory) != length or not all(
        isinstance(value, int) and -_WORD_MAX - 1 <= value <= _WORD_MAX for value in memory
    ):
        raise UserError(broken_words(name, f"hear left {memory} in memory"))


def broken_words(name: str, what: str) -> str:
    """Return what is said of a policy that broke a run."""
    return (
        f"routing.policy {name}: {what}; allowed: scores are whole numbers from 0 to 2^60 - 1, "
        f"memory {MEMORY_MAX} whole numbers of 64 bits at most, and neither function raises"
    )
