"""What a result looks like in a notebook, as figures and as a page."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import sim
from sim.errors import MachineError, UserError
from sim.report.figures import drawing
from sim.report.views import BYTES_MAX, notebook_html
from sim.study.shown import plots
from tests.support.tiny import YAML, write_tiny
from tests.theory.driver import ROOT

pytest.importorskip("altair", reason="needs altair")

QUICK = {"clock.horizon": "30 s"}
EXPERIMENT = """
experiment: tills
scenario: tiny.yaml
set: {clock.horizon: 30 s}
replications: 3
measures: [success, p99]
sweep:
  factors:
    rails.shop.stations.till.servers: {values: [2, 3]}
    rails.shop.stations.till.queue_limit: {values: [2, 4]}
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return one result of every kind."""
    folder = tmp_path_factory.mktemp("found")
    path, other = write_tiny(folder), folder / "four.yaml"
    other.write_text(YAML.replace("servers: 3", "servers: 4"), encoding="utf-8")
    experiment = folder / "experiment.yaml"
    experiment.write_text(EXPERIMENT, encoding="utf-8")
    estimated = folder / "estimated.yaml"
    servers = "servers: {value: 3, evidence: estimated, source: a.guess}"
    estimated.write_text(YAML.replace("servers: 3", servers), encoding="utf-8")
    endless = folder / "endless.yaml"
    endless.write_text(YAML.replace(", queue_limit: 4", ""), encoding="utf-8")
    return {
        "run": sim.run(path, overrides=QUICK, record="stages", out=folder / "run"),
        "replicated": sim.run(path, overrides=QUICK, replications=3, out=folder / "set"),
        "comparison": sim.compare(path, other, replications=3, overrides=QUICK),
        "sweep": sim.sweep(experiment, out=folder / "sweep"),
        "stress": sim.stress(endless, "p99<=20s", load=2.0, window_s=600, replications=2),
        "sensitivity": sim.sensitivity(
            estimated, ["success", "end_to_end_mean"], replications=6, sobol=0, overrides=QUICK
        ),
    }


KINDS = ("run", "replicated", "comparison", "sweep", "stress", "sensitivity")


class _Checked(HTMLParser):
    """A reader that accepts well-formed HTML of plain text alone."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in {"div", "p", "strong", "small", "table", "thead", "tbody", "tr", "th", "td"}
        assert {name for name, _ in attrs} <= {"class", "scope"}
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def _read(html: str) -> str:
    checked = _Checked()
    checked.feed(html)
    assert checked.open == []
    return checked.text


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_view_is_short_whole_and_nothing_but_text(found: dict[str, Any], kind: str) -> None:
    result = found[kind]
    assert len(repr(result)) < 1000
    html = result._repr_html_()
    assert 100 < len(html.encode()) < BYTES_MAX
    assert _read(html)


@pytest.mark.slow
def test_a_view_of_a_run_has_its_figures_and_where_it_lies(found: dict[str, Any]) -> None:
    text = _read(found["run"]._repr_html_())
    assert str(found["run"].folder) in text
    assert f"digest {found['run'].facts['digest']}" in text
    assert "one run, seed 20250917" in text
    told = _read(found["replicated"]._repr_html_())
    assert "3 replications" in told
    assert "±" in told or " to " in told


@pytest.mark.slow
def test_a_sweep_is_opened_again(found: dict[str, Any]) -> None:
    again = sim.open(found["run"].folder.parent / "sweep")
    assert again.table == found["sweep"].table
    assert again.factors == found["sweep"].factors
    assert (again.run, again.kept, again.failed) == (0, 4, 0)
    assert again.plot.heat("p99").table == found["sweep"].plot.heat("p99").table


@pytest.mark.slow
def test_markup_in_a_name_is_shown_as_text(tmp_path: Path) -> None:
    out = tmp_path / "<b>&run"
    result = sim.run(write_tiny(tmp_path), overrides=QUICK, engine="reference", out=out)
    html = result._repr_html_()
    assert "<b>" not in html
    assert str(out) in _read(html)


@pytest.mark.slow
def test_views_of_china_two_way_are_short(tmp_path: Path) -> None:
    quick = {"clock.horizon": "2 min", "clock.warm_up": "0 s"}
    result = sim.run("china-two-way", overrides=quick, out=tmp_path / "run")
    experiment = ROOT / "scenarios" / "experiments" / "routing-policies.yaml"
    compared = sim.compare(experiment, replications=2, overrides=quick)
    for one in (result, result.summary, result.run, compared):
        assert len(repr(one)) < 1000, type(one)
    for one in (result, compared):
        assert len(one._repr_html_().encode()) < BYTES_MAX


@pytest.mark.slow
@pytest.mark.parametrize(
    "draw",
    [
        lambda found: found["run"].plot.time("time-by-cause"),
        lambda found: found["run"].plot.time(),
        lambda found: found["run"].plot.failures(),
        lambda found: found["run"].plot.series(),
        lambda found: found["run"].plot.flow(),
        lambda found: found["run"].plot.journeys(),
        lambda found: found["comparison"].plot.forest("p99"),
        lambda found: found["comparison"].plot.forest(),
        lambda found: found["sweep"].plot.response("success"),
        lambda found: found["sweep"].plot.heat("success"),
        lambda found: found["sensitivity"].plot.tornado("end_to_end_mean"),
    ],
)
def test_a_figure_is_a_picture_with_its_table(
    found: dict[str, Any], draw: Callable[[dict[str, Any]], Any]
) -> None:
    figure = draw(found)
    shown = figure._repr_mimebundle_(include=None, exclude=None)
    assert shown["image/svg+xml"] == figure.svg
    assert figure.svg.startswith("<svg")
    assert "<script" not in figure.svg
    assert len(repr(figure)) < 200
    assert figure.table.num_rows == len(figure.figure.data.rows) > 0
    if figure.figure.kind != "flow":
        assert figure.chart.to_dict()


