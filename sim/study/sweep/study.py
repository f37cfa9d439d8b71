"""Run a sweep, point by point, so that nothing finished is ever run again.

Takes an experiment with a sweep and a folder; gives one small JSON file per point, written whole or
not at all by whoever ran it, and at the end one tidy table. A point that fails leaves its error in
its file and the others go on; run again, finished points are kept and failed ones are tried anew.
Points of another version of this program count as not finished, so that no table mixes versions.
"""

from __future__ import annotations

import hashlib
import json
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.errors import MachineError, PayrouteError, UserError
from sim.study.case import WorkItem, do_work
from sim.study.experiment_file import LoadedExperiment, Sweep
from sim.study.measure_key import full_key, pick, require
from sim.study.pool import LastingPool
from sim.study.replicate.replications import Replicated
from sim.study.sweep.check import check_sweep, find_decimals
from sim.study.sweep.points import lay_out
from sim.study.sweep.store import Store, absolute
from sim.tables.provenance import fingerprint, origin
from sim.tables.tabular import TabularData, to_arrow

if TYPE_CHECKING:
    import pyarrow as pa

DEFAULT_MEASURES = ("success_rate", "end_to_end_mean", "end_to_end_p99", "payer_cost_bps")
DONE, FAILED = "done", "failed"
_POINT_COLUMNS = ("point", "status", "error")
_ENDS = ("low", "high")
_BUG = PayrouteError.exit_code
_WORST_FIRST = (_BUG, MachineError.exit_code, UserError.exit_code)
_IN_EVERY_RUN = ("", "scope", "station", "account")
"""Groups of measures that are there whatever happens; the others hold what payments used."""

Notice = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class PointItem:
    """Say which point a worker runs and where its file goes.

    Attributes
    ----------
    number : int
    key : str
        Stands for everything the result depends on.
    text : str
        The resolved scenario of the point; empty where it could not be resolved.
    error : str
        Why it could not.
    seed, replications : int
    measures : tuple of str
    folder : str
        Path or address of the sweep's folder.
    factors : dict of str to str
        Text of every factor.
    software : tuple of pairs of str
        Source and libraries of whoever laid out the sweep; a worker must have the same.
    """

    number: int
    key: str
    text: str
    error: str
    seed: int
    replications: int
    measures: tuple[str, ...]
    folder: str
    factors: dict[str, str]
    software: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class SweepResult:
    """Hold what became of a sweep.

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
    """

    table: TabularData
    run: int
    kept: int
    failed: int
    exit_code: int = 0
    errors: tuple[str, ...] = ()

    def to_arrow(self) -> pa.Table:
        """Return the tidy table."""
        return to_arrow(self.table)


def default_folder(loaded: LoadedExperiment) -> str:
    """Return where the points of an experiment go unless told otherwise."""
    return f"results/{loaded.experiment.experiment}/sweep"


