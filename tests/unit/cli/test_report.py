"""The command writes a page and figures, keeps what is somebody else's, and says what it needs."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import pytest

from tests.unit.cli.queue import payroute, run_queue, write_queue


def test_a_page_is_written_into_the_run_and_replaced_with_it(tmp_path: Path) -> None:
    _, out = run_queue(tmp_path)
    done = payroute("report", out)
    assert done.exit_code == 0, done.output
    page = (out / "report.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "three-clerks" in page
    # Made again it is the same, and the run it belongs to is as good as before.
    assert payroute("report", out).exit_code == 0
    assert (out / "report.html").read_text(encoding="utf-8") == page
    assert payroute("audit", out).exit_code == 0
    # A run in its place takes the page away: it would show another run.
    words = ("run", write_queue(tmp_path), "--engine", "reference", "--out", out, "--force")
    assert payroute(*words, "--seed", "5").exit_code == 0
    assert not (out / "report.html").exists()
    assert payroute(*words, "--seed", "6", "--report").exit_code == 0
    assert "seed 6" in (out / "report.html").read_text(encoding="utf-8")


def test_a_file_of_somebody_else_is_kept(tmp_path: Path) -> None:
    _, out = run_queue(tmp_path)
    (out / "report.html").write_text("mine", encoding="utf-8")
    done = payroute("report", out)
    assert done.exit_code == 2
    assert "found a file somebody else wrote" in done.stderr
    assert (out / "report.html").read_text(encoding="utf-8") == "mine"
    assert payroute("report", out, "--out", tmp_path / "page.html").exit_code == 0


def test_figures_are_files_for_a_paper_with_their_data(tmp_path: Path) -> None:
    _, out = run_queue(tmp_path)
    folder = tmp_path / "figures"
    done = payroute("report", out, "--figures", folder, "--style", "slides")
    assert done.exit_code == 0
    names = {path.stem for path in folder.iterdir()}
    assert {"time-shares", "time-by-cause", "course"} <= names
    for name in names:
        assert (folder / f"{name}.svg").read_text(encoding="utf-8").startswith("<svg")
        assert (folder / f"{name}.pdf").read_bytes().startswith(b"%PDF")
        assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        with (folder / f"{name}.csv").open(encoding="utf-8") as stream:
            assert len(list(csv.reader(stream))) > 1
    # Colours of a file are its own; those of a page are the page's.
    assert "var(" not in (folder / "course.svg").read_text(encoding="utf-8")


def test_runs_stand_side_by_side(tmp_path: Path) -> None:
    _, out = run_queue(tmp_path)
    other = tmp_path / "other"
    words = ("run", tmp_path / "queue.yaml", "--engine", "reference", "--out", other)
    assert payroute(*words, "--seed", "9").exit_code == 0
    page = tmp_path / "both.html"
    assert payroute("report", out, other, "--out", page).exit_code == 0
    text = page.read_text(encoding="utf-8")
    assert "2 runs side by side" in text
    assert "not compared" in text
    assert ">run<" in text
    assert ">other<" in text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--style", "slide"), "--style: found 'slide'; allowed: paper, slides. Did you mean"),
        ((), "no such folder"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    done = payroute("report", tmp_path / "nowhere", *words)
    assert done.exit_code == 2
    assert told in done.stderr


@pytest.mark.parametrize("command", ["report", "run"])
def test_without_its_libraries_the_remedy_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    _, out = run_queue(tmp_path)
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    done = (
        payroute("report", out)
        if command == "report"
        else payroute("run", tmp_path / "queue.yaml", "--report", "--out", tmp_path / "new")
    )
    assert done.exit_code == 4
    assert "pip install payroute[report]" in done.stderr
    # Told before a long run, not after it.
    assert not (tmp_path / "new").exists()
