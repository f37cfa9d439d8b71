"""Every measure is known in one place: nothing else in the package lists their names."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.analysis import catalogue
from sim.analysis.catalogue import ALIASES, CATALOGUE, HEADLINE, HEADLINE_UNITS, LEDGER
from sim.analysis.kinds import AMOUNT, Better, Pooling, read_bound
from sim.analysis.of_accounts import ACCOUNT_MEASURES
from sim.analysis.of_providers import PROVIDER_MEASURES
from sim.analysis.sources import QUANTILES
from sim.analysis.summary import GROUPS

SIM = Path(catalogue.__file__).resolve().parents[1]
HOMES = {
    SIM / "analysis" / name
    for name in ("catalogue.py", "of_accounts.py", "of_orders.py", "of_providers.py")
}
LIST_MIN = 3
"""So many names of measures in one literal are a list of measures."""
OUTCOMES = {"completed", "rejected", "returned", "in_progress", "share"}
"""Names of measures that are also words for how a payment ended, or for a unit."""


def _texts(node: ast.AST) -> Iterator[str]:
    for child in ast.walk(node):
        if isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield child.value


def _lists(source: str) -> Iterator[tuple[int, list[str]]]:
    for node in ast.walk(ast.parse(source)):
        parts: list[ast.AST] = []
        if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
            parts = list(node.elts)
        elif isinstance(node, ast.Dict):
            parts = [key for key in node.keys if key is not None]
        names = sorted(
            {text for part in parts for text in _texts(part) if text in CATALOGUE} - OUTCOMES
        )
        if len(names) >= LIST_MIN:
            yield getattr(node, "lineno", 0), names


def test_no_other_file_lists_measures() -> None:
    found = [
        f"{path.relative_to(SIM.parent)}:{line}: {', '.join(names)}"
        for path in sorted(SIM.rglob("*.py"))
        if path not in HOMES
        for line, names in _lists(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_the_search_for_lists_finds_them() -> None:
    assert list(_lists('a = ("success_rate", ["queue_max", {"returns": 1}])'))
    assert list(_lists('a = {"success_rate": 1, "queue_max": 2, "returns": 3}'))
    assert not list(_lists('a = ("success_rate", "queue_max")'))


def test_names_are_said_once_and_columns_name_measures() -> None:
    defined = [
        *catalogue.PAYMENT_MEASURES, *catalogue.PLACE_MEASURES, *ACCOUNT_MEASURES,
        *catalogue.SYSTEM_MEASURES, *PROVIDER_MEASURES,
    ]  # fmt: skip
    assert len(CATALOGUE) == len(defined)
    shown = {
        *sum(catalogue.SUMMARY_COLUMNS, ()), *catalogue.GROUP_COLUMNS, *catalogue.COST_COLUMNS,
        *catalogue.COST_PARTS, *catalogue.PLACE_COLUMNS, *catalogue.SWEPT, *catalogue.COMPARED,
        *catalogue.STRESSED,
    }  # fmt: skip
    assert shown <= CATALOGUE.keys()


def test_groups_are_those_of_a_summary() -> None:
    for measure in CATALOGUE.values():
        assert measure.groups
        assert measure.groups <= {HEADLINE, LEDGER, *GROUPS}


def test_short_names_are_of_measures_every_run_has() -> None:
    assert set(ALIASES) == {*QUANTILES, "mean", "success"}
    assert set(ALIASES.values()) <= HEADLINE_UNITS.keys()
    assert not ALIASES.keys() & CATALOGUE.keys()


def test_a_measure_says_what_its_pooling_needs() -> None:
    for measure in CATALOGUE.values():
        assert (measure.trials is not None) == (measure.pooling is Pooling.SHARE), measure.name
        if measure.pooling is Pooling.KAPLAN_MEIER:
            assert measure.quantile is not None
        if measure.quantile is not None:
            assert any(text in measure.name for text in QUANTILES)
            assert measure.better is Better.LOWER
        assert (measure.kind is AMOUNT) == measure.name.endswith("_minor")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (("5", "s"), (5.0, "s")),
        (("250", "ms"), (0.25, "s")),
        (("1.5", "min"), (90.0, "s")),
        (("99.5", "%"), (0.995, "share")),
        (("2", "bps"), (2.0, "bps")),
        (("7", None), (7.0, None)),
    ],
)
def test_bounds_are_read_into_the_unit_of_the_measure(
    written: tuple[str, str | None], read: tuple[float, str | None]
) -> None:
    assert read_bound(*written) == read
