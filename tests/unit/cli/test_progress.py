"""What a person sees while a run goes on, and what a file does not."""

import io

import numba
import pytest
from rich.console import Console

from sim.cli.progress import RunCounter, TerminalWatcher, write_clock
from sim.cli.showing import be_quiet
from sim.jit import telling
from sim.jit.cache import is_jit_disabled
from tests.unit.cli.queue import payroute, write_queue

HOUR_US = 3_600_000_000


@pytest.fixture
def clock(monkeypatch):
    """Give a clock the test moves by hand."""
    now = [0.0]
    monkeypatch.setattr("sim.cli.progress.time.monotonic", lambda: now[0])
    return now


def console(is_terminal):
    return Console(file=io.StringIO(), force_terminal=is_terminal, width=100)


def run_for(seconds, clock, shown):
    watcher = TerminalWatcher(shown)
    watcher.say("compiling the scenario")
    watcher.begin(2 * HOUR_US)
    clock[0] = seconds
    watcher.advance(HOUR_US, 5000, 70_000)
    watcher.advance(HOUR_US, 5000, 70_000)
    watcher.finish()
    return shown.file.getvalue()


@pytest.mark.parametrize(
    ("seconds", "is_terminal", "words"),
    [
        (1.9, True, ()),
        (1.9, False, ()),
        (10, False, ()),
        (50, False, ("50% of simulated time, 100 payments/s",)),
        (50, True, ("01:00:00 of 02:00:00", "100 payments/s")),
    ],
)
def test_only_what_takes_long_is_shown(clock, seconds, is_terminal, words):
    text = run_for(seconds, clock, console(is_terminal))
    for word in words:
        assert word in text
    assert words or not text


@pytest.mark.parametrize("width", [100, 50, 34, 24])
def test_no_terminal_is_so_narrow_that_a_figure_is_cut(clock, width):
    shown = Console(file=io.StringIO(), force_terminal=True, width=width)
    told = run_for(50, clock, shown)
    assert "…" not in told
    # Words go on below: what is shown is whole, however many lines it takes.
    for part in ("simulated", "01:00:00", "02:00:00"):
        assert part in told
    assert ("payments/s" in told) == (width == 100)


def test_a_file_gets_a_line_now_and_then_not_one_per_call(clock):
    assert run_for(50, clock, console(is_terminal=False)).count("\n") == 1


def test_compiling_is_announced_once_whoever_asks_for_it(monkeypatch):
    heard = []
    monkeypatch.setattr(telling, "_has_told", [])
    monkeypatch.setattr(telling, "_tellers", [])
    telling.begin_compiling("sim.engine.kernel.views")
    telling.tell_compiling(heard.append)
    # Others may use Numba, too.
    telling.begin_compiling("somebody.else")
    assert heard == []
    telling.begin_compiling("sim.audit.replay")
    telling.begin_compiling("sim.engine.kernel.views")
    assert heard == [telling.SENTENCE]


def test_numba_says_when_a_function_was_in_no_cache(monkeypatch):
    heard = []
    monkeypatch.setattr(telling, "_has_told", [])
    telling.tell_compiling(heard.append)

    def doubled(number):
        return 2 * number

    doubled.__module__ = "sim.made_up"
    try:
        assert numba.njit(doubled)(21) == 42
    finally:
        telling._tellers.clear()
    assert heard == ([] if is_jit_disabled() else [telling.SENTENCE])


def test_quiet_shows_no_progress(clock):
    shown = console(is_terminal=False)
    be_quiet(True)
    try:
        with RunCounter("runs", shown) as count:
            clock[0] = 60
            count.tell(3, 20)
            count.say("run 1: PASS")
    finally:
        be_quiet(False)
    assert shown.file.getvalue() == ""


@pytest.mark.slow
@pytest.mark.parametrize("words", [(), ("--quiet",)])
def test_quiet_leaves_results_and_takes_notes(tmp_path, words):
    path, target = write_queue(tmp_path), tmp_path / "shown.md"
    asked = ("run", path, "--engine", "reference", "--out", tmp_path / "run")
    done = payroute(*asked, "--output", target, *words)
    assert done.exit_code == 0
    assert target.exists()
    assert (f"written to {target}" in done.stderr) == (not words)
    assert "three-clerks" in done.stdout


@pytest.mark.parametrize(("seconds", "is_told"), [(1, False), (60, True)])
def test_replications_are_counted(clock, seconds, is_told):
    shown = console(is_terminal=False)
    with RunCounter("replications", shown) as count:
        clock[0] = seconds
        count.tell(3, 20)
    assert ("3 of 20 replications" in shown.file.getvalue()) == is_told


@pytest.mark.parametrize(
    ("time_us", "text"),
    [(0, "00:00:00"), (HOUR_US + 61_000_000, "01:01:01"), (25 * HOUR_US, "1 d 01:00:00")],
)
def test_simulated_time_is_written_as_a_clock(time_us, text):
    assert write_clock(time_us) == text
