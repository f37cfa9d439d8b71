"""KHQR: the code on the counter, who may pay it, and what reading it takes.

Takes the settings of the code and the institutions' shares; gives the sample of merchants, each a
real KHQR payload decoded once with the codec, and the stages of a scan. A static code lasts; a
dynamic one is its merchant's template plus amount and expiry, and the full text of any payment's
code can be asked for afterwards (:func:`code_of_payment`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from sim.contract.meaning import Cause, Op
from sim.model.defaults import assumed, cited
from sim.model.distributions import DurationDistribution
from sim.model.members import Member
from sim.model.quantities import (
    CurrencyCode,
    Flag,
    Name,
    PositiveCount,
    PositiveDurationUs,
    SharePpb,
)
from sim.qr import decode, encode, verify
from sim.rails.code_scheme import CodeScheme
from sim.rails.links import Joined, Link, joined_links
from sim.rails.merchants import MERCHANTS_MAX, Merchant, pick_weighted, uniform_of
from sim.rails.problems import beside
from sim.rails.protocol import Found, Rail, World
from sim.rails.registry import register_rail
from sim.rails.stages import Program, Stage, transit

_CITIES = ("Phnom Penh", "Siem Reap", "Battambang", "Sihanoukville", "Kampot", "Poipet")
_TRADES = ("Noodles", "Coffee", "Market", "Guesthouse", "Tuk Tuk", "Pharmacy", "Textiles", "Books")
_UNIONPAY_IIN = "47110116"
_OF_MADE_CODES = (
    "merchants",
    "static_share",
    "dynamic_life",
    "code_age",
    "currency_share",
    "unionpay_share",
    "individual_share",
    "joined",
)
"""Settings of codes that are made; codes given as text say all of this themselves."""
_NO_EXPIRY = frozenset({45})
"""Numbers of the problem of a dynamic code without expiry (:mod:`sim.qr.problems`)."""
_TIME_OF_SCAN = frozenset({46})
"""Expired is a matter of the time of scanning, everything else of the code itself."""


@register_rail
class KhqrRail(Rail):
    """The codes merchants show."""

    kind: Literal["khqr"]
    """Selects this kind of rail."""
    merchants: PositiveCount = assumed(2000, "a sample that stands for the population")
    """Merchants in the sample, each with a payload of its own; at most 10 000."""
    static_share: SharePpb = cited(700_000_000, "khqr.static_share_of_scans")
    """Share of scans of a static code; the others show amount and expiry."""
    dynamic_life: PositiveDurationUs = cited(600_000_000, "khqr.dynamic_life_max")
    """How long a dynamic code lives; what integrators advise, and no rule of the scheme."""
    code_age: DurationDistribution = assumed(
        {"lognormal": {"median": "20 s", "sigma": "0.8"}},
        "payer takes the phone out after the code is shown",
    )
    """Age of a dynamic code when it is scanned."""
    currency_share: dict[CurrencyCode, SharePpb] = assumed(
        {"KHR": "96 %", "USD": "4 %"}, "merchants with foreign visitors hold riel accounts"
    )
    """Share of merchants by the currency of the code; adds up to 100 %."""
    unionpay_share: SharePpb = assumed(300_000_000, "no figure published")
    """Share of riel merchants whose code carries a UnionPay account (tag 15)."""
    individual_share: SharePpb = assumed(600_000_000, "small vendors use personal accounts")
    """Share of codes of individuals (tag 29); the others are merchants (tag 30)."""
    damaged_share: SharePpb = cited(2_000_000, "assumptions.damaged_code_share")
    """Share of scans of a code that cannot be read (FF01)."""
    scan_time: DurationDistribution = cited(
        {"lognormal": {"median": "0.12 s", "sigma": "0.5"}},
        "latency_hops.client_to_psp_lognormal",
    )
    """From the camera to the payer's institution."""
    confirmation_time: DurationDistribution = cited(
        {"lognormal": {"median": "6 s", "sigma": "0.6"}}, "assumptions.payer_confirmation_lognormal"
    )
    """The payer reads the price and confirms."""
    notification_time: DurationDistribution = cited(
        {"lognormal": {"median": "0.12 s", "sigma": "0.5"}},
        "latency_hops.client_to_psp_lognormal",
    )
    """From the creditor's institution to the merchant's phone, and back to the payer's."""
    payloads: tuple[str, ...] = ()
    """Codes to use instead of generated ones, as scanned."""
    expiry_required: Flag | None = None
    """Whether apps refuse a dynamic code among `payloads` that carries no expiry (FF01); if not,
    it is paid and never expires. Absent: they refuse it, as the official kit does."""

    joined: dict[Name, Joined] = {}
    """Institutions whose merchants show such codes from a day of their own on; all others do from
    the start of the run."""

    @property
    def refuses_lasting(self) -> bool:
        """Return whether apps refuse dynamic codes without expiry."""
        return self.expiry_required is not False

    @property
    def code_scheme(self) -> CodeScheme:
        """Return itself: it is codes and carries no money."""
        return self

    def problems(self, world: World, name: str) -> Found:
        """Check the size of the sample and the shares of currencies."""
        if self.merchants > MERCHANTS_MAX:
            yield ("merchants",), f"found {self.merchants}; allowed: at most {MERCHANTS_MAX}"
        yield from beside(self, "payloads", _OF_MADE_CODES)
        if self.expiry_required is not None and not self.payloads:
            yield (
                ("expiry_required",),
                "found without 'payloads'; codes that are made all carry what they need",
            )
        total = sum(self.currency_share.values())
        if total != 10**9:
            yield (
                ("currency_share",),
                f"found shares adding up to {total / 10**7:g} %; allowed: 100 %",
            )

    def links(self) -> tuple[Link, ...]:
        """Return the institutions whose merchants show codes from a day of their own on."""
        return tuple(joined_links("", self.joined))

    def remarks(self) -> Found:
        """Yield how many codes given are dynamic and carry no expiry, and what comes of it."""
        count = sum(lacks_expiry(payload) for payload in self.payloads)
        if count:
            fate = (
                "apps refuse them (FF01), as the official kit does; with expiry_required: false "
                "they are paid"
                if self.refuses_lasting
                else "apps take them, and they never expire (expiry_required: false)"
            )
            codes = "1 dynamic code" if count == 1 else f"{count} dynamic codes"
            yield ("payloads",), f"{codes} without expiry, of {len(self.payloads)} codes: {fate}"

    def merchants_of(self, name: str, members: Sequence[Member]) -> tuple[Merchant, ...]:
        """Return the sample of payees with their codes, at the banks among some institutions."""
        banks = [
            (member.name, member.bakong_id, member.merchant_share)
            for member in members
            # The scheme is Cambodia's: a bank abroad holds no account a code here could name.
            if member.holds_money and member.entry.country == "KH"
        ]
        return generate_merchants(name, self, banks)

    def scan(self, name: str, *, target: str) -> Program:
        """Return the scan: the way to the payer's institution, then reading the code."""
        return (
            *transit(f"{name}.scan", self.scan_time),
            Stage(Op.CODE, f"{name}.read", target=target),
        )

    def confirmation(self, name: str) -> Program:
        """Return the human part: reading the price and confirming."""
        return transit(f"{name}.confirm", self.confirmation_time, cause=Cause.HUMAN)

    def notification(self, name: str) -> Program:
        """Return the message to the merchant's phone, or back to the payer's."""
        return transit(f"{name}.notify", self.notification_time)


