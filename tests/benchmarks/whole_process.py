"""Run the command in a process of its own and see what that took: time, memory, payments, events.

Takes the words of ``payroute run``; gives what the operating system and ``run.json`` say.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

SCENARIOS = Path(__file__).parents[2] / "scenarios"
DAY = SCENARIOS / "library" / "cambodia-2025.yaml"
TWO_WAY = SCENARIOS / "china-two-way.yaml"
CROSS_BORDER = (
    "demand.domestic_khr.rate=2000 /day",
    "demand.domestic_usd.rate=2000 /day",
    "demand.cn_counter.rate=1200000 /day",
    "demand.kh_counter_in_china.rate=150000 /day",
)
"""Turns the two-way scenario into one of nearly nothing but inbound and outbound payments."""


@dataclass(frozen=True, slots=True)
class Took:
    """Hold what one run took.

    Attributes
    ----------
    wall_seconds, cpu_seconds : float
        Of the whole process, from its start to its end.
    engine_seconds : float
        Inside the engine, by its own clock.
    peak_mb : float
        Most memory the process held at once, in 10^6 bytes.
    payments, events : int
        As ``run.json`` counts them.
    digest : str
        Fingerprint of the payments.
    """

    wall_seconds: float
    cpu_seconds: float
    engine_seconds: float
    peak_mb: float
    payments: int
    events: int
    digest: str

    def figures(self) -> dict[str, float]:
        """Return what is worth keeping."""
        return {
            "payments": self.payments,
            "events": self.events,
            "wall_seconds": round(self.wall_seconds, 2),
            "cpu_seconds": round(self.cpu_seconds, 2),
            "engine_seconds": round(self.engine_seconds, 2),
            "peak_mb": round(self.peak_mb),
            "payments_per_wall_second": round(self.payments / self.wall_seconds),
            "events_per_engine_second": round(self.events / self.engine_seconds),
        }


def measure_run(scenario: Path, *words: str, overrides: tuple[str, ...] = ()) -> Took:
    """Run ``payroute run`` into a folder that is thrown away.

    Parameters
    ----------
    scenario : Path
        The file.
    *words : str
        Further options.
    overrides : tuple of str
        For ``--set``.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        sets = [word for override in overrides for word in ("--set", override)]
        command = [
            "-m",
            "sim",
            "run",
            str(scenario),
            "--out",
            str(out),
            "--json",
            *sets,
            *words,
        ]
        said = Path(folder) / "said.txt"
        began = time.perf_counter()
        with said.open("w") as stream:
            redirect = [(os.POSIX_SPAWN_DUP2, stream.fileno(), 1), (os.POSIX_SPAWN_DUP2, 1, 2)]
            pid = os.posix_spawn(
                sys.executable, [sys.executable, *command], os.environ, file_actions=redirect
            )
            _, status, usage = os.wait4(pid, 0)
        wall = time.perf_counter() - began
        if status != 0:
            raise RuntimeError(
                f"{' '.join(command)} ended with status {status}: {said.read_text()}"
            )
        facts = json.loads((out / "run.json").read_text())
    unit = 1 if sys.platform == "darwin" else 1024
    return Took(
        wall_seconds=wall,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        engine_seconds=float(facts["engine_seconds"]),
        peak_mb=usage.ru_maxrss * unit / 1e6,
        payments=int(facts["payments"]),
        events=int(facts["events"]),
        digest=str(facts["payments_digest"]),
    )
