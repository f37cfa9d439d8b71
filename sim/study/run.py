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
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sim.compiler.compile import Compiled, compile_scenario
from sim.compiler.notes import note_lines
from sim.errors import OptionError, UserError
from sim.explain.plan import explain_plan
from sim.model.quantities import parse_seed
from sim.scenario.changed_fields import changed_fields
from sim.scenario.loader import dump_resolved
from sim.scenario.scenario import LoadedScenario, load_scenario
from sim.study.answer import refuse_answer
from sim.study.case import CaseTotals, Outcome, PartFolder, RunOptions, Watch
from sim.study.compile_case import expected_submitted
from sim.study.kernel_ahead import await_kernel, kernel_ahead
from sim.study.pipeline import Pipeline, useful_threads
from sim.study.result import Result

if TYPE_CHECKING:
    from sim.contract.plan import Plan
    from sim.contract.run import Engine, Sink
    from sim.study.live import LiveRun
    from sim.tables.run_folder import OpenRun, RunRequest
    from sim.tables.writer import RunWriter


REPLICATION_MAX = 999_999
"""Highest number of a replication."""


class Watcher(Protocol):
    """Whoever hears how a run goes on."""

    def say(self, message: str) -> None:
        """Hear what is being done now."""

    def begin(self, horizon_us: int) -> None:
        """Hear that the engine starts, and how far simulated time will go."""

    def advance(self, time_us: int, payments: int, events: int) -> None:
        """Hear of simulated time, payments and events so far, a few times a second."""

    def finish(self) -> None:
        """Hear that the engine is done."""


class Silence:
    """A watcher that takes no notice."""

    def say(self, message: str) -> None:
        """Ignore it."""

    def begin(self, horizon_us: int) -> None:
        """Ignore it."""

    def advance(self, time_us: int, payments: int, events: int) -> None:
        """Ignore it."""

    def finish(self) -> None:
        """Ignore it."""


def run_scenario(
    scenario: Path | str | LoadedScenario,
    *,
    seed: int | None = None,
    replication: int = 0,
    live: LiveRun | None = None,
    engine: str = "compiled",
    record: str = "payments",
    audit: bool = False,
    out: Path | str | None = None,
    force: bool = False,
    overrides: Sequence[str] | Mapping[str, object] = (),
    progress: Watcher | None = None,
    command: Sequence[str] = (),
    threads: int | None = None,
) -> Result:
    """Run a scenario once and write its run folder.

    Parameters
    ----------
    scenario : Path, str or LoadedScenario
        The YAML file, or what :func:`~sim.scenario.scenario.load_scenario` made of it.
    seed : int, optional
        In place of the scenario's own.
    replication : int
        Which one of a set is run, alone; other random numbers from the same seed.
    live : LiveRun, optional
        Listens to the run while it goes on.
    engine : str
        ``compiled`` or ``reference``.
    record : str
        ``none``, ``payments``, ``stages`` or ``events``.
    audit : bool
        Whether the event log streams through the auditor while the run goes on.
    out : Path or str, optional
        The run folder itself; by default one of its own for all that is asked,
        ``results/<scenario>/<plan hash>-s<seed>-...``.
    force : bool
        Whether a finished run at ``out`` may be replaced.
    overrides : sequence of str, or mapping
        ``path.to.field=value`` texts, or fields and values.
    progress : Watcher, optional
        Hears how the run goes on.
    command : sequence of str
        Words of the command line, for ``run.json``.
    threads : int, optional
        How many draw, run, fold and write at once; by default as many as help on this machine. No
        result depends on it.

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
    if not 0 <= replication <= REPLICATION_MAX:
        raise OptionError("replication", f"found {replication}; allowed: 0 to {REPLICATION_MAX}")
    loaded = load(scenario, overrides)
    if seed is not None:
        seed = checked_seed(seed)
    with kernel_ahead(options.engine, is_alone=threads == 1):
        watcher.say("compiling the scenario")
        compiled = compile_scenario(loaded, seed=seed, replication=replication)
        # Heavy libraries are imported once nothing can be wrong with the input any more.
        from sim.tables.run_folder import (
            FolderChoice,
            RunResult,
            begin_run,
            compare_with_earlier,
            complete_run,
        )

        command = command or ("sim.run", str(scenario_path(loaded)))
        request = make_request(compiled, options, command=command, replication=replication)
        choice = FolderChoice(out=None if out is None else Path(out), force=force)
        with begin_run(choice, request) as opened:
            write_inputs(opened, compiled)
            part = run_replication(
                compiled,
                options,
                folder=PartFolder(opened.aside, opened.provenance()),
                watcher=watcher,
                watch=live,
                threads=useful_threads() if threads is None else threads,
            )
            facts = RunResult(
                payments=part.totals.payments,
                events=part.totals.events,
                digest=part.totals.digest,
                payments_digest=part.totals.payments_digest,
                wall_seconds=time.perf_counter() - begun,
                engine_seconds=part.engine_seconds,
            )
            run = complete_run(opened, facts, part.summary.as_json())
        return Result(part.summary, run, part.audit, compare_with_earlier(opened, facts))


def run_replication(
    compiled: Compiled,
    options: RunOptions,
    *,
    folder: PartFolder | None = None,
    watcher: Watcher | None = None,
    watch: Watch | None = None,
    threads: int = 1,
) -> Outcome:
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
    watch : Watch, optional
        What a study sees besides the measures.
    threads : int
        How many draw, run, fold and write at once; see :mod:`sim.study.pipeline`. One by default:
        whoever makes many runs has processes for them.

    Notes
    -----
    Nothing outside the arguments enters but the clock that measures the run.
    """
    from sim.analysis.measures import RunFigures, summarise
    from sim.tables.writer import SinkGroup

    plan, watcher = compiled.plan, watcher or Silence()
    line = Pipeline(threads)
    writer = _open_writer(plan, options, folder, watcher, line)
    sinks: list[Sink] = [writer]
    auditor = None
    if options.audit:
        from sim.audit.run import AuditSink

        auditor = AuditSink(plan)
        sinks.append(auditor)
    watching = None if watch is None else watch.begin(compiled)
    if watching is not None:
        sinks += watching.sinks
    try:
        with line:
            # Of one sink nothing is gained by passing every chunk through a group.
            sink = line.behind(writer if len(sinks) == 1 else SinkGroup(tuple(sinks)))
            workload = writer.follow(line.ahead(compiled.workload()))
            # As late as can be: another process may be compiling the kernel.
            engine = find_engine(options.engine)
            watcher.begin(plan.horizon_us)
            totals = engine(plan, workload, sink)
            line.finish()
        writer.close()
    except BaseException:
        writer.abandon()
        raise
    finally:
        watcher.finish()
    summary = summarise(RunFigures(plan, writer.summary, totals, engine=options.engine))
    return Outcome(
        summary,
        CaseTotals(
            replication=plan.replication,
            payments=totals.payments,
            events=totals.events,
            digest=writer.digest,
            payments_digest=writer.payments_digest,
            expected=expected_submitted(compiled),
        ),
        engine_seconds=totals.engine_seconds,
        files=writer.files,
        audit=None if auditor is None else auditor.finish(totals),
        kept=None if watching is None else watching.keep(summary),
    )


