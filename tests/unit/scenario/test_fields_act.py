"""Change every field of the schema, at every place where it stands, and look for what it does.

A value that is accepted changes what payments go through, or is told to change nothing, or is a
word that `explain` shows. What is changed follows from the types of the schema's fields, so a new
field is tested as soon as it stands in the scenario, and missed here where it does not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.compiler.compile import Compiled, compile_scenario
from sim.compiler.parts import Closure
from sim.compiler.reach import Reach
from sim.errors import ScenarioError
from sim.explain.plan import explain_plan
from sim.model.base import FieldPath
from sim.rails.resources import Holding, Station
from sim.scenario.model import scenario_model
from sim.scenario.scenario import LoadedScenario, load_scenario
from sim.study.compile_case import compiled_fingerprint
from sim.study.fuzz.field_changes import Place, changed_text, places, schema_fields, schema_leaves
from tests.theory.driver import ROOT

EVERY_FIELD = ROOT / "sim" / "study" / "fuzz" / "everything.yaml"

WORDS = {
    "Scenario.scenario",
    "Scenario.question",
    "Scenario.answer",
    "DeclaredCurrency.name",
    "Institution.name",
    "Institution.country",
    "Institution.roles",
    "Account.at",
    "Direction.live_from",
    "Joined.live_from",
    "Joined.hypothetical",
    "Direction.hypothetical",
    "FastPaymentRail.operator",
    "HubRail.operator",
    "HubRail.live_from",
    "HubRail.hypothetical",
    "CardRail.operator",
    "CardRail.live_from",
    "CardRail.hypothetical",
    "EcnyRail.operator",
    "LinkDirection.hypothetical",
    "LinkDirection.live_from",
    "BakongRail.operator",
    "WalletGatewayRail.operator",
    "GenericRail.operator",
    "RtgsRail.operator",
}
"""Fields that may name things for the reader: `explain` shows them, whatever else they do."""

ONE_VALUE = {
    "BakongRail.fee",
    "BakongRail.kind",
    "Corridor.routes",
    "CardRail.kind",
    "CorrespondentRail.kind",
    "EcnyRail.kind",
    "FastPaymentRail.kind",
    "HubRail.kind",
    "GenericRail.kind",
    "KhqrRail.kind",
    "RtgsRail.kind",
    "WalletGatewayRail.kind",
}
"""Fields that allow one word only (a kind of rail has other fields than the next)."""


IMPLIED = {"WalletGatewayRail.needs_creditor_currency", "Demand.channel"}
"""A scheme's rule that no corridor of a valid scenario can break: with another currency at its end
there is no route, which is refused; and a word for what a stream is, every other of which is
refused. Written or not, payments go the same ways."""

OTHERS_REFUSED = {
    "Account.currency",
    "Account.owner",
    "BakongRail.currencies",
    "CardRail.currencies",
    "CorrespondentBank.cut_off",
    "CorrespondentBank.opens",
    "CorrespondentRail.chains",
    "ProviderQuote.closed",
    "RateFile.digest",
    "RateFile.file",
    "EcnyRail.currency",
    "EcnyRail.partner",
    "EcnyRail.tier",
    "FastPaymentRail.country",
    "FastPaymentRail.currency",
    "FastPaymentRail.sponsor",
    "HubRail.access_banks",
    "RtgsRail.currencies",
    "Disruption.calendars",
    "Disruption.degradation",
    "Disruption.fx_jump",
    "Disruption.surge",
    "SettlementAgentTerms.share",
    "Trace.digest",
    "ShopPolls.rail",
    "Trace.file",
    "Trace.replication",
    "Trace.stream",
}
"""Fields that cannot change alone: others say whose an account is and in which money, who a partner
is, in which country, which hours follow each other, or which station of a rail is meant; of what
else is slowed there is another part, and no other stream or rate here can be multiplied; rows of a
trace and of a course of rates change with their files (`tests/unit/compiler/test_traces.py`,
`test_rate_files.py`); no country has a holiday on the day of this run, so that another calendar for
a closure or a margin is told to change nothing (`tests/theory/test_disruptions.py` and
`test_spreads.py` have one); the shares of agents add up to a whole, and are changed together in
`tests/theory/test_fail_over.py`."""


def _symbols(compiled: Compiled) -> str:
    """Return a digest of everything a payment can reach, and of what payments there are."""
    reach = compiled.reach
    state = hashlib.blake2b(digest_size=12)
    for part in compiled.parts:
        if _is_reached(part, reach):
            state.update(repr(part).encode())
    plan = compiled.plan
    state.update(repr((plan.horizon_us, plan.warm_up_us, plan.sample_interval_us)).encode())
    state.update(repr((plan.fx_step_us, plan.day_offset_us, plan.seed)).encode())
    state.update(repr(compiled.merchants).encode())
    for demand in compiled.demands:
        state.update(repr([getattr(demand, name) for name in demand.__slots__]).encode())
    return state.hexdigest()


def _is_reached(part: object, reach: Reach) -> bool:
    if isinstance(part, Station):
        return part.name in reach.stations
    if isinstance(part, Holding):
        return part.name in reach.accounts
    if isinstance(part, Closure):
        return part.station in reach.stations
    return True


def _said(text: str) -> str:
    """Return what `explain` says but for the list of assumptions, which names every value."""
    before, _, after = text.partition("\nAssumptions\n")
    return before + after.partition("\nNumbers in the event log\n")[2]


class _Trial:
    """One scenario in which fields are changed."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.loaded = load_scenario(path)
        self._file = folder / "changed.yaml"
        self._before = self._effect(self.loaded)
        compiled = compile_scenario(self.loaded)
        self._text, self._notes = _said(explain_plan(compiled)), compiled.notes

    def _effect(self, loaded: LoadedScenario) -> tuple[str, str]:
        return self._pair(compile_scenario(loaded))

    def _pair(self, compiled: Compiled) -> tuple[str, str]:
        # What a code says beyond its bank, its currency and its schemes reaches no plan; the code
        # itself is what a payment shows.
        codes = hash(tuple(merchant.payload for merchant in compiled.merchants))
        return _symbols(compiled), f"{compiled_fingerprint(compiled)}:{codes}"

    def outcomes(self, place: Place) -> Iterator[str]:
        """Yield what became of other values at a place, up to the first that does something."""
        for other in place.others:
            self._file.write_text(changed_text(self.loaded, place, other), encoding="utf-8")
            try:
                loaded = load_scenario(self._file)
                compiled = compile_scenario(loaded)
            except ScenarioError:
                yield "refused"
                continue
            if loaded.scenario == self.loaded.scenario:
                continue
            pairs = zip(self._before, self._pair(compiled), strict=True)
            if all(before != after for before, after in pairs):
                yield "acts"
                return
            # What was taken out is spoken of where it stood.
            part = other.get("__without__") if isinstance(other, dict) else None
            path = place.path if part is None else (*place.path, part)
            is_out = other is None or part is not None
            if any(_covers(one, path) for one, _ in (self._notes if is_out else compiled.notes)):
                yield "noted"
                return
            if place.name in WORDS and _said(explain_plan(compiled)) != self._text:
                yield "shown"
                return
            yield f"nothing: {other!r}"


