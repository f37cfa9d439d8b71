"""Keep what a study found before anything of it is shown.

Takes the result of a study that has no folder of its own; gives a JSON file below ``results/``.
What took an hour to find must not be lost because a terminal is gone, a disk is full or a table of
it cannot be drawn.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from sim.cli.showing import note, warn
from sim.errors import MachineError

RESULTS = Path("results")


def keep(kind: str, name: str, record: object, origin: Mapping[str, object]) -> Path | None:
    """Write a result to a file of its own, and say where.

    Parameters
    ----------
    kind : str
        The command.
    name : str
        What it was asked about, as the name of a scenario.
    record : object
        What its JSON holds.
    origin : mapping
        Software and command that made it.

    Returns
    -------
    Path or None
        None where nothing can be written, which is said and ends nothing: it can still be shown.

    Notes
    -----
    The name holds a digest of the result: another one never takes its place.
    """
    from sim.tables.json_text import json_text
    from sim.tables.whole_file import machine_errors, write_whole

    text = json_text(record)
    digest = hashlib.blake2b(text.encode(), digest_size=6, person=b"payroute.kept").hexdigest()
    # As of a run folder: a name may hold what a file system does not.
    folder = RESULTS / (re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "study")
    path = folder / f"{kind}-{digest}.json"
    content = {**record, **origin} if isinstance(record, Mapping) else record
    try:
        with machine_errors(path):
            folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, json_text(content))
    except MachineError as error:
        warn(f"the result is shown and not kept: {error}")
        return None
    note(f"kept in {path}")
    return path
