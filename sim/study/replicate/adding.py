"""Add replications to a finished run: what it must be, and how its tables are kept meanwhile.

Takes a run folder and what is to be run; gives the replications it holds, or says why nothing can
be added to them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sim.errors import OptionError, UserError
from sim.study.replicate.replications import REPLICATIONS_FILE, Replicated, read_replications

if TYPE_CHECKING:
    from sim.tables.run_folder import RunRequest


def earlier_replications(path: Path, request: RunRequest, wanted: int) -> Replicated:
    """Return the replications of a finished run of the same thing.

    Parameters
    ----------
    path : Path
        Its folder.
    request : RunRequest
        What is to be run.
    wanted : int
        Replications there shall be in all, 0 where a precision decides.

    Raises
    ------
    UserError
        If there is no such run, it is of something else, was made with other versions or altered
        since, or has as many replications already.
    """
    from sim.tables.finished_run import open_run
    from sim.tables.provenance import libraries, software
    from sim.tables.run_folder import altered_files, made_with

    run = open_run(path)
    facts = run.facts
    for key in ("scenario_hash", "plan_hash", "seed", "engine", "record"):
        asked = getattr(request, key)
        if facts.get(key) != asked:
            raise UserError(
                f"{path}: found a run with {key} {facts.get(key)!r}; replications can be added "
                f"only to the same run ({key} {asked!r}); choose another --out"
            )
    then = made_with(facts)
    now = made_with({"software": dict(software()), "libraries": dict(libraries())})
    changed = [f"{name} {then.get(name)}" for name in now if then.get(name) != now[name]]
    if changed:
        raise UserError(
            f"{path}: made with other versions ({', '.join(changed)}), whose replications may "
            f"differ; run them all again with --force, or choose another --out"
        )
    held = read_replications(path / REPLICATIONS_FILE)
    altered = altered_files(run)
    if altered or len(held.facts) != facts.get("replications"):
        raise UserError(
            f"{path}: altered since it was finished ({', '.join(altered) or REPLICATIONS_FILE}); "
            f"run all replications again with --force"
        )
    if 0 < wanted <= len(held.facts):
        raise OptionError(
            "replications",
            f"found {wanted}; {path} holds {len(held.facts)} already. Allowed with "
            f"--add: how many there shall be in all, more than that",
        )
    return held


def put_aside(path: Path) -> dict[str, Path]:
    """Put the tables of a finished run aside, where beginning a run does not remove them.

    From then on until everything is written the folder does not say that it is a result.
    """
    from sim.tables.finished_run import open_run
    from sim.tables.run_folder import suspend_run
    from sim.tables.schemas import SCHEMAS

    suspend_run(open_run(path))
    kept: dict[str, Path] = {}
    for name in SCHEMAS:
        if (path / name).exists():
            aside = path / name.replace(".parquet", ".kept.parquet")
            (path / name).replace(aside)
            kept[name] = aside
    return kept
