"""Payments read from a file, as a user names it.

Takes nothing; gives the field of a stream that stands in place of a rate.
"""

from __future__ import annotations

from sim.model.base import Model
from sim.model.quantities import Count

SUFFIXES = (".csv", ".csv.gz", ".parquet")
"""How a trace's file may end: text with a header line, or Parquet."""


class Trace(Model):
    """Recorded or real payments, a row of a file for each."""

    file: str
    """CSV with a header line (`.csv`, `.csv.gz`) or Parquet, relative to the file that names it."""
    stream: str | None = None
    """Which rows: those whose column `stream` says so; absent: all, if they are of one stream."""
    replication: Count | None = None
    """Which rows: those of this replication; absent: all, if they are of one replication."""
    digest: str | None = None
    """Digest of the file's bytes (BLAKE2b); another content is refused. Run folders write it."""
