"""A command run at a terminal of a given width."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path


def payroute_at_terminal(*words: object, columns: int, folder: Path) -> list[str]:
    """Run a command and return its lines as a person sees them, without colours."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    environment |= {"TERM": "xterm", "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-m", "sim", *map(str, words)]
    with subprocess.Popen(
        command, stdout=theirs, stderr=subprocess.DEVNULL, env=environment, cwd=folder
    ) as running:
        os.close(theirs)
        told = b""
        # Linux says with an error that the other side is closed, other systems with nothing read.
        with contextlib.suppress(OSError):
            while part := os.read(ours, 65536):
                told += part
    os.close(ours)
    assert running.returncode == 0, told.decode()
    return re.sub(r"\x1b\[[0-9;]*m", "", told.decode()).splitlines()
