"""Many replications of one scenario as one answer with intervals.

Takes finished replications; gives a :class:`~sim.analysis.summary.Summary` in which every measure
is a mean with its 95 % interval, and the file ``replications.parquet`` that keeps every value, so
that replications can be added later without repeating the ones there are.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from math import inf, isfinite
from pathlib import Path

from sim.analysis.catalogue import CATALOGUE
from sim.analysis.censoring import PooledQuantile, Survival, pooled_quantiles
from sim.analysis.g20 import hold_against_targets
from sim.analysis.intervals import Interval, mean_interval, no_event_bound, share_interval
from sim.analysis.kinds import COUNT, SHARE, Pooling
from sim.analysis.summary import GROUPS, Measure, Measures, Summary
from sim.analysis.warm_up import Presence
from sim.errors import UserError
from sim.study.align_summaries import Blanks, blanks_of, filled
from sim.study.case import CaseTotals, Outcome
from sim.study.measure_key import name_of, pick
from sim.study.packed import figures, packed, values_in
from sim.study.replicate.replication_rows import HEADLINE, ReplicationRows

REPLICATIONS_FILE = "replications.parquet"
_FACTS_KEY = b"payroute_replications"
_FACTS = [entry.name for entry in fields(CaseTotals)]
_SEEN = [entry.name for entry in fields(Survival)]


@dataclass(frozen=True, slots=True)
class Replicated:
    """Replications of one scenario and seed, in order of their numbers.

    Attributes
    ----------
    summaries : tuple of Summary
        One per replication.
    facts : tuple of CaseTotals
        Likewise.
    presence : Presence or None
        Payments in the system over time, summed over the replications.
    """

    summaries: tuple[Summary, ...]
    facts: tuple[CaseTotals, ...]
    presence: Presence | None = None

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> Replicated:
        """Collect outcomes, in whatever order they are given."""
        ordered = sorted(outcomes, key=lambda outcome: outcome.replication)
        presence = None
        for outcome in ordered:
            presence = _summed(presence, outcome.summary.presence)
        # What is summed up is not kept of each: thousands of replications are held at once.
        summaries = tuple(replace(packed(one.summary), presence=None) for one in ordered)
        return cls(summaries, tuple(outcome.totals for outcome in ordered), presence)

    def joined(self, other: Replicated) -> Replicated:
        """Return both together, in order of number."""
        pairs = [
            *zip(self.facts, self.summaries, strict=True),
            *zip(other.facts, other.summaries, strict=True),
        ]
        pairs.sort(key=lambda pair: pair[0].replication)
        return Replicated(
            tuple(pair[1] for pair in pairs),
            tuple(pair[0] for pair in pairs),
            _summed(self.presence, other.presence),
        )

    def with_names(self, blanks: Blanks) -> Replicated:
        """Return the same replications, each with every name of the blanks."""
        alike = tuple(filled(summary, blanks) for summary in self.summaries)
        return replace(self, summaries=alike)

    def contributions(self, key: str) -> list[Measure | None]:
        """Return what each replication contributes to a measure, of which the mean is shown.

        Parameters
        ----------
        key : str
            As in :func:`~sim.study.measure_key.pick`.

        Returns
        -------
        list of Measure or None
            Its own value; of quantiles that allow for open payments its part in that of all
            replications together. None where it has none.
        """
        definition = CATALOGUE.get(name_of(key))
        if definition is None or definition.pooling is not Pooling.KAPLAN_MEIER:
            return [pick(summary, key) for summary in self.summaries]
        pooled, unit = self._pooled_quantiles()[definition.name], definition.kind.unit
        width = 0.0 if pooled.value is None else pooled.value.width
        by_run = pooled.by_run or [None] * len(self.summaries)
        return [None if value is None else Measure(value, unit, width=width) for value in by_run]

    def values(self, key: str) -> list[float]:
        """Return what each replication contributes to a measure, left out where that is nothing."""
        found = self.contributions(key)
        return [float(m.value) for m in found if m is not None and m.value is not None]

    def _pooled_quantiles(self) -> dict[str, PooledQuantile]:
        """Return the quantiles of the payments of all replications together, by measure."""
        seen = [summary.survival for summary in self.summaries if summary.survival is not None]
        is_known = len(seen) == len(self.summaries) > 1
        known = pooled_quantiles(seen) if is_known else {}
        return {
            measure.name: known.get(measure.quantile, PooledQuantile(None))
            for measure in CATALOGUE.values()
            if measure.pooling is Pooling.KAPLAN_MEIER and measure.quantile is not None
        }

    def summary(self) -> Summary:
        """Return all measures as means over replications with intervals."""
        first = self.summaries[0]
        if len(self.summaries) == 1:
            return replace(first, presence=self.presence)
        blanks = blanks_of(self.summaries)
        alike = [filled(summary, blanks) for summary in self.summaries]
        by = {
            group: {name: _pooled([s.by[group][name] for s in alike]) for name in blanks[group]}
            for group in GROUPS
        }
        headline = _pooled([summary.measures for summary in self.summaries])
        for name, pooled in self._pooled_quantiles().items():
            if name in headline:
                unit, value, ends = headline[name].unit, pooled.value, (pooled.low, pooled.high)
                headline[name] = (
                    Measure(None, unit)
                    if value is None
                    else Measure(value.middle, unit, *ends, width=value.width)
                )
        return Summary(
            scenario=first.scenario,
            seed=first.seed,
            engine=first.engine,
            replications=len(self.summaries),
            covers=first.covers,
            measures=headline,
            by=by,
            crossing=first.crossing,
            g20=hold_against_targets(headline, by["corridor"], first.crossing),
            presence=self.presence,
        )


def measure_interval(name: str, sets: Sequence[Measures]) -> Interval | None:
    """Return the interval of one measure over replications.

    Parameters
    ----------
    name : str
        Its name.
    sets : sequence of Measures
        One per replication.

    Returns
    -------
    Interval or None
        None where no replication has a value.
    """
    found = figures(name, sets)
    if found is None:
        return None
    known, width = found
    interval = mean_interval(known, width=width)
    measure = CATALOGUE.get(name)
    if measure is None:
        return interval
    if interval.standard_error == 0 and interval.value == 0 and measure.trials is None:
        # Nothing in any of them: a spread of 0 says nothing of how rare something is.
        high = no_event_bound(len(known)) if measure.kind is COUNT else inf
        return replace(interval, high=high)
    if measure.kind.unit != SHARE.unit:
        return interval
    if measure.trials is not None and interval.standard_error == 0 and interval.value in (0.0, 1.0):
        counted = [found for found in sets if name in found and found[name].value is not None]
        trials = sum(round(measure.trials(found)) for found in counted)
        if trials > 0:
            return share_interval(round(interval.value * trials), trials)
    return replace(interval, low=max(interval.low, 0.0), high=min(interval.high, 1.0))


def write_replications(path: Path, replicated: Replicated, provenance: dict[str, str]) -> None:
    """Write every value of every replication, a row each.

    Parameters
    ----------
    path : Path
        The file; replaced whole.
    replicated : Replicated
        What to keep.
    provenance : dict of str to str
        Goes into the file's metadata.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from sim.tables.whole_file import write_whole

    first = replicated.summaries[0]
    kept = {
        "scenario": first.scenario,
        "seed": first.seed,
        "engine": first.engine,
        "covers": first.covers,
        "crossing": first.crossing,
        "survival": _packed([summary.survival for summary in replicated.summaries]),
        "presence": None if replicated.presence is None else asdict(replicated.presence),
        "facts": [[getattr(fact, name) for name in _FACTS] for fact in replicated.facts],
    }
    metadata = {**provenance, _FACTS_KEY.decode(): json.dumps(kept)}
    rows = ReplicationRows(
        [fact.replication for fact in replicated.facts],
        [values_in(packed(summary)) for summary in replicated.summaries],
    )
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, rows.schema.with_metadata(metadata), compression="lz4") as writer:
        for table in rows.tables():
            writer.write_table(table.replace_schema_metadata(metadata))
    write_whole(path, sink.getvalue().to_pybytes())


