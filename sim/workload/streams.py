"""Demand into payments: chunks of the workload an engine runs.

Takes one :class:`StreamDemand` per demand stream and the plan's quantile tables; gives chunks of
payments in order of submission. Every draw is keyed by the stream's name and the payment's ordinal
n, so a payment depends neither on other streams, nor on later payments, nor on how the workload is
cut into chunks. Numba is only needed once payments are drawn, not to describe demand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from sim.contract.layout import CERTAIN
from sim.contract.plan import Array
from sim.contract.records import WORKLOAD_WIDTH, WorkloadColumn
from sim.draws.keys import purpose_id
from sim.draws.layout import TABLE_LENGTH
from sim.workload.arrivals import HAZARD_MAX, HAZARD_UNIT
from sim.workload.completing import complete
from sim.workload.stream_demand import StreamDemand, classes

if TYPE_CHECKING:
    from sim.workload.loop import Streams

PURPOSES = ("arrival", "amount+payer", "agents+merchant", "code", "code_age", "instruments")
"""Purposes of the draws made here, under the payment keys of the streams."""

CHUNK_ROWS = 1 << 16

Position = Mapping[str, Array]
"""Where a workload goes on, as arrays."""

_EMPTY: Array = np.zeros((0, WORKLOAD_WIDTH), dtype=np.int64)
_EMPTY.setflags(write=False)


def draw_workload(
    table: Array,
    demands: Sequence[StreamDemand],
    *,
    horizon_us: int,
    chunk: int = CHUNK_ROWS,
    after: Position | None = None,
) -> Workload:
    """Draw the payments of all streams.

    Parameters
    ----------
    table : ndarray of int64
        ``Plan.table``: quantile tables, one after the other.
    demands : sequence of StreamDemand
        One per stream, in any order.
    horizon_us : int
        Payments at or after this instant are not produced.
    chunk : int, default 65536
        Rows per chunk; the last one may be shorter. Does not change any payment.
    after : mapping of str to ndarray of int64, optional
        Go on from here: :meth:`Workload.position` of a workload of the same streams.

    Returns
    -------
    Workload, an iterator of ndarray of int64, shape (rows, WORKLOAD_WIDTH)
        Chunks in order of (time, stream, n). Each is a new array.

    Raises
    ------
    ValueError
        If a demand contradicts itself, or two demands are for the same stream. Raised by the call,
        not by the first chunk.

    Notes
    -----
    Payment n comes when the expected number of payments reaches the sum of n + 1 unit exponential
    draws (time change of a Poisson process: D. Daley and D. Vere-Jones, "An Introduction to the
    Theory of Point Processes", 2nd ed. (2003), section 7.4). So changing a rate moves payments and
    changes nothing else about them. The inverse is exact integer arithmetic, rounded down to whole
    microseconds.
    """
    if chunk < 1:
        raise ValueError(f"chunk is {chunk}; it must be 1 or more")
    ordered = sorted(demands, key=lambda demand: demand.stream)
    # Two streams of one number would make payments of one key.
    for one, other in pairwise(ordered):
        if one.stream == other.stream:
            raise ValueError(f"{one.name} and {other.name} are both stream {other.stream}")
    for demand in ordered:
        # All of them before the first is drawn: a generator would complain only when it is
        # asked.
        _check(demand, len(table))
    return Workload(table, ordered, (horizon_us, chunk), after)


@lru_cache(maxsize=1)
def exponential_table() -> Array:
    """Return the quantile table of the unit exponential, mean HAZARD_UNIT; read-only."""
    from sim.draws.quantile import build_table

    return build_table("exponential", {"mean": float(HAZARD_UNIT)})


class Workload(Iterator[Array]):
    """Chunks of payments, drawn as they are asked for.

    Parameters
    ----------
    table : ndarray of int64
        Quantile tables.
    demands : sequence of StreamDemand
        In order of stream.
    bounds : (int, int)
        Horizon in microseconds; rows of a chunk.
    after : mapping of str to ndarray of int64, optional
        Where to go on.
    """

    def __init__(
        self,
        table: Array,
        demands: Sequence[StreamDemand],
        bounds: tuple[int, int],
        after: Position | None = None,
    ) -> None:
        self._table, self._demands, (self._horizon_us, self._rows) = table, demands, bounds
        self._after = after
        # Lists need no compiled code, so small scenarios start at once.
        is_written = all(demand.written is not None for demand in demands)
        self._chunks = self._merged() if is_written else self._drawn()
        self._streams: Streams | None = None
        self._taken = int(after["taken"][0]) if after is not None and "taken" in after else 0

    def __next__(self) -> Array:
        return next(self._chunks)

    def position(self) -> Position:
        """Return where the next chunk begins; only asked for between two chunks.

        Returns
        -------
        dict of str to ndarray of int64
            For ``after`` of :func:`draw_workload`; copies.
        """
        if self._streams is None:
            # Nothing was drawn since; or there is nothing to draw, and rows of a list are counted.
            begun = self._after is not None and "state" in self._after
            counted = {"taken": np.array([self._taken], dtype=np.int64)}
            return self._after if begun and self._after is not None else counted
        return {"state": self._streams.state.copy(), "heap": self._streams.heap.copy()}

    def _drawn(self) -> Iterator[Array]:
        """Fill chunk after chunk until no stream has another payment."""
        from sim.workload import loop

        self._streams = streams = _lay_out(self._table, self._demands)
        exponential = len(self._table)
        if self._after is None or "state" not in self._after:
            loop.begin(streams, self._horizon_us, exponential)
        else:
            # All else is laid out from what does not change.
            streams.state[:], streams.heap[:] = self._after["state"], self._after["heap"]
        while True:
            out = np.empty((self._rows, WORKLOAD_WIDTH), dtype=np.int64)
            rows = loop.fill(streams, self._horizon_us, exponential, out)
            # A chunk that is not full is the last.
            if rows == self._rows:
                yield out
                continue
            if rows > 0:
                # A copy: the rest of the chunk's memory is given back.
                yield out[:rows].copy()
            return

    def _merged(self) -> Iterator[Array]:
        """Cut chunks of lists alone, for which nothing need be compiled."""
        rows = np.concatenate(
            [_EMPTY, *(complete(demand, self._table) for demand in self._demands)]
        )
        rows = rows[rows[:, WorkloadColumn.TIME_US] < self._horizon_us]
        keys = [WorkloadColumn.ORDINAL, WorkloadColumn.STREAM, WorkloadColumn.TIME_US]
        # The last key counts most: time, then stream, then ordinal.
        order = np.lexsort(tuple(rows[:, column] for column in keys))
        for first in range(self._taken, len(order), self._rows):
            chosen = order[first : first + self._rows]
            self._taken = first + len(chosen)
            yield rows[chosen]


def _lay_out(table: Array, demands: Sequence[StreamDemand]) -> Streams:
    """Put all streams into arrays."""
    from sim.workload import loop

    pieces: list[Array] = []
    length = 0

    # All streams' arrays one after the other in one: compiled code takes one array and many
    # offsets.
    def place(values: Array) -> int:
        nonlocal length
        first = length
        pieces.append(np.asarray(values, dtype=np.int64))
        length += len(values)
        return first

    setting = np.zeros((len(demands), loop.SETTING_WIDTH), dtype=np.int64)
    key = np.zeros((len(demands), 4), dtype=np.int64)
    written = [_EMPTY]
    written_count = 0
    for s, demand in enumerate(demands):
        key[s] = demand.key
        for column, value in _settings(demand, place).items():
            setting[s, column] = value
        setting[s, loop.WRITTEN_FIRST] = written_count
        if demand.written is not None:
            written.append(complete(demand, table))
            written_count += len(demand.written)
    return loop.Streams(
        key=key,
        purpose=np.array([purpose_id(name) for name in PURPOSES], dtype=np.int64),
        setting=setting,
        pool=np.concatenate([*pieces, np.zeros(0, dtype=np.int64)]),
        written=np.concatenate(written),
        table=np.concatenate((table, exponential_table())),
        state=np.zeros((len(demands), loop.STATE_WIDTH), dtype=np.int64),
        heap=np.zeros(len(demands) + 1, dtype=np.int64),
    )


def _settings(demand: StreamDemand, place: Callable[[Array], int]) -> dict[int, int]:
    """Return a stream's settings by column, having its arrays placed."""
    from sim.workload import loop

    # The digits of the long division that inverts the hazard; see ``workload.loop.scaled``.
    shifts = [62 - max(rise, 1).bit_length() for rise in np.diff(demand.hazard).tolist()]
    # No stream reaches it, so the loop needs no case for "no bound".
    unbounded = np.iinfo(np.int64).max
    count = unbounded if demand.count_max < 0 else demand.count_max
    return {
        loop.STREAM: demand.stream,
        loop.IS_WRITTEN: int(demand.written is not None),
        loop.COUNT: count if demand.written is None else len(demand.written),
        loop.HAZARD_TIME_FIRST: place(demand.hazard_time_us),
        loop.HAZARD_FIRST: place(demand.hazard),
        loop.HAZARD_SHIFT_FIRST: place(np.array(shifts, dtype=np.int64)),
        loop.HAZARD_COUNT: len(demand.hazard),
        loop.AMOUNT_FIXED: demand.amount_fixed,
        loop.AMOUNT_TABLE: demand.amount_table,
        loop.AMOUNT_GRANULE: demand.amount_granule,
        loop.AMOUNT_LEAST: demand.amount_least,
        loop.PAYERS: demand.payers,
        loop.PAYER_SKEW: demand.payer_skew,
        loop.DEBTOR_AGENT_FIRST: place(demand.debtor_agent),
        loop.DEBTOR_CUMULATIVE_FIRST: place(demand.debtor_cumulative62),
        loop.DEBTOR_COUNT: len(demand.debtor_agent),
        loop.MERCHANT_FIRST: place(demand.merchant),
        loop.MERCHANT_AGENT_FIRST: place(demand.merchant_agent),
        loop.MERCHANT_ROUTE_SET_FIRST: place(demand.merchant_route_set),
        loop.MERCHANT_DAMAGED_FIRST: place(demand.merchant_is_damaged),
        loop.MERCHANT_EXPIRY_FIRST: place(demand.merchant_expiry_us),
        loop.MERCHANT_COUNT: len(demand.merchant),
        loop.CREDITOR_AGENT_FIRST: place(demand.creditor_agent),
        loop.CREDITOR_CUMULATIVE_FIRST: place(demand.creditor_cumulative62),
        loop.CREDITOR_COUNT: len(demand.creditor_agent),
        loop.ROUTE_SET: demand.default_route_set,
        loop.STATIC_THRESHOLD: demand.static_threshold62,
        loop.DYNAMIC_LIFE_US: demand.dynamic_life_us,
        loop.CODE_AGE_TABLE: demand.code_age_table,
        loop.DAMAGED_THRESHOLD: demand.damaged_threshold62,
        loop.INSTRUMENT_COUNT: len(demand.instrument),
        loop.INSTRUMENT_FIRST: place(demand.instrument),
        loop.INSTRUMENT_CUMULATIVE_FIRST: place(demand.instrument_cumulative62),
        loop.SECOND_CUMULATIVE_FIRST: place(demand.second_cumulative62),
        loop.INSTRUMENT_ROUTE_SET_FIRST: place(demand.instrument_route_set),
        loop.DEBTOR_CLASS_FIRST: place(demand.debtor_class),
        loop.DEBTOR_CLASSES: classes(demand.debtor_class),
        loop.CREDITOR_CLASS_FIRST: place(demand.creditor_class),
        loop.CREDITOR_CLASSES: classes(demand.creditor_class),
    }


def _check(demand: StreamDemand, table_length: int) -> None:
    """Refuse a demand whose parts do not fit together; compiled code would read past an end."""
    name = demand.name
    _check_shares(name, "debtor", demand.debtor_agent, demand.debtor_cumulative62)
    _check_shares(name, "payer's", demand.instrument, demand.instrument_cumulative62)
    if len(demand.second_cumulative62) != len(demand.instrument) ** 2:
        raise ValueError(f"{name}: needed: a threshold for every pair of instruments")
    _check_shares(name, "creditor", demand.creditor_agent, demand.creditor_cumulative62)
    if demand.written is not None:
        _check_written(demand, demand.written)
        return
    _check_hazard(demand)
    stretch = demand.merchant_route_set[: len(demand.merchant)]
    pool = (demand.merchant_agent, stretch, demand.merchant_is_damaged, demand.merchant_expiry_us)
    carried = max(len(demand.instrument), 1) * classes(demand.debtor_class)
    if any(len(part) != len(demand.merchant) for part in pool) or len(
        demand.merchant_route_set
    ) != carried * len(demand.merchant):
        raise ValueError(f"{name}: the pool of merchants has columns of different lengths")
    needed = carried * classes(demand.creditor_class)
    is_classed = demand.has_classes and not len(demand.merchant)
    if is_classed and len(demand.instrument_route_set) != needed:
        raise ValueError(f"{name}: needed: {needed} routes, one for each class at either end")
    if demand.payers < 1 or demand.payer_skew < 1 or demand.amount_granule < 1:
        raise ValueError(
            f"{name}: payers {demand.payers}, payer_skew {demand.payer_skew} and amount_granule "
            f"{demand.amount_granule} must all be 1 or more"
        )
    tables = {"code_age_table": demand.code_age_table} if demand.code_age_table >= 0 else {}
    if demand.amount_fixed < 0:
        tables["amount_table"] = demand.amount_table
    for label, offset in tables.items():
        if not 0 <= offset <= table_length - TABLE_LENGTH:
            raise ValueError(
                f"{name}: {label} {offset} is no offset of a table; tables have "
                f"{TABLE_LENGTH} entries, all together {table_length}"
            )


def _check_shares(name: str, role: str, agent: Array, cumulative62: Array) -> None:
    """Refuse thresholds that do not choose exactly one agent for every draw."""
    if len(agent) != len(cumulative62):
        raise ValueError(f"{name}: {len(agent)} {role} agents have {len(cumulative62)} thresholds")
    # An empty last stretch would leave draws without an agent.
    if len(agent) and (int(cumulative62[-1]) != CERTAIN or (np.diff(cumulative62) < 0).any()):
        raise ValueError(f"{name}: thresholds of {role} agents must ascend to 2^62")


def _check_hazard(demand: StreamDemand) -> None:
    """Refuse breakpoints that time cannot be read from."""
    times, hazard = demand.hazard_time_us, demand.hazard
    if len(times) != len(hazard) or len(times) < 2:
        raise ValueError(
            f"{demand.name}: {len(times)} times and {len(hazard)} hazards; both need the same "
            "number of breakpoints, two at least"
        )
    if (np.diff(times) < 0).any() or (np.diff(hazard) < 0).any():
        raise ValueError(f"{demand.name}: breakpoints of the hazard must not fall")
    if int(times[0]) < 0 or int(hazard[0]) != 0 or int(hazard[-1]) > HAZARD_MAX:
        raise ValueError(
            f"{demand.name}: times begin at {int(times[0])}, hazard runs from {int(hazard[0])} to "
            f"{int(hazard[-1])}; allowed: times from 0 on, hazard from 0 to {HAZARD_MAX}"
        )


def _check_written(demand: StreamDemand, written: Array) -> None:
    """Refuse a list that is not in order or belongs to another stream."""
    if written.ndim != 2 or written.shape[1] != WORKLOAD_WIDTH:
        raise ValueError(
            f"{demand.name}: the written payments have the shape {written.shape}; "
            f"needed: (payments, {WORKLOAD_WIDTH})"
        )
    if (written[:, WorkloadColumn.STREAM] != demand.stream).any():
        raise ValueError(f"{demand.name}: a written payment is not of stream {demand.stream}")
    time_us, ordinal = written[:, WorkloadColumn.TIME_US], written[:, WorkloadColumn.ORDINAL]
    rises = (np.diff(time_us) > 0) | ((np.diff(time_us) == 0) & (np.diff(ordinal) > 0))
    if not rises.all():
        at = int(np.argmin(rises)) + 1
        raise ValueError(
            f"{demand.name}: written payment {at} is not after the one before it; they must "
            "ascend in (time, ordinal)"
        )
