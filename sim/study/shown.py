"""What a result looks like, for whoever has one in hand.

Takes any result of a study; gives its notebook view, its figures and its page. Pictures are made a
floor above the studies, in :mod:`sim.report`, which is asked for by its name and only when somebody
wants to see something: no study depends on how things are drawn.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

_VIEWS = "sim.report.views"


class Plotted(Protocol):
    """One figure, as a notebook shows it."""

    @property
    def svg(self) -> str:
        """Return the drawing as SVG."""

    @property
    def table(self) -> pa.Table:
        """Return what is drawn as an Arrow table, every digit."""

    @property
    def chart(self) -> object:
        """Return the Altair chart, to be changed."""

    def in_style(self, style: str) -> Plotted:
        """Return the same figure in the sizes of ``paper`` or ``slides``."""

    def save(self, path: Path | str) -> Path:
        """Write it; the suffix says as what: svg, pdf, png, or csv for its data."""


class RunFigures(Protocol):
    """Figures of a run, a method for each part of its page; a name chooses among several."""

    def time(self, name: str | None = None) -> Plotted:
        """Draw how long payments took; ``time-by-cause``: what the time went to."""

    def money(self, name: str | None = None) -> Plotted:
        """Draw what payments cost, by corridor or by route."""

    def flow(self) -> Plotted:
        """Draw from which corridor over which route payments went to which end."""

    def liquidity(self, name: str | None = None) -> Plotted:
        """Draw money placed ahead: how low it fell, and its course."""

    def series(self, name: str | None = None) -> Plotted:
        """Draw payments, times and queues over the run."""

    def failures(self, name: str | None = None) -> Plotted:
        """Draw why payments ended badly."""

    def journeys(self, name: str | None = None) -> Plotted:
        """Draw a payment's way through its stages (``record="stages"``)."""

    def names(self) -> tuple[str, ...]:
        """Return the names of all figures of the page."""


class ComparisonFigures(Protocol):
    """Figures of a comparison."""

    def forest(self, measure: str | None = None) -> Plotted:
        """Draw differences in a measure with their intervals; by default of the first."""

    def pareto(self) -> Plotted:
        """Draw what each arm costs the payer against how long it takes."""


class StressFigures(Protocol):
    """Figures of a stress test."""

    def throughput(self) -> Plotted:
        """Draw what was completed against what was offered."""

    def time(self) -> Plotted:
        """Draw the judged time against load."""


class SweepFigures(Protocol):
    """Figures of a sweep."""

    def response(self, measure: str | None = None) -> Plotted:
        """Draw a measure against the first factor that is a number."""

    def heat(self, measure: str | None = None) -> Plotted:
        """Draw a measure over two factors that are numbers, where these alone vary."""


class SensitivityFigures(Protocol):
    """Figures of a sensitivity study."""

    def tornado(self, measure: str | None = None) -> Plotted:
        """Draw what moves an answer, the most on top; by default of the first measure."""


def notebook_html(result: object) -> str:
    """Return a few kilobytes of HTML for a notebook: no script, no request.

    Parameters
    ----------
    result : object
        Of :func:`sim.run` or one of the studies.
    """
    html: str = importlib.import_module(_VIEWS).notebook_html(result)
    return html


def plots(result: object) -> Any:
    """Return what draws the figures of a result; see :mod:`sim.report.plots`.

    Parameters
    ----------
    result : object
    """
    return importlib.import_module(_VIEWS).plots(result)


def write_report(result: object, path: Path | str | None) -> Path:
    """Write a result as one page that works offline, and return where.

    Parameters
    ----------
    result : object
    path : Path or str, optional
        The file; by default ``report.html`` in the folder of a run.

    Raises
    ------
    UserError
        If no path is given and the result has no folder, or the file there is somebody else's.
    MachineError
        If it cannot be written, or what draws is not installed.
    """
    written: Path = importlib.import_module(_VIEWS).write_report(result, path)
    return written
