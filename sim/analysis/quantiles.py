"""Find quantiles of durations, exactly from payments or closely from histograms.

Takes the payments of a run folder, or the histograms a run folded; gives quantiles in seconds by
the nearest-rank rule: the smallest duration that at least a share ``q`` of payments do not exceed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa

from sim.contract.plan import Array, Plan
from sim.contract.records import histogram_value
from sim.tables.folding import SummaryFolder, machine_times
from sim.tables.reading import int_values, open_table, text_codes

QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}

EXACT_PAYMENTS_MAX = 1_000_000
"""Exact quantiles hold this many durations at most (some 40 MB); beyond it histograms answer, so
that memory does not grow with the number of payments."""

_COLUMNS = ["replication", "stream", "route", "outcome", "submitted_us", "credited_us", "human_us"]

Cells = tuple[int, ...]
"""Rows of a folder that belong to one group."""


class QuantileSource(Protocol):
    """Answer quantiles of end-to-end and machine time for groups of (stream, route) cells."""

    def quantiles_us(self, cells: Cells, machine: bool) -> dict[str, int] | None:
        """Return quantiles by name, None where no payment completed."""


class HistogramQuantiles:
    """Answer from histograms; relative error below 1/256, the cells being 1/128 wide at most.

    Parameters
    ----------
    folder : SummaryFolder
        The folded run.
    """

    def __init__(self, folder: SummaryFolder) -> None:
        self._folder = folder

    def quantiles_us(self, cells: Cells, machine: bool) -> dict[str, int] | None:
        """Return quantiles by name, None where no payment completed."""
        folder = self._folder
        histogram = (folder.machine if machine else folder.end_to_end)[list(cells)].sum(axis=0)
        return histogram_quantiles(histogram)


def histogram_quantiles(histogram: Array) -> dict[str, int] | None:
    """Return quantiles of a histogram by :func:`~sim.contract.records.histogram_bucket`."""
    running = np.cumsum(histogram)
    total = int(running[-1]) if len(running) else 0
    if total == 0:
        return None
    return {
        name: histogram_value(int(np.searchsorted(running, ceil(share * total))))
        for name, share in QUANTILES.items()
    }


@dataclass(frozen=True, slots=True)
class _Times:
    """Durations of completed payments, sorted by cell; where each cell begins."""

    values: Array
    first: Array


class PaymentQuantiles:
    """Answer exactly, from ``payments.parquet``.

    Parameters
    ----------
    path : Path
        The file.
    plan : Plan
        The plan of the run: names and warm-up.
    folder : SummaryFolder
        The folded run, for the meaning of cells.
    replication : int
        Whose payments.
    """

    def __init__(self, path: Path, plan: Plan, folder: SummaryFolder, replication: int = 0) -> None:
        parts = [
            _completed(batch, plan, folder, replication) for batch in open_table(path, _COLUMNS)
        ]
        empty = np.empty((3, 0), dtype=np.int64)
        cell, total, human = np.concatenate([empty, *parts], axis=1)
        order = np.argsort(cell.astype(np.int32), kind="stable")
        first = np.searchsorted(cell[order], np.arange(len(folder.cells) + 1))
        self._times = (
            _Times(total[order], first),
            _Times(machine_times(total, human)[order], first),
        )

    def quantiles_us(self, cells: Cells, machine: bool) -> dict[str, int] | None:
        """Return quantiles by name, None where no payment completed."""
        times = self._times[1 if machine else 0]
        parts = [times.values[times.first[cell] : times.first[cell + 1]] for cell in cells]
        values = np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)
        if len(values) == 0:
            return None
        ranks = [max(ceil(share * len(values)), 1) - 1 for share in QUANTILES.values()]
        placed = np.partition(values, ranks)
        return {name: int(placed[rank]) for name, rank in zip(QUANTILES, ranks, strict=True)}


def _completed(batch: pa.RecordBatch, plan: Plan, folder: SummaryFolder, replication: int) -> Array:
    """Return cell, end-to-end and human time of the completed payments of a batch."""
    table = pa.Table.from_batches([batch])
    outcome, words = text_codes(table.column("outcome"))
    submitted = int_values(table.column("submitted_us"))
    done = outcome == (words.index("completed") if "completed" in words else -2)
    done &= submitted >= plan.warm_up_us
    done &= int_values(table.column("replication")) == replication
    total = int_values(table.column("credited_us")) - submitted
    human = int_values(table.column("human_us"))
    return np.stack([_cells(table, plan, folder), total, human])[:, done]


def _cells(table: pa.Table, plan: Plan, folder: SummaryFolder) -> Array:
    """Return the folder's cell of every payment."""
    stream, stream_words = text_codes(table.column("stream"))
    route, route_words = text_codes(table.column("route"))
    routes = len(plan.names.routes) + 1
    place = np.full(max(len(plan.names.streams), 1) * routes, -1, dtype=np.int64)
    for at, (stream_id, route_id) in enumerate(folder.cells):
        place[stream_id * routes + route_id + 1] = at
    streams = _places(stream_words, plan.names.streams)
    routed = np.append(_places(route_words, plan.names.routes), -1)
    found: Array = place[streams[stream] * routes + routed[route] + 1]
    return found


def _places(words: Iterable[str], names: tuple[str, ...]) -> Array:
    """Return the plan's index of every word."""
    index = {name: at for at, name in enumerate(names)}
    # A column without any text has one empty word, which nothing points to.
    return np.array([index.get(word, -1) for word in words], dtype=np.int64)
