"""Compare the library's quantities with the calibration rows they cite.

Takes the evidence notes of every scenario. Where the shared reference is at hand each cited key
must be one of its rows and no stronger a claim than it; the important quantities are recomputed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from statistics import NormalDist
from typing import Any

import pytest
import yaml

from sim.scenario.loader import Document, load_document
from sim.scenario.model import Scenario
from sim.scenario.scenario import load_scenario
from tests.published.sources import PUBLISHED
from tests.theory.driver import ROOT, SCENARIOS

REFERENCE = ROOT.parent / "shared" / "reference" / "calibration.yaml"
FILES = sorted(path for path in SCENARIOS.rglob("*.yaml") if path.parent.name != "experiments")
STRENGTH = {"estimated": 0, "derived": 1, "reported": 2}
LIBRARY = SCENARIOS / "library" / "cambodia-2025.yaml"


@cache
def _rows() -> dict[str, dict[str, Any]] | None:
    """Return every calibration row by key; None where the reference is not at hand."""
    if not REFERENCE.exists():
        return None
    found: dict[str, dict[str, Any]] = {}

    def walk(node: Any, key: str) -> None:
        if isinstance(node, dict) and "value" in node and "kind" in node:
            found[key] = node
        elif isinstance(node, dict):
            for name, inner in node.items():
                walk(inner, f"{key}.{name}" if key else str(name))

    walk(yaml.safe_load(REFERENCE.read_text(encoding="utf-8"))["parameters"], "")
    return found


def _cited(source: str) -> str:
    """Return the key a source begins with; what follows says how it was converted."""
    return re.split(r" at | in |;", source)[0].strip()


def _problems(
    document: Document, rows: dict[str, dict[str, Any]], published: Mapping[str, str] = PUBLISHED
) -> list[str]:
    wrong = []
    for path, note in document.evidence.items():
        key, where = _cited(note.source), ".".join(map(str, path))
        if not note.source:
            wrong.append(f"{where}: evidence without a source")
        elif key.split(" ")[0] in ("facts", "assumption"):
            continue
        elif key.startswith("published "):
            # A figure of docs/validation.md, which the calibration does not have.
            if key.removeprefix("published ") not in published:
                wrong.append(f"{where}: no published figure {key!r}")
        elif key not in rows:
            wrong.append(f"{where}: no calibration row {key!r}")
        elif STRENGTH[note.kind.value] > STRENGTH[rows[key]["kind"]]:
            wrong.append(f"{where}: {note.kind.value}, but {key} is {rows[key]['kind']}")
    return wrong


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_cited_row_exists_and_is_as_strong(path: Path) -> None:
    rows = _rows()
    document = load_document(path)
    if rows is None:
        # Without the reference: at least every note says where it comes from.
        assert all(note.source for note in document.evidence.values())
        return
    assert _problems(document, rows) == []


def test_a_wrong_key_and_too_strong_a_claim_are_found() -> None:
    rows: dict[str, dict[str, Any]] = {"a.b": {"kind": "estimated"}}
    found = _problems(load_document(LIBRARY), rows)
    assert any("no calibration row 'bakong.consensus.peers'" in line for line in found)
    unknown = _problems(load_document(LIBRARY.with_name("cambodia-2022.yaml")), {}, published={})
    assert any(
        line == "institutions.aba.decline: no published figure 'published upi_business_decline'"
        for line in unknown
    )
    weak = {key: {"kind": "estimated"} for key in (_rows() or {"bakong.members_live": {}})}
    found = _problems(load_document(LIBRARY), weak)
    assert any(
        line.startswith("institutions.other_members.members: derived, but") for line in found
    )


def _lognormal_mean(value: Any) -> float:
    return float(math.exp(value["mu"] + value["sigma"] ** 2 / 2))


def _read(scenario: Scenario, path: str) -> float:
    """Return a number of a scenario by its dotted path; ``mean`` and the like are called."""
    found: Any = scenario
    for step in path.split("."):
        if isinstance(found, dict):
            found = next(value for key, value in found.items() if str(key) == step)
        elif isinstance(found, tuple):
            found = found[int(step)]
        else:
            found = getattr(found, step)
    return float(found() if callable(found) else found)


COMPLETED = (1 - 0.002) * (1 - 0.072 - 0.0037) * (1 - 0.00314)
"""Share of payments at home that complete: published figures count those."""

Row = tuple[str, str, Callable[[Any], float], float]

QUANTITIES: tuple[Row, ...] = (
    ("rails.bakong.round_interval", "bakong.consensus.sim_round_interval", lambda v: v * 1e6, 0),
    ("rails.bakong.block_limit", "bakong.consensus.sim_max_block_tx", float, 0),
    ("rails.bakong.peers", "bakong.consensus.peers", float, 0),
    (
        "rails.bakong.limits.full_kyc.per_day.KHR",
        "bakong.limits_per_day.full_kyc",
        lambda v: v["KHR"],
        0,
    ),
    (
        "rails.bakong.limits.cross_border.per_day.KHR",
        "corridors.TH_outbound.limit_per_day",
        float,
        0,
    ),
    # Payments of the year, per second of it, and those that fail beside them.
    (
        "demand.domestic_khr.rate.per_second",
        "bakong.tx_count.2025_khr",
        lambda v: v / 365 / 86_400 / COMPLETED,
        1e-5,
    ),
    (
        "demand.domestic_usd.rate.per_second",
        "bakong.tx_count.2025_usd",
        lambda v: v / 365 / 86_400 / COMPLETED,
        1e-5,
    ),
    (
        "demand.cn_counter.rate.per_second",
        "assumptions.cn_inbound_payments_per_day",
        lambda v: v / 86_400,
        1e-12,
    ),
    # Means in minor units.
    (
        "demand.cn_counter.amount.mean",
        "demand.amount.tourist_lognormal_usd",
        lambda v: 100 * 4084 * _lognormal_mean(v),
        1e-3,
    ),
    ("fx.mid.USD/CNY.daily_volatility", "fx.daily_vol.CNY", lambda v: v * 1e9, 1e-12),
    ("fx.mid.USD/KHR.daily_volatility", "fx.daily_vol.KHR", lambda v: v * 1e9, 1e-12),
    (
        "rails.alipay_plus.inbound.spread",
        "wallet_gateways.alipay_plus.fx_markup",
        lambda v: v * 1e6,
        1e-12,
    ),
    (
        "rails.alipay_plus.inbound.settlement.interchange",
        "wallet_gateways.alipay_plus.interchange_rate",
        lambda v: v * 1e6,
        1e-12,
    ),
    # Tenths of a percent.
    ("profiles.retail.hourly.18", "demand.hourly_weight", lambda v: 10 * v[18], 1e-12),
    ("profiles.retail.hourly.3", "demand.hourly_weight", lambda v: 10 * v[3], 1e-12),
    # Four members have entries of their own.
    ("institutions.other_members.members", "bakong.members_live", lambda v: v - 4, 0),
)


@pytest.mark.parametrize("row", QUANTITIES, ids=lambda row: row[0])
def test_a_quantity_is_the_row_it_cites(row: Row) -> None:
    path, key, convert, tolerance = row
    found = _read(load_scenario(LIBRARY).scenario, path)
    assert found > 0
    rows = _rows()
    if rows is not None:
        assert found == pytest.approx(convert(rows[key]["value"]), rel=tolerance, abs=0)


def _within(mean: float, sigma: float, limit: float) -> float:
    """Return the mean of those lognormal amounts that are no more than a limit."""
    mu = math.log(mean) - sigma**2 / 2
    below = NormalDist(mu, sigma).cdf(math.log(limit))
    return mean * NormalDist(mu + sigma**2, sigma).cdf(math.log(limit)) / below


@pytest.mark.parametrize(
    ("name", "file", "limit", "published"),
    [
        ("domestic_khr", "cambodia-2025", 200_000_000, 285.9e12 / 771.2e6),
        ("domestic_usd", "cambodia-2025", 50_000, 152.8e9 / 554.5e6),
        ("khr", "cambodia-2022", 200_000_000, 4.34e12 / (10.24e6 * 68.97 / 201.24)),
        ("usd", "cambodia-2022", 50_000, 4.76e9 / (10.24e6 * 132.27 / 201.24)),
    ],
)
def test_amounts_up_to_the_limit_have_the_published_mean(
    name: str, file: str, limit: float, published: float
) -> None:
    scenario = load_scenario(SCENARIOS / "library" / f"{file}.yaml").scenario
    mean = _read(scenario, f"demand.{name}.amount.mean") / 100
    assert _within(mean, 1.8, limit) == pytest.approx(published, rel=1e-4)
    assert mean != pytest.approx(published, rel=3e-3)
