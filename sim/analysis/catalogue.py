"""The catalogue of measures: every measure once.

Takes what :mod:`sim.analysis.sources` holds of a run; gives each measure's definition: its name,
its kind (unit), what it is computed from, its words, which way is better, how replications pool it
and under which short name it may be asked for. Summaries, ``validate``, objectives, precisions,
pooling, control variates and verdicts read it. To add a measure, add an entry here; where its raw
figure is not gathered yet, add a column to :class:`~sim.tables.folding.Tally` or a field to
:mod:`sim.analysis.sources`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sim.analysis.after import broke, gave_up, placed, refund_share, refunded, settled
from sim.analysis.by_value import cost_by_value
from sim.analysis.definition import HEADLINE, LEDGER, WINDOW, Definition, Of, Source
from sim.analysis.kinds import (
    AMOUNT,
    BLOCKS,
    COST,
    COUNT,
    LOADED,
    PART,
    QUOTES,
    RATE,
    ROUNDS,
    SERVERS,
    SHARE,
    TIME,
    Better,
    Pooling,
)
from sim.analysis.of_accounts import ACCOUNT_MEASURES
from sim.analysis.of_orders import ORDER_MEASURES
from sim.analysis.of_providers import PROVIDER_MEASURES
from sim.analysis.sources import (
    QUANTILES,
    Payments,
    Place,
    SystemUse,
    in_seconds,
    ratio,
)
from sim.analysis.summary import Measure, Measures
from sim.contract.meaning import Cause
from sim.tables.folding import Tally
from sim.units import SECOND_US

T = Tally
HIGHER, LOWER = Better.HIGHER, Better.LOWER

_RUN = frozenset({HEADLINE})
_WHOLE = _RUN | {WINDOW}
_SCOPES = _WHOLE | {"scope"}
_TIMED = _SCOPES | {"corridor", "route", "rail"}
"""Groups of payments of which quantiles are known."""
_GROUPS = _TIMED | {"agent"}
_OUTCOMES = _GROUPS | {"reason"}
_REASON = frozenset({"reason"})
_STATION, _LEDGER = frozenset({"station"}), frozenset({LEDGER})
_PLACES = _STATION | _LEDGER
_SYSTEM = frozenset({"system"})


def _count(
    name: str, column: Tally, better: Better = LOWER, *, groups: frozenset[str] = _GROUPS
) -> Definition[Payments]:
    return Definition(name, COUNT, groups, lambda of: of.count[column], better=better)


def _due(known: Measures) -> float:
    """Return of how many payments it is known whether they succeed."""
    return float(known["submitted"]) - float(known["open_in_time"])


def _within(name: str, column: Tally, words: str = "") -> Definition[Payments]:
    return Definition(
        name,
        SHARE,
        _GROUPS,
        lambda of: of.share_of_due(column),
        words,
        HIGHER,
        pooling=Pooling.SHARE,
        trials=_due,
    )


def _declined(name: str, column: Tally) -> Definition[Payments]:
    """Define a share of the payments of which it is known whether they succeed."""
    return replace(_within(name, column), better=LOWER)


def _time(
    name: str, groups: frozenset[str], of: Of[Payments], words: str = "", alias: str = ""
) -> Definition[Payments]:
    return Definition(name, TIME, groups, of, words, LOWER, alias)


def _cost(name: str, of: Of[Payments], words: str = "", bearer: str = "") -> Definition[Payments]:
    told = f"costs {bearer} {{size}} " if bearer else ""
    return Definition(
        name,
        COST,
        _GROUPS,
        of,
        words,
        LOWER,
        more=told and f"{told}more",
        less=told and f"{told}less",
    )


def _cause(cause: Cause) -> Definition[Payments]:
    column = T.CAUSE_0_US + cause
    return _time(f"{cause.name.lower()}_mean", _GROUPS, lambda of: of.mean_s(of.count[column]))


def _quantile(
    prefix: str, which: int, name: str, *, alias: str = "", words: str = ""
) -> Definition[Payments]:
    return Definition(
        f"{prefix}_{name}",
        TIME,
        _TIMED,
        lambda of: in_seconds(of.times_us[which].get(name)),
        words,
        LOWER,
        alias,
        quantile=QUANTILES.get(name),
    )


def _censored(name: str) -> Definition[Payments]:
    return Definition(
        f"end_to_end_{name}_kaplan_meier",
        TIME,
        _RUN,
        lambda of: in_seconds(of.censored_us[name]),
        better=LOWER,
        pooling=Pooling.KAPLAN_MEIER,
        quantile=QUANTILES[name],
    )


def _value_cost(name: str, cost: Tally, amount: Tally, *, is_payer: bool) -> Definition[Payments]:
    bearer = "the payer" if is_payer else "the merchant"
    by_value = cost_by_value(cost, amount, is_payer=is_payer)
    return replace(_cost(name, by_value, bearer=bearer), groups=_TIMED)


def _payer_cost_bps(of: Payments) -> float | None:
    fee, margin = of.mean_bps(T.PAYER_FEE), of.mean_bps(T.FX_MARGIN)
    return None if fee is None or margin is None else fee + margin


_SAID = {"p50": "half took at most", "p99": "99 % took at most"}

PAYMENT_MEASURES: tuple[Definition[Payments], ...] = (
    _count("submitted", T.SUBMITTED, Better.NEITHER, groups=_OUTCOMES),
    _count("completed", T.COMPLETED, HIGHER),
    _count("rejected", T.REJECTED, groups=_OUTCOMES),
    _count("returned", T.RETURNED, groups=_OUTCOMES),
    _count("in_progress", T.IN_PROGRESS, groups=_OUTCOMES),
    _count("open_in_time", T.OPEN_IN_TIME, Better.NEITHER),
    _count("not_payable", T.NOT_PAYABLE, groups=_OUTCOMES),
    _count("in_doubt", T.IN_DOUBT),
    broke("breaks_opened", COUNT, "opened", "reconciliation breaks"),
    broke("breaks_resolved", COUNT, "resolved", "breaks resolved"),
    broke("breaks_open", COUNT, "standing", "breaks open at the last comparison"),
    Definition(
        "breaks_found", COUNT, frozenset({"age"}), lambda of: of.whole, "found", better=LOWER
    ),
    broke("breaks_oldest", TIME, "oldest_us", "oldest break"),
    gave_up("gave_up_share", SHARE, T.GONE, "payers who gave up waiting"),
    gave_up("gone_after_debit", COUNT, T.GONE_DEBITED, "of them debited"),
    replace(_count("debited_not_credited", T.HELD), words="debited, not credited"),
    Definition(
        "debited_not_credited_minor",
        AMOUNT,
        _WHOLE,
        lambda of: None if of.held is None else of.held.amount,
        "money debited, not credited",
        LOWER,
    ),
    Definition(
        "debited_not_credited_oldest",
        TIME,
        _WHOLE,
        lambda of: None if of.held is None else in_seconds(of.held.oldest_us),
        "oldest of it",
        LOWER,
    ),
    Definition("share", PART, _REASON, lambda of: ratio(of.count[T.SUBMITTED], of.whole)),
    Definition(
        "success_rate",
        SHARE,
        _GROUPS,
        lambda of: of.share_of_due(T.COMPLETED),
        better=HIGHER,
        alias="success",
        pooling=Pooling.SHARE,
        trials=_due,
        more="succeeds {size} more often",
        less="succeeds {size} less often",
    ),
    _declined("business_decline_share", T.BUSINESS),
    _declined("technical_decline_share", T.TECHNICAL),
    _declined("reversal_share", T.RETURNED),
    _time(
        "end_to_end_mean",
        _GROUPS,
        lambda of: of.mean_s(of.count[T.END_TO_END_US]),
        words="mean",
        alias="mean",
    ),
    _time(
        "machine_time_mean",
        _GROUPS,
        lambda of: of.mean_s(of.count[T.END_TO_END_US] - of.count[T.CAUSE_0_US + Cause.HUMAN]),
        words="mean, machines only",
    ),
    _within("within_10s", T.WITHIN_10S, "within 10 s"),
    _within("within_60s", T.WITHIN_60S, "within 60 s"),
    _within("within_1h", T.WITHIN_1H),
    _within("within_1d", T.WITHIN_1D),
    *map(_cause, Cause),
    _cost("payer_cost_bps", _payer_cost_bps, "payer's cost", "the payer"),
    _cost("payer_fee_bps", lambda of: of.mean_bps(T.PAYER_FEE), "fees"),
    _cost("fx_margin_bps", lambda of: of.mean_bps(T.FX_MARGIN), "FX margin"),
    _cost("payer_cost_rounding_bps", lambda of: of.mean_bps(T.FX_ROUNDING), "of it rounding"),
    _cost("fx_drift_bps", lambda of: of.mean_bps(T.FX_DRIFT)),
    _cost("fx_provider_risk_bps", lambda of: of.mean_bps(T.FX_RISK)),
    _cost(
        "merchant_cost_bps",
        lambda of: of.mean_bps(T.MERCHANT_FEE, T.MERCHANT_PRICED),
        "merchant's cost",
        "the merchant",
    ),
    _value_cost("payer_cost_value_bps", T.PAYER_COST, T.PAYER_AMOUNT, is_payer=True),
    _value_cost("merchant_cost_value_bps", T.MERCHANT_COST, T.MERCHANT_AMOUNT, is_payer=False),
    Definition("offered_rate_mean", RATE, _GROUPS, lambda of: of.rate(T.SUBMITTED)),
    Definition(
        "completed_rate_mean",
        RATE,
        _GROUPS,
        lambda of: of.rate(T.COMPLETED_IN_WINDOW),
        better=HIGHER,
    ),
    Definition("requotes", QUOTES, _GROUPS, lambda of: of.count[T.REQUOTES]),
    Definition("quotes_lapsed", QUOTES, _GROUPS, lambda of: of.count[T.QUOTES_LAPSED]),
    _count("returns", T.RETURNED),
    _count("failed_over", T.FAILED_OVER),
    *(
        _quantile("end_to_end", 0, name, alias=name, words=_SAID.get(name, ""))
        for name in QUANTILES
    ),
    _quantile("end_to_end", 0, "max"),
    *(_quantile("machine_time", 1, name) for name in (*QUANTILES, "max")),
    Definition("completed_rate_peak", RATE, _SCOPES, lambda of: of.peak, "peak rate"),
    Definition(
        "netting_ratio",
        SHARE,
        _WHOLE,
        lambda of: None if of.netting is None else of.netting.ratio,
        better=HIGHER,
    ),
    Definition(
        "exposure_peak_minor",
        AMOUNT,
        _WHOLE,
        lambda of: None if of.netting is None else of.netting.peak,
        better=LOWER,
    ),
    settled("settlement_lag_mean", TIME, "lag_s", "settlement money received after"),
    settled("unsettled_minor", AMOUNT, "unsettled", "owed, not received"),
    settled("claim_peak_minor", AMOUNT, "claim", "most owed on one line"),
    settled("revaluation_minor", AMOUNT, "gain", "gain by revaluation"),
    placed("idle_prefunding_minor", 0, "idle prefunding"),
    placed("idle_prefunding_cost_minor", 1, "cost of idle money"),
    placed("overdraft_interest_minor", 2, "interest on overdrafts"),
    refunded("refunds", COUNT, "parts"),
    refunded("refunds_refused", COUNT, "refused"),
    Definition("refund_share", SHARE, _RUN, refund_share),
    refunded("refunded_minor", AMOUNT, "amount"),
    *ORDER_MEASURES,
    Definition(
        "open_share", SHARE, _GROUPS, lambda of: of.share(T.IN_PROGRESS, T.SUBMITTED), better=LOWER
    ),
    *map(_censored, QUANTILES),
)


def _load(name: str, which: int, words: str, better: Better = LOWER) -> Definition[Place]:
    """Define a number of load payments, of ledgers that carry load."""

    def of(place: Place) -> int | None:
        return None if place.load is None else place.load[which]

    return Definition(name, LOADED, _LEDGER, of, words, better)


PLACE_MEASURES: tuple[Definition[Place], ...] = (
    Definition("utilisation", SHARE, _PLACES, lambda of: ratio(of.used, of.capacity)),
    Definition("busy_mean", SERVERS, _STATION, lambda of: ratio(of.used, of.window_us)),
    Definition(
        "queue_mean",
        COUNT,
        _PLACES,
        lambda of: ratio(of.queue_area, of.window_us),
        "mean queue",
        LOWER,
    ),
    Definition("queue_max", COUNT, _PLACES, lambda of: of.queue_max, "longest queue", LOWER),
    Definition(
        "wait_mean",
        TIME,
        _PLACES,
        lambda of: ratio(of.wait_sum_us, of.served * SECOND_US),
        "mean wait",
        LOWER,
    ),
    Definition(
        "wait_p99",
        TIME,
        _PLACES,
        lambda of: in_seconds(of.wait_p99_us),
        better=LOWER,
        quantile=QUANTILES["p99"],
    ),
    Definition("block_fill_mean", SHARE, _PLACES, lambda of: ratio(of.placed, of.block_capacity)),
    Definition("starts", COUNT, _STATION, lambda of: of.served),
    Definition("refused", COUNT, _STATION, lambda of: of.refused, better=LOWER),
    Definition("blocks", BLOCKS, _LEDGER, lambda of: of.blocks),
    Definition("rounds", ROUNDS, _LEDGER, lambda of: of.rounds),
    _load("load_carried", 0, "load carried", Better.NEITHER),
    _load("load_waiting_max", 1, "most load waiting"),
    _load("load_waiting_end", 2, "load waiting at the end"),
)


SYSTEM_MEASURES: tuple[Definition[SystemUse], ...] = (
    Definition("system_gross_minor", AMOUNT, _SYSTEM, lambda of: of.gross, "gross"),
    Definition("liquidity_lower_minor", AMOUNT, _SYSTEM, lambda of: of.lower, "lower bound"),
    Definition("liquidity_upper_minor", AMOUNT, _SYSTEM, lambda of: of.upper, "upper bound"),
    Definition(
        "system_netting_ratio",
        SHARE,
        _SYSTEM,
        lambda of: ratio(of.gross - of.lower, of.gross),
        "netting",
        HIGHER,
    ),
    Definition(
        "system_settled_share",
        SHARE,
        _SYSTEM,
        lambda of: ratio(of.settled, of.gross),
        "settled",
        HIGHER,
    ),
    Definition(
        "system_waited_share",
        SHARE,
        _SYSTEM,
        lambda of: ratio(of.waited, of.gross),
        "waited",
        LOWER,
    ),
    Definition(
        "system_returned_share",
        SHARE,
        _SYSTEM,
        lambda of: ratio(of.returned, of.gross),
        "returned",
        LOWER,
    ),
)

_ALL: tuple[Definition[Any], ...] = (*PAYMENT_MEASURES, *PLACE_MEASURES, *ACCOUNT_MEASURES)
_ALL += (*SYSTEM_MEASURES, *PROVIDER_MEASURES)
CATALOGUE = {measure.name: measure for measure in _ALL}
"""Every measure by its name."""
ALIASES = {measure.alias: measure.name for measure in _ALL if measure.alias}
"""Short names that objectives and precisions understand."""
HEADLINE_UNITS = {measure.name: measure.kind.unit for measure in _ALL if HEADLINE in measure.groups}
"""The measures that every run has, whatever its scenario, with their units."""

# What is shown or compared unless the user says otherwise, in order.
SUMMARY_COLUMNS = (
    ("submitted", "completed", "rejected", "returned", "in_progress"),
    (
        *("debited_not_credited", "debited_not_credited_minor", "debited_not_credited_oldest"),
        *("not_payable", "in_doubt", "gave_up_share", "gone_after_debit"),
    ),
    ("success_rate", "end_to_end_p50", "end_to_end_p99", "end_to_end_mean", "machine_time_mean"),
    ("payer_cost_bps", "merchant_cost_bps", "within_10s", "within_60s", "completed_rate_peak"),
)
TILES = {
    "success_rate": ("Succeed", "of payments due"),
    "end_to_end_p50": ("Half within", "median, end to end"),
    "end_to_end_p99": ("99 % within", "end to end"),
    "payer_cost_bps": ("Payer's cost", "mean of completed payments"),
    "merchant_cost_bps": ("Merchant's cost", "mean of completed payments"),
}
"""Figures to take home, each with the words on its tile and what it is of."""
BREAKS = ("breaks_opened", "breaks_resolved", "breaks_open", "breaks_oldest")
BREAKS_BY_AGE = "breaks_found"
GROUP_COLUMNS = ("submitted", "open_share", "success_rate", "end_to_end_p50", "end_to_end_p99")
COST_COLUMNS = ("payer_cost_bps", "merchant_cost_bps")
COST_PARTS = ("fx_margin_bps", "payer_fee_bps", "merchant_cost_bps")
PLACE_COLUMNS = ("utilisation", "queue_mean", "queue_max", "wait_mean", "refused")
SYSTEM_COLUMNS = tuple(one.name for one in SYSTEM_MEASURES)
ACCOUNT_COLUMNS = ("liquidity_low_minor", "delayed_for_liquidity", "lost_for_liquidity")
SWEPT = ("success_rate", "end_to_end_mean", "end_to_end_p99", "payer_cost_bps")
COMPARED = (*SWEPT[:3], "machine_time_mean", *COST_COLUMNS)
STRESSED = (
    *("offered_rate_mean", "completed_rate_mean"),
    *("end_to_end_p50", "end_to_end_p99", "success_rate"),
)
STRESSED_RUN = (*STRESSED[:2], STRESSED[3])


def measured(
    definitions: Iterable[Definition[Source]], group: str, source: Source
) -> dict[str, Measure]:
    """Compute all measures that a group has.

    Parameters
    ----------
    definitions : iterable of Definition
        Of what the source holds.
    group : str
        As in :attr:`Definition.groups`.
    source : Payments, Place, AccountUse, SystemUse or ProviderUse
        What one run tells.
    """
    return {one.name: one.measure(source) for one in definitions if group in one.groups}


def words_of(name: str) -> str:
    """Return what people call a measure."""
    return CATALOGUE[name].words or name.replace("_", " ")


REGRETTED = {"success_rate": -1, "payer_cost_bps": 1, "end_to_end_mean": 1}
"""Measures of which an arm may regret something, and the sign of a difference that is worse."""
