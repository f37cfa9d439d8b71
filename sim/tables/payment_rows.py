"""Turn finished payments into rows of ``payments.parquet`` and ``fees.parquet``.

Takes the plan (names, routes, prices, fees) and chunks of payment records; gives Arrow tables.
Everything is done on whole columns: no Python code runs per payment.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sim.contract.layout import (
    FEES_MAX,
    NULL,
    FeeColumn,
    PricingColumn,
    RouteColumn,
    StageColumn,
    StreamColumn,
)
from sim.contract.meaning import Bearer, Op
from sim.contract.plan import Array, Plan
from sim.contract.records import RecordColumn
from sim.tables.columns import (
    Laid,
    int_column,
    names_array,
    text_column,
    whole_column,
)
from sim.tables.parties import Parties
from sim.tables.schemas import (
    BEARERS,
    FEES,
    FX_SPREAD,
    INSTEADS,
    OUTCOMES,
    PAYMENTS,
    REASONS,
    SCOPES,
)

C = RecordColumn

INTEGER_COLUMNS = (
    ("payment_id", C.PAYMENT),
    ("ordinal", C.ORDINAL),
    ("instructed_amount_minor", C.INSTRUCTED),
    ("debited_amount_minor", C.DEBITED),
    ("settlement_amount_minor", C.SETTLEMENT),
    ("credited_amount_minor", C.CREDITED),
    ("payer_fee_minor", C.PAYER_FEE),
    ("fx_margin_minor", C.FX_MARGIN),
    ("fx_rounding_millionths", C.FX_ROUNDING),
    ("fx_drift_minor", C.FX_DRIFT),
    ("fx_risk_minor", C.FX_RISK),
    ("merchant_fee_minor", C.MERCHANT_FEE),
    ("submitted_us", C.SUBMITTED_US),
    ("quoted_us", C.QUOTED_US),
    ("settled_us", C.SETTLED_US),
    ("credited_us", C.CREDITED_US),
    ("end_us", C.END_US),
    ("attempts", C.ATTEMPTS),
    ("requotes", C.REQUOTES),
    ("waiting_us", C.TIME_0),
    ("service_us", C.TIME_0 + 1),
    ("transit_us", C.TIME_0 + 2),
    ("ledger_us", C.TIME_0 + 3),
    ("human_us", C.TIME_0 + 4),
    ("liquidity_us", C.TIME_0 + 5),
    ("in_doubt_us", C.TIME_0 + 6),
    ("retry_us", C.TIME_0 + 7),
    ("in_doubt_since_us", C.IN_DOUBT_SINCE_US),
    ("gone_us", C.GONE_US),
    ("doubted_us", C.DOUBTED_US),
    ("known_us", C.KNOWN_US),
)
"""Columns of ``payments.parquet`` that are columns of a record as they are."""


def stream_pricing(plan: Plan) -> Array:
    """Return the pricing row of each stream that prices without a route, -1 elsewhere.

    A program without ROUTE has no route to name its price; where it can reach exactly one QUOTE
    stage, that one's price is meant.
    """
    found = np.full(len(plan.stream), -1, dtype=np.int64)
    stages: list[list[int]] = plan.stage.tolist()
    for stream, entry in enumerate(plan.stream[:, StreamColumn.ENTRY].tolist()):
        seen: set[int] = set()
        queue = [entry]
        # Every stage a program can come to, whatever happens: jumps and the row behind.
        while queue:
            at = queue.pop()
            if at in seen or not 0 <= at < len(stages):
                continue
            seen.add(at)
            queue.append(stages[at][StageColumn.TARGET])
            if stages[at][StageColumn.OP] != Op.END:
                queue.append(at + 1)
        prices = {
            stages[at][StageColumn.SUBJECT] for at in seen if stages[at][StageColumn.OP] == Op.QUOTE
        }
        # With several the price is not known from the program, and the column stays empty.
        if len(prices) == 1:
            found[stream] = prices.pop()
    return found


def record_pricing(plan: Plan, rows: Array, unrouted: Array) -> Array:
    """Return the pricing row of each record, -1 where there is none.

    Parameters
    ----------
    plan : Plan
        The plan of the run.
    rows : ndarray of int64, shape (payments, RECORD_WIDTH)
        Records; a route below 0 means that the payment never got one.
    unrouted : ndarray of int64
        From :func:`stream_pricing`.
    """
    route = rows[:, C.ROUTE]
    lookup = np.append(plan.route[:, RouteColumn.PRICING], np.int64(-1))
    # -1 picks the last entry, which is -1.
    routed = lookup[np.where(route < 0, -1, route)]
    found: Array = np.where(route < 0, unrouted[rows[:, C.STREAM]], routed)
    return found


def pricing_column(plan: Plan, pricing: Array, column: PricingColumn) -> Array:
    """Return one column of each payment's pricing row, -1 where there is none."""
    lookup = np.append(plan.pricing[:, column], np.int64(-1))
    found: Array = lookup[pricing]
    return found


