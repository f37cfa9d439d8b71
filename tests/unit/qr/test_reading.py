"""Structure: what parses, what does not, and in which units lengths count."""

import dataclasses
import pickle

import pytest

from sim.qr import QrError, QrTypeError, decode, md5, verify
from tests.unit.qr.builder import NOW_MS, STATIC_OBJECTS, code_of, naive_crc, seal, tlv

BODY = tlv(*STATIC_OBJECTS.items())
ACCOUNT = ("29", "0013sok_dara@aclb")


def test_the_result_is_frozen_hashable_and_travels_between_processes():
    code = decode(code_of())
    with pytest.raises(dataclasses.FrozenInstanceError):
        code.text = ""
    assert pickle.loads(pickle.dumps(code)) == code
    assert hash(code) == hash(decode(code_of()))


def test_changing_the_fields_one_got_changes_nothing():
    code = decode(code_of())
    code.fields["merchant_name"] = "Mallory"
    assert code.fields["merchant_name"] == "Sok Dara"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", ""),
        ("0", ""),
        ("000", ""),
        ("0002", "00"),
        ("00020", "00"),
        (seal(BODY) + "00", "63"),
        (seal(BODY) + "\n", ""),
        (" " + seal(BODY), ""),
        (seal(BODY + "5A0100"), ""),
        (seal(BODY + "615A12345"), ""),
        (seal(BODY + "61-112345"), ""),
        (seal(BODY + "61 512345"), ""),
        (seal(BODY + "61٠٥12345"), ""),
        (seal(BODY + "٦١0512345"), ""),
        (seal(BODY + "6105123"), ""),
        (BODY + "6105123", "61"),
        (seal(BODY + tlv(("59", "Sok Dara"))), "59"),
        (seal(tlv(("63", "0000")) + BODY), "63"),
        (seal(BODY + tlv(("30", "0013sok_dara@aclb"))), "30"),
        (code_of(t29="0013sok_dara@aclb0"), "29"),
        (code_of(t29="0013sok_dara@aclb00"), "29"),
        (code_of(t29="0014sok_dara@aclb"), "29.00"),
        (code_of(t29="0013sok_dara@aclb0013sok_dara@wing"), "29.00"),
        (code_of(t29="0013sok_dara@aclb0A00"), "29"),
        (code_of(t62="0105INV-1x"), "62"),
        (code_of(t62="0105INV-10105INV-2"), "62.01"),
        (code_of(t62="0505INV-10505INV-2"), "62.05"),
        (code_of(t64="0002km0003abc"), "64.00"),
        (code_of(t64="km"), "64"),
        (code_of(t99="0013176722560000"), "99.00"),
        (code_of(t99="0001100011"), "99.00"),
        (code_of(t99="text"), "99"),
    ],
)
def test_a_broken_structure_gives_no_fields_and_the_place(text, path):
    code = decode(text)
    assert not code.decode_ok
    assert code.fields == {}
    assert code.schemes == ()
    assert path in {problem.path for problem in code.problems}
    assert verify(text, NOW_MS)[0].code == 8


def test_thirty_beside_twenty_nine_is_refused_in_either_order():
    merchant = ("30", "0009khqr@devb")
    for pair in ((ACCOUNT, merchant), (merchant, ACCOUNT)):
        rest = [(tag, value) for tag, value in STATIC_OBJECTS.items() if tag != "29"]
        assert not decode(seal(tlv(*pair, *rest))).decode_ok


def test_every_repeated_tag_is_told_once():
    text = seal(BODY + tlv(("59", "A"), ("60", "B"), ("59", "C")))
    assert [problem.path for problem in decode(text).problems] == ["59", "60"]


@pytest.mark.parametrize("order", [sorted, lambda tags: sorted(tags, reverse=True)])
def test_tags_may_come_in_any_order_but_the_checksum_last(order):
    text = seal(tlv(*[(tag, STATIC_OBJECTS[tag]) for tag in order(STATIC_OBJECTS)]))
    assert verify(text, NOW_MS) == ()
    assert decode(text).fields["merchant_name"] == "Sok Dara"


