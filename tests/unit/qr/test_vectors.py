"""Every shared vector: what the codec reads, judges and writes, field by field."""

import json
from pathlib import Path

import pytest

from sim.qr import QrError, crc, decode, encode, md5, round_trip, verify
from tests.unit.qr.builder import VECTORS_FILE, vectors

ALL = vectors()
WITH_PAYLOAD = [vector for vector in ALL if vector["payload"] is not None]
ORIGINAL = Path(__file__).parents[4] / "shared" / "reference" / "khqr_vectors.json"


def ids(rows):
    return [row["id"] for row in rows]


def test_all_seventy_vectors_are_there():
    assert len(ALL) == 70
    assert {vector["kind"] for vector in ALL} == {"decode", "encode_error", "foreign"}


def test_our_copy_of_the_vectors_is_the_shared_one():
    if ORIGINAL.exists():
        assert json.loads(ORIGINAL.read_text(encoding="utf-8")) == ALL
    assert VECTORS_FILE.exists()


@pytest.mark.parametrize("vector", WITH_PAYLOAD, ids=ids(WITH_PAYLOAD))
def test_a_vector_is_read_field_by_field(vector):
    code = decode(vector["payload"])
    assert code.fields == vector["fields"]
    assert code.decode_ok == vector["decode_ok"]
    assert code.crc_ok == vector["crc_ok"]
    assert code.md5 == md5(vector["payload"]) == vector["md5"]


@pytest.mark.parametrize("vector", WITH_PAYLOAD, ids=ids(WITH_PAYLOAD))
def test_a_vector_is_judged_with_the_official_number_first(vector):
    problems = verify(vector["payload"], now_ms=vector["now_ms"])
    assert (problems == ()) == vector["valid"]
    if vector.get("error_code"):
        assert problems[0].code == vector["error_code"]


@pytest.mark.parametrize(
    "vector",
    [v for v in WITH_PAYLOAD if v.get("input")],
    ids=ids([v for v in WITH_PAYLOAD if v.get("input")]),
)
def test_an_input_is_written_byte_for_byte(vector):
    assert encode(**vector["input"]) == vector["payload"]


@pytest.mark.parametrize(
    "vector",
    [v for v in ALL if v["kind"] == "encode_error"],
    ids=ids([v for v in ALL if v["kind"] == "encode_error"]),
)
def test_an_input_that_cannot_be_written_gives_the_official_number(vector):
    with pytest.raises(QrError) as caught:
        encode(**vector["input"])
    assert caught.value.code == vector["error_code"]


@pytest.mark.parametrize(
    "vector",
    [v for v in WITH_PAYLOAD if "round_trip" in v],
    ids=ids([v for v in WITH_PAYLOAD if "round_trip" in v]),
)
def test_a_vector_goes_round_where_it_says_so(vector):
    assert round_trip(decode(vector["payload"])) == vector["round_trip"]


@pytest.mark.parametrize(
    "vector",
    [v for v in ALL if v["kind"] == "foreign"],
    ids=ids([v for v in ALL if v["kind"] == "foreign"]),
)
def test_a_foreign_vector_is_recognised_and_opened(vector):
    code = decode(vector["payload"])
    assert list(code.schemes) == vector["schemes"]
    assert code.emv_tags == vector["emv_tags"]
    assert code.emv_valid == vector["emv_valid"]
    assert code.is_foreign


def test_the_checksum_gives_the_published_check_value():
    assert crc("123456789") == "29B1"