def generate_merchants(
    rail_name: str, rail: KhqrRail, agents: Sequence[tuple[str, str, int]]
) -> tuple[Merchant, ...]:
    """Make the sample: encode each merchant's code, then read it back with the codec.

    Parameters
    ----------
    rail_name : str
        Enters the choice, so that two rails have different merchants.
    agents : sequence of (institution, Bakong id, share)
        Institutions that hold merchants' accounts, with integer weights.
    """
    # Codes a user gives are read as they are; nothing is made.
    if rail.payloads:
        known = {bakong_id: name for name, bakong_id, _ in agents}
        passed = _TIME_OF_SCAN if rail.refuses_lasting else _TIME_OF_SCAN | _NO_EXPIRY
        return tuple(read_merchant(payload, known, passed) for payload in rail.payloads)
    known = {bakong_id: name for name, bakong_id, _ in agents}
    # Without a share a bank has no merchants, though it may hold money.
    shares = [(bakong_id, share) for _, bakong_id, share in agents if share > 0]
    currencies = sorted(rail.currency_share.items())
    merchants = []
    for index in range(rail.merchants):
        # By rail, merchant and what is chosen: adding a choice changes no other one, and
        # neither seed nor replication enters, so that all runs of a scenario meet the same
        # merchants.
        def chance(what: str, index: int = index) -> float:
            return uniform_of(rail_name, index, what)

        bakong_id = pick_weighted(chance("agent"), shares)
        currency = pick_weighted(chance("currency"), currencies)
        is_individual = chance("kind") * 10**9 < rail.individual_share
        fields: dict[str, Any] = {
            "account_type": "individual" if is_individual else "merchant",
            "bakong_account_id": f"m{index:05d}@{bakong_id}",
            "merchant_name": f"{_TRADES[int(chance('trade') * len(_TRADES))]} {index:05d}",
            "merchant_city": _CITIES[int(chance("city") * len(_CITIES))],
            "currency": currency,
        }
        if not is_individual:
            fields |= {"merchant_id": f"{index:08d}", "acquiring_bank": bakong_id}
        # UnionPay pays riel accounts only (rule 44 of the official kit).
        if currency == "KHR" and chance("unionpay") * 10**9 < rail.unionpay_share:
            fields["union_pay_merchant"] = f"{_UNIONPAY_IIN}{_UNIONPAY_IIN}{index:015d}"
        merchants.append(read_merchant(encode(**fields), known))
    return tuple(merchants)


