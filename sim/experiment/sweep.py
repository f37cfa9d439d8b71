"""Run a sweep, point by point, so that nothing finished is ever run again.

Takes an experiment with a sweep and a folder; gives one small JSON file per point, written whole or
not at all by whoever ran it, and at the end one tidy table. A point that fails leaves its error in
its file and the others go on; run again, finished points are kept and failed ones are tried anew.
Points of another version of this program count as not finished, so that no table mixes versions.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.errors import PayrouteError, UserError
from sim.experiment.experiment_file import LoadedExperiment, Sweep
from sim.experiment.picking import full_key, place, require
from sim.experiment.pool import Pool
from sim.experiment.replications import Replicated, measure_interval
from sim.experiment.sweep_points import Point, lay_out
from sim.experiment.sweep_store import Store
from sim.experiment.tabular import TabularData, to_arrow
from sim.experiment.work import WorkItem, do_work
from sim.tables.provenance import origin, source_digest

if TYPE_CHECKING:
    import pyarrow as pa

DEFAULT_MEASURES = ("success_rate", "end_to_end_mean", "end_to_end_p99", "payer_cost_bps")
DONE, FAILED = "done", "failed"
_POINT_COLUMNS = ("point", "status", "error")
_ENDS = ("low", "high")

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
    """

    number: int
    key: str
    text: str
    error: str
    seed: int
    replications: int
    measures: tuple[str, ...]
    folder: str


@dataclass(frozen=True, slots=True)
class SweepResult:
    """Hold what became of a sweep.

    Attributes
    ----------
    table : TabularData
        A row per point: factors, status, and every measure with its interval.
    run, kept, failed : int
        Points run now, points finished before, points with an error.
    """

    table: TabularData
    run: int
    kept: int
    failed: int

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
    notice : callable, optional
        Hears points done and points in all.
    command : sequence of str
        Words of the command line, kept with the table.

    Raises
    ------
    UserError
        If there is no sweep, or the folder holds another experiment's points.
    """
    sweep = _sweep_of(loaded)
    items = make_items(loaded, folder, overrides=overrides, replications=replications)
    store = Store(folder)
    store.claim(loaded.experiment.experiment)
    finished = [store.has_done(item.number, item.key) for item in items]
    waiting = [item for item, done in zip(items, finished, strict=True) if not done]
    kept = len(items) - len(waiting)
    for count, _ in enumerate(pool.run(run_point, waiting), 1):
        if notice is not None:
            notice(kept + count, len(items))
    results = [store.read(item.number) for item in items]
    table = _collect(sweep, lay_out(sweep, _seed(loaded)), items[0].measures, results)
    failed = sum(result["status"] == FAILED for result in results)
    store.write_table(table, origin(command))
    return SweepResult(table, len(waiting), kept, failed)


def make_items(
    loaded: LoadedExperiment,
    folder: str,
    *,
    overrides: tuple[str, ...] = (),
    replications: int | None = None,
) -> list[PointItem]:
    """Resolve every point of a sweep into a piece of work.

    Parameters
    ----------
    loaded : LoadedExperiment
    folder : str
    overrides : tuple of str
    replications : int, optional
    """
    from sim.scenario.loader import dump_resolved

    sweep, experiment = _sweep_of(loaded), loaded.experiment
    measures = tuple(map(full_key, experiment.measures)) or DEFAULT_MEASURES
    count = replications or experiment.replications
    # The scenario itself must be right; only what single points make of it may be wrong.
    base_seed = _seed(loaded, overrides)
    items = []
    for point in lay_out(sweep, base_seed):
        text, error = "", ""
        try:
            changes = (*overrides, *point.overrides(sweep.factors))
            text = dump_resolved(loaded.scenario(experiment.scenario, {}, changes).document)
        except UserError as problem:
            error = str(problem)
        key = _key(source_digest(), text, error, str(base_seed), str(count), *measures)
        items.append(PointItem(point.number, key, text, error, base_seed, count, measures, folder))
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
    result: dict[str, object] = {"point": item.number, "key": item.key, "status": FAILED}
    try:
        if item.error:
            raise UserError(item.error)
        done = [
            do_work(WorkItem(item.text, item.seed, number)) for number in range(item.replications)
        ]
        result["measures"] = _measured(Replicated.of(done), item.measures)
        result["status"] = DONE
    except PayrouteError as problem:
        result["error"] = str(problem)
    Store(item.folder).write(item.number, result)
    return item.number


def _measured(held: Replicated, keys: Sequence[str]) -> dict[str, list[float | None]]:
    """Return value and interval of every measure."""
    require(held.summaries[0], tuple(keys), where="measures")
    found: dict[str, list[float | None]] = {}
    for key in keys:
        places = [place(summary, key) for summary in held.summaries]
        interval = measure_interval(places[0][1], [measures for measures, _ in places])
        if interval is None:
            found[key] = [None, None, None]
        elif interval.count < 2:
            found[key] = [interval.value, None, None]
        else:
            found[key] = [interval.value, interval.low, interval.high]
    return found


def _collect(
    sweep: Sweep,
    points: Sequence[Point],
    measures: Sequence[str],
    results: Sequence[dict[str, object]],
) -> TabularData:
    names = tuple(sweep.factors)
    columns = [*names, *_POINT_COLUMNS]
    for key in measures:
        columns += [key, *(f"{key}_{end}" for end in _ENDS)]
    rows = []
    for point, result in zip(points, results, strict=True):
        error = result.get("error")
        head = [point.number, str(result["status"]), None if error is None else str(error)]
        values = result.get("measures")
        found = values if isinstance(values, dict) else {}
        cells = [cell for key in measures for cell in found.get(key, [None, None, None])]
        rows.append((*point.values.values(), *head, *cells))
    return TabularData(tuple(columns), tuple(rows))


def _sweep_of(loaded: LoadedExperiment) -> Sweep:
    if loaded.experiment.sweep is None:
        raise UserError(f"{loaded.path}: found no sweep; allowed: an experiment with `sweep:`")
    return loaded.experiment.sweep


def _seed(loaded: LoadedExperiment, overrides: tuple[str, ...] = ()) -> int:
    if loaded.experiment.seed is not None:
        return loaded.experiment.seed
    return loaded.scenario(loaded.experiment.scenario, {}, overrides).scenario.seed


def _key(*parts: str) -> str:
    state = hashlib.blake2b(digest_size=8, person=b"payroute.point")
    state.update(json.dumps(parts).encode())
    return state.hexdigest()
