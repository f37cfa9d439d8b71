"""Rebuild every station from the log: who waits, who is served, what the rate allows.

Takes rows that touch a station, in order; reports to the findings what a station of that size,
discipline and rate could not have done.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from sim.contract.plan import Plan
from sim.contract.spec import (
    STATION_PSEUDO,
    Discipline,
    EventClass,
    StationColumn,
    WhenClosed,
    order_key,
)
from sim.tables.audit_findings import Findings


@dataclass(slots=True)
class _Station:
    servers: int
    queue_limit: int
    rate_count: int
    rate_period_us: int
    discipline: int
    rejects_when_closed: bool
    reason_closed: int
    busy: int = 0
    waiting: int = 0
    closed: bool = False
    tat: int = 0
    start_by_us: int = -1
    """Latest instant by which the head of the queue must start; -1 when it cannot."""
    queues: dict[int, OrderedDict[int, None]] = field(default_factory=dict)
    """Waiting payments in order of arrival, by priority."""

    def head(self) -> int:
        """Return the payment that must start next, -1 if none waits."""
        for priority in sorted(self.queues):
            queue = self.queues[priority]
            if queue:
                return next(reversed(queue) if self.discipline == Discipline.LIFO else iter(queue))
        return -1


class StationBook:
    """Keep the state of all stations.

    Parameters
    ----------
    plan : Plan
        The plan of the run.
    findings : Findings
        Where violations go.
    """

    def __init__(self, plan: Plan, findings: Findings) -> None:
        self._findings = findings
        self._stations = [
            _Station(
                row[StationColumn.SERVERS],
                row[StationColumn.QUEUE_LIMIT],
                row[StationColumn.RATE_COUNT],
                row[StationColumn.RATE_PERIOD_US],
                row[StationColumn.DISCIPLINE],
                row[StationColumn.WHEN_CLOSED] == WhenClosed.REJECT,
                row[StationColumn.REASON_CLOSED],
            )
            for row in plan.station.tolist()
        ]
        self._touched: set[int] = set()
        self._service: dict[tuple[int, int], tuple[int, int, int]] = {}

    def join(self, station: int, payment: int, priority: int) -> None:
        """Let a payment join the queue."""
        s, check = self._stations[station], self._findings.check
        check("closed", not (s.closed and s.rejects_when_closed), "station {} is closed", station)
        check(
            "capacity",
            s.waiting > 0 or not self._can_start(s),
            "payment {} waits at station {} though it could start",
            payment,
            station,
        )
        check(
            "queue_limit",
            s.waiting < s.queue_limit,
            "payment {} joins {} waiting at station {}, whose limit is {}",
            payment,
            s.waiting,
            station,
            s.queue_limit,
        )
        place = priority if s.discipline == Discipline.PRIORITY else 0
        s.queues.setdefault(place, OrderedDict())[payment] = None
        s.waiting += 1
        self._touched.add(station)

    def leave(self, station: int, payment: int, priority: int) -> None:
        """Take a payment out of the queue."""
        s = self._stations[station]
        place = priority if s.discipline == Discipline.PRIORITY else 0
        queue = s.queues.get(place)
        if queue is not None and payment in queue:
            del queue[payment]
            s.waiting -= 1
        self._touched.add(station)

    def start(self, station: int, service: tuple[int, int, int, int], is_direct: bool) -> None:
        """Start a service.

        Parameters
        ----------
        station : int
            Where.
        service : tuple of int
            Payment, its step, the stage, the service time.
        is_direct : bool
            Whether the payment came without waiting.
        """
        payment, step, stage, service_us = service
        # The caller takes a waiting payment out of the queue afterwards, with `leave`.
        s, check, now = self._stations[station], self._findings.check, self._findings.now
        check("closed", not s.closed, "station {} starts payment {} closed", station, payment)
        check(
            "capacity",
            s.busy < s.servers,
            "station {} starts payment {} with {} busy",
            station,
            payment,
            s.busy,
        )
        if s.rate_count > 0:
            check(
                "rate",
                now * s.rate_count >= s.tat,
                "station {} starts payment {} before its rate allows",
                station,
                payment,
            )
            s.tat = max(s.tat, now * s.rate_count) + s.rate_period_us
        if is_direct:
            check(
                "discipline",
                s.waiting == 0,
                "payment {} starts at station {} past {} waiting",
                payment,
                station,
                s.waiting,
            )
        else:
            head = s.head()
            check(
                "discipline",
                head == payment,
                "station {} starts payment {}, next in its queue is {}",
                station,
                payment,
                head,
            )
            self._on_time(station, s)
        check(
            "service_time", service_us >= 0, "payment {} is served for {} us", payment, service_us
        )
        s.busy += 1
        self._service[(payment, step)] = (station, now + service_us, stage)
        self._touched.add(station)

    def finish(self, station: int, payment: int, step: int, stage: int) -> None:
        """End a service, orphaned or not."""
        check, now = self._findings.check, self._findings.now
        begun = self._service.pop((payment, step), None)
        if not check(
            "service_time",
            begun is not None,
            "payment {} finishes at station {} a service that never began (step {})",
            payment,
            station,
            step,
        ):
            return
        assert begun is not None
        check(
            "service_time",
            begun == (station, now, stage),
            "payment {} finishes at station {}, stage {}, out of time or place: due {} there {}",
            payment,
            station,
            stage,
            begun[1],
            begun[0],
        )
        self._stations[begun[0]].busy -= 1
        self._touched.add(begun[0])

    def refuse(self, station: int, reason: int, stage_reason: int) -> None:
        """Check that a station had cause to refuse a payment."""
        s, check = self._stations[station], self._findings.check
        if s.closed and s.rejects_when_closed:
            check("closed", reason == s.reason_closed, "refused for reason {} when closed", reason)
            return
        is_full = (s.waiting > 0 or not self._can_start(s)) and s.waiting >= s.queue_limit
        check(
            "queue_limit",
            is_full and reason == stage_reason,
            "station {} refuses for reason {} with {} waiting, limit {}",
            station,
            reason,
            s.waiting,
            s.queue_limit,
        )

    def set_closed(self, station: int, closed: bool) -> None:
        """Open or close a station."""
        self._stations[station].closed = closed
        self._touched.add(station)

    def shown(self, station: int) -> tuple[int, int]:
        """Return queue length and busy servers, as a sample must show them."""
        s = self._stations[station]
        return s.waiting, s.busy

    def end_event(self) -> None:
        """Check that no station touched by the event leaves a payment waiting that could start."""
        for station in self._touched:
            s = self._stations[station]
            if s.waiting == 0 or s.closed or s.busy >= s.servers:
                s.start_by_us = -1
                continue
            wake_us = -(-s.tat // s.rate_count) if s.rate_count > 0 else -1
            # A wake-up due at this instant that has not had its turn yet will start it.
            wakes = self._findings.key < order_key(EventClass.COMPLETE, STATION_PSEUDO - station, 0)
            self._findings.check(
                "idle_server",
                not self._can_start(s) or (wake_us == self._findings.now and wakes),
                "station {} leaves {} waiting though it can start one",
                station,
                s.waiting,
            )
            s.start_by_us = wake_us
        self._touched.clear()

    def finish_run(self, horizon_us: int) -> None:
        """Check that every service due before the horizon has ended."""
        for (payment, _), (station, due, _) in self._service.items():
            self._findings.check(
                "service_time",
                due >= horizon_us,
                "payment {} never finished at station {}, due {}",
                payment,
                station,
                due,
            )
        for station, s in enumerate(self._stations):
            self._findings.check(
                "idle_server",
                s.start_by_us < 0 or s.start_by_us >= horizon_us,
                "station {} never woke for those waiting, due {}",
                station,
                s.start_by_us,
            )

    def _on_time(self, station: int, s: _Station) -> None:
        """Check that a station limited by its rate did not sleep past its wake-up."""
        if s.start_by_us >= 0:
            self._findings.check(
                "rate",
                self._findings.now <= s.start_by_us,
                "station {} starts after its wake-up was due at {}",
                station,
                s.start_by_us,
            )
            # Further starts of the same event may be allowed by the rate as it is by then.
            s.start_by_us = -1

    def _can_start(self, s: _Station) -> bool:
        if s.closed or s.busy >= s.servers:
            return False
        return s.rate_count <= 0 or self._findings.now * s.rate_count >= s.tat
