"""Make and complete run folders; :mod:`sim.tables.open_run` opens them.

Takes where results go and what is known before and after a run; gives a folder whose ``run.json``
says ``running`` until everything else is on disk, and ``complete`` afterwards. A folder that does
not say ``complete`` is not a result, and :func:`~sim.tables.open_run.open_run` refuses it. A
finished run that is there stays a result until the new one is complete, see
:mod:`sim.tables.run_place`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from sim.errors import UserError
from sim.tables.digest import file_digest
from sim.tables.finished_run import (
    PLAN_FILE,
    SCENARIO_FILE,
    SUMMARY_FILE,
    FinishedRun,
)
from sim.tables.json_text import json_text
from sim.tables.open_run import open_run
from sim.tables.provenance import libraries, machine, peak_memory_bytes, software
from sim.tables.run_place import (
    COMPLETE,
    RUN_FILE,
    RUNNING,
    RunPlace,
    mark_running,
    strange_files,
    write_sealed,
)
from sim.tables.schemas import SCHEMAS, Json
from sim.tables.whole_file import write_whole

REPLICATIONS_FILE = "replications.parquet"
_OURS = (RUN_FILE, SUMMARY_FILE, SCENARIO_FILE, PLAN_FILE, REPLICATIONS_FILE, *SCHEMAS)
ONE_RUN = "one run"
"""What a run without replications is asked for."""
_QUESTION = ("scenario", "scenario_hash", "plan_hash", "seed", "asked", "engine", "record")
"""Facts that make a question what it is; whatever else changes, it asks the same again."""
_OF_SCENARIO = ("scenario", "scenario_hash", "plan_hash")
_WORDS = {"asked": "asked for", "scenario_hash": "scenario text", "plan_hash": "plan"}


def _untold(before: str, after: str) -> list[str]:
    """Say nothing about the fields of two scenarios."""
    del before, after
    return []


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What is about to be run.

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
    replication : int
        Of a single run which one of a set it is.
    engine : str
        ``compiled`` or ``reference``.
    record : str
        Level of :class:`~sim.tables.schemas.Record`.
    asked : str
        How many replications were asked for, or how precise an answer.
    text : str
        The resolved scenario, as in ``scenario.yaml``.
    changed_fields : callable
        Says in which fields two such texts differ.
    clock : mapping
        When simulated time starts (local, ISO 8601), its length and its warm-up in microseconds.
    notes : tuple of str
        What the scenario says that changes nothing in it.
    """

    command: list[str]
    scenario: str
    scenario_hash: str
    plan_hash: str
    seed: int
    replications: int = 1
    replication: int = 0
    engine: str = "compiled"
    record: str = "payments"
    asked: str = ONE_RUN
    text: str = ""
    changed_fields: Callable[[str, str], list[str]] = _untold
    clock: Mapping[str, Json] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def question(self) -> dict[str, Json]:
        """Return what makes this another question than others."""
        return {name: getattr(self, name) for name in _QUESTION}

    def name(self) -> str:
        """Return the name of the folder for this question, and for no other."""
        parts = [self.plan_hash, f"s{self.seed}"]
        if self.replication:
            parts.append(f"r{self.replication}")
        elif self.asked != ONE_RUN:
            # Of a precision only its digest: how many replications it takes nobody knows yet.
            parts.append(f"x{self.replications}" if self.replications > 1 else "precise")
        parts += [self.record] if self.record != "payments" else []
        parts += [self.engine] if self.engine != "compiled" else []
        text = json.dumps(self.question(), sort_keys=True)
        digest = hashlib.blake2b(text.encode(), digest_size=4, person=b"payroute.asked")
        return "-".join([*parts, digest.hexdigest()])


@dataclass(frozen=True, slots=True)
class RunResult:
    """What is known after a run.

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
    """What a replaced run folder held.

    Attributes
    ----------
    facts : dict
        Its ``run.json``.
    scenario : str
        Its ``scenario.yaml``.
    """

    facts: dict[str, Json]
    scenario: str = ""

    @property
    def digest(self) -> str:
        """Return the fingerprint of what happened."""
        return str(self.facts.get("digest", ""))

    def differing(self, request: RunRequest) -> list[str]:
        """Say in what it answers another question; nothing where it answers the same."""
        now = request.question()
        names = [name for name in now if self.facts.get(name) != now[name]]
        fields = request.changed_fields(self.scenario, request.text) if self.scenario else []
        if fields:
            # Which fields says more than that the hash of them all is another.
            names = [name for name in names if name not in _OF_SCENARIO]
        return [f"{_WORDS.get(n, n)} {self.facts.get(n)} -> {now[n]}" for n in names] + fields


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run under way; as a context it lets go of its folder at the end, complete or not.

    Attributes
    ----------
    path : Path
        Its folder, once it is complete.
    place : RunPlace
        The folder, and where it is written until then.
    earlier : Earlier or None
        The finished run that is there.
    """

    path: Path
    place: RunPlace
    request: RunRequest
    facts: dict[str, Json]
    earlier: Earlier | None = None

    def __enter__(self) -> OpenRun:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.place.release()

    @property
    def aside(self) -> Path:
        """Return where it is written until it is complete."""
        return self.place.aside

    def provenance(self) -> dict[str, str]:
        """Return what goes into the metadata of every Parquet file."""
        made_by = ("software", "libraries", "scenario", "scenario_hash", "plan_hash")
        keys = (*made_by, "seed", "engine", "clock")
        chosen = {key: self.facts[key] for key in keys}
        return {"payroute": json.dumps(chosen, sort_keys=True)}


