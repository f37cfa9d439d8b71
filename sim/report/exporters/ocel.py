"""Payments, institutions, routes and stations as an object-centric event log (OCEL 2.0, JSON).

Takes an :class:`~sim.report.exporting.Export`; writes one JSON object: events first, each with the
objects it concerns, objects and types last, as they are known by then. Payments are read twice and
never held.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

from sim.report.exporting import Export, Exporter
from sim.tables.lives import Life

_TEXTS = (
    "scope", "corridor", "stream", "channel", "instrument", "instructed_currency",
    "debited_currency", "credited_currency", "outcome", "reason_code",
)  # fmt: skip
_NUMBERS = (
    "replication", "instructed_amount_minor", "debited_amount_minor", "credited_amount_minor",
    "payer_fee_minor", "fx_margin_minor", "merchant_fee_minor", "attempts", "requotes",
)  # fmt: skip
_PARTIES = {
    "debtor_agent": ("institution", "payer's institution"),
    "creditor_agent": ("institution", "payee's institution"),
    "route": ("route", "route"),
}
"""Columns that name an object: its type, and what it is to the payment."""
_BROUGHT_BY = {"submitted": "debtor_agent", "quoted": "route", "credited": "creditor_agent"}
"""Whom else something concerns that happens to a payment as a whole."""
_VISIT_FIELDS = {"started": "time", "waited_us": "integer", "cause": "string"}

_Object = tuple[str, str]
"""Type and name."""


def write(export: Export, path: Path) -> None:
    """Write the log."""
    with path.open("w", encoding="utf-8", newline="\n") as sink:
        log = _Log(export, sink)
        log.events()
        log.objects()
        log.types()


class _Log:
    """One log under way."""

    def __init__(self, export: Export, sink: TextIO) -> None:
        self._export, self._sink, self._instant = export, sink, export.clock()
        self._activities: dict[str, bool] = {}
        self._others: dict[_Object, None] = {}

    def events(self) -> None:
        """Write every event."""
        self._sink.write('{"events": [')
        self._list(event for life in self._export.lives() for event in self._of(life))

    def objects(self) -> None:
        """Write every object: payments, and what events and payments named."""
        self._sink.write('"objects": [')
        self._list(self._objects())

    def types(self) -> None:
        """Write the types of both."""
        payment = [{"name": name, "type": "string"} for name in _TEXTS]
        payment += [{"name": name, "type": "integer"} for name in _NUMBERS]
        kinds = ("payment", "institution", "route", "station")
        objects = [{"name": k, "attributes": payment if k == "payment" else []} for k in kinds]
        visit = [{"name": name, "type": kind} for name, kind in _VISIT_FIELDS.items()]
        events = [
            {"name": name, "attributes": visit if is_visit else []}
            for name, is_visit in sorted(self._activities.items())
        ]
        told = json.dumps({"objectTypes": objects, "eventTypes": events}, ensure_ascii=False)
        self._sink.write(told.removeprefix("{") + "\n")

    def _list(self, items: Iterable[dict[str, object]]) -> None:
        """Write the items of a list that is opened already, and close it."""
        separator = "\n"
        for item in items:
            self._sink.write(separator + json.dumps(item, ensure_ascii=False))
            separator = ",\n"
        self._sink.write("\n],\n")

    def _of(self, life: Life) -> Iterator[dict[str, object]]:
        """Yield the events of a payment."""
        name, number = self._export.name(life), 0
        payment = {"objectId": f"payment:{name}", "qualifier": "payment"}
        for activity, time_us in life.milestones():
            self._activities.setdefault(activity, False)
            told = self._event(f"{name}.{number}", activity, time_us)
            party = _BROUGHT_BY.get(activity)
            related = [payment]
            if party is not None and life.fields[party] is not None:
                kind, qualifier = _PARTIES[party]
                related.append(self._related(kind, str(life.fields[party]), qualifier))
            yield {**told, "attributes": [], "relationships": related}
            number += 1
        for visit in life.visits:
            if visit.ended_us is None:
                continue
            related = [payment]
            if visit.station is not None:
                related.append(self._related("station", visit.station, "at"))
            route = visit.stage.rpartition("/")[0]
            if route and route == life.fields["route"]:
                related.append(self._related("route", route, "on"))
            waited = (visit.started_us or visit.ended_us) - visit.queued_us
            fields: list[dict[str, object]] = [
                {"name": "waited_us", "value": waited},
                {"name": "cause", "value": visit.cause},
            ]
            if visit.started_us is not None:
                started = self._instant(visit.started_us)
                fields.append({"name": "started", "value": started})
            self._activities[visit.activity] = True
            told = self._event(f"{name}.{number}", visit.activity, visit.ended_us)
            yield {**told, "attributes": fields, "relationships": related}
            number += 1

    def _event(self, made: str, activity: str, time_us: int) -> dict[str, object]:
        """Return an event without what it says and whom it concerns."""
        return {
            "id": f"event:{made}",
            "type": activity,
            "time": self._instant(time_us),
        }

    def _related(self, kind: str, name: str, qualifier: str) -> dict[str, str]:
        self._others.setdefault((kind, name))
        return {"objectId": f"{kind}:{name}", "qualifier": qualifier}

    def _objects(self) -> Iterator[dict[str, object]]:
        for life in self._export.lives(with_visits=False):
            # Known from the beginning to the end: of the instant the payment was submitted.
            since = self._instant(life.number("submitted_us") or 0)
            yield {
                "id": f"payment:{self._export.name(life)}",
                "type": "payment",
                "attributes": [
                    {"name": name, "time": since, "value": life.fields[name]}
                    for name in (*_TEXTS, *_NUMBERS)
                    if life.fields[name] is not None
                ],
                "relationships": [
                    self._related(kind, str(life.fields[column]), qualifier)
                    for column, (kind, qualifier) in _PARTIES.items()
                    if life.fields[column] is not None
                ],
            }
        for kind, name in sorted(self._others):
            yield {"id": f"{kind}:{name}", "type": kind, "attributes": [], "relationships": []}


EXPORTER = Exporter("object-centric event log, JSON (OCEL 2.0)", ".ocel.json", write)
