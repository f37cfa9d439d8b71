"""A market in which every measure of the catalogue varies: the scenario of the study of coverage.

Two wallets coming in over two agents, one going out, a ledger, queues that turn payments away, an
agent that runs short, a gateway whose answers come late, codes that cannot be paid: four minutes, a
few hundred payments, run in some milliseconds. Nothing in it is near the point at which a queue
runs away; what intervals of a handful of runs say there is a matter of chance, and the study says
how much so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sim.analysis.catalogue import CATALOGUE
from sim.analysis.definition import HEADLINE
from sim.analysis.summary import Measure, Summary
from sim.scenario.loader import dump_resolved
from sim.scenario.scenario import load_scenario
from sim.study.case import RunOptions
from sim.study.compile_case import compile_replication, rekeyed
from sim.study.measure_key import name_of, pick
from sim.study.replicate.replications import Replicated
from sim.study.run import run_replication
from tests.support.loads import MINIMAL

SEED = 20250917
TOP_UP, SHORT_TOP_UP = 320, 160
"""CNY that arrive every five seconds for the agent paying abroad: ample, and about to run dry."""
LAW = "{{lognormal: {{median: {}, sigma: {}}}}}"
TEXT = f"""
scenario: market
extends: {MINIMAL}
clock: {{start: 2025-09-17T12:00:00+07:00, horizon: 4 min, warm_up: 30 s}}
fx:
  mid:
    USD/KHR: {{rate: 4000, daily_volatility: 20 %}}
    USD/CNY: {{rate: 7.1875, daily_volatility: 10 %}}
institutions:
  river_bank:
    core: {{servers: 1, service_time: {{exponential: {{mean: 0.2 s}}}}}}
    decline: 2 %
    merchant_share: 1
  temple_bank:
    roles: [issuer, acquirer, settlement_agent, fx_provider]
    core: {{servers: 1, service_time: {{exponential: {{mean: 0.25 s}}}}}}
    screening: {{servers: 1, service_time: 0.25 s, hit_share: 0 %}}
    decline: 5 %
  alipay_wallet: {{decline: 4 %}}
rails:
  khqr: {{confirmation_time: {{exponential: {{mean: 3 s}}}}}}
  bakong: {{opening_balance: {{KHR: 30 000 000}}}}
  alipay_plus:
    authorisation_time: {{exponential: {{mean: 0.5 s}}}}
    technical_decline: 3 %
    quote_validity: 6 s
    queue_limit: 1
    rate_limit: 1 /s
    settlement_agents: {{temple_bank: {{prefunding: temple_khr_for_alipay, spread: 0.3 %}}}}
  unionpay:
    authorisation_time: {{exponential: {{mean: 1 s}}}}
    technical_decline: 5 %
    debit_first: true
    inbound: {{live_from: 2024-10-14, settlement_currency: CNY, spread: 1.1 %}}
    outbound:
      fees: {{service: {{component: service, bearer: debtor, proportional: 0.5 %}}}}
    settlement_agents: {{river_bank: {{prefunding: river_khr_for_alipay}}}}
accounts:
  river_khr_for_alipay: {{balance: 8 000 000}}
  temple_khr_for_alipay: {{owner: temple_bank, at: bakong, currency: KHR, balance: 20 000 000}}
  river_cny_at_unionpay:
    balance: 100
    when_short: queue
    deposits: {{DEPOSITS}}
corridors:
  kh_cn:
    foreign_codes: {{merchants: 10, schemes: {{unionpay: 50 %, wechat_pay: 50 %}}}}
    promise: 20 s
demand:
  inbound: {{payments: null, rate: 0.8 /s, amount: {LAW.format("40 000 KHR", 1)}}}
  domestic: {{payments: null, rate: 0.5 /s, amount: {LAW.format("20 000 KHR", 1)}}}
  outbound: {{payments: null, rate: 0.6 /s, amount: {LAW.format("80 CNY", 0.4)}}}
routing: {{policy: cheapest, failover: 1}}
"""
"""Its own fields only; the rest is the minimal scenario's."""


