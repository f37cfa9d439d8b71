"""Payments as an event log of process mining (XES, IEEE 1849-2016): a trace per payment.

Takes an :class:`~sim.report.exporting.Export`; writes XML. Without stages recorded a trace holds
what happened to the payment as a whole; with them, when each visit was scheduled, started and
completed too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from xml.sax.saxutils import quoteattr

from sim.report.exporting import Export, Exporter
from sim.tables.lives import Life, Visit

_TEXTS = (
    "scope", "corridor", "stream", "route", "channel", "debtor_agent", "creditor_agent",
    "instrument", "instructed_currency", "debited_currency", "credited_currency", "outcome",
    "reason_code",
)  # fmt: skip
_NUMBERS = (
    "replication", "instructed_amount_minor", "debited_amount_minor", "credited_amount_minor",
    "payer_fee_minor", "fx_margin_minor", "merchant_fee_minor", "attempts", "requotes",
)  # fmt: skip
_KEPT = ("seed", "plan_hash", "digest")
"""Facts of the run that go with the log."""
_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849.2016" xes.features="" xmlns="http://www.xes-standard.org/">
<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
<extension name="Lifecycle" prefix="lifecycle" uri="http://www.xes-standard.org/lifecycle.xesext"/>
<extension name="Organizational" prefix="org" uri="http://www.xes-standard.org/org.xesext"/>
<extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
<global scope="trace">
<string key="concept:name" value="__INVALID__"/>
</global>
<global scope="event">
<string key="concept:name" value="__INVALID__"/>
<string key="lifecycle:transition" value="complete"/>
<date key="time:timestamp" value="1970-01-01T00:00:00.000000+00:00"/>
</global>
<classifier name="Activity" keys="concept:name"/>
<classifier name="Activity and transition" keys="concept:name lifecycle:transition"/>
"""

_Event = tuple[int, str, str, str | None, str | None]
"""Microseconds, activity, transition, resource, cause of time."""


def write(export: Export, path: Path) -> None:
    """Write the log."""
    with path.open("w", encoding="utf-8", newline="\n") as sink:
        sink.write(_HEAD)
        facts = export.run.facts
        about = {"concept:name": facts.get("scenario", ""), "lifecycle:model": "standard"}
        about |= {f"payroute:{name}": facts.get(name, "") for name in _KEPT}
        sink.writelines(_attribute("string", key, str(value)) for key, value in about.items())
        instant = export.clock()
        for life in export.lives():
            sink.writelines(_trace(export.name(life), life, instant))
        sink.write("</log>\n")


def _trace(name: str, life: Life, instant: Callable[[int], str]) -> Iterator[str]:
    yield "<trace>\n"
    yield _attribute("string", "concept:name", name)
    for key in _TEXTS:
        if life.fields[key] is not None:
            yield _attribute("string", key, str(life.fields[key]))
    for key in _NUMBERS:
        if life.fields[key] is not None:
            yield f'<int key="{key}" value="{life.fields[key]}"/>\n'
    for event in sorted(_events(life), key=_time):
        yield f'<event>\n<date key="time:timestamp" value="{instant(event[0])}"/>\n'
        yield _said(*event[1:])
    yield "</trace>\n"


@lru_cache(maxsize=4096)
def _said(activity: str, transition: str, resource: str | None, cause: str | None) -> str:
    """Return what an event says besides its time: the same few thousand times over."""
    said = {"concept:name": activity, "lifecycle:transition": transition}
    said |= {} if resource is None else {"org:resource": resource}
    said |= {} if cause is None else {"cause": cause}
    told = "".join(_attribute("string", key, value) for key, value in said.items())
    return f"{told}</event>\n"


def _time(event: _Event) -> int:
    return event[0]


def _events(life: Life) -> Iterator[_Event]:
    """Yield what happened; of one instant what ended, what that brought about, what began."""
    waiting = life.milestones()
    for visit in life.visits:
        while waiting and waiting[0][1] <= visit.queued_us:
            name, time_us = waiting.pop(0)
            yield time_us, name, "complete", None, None
        yield from _of_visit(visit)
    for name, time_us in waiting:
        yield time_us, name, "complete", None, None


def _of_visit(visit: Visit) -> Iterator[_Event]:
    what = visit.activity, visit.station, visit.cause
    if visit.started_us is None or visit.started_us > visit.queued_us:
        yield visit.queued_us, what[0], "schedule", what[1], what[2]
    if visit.started_us is not None:
        yield visit.started_us, what[0], "start", what[1], what[2]
    if visit.ended_us is not None:
        # Of what left the queue the standard says that it was aborted.
        end = "ate_abort" if visit.started_us is None else "complete"
        yield visit.ended_us, what[0], end, what[1], what[2]


@lru_cache(maxsize=4096)
def _attribute(kind: str, key: str, value: str) -> str:
    return f"<{kind} key={quoteattr(key)} value={quoteattr(value)}/>\n"


EXPORTER = Exporter("event log for process mining, XML (IEEE 1849 XES)", ".xes", write)
