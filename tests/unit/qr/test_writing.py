"""Writer rules E1 to E7, and writing decoded codes again."""

from decimal import Decimal

import pytest

from sim.qr import (
    QrError,
    QrTypeError,
    decode,
    encode,
    encode_again,
    inputs_of,
    round_trip,
    verify,
)
from tests.unit.qr.builder import CREATED, EXPIRES, NOW_MS, STATIC_OBJECTS, code_of, seal, tlv

PERSON = {
    "account_type": "individual",
    "bakong_account_id": "sok_dara@aclb",
    "merchant_name": "Sok Dara",
}
SHOP = {
    "account_type": "merchant",
    "bakong_account_id": "khqr@devb",
    "merchant_name": "Phsar Thmei Cafe",
    "merchant_id": "013345168",
    "acquiring_bank": "Dev Bank",
}
TIMES = {"created_ms": int(CREATED), "expires_ms": int(EXPIRES)}


def error_codes(**inputs):
    with pytest.raises(QrError) as caught:
        encode(**inputs)
    assert caught.value.code == caught.value.problems[0].code
    assert caught.value.exit_code == 2
    return [problem.code for problem in caught.value.problems]


def test_the_smallest_code_has_the_defaults():
    assert encode(**PERSON) == seal(tlv(*STATIC_OBJECTS.items()))


def test_none_everywhere_is_absent():
    nothing = dict.fromkeys(
        ["amount", "bill_number", "language_preference", "created_ms", "unknown", "currency"]
    )
    assert encode(**PERSON, **nothing) == encode(**PERSON)


@pytest.mark.parametrize(
    ("currency", "amount", "written"),
    [
        ("USD", "10", "10"),
        ("USD", "10.0", "10"),
        ("USD", "10.00", "10"),
        ("USD", "10.", "10"),
        ("USD", "1.5", "1.50"),
        ("USD", "1.50", "1.50"),
        ("USD", "0.01", "0.01"),
        ("USD", "0.1", "0.10"),
        ("USD", "007.5", "7.50"),
        ("USD", 25, "25"),
        ("USD", Decimal("25.9"), "25.90"),
        ("USD", Decimal("1E+2"), "100"),
        ("840", "1", "1"),
        ("USD", "1234567890.12", "1234567890.12"),
        ("KHR", "50000", "50000"),
        ("KHR", "5000.00", "5000"),
        ("KHR", 1, "1"),
        ("116", "1234567890123", "1234567890123"),
    ],
)
def test_an_amount_is_written_as_the_official_kit_does(currency, amount, written):
    text = encode(**PERSON, **TIMES, currency=currency, amount=amount)
    assert decode(text).fields["transaction_amount"] == written
    assert decode(text).fields["point_of_initiation_method"] == "12"
    assert verify(text, NOW_MS) == ()


@pytest.mark.parametrize("amount", [None, "0", "00", "0.00", "0.", 0, Decimal(0), Decimal("0.00")])
def test_no_amount_or_zero_is_static_and_writes_no_times(amount):
    assert encode(**PERSON, **TIMES, amount=amount) == encode(**PERSON)


