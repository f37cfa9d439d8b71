"""Name and type the columns of every table of a run folder.

Takes nothing; gives one Arrow schema per Parquet file and the words behind the plan's numbers.
Integers are int64, names are dictionary-encoded text, null means "never happened". Meaning of the
columns: the docstrings of :class:`~sim.contract.records.RecordColumn` and of the enumerations
there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from enum import IntEnum, StrEnum

import pyarrow as pa

from sim.contract.charges import Rounding
from sim.contract.meaning import Bearer, Cause, FixedSide, Instead, LogKind, Outcome, Reason, Scope
from sim.units import CURRENCIES

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
"""What a file in JSON holds."""


class Record(StrEnum):
    """How much of a run is written; each level includes the ones before it."""

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
INSTEADS = words(Instead)
FAILURES = tuple(OUTCOMES[one] for one in (Outcome.REJECTED, Outcome.RETURNED, Outcome.NOT_PAYABLE))
"""Outcomes of payments that ended without reaching their payee."""
CAUSES = words(Cause)
BEARERS = words(Bearer)
SIDES = words(FixedSide)
ROUNDINGS = words(Rounding)
LOG_KINDS = words(LogKind)
REASONS = tuple(reason.name for reason in Reason)
"""ISO codes in the order of their numbers; number 0 (none) is written as null."""

FX_SPREAD = "fx_spread"
"""Component under which an FX provider's margin appears in ``fees.parquet``."""

SERIES_KINDS = ("station", "ledger", "account", "line", "top_up", "guard", "system", "member")
SERIES_MEASURES = (
    "queue", "busy", "rounds", "balance_minor", "pending_minor", "gross_minor", "net_minor",
    "sold_minor", "bought_minor", "paid_minor", "carried_minor", "ordered_minor", "level_minor",
    "arrived_minor", "due_minor", "alarm", "closed", "settled", "queued_minor", "settled_minor",
    "load_waiting", "load_taken",
)  # fmt: skip
"""What is sampled, and which of its figures a row of ``series.parquet`` holds.

Lines and top-ups are not sampled: they have rows when a clearing file is closed, sold or paid, when
a level is looked at and when what was ordered arrives. Guards have rows when an alarm is raised or
ends and when a channel closes or opens. Of large-value systems a sample shows how many payments
wait and have settled, and of each member what waits of what it pays, and what has settled. Of a
ledger that carries load it shows how much of it waits and how much blocks have taken so far.
"""

EXPONENTS = {code: currency.exponent for code, currency in CURRENCIES.items()}
"""Decimal places of minor units (ISO 4217): 10^exponent of them make one unit of the currency."""

_CURRENCY = re.compile(r"in (instructed|debited|settlement|credited|that) currency")
"""By which words a description says which column names the currency of an amount."""

_TEXT = pa.dictionary(pa.int32(), pa.string())
_INT = pa.int64()

UNITS = {
    "name": "a name",
    "number": "a number that stands for something",
    "count": "how many",
    "flag": "1 for yes, 0 for no",
    "us": "microseconds since the start of the scenario, or of duration",
    "micro": "millionths of a minor unit of the currency the description names",
    "minor": "minor units of the currency the description names (ISO 4217 exponent)",
    "value": "as the description says",
}
"""What the unit of a column means; a name is dictionary-encoded text, all others are int64."""


def with_exponents(schema: pa.Schema, exponents: Mapping[str, int]) -> pa.Schema:
    """Return a schema whose amounts say the decimal places of the currencies of one plan.

    Parameters
    ----------
    schema : pyarrow.Schema
    exponents : mapping of str to int
        Of :attr:`~sim.contract.plan_names.PlanNames.exponents`.
    """
    if exponents == EXPONENTS:
        return schema
    told = {b"exponents": json.dumps(dict(exponents)).encode()}
    return pa.schema(
        entry.with_metadata({**entry.metadata, **told})
        if b"exponents" in (entry.metadata or {})
        else entry
        for entry in schema
    )


def _schema(described: str) -> pa.Schema:
    """Build a schema from lines of column, unit and description.

    All of it travels with every file, as metadata of the column; of money also which column names
    its currency, and how many minor units make one unit, as a power of ten, by currency.
    """
    entries = []
    for line in described.strip().splitlines():
        name, unit, meaning = (part.strip() for part in line.split("|"))
        # Descriptions are the manual; a unit that is not explained stops the import.
        assert unit in UNITS, line
        kind = _TEXT if unit == "name" else _INT
        told = {"unit": unit, "description": meaning}
        if currency := _CURRENCY.search(meaning):
            column = "currency" if currency[1] == "that" else f"{currency[1]}_currency"
            told |= {"currency_column": column, "exponents": json.dumps(EXPONENTS)}
        assert currency or unit != "minor", line
        entries.append(pa.field(name, kind, metadata=told))
    return pa.schema(entries)