@pytest.mark.slow
def test_a_figure_is_saved_by_its_suffix(found: dict[str, Any], tmp_path: Path) -> None:
    figure = found["run"].plot.time()
    begins = {"svg": b"<svg", "pdf": b"%PDF", "png": b"\x89PNG", "csv": b"series,"}
    for suffix, begin in begins.items():
        path = figure.save(tmp_path / "new" / f"time.{suffix}")
        assert path.read_bytes().startswith(begin)
    width = [
        float(re.search(r'width="([\d.]+)"', one.svg)[1])  # type: ignore[index]
        for one in (figure, figure.in_style("slides"))
    ]
    assert width[0] < width[1]
    with pytest.raises(UserError, match=r"found '.jpg'; allowed: a file that ends in .svg"):
        figure.save(tmp_path / "time.jpg")
    with pytest.raises(UserError, match="style"):
        figure.in_style("poster")


@pytest.mark.slow
def test_names_of_figures_are_those_of_the_page(found: dict[str, Any]) -> None:
    names = found["run"].plot.names()
    assert {"time-by-cause", "failures", "flow"} <= set(names)
    with pytest.raises(UserError, match=r"time: found 'time-by-caus'; .*Did you mean 'time-by"):
        found["run"].plot.time("time-by-caus")


@pytest.mark.slow
def test_what_a_result_holds_nothing_of_is_told(found: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="liquidity: nothing to draw"):
        found["run"].plot.liquidity()
    with pytest.raises(UserError, match="money: nothing to draw"):
        found["run"].plot.money()
    # Nobody pays anything in the shop, so there is no cost to hold against time.
    with pytest.raises(UserError, match="pareto: nothing to draw"):
        found["comparison"].plot.pareto()
    with pytest.raises(UserError, match="nothing to draw"):
        found["stress"].plot.throughput()
    with pytest.raises(UserError, match="tornado: found 'p99'"):
        found["sensitivity"].plot.tornado("p99")
    with pytest.raises(UserError, match="is no chart of Altair"):
        assert found["run"].plot.flow().chart


@pytest.mark.slow
def test_cost_against_time_has_a_point_for_each_arm(tmp_path: Path) -> None:
    experiment = ROOT / "scenarios" / "experiments" / "routing-policies.yaml"
    quick = {"clock.horizon": "2 min", "clock.warm_up": "0 s"}
    compared = sim.compare(experiment, replications=2, overrides=quick)
    figure = compared.plot.pareto()
    rows = figure.table.to_pylist()
    assert [row["series"] for row in rows] == list(compared.arms)
    for row in rows:
        summary = compared.summaries[row["series"]]
        assert row["x"] == float(summary["end_to_end_mean"])
        assert row["y"] == float(summary["payer_cost_bps"])
        assert row["low"] <= row["y"] <= row["high"]
    assert figure.save(tmp_path / "pareto.svg").stat().st_size > 1000
    page = compared.report(tmp_path / "page.html").read_text(encoding="utf-8")
    assert "below and to the left is better" in page


@pytest.mark.slow
def test_a_page_is_written_where_it_is_told(found: dict[str, Any], tmp_path: Path) -> None:
    for kind, result in found.items():
        page = result.report(tmp_path / f"{kind}.html")
        assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    page = found["run"].report()
    assert page == found["run"].folder / "report.html"
    # It is ours, and may be made anew.
    assert found["run"].report() == page
    page.write_text("mine", encoding="utf-8")
    with pytest.raises(UserError, match="somebody else wrote or changed"):
        found["run"].report()
    with pytest.raises(UserError, match="report: found no path"):
        found["comparison"].report(None)


@pytest.mark.slow
def test_without_what_draws_the_remedy_is_named(
    found: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "altair", None)
    # A view needs nothing of it.
    assert found["run"]._repr_html_()
    with pytest.raises(MachineError, match=r"pip install payroute\[report\]"):
        found["run"].report(tmp_path / "page.html")
    with pytest.raises(MachineError, match=r"pip install payroute\[report\]"):
        assert found["run"].plot.time().svg
    with pytest.raises(MachineError, match="altair"):
        drawing.need_drawing()


def test_what_is_no_result_is_refused() -> None:
    for ask in (notebook_html, plots):
        with pytest.raises(TypeError, match="no result of a run or a study"):
            ask("a text")


# --- validate ------------------------------------------------------------------------------------


def test_a_valid_file_has_no_problems(tmp_path: Path) -> None:
    assert sim.validate(write_tiny(tmp_path)) == ()
    assert sim.validate("minimal") == ()
    assert sim.validate(ROOT / "scenarios" / "experiments" / "routing-policies.yaml") == ()


def test_every_problem_is_told_with_its_place(tmp_path: Path) -> None:
    path = write_tiny(tmp_path)
    path.write_text(YAML.replace("servers: 3", "servers: -3").replace("2.4 /s", "2.4"), "utf-8")
    found = sim.validate(path)
    paths = {"demand.customers.rate", "rails.shop.stations.till.servers"}
    assert {one.path for one in found} == paths
    assert all(one.line > 0 and one.file == str(path) for one in found)
    changed = sim.validate(write_tiny(tmp_path), overrides={"rails.shop.stations.till.serves": 1})
    assert "Did you mean 'servers'?" in changed[0].message
