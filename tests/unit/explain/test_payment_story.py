"""Stories of payments whose instants are worked out elsewhere: orders, refunds, doubt, open ends.

Scenarios and their times are those of ``tests/theory/test_shops.py`` and ``test_doubt.py``.
"""

from __future__ import annotations

from pathlib import Path

from sim.explain.payment import tell_payment
from sim.study.run import run_scenario
from tests.theory.driver import MINIMAL
from tests.theory.test_doubt import GWLATE
from tests.theory.test_shops import LATE, SHOP


def _told(folder: Path, text: str, payment: int, *changes: str) -> str:
    path = folder / "story.yaml"
    path.write_text(text.replace("extends: MINIMAL", f"extends: {MINIMAL}"), encoding="utf-8")
    out = folder / "out"
    if not out.exists():
        run_scenario(path, engine="reference", record="events", out=out, overrides=changes)
    return " ".join(tell_payment(out, payment).split())


def _shop(**words: str) -> str:
    text = SHOP
    for word, found in words.items():
        text = text.replace(word, found)
    return text


def test_an_order_is_told_from_its_beginning_to_its_release(tmp_path: Path) -> None:
    # One unit: ordered at 0 s, paid at 45 and seen with the fifth poll at 62; the second order
    # finds none left.
    text = _shop(
        STOCK="1", DECIDES="45 s", POLLS="life: 10 min",
        PAYMENTS="[{at: 0 s, amount: 1000}, {at: 1 s, amount: 1000}]",
    )  # fmt: skip
    first = _told(tmp_path, text, 0)
    assert "ordered orders/lotus.order at lotus, 0 left, for 10 min" in first
    assert " by lotus, 17 s after the credit, asked about 5 times" in first
    assert "It took 45 s:" in first
    second = _told(tmp_path, text, 1)
    assert "Outcome: not payable: OUT_OF_STOCK" in second
    assert "It ended before a route was chosen." in second
    assert "No money moved for good." in second


def test_an_order_that_expires_is_told(tmp_path: Path) -> None:
    text = _shop(
        STOCK="1", DECIDES="30 s", POLLS="life: 10 s", PAYMENTS="[{at: 0 s, amount: 1000}]"
    )
    told = _told(tmp_path, text, 0)
    # Asked at 2 and 6 s; at 10 s it expires, and at 30 s its code has.
    assert "order_exp" in told or "order expired" in told
    assert " at lotus, asked about 2 times, 1 left" in told
    assert "AEXR" in told


def test_what_goes_back_is_told_with_its_part(tmp_path: Path) -> None:
    # Expired at 15 s, credited at 17.9, ended at 18 and paid back 30 s later.
    text = LATE.replace("LIFE", "13 s").replace("EXTENDS", str(MINIMAL))
    told = _told(tmp_path, text, 0)
    assert "Order at lotus: expired, asked about 2 times" in told
    assert " part 1, in 30 s" in told
    assert " part 1 " in told.partition(" part 1, in 30 s")[2]


def test_a_doubt_is_told_while_it_lasts_and_when_it_ends(tmp_path: Path) -> None:
    # In doubt from 848.7 s on, known at 1 209.1 s: 360.4 s.
    ended = _told(tmp_path, GWLATE, 0)
    assert "await" in ended
    assert " at most" in ended
    assert "after 360.4 s in doubt" in ended
    (tmp_path / "open").mkdir()
    still = _told(tmp_path / "open", GWLATE, 0, "clock.horizon=20 min")
    assert "It was still open at the horizon; time so far:" in still
    assert "in_doubt 351.3 s" in still
