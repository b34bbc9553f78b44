"""The queueing model against what is known exactly."""

from __future__ import annotations

import math

import pytest
from benchmarks.scale.model import Demand, Quota, highest_rate, mean_cpu_s, simulate, waiting_s

ALIKE = (Demand(1.0, 0.01),)
MIXED = (Demand(3, 0.01), Demand(1, 0.05))


def test_a_mix_is_weighted_whatever_its_shares_add_up_to() -> None:
    assert mean_cpu_s(MIXED) == pytest.approx(0.02)


def test_the_formula_is_that_of_pollaczek_and_khinchine() -> None:
    # M/D/1 at 80 %: rho / (2 (1 - rho)) service times; with exponential times twice that
    assert waiting_s(ALIKE, 80, 1.0) == pytest.approx(0.8 / (2 * 0.2) * 0.01)
    assert waiting_s((Demand(1, 0.01, 1.0),), 80, 1.0) == pytest.approx(0.8 / 0.2 * 0.01)
    assert waiting_s(ALIKE, 100, 1.0) == math.inf


@pytest.mark.parametrize("demands", [ALIKE, MIXED, (Demand(1, 0.01, 0.5),)])
def test_a_whole_processor_is_the_queue_of_the_books(demands: tuple[Demand, ...]) -> None:
    rate = 0.7 / mean_cpu_s(demands)
    told = simulate(demands, rate=rate, replicas=1, cpus=1.0, deadline_s=60, requests=200_000)
    assert told.mean_s == pytest.approx(mean_cpu_s(demands) + waiting_s(demands, rate, 1.0), rel=0.06)
    assert told.busy == pytest.approx(0.7, rel=0.03)
    assert told.refused == 0


@pytest.mark.parametrize(
    ("begun_s", "cpu_s", "done_s"),
    [
        (0.0, 0.03, 0.03),  # fits
        (0.0, 0.04, 0.04),  # just
        (0.0, 0.1, 0.22),  # 40 ms, 40 ms, and 20 ms of the third period
        (0.09, 0.03, 0.12),  # what is left of one period, then the next
        (0.25, 0.04, 0.29),
    ],
)
def test_a_share_of_a_processor_is_used_in_pieces(begun_s: float, cpu_s: float, done_s: float) -> None:
    assert Quota(0.4).finish(begun_s, cpu_s) == pytest.approx(done_s)


def test_what_was_used_of_a_period_is_used() -> None:
    quota = Quota(0.4)
    assert quota.finish(0.0, 0.03) == pytest.approx(0.03)
    assert quota.finish(0.05, 0.02) == pytest.approx(0.11)


def test_above_the_capacity_the_rest_is_refused_and_nobody_waits_longer_than_the_deadline() -> None:
    told = simulate(ALIKE, rate=160, replicas=2, cpus=0.4, deadline_s=1.0)
    assert told.refused == pytest.approx(0.5, abs=0.03)
    assert told.busy == pytest.approx(1.0, abs=0.02)
    assert told.p99_s < 1.1


def test_a_smaller_share_makes_the_same_load_slower() -> None:
    quick = simulate(ALIKE, rate=20, replicas=1, cpus=0.8)
    slow = simulate(ALIKE, rate=20, replicas=1, cpus=0.4)
    assert slow.p99_s > quick.p99_s


def test_the_highest_rate_holds_what_it_promises() -> None:
    rate = highest_rate(ALIKE, replicas=2, cpus=0.4, p99_s=0.2)
    assert 20 < rate < 80
    told = simulate(ALIKE, rate=rate, replicas=2, cpus=0.4)
    assert told.p99_s <= 0.2
    assert simulate(ALIKE, rate=1.1 * rate, replicas=2, cpus=0.4).p99_s > 0.2
