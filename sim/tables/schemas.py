"""Name and type the columns of every table of a run folder.

Takes nothing; gives one Arrow schema per Parquet file and the words behind the plan's numbers.
Integers are int64, names are dictionary-encoded text, null means "never happened". Meaning of the
columns: the docstrings of :class:`~sim.contract.spec.RecordColumn` and of the enumerations there.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum

import pyarrow as pa

from sim.contract.spec import Bearer, Cause, LogKind, Outcome, Reason, Scope


class Record(StrEnum):
    """Say how much of a run is written; each includes the ones before it."""

    NONE = "none"
    """Only measures, from histograms."""
    PAYMENTS = "payments"
    """A row per payment and a row per fee."""
    STAGES = "stages"
    """A row per wait or service of a payment, and the series."""
    EVENTS = "events"
    """The whole event log."""

    def covers(self, other: Record) -> bool:
        """Say whether this level writes what the other one does."""
        levels = list(Record)
        return levels.index(self) >= levels.index(other)


def words(members: type[IntEnum]) -> tuple[str, ...]:
    """Return the lower-case names of an enumeration, in the order of its values."""
    return tuple(member.name.lower() for member in members)


SCOPES = words(Scope)
OUTCOMES = words(Outcome)
CAUSES = words(Cause)
BEARERS = words(Bearer)
LOG_KINDS = words(LogKind)
REASONS = tuple(reason.name for reason in Reason)
"""ISO codes in the order of their numbers; number 0 (none) is written as null."""

FX_SPREAD = "fx_spread"
"""Component under which an FX provider's margin appears in ``fees.parquet``."""

SERIES_KINDS = ("station", "ledger", "account")
SERIES_MEASURES = ("queue", "busy", "rounds", "balance_minor", "pending_minor")
"""What is sampled, and which of its figures a row of ``series.parquet`` holds."""

_TEXT = pa.dictionary(pa.int32(), pa.string())
_INT = pa.int64()

_TEXT_COLUMNS = frozenset(
    (
        *("scope", "corridor", "stream", "route", "channel", "debtor_agent", "creditor_agent"),
        *("instructed_currency", "debited_currency", "settlement_currency", "credited_currency"),
        *("outcome", "reason_code", "component", "recipient", "bearer", "currency", "kind"),
        *("name", "measure", "station", "cause", "stage_name"),
    )
)


def _schema(columns: str) -> pa.Schema:
    """Build a schema from column names; text columns are known by name."""
    return pa.schema([(name, _TEXT if name in _TEXT_COLUMNS else _INT) for name in columns.split()])


PAYMENTS = _schema(
    "payment_id replication scope corridor stream route channel debtor_agent creditor_agent "
    "instructed_currency instructed_amount_minor debited_currency debited_amount_minor "
    "settlement_currency settlement_amount_minor credited_currency credited_amount_minor "
    "payer_fee_minor fx_margin_minor fx_drift_minor merchant_fee_minor submitted_us settled_us "
    "credited_us end_us outcome reason_code attempts requotes waiting_us service_us transit_us "
    "ledger_us human_us liquidity_us retry_us"
)
FEES = _schema("payment_id replication component recipient bearer currency amount_minor")
STAGES = _schema(
    "payment_id replication stage stage_name station queued_us started_us ended_us cause"
)
EVENTS = _schema("replication time_us key kind payment stage subject amount value")
SERIES = _schema("replication time_us kind name measure value")

PAYMENTS_FILE = "payments.parquet"
FEES_FILE = "fees.parquet"
STAGES_FILE = "stages.parquet"
EVENTS_FILE = "events.parquet"
SERIES_FILE = "series.parquet"

SCHEMAS: dict[str, pa.Schema] = {
    PAYMENTS_FILE: PAYMENTS,
    FEES_FILE: FEES,
    STAGES_FILE: STAGES,
    EVENTS_FILE: EVENTS,
    SERIES_FILE: SERIES,
}


def text_columns(schema: pa.Schema) -> list[str]:
    """Return the names of the dictionary-encoded columns of a schema."""
    return [entry.name for entry in schema if pa.types.is_dictionary(entry.type)]
