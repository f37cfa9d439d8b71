"""A page shows what was measured, in words and numbers found again, and does nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sim.analysis.summary import Measure
from sim.report.blocks import (
    Bar,
    Column,
    Document,
    Figure,
    Folded,
    Heading,
    Player,
    Series,
    Table,
    Text,
    Tile,
    Tiles,
    Verbatim,
)
from sim.report.documents.report import report_document
from sim.report.figures.charts import KINDS
from sim.report.figures.compact import compact
from sim.report.figures.of_run import Told
from sim.report.figures.tape import (
    PLACES_OF_A_COLUMN,
    Place,
    Recording,
    Tape,
    Way,
    folded,
    make_tape,
)
from sim.report.rendering import render
from sim.scenario.scenario import load_scenario
from sim.study.result import Result, open_result
from sim.study.run import run_scenario
from sim.tables.tabular import TabularData
from tests.unit.report.pages import Seen, read_page

MINIMAL = Path(__file__).parents[3] / "scenarios" / "minimal.yaml"
EVIL = '<script>alert("x")</script> & <b>b</b> ភ្នំពេញ 北京'
MANY = {
    "clock.horizon": "3 min",
    "demand.inbound": "{corridor: cn_kh, payments: null, rate: 1 /s, amount: 1 000 KHR}",
    "accounts.river_khr_for_alipay.balance": "100 000",
    "question": EVIL,
}


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Run a few minutes of payments, some of which fail for want of money."""
    out = tmp_path_factory.mktemp("page") / "run"
    run_scenario(MINIMAL, engine="reference", out=out, overrides=MANY, record="stages")
    return open_result(out)


@pytest.fixture(scope="module")
def page(result: Result) -> str:
    """Render its page."""
    return render(report_document(result), "html")


@pytest.fixture(scope="module")
def seen(page: str) -> Seen:
    """Read its page."""
    return read_page(page)


def _values(content: object) -> Iterator[float]:
    if isinstance(content, dict):
        for one in content.values():
            yield from _values(one)
    elif isinstance(content, int | float) and not isinstance(content, bool):
        yield float(content)


def test_every_number_is_found_again_in_the_summary(result: Result, seen: Seen) -> None:
    known = set(_values(json.loads((result.folder / "summary.json").read_text())))
    paths = [text for text in seen.texts if text.startswith("path, of ")]
    assert paths
    # The table of paths counts payments by the stages they went through; it is counted below.
    counted = {float(value) for value in _paths(result)}
    lost = [value for value in seen.numbers if float(value) not in known | counted]
    assert lost == []
    assert len(seen.numbers) > 50


def _paths(result: Result) -> Iterator[float]:
    """Yield how many payments took each path, and the lower median of their times, anew."""
    stages = pq.read_table(result.folder / "stages.parquet").to_pylist()
    payments = pq.read_table(result.folder / "payments.parquet").to_pylist()
    groups: dict[object, list[float]] = {}
    for row in payments:
        if row["scope"] != "cross_border":
            continue
        mine = [one for one in stages if one["payment_id"] == row["payment_id"]]
        way = tuple(one["stage_name"] for one in sorted(mine, key=lambda one: one["queued_us"]))
        took = None if row["end_us"] is None else (row["end_us"] - row["submitted_us"]) / 1e6
        groups.setdefault((row["route"], way, row["outcome"]), []).append(took or 0.0)
    for times in groups.values():
        yield len(times)
        yield sorted(times)[(len(times) - 1) // 2]


def test_marks_say_what_the_table_behind_their_figure_holds(seen: Seen) -> None:
    assert len(seen.labels) >= 6
    for figure, labels in seen.labels.items():
        assert labels, figure
        held = [float(value) for value in seen.behind[figure]]
        shown = {f"{scale * value:.3g}" for value in held for scale in (1, 100, 1000, 1 / 60)}
        shown |= {f"{value:.0f}" for value in held} | {f"{value:.1f}" for value in held}
        spans = {high - low for low in held for high in held if high > low}
        shown |= {f"{scale * span:.3g}" for span in spans for scale in (1, 1000)}
        for label in labels:
            last = re.findall(r"\d[\d ]*\.?\d*", label.rpartition(":")[2])[0].strip()
            number = float(last.replace(" ", ""))
            near = [one for one in shown if abs(float(one) - number) <= 6e-3 * abs(number) + 1e-9]
            assert near, (figure, label)


def test_shares_by_time_are_the_quantiles_of_the_payments(result: Result) -> None:
    [drawn] = [one for one in _figures(result) if one.name == "time-shares"]
    rows = pq.read_table(result.folder / "payments.parquet").to_pylist()
    done = [row for row in rows if row["outcome"] == "completed" and row["corridor"] == "cn_kh"]
    times = np.array([row["credited_us"] - row["submitted_us"] for row in done]) / 1e6
    mine = [row for row in drawn.data.records() if row["series"] == "cn_kh"]
    assert len(mine) > 20
    for row in mine:
        exact = np.quantile(times, float(str(row["share"])), method="inverted_cdf")
        assert row["x"] == pytest.approx(exact)


def _figures(result: Result) -> list[Figure]:
    return [one for one in report_document(result).blocks if isinstance(one, Figure)]


def test_balances_and_failures_are_those_of_the_tables(result: Result) -> None:
    figures = {one.name: one for one in _figures(result)}
    reasons = pq.read_table(result.folder / "payments.parquet").to_pylist()
    short = [r for r in reasons if r["reason_code"] == "AM04" and r["scope"] == "cross_border"]
    told = {row["row"]: row["value"] for row in figures["failures"].data.records()}
    assert told["AM04"] == len(short) > 0
    # 100 000 riel pay for 100 payments of 1 000 riel: nothing is left at the lowest.
    [lowest] = [
        row for row in figures["liquidity-lowest"].data.records()
        if row["row"] == "river_khr_for_alipay"
    ]  # fmt: skip
    assert lowest["value"] == 0


def test_the_page_asks_nobody_and_runs_nothing(page: str, seen: Seen) -> None:
    policy = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)[0]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    # The player's tape is data; its script is the one the policy names.
    kind, script = re.findall(r"<script([^>]*)>(.*?)</script>", page, flags=re.S)
    assert kind[0] == ' type="application/json" id="tape"'
    assert script[0] == ""
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert not re.search(r"fetch|XMLHttp|import\(|eval|innerHTML|document\.write", script[1])
    assert not {"iframe", "object", "embed", "img", "base", "form"} & seen.tags
    assert not {"src", "style", "onload", "onclick", "srcset", "action"} & seen.attributes
    links = set(re.findall(r'href="([^"]*)"', page))
    assert all(link.startswith("#") or link == "data:," for link in links)
    assert "http:" not in page.replace("http://www.w3.org/", "")
    assert "https:" not in page
    assert len(page.encode()) < 400_000


