"""What measures are computed from: one object per group of payments, place or account.

Takes what :mod:`sim.analysis.measures` and :mod:`sim.analysis.places` gather of a run; gives
:class:`Payments`, :class:`Place` and :class:`AccountUse`, whose figures the catalogue divides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from sim.contract.plan import Array
from sim.tables.durations import Between, Durations
from sim.tables.folding import BPS_SCALE, Tally
from sim.units import SECOND_US

QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}

Cells = tuple[int, ...]
"""Rows of a folder that belong to one group."""


def ratio(part: float, whole: float) -> float | None:
    """Return a quotient, None where there is nothing to divide by."""
    return None if whole == 0 else part / whole


def in_seconds(duration_us: Between | None) -> Between | None:
    """Return microseconds in seconds, None of None."""
    return None if duration_us is None else duration_us.over(SECOND_US)


def quantiles_us(durations: Durations) -> dict[str, Between | None]:
    """Return every quantile of some durations by name, None where no payment completed."""
    return {name: durations.quantile(share) for name, share in QUANTILES.items()}


@dataclass(frozen=True, slots=True)
class Cell:
    """The payments of one stream over one route, which have one price list.

    Attributes
    ----------
    tally : ndarray of int64, shape (TALLY_WIDTH,)
        See :class:`~sim.tables.folding.Tally`.
    debited, credited : Fraction or None
        What a minor unit of the currency debited, and of that credited, is worth at the mid rates
        of the start, in a currency all cells share; None where no rate leads there.
    """

    tally: Array
    debited: Fraction | None
    credited: Fraction | None


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount of money.

    Attributes
    ----------
    minor : int or None
        In minor units; None where it is not known.
    currency : str
        ISO 4217 letters.
    """

    minor: int | None
    currency: str


@dataclass(frozen=True, slots=True)
class Netting:
    """How far obligations cancel out.

    Attributes
    ----------
    ratio : float or None
        One less net over gross.
    peak : Amount
        Deepest debt of an obligor.
    """

    ratio: float | None
    peak: Amount


@dataclass(frozen=True, slots=True)
class Held:
    """Money that payers were debited and nobody was credited at the horizon.

    Attributes
    ----------
    amount : Amount
        Its sum.
    oldest_us : Between or None
        How long the oldest has been so; None where there is none.
    """

    amount: Amount
    oldest_us: Between | None


@dataclass(frozen=True, slots=True)
class Settled:
    """How what schemes owe agents was paid.

    Attributes
    ----------
    lag_s : float or None
        Mean time from the money's coming to a line to its receipt; None where nothing was received.
    unsettled : Amount
        Owed and not received at the horizon.
    claim : Amount
        Most that was owed on one line at any time.
    gain : Amount
        What the rate did to what agents were owed, revalued daily.
    """

    lag_s: float | None
    unsettled: Amount
    claim: Amount
    gain: Amount


@dataclass(frozen=True, slots=True)
class Refunded:
    """What of payments was paid back.

    Attributes
    ----------
    parts, refused, payments : int
        Parts paid, parts refused, payments of which a part was paid.
    amount : Amount
        Paid back in all.
    """

    parts: int
    refused: int
    payments: int
    amount: Amount


@dataclass(frozen=True, slots=True)
class Ordered:
    """What became of orders at shops.

    Attributes
    ----------
    orders, sold_out, released, expired, late, calls, throttled, seen_sum_us, seen_max_us, oversold
        See :class:`~sim.contract.shops.ShopTotal`.
    """

    orders: int
    sold_out: int
    released: int
    expired: int
    late: int
    calls: int
    throttled: int
    seen_sum_us: int
    seen_max_us: int
    oversold: int


@dataclass(frozen=True, slots=True)
class Breaks:
    """What books disagreed about when they were compared.

    Attributes
    ----------
    opened, resolved, standing : int
        Payments that were a break at all, those of them that were none at the last comparison, and
        those that were.
    oldest_us : int
        Longest time any stood at a comparison; 0: there was none.
    found : tuple of int
        Breaks at all comparisons, in the order of ``BREAK_AGES``.
    """

    opened: int
    resolved: int
    standing: int
    oldest_us: int
    found: tuple[int, ...]
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Payments:
    """What one run tells of a group of payments.

    Attributes
    ----------
    count : list of int
        Sums, see :class:`~sim.tables.folding.Tally`.
    window_s : float
        Seconds from the warm-up to the horizon.
    cells : tuple of Cell
        The parts summed, where they are known.
    whole : int
        Payments submitted of which these are a part.
    times_us : tuple of mappings
        Quantiles by name and ``max``, of the end-to-end time and of the machine time.
    censored_us : mapping of str to (Between or None)
        Quantiles of the end-to-end time in which open payments count.
    peak : int
        Most payments completed in one second.
    netting : Netting or None
        What obligors owe each other; None where nothing leaves an obligation.
    settled : Settled or None
        How what schemes owe was paid; None where no line is cleared.
    refunded : Refunded or None
        What the covered payments were paid back; None where nothing ever is.
    held : Held or None
        Money debited and not credited, of the payments the headline covers.
    placed : tuple of (Amount or None)
        What lies idle on accounts on the mean of time, what that costs, and what overdrafts cost.
    has_patience : bool
        Whether the patience of some payers of the run ends.
    breaks : Breaks or None
        What books disagreed about; None where they are never compared.
    ordered : Ordered or None
        What became of orders at all shops; None where there are none.
    """

    currency = ""

    count: list[int]
    window_s: float
    cells: tuple[Cell, ...] = ()
    whole: int = 0
    times_us: tuple[Mapping[str, Between | None], Mapping[str, Between | None]] = ({}, {})
    censored_us: Mapping[str, Between | None] = field(default_factory=dict)
    peak: int = 0
    netting: Netting | None = None
    settled: Settled | None = None
    refunded: Refunded | None = None
    held: Held | None = None
    placed: tuple[Amount | None, Amount | None, Amount | None] = (None, None, None)
    has_patience: bool = False
    breaks: Breaks | None = None
    ordered: Ordered | None = None

    @property
    def due(self) -> int:
        """Return payments of which it is known whether they succeed: not open and still in time.

        Whoever finds a shop sold out is shown nothing to pay, so that nothing can succeed or fail.
        """
        asked = self.count[Tally.SUBMITTED] - self.count[Tally.SOLD_OUT]
        return asked - self.count[Tally.OPEN_IN_TIME]

    def share_of_due(self, column: Tally) -> float | None:
        """Return one sum over the payments that are due."""
        return ratio(self.count[column], self.due)

    def share(self, column: Tally, whole: Tally = Tally.COMPLETED) -> float | None:
        """Return one sum over another."""
        return ratio(self.count[column], self.count[whole])

    def mean_s(self, total_us: int, over: Tally = Tally.COMPLETED) -> float | None:
        """Return a sum of durations over a number of payments, in seconds."""
        return ratio(total_us, self.count[over] * SECOND_US)

    def mean_bps(self, column: Tally, over: Tally = Tally.PRICED) -> float | None:
        """Return a sum of costs over the number of payments they are known of."""
        return ratio(self.count[column], self.count[over] * BPS_SCALE)

    def rate(self, column: Tally) -> float | None:
        """Return payments per second of the window."""
        return ratio(self.count[column], self.window_s)


