"""A dynamic code without an expiry: refused by apps that follow the official kit, or paid.

Every instant was worked out by hand (see ``test_minimal_by_hand``): the payment of the minimal
scenario, once with a code that carries an amount and no expiry.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.compiler.compile import compile_scenario
from sim.errors import ScenarioError
from sim.explain.plan import explain_plan
from sim.scenario.scenario import load_scenario
from tests.theory.driver import MINIMAL, load_text, run

STATIC = "00020101021129120008sok@rivr5204599953031165802KH5911Sok Noodles6010Phnom Penh6304E465"
LASTING = (
    "00020101021229120008sok@rivr520459995303116540460005802KH5911Sok Noodles6010Phnom Penh630459C9"
)
"""The same code, dynamic (12 in tag 01) over 6 000 riel (tag 54), without tag 99."""
TEXT = f"""
scenario: lasting
extends: MINIMAL
rails: {{khqr: {{payloads: [{LASTING}, {STATIC}] REQUIRED}}}}
demand: {{inbound: null, outbound: null}}
"""


def _text(required: str = "") -> str:
    return TEXT.replace(" REQUIRED", f", expiry_required: {required}" if required else "")


@pytest.mark.parametrize("required", ["", "true"])
def test_by_default_apps_refuse_it(tmp_path: Path, engine: str, required: str) -> None:
    ran = run(load_text(tmp_path, _text(required)), engine)
    # Submitted at 2.1; the scan takes 0.1 s.
    assert ran.ended("domestic") == (2_200_000, "REJECTED", "FF01")


def test_where_it_is_accepted_it_is_paid_like_any_other(tmp_path: Path, engine: str) -> None:
    ran = run(load_text(tmp_path, _text("false")), engine)
    # Scanned by 2.2, authorised (0.2) and priced at 2.4, confirmed 3 s later: at 5.4 the round of
    # 5.4 has begun. The next idle one is at 8.4 and commits at 8.7; the payee's core takes 0.2 s.
    record = ran.record("domestic")
    assert (record["settled_us"], record["credited_us"]) == (8_700_000, 8_900_000)
    assert ran.ended("domestic")[1:] == ("COMPLETED", "NONE")


@pytest.mark.parametrize(
    ("required", "words"),
    [
        ("true", "apps refuse them (FF01), as the official kit does"),
        ("false", "apps take them, and they never expire (expiry_required: false)"),
    ],
)
def test_how_many_there_are_is_told(tmp_path: Path, required: str, words: str) -> None:
    compiled = compile_scenario(load_text(tmp_path, _text(required)))
    ((path, message),) = compiled.remarks
    assert path == ("rails", "khqr", "payloads")
    assert message.startswith("1 dynamic code without expiry, of 2 codes: ")
    assert words in message
    assert message in " ".join(explain_plan(compiled).split())
    # None of the minimal scenario's own codes is one.
    assert compile_scenario(load_scenario(MINIMAL)).remarks == ()


def test_it_says_nothing_of_codes_that_are_made(tmp_path: Path) -> None:
    text = _text("false").replace(f"payloads: [{LASTING}, {STATIC}]", "payloads: null")
    with pytest.raises(ScenarioError, match="found without 'payloads'"):
        load_text(tmp_path, text)
