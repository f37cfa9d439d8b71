"""Which policies of the user's own there are: those registered here, and those of other packages.

Takes functions; gives them by name. What they are told and may answer is in
:mod:`sim.contract.own_policies`. Names of our own policies go first, so that no package changes
what one of them means.
"""

from __future__ import annotations

import hashlib
import inspect
import re
import textwrap
from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from types import CodeType
from typing import Any

from sim.contract.own_policies import MEMORY_MAX, SETTINGS_MAX
from sim.contract.policies import Policy
from sim.errors import MachineError, UserError

GROUP = "payroute.policies"
"""Entry points by which another package adds policies."""
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_REGISTERED: dict[str, OwnPolicy] = {}
_KNOWN_OBJECTS = (int, float, str, bytes, bool, type(None))


@dataclass(frozen=True)
class OwnPolicy:
    """A routing policy of the user's own.

    Attributes
    ----------
    score : callable
        Of :class:`~sim.contract.own_policies.Known`, the memory (a tuple of whole numbers) and the
        settings (a named tuple of whole numbers); gives a whole number from 0, the lowest wins. The
        reference engine and the audit run it as plain Python.
    hear : callable or None
        Of :class:`~sim.contract.own_policies.Heard`, the memory (which it may change in place) and
        the settings; None: nothing is kept in mind.
    kernel_score, kernel_hear : callable or None
        The same two for the compiled kernel, in the subset of Python that Numba compiles; None: the
        first two are compiled themselves.
    memory : int
        How many whole numbers are kept by route, all 0 at first.
    settings : mapping of str to int
        What a scenario may set (``routing.settings``) and what is used where it does not.
    words : str
        What it prefers, as ``explain`` shows it.
    """

    score: Callable[[Any, Any, Any], int]
    hear: Callable[[Any, Any, Any], None] | None = None
    kernel_score: Callable[[Any, Any, Any], int] | None = None
    kernel_hear: Callable[[Any, Any, Any], None] | None = None
    memory: int = 0
    settings: Mapping[str, int] = field(default_factory=dict)
    words: str = "lowest score of a function of the user's own"

    @cached_property
    def setting_type(self) -> type[Any]:
        """The named tuple of its settings."""
        return namedtuple("Settings", tuple(self.settings))

    @cached_property
    def digest(self) -> int:
        """62 bits that are others when one of its functions is another, or what it keeps or is set.

        Of each function's source, of the functions of Python it calls and the plain values it reads
        outside; of its byte code where there is no source.
        """
        state = hashlib.blake2b(digest_size=8, person=b"payroute.policy")
        state.update(repr((self.memory, tuple(self.settings))).encode())
        for function in (self.score, self.hear, self.kernel_score, self.kernel_hear):
            for text in _texts(function, set()):
                state.update(text.encode() + b"\0")
        return int.from_bytes(state.digest(), "big") >> 2


def register(
    name: str,
    score: Callable[[Any, Any, Any], int],
    *,
    hear: Callable[[Any, Any, Any], None] | None = None,
    kernel_score: Callable[[Any, Any, Any], int] | None = None,
    kernel_hear: Callable[[Any, Any, Any], None] | None = None,
    memory: int = 0,
    settings: Mapping[str, int] | None = None,
    words: str = "",
) -> OwnPolicy:
    """Make a routing policy known to this process under a name scenarios may write.

    Parameters
    ----------
    name : str
        In small letters, digits and underscores. What had this name before is replaced.
    score, hear, kernel_score, kernel_hear, memory, settings, words
        See :class:`OwnPolicy`.

    Returns
    -------
    OwnPolicy

    Raises
    ------
    ValueError
        If it cannot be a policy.
    """
    more = {"words": words} if words else {}
    policy = OwnPolicy(score, hear, kernel_score, kernel_hear, memory, dict(settings or {}), **more)
    _check(name, policy)
    _REGISTERED[name] = policy
    return policy


def forget(name: str) -> None:
    """Take a registered policy out again."""
    _REGISTERED.pop(name, None)


