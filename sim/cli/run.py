"""The ``run`` command: run a scenario, print its summary, write a run folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli.audit import refuse_violations
from sim.cli.given import scenario_file
from sim.cli.guard import guarded
from sim.cli.options import (
    EngineOption,
    RecordOption,
    RunJobsOption,
    ScenarioArgument,
    SeedOption,
    SetOption,
)
from sim.cli.report import refuse_without_drawing, write_page_of
from sim.cli.showing import (
    FormatOption,
    JsonOption,
    OutputOption,
    command_words,
    note,
    showing,
    warn,
)
from sim.cli.stretching import (
    CheckpointOption,
    ContinueOption,
    StopOption,
    refuse_together,
    stretches_of,
)
from sim.errors import OptionError

if TYPE_CHECKING:
    from sim.study.case import RunOptions
    from sim.study.checkpoints import Stretches
    from sim.study.result import Result

ReplicationOption = Annotated[
    int | None,
    typer.Option("--replication", metavar="K", help="Run only this one of a set, as in the set."),
]
WatchOption = Annotated[
    bool, typer.Option("--watch", help="Show time, load, queue and failures as it runs.")
]
ReportOption = Annotated[
    bool, typer.Option("--report", help="Write report.html into the run folder, too.")
]


PrecisionOption = Annotated[
    str | None,
    typer.Option(
        metavar="MEASURE±WIDTH", help="Replicate until it is so precise: success_rate±0.1%."
    ),
]


@guarded
def run_command(
    scenario: ScenarioArgument,
    changes: SetOption = None,
    seed: SeedOption = None,
    engine: EngineOption = "compiled",
    record: RecordOption = "payments",
    audit: Annotated[
        bool, typer.Option("--audit", help="Replay the event log independently on the way.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The run folder; default below results/.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a finished run in --out.")
    ] = False,
    add: Annotated[
        bool, typer.Option("--add", help="Keep the replications in --out and add to them.")
    ] = False,
    replications: Annotated[
        int | None,
        typer.Option(metavar="N", help="Run so often with other luck, and give intervals."),
    ] = None,
    precision: PrecisionOption = None,
    replication: ReplicationOption = None,
    watch: WatchOption = False,
    report: ReportOption = False,
    checkpoint: CheckpointOption = None,
    stop_at: StopOption = None,
    goes_on: ContinueOption = False,
    jobs: RunJobsOption = None,
    form: FormatOption = None,
    output: OutputOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a scenario: print a summary, write a run folder."""
    if jobs is not None and jobs < 1:
        # Also where a single run has no use for it: a mistake is not passed over in silence.
        raise OptionError("jobs", f"found {jobs}; allowed: 1 or more")
    wanted = showing(form, output, as_json=as_json)
    if report:
        refuse_without_drawing()
    changed = tuple(changes or ())
    given = _Given(scenario_file(scenario), changed, seed, out, force, command_words(), jobs)
    from sim.study.case import RunOptions

    many = _Many(replications, precision, jobs, add)
    stretches = stretches_of(checkpoint, stop_at, goes_on=goes_on)
    result = _ran(given, RunOptions(engine, record, audit), many, stretches, (replication, watch))
    if result is None:
        return
    _warn(result)
    from sim.report.documents.run import run_document

    wanted.show(run_document(result))
    if report:
        write_page_of(result)
    if result.audit is not None:
        refuse_violations(result.audit)


def _ran(
    given: _Given,
    options: RunOptions,
    many: _Many,
    stretches: Stretches | None,
    alone: tuple[int | None, bool],
) -> Result | None:
    """Run as often as asked; nothing where one run stopped on its way.

    ``alone`` is what only a single run has: its number, and whether it is watched.
    """
    replication, watch = alone
    if stretches is not None:
        refuse_together(
            replications=many.replications, precision=many.precision, add=many.add, watch=watch
        )
        return _run_in_stretches(given, options, stretches, replication or 0)
    if many.replications is None and many.precision is None and not many.add:
        return _run_once(given, options, replication=replication or 0, is_watched=watch)
    _refuse_single(replication, watch)
    return _run_many(given, many, options)


