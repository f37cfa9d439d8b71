"""Find a measure by the key an experiment names it by.

Takes a summary and a key such as ``success_rate``, ``p99`` or
``station/bakong.ledger/utilisation``; gives the measure.
"""

from __future__ import annotations

from collections.abc import Iterable

from sim.analysis.catalogue import ALIASES, CATALOGUE, HEADLINE_UNITS
from sim.analysis.kinds import Pooling
from sim.analysis.summary import GROUPS, Measure, Measures, Summary
from sim.errors import OptionError, suggest

_NAMES_TOLD = 20
"""Names of a group that are told; of more the rest is counted."""


def full_key(key: str) -> str:
    """Return the full name of a measure that may have been given by its short one."""
    return ALIASES.get(key, key)


def name_of(key: str) -> str:
    """Return the name of the measure a key ends in."""
    return full_key(key.rpartition("/")[2])


def complaint(key: str) -> str:
    """Say what is wrong with a key whatever the scenario; nothing where it may name a measure."""
    group, slash, _ = key.partition("/")
    if not slash and full_key(key) not in HEADLINE_UNITS:
        known = ", ".join(sorted(HEADLINE_UNITS))
        hint = suggest(key, (*HEADLINE_UNITS, *ALIASES))
        return f"unknown measure {key!r}; known: {known}.{hint}"
    if slash and group not in GROUPS:
        known = ", ".join(GROUPS)
        return f"unknown group {group!r} in {key!r}; known: {known}.{suggest(group, GROUPS)}"
    return ""


def pick(summary: Summary, key: str) -> Measure | None:
    """Return a measure, None where this run has none of that name.

    Parameters
    ----------
    summary : Summary
    key : str
        A headline measure, or ``group/name/measure``; names may contain slashes themselves.
    """
    measures, name = place(summary, key)
    return measures.get(name)


def place(summary: Summary, key: str) -> tuple[Measures, str]:
    """Return the measures among which a key names one, and its name among them."""
    group, slash, rest = key.partition("/")
    if not slash:
        return summary.measures, full_key(key)
    name, _, measure = rest.rpartition("/")
    return summary.by.get(group, {}).get(name, {}), full_key(measure)


def refuse_pooled(keys: Iterable[str], *, where: str) -> None:
    """Refuse measures that are known of all replications together only.

    Parameters
    ----------
    keys : iterable of str
    where : str
        Name of the argument they were given as.

    Raises
    ------
    OptionError
        For the first such key. Its value in one replication estimates something else, so a study
        that goes by single replications would show another figure under the same name.
    """
    for key in keys:
        measure = CATALOGUE.get(name_of(key))
        if measure is not None and measure.pooling is Pooling.KAPLAN_MEIER:
            plain = key.removesuffix("_kaplan_meier")
            raise OptionError(
                where,
                f"found {key}, which is known of all replications together and not of each; "
                f"allowed: such as {plain}",
            )


def require(
    summary: Summary, keys: tuple[str, ...], *, where: str, may_be_absent: bool = False
) -> None:
    """Refuse keys that name nothing.

    Parameters
    ----------
    summary : Summary
    keys : tuple of str
    where : str
        Name of the argument they were given as.
    may_be_absent : bool
        Whether a name of a group may be missing, as a reason is that no payment of this run had.

    Raises
    ------
    OptionError
        For the first such key, with what is close.
    """
    for key in keys:
        if pick(summary, key) is not None:
            continue
        wrong = complaint(key)
        if wrong:
            raise OptionError(where, wrong)
        group, _, rest = key.partition("/")
        if may_be_absent:
            continue
        raise OptionError(where, _unknown_in_group(summary, group, rest))


def _unknown_in_group(summary: Summary, group: str, rest: str) -> str:
    """Say what a group knows: its names, or what is measured of the name that was given."""
    held = summary.by[group]
    name, slash, measure = rest.rpartition("/")
    if name in held:
        known = f"known of {name}: {', '.join(sorted(held[name]))}"
        hint = suggest(measure, held[name])
        return f"unknown measure {measure!r} in '{group}/{rest}'; {known}.{hint}"
    names = sorted(held)
    shown = ", ".join(names[:_NAMES_TOLD]) or f"none, this run has no {group}"
    more = f" and {len(names) - _NAMES_TOLD} more" if len(names) > _NAMES_TOLD else ""
    found = name if slash else rest
    form = "" if slash else f" (a key is {group}/NAME/MEASURE)"
    return f"unknown {group} {found!r}; known: {shown}{more}{form}.{suggest(found, names)}"