def policy_names() -> tuple[str, ...]:
    """Return the names of all policies of users' own, without loading any."""
    return tuple(sorted({*_REGISTERED, *_of_others()} - _names_of_ours()))


def find_policy(name: str) -> OwnPolicy:
    """Return a policy of the user's own by its name.

    Raises
    ------
    UserError
        If there is none of that name in this process.
    MachineError
        If the package that brings it cannot be loaded.
    """
    if name in _REGISTERED:
        return _REGISTERED[name]
    entry = _of_others().get(name)
    if entry is None:
        raise UserError(
            f"policy {name!r} is not known to this process; register it (sim.policies.register) "
            f"before, or install the package that brings it (entry points {GROUP})"
        )
    package = entry.dist.name if entry.dist is not None else "of an unknown name"
    brought = f"policy {name!r}: the package {package} brings it and"
    try:
        loaded = entry.load()
    except Exception as error:
        raise MachineError(
            f"{brought} cannot be loaded ({type(error).__name__}: {error}); update or remove it"
        ) from error
    if not isinstance(loaded, OwnPolicy):
        raise MachineError(
            f"{brought} names {entry.value}, which is no sim.policies.OwnPolicy; update or remove "
            "it"
        )
    try:
        _check(name, loaded)
    except ValueError as error:
        raise MachineError(f"{brought} {error}; update or remove it") from error
    return loaded


def _check(name: str, policy: OwnPolicy) -> None:
    """Raise ValueError where something cannot be a policy."""
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"name: found {name!r}; allowed: small letters, digits and _, a letter first"
        )
    if name in _names_of_ours():
        raise ValueError(f"name: found {name!r}, which is a policy of payroute; choose another")
    if not 0 <= policy.memory <= MEMORY_MAX:
        raise ValueError(f"memory: found {policy.memory}; allowed: 0 to {MEMORY_MAX}")
    if len(policy.settings) > SETTINGS_MAX:
        raise ValueError(f"settings: found {len(policy.settings)}; allowed: {SETTINGS_MAX} at most")
    wrong = [name for name, value in policy.settings.items() if not _is_whole(value)]
    if wrong:
        raise ValueError(f"settings: {wrong[0]} is no whole number below 2^62")
    if policy.memory and policy.hear is None:
        raise ValueError("hear: missing; without it nothing is ever kept in memory")
    if policy.kernel_hear is not None and policy.hear is None:
        raise ValueError("hear: missing; needed beside kernel_hear by the reference engine")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 62


def _names_of_ours() -> set[str]:
    return {policy.name.lower() for policy in Policy}


def _of_others() -> dict[str, EntryPoint]:
    """Return the entry points of other packages by name; of two of a name the first by package."""
    found = sorted(
        entry_points(group=GROUP),
        key=lambda entry: (entry.name, entry.dist.name if entry.dist is not None else ""),
    )
    return {entry.name: entry for entry in reversed(found)}


def _texts(function: object, seen: set[int]) -> Iterator[str]:
    """Yield what decides what a function does."""
    # Numba's dispatchers carry the function they compile.
    function = getattr(function, "py_func", function)
    code = getattr(function, "__code__", None)
    if not isinstance(code, CodeType) or id(function) in seen:
        yield repr(function) if isinstance(function, _KNOWN_OBJECTS) else type(function).__name__
        return
    seen.add(id(function))
    try:
        yield textwrap.dedent(inspect.getsource(function))  # type: ignore[arg-type]
    except (OSError, TypeError):
        yield from _code_texts(code)
    yield repr(getattr(function, "__defaults__", None))
    outside = inspect.getclosurevars(function)  # type: ignore[arg-type]
    for name, value in sorted({**outside.globals, **outside.nonlocals}.items()):
        yield name
        yield from _texts(value, seen)


def _code_texts(code: CodeType) -> Iterator[str]:
    yield code.co_code.hex()
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _code_texts(constant)
        else:
            yield repr(constant)
    yield repr(code.co_names)
