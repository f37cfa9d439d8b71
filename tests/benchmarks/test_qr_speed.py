"""Speed of the codec in processor time: prints figures (run with ``-s``), asserts only the work."""

import sys
import time

import pytest

from sim.qr import decode, encode, verify

COUNT = 10_000
NOW_MS = 1_767_225_660_000


@pytest.fixture(scope="module")
def payloads():
    """Write one distinct merchant code per merchant, as the khqr rail does."""
    start = time.process_time()
    texts = [
        encode(
            account_type="merchant",
            bakong_account_id="khqr@devb",
            merchant_name=f"Merchant {number}",
            merchant_id=f"M{number:08d}",
            acquiring_bank="Dev Bank",
            store_label=f"Branch {number % 7}",
        )
        for number in range(COUNT)
    ]
    report("encode", time.process_time() - start)
    return texts


def report(name, seconds):
    sys.stdout.write(f"\n{name}: {COUNT / seconds:,.0f} per second\n")


@pytest.mark.slow
def test_ten_thousand_distinct_merchant_codes_are_decoded(payloads):
    start = time.process_time()
    read = [(code.fields, code.schemes) for code in map(decode, payloads)]
    report("decode with fields and schemes", time.process_time() - start)
    assert len({fields["merchant_id"] for fields, _ in read}) == COUNT
    assert all(schemes == ("khqr",) for _, schemes in read)


@pytest.mark.slow
def test_ten_thousand_distinct_merchant_codes_are_judged(payloads):
    start = time.process_time()
    valid = sum(verify(text, NOW_MS) == () for text in payloads)
    report("verify", time.process_time() - start)
    assert valid == COUNT
