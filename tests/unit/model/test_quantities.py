"""Every quantity: texts that are read, texts that are refused, and the message they get."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from sim.contract.layout import DURATION_MAX_US
from sim.model import quantities as q
from sim.units import CURRENCIES

DURATION = (
    "a duration such as '12 h', '0.8 s', '350 ms' (units us, ms, s, min, h, d), whole microseconds"
)
SHARE = (
    "a share from 0 to 100 % with its unit such as '0.10 %', '25 bps' or '0.001 share', no finer "
    "than 1e-9"
)
FEE = (
    "a fee rate from 0 to 100 % with its unit such as '0.6 %', '25 bps' or '0.006 share', no finer "
    "than 1e-6"
)
RATE = "a rate such as '2000 /s', '1 500 /min', '12 000 /day', no finer than 1e-6 events"
MONEY = "an amount with its currency such as '80 CNY', '12.50 USD', '3 000 000 KHR'"
AMOUNT = "an amount without currency such as '3 000 000' or '12.50'"
COUNT = "a whole number of at least 0 such as '1500' or '200 000'"
POSITIVE = "a whole number of at least 1 such as '7' or '200 000'"
SEED = "a whole number from 0 to 2^63 - 1 such as '20250917'"
DECIMAL = "a number above 0 such as '4084' or '7.1875'"
NAME = "a name of small letters, digits and '_', a letter first, such as 'cn_counter'"
FLAG = "'true' or 'false'"
TIME = "a time of day from '00:00' to '24:00' such as '17:00' or '17:00:30'"
STAMP = "a date and time with its UTC offset such as '2025-09-17T18:00:00+07:00' (ISO 8601)"
COUNTRY = "a country of two capital letters (ISO 3166) such as 'KH' or 'CN'"
PAIR = "two different currencies such as 'USD/KHR'"
DATE = "a date that exists such as '2025-09-17' (ISO 8601)"
BUSINESS = "a whole number of business days from 0 to 366 such as '2 business days'"
CURRENCY = ", ".join(sorted(CURRENCIES))

ACCEPTED = [
    (q.DurationUs, "12 h", 43_200_000_000),
    (q.DurationUs, "0.8 s", 800_000),
    (q.DurationUs, "10 min", 600_000_000),
    (q.DurationUs, "350ms", 350_000),
    (q.DurationUs, "90 us", 90),
    (q.DurationUs, "1 d", 86_400_000_000),
    (q.DurationUs, "1 day", 86_400_000_000),
    (q.DurationUs, "14 days", 14 * 86_400_000_000),
    (q.DurationUs, "1 000 s", 1_000_000_000),
    (q.DurationUs, "0 s", 0),
    (q.DurationUs, 5, 5),
    (q.PositiveDurationUs, "0.000001 s", 1),
    (q.BusinessDays, "2 business days", 2),
    (q.BusinessDays, "1 business day", 1),
    (q.SharePpb, "0.10 %", 1_000_000),
    (q.SharePpb, "25 bps", 2_500_000),
    (q.SharePpb, "0.001 share", 1_000_000),
    (q.SharePpb, "100 %", 10**9),
    (q.SharePpb, "0.0000001 %", 1),
    (q.FeePpm, "0.6 %", 6000),
    (q.FeePpm, "25bps", 2500),
    (q.FeePpm, "0.0001 %", 1),
    (q.EventRate, "2000 /s", q.EventRate(2_000_000_000, 10**6)),
    (q.EventRate, "1 500/min", q.EventRate(1_500_000_000, 60 * 10**6)),
    (q.EventRate, "2.4 /s", q.EventRate(2_400_000, 10**6)),
    (q.EventRate, "12 000 /day", q.EventRate(12_000_000_000, 86_400 * 10**6)),
    (q.MoneyAmount, "80 CNY", q.MoneyAmount(8000, "CNY")),
    (q.MoneyAmount, "3 000 000 KHR", q.MoneyAmount(300_000_000, "KHR")),
    (q.MoneyAmount, "3\u00a0000\u202f000 KHR", q.MoneyAmount(300_000_000, "KHR")),
    (q.MoneyAmount, "12.50 USD", q.MoneyAmount(1250, "USD")),
    (q.MoneyAmount, "5 VND", q.MoneyAmount(5, "VND")),
    (q.AmountText, "3 000 000", Decimal(3_000_000)),
    (
        q.AmountText,
        "0.1234567890123456789012345678901",
        Decimal("0.1234567890123456789012345678901"),
    ),
    (q.CurrencyCode, "KHR", "KHR"),
    (q.CountryCode, "NO", "NO"),
    (q.Name, "cn_counter2", "cn_counter2"),
    (q.ScenarioName, "china-two-way", "china-two-way"),
    (q.Count, "200 000", 200_000),
    (q.Count, "0", 0),
    (q.Count, 7, 7),
    (q.PositiveCount, "1", 1),
    (q.DecimalText, "7.1875", Decimal("7.1875")),
    (q.DecimalText, "4 084", Decimal(4084)),
    (q.CalendarDate, "2024-02-29", date(2024, 2, 29)),
    (q.TimeOfDay, "17:00", 61_200),
    (q.TimeOfDay, "17:00:30", 61_230),
    (q.TimeOfDay, "24:00", 86_400),
    (q.Flag, "true", True),
    (q.Flag, "false", False),
    (q.Seed, "0", 0),
    (q.Seed, str(2**63 - 1), 2**63 - 1),
    (q.CurrencyPair, "USD/KHR", q.CurrencyPair("USD", "KHR")),
    (
        q.Timestamp,
        "2025-09-17T18:00:00+07:00",
        datetime(2025, 9, 17, 18, tzinfo=timezone(timedelta(hours=7))),
    ),
    (q.Timestamp, "2025-09-17T18:00Z", datetime(2025, 9, 17, 18, tzinfo=UTC)),
]

REFUSED = [
    (q.DurationUs, "12 hours x", f"found '12 hours x'; allowed: {DURATION}"),
    (q.DurationUs, "12 hours", f"found '12 hours'; allowed: {DURATION}. Did you mean 'h'?"),
    (q.DurationUs, "5 m", f"found '5 m'; allowed: {DURATION}. Did you mean 'min'?"),
    (q.DurationUs, "12", f"found '12'; allowed: {DURATION}"),
    (q.DurationUs, "-1 s", f"found '-1 s'; allowed: {DURATION}"),
    (q.DurationUs, "0.5 us", f"found '0.5 us'; allowed: {DURATION}"),
    (q.DurationUs, "010 s", f"found '010 s'; allowed: {DURATION}"),
    (q.DurationUs, "1e3 s", f"found '1e3 s'; allowed: {DURATION}"),
    (q.DurationUs, "30 00 s", f"found '30 00 s'; allowed: {DURATION}"),
    (q.DurationUs, "٣ s", f"found '٣ s'; allowed: {DURATION}"),
    (q.DurationUs, "1 business day", f"found '1 business day'; allowed: {DURATION}"),
    (q.DurationUs, "200 000 000 d", f"found '200 000 000 d'; allowed: {DURATION}"),
    (q.DurationUs, 0.5, f"found 0.5; allowed: {DURATION}"),
    (q.DurationUs, True, f"found True; allowed: {DURATION}"),
    (q.DurationUs, {}, f"found a mapping; allowed: {DURATION}"),
    (q.DurationUs, "9" * 100 + " s", f"found '{'9' * 57}...'; allowed: {DURATION}"),
    (q.PositiveDurationUs, "0 s", f"found '0 s'; allowed: {DURATION}, above 0"),
    (q.BusinessDays, "1.5 business days", f"found '1.5 business days'; allowed: {BUSINESS}"),
    (q.BusinessDays, "2 d", f"found '2 d'; allowed: {BUSINESS}"),
    (q.SharePpb, "3", f"found '3'; allowed: {SHARE}. Did you mean '3 %'?"),
    (q.SharePpb, "101 %", f"found '101 %'; allowed: {SHARE}"),
    # A third to one reader is a third of a per cent to the next.
    (q.SharePpb, "0.3", f"found '0.3'; allowed: {SHARE}. Did you mean '0.3 %' or '30 %'?"),
    (q.SharePpb, "0", f"found '0'; allowed: {SHARE}. Did you mean '0 %'?"),
    (q.SharePpb, "1.1 share", f"found '1.1 share'; allowed: {SHARE}"),
    (q.SharePpb, "0.0000000001 share", f"found '0.0000000001 share'; allowed: {SHARE}"),
    (q.SharePpb, "-1 %", f"found '-1 %'; allowed: {SHARE}"),
    (q.FeePpm, "0.00001 %", f"found '0.00001 %'; allowed: {FEE}"),
    (q.EventRate, "0 /s", "found '0 /s'; rate must be above 0"),
    (q.EventRate, "0.0 /day", "found '0.0 /day'; rate must be above 0"),
    (q.EventRate, "2000", f"found '2000'; allowed: {RATE}"),
    (q.EventRate, "0.0000001 /s", f"found '0.0000001 /s'; allowed: {RATE}"),
    (q.EventRate, "1 /week", f"found '1 /week'; allowed: {RATE}"),
    (q.MoneyAmount, "80", f"found '80'; allowed: {MONEY}"),
    (q.MoneyAmount, "1.234 USD", "found '1.234 USD'; allowed: at most 2 decimal places in USD"),
    (q.MoneyAmount, "1.5 VND", "found '1.5 VND'; allowed: at most 0 decimal places in VND"),
    (q.MoneyAmount, "80 CNX", f"found 'CNX'; allowed: {CURRENCY}. Did you mean 'CNY'?"),
    (q.MoneyAmount, "-80 CNY", f"found '-80 CNY'; allowed: {MONEY}"),
    (
        q.MoneyAmount,
        "99999999999999999999 USD",
        "found '99999999999999999999 USD'; allowed: an amount below 11 529 215 046 068 469.76 USD",
    ),
    (q.AmountText, "80 CNY", f"found '80 CNY'; allowed: {AMOUNT}"),
    (q.CurrencyCode, "khr", f"found 'khr'; allowed: {CURRENCY}. Did you mean 'KHR'?"),
    (q.CountryCode, "norway", f"found 'norway'; allowed: {COUNTRY}"),
    (q.Name, "CN-Counter", f"found 'CN-Counter'; allowed: {NAME}. Did you mean 'cn_counter'?"),
    (q.Count, "010", f"found '010'; allowed: {COUNT}"),
    (q.Count, "1.10", f"found '1.10'; allowed: {COUNT}"),
    (q.Count, "1e3", f"found '1e3'; allowed: {COUNT}"),
    (q.Count, "1.0", f"found '1.0'; allowed: {COUNT}"),
    (q.Count, "1_000", f"found '1_000'; allowed: {COUNT}"),
    (q.Count, "30 00", f"found '30 00'; allowed: {COUNT}"),
    (q.Count, "3  000", f"found '3  000'; allowed: {COUNT}"),
    (q.Count, "+5", f"found '+5'; allowed: {COUNT}"),
    (q.Count, "0x10", f"found '0x10'; allowed: {COUNT}"),
    (q.Count, "5\n", f"found '5\\n'; allowed: {COUNT}"),
    (q.Count, True, f"found True; allowed: {COUNT}"),
    (q.Count, 1.0, f"found 1.0; allowed: {COUNT}"),
    (q.PositiveCount, "0", f"found '0'; allowed: {POSITIVE}"),
    (q.DecimalText, "0.0", f"found '0.0'; allowed: {DECIMAL}"),
    (q.DecimalText, "NaN", f"found 'NaN'; allowed: {DECIMAL}"),
    (q.CalendarDate, "2025-02-29", f"found '2025-02-29'; allowed: {DATE}"),
    (q.CalendarDate, "20250917", f"found '20250917'; allowed: {DATE}"),
    (q.Timestamp, "2025-02-29T18:00Z", f"found '2025-02-29T18:00Z'; allowed: {STAMP}"),
    (q.Timestamp, "2025-09-17T18:00+99:00", f"found '2025-09-17T18:00+99:00'; allowed: {STAMP}"),
    (q.TimeOfDay, "1020", f"found '1020'; allowed: {TIME}"),
    (q.TimeOfDay, "25:00", f"found '25:00'; allowed: {TIME}"),
    (q.TimeOfDay, "24:01", f"found '24:01'; allowed: {TIME}"),
    (q.Flag, "on", f"found 'on'; allowed: {FLAG}. Did you mean 'true'?"),
    (q.Flag, "NO", f"found 'NO'; allowed: {FLAG}. Did you mean 'false'?"),
    (q.Flag, "maybe", f"found 'maybe'; allowed: {FLAG}"),
    (q.Seed, str(2**63), f"found '{2**63}'; allowed: {SEED}"),
    (q.Seed, -1, f"found -1; allowed: {SEED}"),
    (q.CurrencyPair, "USD/USD", f"found 'USD/USD'; allowed: {PAIR}"),
    (q.CurrencyPair, "USDKHR", f"found 'USDKHR'; allowed: {PAIR}"),
    (q.Timestamp, "2025-09-17T18:00:00", f"found '2025-09-17T18:00:00'; allowed: {STAMP}"),
    (q.Timestamp, "2025-09-17", f"found '2025-09-17'; allowed: {STAMP}"),
]


@pytest.mark.parametrize(("kind", "text", "value"), ACCEPTED)
def test_accepted_text_gives_the_exact_value(kind: object, text: object, value: object) -> None:
    read = TypeAdapter(kind).validate_python(text)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(("kind", "text", "message"), REFUSED)
def test_refused_text_gets_the_exact_message(kind: object, text: object, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(text)
    assert [error["msg"] for error in caught.value.errors()] == [f"Value error, {message}"]


@pytest.mark.parametrize(("kind", "text", "value"), ACCEPTED)
def test_value_written_back_reads_as_the_same_value(
    kind: object, text: object, value: object
) -> None:
    adapter = TypeAdapter(kind)
    assert adapter.validate_python(adapter.dump_python(value)) == value


@pytest.mark.parametrize(("kind", "text", "value"), ACCEPTED)
def test_schema_pattern_admits_what_is_accepted(kind: object, text: object, value: object) -> None:
    schema = TypeAdapter(kind).json_schema()
    assert schema["description"]
    if isinstance(text, str):
        assert re.search(schema["pattern"], text)
    for example in schema["examples"]:
        TypeAdapter(kind).validate_python(example)


@given(st.integers(0, DURATION_MAX_US))
def test_durations_survive_writing_at_any_size(duration_us: int) -> None:
    assert q.parse_duration_us(q.write_duration(duration_us)) == duration_us


@given(st.integers(0, 10**15), st.sampled_from(["USD", "KHR", "VND"]))
def test_money_survives_writing_at_any_size(amount_minor: int, currency: str) -> None:
    money = q.MoneyAmount(amount_minor, currency)
    assert q.parse_money_amount(str(money)) == money


@given(st.text(max_size=100))
def test_any_text_is_read_or_refused_with_a_value_error(text: str) -> None:
    for kind in (q.DurationUs, q.SharePpb, q.EventRate, q.MoneyAmount, q.Timestamp, q.Count):
        caught: list[str] = []
        try:
            TypeAdapter(kind).validate_python(text)
        except ValidationError as error:
            caught = [item["type"] for item in error.errors()]
        assert caught in ([], ["value_error"])


def test_rate_is_an_exact_fraction_per_microsecond() -> None:
    rate = q.parse_event_rate("12 000 /day")
    assert Fraction(rate.numerator, rate.denominator) == Fraction(12_000, 86_400 * 10**6)
    assert rate.per_second == pytest.approx(12_000 / 86_400, rel=1e-15)


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [("3 000 000", "KHR", 300_000_000), (Decimal("12.5"), "USD", 1250), ("7", "VND", 7)],
)
def test_amount_without_currency_resolves_by_its_currency(
    amount: Decimal | str, currency: str, minor: int
) -> None:
    assert q.to_minor(amount, currency) == minor


def test_amount_finer_than_the_minor_unit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"found '0\.5 VND'; allowed: at most 0 decimal places"):
        q.to_minor(Decimal("0.5"), "VND")
