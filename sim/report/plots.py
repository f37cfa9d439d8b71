"""Figures of results as objects for a notebook: looked at, saved, or taken apart.

Takes results; gives what ``result.plot`` is, with a method for each part of a page. Every figure
carries the table it is drawn from, every digit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.errors import UserError, suggest
from sim.report.blocks import Figure
from sim.report.figures.charts import chart_of
from sim.report.figures.drawing import draw_svg, figure_content, need_drawing
from sim.report.figures.style import STYLES, find_style
from sim.scenario.scenario import load_scenario
from sim.tables.finished_run import SCENARIO_FILE
from sim.tables.tabular import to_arrow

if TYPE_CHECKING:
    import pyarrow as pa

    from sim.report.figures.of_run import Told
    from sim.study.compare.comparison import Comparison
    from sim.study.result import Result
    from sim.study.sensitivity.study import SensitivityStudy
    from sim.study.stress.study import Stress
    from sim.study.sweep.study import SweepResult

_STYLE = "paper"
_SAVED = ("svg", "pdf", "png", "csv")


@dataclass(frozen=True, slots=True)
class Plot:
    """One figure.

    Attributes
    ----------
    figure : Figure
        What is drawn.
    style : str
        ``paper`` or ``slides``: sizes of the drawing.
    """

    figure: Figure
    style: str = _STYLE

    def __repr__(self) -> str:
        """Return a line: what is to be seen."""
        return (
            f"<Figure {self.figure.name}: {self.figure.title}, {len(self.figure.data.rows)} rows>"
        )

    def _repr_mimebundle_(self, **wanted: object) -> dict[str, str]:
        """Return the drawing as a notebook shows it: a picture, and never a script."""
        del wanted
        return {"image/svg+xml": self.svg, "text/plain": repr(self)}

    @property
    def svg(self) -> str:
        """Return the drawing as SVG."""
        return draw_svg(self.figure, STYLES[self.style])

    @property
    def table(self) -> pa.Table:
        """Return what is drawn as an Arrow table."""
        return to_arrow(self.figure.data)

    @property
    def chart(self) -> Any:
        """Return the Altair chart, to be changed.

        Raises
        ------
        UserError
            If it is a drawing of our own, as the flow is.
        MachineError
            If Altair is not installed.
        """
        altair, _ = need_drawing()
        if self.figure.kind == "flow":
            raise UserError(f"{self.figure.name}: is no chart of Altair; allowed: svg, table, save")
        return chart_of(altair, self.figure, STYLES[self.style])

    def in_style(self, style: str) -> Plot:
        """Return the same figure in the sizes of ``paper`` or ``slides``."""
        find_style(style)
        return Plot(self.figure, style)

    def save(self, path: Path | str) -> Path:
        """Write the figure; the suffix says as what: svg, pdf, png, or csv for its data.

        Parameters
        ----------
        path : Path or str

        Returns
        -------
        Path

        Raises
        ------
        UserError
            If the suffix is none of these.
        MachineError
            If the file cannot be written.
        """
        from sim.tables.whole_file import machine_errors, write_whole

        path = Path(path)
        kind = path.suffix.removeprefix(".")
        if kind not in _SAVED:
            known = ", ".join(f".{one}" for one in _SAVED)
            raise UserError(f"{path}: found {path.suffix!r}; allowed: a file that ends in {known}")
        content = figure_content(self.figure, STYLES[self.style], kind)
        with machine_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
        return path


@dataclass(frozen=True, slots=True)
class Plots:
    """Figures of one part of a result.

    Attributes
    ----------
    figures : tuple of Figure
    """

    figures: tuple[Figure, ...]

    def __repr__(self) -> str:
        """Return a line: their names."""
        return f"<Figures: {', '.join(self.names) or 'none'}>"

    @property
    def names(self) -> tuple[str, ...]:
        """Return what they are called."""
        return tuple(figure.name for figure in self.figures)

    def named(self, name: str | None, *, part: str) -> Plot:
        """Return one of them: by its name, or the first.

        Parameters
        ----------
        name : str or None
        part : str
            Of the result, for the message.

        Raises
        ------
        UserError
            If there is none.
        """
        if not self.figures:
            raise UserError(f"{part}: nothing to draw; the result holds nothing of it")
        by_name = {figure.name: figure for figure in self.figures}
        if name is not None and name not in by_name:
            near = suggest(name, by_name)
            raise UserError(f"{part}: found {name!r}; allowed: {', '.join(by_name)}.{near}")
        return Plot(by_name[name or self.figures[0].name])


@dataclass(frozen=True, slots=True)
class RunPlots:
    """What ``result.plot`` of a run is.

    Each method gives the first figure of its part of the page, or the one of a name among
    ``names()``.
    """

    result: Result

    def _told(self) -> Told:
        from sim.report.figures.of_run import Told

        scenario = load_scenario(self.result.folder / SCENARIO_FILE).scenario
        return Told(self.result.run, self.result.summary, scenario)

    def time(self, name: str | None = None) -> Plot:
        """Draw how long payments took; ``time-by-cause``: what the time went to."""
        from sim.report.figures.of_run import time_figures

        return _plots(time_figures(self._told())).named(name, part="time")

    def money(self, name: str | None = None) -> Plot:
        """Draw what payments cost, by corridor or by route."""
        from sim.report.figures.of_run import money_figures

        return _plots(money_figures(self._told())).named(name, part="money")

    def flow(self) -> Plot:
        """Draw from which corridor over which route payments went to which end."""
        from sim.report.figures.of_run import flow_figures

        return _plots(flow_figures(self._told())).named(None, part="flow")

    def liquidity(self, name: str | None = None) -> Plot:
        """Draw money placed ahead: how low it fell, and its course."""
        from sim.report.figures.of_run import liquidity_figures

        return _plots(liquidity_figures(self._told())).named(name, part="liquidity")

    def series(self, name: str | None = None) -> Plot:
        """Draw payments, times and queues over the run."""
        from sim.report.figures.of_run import course_figures

        return _plots(course_figures(self._told())).named(name, part="series")

    def failures(self, name: str | None = None) -> Plot:
        """Draw why payments ended badly."""
        from sim.report.figures.of_run import failure_figures

        return _plots(failure_figures(self._told())).named(name, part="failures")

    def journeys(self, name: str | None = None) -> Plot:
        """Draw a payment's way through its stages (``record="stages"``)."""
        from sim.report.figures.journeys import journey_blocks

        blocks = journey_blocks(self._told())
        found = _plots(block for block in blocks if isinstance(block, Figure))
        return found.named(name, part="journeys")

    def names(self) -> tuple[str, ...]:
        """Return the names of all figures of the page."""
        from sim.report.documents.report import report_document

        blocks = report_document(self.result).blocks
        return tuple(block.name for block in blocks if isinstance(block, Figure))


