"""Make and complete run folders; :mod:`sim.tables.finished_run` opens them.

Takes where results go and what is known before and after a run; gives a folder whose ``run.json``
says ``running`` until everything else is on disk, and ``complete`` afterwards. A folder that does
not say ``complete`` is not a result, and :func:`~sim.tables.finished_run.open_run` refuses it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sim.errors import UserError
from sim.tables.digest import file_digest
from sim.tables.finished_run import (
    COMPLETE,
    PLAN_FILE,
    REPORT_FILE,
    RUN_FILE,
    RUNNING,
    SCENARIO_FILE,
    SUMMARY_FILE,
    FinishedRun,
    Json,
    open_run,
)
from sim.tables.parquet_stream import machine_errors
from sim.tables.provenance import libraries, machine, peak_memory_bytes, software
from sim.tables.schemas import SCHEMAS

_REPLICATIONS_FILE = "replications.parquet"
# A single run must not leave the replications of an earlier one behind.
_WRITTEN_BESIDE = (SUMMARY_FILE, SCENARIO_FILE, PLAN_FILE, REPORT_FILE, _REPLICATIONS_FILE)
_OURS = (RUN_FILE, *_WRITTEN_BESIDE, *SCHEMAS)


@dataclass(frozen=True, slots=True)
class RunRequest:
    """Say what is about to be run.

    Attributes
    ----------
    command : list of str
        Words of the command line.
    scenario : str
        Name of the scenario.
    scenario_hash, plan_hash : str
        Hashes of the resolved scenario and of the compiled plan.
    seed, replications : int
        As used.
    engine : str
        ``compiled`` or ``reference``.
    record : str
        Level of :class:`~sim.tables.schemas.Record`.
    """

    command: list[str]
    scenario: str
    scenario_hash: str
    plan_hash: str
    seed: int
    replications: int = 1
    engine: str = "compiled"
    record: str = "payments"


@dataclass(frozen=True, slots=True)
class RunResult:
    """Say what is known after a run.

    Attributes
    ----------
    payments, events : int
        Over all replications.
    digest : str
        Fingerprint, see :attr:`~sim.tables.writer.RunWriter.digest`.
    payments_digest : str
        Fingerprint of the payments as a set.
    wall_seconds, engine_seconds : float
        Whole run; inside the engine.
    peak_memory_bytes : int or None
        None: ask the operating system.
    """

    payments: int
    events: int
    digest: str
    payments_digest: str = ""
    wall_seconds: float = 0.0
    engine_seconds: float = 0.0
    peak_memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Earlier:
    """Say what a replaced run folder held.

    Attributes
    ----------
    digest : str
        Fingerprint of the earlier run.
    versions : dict of str to str
        Software and libraries with which it was made.
    """

    digest: str
    versions: dict[str, str]


@dataclass(frozen=True, slots=True)
class OpenRun:
    """Hold a run under way.

    Attributes
    ----------
    path : Path
        Its folder.
    earlier : Earlier or None
        The finished run that was there before.
    """

    path: Path
    request: RunRequest
    facts: dict[str, Json]
    earlier: Earlier | None = None

    def provenance(self) -> dict[str, str]:
        """Return what goes into the metadata of every Parquet file."""
        keys = ("software", "libraries", "scenario", "scenario_hash", "plan_hash", "seed", "engine")
        chosen = {key: self.facts[key] for key in keys}
        return {"payroute": json.dumps(chosen, sort_keys=True)}


@dataclass(frozen=True, slots=True)
class FolderChoice:
    """Say where a run goes.

    Attributes
    ----------
    results : Path
        Root under which folders are named after scenario, plan and seed.
    out : Path or None
        The run folder itself, as the user named it.
    force : bool
        Whether a finished run at ``out`` may be replaced.
    """

    results: Path = field(default_factory=lambda: Path("results"))
    out: Path | None = None
    force: bool = False

    def path(self, request: RunRequest) -> Path:
        """Return the run folder."""
        if self.out is not None:
            return self.out
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", request.scenario).strip("-.") or "scenario"
        return self.results / name / f"{request.plan_hash}-s{request.seed}"


def begin_run(choice: FolderChoice, request: RunRequest) -> OpenRun:
    """Make the run folder and write ``run.json`` with status ``running``.

    Parameters
    ----------
    choice : FolderChoice
        Where.
    request : RunRequest
        What.

    Returns
    -------
    OpenRun
        Hand it to :func:`complete_run` when everything else is written.

    Raises
    ------
    UserError
        If the user named a folder that holds a finished run and did not force.
    MachineError
        If the folder cannot be written.
    """
    path = choice.path(request)
    earlier = _earlier(path)
    if choice.out is not None and earlier is not None and not choice.force:
        raise UserError(
            f"{path}: holds a finished run; choose another folder, or replace it with --force"
        )
    facts: dict[str, Json] = {
        "status": RUNNING,
        "software": dict(software()),
        "libraries": dict(libraries()),
        "command": list(request.command),
        "scenario": request.scenario,
        "scenario_hash": request.scenario_hash,
        "plan_hash": request.plan_hash,
        "seed": request.seed,
        "engine": request.engine,
        "replications": request.replications,
        "record": request.record,
        "started_at": _now(),
        "finished_at": None,
        "wall_seconds": None,
        "engine_seconds": None,
        "peak_memory_bytes": None,
        "payments": None,
        "events": None,
        "digest": None,
        "payments_digest": None,
        "machine": dict(machine()),
    }
    with machine_errors(path):
        path.mkdir(parents=True, exist_ok=True)
        # The old run.json is replaced first, so that at no instant a half-written folder says
        # "complete"; only files of ours are removed, whatever else the user keeps there stays.
        write_json(path / RUN_FILE, facts)
        for name in _OURS:
            if name != RUN_FILE:
                (path / name).unlink(missing_ok=True)
    return OpenRun(path, request, facts, earlier)


def complete_run(run: OpenRun, result: RunResult, summary: Mapping[str, Json]) -> FinishedRun:
    """Write ``summary.json``, then ``run.json`` with status ``complete``.

    Parameters
    ----------
    run : OpenRun
        From :func:`begin_run`.
    result : RunResult
        What is known now.
    summary : mapping
        Contents of ``summary.json``.
    """
    facts = dict(run.facts)
    facts.update(asdict(result))
    if result.peak_memory_bytes is None:
        facts["peak_memory_bytes"] = peak_memory_bytes()
    facts["files"] = {
        path.name: file_digest(path)
        for path in sorted(run.path.glob("*.parquet"))
        if path.name in _OURS
    }
    facts["status"] = COMPLETE
    facts["finished_at"] = _now()
    write_json(run.path / SUMMARY_FILE, dict(summary))
    write_json(run.path / RUN_FILE, facts)
    return FinishedRun(run.path, facts)


def altered_files(run: FinishedRun) -> list[str]:
    """Return the tables that are gone or not as they were when the run was finished."""
    kept = run.facts.get("files")
    if not isinstance(kept, dict):
        return []
    return [
        name
        for name, digest in kept.items()
        if not (run.path / name).exists() or file_digest(run.path / name) != digest
    ]


def suspend_run(run: FinishedRun) -> None:
    """Say that a run is not finished any more, before its tables are touched."""
    write_json(run.path / RUN_FILE, {**run.facts, "status": RUNNING})


def compare_with_earlier(run: OpenRun, result: RunResult) -> tuple[bool, str] | None:
    """Say whether a repeated run gave the same digest.

    Returns
    -------
    tuple of bool and str, or None
        Whether it is the same and a sentence for the user; None if there was no earlier run or it
        was recorded differently, so that digests cannot be compared.
    """
    earlier = run.earlier
    if earlier is None or earlier.digest.partition(":")[0] != result.digest.partition(":")[0]:
        return None
    if earlier.digest == result.digest:
        return True, f"same digest as the run it replaces: {result.digest}"
    now = made_with(run.facts)
    names = sorted(set(earlier.versions) | set(now))
    changed = [
        f"{name} {earlier.versions.get(name, 'none')} -> {now.get(name, 'none')}"
        for name in names
        if earlier.versions.get(name) != now.get(name)
    ]
    why = "; changed since: " + ", ".join(changed) if changed else "; no version has changed"
    return False, (
        f"digest differs from the run it replaces: {earlier.digest} before, {result.digest} now"
        f"{why}"
    )


def write_json(path: Path, content: Mapping[str, Json]) -> None:
    """Write a JSON file so that readers see either the old contents or the new, never half.

    Raises
    ------
    MachineError
        If it cannot be written.
    """
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    draft = path.with_name(path.name + ".new")
    with machine_errors(path):
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)


def _earlier(path: Path) -> Earlier | None:
    """Return the finished run a folder holds, None if there is none to speak of."""
    try:
        facts = open_run(path).facts
    except UserError:
        return None
    return Earlier(str(facts.get("digest", "")), made_with(facts))


def made_with(facts: Mapping[str, Json]) -> dict[str, str]:
    """Return the versions a run was made with, by name.

    Parameters
    ----------
    facts : mapping
        Contents of ``run.json``.
    """
    versions: dict[str, str] = {}
    made_by = facts.get("software")
    if isinstance(made_by, dict):
        versions["payroute"] = f"{made_by.get('version')} source {made_by.get('source')}"
    used = facts.get("libraries")
    if isinstance(used, dict):
        versions.update({name: str(version) for name, version in used.items()})
    return versions


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