LATE = (
    "rails.unionpay.order_life=10 s",
    "rails.unionpay.authorisation_time="
    "{exponential: null, hyperexponential: {p: 40 %, mean_1: 30 s, mean_2: 1 s}}",
)
"""Changes to the market after which answers come late: orders lapse before, and are in doubt."""
IN_DOUBT = frozenset({"in_doubt", "in_doubt_mean"})
"""Measures that are studied in the market with late answers."""
MORNING = MINIMAL.parent / "rtgs-morning.yaml"
OF_SYSTEMS = frozenset(name for name, one in CATALOGUE.items() if "system" in one.groups)
"""Measures that are studied in mornings of a large-value system."""
OF_DAYS = frozenset({"breaks_found"})
"""Measures of runs of days, which the study does not look at: it would take weeks of them."""
OF_MARKET = tuple(name for name in CATALOGUE if name not in OF_SYSTEMS | OF_DAYS)


def market_summaries(
    folder: Path, numbers: Iterable[int], *, top_up: int = TOP_UP, changes: tuple[str, ...] = ()
) -> list[Summary]:
    """Return the measures of replications of the market, as far as the study looks at them."""
    path = folder / "market.yaml"
    deposits = ", ".join(f"at_{at}: {{after: {at} s, amount: {top_up}}}" for at in range(5, 240, 5))
    path.write_text(TEXT.replace("DEPOSITS", deposits), encoding="utf-8")
    return _summaries(path, numbers, changes)


def morning_summaries(numbers: Iterable[int]) -> list[Summary]:
    """Return the measures of mornings of a large-value system that the study looks at."""
    return _summaries(MORNING, numbers, ())


def _summaries(path: Path, numbers: Iterable[int], changes: tuple[str, ...]) -> list[Summary]:
    first = compile_replication(dump_resolved(load_scenario(path, changes).document), SEED, 0)
    found = []
    for number in numbers:
        summary = run_replication(rekeyed(first, number), RunOptions(record="none")).summary
        by = {
            group: {name: dict(measures) for name, measures in names.items() if name in KEPT}
            for group, names in summary.by.items()
        }
        found.append(replace(summary, by=by, presence=None))
    return found


KEPT = (
    *("bakong.ledger", "river_bank.core", "alipay_plus.gateway"),
    *("river_cny_at_unionpay", "river_khr_for_alipay", "AG01", "rtgs:KHR"),
)
"""What the study looks at of each group."""
_PLACES = {
    **dict.fromkeys(("blocks", "rounds", "block_fill_mean"), "station/bakong.ledger"),
    **dict.fromkeys(
        ("load_carried", "load_waiting_max", "load_waiting_end"), "station/bakong.ledger"
    ),
    "refused": "station/alipay_plus.gateway",
    "lost_for_liquidity": "account/river_khr_for_alipay",
    "share": "reason/AG01",
}


_NOBODYS = "provider/"
"""Measures of FX providers, of which the market has none: without a value in every replication."""


def key_of(name: str) -> str:
    """Return the key under which the study looks at a measure of the catalogue."""
    groups = CATALOGUE[name].groups
    if HEADLINE in groups:
        return name
    if "system" in groups:
        return f"system/rtgs:KHR/{name}"
    if "provider" in groups:
        return f"{_NOBODYS}{name}"
    usual = "account/river_cny_at_unionpay" if "account" in groups else "station/river_bank.core"
    return f"{_PLACES.get(name, usual)}/{name}"


@dataclass(frozen=True, slots=True)
class Coverage:
    """How often the intervals of one measure cover what they are of.

    Attributes
    ----------
    measure : str
    truth : float or None
        Of all replications together; None where they see no value.
    given, covered : int
        Experiments that give an interval, and whose interval covers the truth.
    experiments : int
    """

    measure: str
    truth: float | None
    given: int
    covered: int
    experiments: int

    @property
    def share(self) -> float | None:
        """Return the share of intervals that cover; None where there are none."""
        return self.covered / self.given if self.given else None