@dataclass(frozen=True, slots=True)
class FolderChoice:
    """Where a run goes.

    Attributes
    ----------
    results : Path
        Root under which there is a folder for every scenario, and in it one for every question.
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
        # A scenario's name may hold what a file system does not; what is left may be nothing.
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", request.scenario).strip("-.") or "scenario"
        return self.results / name / request.name()


def begin_run(choice: FolderChoice, request: RunRequest, *, adds: bool = False) -> OpenRun:
    """Take hold of the run folder; where no finished run is, say in ``run.json`` that one began.

    Parameters
    ----------
    choice : FolderChoice
        Where.
    request : RunRequest
        What.
    adds : bool
        Whether it goes on from the finished run that is there.

    Returns
    -------
    OpenRun
        Hand it to :func:`complete_run` when everything else is written to its ``aside``.

    Raises
    ------
    UserError
        If the folder holds files of the user's where ours would go, or the user named a folder that
        holds a finished run and did not force.
    MachineError
        If the folder cannot be written, or another process writes to it.
    """
    path = choice.path(request)
    place = RunPlace(path)
    try:
        strange = strange_files(path, _OURS)
        if strange:
            raise UserError(
                f"{path}: found {', '.join(strange)}, which this program did not write or somebody "
                f"changed since, and which is never replaced; move it away, or choose another --out"
            )
        earlier = _earlier(path)
        # A folder we named ourselves is made from all that is asked: whatever is in it is a run of
        # the same, which may be replaced.
        if choice.out is not None and earlier is not None and not (choice.force or adds):
            raise UserError(_refusal(path, earlier, request))
        facts = _facts_before(request)
        if earlier is None:
            mark_running(path, facts)
    except BaseException:
        place.release()
        raise
    return OpenRun(path, place, request, facts, earlier)


def _refusal(path: Path, earlier: Earlier, request: RunRequest) -> str:
    """Say what stands in the way of a run."""
    differing = earlier.differing(request)
    told = f"of another question ({'; '.join(differing)})" if differing else "of the same question"
    return f"{path}: holds a finished run {told}; choose another folder, or replace it with --force"


def _facts_before(request: RunRequest) -> dict[str, Json]:
    """Return what ``run.json`` says while a run goes on."""
    return {
        "status": RUNNING,
        "software": dict(software()),
        "libraries": dict(libraries()),
        "command": list(request.command),
        "scenario": request.scenario,
        "scenario_hash": request.scenario_hash,
        "plan_hash": request.plan_hash,
        "seed": request.seed,
        "engine": request.engine,
        "asked": request.asked,
        "replications": request.replications,
        **({"replication": request.replication} if request.replication else {}),
        "record": request.record,
        "clock": dict(request.clock),
        "notes": list(request.notes),
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


def complete_run(run: OpenRun, result: RunResult, summary: Mapping[str, Json]) -> FinishedRun:
    """Write ``summary.json``, then ``run.json`` with status ``complete``, and let them take place.

    Parameters
    ----------
    run : OpenRun
        From :func:`begin_run`.
    result : RunResult
        What is known now.
    summary : mapping
        Contents of ``summary.json``.

    Raises
    ------
    MachineError
        If something cannot be written; what was there before stands then.
    """
    facts = dict(run.facts)
    facts.update(asdict(result))
    if result.peak_memory_bytes is None:
        facts["peak_memory_bytes"] = peak_memory_bytes()
    write_whole(run.aside / SUMMARY_FILE, json_text(dict(summary)))
    facts["files"] = {path.name: file_digest(path) for path in sorted(run.aside.iterdir())}
    facts["status"] = COMPLETE
    facts["finished_at"] = _now()
    # ``run.json`` last: until it says complete, the folder is no result.
    write_sealed(run.aside / RUN_FILE, facts)
    kept = run.place.take()
    return FinishedRun(run.path, facts, tuple(kept))


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


def compare_with_earlier(run: OpenRun, result: RunResult) -> tuple[bool, str] | None:
    """Say whether a repeated run gave the same digest, or what else was asked.

    Returns
    -------
    tuple of bool and str, or None
        Whether it is the same and a sentence for the user; None if there was no earlier run.
    """
    earlier = run.earlier
    if earlier is None:
        return None
    differing = earlier.differing(run.request)
    if differing:
        return False, f"replaced a finished run of another question: {'; '.join(differing)}"
    if earlier.digest == result.digest:
        return True, f"same digest as the run it replaces: {result.digest}"
    before, now = made_with(earlier.facts), made_with(run.facts)
    changed = [
        f"{name} {before.get(name, 'none')} -> {now.get(name, 'none')}"
        for name in sorted(set(before) | set(now))
        if before.get(name) != now.get(name)
    ]
    why = "; changed since: " + ", ".join(changed) if changed else "; no version has changed"
    return False, (
        f"digest differs from the run it replaces: {earlier.digest} before, {result.digest} now"
        f"{why}"
    )


def _earlier(path: Path) -> Earlier | None:
    """Return the finished run a folder holds, None if there is none to speak of."""
    try:
        run = open_run(path)
    except UserError:
        return None
    try:
        return Earlier(run.facts, (path / SCENARIO_FILE).read_text(encoding="utf-8"))
    except OSError:
        return Earlier(run.facts)


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
