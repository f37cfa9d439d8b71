"""The pools of codes payees show, made and decoded once.

Takes a scenario; gives all merchants in one list and, per corridor, which of them are its payees.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.compiler.taking_part import Absences
from sim.model.base import FieldPath
from sim.model.members import Member
from sim.rails.code_scheme import CodeScheme
from sim.rails.foreign_code import KNOWN_SCHEMES, generate_foreign_codes
from sim.rails.merchants import Merchant
from sim.scenario.model import Scenario
from sim.units import currency_of


@dataclass(frozen=True, slots=True)
class Pools:
    """All merchants, and which of them are whose.

    Attributes
    ----------
    merchants : tuple of Merchant
    by_corridor : dict of str to tuple of int
        Indices of a corridor's payees.
    numbered : dict of str to range
        Indices of the codes a corridor's written payments count in, payable there or not: a list in
        which positions mean something never loses an entry.
    """

    merchants: tuple[Merchant, ...]
    by_corridor: dict[str, tuple[int, ...]]
    numbered: dict[str, range]


def make_pools(
    scenario: Scenario,
    members: tuple[Member, ...],
    problems: list[tuple[FieldPath, str]],
    absent: Absences,
) -> Pools:
    """Make every sample of codes a corridor needs, in the order of names."""
    merchants: list[Merchant] = []
    places: dict[str, range] = {}
    for name, rail in sorted(scenario.rails.items()):
        scheme = rail.code_scheme
        if scheme is not None:
            # Merchants of a bank that does not take part yet show no code.
            issuing = tuple(one for one in members if (name, "") not in absent.get(one.name, ()))
            places[name] = _extend(merchants, _home_codes(name, scheme, issuing, problems))
    by_corridor: dict[str, tuple[int, ...]] = {}
    numbered: dict[str, range] = {}
    for name, corridor in sorted(scenario.corridors.items()):
        if corridor.foreign_codes is not None:
            # Said here and not where the field is read, since the known schemes are those of
            # the codes' room.
            unknown = set(corridor.foreign_codes.schemes) - set(KNOWN_SCHEMES)
            if unknown:
                known = ", ".join(KNOWN_SCHEMES)
                place: FieldPath = ("corridors", name, "foreign_codes", "schemes")
                problems.append((place, f"unknown scheme {min(unknown)!r}; known: {known}"))
                continue
            codes = generate_foreign_codes(
                name,
                corridor.foreign_codes.merchants,
                corridor.foreign_codes.schemes,
                numeric=currency_of(corridor.to.currency).numeric,
                currency=corridor.to.currency,
                country=corridor.to.country,
                banks=[
                    (member.name, member.merchant_share)
                    for member in members
                    if member.merchant_share > 0 and member.entry.country == corridor.to.country
                ],
            )
            numbered[name] = _extend(merchants, codes)
            by_corridor[name] = tuple(numbered[name])
        elif corridor.codes is not None:
            pool = numbered[name] = places[corridor.codes]
            is_domestic = corridor.from_.country == corridor.to.country
            by_corridor[name] = tuple(
                index
                for index in pool
                # At home the payer meets the corridor's own currency, and codes nobody can read; a
                # visitor meets any code.
                if not is_domestic
                or merchants[index].is_damaged
                or merchants[index].currency == corridor.to.currency
            )
            if not by_corridor[name]:
                problems.append(
                    (
                        ("corridors", name, "codes"),
                        f"no merchant of {corridor.codes!r} can be paid here",
                    )
                )
    return Pools(tuple(merchants), by_corridor, numbered)


def _extend(merchants: list[Merchant], more: tuple[Merchant, ...]) -> range:
    first = len(merchants)
    merchants.extend(more)
    return range(first, len(merchants))


def _home_codes(
    name: str,
    scheme: CodeScheme,
    members: tuple[Member, ...],
    problems: list[tuple[FieldPath, str]],
) -> tuple[Merchant, ...]:
    # Codes are issued by banks at home; without any there is no sample to make.
    has_banks = any(
        member.merchant_share > 0 and member.entry.country == "KH" for member in members
    )
    if not has_banks and not scheme.payloads:
        path = ("rails", name)
        problems.append((path, "no institution has a merchant_share; needed: at least one above 0"))
        return ()
    found = scheme.merchants_of(name, members)
    for position, merchant in enumerate(found):
        # A code nobody can read has no account either, and is a test of just that.
        if not merchant.agent and not merchant.is_damaged:
            place: FieldPath = ("rails", name, "payloads", position)
            problems.append(
                (
                    place,
                    "found a code whose account lies with no bank of the scenario; needed: an "
                    "issuer or acquirer whose bakong_id is what follows '@' in the account id",
                )
            )
    return found
