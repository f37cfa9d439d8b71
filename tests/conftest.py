"""Options of the test suite: ``--large`` runs long suites, ``--update-golden`` rewrites goldens."""

import os
import signal
import threading
from pathlib import Path

import pytest

# Registers a routing policy of the user's own that test data names.
import sim.study.fuzz.own_policy  # noqa: F401

# Jobs in a shell's background ignore Ctrl-C, and so would every process started from here.
if (
    threading.current_thread() is threading.main_thread()
    and signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):
    signal.signal(signal.SIGINT, signal.default_int_handler)

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser):
    parser.addoption("--large", action="store_true", help="also run the tests marked large")
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="rewrite the files below tests/golden, and tests/equivalence/meaning.csv",
    )


def pytest_collection_modifyitems(config, items):
    if config.getoption("--large"):
        return
    skipped = pytest.mark.skip(reason="large: run with --large")
    for item in items:
        if "large" in item.keywords:
            item.add_marker(skipped)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """Fail a file that is skipped for want of a tool where every tool must be there."""
    return _failed_if_wanting((yield))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Fail a test that is skipped for want of a tool where every tool must be there."""
    return _failed_if_wanting((yield))


def _failed_if_wanting(report):
    """Turn a skip "needs ..." into a failure when PAYROUTE_CI says that nothing may be missing."""
    if os.environ.get("PAYROUTE_CI") and report.skipped and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2]
        if reason.removeprefix("Skipped: ").startswith("needs "):
            report.outcome, report.longrepr = "failed", f"skipped where it must run: {reason}"
    return report


def pytest_terminal_summary(terminalreporter):
    """Print which check noticed which planted fault."""
    reports = terminalreporter.getreports("passed")
    told = [text for one in reports for key, text in one.user_properties if key == "noticed"]
    if told:
        terminalreporter.section(f"{len(told)} planted faults, all noticed")
        terminalreporter.write("\n".join([*sorted(told), ""]))


@pytest.fixture(autouse=True)
def kept_elsewhere(monkeypatch, tmp_path_factory):
    """Let commands that are run within a test keep their results among its files."""
    monkeypatch.setattr("sim.cli.keeping.RESULTS", tmp_path_factory.getbasetemp() / "results")


@pytest.fixture
def golden(request):
    """Compare a text with a file below tests/golden, or rewrite the file."""

    def check(name, text):
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"{path} is missing; make it with --update-golden"
        assert text == path.read_text(encoding="utf-8"), (
            f"{name} differs; if that is meant, rewrite it with --update-golden and read the diff"
        )

    return check
