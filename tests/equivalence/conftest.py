"""Let the long suites run only when asked for, and compile the kernel once for all tests here."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--large", default=False):
        return
    for item in items:
        if "equivalence" in item.nodeid and item.get_closest_marker("large"):
            item.add_marker(pytest.mark.skip(reason="a long suite; run it with --large"))
