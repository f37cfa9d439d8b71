"""Run a sweep, point by point, so that nothing finished is ever run again.

Takes an experiment with a sweep and a folder; gives one small JSON file per point, written whole or
not at all as soon as the point is done, and at the end one tidy table. A point that fails leaves
its error in its file and the others go on; run again, finished points are kept and failed ones are
tried anew. Points of another version of this program, of other replications or changes are other
points: they lie beside each other, and no table mixes them.
"""

from __future__ import annotations

import hashlib
import json
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sim.analysis.catalogue import SWEPT
from sim.errors import MachineError, PayrouteError, UserError
from sim.study.case import Case
from sim.study.experiment_file import LoadedExperiment, Sweep
from sim.study.measure_key import full_key, pick, require
from sim.study.pool import Pool
from sim.study.replicate.replications import Replicated
from sim.study.runner import Batch, Done, Notice, as_done
from sim.study.shown import SweepFigures, notebook_html, plots, write_report
from sim.study.sweep.check import check_sweep, find_decimals
from sim.study.sweep.factors import factor_columns
from sim.study.sweep.points import lay_out
from sim.study.sweep.sought import Sought, plan_sought, search, sought_cells, sought_columns
from sim.study.sweep.store import Store
from sim.tables.provenance import fingerprint, origin
from sim.tables.tabular import Cell, TabularData, to_arrow

if TYPE_CHECKING:
    import pyarrow as pa

DONE, FAILED = "done", "failed"
POINT_COLUMNS = ("point", "status", "error")
"""What stands after the factors of a point."""
_ENDS = ("low", "high")
_BUG = PayrouteError.exit_code
_WORST_FIRST = (_BUG, MachineError.exit_code, UserError.exit_code)
Found = dict[str, object] | None
"""What a search found at a point; None where nothing is looked for."""
_IN_EVERY_RUN = ("", "scope", "station", "account", "window")
"""Groups of measures that are there whatever happens; the others hold what payments used."""


@dataclass(frozen=True, slots=True)
class PointItem:
    """One point that is to be run.

    Attributes
    ----------
    number : int
    key : str
        Stands for everything the result depends on.
    factors : dict of str to str
        Text of every factor.
    cases : tuple of Case
        One per replication; none where the point's scenario could not be resolved.
    error : str
        Why it could not.
    sought : Sought or None
        What is looked for at the point, in place of cases.
    """

    number: int
    key: str
    factors: dict[str, str]
    cases: Batch
    error: str = ""
    sought: Sought | None = None