class PaymentRows:
    """Converter of one run's records; it holds the dictionaries of the text columns only.

    Parameters
    ----------
    plan : Plan
        The plan of the run.
    replication : int
        Number written into every row.
    parties : Parties, optional
        Who pays whom.
    """

    def __init__(self, plan: Plan, replication: int = 0, parties: Parties | None = None) -> None:
        names = plan.names
        self._plan = plan
        self._parties = parties or Parties()
        self._replication = replication
        self._unrouted = stream_pricing(plan)
        self._streams = names_array(names.streams)
        self._routes = names_array(names.routes)
        self._agents = names_array(names.agents)
        self._corridors = names_array(names.corridors)
        self._channels = names_array(names.channels)
        self._instruments = names_array(names.instruments)
        self._currencies = names_array(names.currencies)
        self._components = names_array((*names.components, FX_SPREAD))
        # Fees name their recipient among the recipients, FX providers are agents: one dictionary.
        # A dict keeps the order and drops doubles: a bank may charge fees and exchange money,
        # and is one name.
        merged = dict.fromkeys((*names.recipients, *names.agents))
        self._recipients = names_array(tuple(merged))
        place = {name: at for at, name in enumerate(merged)}
        self._agent_recipient = np.array([*(place[a] for a in names.agents), -1], dtype=np.int64)

    def payments(self, laid: Laid) -> pa.Table:
        """Return the rows of ``payments.parquet`` for a chunk of records.

        Parameters
        ----------
        laid : Laid
            As engines give them, by column.
        """
        rows, columns = laid.rows, laid.columns
        stream, route = columns[C.STREAM], columns[C.ROUTE]
        plan = self._plan
        pricing = record_pricing(plan, rows, self._unrouted)

        def of_stream(column: StreamColumn) -> Array:
            picked: Array = plan.stream[stream, column]
            return picked

        def currency(column: PricingColumn, amount: RecordColumn) -> pa.Array:
            index = pricing_column(plan, pricing, column)
            # Where nothing was moved there is nothing to name the currency of.
            return text_column(np.where(columns[amount] == NULL, -1, index), self._currencies)

        # NONE is null and not a code of its own.
        reason = columns[C.REASON]
        made = {name: laid.column(column) for name, column in INTEGER_COLUMNS}
        payer, merchant, first = self._parties.take(columns[C.PAYMENT])
        in_warm_up = (columns[C.SUBMITTED_US] < plan.warm_up_us).astype(np.int64)
        made |= {
            "payer": int_column(payer),
            "merchant": int_column(merchant),
            "in_warm_up": whole_column(in_warm_up),
            "replication": whole_column(np.full(len(rows), self._replication, dtype=np.int64)),
            "scope": text_column(of_stream(StreamColumn.SCOPE), names_array(SCOPES)),
            "corridor": text_column(of_stream(StreamColumn.CORRIDOR), self._corridors),
            "stream": text_column(stream, self._streams),
            "route": text_column(np.where(route < 0, -1, route), self._routes),
            "channel": text_column(of_stream(StreamColumn.CHANNEL), self._channels),
            "debtor_agent": text_column(np.maximum(columns[C.DEBTOR_AGENT], -1), self._agents),
            "creditor_agent": text_column(np.maximum(columns[C.CREDITOR_AGENT], -1), self._agents),
            "instructed_currency": text_column(of_stream(StreamColumn.CURRENCY), self._currencies),
            "debited_currency": currency(PricingColumn.CURRENCY_DEBITED, C.DEBITED),
            "settlement_currency": currency(PricingColumn.CURRENCY_SETTLEMENT, C.SETTLEMENT),
            "credited_currency": currency(PricingColumn.CURRENCY_CREDITED, C.CREDITED),
            # Number 0 says nothing, and so does a payment nobody followed.
            "first_instrument": text_column(np.maximum(first - 1, -1), self._instruments),
            "instrument": text_column(columns[C.INSTRUMENT] - 1, self._instruments),
            "instead": text_column(np.maximum(columns[C.INSTEAD], -1), names_array(INSTEADS)),
            "outcome": text_column(columns[C.OUTCOME], names_array(OUTCOMES)),
            "reason_code": text_column(np.where(reason <= 0, -1, reason), names_array(REASONS)),
        }
        return pa.Table.from_arrays([made[name] for name in PAYMENTS.names], schema=PAYMENTS)

    def fees(self, rows: Array) -> pa.Table:
        """Return the rows of ``fees.parquet`` for a chunk of records.

        Notes
        -----
        Per payment the debtor's components add up to ``payer_fee_minor + fx_margin_minor``, the
        creditor's to ``merchant_fee_minor``; where the record has no such sum, nothing is written.
        """
        parts = [*self._charged_fees(rows), *self._spreads(rows)]
        at, component, recipient, bearer, currency, amount = (
            np.concatenate([part[field] for part in parts]) for field in range(6)
        )
        # Fees of a payment stand together in the order of its slots, its margins behind.
        order = np.argsort(at, kind="stable")
        count = len(order)
        made = {
            "payment_id": whole_column(np.ascontiguousarray(rows[at[order], C.PAYMENT])),
            "replication": whole_column(np.full(count, self._replication, dtype=np.int64)),
            "component": text_column(component[order], self._components),
            "recipient": text_column(recipient[order], self._recipients),
            "bearer": text_column(bearer[order], names_array(BEARERS)),
            "currency": text_column(currency[order], self._currencies),
            "amount_minor": whole_column(amount[order]),
        }
        return pa.Table.from_arrays([made[name] for name in FEES.names], schema=FEES)

    def _charged_fees(self, rows: Array) -> list[tuple[Array, ...]]:
        """Return (row, component, recipient, bearer, currency, amount) of the charged fees."""
        plan = self._plan
        at = np.flatnonzero(rows[:, C.CHARGED] > 0)
        pricing = record_pricing(plan, rows[at], self._unrouted)
        at, pricing = at[pricing >= 0], pricing[pricing >= 0]
        first = pricing_column(plan, pricing, PricingColumn.FEE_FIRST)
        count = pricing_column(plan, pricing, PricingColumn.FEE_COUNT)
        charged = rows[at, C.CHARGED]
        has_payer = rows[at, C.PAYER_FEE] != NULL
        has_merchant = rows[at, C.MERCHANT_FEE] != NULL
        empty = np.empty(0, dtype=np.int64)
        # One empty part, so that nothing special happens where nobody was charged.
        parts: list[tuple[Array, ...]] = [(empty,) * 6]
        for slot in range(FEES_MAX):
            amount = rows[at, C.FEE_0 + slot]
            # The mask says which slots were charged; ``count`` keeps slots of an earlier
            # route's price out.
            picked = np.flatnonzero(((charged >> slot) & 1 == 1) & (slot < count) & (amount > 0))
            if len(picked) == 0:
                continue
            fee = plan.fee[first[picked] + slot]
            by_debtor = fee[:, FeeColumn.BEARER] == Bearer.DEBTOR
            # Fees of a payment that never settled are in no sum of its record, so they are no
            # rows either; an agent's cost is one once the payee has the money.
            kept = np.where(by_debtor, has_payer[picked], has_merchant[picked])
            fee, picked = fee[kept], picked[kept]
            parts.append(
                (
                    at[picked],
                    fee[:, FeeColumn.COMPONENT],
                    fee[:, FeeColumn.RECIPIENT],
                    fee[:, FeeColumn.BEARER],
                    fee[:, FeeColumn.CURRENCY],
                    amount[picked],
                )
            )
        return parts

    def _spreads(self, rows: Array) -> list[tuple[Array, ...]]:
        """Return the margins of the FX providers in the same form.

        The first provider has the first conversion's spread; what is left of the margin, the
        roundings included, belongs to the second where there is one.
        """
        plan = self._plan
        margin, spread_1 = rows[:, C.FX_MARGIN], rows[:, C.SPREAD_1]
        # Most payments exchange nothing, and no row comes of them.
        some = (margin != 0) | ((spread_1 != NULL) & (spread_1 != 0))
        at = np.flatnonzero((margin != NULL) & some)
        pricing = record_pricing(plan, rows[at], self._unrouted)
        at, pricing = at[pricing >= 0], pricing[pricing >= 0]
        margin = rows[at, C.FX_MARGIN]
        has_second = pricing_column(plan, pricing, PricingColumn.CONVERSION_2) >= 0
        spread_1 = rows[at, C.SPREAD_1]
        # With one conversion its provider keeps the whole margin, all roundings included.
        first = np.where(has_second, np.where(spread_1 == NULL, 0, spread_1), margin)
        debited = pricing_column(plan, pricing, PricingColumn.CURRENCY_DEBITED)
        component = np.full(len(at), len(self._components) - 1, dtype=np.int64)
        bearer = np.full(len(at), int(Bearer.DEBTOR), dtype=np.int64)
        parts: list[tuple[Array, ...]] = []
        for amount, column in (
            (first, PricingColumn.PROVIDER_1),
            (margin - first, PricingColumn.PROVIDER_2),
        ):
            provider = pricing_column(plan, pricing, column)
            recipient = self._agent_recipient[np.where(provider < 0, -1, provider)]
            # A margin of 0 is no row.
            some = amount != 0
            parts.append(
                (
                    at[some],
                    component[some],
                    recipient[some],
                    bearer[some],
                    debited[some],
                    amount[some],
                )
            )
        return parts
