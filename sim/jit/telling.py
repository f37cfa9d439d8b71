"""Say that machine code is being made, whoever asked for it.

Takes a callable that tells people; gives it one sentence per process, at the instant the first
function is compiled that was in no cache. Numba itself says when that is: a command cannot know
beforehand, and the audit, the draws and the engines are compiled by different ones.
"""

from __future__ import annotations

from collections.abc import Callable

SENTENCE = "compiling to machine code; once per version, up to a minute"
_PACKAGE = "sim."
_tellers: list[Callable[[str], None]] = []
_has_told: list[bool] = []


def tell_compiling(teller: Callable[[str], None]) -> None:
    """Let somebody hear the sentence, in place of whoever heard it before.

    Parameters
    ----------
    teller : callable
        Takes the sentence.
    """
    _tellers[:] = [teller]


def begin_compiling(module: str) -> None:
    """Hear that a function of a module is being compiled; told once, and only of our own.

    Parameters
    ----------
    module : str
        Where the function stands.
    """
    if module.startswith(_PACKAGE) and _tellers and not _has_told:
        _has_told.append(True)
        _tellers[0](SENTENCE)
