"""Reader rules R6 to R21, one row per boundary."""

import pytest

from sim.qr import QrTypeError, decode, verify
from tests.unit.qr.builder import CREATED, EXPIRES, NOW_MS, code_of, tlv

EXPIRY = int(EXPIRES)


def codes(text, now_ms=NOW_MS):
    return [problem.code for problem in verify(text, now_ms)]


@pytest.mark.parametrize(
    ("tag", "code"),
    [("00", 23), ("52", 25), ("53", 9), ("58", 26), ("59", 2), ("60", 27), ("29", 5)],
)
def test_a_mandatory_tag_that_is_missing_or_empty_has_its_number(tag, code):
    assert codes(code_of(without=[tag])) == [code]
    if tag != "29":
        assert codes(code_of(**{f"t{tag}": ""})) == [code]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        # R7 and section 2: head.
        ({"t00": "012"}, [16]),
        ({"t01": ""}, [48]),
        ({"t01": "1"}, [48]),
        ({"t01": "10"}, [48]),
        ({"t01": "١١"}, [48]),
        ({"t01": "111"}, [17]),
        ({"t01": "11 "}, [17]),
        # R15: account.
        ({"t29": ""}, [1]),
        ({"t29": tlv(("00", ""))}, [1]),
        ({"t29": tlv(("01", "123"))}, [1]),
        ({"t29": tlv(("00", "aclb"))}, [3]),
        ({"t29": tlv(("00", "@aclb"))}, [3]),
        ({"t29": tlv(("00", "sok@"))}, [3]),
        ({"t29": tlv(("00", "@"))}, [3]),
        ({"t29": tlv(("00", "a@b@c"))}, [3]),
        ({"t29": tlv(("00", "a@@c"))}, [3]),
        ({"t29": tlv(("00", "a" * 27 + "@aclb"))}, []),
        ({"t29": tlv(("00", "a" * 28 + "@aclb"))}, [6]),
        ({"t29": tlv(("00", "a" * 33))}, [6]),
        ({"t29": tlv(("00", "a@" + "🍜" * 15))}, []),
        ({"t29": tlv(("00", "a@" + "🍜" * 15 + "b"))}, [6]),
        # R16: account template.
        ({"t29": tlv(("00", "a@b"), ("01", "1" * 32), ("02", "B" * 32))}, []),
        ({"t29": tlv(("00", "a@b"), ("01", "1" * 33))}, [35]),
        ({"t29": tlv(("00", "a@b"), ("02", "B" * 33))}, [33]),
        ({"t29": tlv(("02", "B"), ("00", "a@b"))}, []),
        ({"t29": tlv(("00", "a@b"), ("68", "x" * 40))}, []),
        # R11, R12: currency, category.
        ({"t53": "11"}, [19]),
        ({"t53": "0116"}, [19]),
        ({"t53": "KHR"}, [28]),
        ({"t53": "١١٦"}, [28]),
        ({"t52": "0"}, []),
        ({"t52": "58144"}, [18]),
        ({"t52": "58a4"}, [51]),
        ({"t52": "-581"}, [51]),
        ({"t52": " 581"}, [51]),
        ({"t52": "٥٨١٤"}, [51]),
        ({"t52": "²²²²"}, [51]),
        # R13, R14: place and name.
        ({"t58": "K"}, [20]),
        ({"t58": "KHM"}, [20]),
        ({"t58": "TH"}, []),
        ({"t59": "N" * 25}, []),
        ({"t59": "N" * 26}, [7]),
        ({"t59": "ក" * 25}, []),
        ({"t59": "🍜" * 12 + "n"}, []),
        ({"t59": "🍜" * 13}, [7]),
        ({"t60": "C" * 15}, []),
        ({"t60": "C" * 16}, [21]),
        # R16: labels.
        ({"t62": ""}, []),
        ({"t62": tlv(("01", "x" * 25))}, []),
        ({"t62": tlv(("01", "x" * 26))}, [10]),
        ({"t62": tlv(("01", ""))}, [10]),
        ({"t62": tlv(("02", ""))}, [34]),
        ({"t62": tlv(("02", "x" * 26))}, [34]),
        ({"t62": tlv(("03", ""))}, [11]),
        ({"t62": tlv(("03", "x" * 26))}, [11]),
        ({"t62": tlv(("07", ""))}, [12]),
        ({"t62": tlv(("07", "x" * 26))}, [12]),
        ({"t62": tlv(("08", ""))}, [42]),
        ({"t62": tlv(("08", "x" * 26))}, [42]),
        ({"t62": tlv(("05", ""), ("68", "x" * 60))}, []),
        ({"t62": tlv(("08", "p"), ("03", "s"), ("01", "b"))}, []),
        # R17: other language.
        ({"t64": ""}, [37, 39]),
        ({"t64": tlv(("00", "km"))}, [39]),
        ({"t64": tlv(("01", "ដារា"))}, [37]),
        ({"t64": tlv(("02", "ភ្នំពេញ"))}, [37, 39]),
        ({"t64": tlv(("00", "km"), ("01", ""))}, [39]),
        ({"t64": tlv(("00", ""), ("01", "ដារា"))}, [37]),
        ({"t64": tlv(("00", "k"), ("01", "ដារា"))}, [38]),
        ({"t64": tlv(("00", "khm"), ("01", "ដារា"))}, [38]),
        ({"t64": tlv(("00", "ZH"), ("01", "店"))}, []),
        ({"t64": tlv(("00", "km"), ("01", "ដ" * 25), ("02", "ភ" * 15))}, []),
        ({"t64": tlv(("00", "km"), ("01", "ដ" * 26))}, [40]),
        ({"t64": tlv(("00", "km"), ("01", "ដារា"), ("02", "ភ" * 16))}, [41]),
        # R18: UnionPay.
        ({"t15": "u" * 99}, []),
        ({"t15": "u" * 31, "t53": "840"}, []),
        # Static codes: tag 99 is not judged.
        ({"t99": ""}, []),
        ({"t99": tlv(("00", "39CA026411FDA"))}, []),
        ({"t99": tlv(("00", "2"), ("01", "1"))}, []),
    ],
)
def test_a_static_code_is_judged_by_the_rules(changes, expected):
    assert codes(code_of(**changes)) == expected