@pytest.mark.parametrize(
    ("currency", "amount"),
    [
        ("KHR", "100.5"),
        ("KHR", Decimal("0.5")),
        ("KHR", "12345678901234"),
        ("USD", "1.234"),
        ("USD", "1.230"),
        ("USD", "12345678901.5"),
        ("USD", "-5"),
        ("USD", -5),
        ("USD", "-0"),
        ("USD", "+5"),
        ("USD", "1e3"),
        ("USD", "1,5"),
        ("USD", "1_0"),
        ("USD", ".5"),
        ("USD", "."),
        ("USD", ""),
        ("USD", " 1"),
        ("USD", "1 "),
        ("USD", "1\n"),
        ("USD", "١٢"),
        ("USD", "abc"),
        ("USD", Decimal("NaN")),
        ("USD", Decimal("-Infinity")),
        ("USD", Decimal("1E+999999")),
        ("USD", Decimal("1E-999999")),
        ("USD", "9" * 100_000),
    ],
)
def test_an_amount_out_of_form_is_refused(currency, amount):
    assert error_codes(**PERSON, **TIMES, currency=currency, amount=amount) == [4]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"account_type": None}, [5]),
        ({"account_type": "person"}, [5]),
        ({"bakong_account_id": None}, [1]),
        ({"bakong_account_id": ""}, [1]),
        ({"bakong_account_id": "sok.aclb"}, [3]),
        ({"bakong_account_id": "a@b@c"}, [3]),
        ({"bakong_account_id": "a" * 28 + "@aclb"}, [6]),
        ({"merchant_name": None}, [2]),
        ({"merchant_name": ""}, [2]),
        ({"merchant_name": "N" * 26}, [7]),
        ({"merchant_name": "N" * 120}, [7]),
        ({"merchant_name": "🍜" * 13}, [7]),
        ({"merchant_city": "C" * 16}, [21]),
        ({"account_information": "1" * 33}, [35]),
        ({"acquiring_bank": "B" * 33}, [33]),
        ({"merchant_id": "M"}, [8]),
        ({"currency": "764"}, [28]),
        ({"currency": "khr"}, [28]),
        ({"currency": ""}, [9]),
        ({"merchant_category_code": "58144"}, [18]),
        ({"merchant_category_code": "58a4"}, [51]),
        ({"merchant_category_code": ""}, [25]),
        ({"country_code": "KHM"}, [20]),
        ({"union_pay_merchant": "u" * 100}, [43]),
        ({"union_pay_merchant": "u", "currency": "USD"}, [44]),
        ({"bill_number": ""}, [10]),
        ({"bill_number": "b" * 26}, [10]),
        ({"mobile_number": "0" * 26}, [34]),
        ({"store_label": "s" * 26}, [11]),
        ({"terminal_label": "t" * 26}, [12]),
        ({"purpose_of_transaction": "p" * 26}, [42]),
        ({"language_preference": "km"}, [39]),
        ({"merchant_name_alternate_language": "ដារា"}, [37]),
        ({"merchant_city_alternate_language": "ភ្នំពេញ"}, [37, 39]),
        ({"language_preference": "khm", "merchant_name_alternate_language": "x"}, [38]),
        ({"language_preference": "km", "merchant_name_alternate_language": "ដ" * 26}, [40]),
        (
            {
                "language_preference": "km",
                "merchant_name_alternate_language": "x",
                "merchant_city_alternate_language": "y" * 16,
            },
            [41],
        ),
        ({"amount": "1", "created_ms": int(CREATED)}, [45]),
        ({"amount": "1", **TIMES, "expires_ms": 176_722_590_000}, [49]),
        ({"amount": "1", **TIMES, "expires_ms": 17_672_259_000_000}, [49]),
        ({"amount": "1", **TIMES, "expires_ms": "1767225900.00"}, [49]),
        ({"amount": "1", **TIMES, "expires_ms": -1_767_225_900_000}, [49]),
        ({"amount": "1", **TIMES, "expires_ms": int(CREATED) - 1}, [50]),
        ({"amount": "1", **TIMES, "created_ms": 1_767_225_600}, [49]),
        ({"amount": "1", "expires_ms": int(EXPIRES)}, [45]),
        ({"amount": "1", "expires_ms": int(EXPIRES), "merchant_name": "N" * 26}, [7, 45]),
        ({"amount": "1", "expires_ms": 5}, [49, 45]),
    ],
)
def test_what_the_rules_forbid_is_refused_with_its_number(changes, expected):
    assert error_codes(**{**PERSON, **changes}) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"merchant_id": None}, [30]),
        ({"merchant_id": ""}, [30]),
        ({"acquiring_bank": None}, [31]),
        ({"merchant_id": None, "acquiring_bank": None}, [30, 31]),
        ({"merchant_id": "m" * 33}, [32]),
        ({"acquiring_bank": "b" * 33}, [33]),
        ({"account_information": "1"}, [8]),
    ],
)
def test_a_merchant_code_needs_merchant_and_bank(changes, expected):
    assert error_codes(**{**SHOP, **changes}) == expected


