"""Hostile input is normal: never an exception but the codec's own, never an endless loop."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.qr import QrError, decode, encode, encode_again, inputs_of, md5, round_trip, verify
from tests.hostile.codes import try_mutants
from tests.unit.qr.builder import CREATED, EXPIRES, NOW_MS, code_of, tlv

MEGABYTE = 1_000_000
ours = settings(derandomize=True, database=None, deadline=None, max_examples=300)

any_text = st.text(st.characters(codec=None, exclude_categories=()), max_size=200)
words = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)
label = st.one_of(st.none(), words)


def check_everything(text):
    """Use every part of the codec on a text; return whether it was valid."""
    code = decode(text)
    problems = verify(code, NOW_MS)
    assert len(md5(text)) == 32
    assert len(problems) < 300
    assert bool(code.fields) <= code.decode_ok
    assert code.decode_ok or problems
    assert all(problem.message for problem in problems)
    assert isinstance(code.emv_tags, dict)
    assert len(code.payees) == len(code.schemes)
    round_trip(code)
    return problems == ()


@pytest.mark.slow
def test_twenty_thousand_damaged_codes_never_crash_and_are_mostly_refused():
    valid = try_mutants(20_000, seed=20_220_701)
    # Some damage is harmless: another letter in a resealed name.
    assert 0 < valid < 10_000


@pytest.mark.large
@pytest.mark.slow
def test_a_million_damaged_codes_never_crash():
    valid = try_mutants(1_000_000, seed=20_251_231)
    assert 0 < valid < 500_000


@ours
@given(any_text)
def test_any_text_is_read_and_judged(text):
    check_everything(text)


@ours
@given(st.lists(st.tuples(st.sampled_from([f"{n:02d}" for n in range(100)]), words), max_size=12))
def test_any_run_of_objects_is_read_back(pairs):
    text = tlv(*pairs)
    code = decode(text)
    tags = [tag for tag, _ in pairs]
    if tags and len(set(tags)) == len(tags):
        assert code.objects == tuple(pairs)
    else:
        assert not code.decode_ok
    check_everything(text)


@ours
@given(
    name=st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12),
    city=label,
    bill=label,
    purpose=label,
    amount=st.one_of(st.none(), st.integers(1, 10**13 - 1)),
    khmer=label,
    currency=st.sampled_from(["KHR", "USD"]),
)
def test_what_is_written_is_valid_and_reads_back(
    name, city, bill, purpose, amount, khmer, currency
):
    inputs = {
        "account_type": "merchant",
        "bakong_account_id": "khqr@devb",
        "merchant_id": "M-1",
        "acquiring_bank": "Dev Bank",
        "merchant_name": name,
        "merchant_city": None if city is None else city[:7],
        "bill_number": bill,
        "purpose_of_transaction": purpose,
        "currency": currency,
        "amount": amount,
        "language_preference": None if khmer is None else "km",
        "merchant_name_alternate_language": khmer,
        "created_ms": int(CREATED),
        "expires_ms": int(EXPIRES),
    }
    text = encode(**inputs)
    code = decode(text)
    assert verify(text, NOW_MS) == ()
    assert round_trip(code)
    assert encode_again(code) == text
    read = inputs_of(code)
    for key in ("merchant_name", "bill_number", "purpose_of_transaction"):
        assert read[key] == inputs[key]
    assert code.fields.get("transaction_amount") == (None if amount is None else str(amount))


@ours
@given(st.data())
def test_whatever_encode_is_given_it_writes_a_valid_code_or_raises_its_own_error(data):
    names = ["bakong_account_id", "merchant_name", "merchant_city", "amount", "currency"]
    names += ["account_information", "bill_number", "language_preference", "country_code"]
    inputs = {name: data.draw(st.one_of(st.none(), any_text)) for name in names}
    base = {"account_type": "individual", "bakong_account_id": "a@b", "merchant_name": "A"}
    kept = data.draw(st.sets(st.sampled_from(names)))
    inputs = base | {name: inputs[name] for name in kept}
    try:
        text = encode(**inputs, created_ms=int(CREATED), expires_ms=int(EXPIRES))
    except QrError:
        return
    assert verify(text, NOW_MS) == ()


@pytest.mark.parametrize(
    "text",
    [
        "0" * MEGABYTE,
        "9" * MEGABYTE,
        "0000" * (MEGABYTE // 4),
        "".join(f"{n:02d}00" for n in range(100)) * (MEGABYTE // 400),
        "6304" * (MEGABYTE // 4),
        "2999" + "29" * MEGABYTE,
        "🍜" * MEGABYTE,
        "000201" + "ក" * MEGABYTE,
        "\ud83c" * MEGABYTE,
        "0101🍜" * (MEGABYTE // 5),
        "\x00" * MEGABYTE,
        "https://" + "a" * MEGABYTE,
    ],
    ids=range(12),
)
def test_a_megabyte_is_told_off_in_linear_time(text):
    start = time.perf_counter()
    check_everything(text)
    # Linear work takes well under a second here; anything quadratic takes hours.
    assert time.perf_counter() - start < 60


def test_nesting_without_end_is_opened_once_only():
    value = "0000"
    while len(value) < 90:
        value = tlv(("00", value))
    text = code_of(t62=value, t29=tlv(("00", "a@b"), ("29", value[-60:])))
    check_everything(text)
    assert decode(text).decode_ok


def test_messages_stay_short_and_printable_however_hostile_the_code():
    text = code_of(t01="\x1b[31m\u202e" + "x" * 80, t53="\x00\x00\x00")
    for problem in verify(text, NOW_MS):
        assert problem.message.isprintable()
        assert len(problem.message) < 200


@pytest.mark.parametrize("control", ["\x00", "\x1b[2J", "\u202e", "\ufeff", "\r"])
def test_control_characters_are_data_like_any_other(control):
    text = code_of(t59=f"Sok{control}")
    assert decode(text).fields["merchant_name"] == f"Sok{control}"
    assert check_everything(text)
