"""Options of the test suite: ``--large`` runs long suites, ``--update-golden`` rewrites goldens."""

from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser):
    parser.addoption("--large", action="store_true", help="also run the tests marked large")
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite the files below tests/golden"
    )


def pytest_collection_modifyitems(config, items):
    if config.getoption("--large"):
        return
    skipped = pytest.mark.skip(reason="large: run with --large")
    for item in items:
        if "large" in item.keywords:
            item.add_marker(skipped)


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