@dataclass(frozen=True, slots=True)
class ComparisonPlots:
    """What ``comparison.plot`` is."""

    found: Comparison

    def forest(self, measure: str | None = None) -> Plot:
        """Draw the differences in a measure with their intervals; by default the first measure."""
        from sim.report.figures.of_studies import compare_figures, figure_name
        from sim.study.measure_key import full_key

        name = None if measure is None else figure_name("difference", full_key(measure))
        plots = _plots(one for one in compare_figures(self.found) if one.kind == "points")
        return plots.named(name, part="forest")

    def pareto(self) -> Plot:
        """Draw what each arm costs the payer against how long it takes."""
        from sim.report.figures.of_studies import pareto_figures

        return _plots(pareto_figures(self.found)).named(None, part="pareto")


@dataclass(frozen=True, slots=True)
class StressPlots:
    """What ``plot`` of a stress test is."""

    found: Stress

    def throughput(self) -> Plot:
        """Draw what was completed against what was offered."""
        return self._named("load-completed")

    def time(self) -> Plot:
        """Draw the judged time against load."""
        return self._named("load-time")

    def _named(self, name: str) -> Plot:
        from sim.report.figures.of_studies import stress_figures

        return _plots(stress_figures(self.found)).named(name, part="stress")


@dataclass(frozen=True, slots=True)
class SweepPlots:
    """What ``plot`` of a sweep is."""

    found: SweepResult

    def response(self, measure: str | None = None) -> Plot:
        """Draw a measure against the first factor that is a number."""
        from sim.report.figures.of_studies import figure_name, sweep_figures
        from sim.study.measure_key import full_key

        name = None if measure is None else figure_name("response", full_key(measure))
        return _plots(sweep_figures(self.found, self.found.factors)).named(name, part="response")

    def heat(self, measure: str | None = None) -> Plot:
        """Draw a measure over two factors that are numbers, where these alone vary."""
        from sim.report.figures.of_studies import figure_name, heat_figures
        from sim.study.measure_key import full_key

        name = None if measure is None else figure_name("heat", full_key(measure))
        return _plots(heat_figures(self.found)).named(name, part="heat")


@dataclass(frozen=True, slots=True)
class SensitivityPlots:
    """What ``plot`` of a sensitivity study is."""

    found: SensitivityStudy

    def tornado(self, measure: str | None = None) -> Plot:
        """Draw what moves an answer, the most on top; by default of the first measure."""
        from sim.report.figures.of_studies import sensitivity_figures
        from sim.study.measure_key import full_key

        known = [answer.measure for answer in self.found.answers]
        wanted = known[0] if measure is None else full_key(measure)
        for answer in self.found.answers:
            if answer.measure == wanted:
                return _plots(sensitivity_figures(answer)).named(None, part="tornado")
        raise UserError(
            f"tornado: found {measure!r}; allowed: {', '.join(known)}.{suggest(wanted, known)}"
        )


def _plots(figures: Iterable[Figure]) -> Plots:
    return Plots(tuple(figures))
