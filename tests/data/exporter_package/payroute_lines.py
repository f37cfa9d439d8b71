"""What another package is that adds a format: a line per payment, for the eye.

Its entry point (`entry_points.txt` beside it; in a `pyproject.toml` it would be
``[project.entry-points."payroute.exporters"]``, ``lines = "payroute_lines:EXPORTER"``) is all that
payroute has to know.
"""

from __future__ import annotations

from pathlib import Path

from sim.report.exporting import Export, Exporter


def write(export: Export, path: Path) -> None:
    instant = export.clock()
    with path.open("w", encoding="utf-8") as sink:
        for life in export.lives():
            steps = " ".join(visit.activity for visit in life.visits)
            submitted = instant(life.number("submitted_us") or 0)
            sink.write(f"{export.name(life)} {submitted} {life.fields['outcome']} {steps}\n")


EXPORTER = Exporter("a line per payment", ".txt", write)
