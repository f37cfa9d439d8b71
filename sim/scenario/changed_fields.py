"""Say in which fields two resolved scenarios differ.

Takes their YAML as run folders hold it; gives a line per field, as ``--set`` would name it.
"""

from __future__ import annotations

from collections.abc import Iterator

import yaml

_SHOWN = 6


def changed_fields(before: str, after: str) -> list[str]:
    """Return the fields that differ, each with both values; the first few, and how many more.

    Parameters
    ----------
    before, after : str
        ``scenario.yaml`` of two runs.

    Returns
    -------
    list of str
        Nothing where both say the same, or one of them cannot be read.
    """
    if before == after:
        return []
    try:
        # Every value as the text it is: 1.0 and 1.00 are the same number and another text, which
        # the hash of a scenario tells apart too.
        one, other = (dict(_fields(yaml.load(t, yaml.BaseLoader))) for t in (before, after))
    except (yaml.YAMLError, RecursionError, TypeError, ValueError):
        return []
    names = [name for name in dict.fromkeys((*one, *other)) if one.get(name) != other.get(name)]
    told = [f"{n} {one.get(n, 'none')} -> {other.get(n, 'none')}" for n in names[:_SHOWN]]
    if len(names) > _SHOWN:
        told.append(f"and {len(names) - _SHOWN} more fields")
    return told


def _fields(content: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every single value with its dotted path."""
    if isinstance(content, dict):
        for name, value in content.items():
            yield from _fields(value, f"{path}.{name}" if path else str(name))
    elif isinstance(content, list):
        for at, value in enumerate(content):
            yield from _fields(value, f"{path}.{at}" if path else str(at))
    else:
        yield path, str(content)
