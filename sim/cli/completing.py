"""What a shell offers when the user presses the tabulator: names, files, fields, measures.

Takes what is typed so far; gives texts. A shell shows nothing of errors, so what cannot be read
offers nothing: a mistake is told when the command is run.
"""

from __future__ import annotations

import functools
import os
import shlex
from collections.abc import Callable, Iterable
from pathlib import Path

import typer

_SUFFIXES = (".yaml", ".yml")
FIELDS_MAX = 60
"""Fields offered with their whole path; of more only the next part of it."""
_LISTS = {
    "engine": ("compiled", "reference"),
    "record": ("none", "payments", "stages", "events"),
    "profile": ("step", "ramp", "soak"),
    "style": ("paper", "slides"),
}

_SECTIONS = (
    "clock", "fx", "institutions", "rails", "accounts", "corridors", "profiles", "demand",
    "routing", "disruptions", "windows",
)  # fmt: skip
"""What is offered before a scenario is named."""

Offer = Callable[[typer.Context, str], list[str]]


def _silently(offer: Offer) -> Offer:
    """Return an offer that offers nothing where it cannot."""

    # Not `wraps`: typer reads the annotations of the function it is given.
    def quiet(ctx: typer.Context, incomplete: str) -> list[str]:
        try:
            return offer(ctx, incomplete)
        except Exception:
            # Whatever is wrong with a file is told when the command runs.
            return []

    quiet.__annotations__ = {"ctx": typer.Context, "incomplete": str, "return": list[str]}
    quiet.__doc__ = offer.__doc__
    return quiet


@_silently
def scenarios(ctx: typer.Context, incomplete: str) -> list[str]:
    """Offer scenarios by name, and files."""
    del ctx
    from sim.scenario.shipped import shipped_scenarios

    return [*_starting(shipped_scenarios(), incomplete), *_files(incomplete, _SUFFIXES)]


@_silently
def runs(ctx: typer.Context, incomplete: str) -> list[str]:
    """Offer run folders, and folders that may hold one."""
    del ctx
    return [item for item in _files(incomplete, ()) if item.endswith("/")]


@_silently
def scenarios_or_runs(ctx: typer.Context, incomplete: str) -> list[str]:
    """Offer what may be compared: scenarios and run folders."""
    return list(dict.fromkeys((*scenarios(ctx, incomplete), *runs(ctx, incomplete))))


@_silently
def fields(ctx: typer.Context, incomplete: str) -> list[str]:
    """Offer fields of the scenario that is named already, as ``--set`` takes them."""
    from sim.scenario.field_values import field_values
    from sim.scenario.scenario import load_scenario
    from sim.scenario.shipped import named_file

    del ctx
    if "=" in incomplete:
        return []
    named = next((file for word in _typed() if (file := named_file(Path(word))).is_file()), None)
    if named is None:
        return _starting((f"{name}." for name in _SECTIONS), incomplete)
    known = _starting(field_values(load_scenario(named)), incomplete)
    if len(known) <= FIELDS_MAX:
        return [f"{path}=" for path in known]
    return _next_parts(known, incomplete)


@_silently
def measures(ctx: typer.Context, incomplete: str) -> list[str]:
    """Offer measures, the last of several that commas set apart."""
    del ctx
    from sim.analysis.catalogue import ALIASES, HEADLINE_UNITS
    from sim.analysis.summary import GROUPS

    before, comma, last = incomplete.rpartition(",")
    known = (*HEADLINE_UNITS, *ALIASES, *(f"{group}/" for group in GROUPS))
    return [f"{before}{comma}{name}" for name in _starting(known, last)]


@_silently
def formats(ctx: typer.Context, incomplete: str) -> list[str]:
    """Offer formats of what is shown."""
    del ctx
    from sim.report.rendering import format_names

    return _starting(format_names(), incomplete)


@_silently
def exporters(ctx: typer.Context, incomplete: str) -> list[str]:
    """Offer formats of other programs, those of other packages too."""
    del ctx
    from sim.report.exporting import exporter_names

    return _starting(exporter_names(), incomplete)


@_silently
def corridors(ctx: typer.Context, incomplete: str) -> list[str]:
    """Offer the corridors of the run that is named already."""
    del ctx
    from sim.scenario.scenario import load_scenario

    files = (Path(word) / "scenario.yaml" for word in _typed())
    named = next(file for file in files if file.is_file())
    return _starting(load_scenario(named).scenario.corridors, incomplete)


def words(name: str) -> Offer:
    """Return an offer of the few words an option knows.

    Parameters
    ----------
    name : str
        Of the option: engine, record, profile or style.
    """
    return _silently(functools.partial(_words, _LISTS[name]))


def _typed() -> list[str]:
    """Return the words typed so far, as the shell hands them on.

    Notes
    -----
    Where an option still lacks its value, click gives up parsing and knows of no argument before
    it; bash tells the words in one variable, the other shells in another.
    """
    line = os.environ.get("_TYPER_COMPLETE_ARGS") or os.environ.get("COMP_WORDS", "")
    return shlex.split(line)[1:]


def _words(known: tuple[str, ...], ctx: typer.Context, incomplete: str) -> list[str]:
    del ctx
    return _starting(known, incomplete)


def _starting(known: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in known if name.startswith(incomplete)]


def _next_parts(paths: Iterable[str], incomplete: str) -> list[str]:
    """Return what may follow of paths up to their next dot."""
    begun = incomplete.rpartition(".")[0].count(".") + 1 if "." in incomplete else 0
    found = dict[str, None]()
    for path in paths:
        parts = path.split(".")
        is_whole = len(parts) == begun + 1
        found.setdefault(".".join(parts[: begun + 1]) + ("=" if is_whole else "."))
    return list(found)


def _files(incomplete: str, suffixes: tuple[str, ...]) -> list[str]:
    """Return files of some endings, and folders."""
    begin, slash, last = incomplete.rpartition("/")
    folder = Path(begin + slash) if slash else Path()
    found = []
    for item in sorted(folder.iterdir()):
        if not item.name.startswith(last) or item.name.startswith(".") != last.startswith("."):
            continue
        if item.is_dir():
            found.append(f"{begin}{slash}{item.name}/")
        elif item.suffix in suffixes:
            found.append(f"{begin}{slash}{item.name}")
    return found