def test_names_of_a_long_run_are_grouped_across_its_row_groups(
    result: Result, tmp_path: Path
) -> None:
    # In a long run the second row group may have other names, and so another dictionary.
    table = pq.read_table(result.folder / "series.parquet")
    rows = sorted(table.to_pylist(), key=lambda row: row["name"])
    at = len(rows) // 2
    with pq.ParquetWriter(tmp_path / "series.parquet", table.schema) as writer:
        for part in (rows[:at], rows[at:]):
            writer.write_table(pa.Table.from_pylist(part, schema=table.schema))
    run = replace(result.run, path=tmp_path)
    found = run.table("series.parquet").group_by("name").aggregate([("value", "sum")]).to_pylist()
    due: Counter[str] = Counter()
    for row in rows:
        due[row["name"]] += row["value"]
    assert {row["name"]: row["value_sum"] for row in found} == dict(due)


def test_markup_in_names_is_shown_as_text(seen: Seen) -> None:
    assert EVIL in seen.texts
    table = TabularData(("row", "value"), ((EVIL, 1.0),))
    document = Document(
        (
            Heading(EVIL, 1),
            Heading(EVIL),
            Text(EVIL),
            Table((Column(EVIL), Column("")), ((EVIL, Bar((1.0,), (0, 2))),)),
            Tiles((Tile(EVIL, Measure(1.0, "s"), EVIL),)),
            Folded(EVIL, Table((Column(EVIL),), ((EVIL,),))),
            Series(EVIL, (1.0, 2.0), EVIL),
            Verbatim(EVIL),
            Figure("one", "bars", EVIL, table, (EVIL,), EVIL, EVIL),
        ),
        table,
        {},
    )
    shown = read_page(render(document, "html"))
    assert not {"script", "b"} & shown.tags
    assert sum(EVIL in text for text in shown.texts) >= 12
    assert shown.labels == {"figure-2": [EVIL]}


def test_two_pages_of_one_run_are_the_same(result: Result, page: str) -> None:
    assert render(report_document(result), "html") == page


COLUMNS = {
    "stacked": ("row", "part", "value"),
    "bars": ("row", "value"),
    "points": ("row", "value", "low", "high"),
    "steps": ("series", "x", "share"),
    "lines": ("series", "x", "y", "low", "high"),
    "heat": ("x", "y", "value"),
    "scatter": ("series", "x", "y", "x_low", "x_high", "low", "high"),
    "course": ("panel", "x", "y"),
    "spans": ("row", "from", "to", "part"),
}
NAMED = {"row", "part", "series", "panel"}


def test_a_flow_counts_every_payment_once_in_each_layer(result: Result) -> None:
    [flow] = [one for one in _figures(result) if one.name == "flow"]
    covered = [row for row in _rows_of(result, "payments") if row["scope"] == "cross_border"]
    for layer in (0, 1):
        mine = [row for row in flow.data.records() if row["layer"] == layer]
        assert sum(int(str(row["value"])) for row in mine) == len(covered)
    short = [row for row in flow.data.records() if row["to"] == "failed AM04"]
    failed = sum(row["reason_code"] == "AM04" for row in covered)
    assert sum(int(str(row["value"])) for row in short) == failed


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_of_figure_has_marks_for_its_rows(kind: str) -> None:
    rows = tuple(
        tuple(f"{name} {at} 支付宝" if name in NAMED else 0.1 + at / 4 for name in COLUMNS[kind])
        for at in range(3)
    )
    figure = Figure("f", kind, "t", TabularData(COLUMNS[kind], rows), ("one", "two", "three"))
    [labels] = read_page(
        render(Document((figure,), TabularData((), ()), {}), "html")
    ).labels.values()
    assert set(labels) >= {"one", "two", "three"}


