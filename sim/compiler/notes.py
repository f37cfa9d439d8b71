"""What a scenario says that changes nothing in it: told, not refused.

Takes a scenario and what its payments can reach; gives (path, message) pairs. A file that extends
another may well inherit what it does not use, so this is no mistake; but whoever sets a price, an
outage or a bank and sees no difference has to be told why. Only what the file writes is spoken of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from sim.compiler.clearing import find_looks
from sim.compiler.disrupted import Place, owned_places, places_of
from sim.compiler.fx_notes import idle_fx
from sim.compiler.loads import LoadStream
from sim.compiler.occurrences import Occurrence
from sim.compiler.rate_files import rate_courses
from sim.compiler.reach import Reach
from sim.compiler.reconciliations import reconciliations
from sim.compiler.spread_notes import idle_spreads
from sim.compiler.taking_part import absent_remarks
from sim.compiler.windows import window_parts
from sim.contract.meaning import Policy
from sim.model.base import FieldPath
from sim.model.disruptions import Disruption
from sim.model.members import Member
from sim.model.quantities import CurrencyPair, write_duration
from sim.model.sections import Institution, Screening
from sim.rails.declines import by_hand_places
from sim.rails.protocol import Found
from sim.rails.resources import BlockLedger, Station
from sim.routing.candidates import Candidate
from sim.routing.policies import policy_of
from sim.scenario.closures import closed_spans
from sim.scenario.model import Scenario
from sim.scenario.routing_checks import routings
from sim.units import CURRENCIES

Note = tuple[FieldPath, str]


@dataclass(frozen=True, slots=True)
class Used:
    """What the compiled scenario makes use of.

    Attributes
    ----------
    scenario : Scenario
    members : tuple of Member
    reach : Reach
    places : tuple of Station or BlockLedger
        All of the plan.
    happened : tuple of Occurrence
    pairs : frozenset of CurrencyPair
        Mid rates some price was computed from.
    coded : frozenset of str
        Institutions with which the account of some code of a national scheme lies.
    choices : mapping of str to int
        Routes payments of each corridor have to choose from, at most.
    led : mapping of str to (frozenset of str, bool)
        Of corridors that name their rails: the rails their payments' routes use, and whether there
        were other routes if they named none.
    by_share : frozenset of str
        Institutions of payees that are drawn, or given codes, by their share.
    declared : frozenset of str
        Declared currencies that some amount or rate is in.
    loads : tuple of LoadStream
        Streams carried as load.
    made : frozenset of (str, str, str)
        Conversions of routes: provider, source and target currency.
    routes : tuple of Candidate
        All routes.
    """

    scenario: Scenario
    members: tuple[Member, ...]
    reach: Reach
    places: tuple[Place, ...]
    happened: tuple[Occurrence, ...]
    pairs: frozenset[CurrencyPair]
    coded: frozenset[str]
    choices: Mapping[str, int]
    led: Mapping[str, tuple[frozenset[str], bool]]
    by_share: frozenset[str]
    declared: frozenset[str] = frozenset()
    loads: tuple[LoadStream, ...] = ()
    made: frozenset[tuple[str, str, str]] = frozenset()
    routes: tuple[Candidate, ...] = ()

    def names_of(self, institution: str) -> frozenset[str]:
        """Return the institutions an entry stands for."""
        entry = self.scenario.institutions[institution]
        return frozenset(member.name for member in self.members if member.entry is entry)


def find_notes(used: Used) -> tuple[Note, ...]:
    """Return everything written that changes nothing, in the order in which sections stand."""
    return tuple((path, f"changes nothing: {why}") for look in _LOOKS for path, why in look(used))


def find_remarks(used: Used) -> tuple[Note, ...]:
    """Return what there is to know of what the file writes, though it acts."""
    rails = used.scenario.rails
    schemes = [(name, rails[name].code_scheme) for name in sorted(_used_rails(used))]
    of_codes = tuple(
        (("rails", name, *path), message)
        for name, scheme in schemes
        if scheme is not None
        for path, message in scheme.remarks()
    )
    of_codes = (*of_codes, *absent_remarks(used.scenario))
    return (*of_codes, *((("demand", load.name, "as"), load.remark) for load in used.loads))


def is_written(model: BaseModel, field: str) -> bool:
    """Tell whether the file says a field itself."""
    return field in model.model_fields_set


def _currencies(used: Used) -> Found:
    for code in used.scenario.currencies:
        if code in CURRENCIES:
            yield ("currencies", code), "it is built in, just so"
        elif code not in used.declared:
            yield ("currencies", code), "no account, payment or rate is in it"


def _rates(used: Used) -> Found:
    for pair in used.scenario.fx.mid:
        if pair not in used.pairs:
            yield ("fx", "mid", str(pair)), "no price needs this rate"
        elif used.scenario.fx.mid[pair].path is not None and not _acts(used.scenario, pair):
            yield ("fx", "mid", str(pair), "path"), "no row of it acts within the run (fx.step)"


def _acts(scenario: Scenario, pair: CurrencyPair) -> bool:
    """Say whether a row of a pair's file comes before the last step of the rates."""
    course = rate_courses(scenario, []).get(pair, ())
    step = scenario.fx.step
    return any(-(-at_us // step) * step < scenario.clock.horizon for at_us, _ in course)


def _market(used: Used) -> Found:
    yield from idle_fx(used.scenario, used.made)
    yield from idle_spreads(used.scenario, used.routes)


def _institutions(used: Used) -> Found:
    scenario, reach = used.scenario, used.reach
    # Whoever a rail in use names, by its own field or by default: its operator, its wallet.
    named = {
        value
        for key in _used_rails(used)
        for _, value in scenario.rails[key]
        if isinstance(value, str)
    }
    for name, entry in scenario.institutions.items():
        place: FieldPath = ("institutions", name)
        own = used.names_of(name)
        if not own & reach.agents and name not in named:
            yield place, "no payment comes from it, goes to it or passes through it"
            continue
        if is_written(entry, "core") and not {f"{one}.core" for one in own} & reach.stations:
            yield (*place, "core"), "no payment reaches its core system"
        desks = {f"{one}.screening" for one in own}
        if is_written(entry, "screening") and not desks & reach.stations:
            yield (*place, "screening"), "no payment passes its screening desk"
        else:
            yield from _screening((*place, "screening"), entry.screening)
        if is_written(entry, "decline") and not own & reach.debtor_agents:
            yield (*place, "decline"), "it has no payers"
        yield from _declines(used, (*place, "declines"), entry, own)
        if entry.payer_share and not own & reach.debtor_agents:
            yield (*place, "payer_share"), f"no stream draws payers in {entry.country}"
        if entry.merchant_share and not own & used.by_share:
            yield (*place, "merchant_share"), f"no stream draws payees in {entry.country}"
        if entry.bakong_id is not None and not own & used.coded:
            yield (*place, "bakong_id"), "no code names an account there"


def _screening(place: FieldPath, desk: Screening) -> Found:
    """Yield what of a desk its mode has no use for."""
    if desk.mode == "decline":
        for field in ("officers", "review_time", "refused_share"):
            if is_written(desk, field):
                yield (*place, field), "whoever hits is declined; nobody reviews"
    if desk.mode != "after" and desk.by_hand is not None:
        yield (*place, "by_hand"), "nothing is refused after the credit"


def _declines(used: Used, place: FieldPath, entry: Institution, own: frozenset[str]) -> Found:
    """Yield what of an institution's declines nobody meets."""
    declines, stations = entry.declines, used.reach.stations
    if declines.debit and not own & used.reach.debtor_agents:
        yield (*place, "debit"), "it has no payers"
    if declines.credit and not own & used.reach.creditor_agents:
        yield (*place, "credit"), "it has no payees"
    if declines.automatic is not None and not declines.credit:
        yield (*place, "automatic"), "it declines no credit"
    # A closed station of its own that some program names by role is reached by its payments.
    places = {name for one in own for name in by_hand_places(one)}
    if declines.by_hand is not None and not (declines.has_by_hand and places & stations):
        yield (*place, "by_hand"), "no reversal of its begins by hand"


def _used_rails(used: Used) -> set[str]:
    """Return the rails a route uses, and those whose codes a stream's payees show."""
    corridors = {demand.corridor for demand in used.scenario.demand.values()}
    codes = (used.scenario.corridors[name].codes for name in corridors)
    return {leg.rail for leg in used.reach.legs} | {name for name in codes if name is not None}


def _rails(used: Used) -> Found:
    scenario, running = used.scenario, _used_rails(used)
    tiers = {corridor.kyc_tier for corridor in scenario.corridors.values()}
    for name, rail in scenario.rails.items():
        if name not in running:
            yield ("rails", name), "no route uses this rail"
            continue
        legs = sorted(leg for leg in used.reach.legs if leg.rail == name)
        for path, why in rail.idle_settings(scenario, name, legs):
            yield ("rails", name, *path), why
        for tier in rail.kyc_tiers:
            if tier not in tiers:
                yield ("rails", name, "limits", tier), "no corridor names this KYC tier"


def _accounts(used: Used) -> Found:
    horizon = used.scenario.clock.horizon
    for name, account in used.scenario.accounts.items():
        place: FieldPath = ("accounts", name)
        if name not in used.reach.accounts:
            yield place, "no payment touches this account"
            continue
        if name in used.reach.later and account.when_short == "queue":
            yield (*place, "when_short"), "no payment is paid from this account"
        if name in used.reach.later and account.stop_below is not None:
            yield (*place, "stop_below"), "no payment is paid from this account"
        if account.overdraft_rate and not account.overdraft:
            yield (*place, "overdraft_rate"), "it has no overdraft"
        for key, deposit in account.deposits.items():
            if deposit.after >= horizon:
                yield (*place, "deposits", key), _too_late(deposit.after, horizon)
        if account.top_up is not None:
            arrivals = [arrives for _, arrives in find_looks(used.scenario, account.top_up)]
            if not arrivals:
                yield (*place, "top_up"), "it never looks within the run"
            elif min(arrivals) >= horizon:
                yield (*place, "top_up"), "nothing it orders arrives within the run"


def _routings(used: Used) -> Found:
    spares = False
    for place, routing in routings(used.scenario):
        spares = spares or routing.spare_reserves
        policy = policy_of(routing.policy)
        hears = routing.breaker is not None or policy in (Policy.ADAPTIVE, Policy.OWN)
        for field, acts, why in (
            ("second_is_worth", policy is Policy.WEIGHTED, "the policy is not weighted"),
            ("explore", policy is Policy.ADAPTIVE, "the policy is not adaptive"),
            ("failure_takes", policy is Policy.ADAPTIVE, "the policy is not adaptive"),
            ("news", hears, "nothing is learnt of attempts: no breaker, and not adaptive"),
            ("view_interval", len(place) == 1, "`routing.view_interval` holds everywhere"),
        ):
            if is_written(routing, field) and not acts:
                yield (*place, field), why
        own = place[1:2] or tuple(used.scenario.corridors)
        most = max((used.choices[str(name)] for name in own), default=0)
        if is_written(routing, "candidates") and 0 < most <= routing.candidates:
            yield (*place, "candidates"), f"no payment has more than {most} routes to choose from"
    for name, account in used.scenario.accounts.items():
        place = ("accounts", name, "reserve")
        if account.reserve is None:
            continue
        if not spares:
            yield place, "no routing has spare_reserves"
        elif name in used.reach.later:
            yield place, "no payment is paid from this account"


def _corridors(used: Used) -> Found:
    paid = {demand.corridor for demand in used.scenario.demand.values()}
    for name, corridor in used.scenario.corridors.items():
        place: FieldPath = ("corridors", name)
        if name not in paid:
            yield place, "no stream of demand uses this corridor"
            continue
        rails, is_led = used.led.get(name, (frozenset(), True))
        if not is_led:
            yield (*place, "rails"), "its payments would have the same routes if it named no rails"
            continue
        for number, rail in enumerate(corridor.rails or ()):
            if rail not in rails:
                yield (*place, "rails", number), f"no route of its payments uses {rail}"


def _profiles(used: Used) -> Found:
    followed = {demand.profile for demand in used.scenario.demand.values()}
    for name in used.scenario.profiles:
        if name not in followed:
            yield ("profiles", name), "no stream of demand follows this profile"


def _steps(used: Used) -> Found:
    horizon = used.scenario.clock.horizon
    for name, demand in used.scenario.demand.items():
        for after in sorted(demand.steps):
            if after >= horizon:
                where = ("demand", name, "steps", write_duration(after))
                yield where, _too_late(after, horizon)


def _disruptions(used: Used) -> Found:
    scenario, horizon = used.scenario, used.scenario.clock.horizon
    for name, one in sorted(scenario.disruptions.items()):
        happens = [found for found in used.happened if found.name == name]
        place: FieldPath = ("disruptions", name)
        # Where chance has it that nothing happens in this run, it may in another.
        if happens and all(found.start_us >= horizon for found in happens):
            yield place, _too_late(happens[0].start_us, horizon)
        elif one.kind == "closure" and not happens:
            yield place, "nothing is closed within the run"
        elif one.fx_jump is not None and one.fx_jump not in used.pairs:
            yield place, "no price needs this rate"
        elif one.fx_jump is not None and happens and _never_moves(scenario, happens[0]):
            yield place, "rates move next when the run is over (fx.step)"
        elif one.kind not in ("surge", "fx_jump"):
            whole = Occurrence(name, 0, 0, (one.target, *one.together))
            hit = places_of(scenario, used.members, whole, used.places)
            yield from _idle_places(used, place, hit)
            if one.role is not None and hit == owned_places(
                scenario, used.members, whole, used.places
            ):
                yield (*place, "role"), "whoever it hits has nothing else"
        if one.kind == "closure" and happens:
            yield from _idle_hours(scenario, one, place)


def _idle_hours(scenario: Scenario, closure: Disruption, place: FieldPath) -> Found:
    """Yield what of a closure's hours makes no difference within the run."""
    spans = closed_spans(scenario, closure)
    for field in ("calendars", "clock", "opens", "closes"):
        default = type(closure).model_fields[field].get_default(call_default_factory=True)
        # Copied without the checks: what is left may be no closure one could write.
        without = closure.model_copy(update={field: default})
        if is_written(closure, field) and closed_spans(scenario, without) == spans:
            yield (*place, field), "without it the same is closed within the run"


def _never_moves(scenario: Scenario, jump: Occurrence) -> bool:
    step = scenario.fx.step
    return -(-jump.start_us // step) * step >= scenario.clock.horizon


def _idle_places(used: Used, place: FieldPath, hit: Sequence[Place]) -> Found:
    """Yield why a disruption of places changes nothing: nobody comes there, or nothing to cut."""
    one = used.scenario.disruptions[str(place[1])]
    rails = _used_rails(used)
    visited = [
        found
        for found in hit
        if found.name in used.reach.stations
        or (isinstance(found, BlockLedger) and found.name.partition(".")[0] in rails)
    ]
    does = "slows" if one.kind == "degradation" else "closes"
    if not visited:
        names = sorted(found.name for found in hit)
        yield place, f"no payment visits what it {does}: {_some(names)}"
        return
    stations = [found for found in visited if isinstance(found, Station)]
    if one.times is not None and not stations:
        yield (*place, "times"), "a ledger has no service time; its capacity may be cut"
    bounded = len(stations) < len(visited) or any(
        found.servers is not None or found.rate_limit is not None for found in stations
    )
    if one.capacity is not None and not bounded:
        yield (*place, "capacity"), "what it slows has neither servers to count nor a rate limit"


def _windows(used: Used) -> Found:
    clock = used.scenario.clock
    for part in window_parts(used.scenario, used.happened):
        if not part.spans:
            yield (
                ("windows", part.name),
                f"nothing of it lies within what is measured, from {write_duration(clock.warm_up)} "
                f"to {write_duration(clock.horizon)} after the start",
            )


def _reconciliation(used: Used) -> Found:
    if is_written(used.scenario, "reconciliation") and not reconciliations(used.scenario, []):
        yield ("reconciliation",), "no books are compared within the run"


def _too_late(start_us: int, horizon_us: int) -> str:
    return (
        f"it begins {write_duration(start_us)} after the start, and the run ends after "
        f"{write_duration(horizon_us)}"
    )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


_LOOKS = (
    _currencies,
    _rates,
    _market,
    _institutions,
    _rails,
    _accounts,
    _routings,
    _corridors,
    _profiles,
    _steps,
    _disruptions,
    _windows,
    _reconciliation,
)


def note_lines(notes: Sequence[Note]) -> Iterator[str]:
    """Yield notes as lines of text, those that say the same of many places in one."""
    places: dict[str, list[str]] = {}
    for path, message in notes:
        places.setdefault(message, []).append(".".join(map(str, path)))
    for message, named in places.items():
        if len(named) == 1:
            yield f"{named[0]} {message}"
        else:
            verb, _, why = message.partition(" ")
            # "changes nothing" of one is "change nothing" of many; what is no such note keeps on.
            plural = verb.removesuffix("s") if verb == "changes" else verb
            yield f"{_some(named)} {plural} {why}"
