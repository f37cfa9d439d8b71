"""The README tells the truth: its commands run, and its picture is what the main job prints."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.support.terminal import payroute_at_terminal

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _blocks(language: str) -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def _payroute(*words: str) -> list[str]:
    return payroute_at_terminal(*words, columns=88, folder=ROOT)


@pytest.mark.slow
def test_the_picture_is_what_the_main_job_prints(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    out = os.fspath(tmp_path / "run")
    printed = _payroute("run", "scenarios/china-two-way.yaml", "--out", out)
    if request.config.getoption("--update-golden"):
        _draw_again(_blocks("text")[0], printed)
    assert _not_printed(_blocks("text")[0], printed) == []


@pytest.mark.slow
def test_the_picture_of_a_comparison_is_what_it_prints(request: pytest.FixtureRequest) -> None:
    command = "compare scenarios/experiments/routing-policies.yaml"
    assert f"payroute {command}\n" in _blocks("sh")
    printed = _payroute(*command.split(), "--jobs", "1")
    if request.config.getoption("--update-golden"):
        _draw_again(_blocks("text")[1], printed)
    assert _not_printed(_blocks("text")[1], printed) == []


def _draw_again(picture: str, printed: list[str]) -> None:
    """Put what a command prints now in the place of a picture, with the same parts left out.

    A part is found again by how it begins. Where dots follow it at once as many lines are kept.
    """
    printed = [line.rstrip() for line in printed]
    made: list[str] = []
    part: list[str] = []
    for line in [*picture.splitlines(), ""]:
        if line not in ("", "..."):
            part.append(line)
            continue
        if part:
            begin = " ".join(part[0].split()[:3])
            at = next(at for at, one in enumerate(printed) if one.startswith(begin))
            whole = printed[at : printed.index("", at) if "" in printed[at:] else None]
            made += whole[: len(part)] if line == "..." else whole
        made.append(line)
        part = []
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    text = text.replace(picture, "\n".join(made[:-1]) + "\n")
    (ROOT / "README.md").write_text(text, encoding="utf-8")


def _not_printed(picture: str, printed: list[str]) -> list[str]:
    """Return the lines of a picture that a command did not print; seconds may differ."""
    lines = {line.rstrip() for line in printed}
    shown = [line for line in picture.splitlines() if line not in ("", "...")]
    assert len(shown) > 10
    return [line for line in shown if line not in lines and "of the engine's time" not in line]


@pytest.mark.slow
def test_the_changed_run_runs(tmp_path: Path) -> None:
    (command,) = [block for block in _blocks("sh") if block.startswith("payroute run")]
    words = re.findall(r'(?:[^\s"]|"[^"]*")+', command)[1:]
    words = [word.replace('"', "") for word in words]
    assert words[0] == "run"
    _payroute(*words, "--set", "clock.horizon=10 s", "--out", os.fspath(tmp_path / "run"))


@pytest.mark.slow
def test_the_python_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = _blocks("python")
    monkeypatch.chdir(tmp_path)
    code = code.replace('"scenarios/', f'"{ROOT}/scenarios/')
    code = code.replace("overrides={", 'overrides={"clock.horizon": "10 s", ')
    names: dict[str, object] = {}
    exec(code, names)
    result = names["result"]
    assert result.payments.num_rows > 100  # type: ignore[attr-defined]


def test_every_file_the_readme_names_is_there() -> None:
    named = set(re.findall(r"`((?:sim|docs|scenarios|results)/[\w./-]+)", README))
    assert len(named) > 10
    missing = [name for name in sorted(named) if not (ROOT / name.rstrip("/")).exists()]
    assert [name for name in missing if not name.startswith("results/")] == []