def study(
    summaries: Sequence[Summary],
    size: int,
    truths: Sequence[float | None] = (),
    *,
    names: Sequence[str] = OF_MARKET,
) -> list[Coverage]:
    """Return the coverage of measures of the catalogue over experiments of some size.

    Parameters
    ----------
    summaries : sequence of Summary
        Replications; so many after each other are an experiment.
    size : int
        Replications of an experiment.
    truths : sequence of float or None
        In the order of the names; by default those of all the replications together.
    names : sequence of str
        By default those of the market.
    """
    keys = {name: key_of(name) for name in names}
    truths = truths or tuple(map(_value, pooled(summaries, keys.values())))
    given, covered = dict.fromkeys(names, 0), dict.fromkeys(names, 0)
    count = len(summaries) // size
    for at in range(count):
        found = pooled(summaries[at * size : (at + 1) * size], keys.values())
        for name, one, truth in zip(names, found, truths, strict=True):
            if one.low is None or one.high is None:
                continue
            given[name] += 1
            # Means of equal values may differ in the last digit.
            off = 0.0 if truth is None else 1e-9 * abs(truth)
            covered[name] += truth is not None and one.low - off <= truth <= one.high + off
    return [
        Coverage(name, truth, given[name], covered[name], count)
        for name, truth in zip(names, truths, strict=True)
    ]


def coverage_page(
    rows: Sequence[Sequence[Coverage]],
    short: Sequence[Sequence[Coverage]],
    sizes: Sequence[int],
) -> str:
    """Return the page of the study: a row per measure, a column per size of an experiment.

    Parameters
    ----------
    rows : sequence of sequence of Coverage
        Of the market, for every size.
    short : sequence of sequence of Coverage
        Of the market about to run dry.
    sizes : sequence of int
    """
    lines = [
        "<!-- Written by tests/unit/study/replicate/test_catalogue_coverage.py, with --large. -->",
        "",
        "# How often intervals cover",
        "",
        f"Share of 95 % intervals that cover the truth, {_counts(rows, sizes)};",
        "in brackets the share of experiments that give an interval at all, where that is not all.",
        "The market is `tests/support/market.py`; the truth is that of all its replications",
        "together. `in_doubt` is studied in the same market with late answers, large-value systems",
        "in `scenarios/rtgs-morning.yaml`. Without an interval is what never varies there, what",
        "there is none of (load), and what only runs of days have (breaks by age). What is",
        "rare, an extreme, or jumps between few values is covered less often than said by a",
        "handful of replications: use twenty.",
        "",
        *_table(rows, sizes),
        "",
        "## Near the limit",
        "",
        "With top-ups half as large the agent paying abroad is about to run dry: its queue is long",
        "in some runs and none in others, and those cut off are no longer like those seen. Of",
        f"{_counts(short, sizes)}, these measures are covered in less than {_POOR:.0%}:",
        "",
        *_table([[one[at] for at in _poor(short)] for one in short], sizes),
    ]
    return "\n".join(lines) + "\n"


_POOR = 0.9


def _poor(rows: Sequence[Sequence[Coverage]]) -> list[int]:
    """Return the rows of the measures that are covered too seldom, at any size."""
    return [
        at
        for at, parts in enumerate(zip(*rows, strict=True))
        if any(part.share is not None and part.share < _POOR for part in parts)
    ]


def _counts(rows: Sequence[Sequence[Coverage]], sizes: Sequence[int]) -> str:
    return " and ".join(
        f"{row[0].experiments} experiments of {size}" for row, size in zip(rows, sizes, strict=True)
    )


def _table(rows: Sequence[Sequence[Coverage]], sizes: Sequence[int]) -> list[str]:
    heads = " | ".join(f"{size} replications" for size in sizes)
    lines = [
        f"| measure | truth | {heads} |",
        f"| --- | --- | {' | '.join('---' for _ in sizes)} |",
    ]
    for parts in zip(*rows, strict=True):
        truth = "-" if parts[0].truth is None else f"{parts[0].truth:.6g}"
        cells = " | ".join(map(_cell, parts))
        lines.append(f"| `{parts[0].measure}` | {truth} | {cells} |")
    return lines


def _cell(one: Coverage) -> str:
    if one.share is None:
        return "no interval"
    some = "" if one.given == one.experiments else f" ({one.given / one.experiments:.0%})"
    return f"{one.share:.1%}{some}"


def pooled(summaries: Sequence[Summary], keys: Iterable[str]) -> list[Measure]:
    """Return measures of several replications together; one that is nowhere is an error."""
    summary = Replicated(tuple(summaries), ()).summary()
    found = []
    for key in keys:
        measure = pick(summary, key)
        if key.startswith(_NOBODYS):
            measure = Measure(None, CATALOGUE[name_of(key)].kind.unit)
        assert measure is not None, f"{key}: the market has no such measure, see key_of"
        found.append(measure)
    return found


def _value(measure: Measure) -> float | None:
    return None if measure.value is None else float(measure)
