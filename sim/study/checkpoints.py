"""Run a scenario that may stop on its way and go on later, in another process if need be.

Takes a scenario and when checkpoints are wanted; gives the same result as one run without them, to
the last digit of its digest. At each instant wanted everything before it is in whole files and the
rest in one checkpoint beside them, so that a process may be ended at any moment: whoever goes on
does so from the last checkpoint, and what was written behind it is written again.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sim.compiler.compile import Compiled, compile_scenario
from sim.errors import OptionError, UserError
from sim.model.quantities import write_duration
from sim.study.case import CaseTotals, Outcome, RunOptions
from sim.study.compile_case import compiled_fingerprint, expected_submitted
from sim.study.result import Result
from sim.study.run import (
    REPLICATION_MAX,
    Silence,
    Watcher,
    checked_seed,
    find_engine,
    load,
    make_request,
    scenario_path,
    write_inputs,
)
from sim.tables.checkpoint_file import Checkpoint, read_checkpoint, write_checkpoint
from sim.tables.parquet_stream import merge_parts
from sim.tables.provenance import fingerprint
from sim.tables.run_folder import (
    FolderChoice,
    OpenRun,
    RunResult,
    begin_run,
    compare_with_earlier,
    complete_run,
)
from sim.tables.schemas import Record
from sim.tables.whole_file import machine_errors
from sim.tables.writer import RunWriter, WriterOptions

if TYPE_CHECKING:
    from sim.contract.plan import Array
    from sim.engine.stretches import StretchedRun
    from sim.scenario.scenario import LoadedScenario
    from sim.tables.kept_state import Arrays, Tree

CHECKPOINT_FOLDER = ".payroute-checkpoint"
"""Hidden folder in a run's folder: the last checkpoint, and tables as far as it goes."""
_FILE = "checkpoint"


