"""Say what the rows of ``payments.parquet`` and ``fees.parquet`` must be, from the log.

Takes rows of the log and the records the replay rebuilds; gives demanded rows as numbers. Written
from the meaning of the columns in :mod:`sim.contract.meaning`, with nothing of the code that writes
the tables: a column of a record is found by its name, a currency by the price the log quoted last,
a fee by the FEE row that charged it.
"""

from __future__ import annotations

import numpy as np

from sim.audit.names import UNKNOWN, fee_words, first_of_name, payment_words
from sim.audit.pairing import Layout
from sim.contract.layout import NULL, FeeColumn, PricingColumn, StreamColumn
from sim.contract.meaning import Bearer, Cause, LogKind, Reason
from sim.contract.plan import Array, Plan
from sim.contract.records import RECORD_WIDTH, LogColumn, RecordColumn
from sim.tables.schemas import FEES, FEES_FILE, PAYMENTS, PAYMENTS_FILE

R = RecordColumn
_SUMS = ("PAYER_FEE", "FX_MARGIN", "FX_DRIFT", "FX_RISK", "MERCHANT_FEE")
_AS_THEY_ARE = (
    "ORDINAL", "SUBMITTED_US", "QUOTED_US", "SETTLED_US", "CREDITED_US", "END_US", "ATTEMPTS",
    "REQUOTES", "IN_DOUBT_SINCE_US", "GONE_US", "DOUBTED_US", "KNOWN_US",
)  # fmt: skip
_SIDES = ("debited", "settlement", "credited")
"""Sides of a payment whose currency its price names; the stream names that of the first amount."""
_DRAWN = ("payer", "merchant", "first_instrument")
"""Columns of what was drawn before the run; no row of the log names them."""
_PRICE_QUOTED = RECORD_WIDTH
"""Where the replay puts the price quoted last, -1 for none."""


def _figures() -> dict[str, int]:
    """Return the record column of each column of figures, by what both are called."""
    found: dict[str, int] = {"payment_id": R.PAYMENT}
    for side in ("instructed", *_SIDES):
        found[f"{side}_amount_minor"] = RecordColumn[side.upper()]
    found |= {f"{name.lower()}_minor": RecordColumn[name] for name in _SUMS}
    found["fx_rounding_millionths"] = R.FX_ROUNDING
    found |= {name.lower(): RecordColumn[name] for name in _AS_THEY_ARE}
    found |= {f"{cause.name.lower()}_us": R.TIME_0 + cause for cause in Cause}
    return found


_FIGURES = _figures()


def payment_layout(plan: Plan) -> Layout:
    """Return how ``payments.parquet`` is compared: a row per payment, all the log knows of it."""
    return Layout(
        file=PAYMENTS_FILE,
        columns=tuple(name for name in PAYMENTS.names if name not in ("replication", *_DRAWN)),
        words=payment_words(plan),
        keys=1,
        rule="record",
        is_unique=True,
        guessed=("debtor_agent", "creditor_agent", "instrument"),
    )


def fee_layout(plan: Plan) -> Layout:
    """Return how ``fees.parquet`` is compared: a fee has no number, it is there or it is not."""
    columns = tuple(name for name in FEES.names if name != "replication")
    return Layout(FEES_FILE, columns, fee_words(plan), keys=len(columns), rule="fees")


def demand_payments(plan: Plan, layout: Layout, ended: Array) -> Array:
    """Return the rows of ``payments.parquet`` that ended payments demand.

    Parameters
    ----------
    plan : Plan
        The plan of the run.
    layout : Layout
        From :func:`payment_layout`.
    ended : ndarray of int64, shape (payments, ENDED_WIDTH)
        Records as the replay rebuilds them.
    """
    names = _payment_names(plan, ended)
    made = np.empty((len(ended), len(layout.columns)), dtype=np.int64)
    for at, name in enumerate(layout.columns):
        if name == "in_warm_up":
            made[:, at] = ended[:, R.SUBMITTED_US] < plan.warm_up_us
        elif name in _FIGURES:
            made[:, at] = ended[:, _FIGURES[name]]
        else:
            made[:, at] = first_of_name(names[name], layout.words[name])
    return made


def _payment_names(plan: Plan, ended: Array) -> dict[str, Array]:
    """Return the numbers behind every text column."""
    stream = plan.stream[ended[:, R.STREAM]]
    found = {
        name: stream[:, StreamColumn[name.upper()]] for name in ("scope", "corridor", "channel")
    }
    found["instructed_currency"] = stream[:, StreamColumn.CURRENCY]
    for name in ("stream", "route", "debtor_agent", "creditor_agent", "outcome"):
        found[name] = ended[:, RecordColumn[name.upper()]]
    # Instruments count from 1; what the log does not tell stays unknown.
    instrument = ended[:, R.INSTRUMENT]
    found["instrument"] = np.where(instrument == UNKNOWN, UNKNOWN, instrument - 1)
    found["instead"] = np.where(ended[:, R.INSTEAD] == NULL, -1, ended[:, R.INSTEAD])
    reason = ended[:, R.REASON]
    found["reason_code"] = np.where(reason == Reason.NONE, -1, reason)
    for side in _SIDES:
        currency = _of_price(plan, ended, PricingColumn[f"CURRENCY_{side.upper()}"])
        # Where nothing was moved there is nothing to name the currency of.
        found[f"{side}_currency"] = np.where(
            ended[:, RecordColumn[side.upper()]] == NULL, -1, currency
        )
    return found