@dataclass(frozen=True, slots=True)
class Place:
    """What one run tells of a station or a ledger.

    Attributes
    ----------
    window_us : int
        From the warm-up to the horizon.
    used, capacity : int
        Server time used and there; of a ledger, payments included and admitted at most, each times
        the interval of a round.
    queue_area, queue_max : int
        Payments waiting, summed over time, and at most.
    served, wait_sum_us : int
        Payments that began service or were included, and how long they waited.
    wait_p99_us : Between or None
        The wait that 99 % did not exceed.
    refused, blocks, rounds, block_capacity : int
        Payments turned away; blocks, rounds, and payments all blocks together could have held.
    load : (int, int, int) or None
        Of a ledger that carries load: how much of it blocks carried, and how much waited at most
        and at the horizon.
    """

    window_us: int
    used: int
    capacity: int
    queue_area: int
    queue_max: int
    served: int
    wait_sum_us: int
    wait_p99_us: Between | None
    refused: int = 0
    blocks: int = 0
    rounds: int = 0
    block_capacity: int = 0
    load: tuple[int, int, int] | None = None
    currency: str = ""

    @property
    def placed(self) -> int:
        """Return the places of blocks that payments and load took."""
        return self.served + (self.load[0] if self.load is not None else 0)


@dataclass(frozen=True, slots=True)
class SystemUse:
    """What one run tells of a large-value system in one currency, in minor units.

    Attributes
    ----------
    currency : str
        ISO 4217 letters.
    gross : int
        Sum of what members had to pay.
    lower, upper : int
        Bounds of liquidity; see :func:`~sim.analysis.systems.system_measures`.
    settled, waited, returned : int
        Parts of ``gross`` that settled, that had to wait, and that a close returned.
    """

    currency: str
    gross: int
    lower: int
    upper: int
    settled: int
    waited: int
    returned: int


@dataclass(frozen=True, slots=True)
class ProviderUse:
    """What one run tells of an FX provider whose positions are bounded.

    Attributes
    ----------
    currency : str
        In which its positions are added up.
    refused : int
        Payments it refused for want of position or room.
    peak : int or None
        Farthest a bounded position was from zero, either way, at the rates of the start; None where
        there is no rate.
    income : int or None
        Margins on its books at the end, at the rates of then.
    revaluation : int or None
        What its positions are worth at the end, less what those it opened with were at the start.
    """

    currency: str
    refused: int
    peak: int | None
    income: int | None
    revaluation: int | None


@dataclass(frozen=True, slots=True)
class AccountUse:
    """What one run tells of an account.

    Attributes
    ----------
    currency : str
        ISO 4217 letters.
    low, mean : int or None, float or None
        Lowest and mean balance in minor units; None of an account that is not watched.
    end : int
        Balance at the horizon.
    delayed, lost : int
        Payments that waited for money, and that were refused for want of it.
    missing : int
        Least it would have had to hold more so that nobody waited and nobody was refused.
    short_us : (int, int) or None
        First and last instant at which it was short; None: never.
    idle : float or None
        Mean of what lay on it, 0 while it was overdrawn; None of an account that is not watched.
    idle_cost, overdraft_cost : int or None
        What that and the overdraft cost, in minor units; None where no rate is given.
    alarms : (int, int or None) or None
        How many were raised, and when first (us); None of an account without an alarm.
    closings : (int, int or None, int) or None
        How often its channel closed, when first, and for how long in all (us); None of an account
        without a stop-loss.
    """

    currency: str
    low: int | None
    mean: float | None
    end: int
    delayed: int
    lost: int
    missing: int = 0
    short_us: tuple[int, int] | None = None
    idle: float | None = None
    idle_cost: int | None = None
    overdraft_cost: int | None = None
    alarms: tuple[int, int | None] | None = None
    closings: tuple[int, int | None, int] | None = None