def lacks_expiry(payload: str) -> bool:
    """Tell whether a code is dynamic, carries no expiry, and has no other fault."""
    found = {problem.code for problem in verify(payload, now_ms=0)} - _TIME_OF_SCAN
    return found == _NO_EXPIRY


def read_merchant(
    payload: str, agents_by_id: dict[str, str], passed: frozenset[int] = _TIME_OF_SCAN
) -> Merchant:
    """Decode one code into a merchant; what cannot be read is damaged and pays nobody.

    Parameters
    ----------
    payload : str
    agents_by_id : dict of str to str
        Institutions by what follows '@' in the account ids of their customers.
    passed : frozenset of int
        Numbers of problems that apps do not mind.
    """
    code = decode(payload)
    fields = code.fields
    agent = agents_by_id.get(fields.get("bakong_account_id", "").rpartition("@")[2], "")
    currency = {"116": "KHR", "840": "USD"}.get(fields.get("transaction_currency", ""), "")
    expiry = fields.get("expiration_timestamp", "")
    structure = [problem for problem in verify(payload, now_ms=0) if problem.code not in passed]
    is_damaged = bool(structure) or not code.decode_ok
    # Only a dynamic code expires.
    has_expiry = fields.get("point_of_initiation_method") == "12" and expiry.isdecimal()
    return Merchant(
        payload=payload,
        agent=agent,
        currency=currency,
        schemes=tuple(code.schemes),
        is_damaged=is_damaged,
        expires_ms=int(expiry) if has_expiry and not is_damaged else None,
    )


def code_of_payment(merchant: Merchant, amount: str, *, created_ms: int, expires_ms: int) -> str:
    """Return the full text of the dynamic code one payment scanned.

    Parameters
    ----------
    merchant : Merchant
        Its static code is the template.
    amount : str
        Amount as a KHQR code writes it, in the merchant's currency.
    created_ms, expires_ms : int
        Unix milliseconds.
    """
    fields = dict(decode(merchant.payload).fields)
    kept = {
        "bakong_account_id",
        "merchant_name",
        "merchant_city",
        "merchant_id",
        "acquiring_bank",
        "account_information",
        "union_pay_merchant",
        "merchant_category_code",
    }
    inputs: dict[str, Any] = {name: text for name, text in fields.items() if name in kept}
    inputs["account_type"] = fields["merchant_type"]
    inputs["currency"] = merchant.currency
    return encode(**inputs, amount=amount, created_ms=created_ms, expires_ms=expires_ms)
