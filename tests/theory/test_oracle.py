"""Hold the theory to hand calculation, to special cases in closed form and to second methods."""

from __future__ import annotations

import math

import pytest

from tests.theory.oracle import (
    bulk_wait,
    bulk_wait_by_roots,
    bulk_wait_by_walk,
    erlang_c,
    lognormal_order_mean,
    mg1_wait,
    mmc_wait,
    mmck_loss,
    mmck_wait,
)

BULKS = [(9.0, 0.8, 8), (9.0, 0.8, 9), (9.18, 0.8, 8), (5.0, 0.8, 8), (1.7, 1.0, 2), (1.0, 0.9, 1)]
"""Payments per second, interval, limit; loads from 0.5 to 0.92."""


def test_erlang_c_is_what_pencil_and_paper_say() -> None:
    # Offered a = 2.4: the weights a^n/n! of 0, 1, 2 are 1, 2.4, 2.88, sum 6.28; that of waiting is
    # (13.824 / 6) x 1 / (1 - 0.8) = 11.52. C = 11.52 / 17.8 = 0.6472; the wait C / (3 - 2.4).
    assert erlang_c(2.4, 3) == pytest.approx(11.52 / 17.8)
    assert mmc_wait(2.4, 1.0, 3) == pytest.approx(1.0787, abs=5e-5)


@pytest.mark.parametrize("load", [0.1, 0.5, 0.8, 0.95])
def test_one_server_is_the_special_case_of_many_and_of_any_service(load: float) -> None:
    closed = load * load / (1 - load)
    assert mmc_wait(1.0, load, 1) == pytest.approx(closed)
    assert mg1_wait(1.0, load, 2 * load**2) == pytest.approx(closed)


def test_places_are_erlang_b_where_nobody_waits_and_erlang_c_where_all_may() -> None:
    # Erlang's B for a = 2.2, c = 2: 2.42 / (1 + 2.2 + 2.42).
    assert mmck_loss(2.2, 1.0, 2, 2) == pytest.approx(2.42 / 5.62)
    assert mmck_wait(2.2, 1.0, 2, 2) == 0.0
    # One server, K places: (1 - r) r^K / (1 - r^(K + 1)).
    assert mmck_loss(0.8, 1.0, 1, 5) == pytest.approx(0.2 * 0.8**5 / (1 - 0.8**6))
    assert mmck_loss(2.4, 1.0, 3, 400) < 1e-30
    assert mmck_wait(2.4, 1.0, 3, 400) == pytest.approx(mmc_wait(2.4, 1.0, 3))


@pytest.mark.slow
@pytest.mark.parametrize(("rate", "interval", "limit"), BULKS)
def test_service_in_bulk_has_one_wait_by_three_methods(
    rate: float, interval: float, limit: int
) -> None:
    wait = bulk_wait(rate, interval, limit)
    assert bulk_wait_by_roots(rate, interval, limit) == pytest.approx(wait, rel=1e-9)
    assert bulk_wait_by_walk(rate, interval, limit) == pytest.approx(wait, rel=1e-9)
    # A thousandth more payments is another queue for each.
    for other in (bulk_wait_by_roots, bulk_wait_by_walk):
        assert other(rate * 1.001, interval, limit) != pytest.approx(wait, rel=1e-5)


@pytest.mark.parametrize("load", [0.1, 0.5, 0.9])
def test_a_bulk_of_one_is_a_slot_of_time_division(load: float) -> None:
    # One payment per interval T: T / (2 (1 - load)), the wait for one's slot in time-division
    # multiplexing (Bertsekas and Gallager, Data Networks, 1992, section 3.5.1).
    interval = 0.8
    closed = interval / (2 * (1 - load))
    for wait in (bulk_wait, bulk_wait_by_roots, bulk_wait_by_walk):
        assert wait(load / interval, interval, 1) == pytest.approx(closed, rel=1e-9)


def test_a_bulk_that_takes_all_keeps_everybody_for_half_an_interval() -> None:
    # 1500 places for 1200 +- 35 payments.
    assert bulk_wait_by_walk(1500.0, 0.8, 1500) == pytest.approx(0.4)


def test_order_means_of_lognormal_numbers_add_up() -> None:
    # The smallest, ..., greatest of three together are the mean of three.
    means = [lognormal_order_mean(0.15, 0.5, rank=rank, of=3) for rank in (1, 2, 3)]
    assert means == sorted(means)
    assert sum(means) == pytest.approx(3 * 0.15 * math.exp(0.125), rel=1e-3)
    # The greater of two: 2 mean Phi(sigma / sqrt 2), from E max = E|X - Y| / 2 + mean.
    share = 0.5 * (1 + math.erf(0.5 / 2))
    greater = 2 * 0.15 * math.exp(0.125) * share
    assert lognormal_order_mean(0.15, 0.5, rank=2, of=2) == pytest.approx(greater, rel=1e-3)