@pytest.mark.parametrize(
    ("currency", "amount", "ok"),
    [
        ("840", "10", True),
        ("840", "10.5", True),
        ("840", "10.50", True),
        ("840", "98.", True),
        ("840", "0.01", True),
        ("840", "007", True),
        ("840", "1234567890123", True),
        ("840", "1234567890.12", True),
        ("840", "12345678901234", False),
        ("840", "1.234", False),
        ("840", "1.000", False),
        ("840", ".5", False),
        ("840", ".", False),
        ("840", "", False),
        ("840", "0", False),
        ("840", "00", False),
        ("840", "0.", False),
        ("840", "0.00", False),
        ("840", "-5", False),
        ("840", "+1", False),
        ("840", "1e3", False),
        ("840", "1,000", False),
        ("840", "1_000", False),
        ("840", " 1", False),
        ("840", "1 ", False),
        ("840", "1\n", False),
        ("840", "1.5.0", False),
        ("840", "١٢", False),
        ("840", "１２", False),
        ("840", "²", False),
        ("840", "0x10", False),
        ("840", "NaN", False),
        ("840", "inf", False),
        ("116", "5000", True),
        ("116", "5000.", True),
        ("116", "5000.0", True),
        ("116", "5000.00", True),
        ("116", "5000.0000", True),
        ("116", "5000.5", False),
        ("116", "5000.01", False),
        ("116", "0.0", False),
        ("116", "1234567890.00", True),
        ("116", "12345678901.00", False),
    ],
)
@pytest.mark.parametrize("initiation", ["11", "12"])
def test_an_amount_has_one_form_whatever_the_point_of_initiation(currency, amount, ok, initiation):
    text = code_of(dynamic=True, t53=currency, t54=amount, t01=initiation)
    assert codes(text) == ([] if ok else [4])


