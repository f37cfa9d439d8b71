"""Run one scenario end to end: load, compile, run, write the run folder, sum up.

Takes a scenario file (or a loaded scenario) and options; gives a
:class:`~sim.study.result.Result`. :func:`run_replication` is the pure middle part, one plan
through one engine into one set of tables; whatever makes many runs calls it once per replication,
in any process.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sim.compiler.compile import Compiled, compile_scenario
from sim.errors import OptionError, UserError, suggest
from sim.explain.plan import explain_plan
from sim.model.quantities import parse_seed
from sim.scenario.loader import dump_resolved
from sim.scenario.scenario import LoadedScenario, load_scenario
from sim.study.result import Result

if TYPE_CHECKING:
    from sim.analysis.summary import Summary
    from sim.contract.plan import Plan
    from sim.contract.run import Engine
    from sim.tables.audit import AuditReport
    from sim.tables.run_folder import OpenRun, RunRequest
    from sim.tables.run_folder import RunResult as RunFacts
    from sim.tables.writer import RunWriter

ENGINES = ("compiled", "reference")
RECORDS = ("none", "payments", "stages", "events")


class Watcher(Protocol):
    """Hear how a run goes on."""

    def say(self, message: str) -> None:
        """Hear what is being done now."""

    def begin(self, horizon_us: int) -> None:
        """Hear that the engine starts, and how far simulated time will go."""

    def advance(self, time_us: int, payments: int, events: int) -> None:
        """Hear of simulated time, payments and events so far, a few times a second."""

    def finish(self) -> None:
        """Hear that the engine is done."""


class Silence:
    """Take no notice of how a run goes on."""

    def say(self, message: str) -> None:
        """Ignore it."""

    def begin(self, horizon_us: int) -> None:
        """Ignore it."""

    def advance(self, time_us: int, payments: int, events: int) -> None:
        """Ignore it."""

    def finish(self) -> None:
        """Ignore it."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Say how a plan is run and what is kept.

    Attributes
    ----------
    engine : str
        One of :data:`ENGINES`.
    record : str
        One of :data:`RECORDS`.
    audit : bool
        Whether the event log streams through the auditor.
    """

    engine: str = "compiled"
    record: str = "payments"
    audit: bool = False

    def __post_init__(self) -> None:
        _check_word("engine", self.engine, ENGINES)
        _check_word("record", self.record, RECORDS)


@dataclass(frozen=True, slots=True)
class PartFolder:
    """Say where one replication writes its tables.

    Attributes
    ----------
    path : Path
        The run folder.
    provenance : dict of str to str
        Written into every table.
    suffix : str
        Put before ``.parquet``, so that replications can write side by side.
    """

    path: Path
    provenance: dict[str, str]
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Replication:
    """Hold what one replication gave.

    Attributes
    ----------
    number : int
        Which replication.
    summary : Summary
        Its measures.
    facts : RunFacts
        Payments, events, digests and seconds.
    audit : AuditReport or None
        What the audit found.
    files : tuple of Path
        Tables written.
    """

    number: int
    summary: Summary
    facts: RunFacts
    audit: AuditReport | None
    files: tuple[Path, ...]


def run_scenario(
    scenario: Path | str | LoadedScenario,
    *,
    seed: int | None = None,
    replication: int = 0,
    engine: str = "compiled",
    record: str = "payments",
    audit: bool = False,
    out: Path | str | None = None,
    force: bool = False,
    overrides: Sequence[str] | Mapping[str, object] = (),
    progress: Watcher | None = None,
    command: Sequence[str] = (),
) -> Result:
    """Run a scenario once and write its run folder.

    Parameters
    ----------
    scenario : Path, str or LoadedScenario
        The YAML file, or what :func:`~sim.scenario.scenario.load_scenario` made of it.
    seed : int, optional
        In place of the scenario's own.
    replication : int
        Number of the replication; other luck from the same seed.
    engine : str
        ``compiled`` or ``reference``.
    record : str
        ``none``, ``payments``, ``stages`` or ``events``.
    audit : bool
        Whether the event log streams through the auditor while the run goes on.
    out : Path or str, optional
        The run folder itself; by default ``results/<scenario>/<plan hash>-s<seed>``.
    force : bool
        Whether a finished run at ``out`` may be replaced.
    overrides : sequence of str, or mapping
        ``path.to.field=value`` texts, or fields and values.
    progress : Watcher, optional
        Hears how the run goes on.
    command : sequence of str
        Words of the command line, for ``run.json``.

    Returns
    -------
    Result
        Summary, tables and folder.

    Raises
    ------
    ScenarioError
        With every problem of the scenario.
    UserError
        If an option is not allowed or ``out`` holds a finished run.
    MachineError
        If the folder cannot be written.
    """
    begun = time.perf_counter()
    options = RunOptions(engine, record, audit)
    watcher = progress or Silence()
    loaded = load(scenario, overrides)
    if seed is not None:
        seed = checked_seed(seed)
    watcher.say("compiling the scenario")
    compiled = compile_scenario(loaded, seed=seed, replication=replication)
    # Heavy libraries are imported once nothing can be wrong with the input any more.
    from sim.tables.run_folder import FolderChoice, begin_run, compare_with_earlier, complete_run

    command = command or ("sim.run", str(scenario_path(loaded)))
    request = make_request(compiled, options, command=command)
    choice = FolderChoice(out=None if out is None else Path(out), force=force)
    opened = begin_run(choice, request)
    write_inputs(opened, compiled)
    part = run_replication(
        compiled,
        options,
        folder=PartFolder(opened.path, opened.provenance()),
        watcher=watcher,
    )
    facts = replace(part.facts, wall_seconds=time.perf_counter() - begun)
    run = complete_run(opened, facts, part.summary.as_json())
    return Result(part.summary, run, part.audit, compare_with_earlier(opened, facts))


def run_replication(
    compiled: Compiled,
    options: RunOptions,
    *,
    folder: PartFolder | None = None,
    watcher: Watcher | None = None,
) -> Replication:
    """Run a compiled scenario once: workload in, tables and measures out.

    Parameters
    ----------
    compiled : Compiled
        From :func:`~sim.compiler.compile.compile_scenario` with the seed and the number of the
        replication.
    options : RunOptions
        Engine, tables, audit.
    folder : PartFolder, optional
        Where tables go; without it none are written.
    watcher : Watcher, optional
        Hears how the run goes on.

    Notes
    -----
    Nothing outside the arguments enters but the clock that measures the run.
    """
    from sim.analysis.measures import RunFigures, summarise
    from sim.tables.run_folder import RunResult as RunFacts
    from sim.tables.writer import SinkGroup

    begun = time.perf_counter()
    plan, watcher = compiled.plan, watcher or Silence()
    engine = find_engine(options.engine, watcher)
    writer = _open_writer(plan, options, folder, watcher)
    auditor = None
    if options.audit:
        from sim.tables.audit import AuditSink

        auditor = AuditSink(plan)
    watcher.begin(plan.horizon_us)
    try:
        sink = writer if auditor is None else SinkGroup((writer, auditor))
        totals = engine(plan, compiled.workload(), sink)
        writer.close()
    except BaseException:
        writer.abandon()
        raise
    finally:
        watcher.finish()
    report = None if auditor is None else auditor.finish(totals)
    run_folder = None if folder is None or folder.suffix else folder.path
    summary = summarise(
        RunFigures(plan, writer.summary, totals, run_folder=run_folder, engine=options.engine)
    )
    facts = RunFacts(
        payments=totals.payments,
        events=totals.events,
        digest=writer.digest,
        payments_digest=writer.payments_digest,
        wall_seconds=time.perf_counter() - begun,
        engine_seconds=totals.engine_seconds,
    )
    return Replication(plan.replication, summary, facts, report, writer.files)


def _open_writer(
    plan: Plan, options: RunOptions, folder: PartFolder | None, watcher: Watcher
) -> RunWriter:
    """Open the tables of a replication."""
    from sim.tables.schemas import Record
    from sim.tables.writer import RunWriter, WriterOptions

    return RunWriter(
        plan,
        None if folder is None else folder.path,
        WriterOptions(
            record=Record(options.record),
            replication=plan.replication,
            provenance=None if folder is None else folder.provenance,
            suffix="" if folder is None else folder.suffix,
            progress=watcher.advance,
        ),
    )


def find_engine(name: str, watcher: Watcher) -> Engine:
    """Return an engine that is ready to run; the first use of the kernel compiles it.

    Parameters
    ----------
    name : str
        One of :data:`ENGINES`.
    watcher : Watcher
        Hears that machine code is being made.
    """
    if name == "reference":
        from sim.engine.reference import run_reference

        return run_reference
    from sim.engine.compiled import is_compiled_cached, run_compiled, warm_up

    if not is_compiled_cached():
        watcher.say("compiling the event loop to machine code; once per version, about a minute")
    warm_up()
    return run_compiled


def load(
    scenario: Path | str | LoadedScenario, overrides: Sequence[str] | Mapping[str, object] = ()
) -> LoadedScenario:
    """Return a loaded scenario with overrides applied."""
    if isinstance(overrides, Mapping):
        overrides = override_texts(overrides)
    if isinstance(scenario, LoadedScenario):
        if overrides:
            raise UserError(
                "overrides: found some together with a scenario that is loaded already; allowed: "
                "give them to load_scenario, or give the path of the file"
            )
        return scenario
    return load_scenario(scenario, tuple(overrides))


def override_texts(overrides: Mapping[str, object]) -> tuple[str, ...]:
    """Return fields and values as ``path.to.field=value`` texts."""
    return tuple(f"{path}={_yaml_text(value)}" for path, value in overrides.items())


def make_request(
    compiled: Compiled, options: RunOptions, *, command: Sequence[str], replications: int = 1
) -> RunRequest:
    """Return what is known of a run before it starts.

    Parameters
    ----------
    compiled : Compiled
        The scenario; of many replications, the first.
    options : RunOptions
    command : sequence of str
        Words of the command line.
    replications : int
        How many.
    """
    from sim.tables.digest import plan_hash
    from sim.tables.run_folder import RunRequest

    plan: Plan = compiled.plan
    return RunRequest(
        command=list(command),
        scenario=compiled.scenario.scenario,
        scenario_hash=scenario_hash(compiled),
        plan_hash=plan_hash(plan),
        seed=plan.seed,
        replications=replications,
        engine=options.engine,
        record=options.record,
    )


def write_inputs(opened: OpenRun, compiled: Compiled) -> None:
    """Write what the run is made from: the resolved scenario and the plan in words."""
    from sim.tables.parquet_stream import machine_errors
    from sim.tables.run_folder import PLAN_FILE, SCENARIO_FILE

    for name, text in (
        (SCENARIO_FILE, dump_resolved(compiled.document)),
        (PLAN_FILE, explain_plan(compiled)),
    ):
        path = opened.path / name
        with machine_errors(path):
            path.write_text(text, encoding="utf-8")


def scenario_hash(compiled: Compiled) -> str:
    """Return 12 hexadecimal digits that stand for the resolved scenario, whatever its order."""
    text = json.dumps(compiled.document.tree, sort_keys=True, ensure_ascii=True)
    return hashlib.blake2b(text.encode(), digest_size=6, person=b"payroute.yaml").hexdigest()


def scenario_path(loaded: LoadedScenario) -> Path:
    """Return the file a scenario was read from."""
    return loaded.document.files[0]


def checked_seed(seed: int) -> int:
    """Return a seed if it is one.

    Raises
    ------
    UserError
        If it is negative or too large.
    """
    try:
        return parse_seed(str(seed))
    except ValueError as error:
        raise OptionError("seed", f"{error}") from None


def _yaml_text(value: object) -> str:
    """Write a Python value as YAML in flow style; text is taken as it stands."""
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)


def _check_word(option: str, found: str, allowed: Sequence[str]) -> None:
    if found not in allowed:
        raise UserError(
            f"--{option}: found {found!r}; allowed: {', '.join(allowed)}.{suggest(found, allowed)}"
        )