def run_sweep(
    loaded: LoadedExperiment,
    folder: str,
    pool: LastingPool,
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
    pool : LastingPool
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
        If the folder cannot be written, or workers write to another one.
    """
    sweep = _sweep_of(loaded)
    where = absolute(folder)
    items = make_items(loaded, where, overrides=overrides, replications=replications, seed=seed)
    store = Store(where)
    store.claim(loaded.experiment.experiment)
    finished = [store.has_done(item.number, item.key) for item in items]
    waiting = [item for item, done in zip(items, finished, strict=True) if not done]
    kept = len(items) - len(waiting)
    for count, item in enumerate(_run_points(waiting, store, pool, is_first=not kept), kept + 1):
        if count == kept + 1:
            store.await_point(item.number, item.key)
        if notice is not None:
            notice(count, len(items))
    results = [store.read(item.number, item.key) for item in items]
    table = _collect(tuple(sweep.factors), items[0].measures, results)
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
    )


def _run_points(
    items: Sequence[PointItem], store: Store, pool: LastingPool, *, is_first: bool
) -> Iterator[PointItem]:
    """Run points and yield each when it is done; of a new sweep one point goes ahead of the rest.

    Raises
    ------
    UserError
        If the point that goes ahead has no such measure as was asked for: no other would either.
    """
    ahead = [item for item in items if not item.error][:1] if is_first else []
    for batch in (ahead, [item for item in items if item not in ahead]):
        for at, done in pool.run_all(run_point, batch):
            if isinstance(done, MachineError):
                store.write(batch[at].number, _failure(batch[at], done))
            yield batch[at]
        for item in batch if batch is ahead else ():
            result = store.read(item.number, item.key)
            if result.get("is_unknown_measure"):
                raise UserError(str(result["error"]))


def make_items(
    loaded: LoadedExperiment,
    folder: str,
    *,
    overrides: tuple[str, ...] = (),
    replications: int | None = None,
    seed: int | None = None,
) -> list[PointItem]:
    """Resolve every point of a sweep into a piece of work.

    Parameters
    ----------
    loaded : LoadedExperiment
    folder : str
    overrides : tuple of str
    replications, seed : int, optional

    Notes
    -----
    The seed of a point is that of its scenario, changed as the point changes it, unless the
    experiment or the caller fixes one for all.
    """
    from sim.scenario.loader import dump_resolved

    sweep, experiment = _sweep_of(loaded), loaded.experiment
    measures = tuple(map(full_key, experiment.measures)) or DEFAULT_MEASURES
    count = replications or experiment.replications
    # The scenario itself must be right; only what single points make of it may be wrong.
    base = loaded.scenario(experiment.scenario, {}, overrides)
    check_sweep(loaded, base, overrides, seed=seed)
    fixed = experiment.seed if seed is None else seed
    design_seed = base.scenario.seed if fixed is None else fixed
    software = fingerprint()
    items = []
    for point in lay_out(sweep, design_seed, find_decimals(loaded, sweep, overrides)):
        text, error, own = "", "", design_seed
        try:
            changes = (*overrides, *point.overrides(sweep.factors))
            resolved = loaded.scenario(experiment.scenario, {}, changes)
            text = dump_resolved(resolved.document)
            own = resolved.scenario.seed if fixed is None else fixed
        except UserError as problem:
            error = str(problem)
        key = _key(software, point.values, text, error, own, count, measures)
        item = PointItem(
            number=point.number,
            key=key,
            text=text,
            error=error,
            seed=own,
            replications=count,
            measures=measures,
            folder=folder,
            factors=point.values,
            software=software,
        )
        items.append(item)
    return items


def run_point(item: PointItem) -> int:
    """Run one point and write its file; in whatever process this is.

    Parameters
    ----------
    item : PointItem
        What to run.

    Returns
    -------
    int
        The point's number.
    """
    try:
        found = _run(item)
        result: dict[str, object] = {**_head(item), "status": DONE, "measures": found}
    except Exception as problem:
        # Whatever it is, the other points go on; the command ends with its exit code.
        result = _failure(item, problem)
    Store(item.folder).write(item.number, result)
    return item.number


class _UnknownMeasureError(UserError):
    """Say that a measure is in no run."""


def _run(item: PointItem) -> dict[str, list[float | None]]:
    """Run a point and return its measures."""
    if item.error:
        raise UserError(item.error)
    _check_software(item)
    try:
        done = [
            do_work(WorkItem(item.text, item.seed, number)) for number in range(item.replications)
        ]
    except MemoryError:
        raise MachineError(
            "out of memory; shorten clock.horizon, lower --jobs or use a larger machine"
        ) from None
    return _measured(Replicated.of(done), item.measures)


def _check_software(item: PointItem) -> None:
    """Refuse to run a point for somebody who would get another figure."""
    here, there = dict(fingerprint()), dict(item.software)
    if here == there:
        return
    differing = [name for name in {**there, **here} if here.get(name) != there.get(name)]
    listed = ", ".join(
        f"{name} {here.get(name) or 'missing'} for {there.get(name) or 'missing'}"
        for name in differing
    )
    raise MachineError(
        f"the worker runs another version of payroute or of its libraries ({listed}); install the "
        f"same on every worker, and start workers anew"
    )


def _head(item: PointItem) -> dict[str, object]:
    return {"point": item.number, "key": item.key, "factors": item.factors}


def _failure(item: PointItem, problem: Exception) -> dict[str, object]:
    """Return the file of a point that failed."""
    result = {**_head(item), "status": FAILED}
    if isinstance(problem, PayrouteError):
        result |= {"error": str(problem), "exit_code": problem.exit_code}
        if isinstance(problem, _UnknownMeasureError):
            result["is_unknown_measure"] = True
    else:
        result |= {"error": f"{type(problem).__name__}: {problem}", "exit_code": _BUG}
    if result["exit_code"] == _BUG:
        result["trace"] = "".join(traceback.format_exception(problem))
    return result


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
    names: Sequence[str], measures: Sequence[str], results: Sequence[dict[str, object]]
) -> TabularData:
    """Return the tidy table, of nothing but what is in the points' files."""
    columns = [*names, *_POINT_COLUMNS]
    for key in measures:
        columns += [key, *(f"{key}_{end}" for end in _ENDS)]
    rows = []
    for result in results:
        error, factors = result.get("error"), result["factors"]
        assert isinstance(factors, dict)
        head = [result["point"], str(result["status"]), None if error is None else str(error)]
        values = result.get("measures")
        found = values if isinstance(values, dict) else {}
        cells = [cell for key in measures for cell in found.get(key, [None, None, None])]
        rows.append((*(factors[name] for name in names), *head, *cells))
    return TabularData(tuple(columns), tuple(rows))


def _sweep_of(loaded: LoadedExperiment) -> Sweep:
    if loaded.experiment.sweep is None:
        raise UserError(f"{loaded.path}: found no sweep; allowed: an experiment with `sweep:`")
    return loaded.experiment.sweep


def _key(*parts: object) -> str:
    state = hashlib.blake2b(digest_size=8, person=b"payroute.point")
    state.update(json.dumps(parts).encode())
    return state.hexdigest()
