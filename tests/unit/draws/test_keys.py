"""Keys depend on names alone, and no two names are taken for one."""

from __future__ import annotations

import hashlib
import itertools
import subprocess
import sys

import pytest

from sim.draws.keys import STREAM_KINDS, check_purposes, purpose_id, stream_key

Fields = tuple[int, int, str, str]

RECORDED_KEY = (3968846928, 3935218517, 2502293554, 1399510966)
COLLISION = ("purpose_4282", "purpose_18507")


def test_key_is_the_digest_of_the_length_prefixed_fields() -> None:
    fields = [b"7", b"2", b"payment", b"cn_counter"]
    text = b"".join(len(field).to_bytes(8, "big") + field for field in fields)
    digest = hashlib.blake2b(text, digest_size=16, person=b"payroute.stream").hexdigest()
    key = stream_key(7, 2, "payment", "cn_counter")
    assert "".join(f"{word:08x}" for word in key) == digest


def test_key_is_the_recorded_one() -> None:
    # Recorded once: published results depend on it, so a change here is a change of results.
    assert stream_key(0, 0, "payment", "cn_counter") == RECORDED_KEY


def test_every_field_changes_every_word_of_the_key() -> None:
    keys = [
        stream_key(seed, replication, kind, name)
        for seed in (0, 1, 2**80)
        for replication in (0, 1)
        for kind in STREAM_KINDS
        for name in ("a", "b", "")
    ]
    for one, other in itertools.combinations(keys, 2):
        assert all(a != b for a, b in zip(one, other, strict=True))
    assert all(0 <= word < 2**32 for key in keys for word in key)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((1, 11, "payment", "a"), (11, 1, "payment", "a")),
        ((1, 2, "payment", "3a"), (1, 23, "payment", "a")),
        ((0, 0, "fx", "payment"), (0, 0, "payment", "fx")),
    ],
)
def test_fields_do_not_run_into_each_other(one: Fields, other: Fields) -> None:
    assert stream_key(*one) != stream_key(*other)


def test_keys_do_not_depend_on_which_streams_exist() -> None:
    names = ["cn_counter", "th_counter", "vn_counter"]
    alone = {name: stream_key(5, 0, "payment", name) for name in names}
    for order in itertools.permutations([*names, "added"]):
        together = {name: stream_key(5, 0, "payment", name) for name in order}
        assert {name: together[name] for name in names} == alone


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1, 0, "payment", "a"), "seed -1 is negative"),
        ((0, -1, "payment", "a"), "replication -1 is negative"),
        ((0, 0, "paymnt", "a"), "Did you mean 'payment'"),
    ],
)
def test_wrong_fields_are_refused(arguments: Fields, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        stream_key(*arguments)


def test_purposes_fit_the_counter_and_repeat() -> None:
    names = [f"station/{i}/service_time" for i in range(2000)]
    numbers = [purpose_id(name) for name in names]
    assert all(0 <= number < 2**31 for number in numbers)
    assert numbers == [purpose_id(name) for name in names]
    assert len(set(numbers)) == len(names)
    # The top bit of the number is used, the sign bit is not.
    assert max(numbers) >= 2**30


def test_two_purposes_with_one_number_are_refused_by_name() -> None:
    one, other = COLLISION
    assert one != other
    assert purpose_id(one) == purpose_id(other)
    with pytest.raises(ValueError, match=f"'{one}' and '{other}'.*rename"):
        check_purposes(["amount", one, "decline", other])


def test_the_same_purpose_twice_is_no_collision() -> None:
    check_purposes(["amount", "decline", "amount"])
    check_purposes([])


def test_a_scenario_can_be_checked_without_the_heavy_libraries() -> None:
    program = (
        "import sys; from sim.draws import keys, layout, quantile, thresholds; "
        "print(sorted({'numba', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