@pytest.mark.parametrize(
    ("text", "crc_ok"),
    [
        (seal(BODY), True),
        (seal(BODY)[:-4] + seal(BODY)[-4:].lower(), True),
        (seal(BODY)[:-4] + "0000", False),
        (BODY, False),
        (seal(BODY)[:-4] + " " + seal(BODY)[-3:], False),
        (seal(BODY)[:-4] + "+" + seal(BODY)[-3:], False),
        (seal(BODY)[:-4] + "१२३४", False),
        (seal(BODY)[:-2] + "ﬀ", False),
        (BODY + "6303" + naive_crc((BODY + "6303").encode())[:3], False),
    ],
)
def test_the_checksum_stands_at_the_end_in_four_plain_hex_digits(text, crc_ok):
    code = decode(text)
    assert code.crc_ok == crc_ok
    assert (verify(text, NOW_MS) == ()) == crc_ok


def test_the_head_of_a_checksum_may_occur_inside_a_name():
    text = code_of(t59="6304ABCD Shop")
    assert verify(text, NOW_MS) == ()
    assert decode(text).fields["merchant_name"] == "6304ABCD Shop"


def test_a_name_that_imitates_the_checksum_does_not_replace_tag_63():
    body = tlv(*[pair for pair in STATIC_OBJECTS.items() if pair[0] != "59"]) + "5908"
    text = seal(body)
    code = decode(text)
    assert code.crc_ok
    assert code.decode_ok
    assert not code.emv_valid
    assert [problem.code for problem in verify(text, NOW_MS)] == [24]


def test_a_long_checksum_object_is_refused_though_its_end_matches():
    text = seal(BODY + "6308")
    assert decode(text).crc_ok
    assert [problem.code for problem in verify(text, NOW_MS)] == [22]


@pytest.mark.parametrize(
    ("name", "size"),
    [("ហាងកាហ្វេ ភ្នំពេញ", 17), ("Noodle 🍜", 9), ("👨‍👩‍👧", 8), ("e\u0301", 2), ("你好", 2)],
)
def test_lengths_count_utf_16_units(name, size):
    text = code_of(t59=name)
    assert f"59{size:02d}{name}" in text
    assert verify(text, NOW_MS) == ()
    assert decode(text).fields["merchant_name"] == name


def test_an_emoji_inside_a_template_counts_two_there_as_well():
    text = code_of(t62=tlv(("01", "🍜🍜"), ("07", "POS")))
    assert decode(text).fields["bill_number"] == "🍜🍜"
    assert decode(text).fields["terminal_label"] == "POS"
    assert decode(text).tag("62.01") == "🍜🍜"


def test_a_length_counted_in_code_points_does_not_parse():
    assert not decode(seal(BODY.replace("5908Sok Dara", "5908Noodle 🍜"))).decode_ok


def test_a_value_cannot_end_in_the_middle_of_an_emoji():
    assert not decode(seal(BODY + "6101🍜")).decode_ok
    assert not decode(code_of(t62="0101🍜")).decode_ok


@pytest.mark.parametrize("name", [chr(0xD83C) + chr(0xDF5C), chr(0xD83C), chr(0xDF5C)])
def test_lone_surrogates_have_no_checksum_but_still_a_reference(name):
    text = code_of(t59=name)
    code = decode(text)
    assert code.decode_ok
    assert not code.crc_ok
    assert len(md5(text)) == 32
    assert verify(text, NOW_MS)[0].code == 8


@pytest.mark.parametrize("value", [None, b"000201", 5, ["0002"], bytearray(b"00")])
def test_what_is_not_a_text_is_refused_by_the_codecs_own_error(value):
    with pytest.raises(QrTypeError) as caught:
        decode(value)
    assert isinstance(caught.value, QrError)
    assert isinstance(caught.value, TypeError)


def test_an_error_survives_pickling():
    with pytest.raises(QrTypeError) as caught:
        decode(b"")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.code, again.problems) == (caught.value.code, caught.value.problems)


def test_an_empty_value_is_a_field_that_is_present():
    assert decode(code_of(t59="")).fields["merchant_name"] == ""


def test_unknown_tags_are_kept_and_reached_by_path():
    code = decode(code_of(t61="12000", t62="0505REF-1", t39="not a template"))
    assert verify(code, NOW_MS) == ()
    assert code.tag("61") == "12000"
    assert code.tag("62.05") == "REF-1"
    assert code.tag("62.06") is None
    assert code.tag("98") is None
    assert code.emv_tags["39"] == "not a template"