def _refuse_single(replication: int | None, watch: bool) -> None:
    """Refuse of many replications what only one run has."""
    if replication is not None:
        raise OptionError(
            "replication", f"found {replication} together with several; allowed: for one run alone"
        )
    if watch:
        raise OptionError("watch", "found together with several replications; allowed: for one run")


def _warn(result: Result) -> None:
    """Say what the run met in its folder."""
    if result.repeat is not None and not result.repeat[0]:
        warn(result.repeat[1])
    for name in result.run.kept:
        typer.echo(
            f"warning: a file of yours in {result.folder} was changed while the run went on; it is "
            f"kept as {name}",
            err=True,
        )


@dataclass(frozen=True, slots=True)
class _Given:
    """Hold what one run and many have in common."""

    scenario: Path
    changes: tuple[str, ...]
    seed: int | None
    out: Path | None
    force: bool
    command: tuple[str, ...]
    jobs: int | None

    @property
    def threads(self) -> int | None:
        """Return how many threads a single run has, None for as many as help."""
        return 1 if self.jobs == 1 else None


@dataclass(frozen=True, slots=True)
class _Many:
    """Hold how many replications are wanted."""

    replications: int | None
    precision: str | None
    jobs: int | None
    add: bool


def _run_once(given: _Given, options: RunOptions, *, replication: int, is_watched: bool) -> Result:
    # Before anything else is loaded or read: it takes longest by far.
    from sim.study.kernel_ahead import kernel_ahead

    with kernel_ahead(options.engine, is_alone=given.jobs == 1):
        from sim.cli.progress import TerminalWatcher
        from sim.cli.watching import LiveWatcher
        from sim.study.live import LiveRun
        from sim.study.run import run_scenario

        live = LiveRun() if is_watched else None
        return run_scenario(
            given.scenario,
            seed=given.seed,
            replication=replication,
            live=live,
            engine=options.engine,
            record=options.record,
            audit=options.audit,
            out=given.out,
            force=given.force,
            overrides=given.changes,
            progress=TerminalWatcher() if live is None else LiveWatcher(live),
            command=given.command,
            threads=given.threads,
        )


def _run_in_stretches(
    given: _Given, options: RunOptions, stretches: Stretches, replication: int
) -> Result | None:
    from sim.cli.progress import TerminalWatcher
    from sim.study.checkpoints import run_in_stretches

    found = run_in_stretches(
        given.scenario,
        stretches,
        seed=given.seed,
        replication=replication,
        options=options,
        out=given.out,
        force=given.force,
        overrides=given.changes,
        progress=TerminalWatcher(),
        command=given.command,
    )
    if isinstance(found, Path):
        note(f"stopped on its way; go on with the same command and --continue. Folder: {found}")
        return None
    return found


def _run_many(given: _Given, many: _Many, options: RunOptions) -> Result:
    from sim.cli.progress import RunCounter
    from sim.study.pool import wanted_jobs
    from sim.study.replicate.precision import parse_precision
    from sim.study.replicate.replicate import FIRST_BATCH, HowMany, run_replications
    from sim.study.run import checked_seed

    targets = parse_precision(many.precision) if many.precision is not None else ()
    wanted = many.replications if many.replications is not None else FIRST_BATCH
    with RunCounter("replications") as counter:
        result, verdict = run_replications(
            given.scenario,
            HowMany(wanted, targets, jobs=wanted_jobs(many.jobs)),
            options=options,
            seed=None if given.seed is None else checked_seed(given.seed),
            out=given.out,
            force=given.force,
            add=many.add,
            overrides=given.changes,
            command=given.command,
            notice=counter.tell,
        )
    for reason in verdict.reasons:
        (note if verdict.is_reached else warn)(reason)
    return result
