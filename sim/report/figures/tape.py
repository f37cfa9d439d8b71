"""The tape of a run, or of arms of a comparison: which payment was served where and when.

Takes a run that recorded its stages, or what a comparison kept of each arm; gives places, how many
payments went from which to which, and the way of every payment in whole milliseconds, for a player
to show. Only payments the summary covers are on a tape; those of the background show as the queue
of the place where most wait.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sim.model.members import group_names
from sim.report.figures.journeys import Row, covered_payments, covered_table, visits_of
from sim.report.figures.of_run import Told
from sim.study.compare.comparison import Comparison
from sim.study.compare.customers import (
    ARMS_MAX,
    CUSTOMERS_MAX,
    LANE_INTERVALS,
    RunSample,
    customer_digests,
)
from sim.tables.finished_run import FinishedRun
from sim.tables.schemas import FAILURES, PAYMENTS_FILE, SERIES_FILE, STAGES_FILE

PLACES_OF_A_COLUMN = 7
"""Places that stand below each other; of more the least used are one."""
MS_US = 1000


@dataclass(frozen=True, slots=True)
class Place:
    """Where payments are served: a column from the payer's side to the payee's, and a row in it."""

    name: str
    column: int
    row: int


@dataclass(frozen=True, slots=True)
class Way:
    """Payments that went from one place to another, and how many of them ended badly."""

    start: int
    end: int
    payments: int
    failed: int


@dataclass(frozen=True, slots=True)
class Tape:
    """What a player shows.

    Attributes
    ----------
    places : tuple of Place
    ways : tuple of Way
    payments : tuple of tuples
        Number, corridor and route, outcome, then steps: instant in ms, place. The number is the
        payment's own, or that of the customer where arms are played beside each other.
    horizon_ms : int
    lane : tuple of int
        Longest queue of each interval, of the place named ``lane_place``.
    lane_place : str
    bands_ms : tuple of (int, int)
        When something went wrong.
    left_out : int
        Payments that are not on the tape.
    """

    places: tuple[Place, ...]
    ways: tuple[Way, ...]
    payments: tuple[tuple[int, str, str, tuple[tuple[int, int], ...]], ...]
    horizon_ms: int
    lane: tuple[int, ...]
    lane_place: str
    bands_ms: tuple[tuple[int, int], ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class Recording:
    """Tapes that run on one clock.

    Attributes
    ----------
    arms : tuple of (str, Tape)
        Each with the name of its arm; of a single run there is one, without a name.
    customers : tuple of str
        What the customer of each number is called; empty where payments have numbers of their own.
    """

    arms: tuple[tuple[str, Tape], ...]
    customers: tuple[str, ...] = ()

    @property
    def horizon_ms(self) -> int:
        """Return when the last of them ends."""
        return max(tape.horizon_ms for _, tape in self.arms)


_Tracked = tuple[int, Row, list[tuple[int, str]]]
"""Number, row of ``payments.parquet``, instants in us with places."""


def make_recording(told: Told) -> Recording | None:
    """Return the tape of a run by itself, None where its stages were not recorded.

    Parameters
    ----------
    told : Told
    """
    tape = make_tape(told)
    return None if tape is None else Recording((("", tape),))


def recording_of_arms(found: Comparison) -> Recording | None:
    """Return the tapes of the arms of a comparison, in which a customer has one number.

    Parameters
    ----------
    found : Comparison

    Returns
    -------
    Recording or None
        None where nothing was kept of two arms, or no payment went anywhere.
    """
    return _of_samples(found.samples)


def recording_of_runs(runs: Sequence[tuple[str, Told]]) -> Recording | None:
    """Return the tapes of several runs, in which a customer has one number.

    Parameters
    ----------
    runs : sequence of (str, Told)
        With their names; those that recorded no stages, and all but the first few, are left out.

    Returns
    -------
    Recording or None
        None where fewer than two can be played.
    """
    played = [one for one in runs if one[1].run.has(PAYMENTS_FILE) and one[1].run.has(STAGES_FILE)]
    played = played[:ARMS_MAX]
    most = CUSTOMERS_MAX // max(len(played), 1)
    return _of_samples({name: _sample_of(told, most) for name, told in played})


def _sample_of(told: Told, most: int) -> RunSample:
    """Return customers of a finished run, chosen as a comparison chooses them."""
    run = told.run
    table = covered_table(run, told.summary.covers)
    streams = table.column("stream").combine_chunks()
    digests = customer_digests(
        streams.dictionary.to_pylist(),
        streams.indices.to_numpy(zero_copy_only=False).astype(np.int64),
        table.column("ordinal").to_numpy(),
    )
    kept = np.sort(np.argsort(digests, kind="stable")[:most])
    rows: list[Row] = table.take(pa.array(kept)).to_pylist()
    numbers = [int(str(row["payment_id"])) for row in rows]
    visits = visits_of(run, set(numbers))
    horizon_us = told.scenario.clock.horizon
    lane, place = _lane(run, horizon_us)
    return RunSample(
        tuple(rows),
        {number: visits.get(number, []) for number in numbers},
        table.num_rows - len(rows),
        horizon_us,
        lane,
        place,
        told.disrupted,
        group_names(told.scenario.institutions),
    )


def _of_samples(samples: Mapping[str, RunSample]) -> Recording | None:
    # By submission in the first arm that has them, so that numbers rise with time.
    numbers: dict[tuple[str, int], int] = {}
    for sample in samples.values():
        for row in sample.payments:
            numbers.setdefault(_customer(row), len(numbers))
    arms = [
        (name, tape)
        for name, sample in samples.items()
        if (tape := _tape_of_sample(sample, numbers)) is not None
    ]
    if len(arms) < 2:
        return None
    return Recording(tuple(arms), tuple(f"{stream} {number}" for stream, number in numbers))


def _customer(row: Row) -> tuple[str, int]:
    return str(row["stream"]), int(str(row["ordinal"]))


def _tape_of_sample(sample: RunSample, numbers: Mapping[tuple[str, int], int]) -> Tape | None:
    tracked = [
        (
            numbers[_customer(row)],
            row,
            _track(row, sample.visits[int(str(row["payment_id"]))], sample.groups),
        )
        for row in sample.payments
    ]
    lane = (sample.queue, sample.queue_place)
    return _tape(tracked, sample.horizon_us, lane, sample.disrupted, sample.left_out)


def make_tape(told: Told) -> Tape | None:
    """Return the tape of a run, None where its stages were not recorded.

    Parameters
    ----------
    told : Told
    """
    run = told.run
    if not (run.has(PAYMENTS_FILE) and run.has(STAGES_FILE)):
        return None
    payments, left_out = covered_payments(run, told.summary.covers)
    visits = visits_of(run, {int(str(row["payment_id"])) for row in payments})
    groups = group_names(told.scenario.institutions)
    numbers = [int(str(row["payment_id"])) for row in payments]
    tracked = [
        (number, row, _track(row, visits.get(number, []), groups))
        for number, row in zip(numbers, payments, strict=True)
    ]
    horizon_us = told.scenario.clock.horizon
    return _tape(tracked, horizon_us, _lane(run, horizon_us), told.disrupted, left_out)


def _tape(
    tracked: Sequence[_Tracked],
    horizon_us: int,
    lane: tuple[tuple[int, ...], str],
    disrupted: Iterable[tuple[int, int]],
    left_out: int,
) -> Tape | None:
    """Return the tape of payments that went somewhere, None where none did."""
    tracked = [one for one in tracked if len(one[2]) > 1]
    if not tracked:
        return None
    called = folded(track for _, _, track in tracked)
    places, at = _places([[called[name] for _, name in track] for _, _, track in tracked])
    horizon_ms = horizon_us // MS_US
    made = tuple(
        (
            number,
            str(row["route"] or "no route"),
            str(row["outcome"])
            if row["reason_code"] is None
            else f"{row['outcome']}, {row['reason_code']}",
            tuple((time_us // MS_US, at[called[name]]) for time_us, name in track),
        )
        for number, row, track in tracked
    )
    bands = tuple(
        (max(start_us, 0) // MS_US, min(stop_us // MS_US, horizon_ms))
        for start_us, stop_us in disrupted
        if start_us // MS_US < horizon_ms
    )
    return Tape(places, _ways(made), made, horizon_ms, *lane, bands, left_out)


def _track(row: Row, visits: Sequence[Row], groups: Mapping[str, str]) -> list[tuple[int, str]]:
    """Return when a payment came to which place, from its corridor to where it ended."""
    track = [(int(str(row["submitted_us"])), str(row["corridor"]))]
    for visit in visits:
        station = visit["station"]
        if station is None:
            continue
        place = str(station).rpartition(".")[0] or str(station)
        place = groups.get(place, place)
        if place != track[-1][1]:
            track.append((int(str(visit["queued_us"])), place))
    end = row["end_us"]
    if end is not None:
        track.append((int(str(end)), track[-1][1]))
    return track


def folded(tracks: Iterable[list[tuple[int, str]]]) -> dict[str, str]:
    """Return what each place is called: of places of one rank the least used are one."""
    used: Counter[str] = Counter()
    ranks: dict[str, list[int]] = defaultdict(list)
    for track in tracks:
        seen: dict[str, int] = {}
        for _, name in track:
            seen.setdefault(name, len(seen))
        for name, rank in seen.items():
            used[name] += 1
            ranks[name].append(rank)
    columns: dict[int, list[str]] = defaultdict(list)
    for name, found in ranks.items():
        columns[round(sum(found) / len(found))].append(name)
    called = {name: name for name in used}
    for names in columns.values():
        order = sorted(names, key=lambda name: (-used[name], name))
        if len(order) > PLACES_OF_A_COLUMN:
            rest = order[PLACES_OF_A_COLUMN - 1 :]
            called |= dict.fromkeys(rest, f"{len(rest)} others")
    return called


def _places(tracks: Sequence[Sequence[str]]) -> tuple[tuple[Place, ...], dict[str, int]]:
    """Return every place with its column, by where on their way payments meet it on average."""
    ranks: dict[str, list[int]] = defaultdict(list)
    for track in tracks:
        for rank, name in enumerate(dict.fromkeys(track)):
            ranks[name].append(rank)
    column = {name: round(sum(found) / len(found)) for name, found in ranks.items()}
    dense = {rank: at for at, rank in enumerate(sorted(set(column.values())))}
    places: list[Place] = []
    rows: Counter[int] = Counter()
    for name in sorted(column, key=lambda one: (column[one], one)):
        at = dense[column[name]]
        places.append(Place(name, at, rows[at]))
        rows[at] += 1
    return tuple(places), {place.name: at for at, place in enumerate(places)}


def _ways(
    payments: Sequence[tuple[int, str, str, tuple[tuple[int, int], ...]]],
) -> tuple[Way, ...]:
    """Return how many payments went from which place to which."""
    went: Counter[tuple[int, int]] = Counter()
    failed: Counter[tuple[int, int]] = Counter()
    for _, _, outcome, steps in payments:
        moves = ((one[1], other[1]) for one, other in pairwise(steps) if one[1] != other[1])
        # A payment that goes a way twice is one payment.
        for start, end in dict.fromkeys(moves):
            went[start, end] += 1
            failed[start, end] += outcome.startswith(FAILURES)
    return tuple(Way(*pair, went[pair], failed[pair]) for pair in sorted(went))


def _lane(run: FinishedRun, horizon_us: int) -> tuple[tuple[int, ...], str]:
    """Return the longest queue of each interval, of the place where most wait over the run."""
    if not run.has(SERIES_FILE):
        return (), ""
    table = run.table(SERIES_FILE)
    table = table.filter(
        (pc.field("measure") == "queue") & (pc.field("replication") == run.replications[0])
    )
    sums = table.group_by("name").aggregate([("value", "sum")]).to_pylist()
    busiest = max(sums, key=lambda row: (row["value_sum"], row["name"]), default=None)
    if busiest is None or not busiest["value_sum"]:
        return (), ""
    rows = table.filter(pc.field("name") == busiest["name"])
    time_us = rows.column("time_us").to_numpy()
    at = np.minimum(time_us * LANE_INTERVALS // max(horizon_us, 1), LANE_INTERVALS - 1).astype(
        np.int64
    )
    lane = np.zeros(LANE_INTERVALS, dtype=np.int64)
    np.maximum.at(lane, at, rows.column("value").to_numpy())
    return tuple(int(value) for value in lane), str(busiest["name"])
