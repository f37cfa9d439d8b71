"""Where words go: a pipe, a reader who left, a full disk; and loads as they are written."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from sim.cli.streams import Outlet, _stand_in
from sim.cli.stress import _in_payments, _parse_load, _parse_ramp
from sim.errors import OptionError


def test_what_is_written_arrives_even_where_nobody_waits() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    outlet, heard = Outlet(writing), list[bytes]()
    # More than a pipe holds: whoever writes waits until the reader has made room.
    content = b"x" * (1 << 18)

    def read() -> None:
        while sum(map(len, heard)) < len(content):
            heard.append(os.read(reading, 1 << 14))

    reader = threading.Thread(target=read)
    reader.start()
    left = memoryview(content)
    while left:
        left = left[outlet.write(left) :]
    reader.join(10)
    assert b"".join(heard) == content
    assert outlet.refusal is None
    os.close(reading)
    os.close(writing)


def test_a_reader_who_left_is_no_refusal() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    outlet = Outlet(writing)
    # All of it is taken, and nothing is tried again.
    assert [outlet.write(b"abc"), outlet.write(b"de")] == [3, 2]
    assert outlet.refusal is None
    os.close(writing)


def test_a_disk_that_is_full_is_kept_for_the_end() -> None:
    if not Path("/dev/full").exists():
        return
    descriptor = os.open("/dev/full", os.O_WRONLY)
    outlet = Outlet(descriptor)
    assert [outlet.write(b"abc"), outlet.write(b"de")] == [3, 2]
    assert outlet.refusal is not None
    assert outlet.refusal.errno == errno.ENOSPC
    os.close(descriptor)


def test_only_what_cannot_be_written_has_a_stand_in() -> None:
    error = UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid")
    with pytest.raises(UnicodeDecodeError):
        _stand_in(error)


@pytest.mark.parametrize(
    ("text", "payments"),
    [("1.5x", 15.0), ("1500/s", 1_500.0), ("90000/min", 1_500.0), ("7200/h", 2.0)],
)
def test_loads_are_factors_or_rates(text: str, payments: float) -> None:
    assert _in_payments(_parse_load(text), 10.0) == pytest.approx(payments)


@pytest.mark.parametrize("text", ["0x", "0/s", "fast", "5", ""])
def test_what_is_no_load_is_refused(text: str) -> None:
    with pytest.raises(OptionError, match=r"allowed: such as 1\.5x"):
        _parse_load(text)


def test_a_ramp_rises_from_above_nothing() -> None:
    assert _parse_ramp("25-125%") == (0.25, 1.25)
    for text in ("0-50%", "50-50%", "125-25%", "up"):
        with pytest.raises(OptionError, match="rising from above 0"):
            _parse_ramp(text)
