"""``payroute verify`` shows each verdict, and ends with 3 where one is not as it should be."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from sim.study.verify import verification
from sim.study.verify.figures import Verdict
from tests.unit.cli.queue import payroute

RIGHT = Verdict("by hand", "a payment", "1 paid", "1 paid", True)
WRONG = Verdict("by hand", "another", "1 paid", "2 paid", False)


def groups(monkeypatch: pytest.MonkeyPatch, *verdicts: Verdict) -> None:
    def found() -> Iterator[Verdict]:
        yield from verdicts

    monkeypatch.setattr(verification, "GROUPS", (found,))


def test_what_holds_ends_well(monkeypatch: pytest.MonkeyPatch) -> None:
    groups(monkeypatch, RIGHT)
    result = payroute("verify")
    assert result.exit_code == 0
    assert "all 1 checks passed" in result.stdout
    assert "checking by hand" in result.stderr


def test_what_does_not_hold_ends_with_three(monkeypatch: pytest.MonkeyPatch) -> None:
    groups(monkeypatch, RIGHT, WRONG)
    result = payroute("verify", "--json")
    assert result.exit_code == 3
    said = json.loads(result.stdout)
    assert said["ok"] is False
    assert [row["verdict"] for row in said["checks"]] == ["passed", "FAILED"]
    assert "1 checks failed, the first: another: expected 1 paid, found 2 paid" in result.stderr
