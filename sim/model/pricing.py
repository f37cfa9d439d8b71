"""Prices as a scenario writes them: what is charged, by whom, and who bears it.

Takes mappings such as ``{component: mdr, proportional: 0.6 %, maximum: 4 USD}``; gives frozen
:class:`Fee` models in exact integers. The arithmetic that charges a fee belongs to the engines.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from fractions import Fraction

from pydantic import model_validator

from sim.model.base import FieldPath, FieldProblemsError, Model
from sim.model.quantities import PPM, FeePpm, MoneyAmount, Name


class ChargeBearer(StrEnum):
    """Side that pays a fee (ISO 20022 charge bearer)."""

    DEBTOR = "debtor"
    """The payer (DEBT)."""

    CREDITOR = "creditor"
    """The merchant or other payee (CRED)."""


class FeeTier(Model):
    """Price of one range of amounts; the whole amount is priced by the tier it falls into."""

    up_to: MoneyAmount | None = None
    """Largest amount of this tier, included; left out in the last tier only."""

    fixed: MoneyAmount | None = None
    """Amount charged per payment in this tier."""

    proportional: FeePpm = 0
    """Share of the whole amount charged in this tier."""

    def words(self) -> str:
        """Return the range and its price in words."""
        head = f"up to {self.up_to}" if self.up_to is not None else "above"
        parts = [str(self.fixed)] if self.fixed is not None else []
        if self.proportional:
            parts.append(_per_cent(self.proportional))
        return f"{head} {' + '.join(parts) or 'nothing'}"


class Surcharge(Model):
    """Share of the whole amount, charged once it is large."""

    above: MoneyAmount
    """Largest amount still free of the surcharge."""

    proportional: FeePpm
    """Share of the whole amount charged above that."""


class Fee(Model):
    """One component of the price of a payment."""

    component: Name
    """Name under which the fee is reported; the components of a payment add up to its price."""

    recipient: Name | None = None
    """Institution or rail operator that earns the fee; left out, the operator of the rail."""

    bearer: ChargeBearer = ChargeBearer.DEBTOR
    """Who pays the fee."""

    fixed: MoneyAmount | None = None
    """Amount charged per payment."""

    proportional: FeePpm | None = None
    """Share of the amount charged."""

    tiered: tuple[FeeTier, ...] | None = None
    """Price by range of amounts, smallest first; the last tier has no 'up_to'."""

    surcharge: Surcharge | None = None
    """Share of the whole amount, charged only above a threshold."""

    minimum: MoneyAmount | None = None
    """Least that is charged per payment, where anything is."""

    maximum: MoneyAmount | None = None
    """Most that is charged per payment."""

    @model_validator(mode="after")
    def _check(self) -> Fee:
        problems = [*self._check_kind(), *self._check_tiers(), *self._check_bounds()]
        problems.extend(self._check_currencies())
        if problems:
            raise FieldProblemsError(problems)
        return self

    @property
    def kind(self) -> str:
        """Return which of the four ways of charging this is."""
        return self._kinds()[0]

    @property
    def currency(self) -> str | None:
        """Return the currency of the fee's own amounts; None when it has none."""
        return next((money.currency for _, money in self.amounts()), None)

    def row(self) -> dict[str, int]:
        """Return the columns of a fee row that the price itself decides, in minor units and ppm.

        Columns are those of :class:`~sim.contract.layout.FeeColumn` in lower case; bounds that are
        absent are -1.
        """
        found = {"minimum": _minor(self.minimum, -1), "maximum": _minor(self.maximum, -1)}
        # The same order and rounding as money/pricing.py, for explain; floor of a share, then
        # bounds, then the granule.
        if self.fixed is not None:
            found["fixed"] = self.fixed.amount_minor
        if self.proportional is not None:
            found["ppm"] = self.proportional
        if self.surcharge is not None:
            found["threshold"] = self.surcharge.above.amount_minor
            found["ppm"] = self.surcharge.proportional
        return found

    def tier_rows(self) -> tuple[tuple[int, int, int], ...]:
        """Return (up to, fixed, ppm) of every tier; the last one, without end, is up to -1."""
        return tuple(
            (_minor(tier.up_to, -1), _minor(tier.fixed, 0), tier.proportional)
            for tier in self.tiered or ()
        )

    def charge(self, base_minor: int, *, granule: int) -> int:
        """Return what a payment is charged, in minor units.

        Parameters
        ----------
        base_minor : int
            The debited amount, or the credited one before fees, as the bearer is.
        granule : int
            Step to which a fee is rounded down.
        """
        if self.fixed is not None:
            amount = self.fixed.amount_minor
        elif self.proportional is not None:
            amount = base_minor * self.proportional // PPM
        elif self.surcharge is not None:
            is_free = base_minor <= self.surcharge.above.amount_minor
            amount = 0 if is_free else base_minor * self.surcharge.proportional // PPM
        else:
            _, fixed, ppm = next(
                row for row in self.tier_rows() if row[0] < 0 or base_minor <= row[0]
            )
            amount = fixed + base_minor * ppm // PPM
        # A surcharge that is not due has no least amount either.
        if amount or self.surcharge is None:
            amount = max(amount, _minor(self.minimum, amount))
        amount = min(amount, _minor(self.maximum, amount))
        return amount - amount % granule

    def largest(self, base_minor: Fraction | int) -> Fraction:
        """Return a bound on the charge of every payment up to an amount, in minor units."""
        rows = self.tier_rows() or ((-1, _minor(self.fixed, 0), self.row().get("ppm", 0)),)
        # Tiers may fall with the amount, so the dearest of them counts.
        charged = [fixed + Fraction(base_minor) * ppm / PPM for _, fixed, ppm in rows]
        amount = max(*charged, Fraction(_minor(self.minimum, 0)))
        return amount if self.maximum is None else min(amount, Fraction(self.maximum.amount_minor))

    def words(self, of: str = "") -> str:
        """Return what is charged, in words: of which amount, within which bounds."""
        sided = "debited amount" if self.bearer is ChargeBearer.DEBTOR else "credited amount"
        base = of or sided
        if self.fixed is not None:
            text = str(self.fixed)
        elif self.proportional is not None:
            text = f"{_per_cent(self.proportional)} of the {base}"
        elif self.surcharge is not None:
            part = _per_cent(self.surcharge.proportional)
            text = f"{part} of the {base} where it is above {self.surcharge.above}"
        else:
            text = f"by {base}: {', '.join(tier.words() for tier in self.tiered or ())}"
        if self.minimum is not None:
            text += f", at least {self.minimum}"
        if self.maximum is not None:
            text += f", at most {self.maximum}"
        return text

    def _kinds(self) -> list[str]:
        names = ("fixed", "proportional", "tiered", "surcharge")
        return [name for name in names if getattr(self, name) is not None]

    def amounts(self) -> Iterator[tuple[FieldPath, MoneyAmount]]:
        """Yield every amount of money the fee is written with, and its path."""
        named: list[tuple[FieldPath, MoneyAmount | None]] = [(("fixed",), self.fixed)]
        for position, tier in enumerate(self.tiered or ()):
            named.append((("tiered", position, "up_to"), tier.up_to))
            named.append((("tiered", position, "fixed"), tier.fixed))
        if self.surcharge is not None:
            named.append((("surcharge", "above"), self.surcharge.above))
        named += [(("minimum",), self.minimum), (("maximum",), self.maximum)]
        for path, money in named:
            if money is not None:
                yield path, money

    def _check_kind(self) -> Iterator[tuple[FieldPath, str]]:
        kinds = self._kinds()
        # Two ways of charging at once would need an order between them.
        if len(kinds) != 1:
            found = " and ".join(kinds) or "no price"
            hint = f" (an inherited one is deleted with '{kinds[0]}: null')" if kinds else ""
            allowed = "exactly one of fixed, proportional, tiered, surcharge"
            yield (), f"found {found}; allowed: {allowed}{hint}"

    def _check_tiers(self) -> Iterator[tuple[FieldPath, str]]:
        tiers = self.tiered
        if tiers is None:
            return
        if not tiers:
            yield ("tiered",), "found an empty list; allowed: at least one tier"
        previous = -1
        for position, tier in enumerate(tiers):
            here: FieldPath = ("tiered", position)
            is_last = position == len(tiers) - 1
            if (
                tier.fixed is None
                and tier.proportional == 0
                and "proportional" not in (tier.model_fields_set)
            ):
                yield here, "missing; needed: fixed, proportional, or both"
            if is_last and tier.up_to is not None:
                # An amount above the last tier would have no price at all.
                yield (*here, "up_to"), f"found '{tier.up_to}'; allowed: no limit in the last tier"
            if not is_last and tier.up_to is None:
                yield here, "missing; needed: up_to, in every tier but the last"
            if tier.up_to is not None:
                # Tiers that do not rise would never be reached.
                if tier.up_to.amount_minor <= previous:
                    yield (
                        (*here, "up_to"),
                        f"found '{tier.up_to}'; allowed: more than the tier before",
                    )
                previous = tier.up_to.amount_minor

    def _check_bounds(self) -> Iterator[tuple[FieldPath, str]]:
        # A fixed amount has nothing to be bounded.
        if self.fixed is not None and (self.minimum or self.maximum):
            name = "minimum" if self.minimum else "maximum"
            yield (name,), f"found '{getattr(self, name)}'; allowed: no bounds beside 'fixed'"
        low, high = self.minimum, self.maximum
        if low and high and low.currency == high.currency and low.amount_minor > high.amount_minor:
            yield ("minimum",), f"found '{low}'; allowed: at most the maximum, '{high}'"

    def _check_currencies(self) -> Iterator[tuple[FieldPath, str]]:
        first = self.currency
        for path, money in self.amounts():
            # One fee, one currency: there is no rate to compare two by.
            if money.currency != first:
                yield path, f"found '{money}'; allowed: {first}, as the fee's first amount"


def _minor(money: MoneyAmount | None, absent: int) -> int:
    return absent if money is None else money.amount_minor


def _per_cent(ppm: int) -> str:
    """Write a share in per cent, without needless digits."""
    text = f"{ppm / 10_000:.6f}".rstrip("0").rstrip(".")
    return f"{text} %"