def test_other_formats_have_the_tables_and_no_drawing(result: Result) -> None:
    document = report_document(result)
    for form in ("terminal", "markdown", "latex", "typst"):
        text = render(document, form)
        assert "Why payments ended badly" in text
        assert "svg" not in text


def test_the_tape_is_what_the_stages_say(result: Result) -> None:
    tape = make_tape(Told(result.run, result.summary, load_scenario(MINIMAL).scenario))
    assert tape is not None
    names = [place.name for place in tape.places]
    rows = {row["payment_id"]: row for row in _rows_of(result, "payments")}
    visits = _rows_of(result, "stages")
    assert len(tape.payments) == sum(r["scope"] == "cross_border" for r in rows.values())
    for number, _, outcome, steps in tape.payments:
        row = rows[number]
        assert outcome.startswith(row["outcome"])
        assert (steps[0][0], names[steps[0][1]]) == (row["submitted_us"] // 1000, row["corridor"])
        if row["end_us"] is not None:
            assert steps[-1][0] == row["end_us"] // 1000
        mine = sorted(
            (one["queued_us"], one["station"]) for one in visits if one["payment_id"] == number
        )
        there = [place for _, station in mine if station for place in [station.rpartition(".")[0]]]
        # Where two visits follow each other at one place, it is one step.
        moved = [place for at, place in enumerate(there) if at == 0 or there[at - 1] != place]
        middle = [names[place] for _, place in (steps[1:-1] if row["end_us"] else steps[1:])]
        assert middle == moved
    # A payment goes a way once in these routes, so ways count payments.
    [arrived] = [
        w for w in tape.ways if names[w.end] == "bakong" and names[w.start] == "river_bank"
    ]
    credited = [
        r for r in rows.values() if r["corridor"] == "cn_kh" and r["settled_us"] is not None
    ]
    assert arrived.payments >= len(credited)


def _rows_of(result: Result, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(result.folder / f"{name}.parquet").to_pylist()
    return found


def test_names_on_the_tape_are_no_markup() -> None:
    evil = f"</script>{EVIL}"
    tape = Tape(
        (Place(evil, 0, 0), Place("b", 1, 0)),
        (Way(0, 1, 1, 0),),
        ((7, evil, "completed", ((0, 0), (5, 1), (9, 1))),),
        10,
        (1, 2),
        evil,
        (),
        0,
    )
    shown = read_page(
        render(Document((Player(Recording((("", tape),))),), TabularData((), ()), {}), "html")
    )
    assert "b" not in shown.tags
    assert evil in shown.texts


def test_the_least_used_places_of_a_column_are_one(result: Result) -> None:
    rows: list[list[tuple[int, str]]] = []
    for at in range(12):
        # Bank 0 is used twelve times, bank 11 once.
        rows += [[(0, "start"), (1, f"bank_{at:02d}")]] * (12 - at)
    called = folded(rows)
    others = [name for name, shown in called.items() if shown != name]
    assert others == [f"bank_{at:02d}" for at in range(PLACES_OF_A_COLUMN - 1, 12)]
    assert {called[name] for name in others} == {f"{12 - PLACES_OF_A_COLUMN + 1} others"}


def test_a_drawing_says_the_same_in_fewer_letters() -> None:
    box = '<path aria-hidden="true" d="M0,0h9.123456v5h-9.123456Z"/>'
    ticks = "".join(
        f'<line transform="translate({x},2)" x2="0" y2="5" stroke="{colour}"/>'
        for x, colour in ((1, "red"), (7.0625, "red"), (9, "blue"))
    )
    circle = "M2.739,0A2.739,2.739,0,1,1,-2.739,0A2.739,2.739,0,1,1,2.739,0"
    mark = f'<path aria-label="p50: 1.23456 s" d="{circle}" fill="blue"/>'
    text = '<text transform="translate(3.14159,2)" font-size="12px">1.23456</text>'
    drawn = f"<svg><g>{box}</g>{ticks}{mark}{text}</svg>"
    assert compact(drawn) == (
        '<svg font-size="12px"><path d="M1,2l0,5M7.06,2l0,5" stroke="red"/>'
        '<path d="M9,2l0,5" stroke="blue"/>'
        '<circle aria-label="p50: 1.23456 s" r="2.73" fill="blue"/>'
        '<text transform="translate(3.14,2)">1.23456</text></svg>'
    )
    # One line by itself stays one, and so does a path that is no circle.
    other = '<svg><line transform="translate(1,2)" x2="0" y2="5" stroke="a"/><path d="M1,0A2,2"/>'
    assert compact(other) == other