@pytest.mark.parametrize(
    ("times", "now_ms", "expected"),
    [
        (f"0013{CREATED}0113{EXPIRES}", EXPIRY, []),
        (f"0013{CREATED}0113{EXPIRES}", EXPIRY + 1, [46]),
        (f"0013{CREATED}0113{EXPIRES}", EXPIRY - 1, []),
        (f"0113{EXPIRES}", NOW_MS, []),
        (f"0113{EXPIRES}0013{CREATED}", NOW_MS, []),
        (f"0013{CREATED}", NOW_MS, [45]),
        (f"0013{CREATED}0100", NOW_MS, [45]),
        ("", NOW_MS, [45]),
        ("6803mmp", NOW_MS, [45]),
        (tlv(("01", EXPIRES[:-1])), NOW_MS, [49]),
        (tlv(("01", EXPIRES + "0")), NOW_MS, [49]),
        (tlv(("01", "176722590000a")), NOW_MS, [49]),
        (tlv(("01", "+767225900000")), NOW_MS, [49]),
        (tlv(("01", "1767225900_00")), NOW_MS, [49]),
        (tlv(("01", "١٧٦٧٢٢٥٩٠٠٠٠٠")), NOW_MS, [49]),
        (tlv(("00", EXPIRES), ("01", EXPIRES)), NOW_MS, []),
        (tlv(("00", str(EXPIRY + 1)), ("01", EXPIRES)), NOW_MS, [50]),
        (tlv(("00", str(EXPIRY + 1)), ("01", EXPIRES)), EXPIRY + 2, [50, 46]),
        (tlv(("00", "1767225600"), ("01", EXPIRES)), NOW_MS, []),
        (tlv(("00", "9" * 40), ("01", EXPIRES)), NOW_MS, [50]),
        (tlv(("00", "39CA026411FDA"), ("01", EXPIRES)), NOW_MS, []),
        (tlv(("00", ""), ("01", EXPIRES)), NOW_MS, []),
        (tlv(("00", "٩٩٩٩٩٩٩٩٩٩٩٩٩"), ("01", EXPIRES)), NOW_MS, []),
        (f"0113{EXPIRES}", -1, []),
    ],
)
@pytest.mark.parametrize("initiation", ["12", None])
def test_a_dynamic_code_needs_an_expiry_that_still_holds(times, now_ms, expected, initiation):
    without = [] if initiation else ["01"]
    assert codes(code_of(dynamic=True, t99=times, without=without), now_ms) == expected


@pytest.mark.parametrize(
    ("initiation", "without", "expected"),
    [
        ("12", ["54"], [47]),
        ("12", ["99"], [45]),
        ("12", ["54", "99"], [47, 45]),
        ("11", ["99"], [45]),
        ("11", [], []),
        ("11", ["54"], []),
        (None, ["01", "99"], [45]),
        (None, ["01"], []),
        (None, ["01", "54", "99"], []),
        (None, ["01", "54"], []),
    ],
)
def test_amount_expiry_and_initiation_must_fit_together(initiation, without, expected):
    changes = {"t01": initiation} if initiation else {}
    assert codes(code_of(dynamic=True, without=without, **changes)) == expected


def test_a_clock_too_long_to_print_is_still_a_clock():
    (problem,) = verify(code_of(dynamic=True), 10**5000)
    assert problem.code == 46


def test_the_expiry_of_a_fixed_price_code_is_not_judged():
    assert codes(code_of(dynamic=True, t01="11"), EXPIRY + 1) == []
    assert codes(code_of(dynamic=True, t01="11", t99=tlv(("01", "x")))) == []


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (tlv(("00", "a@b")), []),
        (tlv(("00", "a@b"), ("01", "m" * 32), ("02", "b" * 32)), []),
        (tlv(("00", "a@b"), ("01", "m" * 33)), [32]),
        (tlv(("00", "a@b"), ("02", "b" * 33)), [33]),
        (tlv(("01", "m")), [1]),
        ("", [1]),
    ],
)
def test_a_merchant_template_is_judged_by_its_own_numbers(template, expected):
    assert codes(code_of(t30=template, without=["29"])) == expected


def test_all_problems_come_at_once_in_the_official_order():
    text = code_of(dynamic=True, t01="13", t52="ABCDE", t54="0", t59="", t62=tlv(("01", "")))
    problems = verify(text, NOW_MS)
    assert [problem.code for problem in problems] == [2, 48, 18, 4, 10]
    assert [problem.path for problem in problems] == ["59", "01", "52", "54", "62.01"]
    bad_sum = text[:-4] + "0000"
    assert [problem.code for problem in verify(bad_sum, NOW_MS)] == [8, 2, 48, 18, 4, 10]


def test_a_problem_says_what_was_found_and_what_is_allowed():
    (problem,) = verify(code_of(t62=tlv(("01", "x" * 26))), NOW_MS)
    assert (problem.path, problem.allowed) == ("62.01", "at most 25")
    assert "26 characters" in problem.found
    assert problem.found in problem.message
    assert "code 10" in str(problem)


def test_objects_after_the_checksum_are_told():
    text = code_of() + "610512000"
    assert [problem.path for problem in verify(text, NOW_MS)] == ["63", "63"]


def test_a_decoded_code_is_judged_like_its_text():
    text = code_of(dynamic=True)
    assert verify(decode(text), EXPIRY + 1) == verify(text, EXPIRY + 1)


@pytest.mark.parametrize("clock", [None, "1767225660000", 1.5, True])
def test_the_clock_must_be_an_integer(clock):
    with pytest.raises(QrTypeError):
        verify(code_of(), clock)
