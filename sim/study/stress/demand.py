"""Scale the demand of a scenario to a load, held or rising.

Takes a scenario and the names of its demand; gives what load it is now, and the text of the same
scenario at another. A load is the mean number of payments per second the scaled demand leads to
expect in the window, whatever bursts are drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sim.errors import OptionError, UserError, suggest
from sim.model.steps import product_of_steps, write_multiple
from sim.scenario.loader import dump_resolved
from sim.scenario.scenario import LoadedScenario
from sim.study.compile_case import expected_payments, load_text
from sim.units import DAY_US, SECOND_US

WARM_UP_MIN_S = 60

Stairs = Sequence[tuple[int, int]]
"""Microseconds from the start, ascending, and the multiple of the load from then on in 10^-9."""


@dataclass(frozen=True, slots=True)
class ScaledClock:
    """How long a scaled scenario runs.

    Attributes
    ----------
    warm_up_s, window_s, tail_s : int
        Seconds before the measurement, of it, and after it.
    """

    warm_up_s: int
    window_s: int
    tail_s: int = 0

    @property
    def horizon_s(self) -> int:
        """Return the seconds from start to end."""
        return self.warm_up_s + self.window_s + self.tail_s


class ScaledDemand:
    """A scenario at any load.

    Parameters
    ----------
    loaded : LoadedScenario
        Unscaled.
    streams : tuple of str
        Demand that scales.
    window_s : int
        Seconds measured.

    Attributes
    ----------
    clock : ScaledClock
    base : float
        Payments per second of the scenario as it is, expected on average in the window.
    """

    def __init__(self, loaded: LoadedScenario, streams: tuple[str, ...], window_s: int) -> None:
        self._demand = loaded.scenario.demand
        self._profiles = tuple(loaded.scenario.profiles)
        self._streams = streams
        self._text = dump_resolved(loaded.document)
        warm_up_s = -(-loaded.scenario.clock.warm_up // SECOND_US)
        self.clock = ScaledClock(max(WARM_UP_MIN_S, warm_up_s), window_s)
        self._refuse_late_payments()
        self.base = self._base()

    def text(self, factor: float) -> str:
        """Return the scenario at so many times its own demand, held for the window."""
        return dump_resolved(
            load_text(self._text, [*self._timing(self.clock), *self._rates(factor)]).document
        )

    def rising_text(self, factor: float, stairs: Stairs, *, tail_s: int) -> str:
        """Return the scenario at so many times its own demand, times stairs on top of it.

        Parameters
        ----------
        factor : float
        stairs : sequence of (int, int)
            Multiplied with steps the demand has of its own.
        tail_s : int
            Seconds added after the window.
        """
        clock = ScaledClock(self.clock.warm_up_s, self.clock.window_s, tail_s)
        changes = [*self._timing(clock), *self._rates(factor)]
        for name in self._streams:
            own = self._demand[name].steps
            if own:
                # Entries of a mapping merge; those there are have to go first.
                changes.append(f"demand.{name}.steps=null")
            both = product_of_steps(tuple(sorted(own.items())), tuple(stairs))
            written = ", ".join(f"{at} us: {write_multiple(times)}" for at, times in both)
            changes.append(f"demand.{name}.steps={{{written}}}")
        return dump_resolved(load_text(self._text, changes).document)

    def _timing(self, clock: ScaledClock) -> list[str]:
        return [f"clock.warm_up={clock.warm_up_s} s", f"clock.horizon={clock.horizon_s} s"]

    def _rates(self, factor: float) -> list[str]:
        """Return the overrides of the rates, by the day, where six decimals are enough for all."""
        changes = []
        for name in self._streams:
            rate = self._demand[name].rate
            assert rate is not None
            per_day = rate.numerator * DAY_US / rate.denominator
            changes.append(f"demand.{name}.rate={per_day * factor:.6f} /day")
        return changes

    def _base(self) -> float:
        """Return the load of the scenario as it is.

        Raises
        ------
        UserError
            If nothing is expected in the window.
        """
        from sim.compiler.compile import compile_scenario

        even = [f"profiles.{name}.burst_sigma=0 %" for name in self._profiles]
        loaded = load_text(self._text, [*self._timing(self.clock), *even])
        compiled = compile_scenario(loaded, with_tables=False)
        ends = [compiled.plan.warm_up_us, compiled.plan.horizon_us]
        (total,) = expected_payments(compiled, ends, self._streams)
        if total <= 0:
            raise UserError(
                f"stress: no payment of {', '.join(self._streams)} is expected from "
                f"{self.clock.warm_up_s} s to {self.clock.horizon_s} s after clock.start; move "
                "clock.start, or name other demand with --stream"
            )
        return total / self.clock.window_s

    def _refuse_late_payments(self) -> None:
        """Refuse written payments a scaled run would end before."""
        for name, demand in self._demand.items():
            last_us = max((payment.at for payment in demand.payments or ()), default=0)
            if last_us >= self.clock.horizon_s * SECOND_US:
                needed = last_us // SECOND_US + 1 - self.clock.warm_up_s
                raise UserError(
                    f"stress: demand.{name} has a payment at {last_us / SECOND_US:g} s, after the "
                    f"{self.clock.horizon_s} s a load is run; allowed: --window {needed} or more"
                )


def choose_streams(loaded: LoadedScenario, named: Sequence[str]) -> tuple[str, ...]:
    """Return the demand that scales: the streams named, or all that have a rate.

    Raises
    ------
    UserError
        If a stream is unknown, has no rate or stops after a number of payments.
    """
    demand = loaded.scenario.demand
    for name in named:
        if name not in demand:
            raise OptionError(
                "stream",
                f"unknown stream {name!r}; known: {', '.join(demand)}.{suggest(name, demand)}",
            )
        if demand[name].rate is None:
            raise OptionError("stream", f"{name} is a written list; allowed: a stream with a rate")
        if demand[name].as_ == "load":
            raise OptionError(
                "stream",
                f"{name} is carried as load, of which no payment is measured; allowed: payments "
                f"one by one (--set demand.{name}.as=payments)",
            )
    chosen = tuple(dict.fromkeys(named)) or tuple(
        name for name in demand if demand[name].rate is not None and demand[name].as_ != "load"
    )
    if not chosen:
        raise UserError("stress: found no demand with a rate; nothing could be scaled")
    for name in chosen:
        if demand[name].count is not None:
            raise UserError(
                f"stress: demand.{name} stops after {demand[name].count:,} payments (count); "
                f"allowed: a load that goes on: take the count away with --set "
                f"demand.{name}.count=null, or name other demand with --stream"
            )
    return chosen