PAYMENTS = _schema("""
payment_id              | number | the payment, from 0 in order of submission, in its replication
replication             | number | the replication, 0 for a single run
ordinal                 | number | the payment within its stream: with its name the key of its draws
scope                   | name   | cross_border or domestic
corridor                | name   | from which country and currency to which
stream                  | name   | the stream of demand it belongs to
route                   | name   | the route it took last; null: none was chosen
channel                 | name   | where the payer pays: counter, online, remittance
debtor_agent            | name   | the payer's institution
creditor_agent          | name   | the payee's institution
first_instrument        | name   | what the payer meant to pay with; null: nothing is said
instrument              | name   | what the payer paid with last; null: nothing is said
instructed_currency     | name   | currency of the instructed amount
instructed_amount_minor | minor  | what the payee asks or the payer sends, in instructed currency
debited_currency        | name   | currency of the payer's account; null: never settled
debited_amount_minor    | minor  | taken from the payer with margins, not fees, in debited currency
settlement_currency     | name   | currency between the two conversions
settlement_amount_minor | minor  | what lies between the two conversions, in settlement currency
credited_currency       | name   | currency of the payee's account
credited_amount_minor   | minor  | what the payee keeps, in credited currency; null: never credited
payer_fee_minor         | minor  | fees borne by the payer, in debited currency
fx_margin_minor         | minor  | debited less what was credited at mid rates, in debited currency
fx_rounding_millionths  | micro  | part of it that rounding makes, in debited currency
fx_drift_minor          | minor  | the same at the quote less at submission, in debited currency
fx_risk_minor           | minor  | the same at settlement less at the quote, in debited currency
merchant_fee_minor      | minor  | fees borne by the payee, in credited currency
payer                   | number | the payer within its stream; null: not numbered
merchant                | number | the payee's code, as in explain --payment; null: none
in_warm_up              | flag   | whether it was submitted in the warm-up and counts in no measure
submitted_us            | us     | when it was submitted
quoted_us               | us     | when it was last priced; null: never
settled_us              | us     | when money first moved for good; null: never
credited_us             | us     | when the payee was credited; null: never
end_us                  | us     | when it ended; null: open at the horizon
outcome                 | name   | completed, rejected, returned, in_progress or not_payable
reason_code             | name   | ISO 20022 reason where it ended badly; null: none
instead                 | name   | what the payer did instead: cash or gave_up; null: not known
attempts                | count  | routes tried
requotes                | count  | new prices asked for after one had lapsed
waiting_us              | us     | time in queues of stations
service_us              | us     | time being served
transit_us              | us     | time on the way
ledger_us               | us     | time from joining a ledger's queue to its commit
human_us                | us     | time of a person: confirming
liquidity_us            | us     | time waiting for money
in_doubt_us             | us     | time until it was known how a request given up had ended
retry_us                | us     | time spent on routes given up, but for a person's
in_doubt_since_us       | us     | since when it is in doubt at the horizon; null: it is not
gone_us                 | us     | when its payer walked away without an answer; null: never
doubted_us              | us     | when it first came to be in doubt; null: never
known_us                | us     | when its last doubt ended; null: never
""")
FEES = _schema("""
payment_id   | number | the payment
replication  | number | its replication
component    | name   | the fee's name, or fx_spread for a provider's margin
recipient    | name   | who earns it
bearer       | name   | debtor, creditor, or agent: an institution between, at its own cost
currency     | name   | of the amount: debited (debtor), credited (creditor), settled (agent)
amount_minor | minor  | what was charged, in that currency
""")
STAGES = _schema("""
payment_id  | number | the payment
replication | number | its replication
stage       | number | number of the stage in the plan, as in explain
stage_name  | name   | name of the stage
station     | name   | station or ledger it was at; null: none
queued_us   | us     | when it began to wait
started_us  | us     | when the waiting was over; null: it left before
ended_us    | us     | when it went on
cause       | name   | what the time counts as
""")
EVENTS = _schema("""
replication | number | the replication
time_us     | us     | when it happened
key         | number | order among events of one instant: class, payment, step
kind        | name   | what happened (LogKind in sim/contract/meaning.py)
payment     | number | the payment, -1 without one
stage       | number | number of the stage it was at, -1 without one
subject     | number | what it happened to or with, by kind
amount      | value  | amount or duration, by kind
value       | value  | further number, by kind
""")
SERIES = _schema("""
replication | number | the replication
time_us     | us     | when the sample was taken, or the file, top-up or level was dealt with
kind        | name   | station, ledger, account, line (of files), top_up, guard, system or member
name        | name   | which of them
measure     | name   | what the value is: queue, busy, balance_minor, net_minor, paid_minor, ...
value       | value  | payments, servers, rounds or minor units in that currency, by measure
currency    | name   | currency of a measure that ends in _minor; null: no money
""")
REFUNDS = _schema("""
payment_id  | number | the payment that is paid back
replication | number | its replication
time_us     | us     | when the part fell due
route       | name   | the route the payment took
part        | number | which part of the payment, from 1
currency    | name   | of the amount: the currency the payment was instructed in
paid_minor  | minor  | what was paid back, in that currency; 0: the part was refused
reason_code | name   | ISO 20022 reason why it was refused; null: it was paid
""")
ORDERS = _schema("""
payment_id    | number | the payment that is an order of a shop
replication   | number | its replication
time_us       | us     | when the order ended; one still open at the horizon has no row
shop          | name   | the shop
state         | name   | released (seen as paid, goods given out) or expired
polls         | count  | how often the shop asked about it
seen_after_us | us     | time from the credit to the release; null: it expired
""")
ORDER_STATES = ("released", "expired")
OBLIGATIONS = _schema("""
payment_id   | number | the completed payment that leaves it
replication  | number | its replication
line         | name   | the line it came to: scheme, agent and currency
debtor       | name   | who owes
creditor     | name   | who is owed
currency     | name   | of the amount
amount_minor | minor  | before interchange and fees, in that currency
since_us     | us     | when the money came to the line
file         | number | clearing file that closes it, as in settlements.parquet
due_us       | us     | when that file is paid by calendar, also beyond the run
""")
SETTLEMENTS = _schema("""
replication         | number | the replication
line                | name   | the line: scheme, agent and currency
file                | number | the clearing file
opened_us           | us     | start of its window; below 0: before the run
closed_us           | us     | end of its window
settled_us          | us     | when it was dealt with
settlement_currency | name   | currency it was closed in
gross_minor         | minor  | payments less refunds, in settlement currency; null: closed before
net_minor           | minor  | that less interchange and fee, in settlement currency; null likewise
credited_currency   | name   | currency it is paid in
paid_minor          | minor  | paid with it, earlier files included, in credited currency
carried_minor       | minor  | left to later files, in credited currency; below 0: owed by the agent
""")
BREAKS = _schema("""
replication   | number | the replication
reconciled_us | us     | when books were compared
rail          | name   | rail of the payments' last route; null: they had none
agent         | name   | its settlement agent; null: none
currency      | name   | of the amounts: the currency the payments were instructed in
age           | name   | how old they were, in days of the scenario's clock
breaks        | count  | payments debited and neither credited nor back, or in doubt
amount_minor  | minor  | their instructed amounts, in that currency
new           | count  | of them, no breaks at the comparison before
in_doubt      | count  | of them, in doubt
""")
RATES = _schema("""
replication    | number | the replication
pair           | name   | base and quote currency, as in USD/KHR
base_currency  | name   | of which one minor unit is priced
quote_currency | name   | in which it is priced
time_us        | us     | since when the rate is in force, up to the next row of the pair
rate           | number | minor units of quote currency for so many of base as scale says
scale          | number | rate / scale is the mid rate between minor units
base_exponent  | number | decimal places of the base currency's minor unit (ISO 4217)
quote_exponent | number | likewise of the quote currency's
""")
PRICES = _schema("""
replication     | number | the replication
route           | name   | the route
fixed_side      | name   | creditor or debtor: whose amount is instructed
rounding        | name   | once or each_step
conversion      | number | 1 debited to settlement currency, 2 settlement to credited currency
source_currency | name   | currency that is paid
target_currency | name   | currency that is bought
pair            | name   | pair of rates.parquet whose rate it uses, along it or against it
spread_ppm      | number | margin over the mid rate, in millionths
provider        | name   | who sells
source_step     | value  | step its amounts are rounded to, in minor units of the source
target_step     | value  | likewise of the target
""")