@dataclass(frozen=True, slots=True)
class Stretches:
    """When a run stops on its way.

    Attributes
    ----------
    every_us : int or None
        A checkpoint after every so many microseconds of simulated time; None: none but the next.
    stop_us : int or None
        The run ends here for now, with a checkpoint.
    continues : bool
        Whether it goes on from the checkpoint in its folder.
    """

    every_us: int | None = None
    stop_us: int | None = None
    continues: bool = False

    def after(self, instant_us: int, horizon_us: int) -> int:
        """Return the next instant to stop at."""
        wanted = [horizon_us]
        if self.every_us is not None:
            wanted.append((instant_us // self.every_us + 1) * self.every_us)
        if self.stop_us is not None and self.stop_us > instant_us:
            wanted.append(self.stop_us)
        return min(wanted)


class _StoppedError(Exception):
    """End of the run for now, with its checkpoint written."""


def run_in_stretches(
    scenario: Path | str | LoadedScenario,
    stretches: Stretches,
    *,
    seed: int | None = None,
    replication: int = 0,
    options: RunOptions | None = None,
    out: Path | None = None,
    force: bool = False,
    overrides: Sequence[str] | Mapping[str, object] = (),
    progress: Watcher | None = None,
    command: Sequence[str] = (),
) -> Result | Path:
    """Run a scenario with checkpoints, or go on from one, and write its run folder.

    Parameters
    ----------
    scenario : Path, str or LoadedScenario
        As for :func:`~sim.study.run.run_scenario`; likewise the others not named here.
    stretches : Stretches
        When it stops, and whether it goes on.
    options : RunOptions, optional
        How much is recorded; the compiled engine, without an audit on the way.

    Returns
    -------
    Result or Path
        The folder alone where the run stopped on its way.

    Raises
    ------
    UserError
        If the input is wrong, there is nothing to go on from, or what is there is of another
        scenario, seed, engine, record or source.
    """
    begun, options = time.perf_counter(), options or RunOptions()
    watcher = progress or Silence()
    _check(stretches, options, replication)
    loaded = load(scenario, overrides)
    watcher.say("compiling the scenario")
    chosen = None if seed is None else checked_seed(seed)
    compiled = compile_scenario(loaded, seed=chosen, replication=replication)
    command = command or ("sim.run", str(scenario_path(loaded)))
    request = make_request(compiled, options, command=command, replication=replication)
    choice = FolderChoice(out=out, force=force)
    path = choice.path(request) / CHECKPOINT_FOLDER
    asked = _asked(compiled, options)
    before = _held(path, asked) if stretches.continues else None
    begun_us = 0 if before is None else _whole(before.facts["instant_us"])
    _check_stop(stretches, begun_us, compiled.plan.horizon_us)
    if before is None and (path / _FILE).exists() and not force:
        raise UserError(
            f"{path.parent}: holds a run that stopped on its way; go on with --continue, or begin "
            f"anew with --force"
        )
    with begin_run(choice, request, adds=stretches.continues) as opened:
        run = _Run(compiled, options, opened, stretches)
        run.begin(before)
        try:
            outcome = run.finish(watcher)
        except _StoppedError:
            return opened.path
        write_inputs(opened, compiled)
        facts = RunResult(
            payments=outcome.totals.payments,
            events=outcome.totals.events,
            digest=outcome.totals.digest,
            payments_digest=outcome.totals.payments_digest,
            wall_seconds=run.seconds_before + time.perf_counter() - begun,
            engine_seconds=outcome.engine_seconds,
        )
        finished = complete_run(opened, facts, outcome.summary.as_json())
        shutil.rmtree(path, ignore_errors=True)
    return Result(outcome.summary, finished, None, compare_with_earlier(opened, facts))


class _Run:
    """One run, as far as this process takes it."""

    def __init__(
        self, compiled: Compiled, options: RunOptions, opened: OpenRun, stretches: Stretches
    ) -> None:
        self._compiled, self._options, self._opened = compiled, options, opened
        self._stretches = stretches
        self._path = opened.path / CHECKPOINT_FOLDER
        self._number, self._instant_us, self._begun = 0, 0, time.perf_counter()
        self._before: Checkpoint | None = None
        self.seconds_before, self._engine_before = 0.0, 0.0

    def begin(self, before: Checkpoint | None) -> None:
        """Put the folder in order: nothing in it but what the checkpoint knows."""
        self._before = before
        if before is None:
            shutil.rmtree(self._path, ignore_errors=True)
        else:
            self._number = _whole(before.facts["stretches"])
            self._instant_us = _whole(before.facts["instant_us"])
            self.seconds_before = _number(before.facts["wall_seconds"])
            self._engine_before = _number(before.facts["engine_seconds"])
        with machine_errors(self._path):
            self._path.mkdir(exist_ok=True)
            for part in self._path.glob("*.parquet"):
                # Written behind the checkpoint; it is written again.
                if int(part.name.split(".")[1].lstrip("c")) >= self._number:
                    part.unlink()

    def finish(self, watcher: Watcher) -> Outcome:
        """Run to the horizon; ends with :class:`_StoppedError` where it stops before."""
        from sim.analysis.measures import RunFigures, summarise
        from sim.engine.stretches import StretchedRun

        plan, before = self._compiled.plan, self._before
        find_engine(self._options.engine)
        writer = self._open_writer(watcher)
        position, kept = None, None
        if before is not None:
            assert isinstance(before.tree, dict)
            writer.restore(before.tree["writer"], before.arrays)
            kept = _named(before.tree["engine"], before.arrays)
            position = _named(before.tree["workload"], before.arrays)
        workload = self._compiled.workload(after=position)

        def reached(instant_us: int) -> int:
            self._number += 1
            self._instant_us = instant_us
            # Everything before the instant first, whole; then the checkpoint that counts on it.
            writer.cut(self._suffix())
            self._write(writer, run, workload.position())
            if instant_us == self._stretches.stop_us:
                raise _StoppedError
            return self._stretches.after(instant_us, plan.horizon_us)

        run = StretchedRun(
            plan,
            writer.follow(workload),
            writer,
            stop_us=self._stretches.after(self._instant_us, plan.horizon_us),
            reached=reached,
            kept=kept,
        )
        run.engine_seconds = self._engine_before
        watcher.begin(plan.horizon_us)
        try:
            totals = run.run()
            writer.close()
        except BaseException:
            writer.abandon()
            raise
        finally:
            watcher.finish()
        files = self._merge()
        summary = summarise(RunFigures(plan, writer.summary, totals, engine=self._options.engine))
        return Outcome(
            summary,
            CaseTotals(
                plan.replication,
                totals.payments,
                totals.events,
                writer.digest,
                writer.payments_digest,
                expected_submitted(self._compiled),
            ),
            engine_seconds=totals.engine_seconds,
            files=files,
        )

    def _open_writer(self, watcher: Watcher) -> RunWriter:
        return RunWriter(
            self._compiled.plan,
            self._path,
            WriterOptions(
                record=Record(self._options.record),
                replication=self._compiled.plan.replication,
                provenance=self._opened.provenance(),
                suffix=self._suffix(),
                progress=watcher.advance,
                is_kept=True,
                begins=self._before is None,
            ),
        )

    def _suffix(self) -> str:
        return f".c{self._number:06d}"

    def _write(self, writer: RunWriter, run: StretchedRun, position: Mapping[str, Array]) -> None:
        """Write the checkpoint of the instant reached in place of the one before."""
        arrays: Arrays = []
        tree: dict[str, Tree] = {
            "writer": writer.kept(arrays),
            "engine": _numbered(run.kept(), arrays),
            "workload": _numbered(position, arrays),
        }
        facts: dict[str, Tree] = {
            **_asked(self._compiled, self._options),
            "instant_us": self._instant_us,
            "stretches": self._number,
            "wall_seconds": self.seconds_before + time.perf_counter() - self._begun,
            "engine_seconds": run.engine_seconds,
        }
        write_checkpoint(self._path / _FILE, Checkpoint(facts, tree, arrays))

    def _merge(self) -> tuple[Path, ...]:
        """Join the tables of all stretches into those of the run."""
        parts: dict[str, list[Path]] = {}
        for part in sorted(self._path.glob("*.parquet")):
            parts.setdefault(f"{part.name.partition('.')[0]}.parquet", []).append(part)
        for name, found in parts.items():
            merge_parts(self._opened.aside / name, found)
        return tuple(self._opened.aside / name for name in parts)


def _check(stretches: Stretches, options: RunOptions, replication: int) -> None:
    """Refuse what a run in stretches cannot do."""
    if options.engine != "compiled":
        raise OptionError(
            "engine", f"found {options.engine} together with checkpoints; allowed: compiled"
        )
    if options.audit:
        raise OptionError(
            "audit",
            "found together with checkpoints; allowed: `payroute audit` of the finished folder",
        )
    if not 0 <= replication <= REPLICATION_MAX:
        raise OptionError("replication", f"found {replication}; allowed: 0 to {REPLICATION_MAX}")
    if stretches.every_us is not None and stretches.every_us < 1:
        raise OptionError("checkpoint", "found 0; allowed: a duration above 0")


def _check_stop(stretches: Stretches, begun_us: int, horizon_us: int) -> None:
    """Refuse an instant the run does not pass."""
    stop_us = stretches.stop_us
    if stop_us is not None and not begun_us < stop_us < horizon_us:
        raise OptionError(
            "stop-at",
            f"found {write_duration(stop_us)} from the start; allowed: after "
            f"{write_duration(begun_us)}, where the run is, and before "
            f"{write_duration(horizon_us)}, where it ends",
        )


def _asked(compiled: Compiled, options: RunOptions) -> dict[str, Tree]:
    """Return what a checkpoint is of: with anything else it would go on as something else."""
    # The plan says what happens, the streams of demand to whom; both are in the fingerprint.
    return {
        "scenario": compiled_fingerprint(compiled),
        "seed": compiled.plan.seed,
        "replication": compiled.plan.replication,
        "record": options.record,
        "software": dict(fingerprint()),
    }


def _held(path: Path, asked: Mapping[str, Tree]) -> Checkpoint:
    """Return the checkpoint in a folder, if it is of what is asked."""
    found = read_checkpoint(path / _FILE)
    there, here = _flat(found.facts), _flat(asked)
    differing = [
        f"{name} {there.get(name)} -> {value}"
        for name, value in here.items()
        if there.get(name) != value
    ]
    if differing:
        raise UserError(
            f"{path.parent}: the checkpoint there is of another run ({'; '.join(differing)}); go "
            f"on with what it was begun with, or begin anew with --force"
        )
    return found


def _flat(facts: Mapping[str, Tree]) -> dict[str, Tree]:
    """Return facts with those of the software among them."""
    made_by = facts.get("software")
    return {**facts, **(made_by if isinstance(made_by, dict) else {}), "software": None}


def _numbered(named: Mapping[str, Array], arrays: Arrays) -> Tree:
    """Append arrays to a list and return their numbers by name."""
    first = len(arrays)
    arrays += named.values()
    return {name: first + at for at, name in enumerate(named)}


def _named(numbers: Tree, arrays: Arrays) -> dict[str, Array]:
    """Return arrays by name."""
    assert isinstance(numbers, dict)
    return {name: arrays[_whole(at)] for name, at in numbers.items()}


def _whole(value: Tree) -> int:
    assert isinstance(value, int)
    return value


def _number(value: Tree) -> float:
    assert isinstance(value, (int, float))
    return value