def test_a_template_longer_than_two_digits_can_say_is_refused():
    labels = dict.fromkeys(
        [
            "bill_number",
            "mobile_number",
            "store_label",
            "terminal_label",
            "purpose_of_transaction",
        ],
        "x" * 25,
    )
    assert error_codes(**PERSON, **labels) == [8]
    full = {
        "bakong_account_id": "a" * 27 + "@aclb",
        "merchant_id": "m" * 32,
        "acquiring_bank": "b" * 32,
    }
    assert error_codes(**SHOP | full) == [8]


def test_a_template_of_exactly_ninety_nine_is_written():
    labels = {
        "bill_number": "x" * 25,
        "mobile_number": "x" * 25,
        "store_label": "x" * 25,
        "terminal_label": "x" * 8,
    }
    text = encode(**PERSON, **labels)
    assert f"6299{tlv(('01', 'x' * 25))}" in text
    assert verify(text, NOW_MS) == ()


def test_an_amount_too_long_to_print_is_refused():
    assert error_codes(**PERSON, **TIMES, amount=10**5000) == [4]
    assert error_codes(**PERSON, **TIMES | {"expires_ms": 10**5000}, amount=1) == [49]


def test_all_problems_come_at_once():
    inputs = SHOP | {"merchant_id": None, "currency": "EUR", "merchant_name": "N" * 26}
    assert error_codes(**inputs) == [30, 28, 7]


@pytest.mark.parametrize(
    "changes",
    [
        {"merchant_nam": "Sok"},
        {"merchant_name": 5},
        {"amount": 1.5},
        {"amount": True},
        {"expires_ms": 1.5e12},
        {"unknown": "39"},
        {"unknown": {"39": 5}},
        {"unknown": {39: "x"}},
    ],
)
def test_a_wrong_name_or_kind_is_told(changes):
    with pytest.raises(QrTypeError):
        encode(**{**PERSON, **changes})


def test_text_that_is_not_unicode_is_refused():
    assert error_codes(**PERSON | {"merchant_name": "Sok\ud83c"}) == [8]


@pytest.mark.parametrize("unknown", [{"59": "x"}, {"6": "x"}, {"62.01": "x"}, {"39.01": "x"}])
def test_only_tags_khqr_does_not_define_may_be_added(unknown):
    assert error_codes(**PERSON, unknown=unknown) == [8]


def test_unknown_tags_are_written_in_ascending_order():
    text = encode(**PERSON, unknown={"62.05": "REF", "39": "x", "61": "12000"}, store_label="S")
    objects = STATIC_OBJECTS | {"39": "x", "61": "12000", "62": tlv(("03", "S"), ("05", "REF"))}
    assert text == seal(tlv(*sorted(objects.items())))


@pytest.mark.parametrize(
    "text",
    [
        code_of(),
        code_of(dynamic=True),
        code_of(t39="0002xx", t61="12000", t62=tlv(("03", "S"), ("05", "REF"), ("68", "000100"))),
        code_of(t02="4127780000000098", t04="5183528880000060"),
        code_of(t59="ហាងកាហ្វេ 🍜", t64=tlv(("00", "km"), ("01", "ដារា"), ("99", "z"))),
        code_of(t58="TH"),
    ],
)
def test_a_code_in_the_official_form_is_written_again_byte_for_byte(text):
    assert encode_again(decode(text)) == text


def test_another_writers_order_becomes_the_official_one():
    shuffled = seal(tlv(*sorted(STATIC_OBJECTS.items(), reverse=True)))
    assert encode_again(decode(shuffled)) == code_of()
    assert not round_trip(decode(shuffled))


def test_unknown_tags_are_not_fields_so_the_fields_alone_do_not_go_round():
    code = decode(code_of(t39="x"))
    assert not round_trip(code)
    assert encode(**inputs_of(code)) == code_of()


@pytest.mark.parametrize("text", ["ABC", code_of(t53="764"), code_of(without=["29"])])
def test_what_may_not_be_written_is_not_written_again(text):
    with pytest.raises(QrError):
        encode_again(decode(text))
    assert not round_trip(decode(text))
