"""Scenarios that come with the program, by name.

Takes a name such as ``china-two-way``; gives the path of its file. In a checkout they are the files
of ``scenarios/``; an installed package carries copies of them, so that a name works everywhere.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
_FOLDERS = (_PACKAGE / "scenarios", _PACKAGE.parent / "scenarios")
"""Inside an installed package, and beside the package in a checkout."""
_OTHERS = "experiments"
"""Folder of files that are no scenarios."""


def shipped_scenarios() -> dict[str, Path]:
    """Return the files of all scenarios that come with the program, by name.

    Those a user would begin with come first, the library next, queues of theory last. Empty where
    the program came without.
    """
    folder = next((one for one in _FOLDERS if one.is_dir()), None)
    if folder is None:
        return {}
    paths = [path for path in folder.rglob("*.yaml") if path.parent.name != _OTHERS]
    paths.sort(key=lambda path: (len(path.relative_to(folder).parts), path))
    return {path.stem: path for path in paths}


def named_file(path: Path) -> Path:
    """Return the file of a scenario: the path itself, or what comes with the program by that name.

    Parameters
    ----------
    path : Path
        As the user wrote it. A file of that name goes before a scenario of the program.
    """
    is_name = not path.suffix and path.parent == Path()
    if not is_name or path.exists():
        return path
    return shipped_scenarios().get(path.name, path)
