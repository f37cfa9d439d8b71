"""Scenarios that were damaged: whatever they say, the loader answers, in words of its own.

Takes texts of scenarios and a seed; gives how many were accepted. A mutant is loaded and, where the
loader has nothing against it, compiled: a plan, a list of problems, and nothing else.
"""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sim.compiler.compile import compile_scenario
from sim.errors import UserError
from sim.scenario.scenario import load_scenario
from tests.support.tiny import YAML

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60
"""Longer than any mutant of a page takes on a busy machine."""
_PIECES = (
    "null", "~", "true", "0", "-1", "1e999", "0x1f", "1_000", ".5", "99999999999999999999", "inf",
    "nan", "0 s", "-3 s", "1 us", "106751 d", "1e6 s", "100 %", "101 %", "-1 %", "0.0000000001 %",
    "1/0 /s", "0 /s", "9999999999 /s", "KHR", "USD/KHR", "XQX", "kh", "''", '""', "[]", "{}",
    "{a: {b: {c: d}}}", "&a", "*a", "<<: {}", "!!python/object:os.system x", "!!binary aGk=", "? x",
    "|", ">", "- ", ": ", "#", "%YAML 1", "---", "...", "\t", "\x00", "\x1b[31m", "\u202e",
    "\ud7ff", "\ufeff", "\u2028", "2025-02-30", "2025-09-17T25:00:00+07:00", "12:60", "24:00",
    "a" * 300, "9" * 400, "{" * 80, "[" * 80, "extends: x.yaml", "extends: [.]", "`rm`", "${HOME}",
    "<b>", "[red]", "=1+1", "@x", "..", "a/b", "con", "\u17a2\u17b6", "\U0001f35c",
)  # fmt: skip
"""What is put where something else stood: limits, other types, syntax, and what terminals heed."""


def pages() -> tuple[str, ...]:
    """Return the texts mutants are made of: mostly short ones, as they are read soonest."""
    minimal = (ROOT / "scenarios" / "minimal.yaml").read_text(encoding="utf-8")
    everything = ROOT / "sim" / "study" / "fuzz" / "everything.yaml"
    return (YAML,) * 60 + (minimal,) * 3 + (everything.read_text(encoding="utf-8"),)


def mutated(dice: random.Random, text: str) -> str:
    """Return a text with one thing done to it that damage or malice does."""
    lines = text.split("\n")
    at = dice.randrange(len(lines))
    match dice.randrange(10):
        case 0:
            del lines[at]
        case 1:
            lines.insert(at, dice.choice(lines))
        case 2:
            lines[at] = " " * dice.randrange(12) + lines[at].lstrip()
        case 3:
            head, colon, _ = lines[at].rpartition(": ")
            lines[at] = f"{head}{colon}{dice.choice(_PIECES)}"
        case 4:
            _, colon, value = lines[at].partition(":")
            lines[at] = f"{dice.choice(_PIECES)}{colon}{value}"
        case 5:
            other = dice.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        case 6:
            return text[: dice.randrange(len(text) + 1)]
        case _:
            place = dice.randrange(len(text) + 1)
            keeps = place + dice.choice((0, 0, 1, 2, 7))
            piece = dice.choice(_PIECES) if dice.random() < 0.5 else chr(dice.randrange(32, 127))
            return text[:place] + piece + text[keeps:]
    return "\n".join(lines)


def mutants(count: int, seed: int) -> Iterator[str]:
    """Yield texts with one to four things done to them."""
    dice, found = random.Random(seed), pages()
    for _ in range(count):
        text = dice.choice(found)
        for _ in range(dice.choice((1, 1, 2, 4))):
            text = mutated(dice, text)
        yield text


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """Raise where something takes longer than it may."""

    def late(number: int, frame: object) -> None:
        raise TimeoutError(f"took longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def answered(path: Path) -> bool:
    """Return whether a scenario is accepted; whatever is no answer is raised.

    Notes
    -----
    An answer is a plan, or a message that a terminal shows as it is.
    """
    try:
        with within(SECONDS):
            compile_scenario(load_scenario(path), with_tables=False)
    except UserError as error:
        told = str(error)
        assert told.strip()
        shown = told.translate(dict.fromkeys(map(ord, "\n\u200b\u200c\u200d")))
        assert shown.isprintable(), ascii(told)
        assert all(len(line) < 5_000 for line in told.split("\n")), told
        return False
    return True


def try_mutants(count: int, seed: int, folder: Path) -> int:
    """Try mutants and return how many were accepted; what fails is left in the folder.

    Raises
    ------
    AssertionError
        At the first mutant that is answered otherwise, with what to do to see it again.
    """
    path, accepted = folder / "mutant.yaml", 0
    for number, text in enumerate(mutants(count, seed)):
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        try:
            accepted += answered(path)
        except Exception as error:
            kept = folder / f"mutant-{seed}-{number}.yaml"
            path.replace(kept)
            raise AssertionError(f"{kept}: {type(error).__name__}: {error}") from error
    return accepted
