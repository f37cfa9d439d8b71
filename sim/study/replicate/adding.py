"""Add replications to a finished run: which it is, and what it must be.

Takes a run folder, or where to look for one, and what is to be run; gives the replications it
holds, or says why nothing can be added to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sim.errors import MachineError, OptionError, UserError
from sim.study.replicate.replications import REPLICATIONS_FILE, Replicated, read_replications

if TYPE_CHECKING:
    from sim.tables.finished_run import FinishedRun
    from sim.tables.run_folder import FolderChoice, RunRequest

_SAME = ("scenario_hash", "plan_hash", "seed", "engine", "record")
"""Facts two runs must have in common, if replications of one are to go on those of the other."""


@dataclass(frozen=True, slots=True)
class EarlierReplications:
    """Replications that others are added to.

    Attributes
    ----------
    run : FinishedRun
        Whose they are; it stays as it is until the new run is complete.
    held : Replicated
    """

    run: FinishedRun
    held: Replicated

    @property
    def engine_seconds(self) -> float:
        """Return what they took inside the engine."""
        return float(str(self.run.facts["engine_seconds"] or 0))

    def tables(self) -> dict[str, Path]:
        """Return the tables they left, by name."""
        from sim.tables.schemas import SCHEMAS

        return {name: self.run.path / name for name in SCHEMAS if self.run.has(name)}

    def check_unchanged(self) -> None:
        """Raise where another process replaced them meanwhile.

        Raises
        ------
        MachineError
            Then the same command finds what is there now.
        """
        from sim.tables.open_run import open_run

        if open_run(self.run.path).facts != self.run.facts:
            raise MachineError(f"{self.run.path}: replaced just now; give the same command again")


def earlier_replications(
    choice: FolderChoice, request: RunRequest, wanted: int
) -> EarlierReplications:
    """Return the replications of a finished run of the same thing.

    Parameters
    ----------
    choice : FolderChoice
        Where the new ones go; they are added to those there, or where the user named no folder to
        the most there are.
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
    from sim.tables.open_run import open_run
    from sim.tables.provenance import libraries, software
    from sim.tables.run_folder import altered_files, made_with

    path = _folder_to_add_to(choice, request)
    run = open_run(path)
    facts = run.facts
    for key in _SAME:
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
    return EarlierReplications(run, held)


def _folder_to_add_to(choice: FolderChoice, request: RunRequest) -> Path:
    """Return the folder named by the user, else the finished run of it with most replications."""
    from sim.tables.open_run import open_run

    own = choice.path(request)
    if choice.out is not None:
        return own
    found = [(0, own)]
    for path in sorted(own.parent.glob(f"{request.plan_hash}-s{request.seed}-*")):
        try:
            facts = open_run(path).facts
        except UserError:
            continue
        is_same = all(facts.get(key) == getattr(request, key) for key in _SAME)
        if is_same and (path / REPLICATIONS_FILE).exists():
            found.append((int(str(facts["replications"])), path))
    return max(found)[1]