@dataclass(frozen=True, slots=True)
class SweepResult:
    """What became of a sweep.

    Attributes
    ----------
    table : TabularData
        A row per point: factors, status, and every measure with its interval.
    run, kept, failed : int
        Points run now, points finished before, points with an error.
    exit_code : int
        0, or that of the worst error: a bug of ours, the machine's refusal, a user's mistake.
    errors : tuple of str
        What went wrong, point by point; of a bug, with its traceback.
    factors : tuple of str
        Names of the factors, in order.
    """

    table: TabularData
    run: int
    kept: int
    failed: int
    exit_code: int = 0
    errors: tuple[str, ...] = ()
    factors: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Return a line for people: what became of the points."""
        return f"<Sweep: {self.run} points run, {self.kept} kept, {self.failed} failed>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        return notebook_html(self)

    @property
    def plot(self) -> SweepFigures:
        """Return what draws its figures."""
        drawn: SweepFigures = plots(self)
        return drawn

    def report(self, path: Path | str) -> Path:
        """Write a page that works offline; see :func:`~sim.study.shown.write_report`."""
        return write_report(self, path)

    def to_arrow(self) -> pa.Table:
        """Return the tidy table."""
        return to_arrow(self.table)


def default_folder(loaded: LoadedExperiment) -> str:
    """Return where the points of an experiment go unless told otherwise."""
    return f"results/{loaded.experiment.experiment}/sweep"


def run_sweep(
    loaded: LoadedExperiment,
    folder: str,
    pool: Pool,
    *,
    overrides: tuple[str, ...] = (),
    replications: int | None = None,
    seed: int | None = None,
    notice: Notice | None = None,
    command: Sequence[str] = (),
) -> SweepResult:
    """Run every point that is not finished, and collect the table.

    Parameters
    ----------
    loaded : LoadedExperiment
        With a sweep.
    folder : str
        Path, or any address fsspec knows.
    pool : Pool
        Where points are run.
    overrides : tuple of str
        Changes of the command line, in every point.
    replications : int, optional
        In place of the experiment's.
    seed : int, optional
        Of every point, in place of the experiment's or the scenario's.
    notice : callable, optional
        Hears points done and points in all.
    command : sequence of str
        Words of the command line, kept with the table.

    Raises
    ------
    UserError
        If there is no sweep, or the folder holds another experiment's points, or no point can be
        right: a factor that is no field, a measure no run has.
    MachineError
        If the folder cannot be written.
    """
    sweep = _sweep_of(loaded)
    items = make_items(loaded, overrides=overrides, replications=replications, seed=seed)
    store, measures = Store(folder), measures_of(loaded)
    store.claim(loaded.experiment.experiment)
    finished = [store.has_done(item.number, item.key) for item in items]
    waiting = [item for item, done in zip(items, finished, strict=True) if not done]
    kept = count = len(items) - len(waiting)
    # Of a new sweep one point goes ahead: a measure that is in no run is told by it, once.
    ahead = [item for item in waiting if not item.error][: 1 if kept == 0 else 0]
    rest = [item for item in waiting if item not in ahead]
    for batch in (ahead, rest):
        for item, done, found in _done(batch, pool):
            content = point_content(item, done, measures, is_ahead=batch is ahead, found=found)
            store.write(item.number, item.key, content)
            count += 1
            if notice is not None:
                notice(count, len(items))
    results = [store.read(item.number, item.key) for item in items]
    table = _collect(sweep, measures, results)
    failed = [result for result in results if result["status"] == FAILED]
    store.write_table(table, origin(command))
    codes = [result.get("exit_code") for result in failed]
    return SweepResult(
        table,
        len(waiting),
        kept,
        len(failed),
        next((code for code in _WORST_FIRST if code in codes), 0),
        tuple(f"point {one['point']}: {one.get('trace') or one['error']}" for one in failed),
        factors=tuple(sweep.factors),
    )


def _done(items: Sequence[PointItem], pool: Pool) -> Iterator[tuple[PointItem, Done, Found]]:
    """Yield each point, what came of it and what was found there, as they are done."""
    yield from ((item, Done(error=UserError(item.error)), None) for item in items if item.error)
    runnable = [item for item in items if item.cases]
    for at, done in as_done([item.cases for item in runnable], pool, is_tolerant=True):
        yield runnable[at], done, None
    for item in items:
        # The runs of a search depend on each other: points one by one, replications together.
        if item.sought is not None:
            yield item, *_searched(item.sought, pool)


def _searched(sought: Sought, pool: Pool) -> tuple[Done, Found]:
    """Search at a point; an error is told, as that of any other point."""
    try:
        found, outcomes = search(sought, pool, fingerprint())
    except Exception as error:
        return Done(error=error, trace="".join(traceback.format_exception(error))), None
    return Done(outcomes), found


def make_items(
    loaded: LoadedExperiment,
    *,
    overrides: tuple[str, ...] = (),
    replications: int | None = None,
    seed: int | None = None,
) -> list[PointItem]:
    """Resolve every point of a sweep into its cases.

    Parameters
    ----------
    loaded : LoadedExperiment
    overrides : tuple of str
    replications, seed : int, optional

    Notes
    -----
    The seed of a point is that of its scenario, changed as the point changes it, unless the
    experiment or the caller fixes one for all.
    """
    from sim.scenario.loader import dump_resolved

    sweep, experiment = _sweep_of(loaded), loaded.experiment
    measures = measures_of(loaded)
    count = replications or experiment.replications
    # The scenario itself must be right; only what single points make of it may be wrong.
    base = loaded.scenario(experiment.scenario, {}, overrides)
    check_sweep(loaded, base, overrides, seed=seed)
    fixed = experiment.seed if seed is None else seed
    design_seed = base.scenario.seed if fixed is None else fixed
    software = fingerprint()
    items = []
    for point in lay_out(sweep, design_seed, find_decimals(loaded, sweep, overrides)):
        text, error, own, sought = "", "", design_seed, None
        try:
            changes = (*overrides, *point.overrides(sweep.factors))
            resolved = loaded.scenario(experiment.scenario, {}, changes)
            text = dump_resolved(resolved.document)
            own = resolved.scenario.seed if fixed is None else fixed
            if sweep.find is not None:
                sought = plan_sought(resolved, sweep.find, seed=own, replications=count)
        except UserError as problem:
            error = str(problem)
        asked = (software, point.values, text, error, own, count, measures)
        key = _key(*asked) if sweep.find is None else _key(*asked, repr(sweep.find))
        numbers = () if error or sought is not None else range(count)
        cases = tuple(Case(text, own, number, software=software) for number in numbers)
        items.append(PointItem(point.number, key, point.values, cases, error, sought))
    return items


class _UnknownMeasureError(UserError):
    """A measure that is in no run."""


def point_content(
    item: PointItem,
    done: Done,
    measures: Sequence[str],
    *,
    is_ahead: bool = False,
    found: Found = None,
) -> dict[str, object]:
    """Return what the file of a point says.

    Parameters
    ----------
    item : PointItem
    done : Done
        What came of it.
    measures : sequence of str
        Keys.
    is_ahead : bool
        Whether it goes ahead of all others.
    found : dict or None
        What a search found there; where no value holds, there are no measures.

    Raises
    ------
    UserError
        If the point that goes ahead has no such measure as was asked for: no other would either.
    """
    head = {"point": item.number, "key": item.key, "factors": item.factors}
    if found is not None:
        head["found"] = found
        if not done.outcomes:
            return {**head, "status": DONE, "measures": {}}
    if done.error is None:
        try:
            measured = _measured(Replicated.of(done.outcomes), measures)
            return {**head, "status": DONE, "measures": measured}
        except Exception as error:
            if is_ahead and isinstance(error, _UnknownMeasureError):
                raise
            done = Done(error=error, trace="".join(traceback.format_exception(error)))
    problem = done.error
    if isinstance(problem, PayrouteError):
        failed: dict[str, object] = {"error": str(problem), "exit_code": problem.exit_code}
    else:
        failed = {"error": f"{type(problem).__name__}: {problem}", "exit_code": _BUG}
    if failed["exit_code"] == _BUG:
        failed["trace"] = done.trace
    return {**head, "status": FAILED, **failed}


def _measured(held: Replicated, keys: Sequence[str]) -> dict[str, list[float | None]]:
    """Return value and interval of every measure."""
    summary = held.summary()
    for key in keys:
        try:
            require(summary, (key,), where="measures")
        except UserError as problem:
            group = key.partition("/")[0] if "/" in key else ""
            if group in _IN_EVERY_RUN:
                raise _UnknownMeasureError(str(problem)) from None
            raise
    found: dict[str, list[float | None]] = {}
    for key in keys:
        measure = pick(summary, key)
        assert measure is not None, key
        found[key] = [measure.value, measure.low, measure.high]
    return found


def _collect(
    sweep: Sweep, measures: Sequence[str], results: Sequence[dict[str, object]]
) -> TabularData:
    """Return the tidy table, of nothing but what is in the points' files."""
    factors: dict[str, list[Cell]] = {}
    for name in sweep.factors:
        factors |= factor_columns(name, [_factors_of(result)[name] for result in results])
    columns = [*factors, *POINT_COLUMNS, *sought_columns(sweep.find)]
    for key in measures:
        columns += [key, *(f"{key}_{end}" for end in _ENDS)]
    rows = []
    for at, result in enumerate(results):
        error = result.get("error")
        head = [result["point"], str(result["status"]), None if error is None else str(error)]
        head += sought_cells(sweep.find, result)
        values = result.get("measures")
        found = values if isinstance(values, dict) else {}
        cells = [cell for key in measures for cell in found.get(key, [None, None, None])]
        rows.append((*(column[at] for column in factors.values()), *head, *cells))
    return TabularData(tuple(columns), tuple(rows))


def _factors_of(result: Mapping[str, object]) -> dict[str, str]:
    factors = result["factors"]
    assert isinstance(factors, dict)
    return factors


def measures_of(loaded: LoadedExperiment) -> tuple[str, ...]:
    """Return the full names of the measures a sweep writes down."""
    return tuple(map(full_key, loaded.experiment.measures)) or SWEPT


def _sweep_of(loaded: LoadedExperiment) -> Sweep:
    if loaded.experiment.sweep is None:
        raise UserError(f"{loaded.path}: found no sweep; allowed: an experiment with `sweep:`")
    return loaded.experiment.sweep


def _key(*parts: object) -> str:
    state = hashlib.blake2b(digest_size=8, person=b"payroute.point")
    state.update(json.dumps(parts).encode())
    return state.hexdigest()