def _covers(note: FieldPath, path: FieldPath) -> bool:
    """Tell whether a note speaks of a place: of the field itself, or of what it belongs to."""
    written = tuple(map(str, path))
    said = tuple(map(str, note))
    return written[: len(said)] == said


SLICES = 48
"""Compiling the scenario of all fields once for each of its values takes minutes: a slice is always
looked at, all of them with --large."""


def _slice_of(field: str) -> int:
    """Return the slice of a field; one more field moves no other."""
    return int.from_bytes(hashlib.blake2b(field.encode(), digest_size=4).digest(), "big") % SLICES


def test_every_field_of_the_schema_stands_somewhere() -> None:
    seen = {place.name for place in places(load_scenario(EVERY_FIELD))}
    missing = schema_fields(scenario_model()) - seen
    assert not missing, f"stand nowhere in {EVERY_FIELD.name}: {sorted(missing)}"


@pytest.mark.slow
@pytest.mark.parametrize(
    "number", [3, *(pytest.param(n, marks=pytest.mark.large) for n in range(SLICES) if n != 3)]
)
def test_every_field_of_the_schema_acts_or_is_refused_or_told(tmp_path: Path, number: int) -> None:
    trial = _Trial(EVERY_FIELD, tmp_path)
    acted: set[str] = set()
    silent: list[str] = []
    for place in places(trial.loaded):
        if _slice_of(place.name) != number:
            continue
        found = list(trial.outcomes(place))
        if {"acts", "shown"} & set(found):
            acted.add(place.name)
        elif any(one.startswith("nothing") for one in found) and place.name not in IMPLIED:
            silent.append(f"{'.'.join(map(str, place.path))}: {found}")
    assert not silent, "\n".join(silent)
    # What only holds other fields acts through them.
    looked_at = {name for name in schema_leaves(scenario_model()) if _slice_of(name) == number}
    idle = looked_at - acted - ONE_VALUE - OTHERS_REFUSED - IMPLIED
    assert not idle, f"never seen to act: {sorted(idle)}"
