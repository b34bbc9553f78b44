"""The arithmetic of a plan for so many photographs a day."""

from __future__ import annotations

from typing import Any

import pytest
from benchmarks.scale.model import simulate
from benchmarks.scale.plan import Wanted, demands_of, make_plan, monthly_costs, tables

MEASURED: dict[str, Any] = {
    "sizes": [
        {"size": "small", "weight": 3, "cpu_s": 0.01, "spread": 0.1, "bytes": 100_000},
        {"size": "large", "weight": 1, "cpu_s": 0.05, "spread": 0.1, "bytes": 500_000},
    ],
    "replica_bytes": 300e6,
    "database_cpu_s": 0.002,
    "proxy_cpu_s": 0.001,
    "row_bytes": 10_000,
    "kept_bytes": 200_000,
    "answer_bytes": 5_000,
}
PRICES = {
    "ec2-c7i-2xlarge": {"usd": 0.4, "per": "hour"},
    "rds-gp3": {"usd": 0.2, "per": "GB and month"},
    "s3-storage": {"usd": 0.02, "per": "GB and month"},
    "aws-egress": {"usd": 0.1, "per": "GB"},
}
WANTED = Wanted(per_day=864_000, peak=2.0, spare=0.5, kept=0.5, keep_days=10, keep_photo_days=20)


def test_rates_rows_and_bytes_follow_from_the_day() -> None:
    plan = make_plan(MEASURED, WANTED)
    assert (plan.mean_rate, plan.peak_rate) == (pytest.approx(10), pytest.approx(20))
    assert plan.rows == 8_640_000
    assert plan.rows_gb == pytest.approx(86.4)
    assert plan.photographs_gb == pytest.approx(864_000 * 0.5 * 20 * 200_000 / 1e9)
    assert plan.ingress_gb_day == pytest.approx(864_000 * 200_000 / 1e9)
    assert plan.ingress_mbit_s == pytest.approx(20 * 200_000 * 8 / 1e6)
    assert plan.egress_gb_day == pytest.approx(4.32)
    assert (plan.database_processors, plan.proxy_processors) == (pytest.approx(0.04), pytest.approx(0.02))


def test_the_replicas_hold_the_peak_even_without_the_spare_ones() -> None:
    plan = make_plan(MEASURED, WANTED)
    needed = round(plan.replicas / 1.5)
    told = simulate(demands_of(MEASURED), rate=plan.peak_rate, replicas=needed, cpus=1.0)
    assert told.p99_s <= WANTED.p99_s
    assert told.refused < 0.002


def test_following_the_load_is_cheaper_and_the_rest_is_price_times_amount() -> None:
    plan = make_plan(MEASURED, WANTED)
    costs = monthly_costs(plan, PRICES, WANTED)
    assert costs["processors of the service, standing for the peak"] == pytest.approx(
        plan.processors * 720 * 0.05
    )
    assert costs["the same, following the load"] < costs["processors of the service, standing for the peak"]
    assert costs["rows of the database on disk"] == pytest.approx(86.4 * 0.2)
    assert costs["answers to the internet"] == pytest.approx(4.32 * 30 * 0.1)


def test_the_tables_hold_ten_times_as_much_beside_it() -> None:
    told = tables(MEASURED, PRICES, WANTED)
    assert "| rows of predictions in the end | 8,640,000 | 86,400,000 |" in told
    assert told.count("| 864,000 a day | 8,640,000 a day |") == 2
