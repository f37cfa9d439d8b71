"""Read what the command line gives every command: scenario paths, run folders, choices.

Takes texts as typed; gives paths that exist, or a message that names what is near.
"""

from __future__ import annotations

import difflib
from pathlib import Path

from sim.errors import UserError
from sim.scenario.shipped import named_file, shipped_scenarios

_SUFFIXES = (".yaml", ".yml")


def scenario_file(given: str) -> Path:
    """Return the path of a scenario, also of one named that comes with the program.

    Raises
    ------
    UserError
        If there is no such file.
    """
    path = named_file(Path(given))
    if path.is_dir():
        inside = sorted(item.name for item in path.iterdir() if item.suffix in _SUFFIXES)
        if (path / "run.json").exists():
            raise UserError(
                f"{given}: found a run folder; allowed: a scenario file, such as the "
                f"{path / 'scenario.yaml'} in it"
            )
        listed = f"; it holds {', '.join(inside[:8])}" if inside else ""
        raise UserError(f"{given}: found a folder; allowed: a scenario file{listed}")
    if not path.exists():
        allowed = "a scenario file, or a name that `payroute scenarios` lists"
        raise UserError(f"{given}: found no such file; allowed: {allowed}.{_near(path)}")
    return path


def _near(path: Path) -> str:
    """Return a suggestion among the scenarios beside a path and in ``scenarios/``."""
    folders = dict.fromkeys((path.parent, Path("scenarios"), Path("scenarios") / path.parent))
    known = [
        item
        for folder in folders
        if folder.is_dir()
        for item in sorted(folder.iterdir())
        if item.suffix in _SUFFIXES
    ]
    by_stem = {item.stem: item for item in reversed(known)}
    if not path.suffix:
        # A name: what comes with the program is asked for by its own.
        by_stem = {name: Path(name) for name in shipped_scenarios()} | by_stem
    close = difflib.get_close_matches(path.stem, sorted(by_stem), n=1, cutoff=0.6)
    if close:
        return f" Did you mean {str(by_stem[close[0]])!r}?"
    if known:
        return f" Near are: {', '.join(str(item) for item in known[:8])}"
    return " `payroute schema` describes what one looks like"
