"""Live comparison with the PyPI package ``bakong-khqr``, run in a process of its own.

A whole batch goes to one process with a time limit, so a peer that hangs fails one test.
"""

import json
import subprocess
import sys

import pytest

from sim.qr import decode, encode, md5, verify
from tests.unit.qr.builder import CREATED, EXPIRES

LIMIT_SECONDS = 60
PEER_PROGRAM = """
import json, sys
from bakong_khqr import KHQR
from bakong_khqr.sdk.crc import CRC
peer, crc = KHQR(), CRC()
orders, texts = json.load(sys.stdin)
written = [str(peer.create_qr(**order)) for order in orders]
json.dump({
    "written": written,
    "md5": [peer.generate_md5(text) for text in written],
    "ours_md5": [peer.generate_md5(text) for text in texts],
    "ours_crc": [crc.value(text[:-8])[-4:] for text in texts],
}, sys.stdout)
"""
ORDERS = [
    {
        "account_id": account,
        "merchant_name": name,
        "merchant_city": city,
        "amount": amount,
        "currency": currency,
        "static": static,
        "store_label": store,
        "phone_number": "85512345678",
        "bill_number": "TRX-1",
        "terminal_label": "POS-01",
    }
    for account in ("user_name@bank", "sok.dara@aclb")
    for name, city in (("Your Name", "Phnom Penh"), ("ហាងកាហ្វេ", "សៀមរាប"))
    for amount, currency in ((9800, "KHR"), (1.5, "USD"), (10, "USD"))
    for static in (False, True)
    for store in ("Phsar Thmei", "ផ្សារថ្មី")
]
OURS = [
    encode(
        account_type="individual",
        bakong_account_id="sok_dara@aclb",
        merchant_name=name,
        currency=currency,
        amount=amount,
        created_ms=int(CREATED),
        expires_ms=int(EXPIRES),
        store_label=store,
    )
    for name in ("Sok Dara", "សុខ ដារា", "Noodle 🍜")
    for currency, amount in (("KHR", None), ("KHR", "50000"), ("USD", "1.5"))
    for store in (None, "Branch 7")
]


@pytest.fixture(scope="module")
def peer():
    done = subprocess.run(
        [sys.executable, "-c", PEER_PROGRAM],
        input=json.dumps([ORDERS, OURS]),
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=True,
        encoding="utf-8",
    )
    return json.loads(done.stdout)


def test_what_the_peer_writes_reads_here_field_by_field(peer):
    assert len(peer["written"]) == len(ORDERS)
    for order, text in zip(ORDERS, peer["written"], strict=True):
        fields = decode(text).fields
        assert fields["bakong_account_id"] == order["account_id"], text
        assert fields["merchant_name"] == order["merchant_name"], text
        assert fields["merchant_city"] == order["merchant_city"], text
        assert fields["store_label"] == order["store_label"], text
        assert fields["bill_number"] == "TRX-1", text


def test_what_the_peer_writes_is_valid_while_it_lasts(peer):
    for text in peer["written"]:
        code = decode(text)
        # The peer stamps its own clock, so the code is judged at its creation.
        assert verify(code, int(code.fields["creation_timestamp"])) == (), text


def test_both_give_the_peers_strings_the_same_reference(peer):
    assert [md5(text) for text in peer["written"]] == peer["md5"]


def test_the_peer_computes_our_checksums_and_references(peer):
    assert [text[-4:] for text in OURS] == peer["ours_crc"]
    assert [md5(text) for text in OURS] == peer["ours_md5"]