def read_replications(path: Path) -> Replicated:
    """Read what :func:`write_replications` wrote.

    Raises
    ------
    UserError
        If the file is not there.
    """
    import pyarrow.parquet as pq

    if not path.exists():
        raise UserError(
            f"{path}: missing; replications can be added only to a run made with --replications"
        )
    table = pq.read_table(path)
    kept = json.loads(table.schema.metadata[_FACTS_KEY])
    facts = tuple(CaseTotals(*row) for row in kept["facts"])
    found: dict[int, dict[str, dict[str, dict[str, Measure]]]] = {
        fact.replication: {} for fact in facts
    }
    for number, group, name, key, value, unit, width in zip(
        *(column.to_pylist() for column in table.columns), strict=True
    ):
        measures = found[number].setdefault(group, {}).setdefault(name, {})
        measures[key] = Measure(value, unit, width=width)
    survivals = _unpacked(kept.get("survival"), len(facts))
    summaries, crossing = [], tuple(kept["crossing"])
    for fact, survival in zip(facts, survivals, strict=True):
        own = found[fact.replication]
        measures = own[HEADLINE][""]
        summary = Summary(
            scenario=kept["scenario"],
            seed=kept["seed"],
            engine=kept["engine"],
            replications=1,
            covers=kept["covers"],
            measures=measures,
            by={group: own.get(group, {}) for group in GROUPS},
            crossing=crossing,
            g20=hold_against_targets(measures, own.get("corridor", {}), crossing),
            survival=survival,
        )
        summaries.append(summary)
    followed = kept.get("presence")
    if followed is None:
        return Replicated(tuple(summaries), facts)
    followed["inside_us"] = tuple(followed["inside_us"])
    return Replicated(tuple(summaries), facts, Presence(**followed))


def _packed(survivals: Sequence[Survival | None]) -> str:
    """Write what each replication saw as text; thousands of small numbers, hence compressed."""
    # Field by field: ``asdict`` would copy every number by itself.
    text = json.dumps(
        [None if one is None else {name: getattr(one, name) for name in _SEEN} for one in survivals]
    )
    return base64.b64encode(zlib.compress(text.encode())).decode()


def _unpacked(packed: str | None, count: int) -> list[Survival | None]:
    if packed is None:
        return [None] * count
    rows = json.loads(zlib.decompress(base64.b64decode(packed)))
    return [
        None if row is None else Survival(**{name: tuple(part) for name, part in row.items()})
        for row in rows
    ]


def _summed(one: Presence | None, other: Presence | None) -> Presence | None:
    if one is None or other is None:
        return one or other
    return one.joined(other)


def _pooled(sets: Sequence[Measures]) -> dict[str, Measure]:
    """Return each measure as mean and interval."""
    found: dict[str, Measure] = {}
    names = dict.fromkeys(name for measures in sets for name in measures)
    for name in names:
        unit = next(measures[name].unit for measures in sets if name in measures)
        interval = measure_interval(name, sets)
        if interval is None:
            found[name] = Measure(None, unit)
            continue
        # Without a spread there is no interval: one replication, or nothing in any of them.
        is_known = isfinite(interval.high - interval.low)
        low, high = (interval.low, interval.high) if is_known else (None, None)
        found[name] = Measure(interval.value, unit, low, high, interval.width)
    return found