PAYMENTS_FILE = "payments.parquet"
FEES_FILE = "fees.parquet"
STAGES_FILE = "stages.parquet"
EVENTS_FILE = "events.parquet"
SERIES_FILE = "series.parquet"
REFUNDS_FILE = "refunds.parquet"
ORDERS_FILE = "orders.parquet"
OBLIGATIONS_FILE = "obligations.parquet"
SETTLEMENTS_FILE = "settlements.parquet"
BREAKS_FILE = "breaks.parquet"
RATES_FILE = "rates.parquet"
PRICES_FILE = "prices.parquet"

SCHEMAS: dict[str, pa.Schema] = {
    PAYMENTS_FILE: PAYMENTS,
    FEES_FILE: FEES,
    STAGES_FILE: STAGES,
    EVENTS_FILE: EVENTS,
    SERIES_FILE: SERIES,
    REFUNDS_FILE: REFUNDS,
    ORDERS_FILE: ORDERS,
    OBLIGATIONS_FILE: OBLIGATIONS,
    SETTLEMENTS_FILE: SETTLEMENTS,
    BREAKS_FILE: BREAKS,
    RATES_FILE: RATES,
    PRICES_FILE: PRICES,
}


def text_columns(schema: pa.Schema) -> list[str]:
    """Return the names of the dictionary-encoded columns of a schema."""
    return [entry.name for entry in schema if pa.types.is_dictionary(entry.type)]
