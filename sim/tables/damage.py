"""Whether a run folder is as the run left it, and what to say where it cannot be read.

Takes folders; turns what goes wrong while one is read into a word about its damaged files. Nothing
is looked at beforehand: digests of large tables take longer than reading a few of their columns.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sim.errors import InvariantViolation, PayrouteError, UserError
from sim.tables.digest import file_digest, seal
from sim.tables.run_place import RUN_FILE

_TOLD = 3


def damaged_files(folder: Path) -> list[str]:
    """Return the files of a run that are gone or not as they were when it was finished.

    Parameters
    ----------
    folder : Path
        A run folder. Where ``run.json`` itself was changed nothing is known of the others.
    """
    try:
        content = json.loads((folder / RUN_FILE).read_bytes())
    except FileNotFoundError:
        return []
    except (OSError, ValueError):
        return [RUN_FILE]
    if not isinstance(content, dict):
        return [RUN_FILE]
    told = content.pop("seal", None)
    listed = content.get("files")
    if not isinstance(listed, dict) or told != seal(content):
        return [RUN_FILE]
    return [
        name
        for name, digest in listed.items()
        if not (folder / name).is_file() or file_digest(folder / name) != digest
    ]


@contextmanager
def damage_told(*folders: Path) -> Iterator[None]:
    """Say that files of a run were damaged, where an error comes of that.

    Parameters
    ----------
    folders : Path
        Run folders that are read meanwhile; of what is none nothing is said.

    Raises
    ------
    UserError
        In place of an error that is no word of ours, if a file is not as the run left it.
    """
    try:
        yield
    except Exception as error:
        # What was understood and refused is told in its own words.
        if isinstance(error, PayrouteError) and not isinstance(error, InvariantViolation):
            raise
        for folder in folders:
            names = damaged_files(folder)
            if names:
                more = f" and {len(names) - _TOLD} more" if len(names) > _TOLD else ""
                told = f"{', '.join(names[:_TOLD])}{more}"
                raise UserError(
                    f"{folder}: cannot be read ({type(error).__name__}); {told}: not as the run "
                    "left it. Run it again, or bring back the file"
                ) from error
        raise