def _of_price(plan: Plan, ended: Array, column: PricingColumn) -> Array:
    """Return a column of the price each payment was quoted last, -1 without a quote."""
    lookup = np.append(plan.pricing[:, column], np.int64(-1))
    found: Array = lookup[ended[:, _PRICE_QUOTED]]
    return found


class FeeDemands:
    """FEE rows of the log, kept until their payments end and show what was charged for good.

    Parameters
    ----------
    plan : Plan
        The plan of the run.
    layout : Layout
        From :func:`fee_layout`.
    """

    def __init__(self, plan: Plan, layout: Layout) -> None:
        self._plan, self._words = plan, layout.words
        self._charged = np.empty((0, 3), dtype=np.int64)

    def take_log(self, rows: Array) -> None:
        """Keep payment, fee and amount of the FEE rows among rows of the log."""
        charged = rows[rows[:, LogColumn.KIND] == LogKind.FEE]
        # A fee the plan does not have is a finding of the replay, not one of the table.
        charged = charged[(charged[:, LogColumn.SUBJECT] >= 0)]
        charged = charged[charged[:, LogColumn.SUBJECT] < len(self._plan.fee)]
        if len(charged):
            kept = charged[:, [LogColumn.PAYMENT, LogColumn.SUBJECT, LogColumn.AMOUNT]]
            self._charged = np.concatenate([self._charged, kept])

    def demand(self, ended: Array) -> Array:
        """Return the rows of ``fees.parquet`` that ended payments demand."""
        made = np.concatenate([self._fees(ended), self._margins(ended)])
        for at, name in enumerate(("component", "recipient", "bearer", "currency"), start=1):
            made[:, at] = first_of_name(made[:, at], self._words[name])
        # As written: payment by payment in the order they ended, fees before margins.
        place = np.argsort(ended[:, R.PAYMENT], kind="stable")
        rank = place[np.searchsorted(ended[place, R.PAYMENT], made[:, 0])]
        ordered: Array = made[np.argsort(rank, kind="stable")]
        return ordered

    def _fees(self, ended: Array) -> Array:
        """Return the fees that count: the debtor's once it settled, others once it was credited."""
        if len(ended) == 0:
            return np.empty((0, 6), dtype=np.int64)
        order = np.argsort(ended[:, R.PAYMENT], kind="stable")
        numbers = ended[order, R.PAYMENT]
        near = np.minimum(np.searchsorted(numbers, self._charged[:, 0]), len(numbers) - 1)
        is_done = numbers[near] == self._charged[:, 0]
        charged, of = self._charged[is_done], order[near[is_done]]
        self._charged = self._charged[~is_done]
        fee = self._plan.fee[charged[:, 1]]
        by_debtor = fee[:, FeeColumn.BEARER] == Bearer.DEBTOR
        total = np.where(by_debtor, ended[of, R.PAYER_FEE], ended[of, R.MERCHANT_FEE])
        columns = [FeeColumn.COMPONENT, FeeColumn.RECIPIENT, FeeColumn.BEARER, FeeColumn.CURRENCY]
        made = np.column_stack([charged[:, 0], fee[:, columns], charged[:, 2]])
        counted: Array = made[total != NULL]
        return counted

    def _margins(self, ended: Array) -> Array:
        """Return what each conversion's provider keeps of the margin.

        Notes
        -----
        FX_MARGIN is what the debtor pays beyond the mid rates, roundings included, and remainders
        stay with the provider. Of two conversions the first keeps SPREAD_1, what it takes beyond
        its own mid rate; everything after that, the rounding at the settlement currency included,
        is the second's. Of one conversion its provider keeps all.
        """
        rows = ended[ended[:, R.FX_MARGIN] != NULL]
        margin = rows[:, R.FX_MARGIN]
        has_1, has_2 = (
            _of_price(self._plan, rows, column) >= 0
            for column in (PricingColumn.CONVERSION_1, PricingColumn.CONVERSION_2)
        )
        share_2 = np.where(has_2, margin - np.where(has_1, rows[:, R.SPREAD_1], 0), 0)
        currency = _of_price(self._plan, rows, PricingColumn.CURRENCY_DEBITED)
        agents_from, spread = len(self._plan.names.recipients), len(self._plan.names.components)
        parts = []
        for share, column in (
            (margin - share_2, PricingColumn.PROVIDER_1),
            (share_2, PricingColumn.PROVIDER_2),
        ):
            agent = _of_price(self._plan, rows, column)
            recipient = np.where(agent < 0, -1, agents_from + agent)
            made = np.empty((len(rows), 6), dtype=np.int64)
            for at, value in enumerate(
                (rows[:, R.PAYMENT], spread, recipient, int(Bearer.DEBTOR), currency, share)
            ):
                made[:, at] = value
            parts.append(made[share != 0])
        return np.concatenate(parts)