def _open_writer(
    plan: Plan, options: RunOptions, folder: PartFolder | None, watcher: Watcher, line: Pipeline
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
            aside=line.aside,
        ),
    )


def find_engine(name: str) -> Engine:
    """Return an engine that is ready to run; the first use of the kernel compiles it.

    Parameters
    ----------
    name : str
        One of :data:`~sim.study.case.ENGINES`.
    """
    if name == "reference":
        from sim.engine.reference import run_reference

        return run_reference
    return _compiled_engine()


@cache
def _compiled_engine() -> Engine:
    """Return the compiled engine, ready to run; one for all runs of a process."""
    from sim.engine.compiled import Replications, warm_up
    from sim.tables.fold_loop import compile_fold

    with kernel_ahead("compiled"):
        # What every run needs besides, and what processes that are begun later find then.
        compile_fold()
        await_kernel()
    warm_up()
    return Replications()


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
    loaded = load_scenario(scenario, tuple(overrides))
    refuse_answer(loaded)
    return loaded


def override_texts(overrides: Mapping[str, object]) -> tuple[str, ...]:
    """Return fields and values as ``path.to.field=value`` texts."""
    return tuple(f"{path}={_yaml_text(value)}" for path, value in overrides.items())


def make_request(
    compiled: Compiled,
    options: RunOptions,
    *,
    command: Sequence[str],
    replications: int = 1,
    replication: int = 0,
    asked: str = "",
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
    replication : int
        Of a single run which one of a set.
    asked : str
        How many, or how precise an answer, in words; empty of a single run.
    """
    from sim.tables.digest import plan_hash
    from sim.tables.run_folder import ONE_RUN, RunRequest

    plan: Plan = compiled.plan
    return RunRequest(
        command=list(command),
        scenario=compiled.scenario.scenario,
        scenario_hash=scenario_hash(compiled),
        plan_hash=plan_hash(plan),
        seed=plan.seed,
        replications=replications,
        replication=replication,
        engine=options.engine,
        record=options.record,
        # The first of a set is the run that is made without any.
        asked=asked or (f"replication {replication} alone" if replication else ONE_RUN),
        text=dump_resolved(compiled.document),
        changed_fields=changed_fields,
        clock=dict(clock_facts(compiled)),
        notes=tuple(note_lines((*compiled.remarks, *compiled.notes))),
    )


def clock_facts(compiled: Compiled) -> dict[str, str | int]:
    """Return what turns the microseconds of tables into instants, and what no measure counts."""
    clock = compiled.scenario.clock
    return {
        "start": clock.start.isoformat(),
        "horizon_us": clock.horizon,
        "warm_up_us": clock.warm_up,
    }


def write_inputs(opened: OpenRun, compiled: Compiled) -> None:
    """Write what the run is made from: the resolved scenario and the plan in words."""
    from sim.tables.finished_run import PLAN_FILE, SCENARIO_FILE
    from sim.tables.whole_file import write_whole

    write_whole(opened.aside / SCENARIO_FILE, opened.request.text)
    write_whole(opened.aside / PLAN_FILE, explain_plan(compiled))


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
