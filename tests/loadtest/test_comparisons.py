"""Saturation, scaling, proxy cost and capacity from results that are made up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.loadtest.making import add_cell, outcomes

from leafsight.loadtest import StudyFolder, results_of
from leafsight.loadtest.comparisons import capacity, peaks_by_round, proxy_cost, scaling
from leafsight.loadtest.pooling import is_carried, pooled_rows
from leafsight.loadtest.saturation import saturation_of
from leafsight.loadtest.setups import Load, SetUp, plan_setups


@pytest.fixture
def folder(tmp_path: Path) -> StudyFolder:
    one = StudyFolder(tmp_path)
    one.begin({}, resume=False)
    return one


def over(ok: int, refused: int) -> list[Any]:
    return [*outcomes(ok, took_s=0.05), *outcomes(refused, kind="refused", took_s=0.002, told="overload")]


def test_the_carried_rate_ends_where_the_first_is_not(folder: StudyFolder) -> None:
    one = SetUp(1)
    add_cell(folder, one, Load(5), outcomes(50))
    add_cell(folder, one, Load(10), outcomes(100))
    add_cell(folder, one, Load(20), over(120, 80), used=0.39, part={"throttled_share": 0.9})
    add_cell(folder, one, Load(40), over(118, 282), used=0.4)
    found = saturation_of(pooled_rows(folder))
    assert (found["carried_per_s"], found["over_per_s"]) == (10, 20)
    assert found["saturated"]
    assert found["peak_per_s"] == pytest.approx(12, abs=0.2)
    assert found["reasons"][0] == (
        "the processor quota of the replicas: 0.40 of 0.4 used, throttled in 90 % of periods"
    )


def test_a_failed_load_is_no_peak_and_no_carried_rate(folder: StudyFolder) -> None:
    """89.8 % failures are not linear scaling."""
    one = SetUp(1)
    add_cell(folder, one, Load(5), outcomes(50))
    add_cell(folder, one, Load(100), [*outcomes(102), *outcomes(898, kind="status 500", took_s=0.001)])
    found = saturation_of(pooled_rows(folder))
    assert found["carried_per_s"] == 5
    assert found["peak_per_s"] == pytest.approx(5, abs=0.11)
    assert any("89.8 % of requests (status 500 898)" in reason for reason in found["reasons"])
    assert ("built-in, direct", 1) in peaks_by_round(folder.cells())
    assert scaling(folder.cells())[0]["peak_per_s"] == pytest.approx(5, abs=0.11)


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        ({"part": {"memory_most_bytes": 511 * 2**20}}, "memory: 511 MiB of 512 MiB"),
        ({"part": {"ended": "killed for memory"}}, "parts that ended: replica 1 killed for memory"),
        ({"machine_busy": 0.99, "others_cpus": 0.7}, "other programs took up to 0.7"),
        ({"used": 0.1}, "not known: nothing that was measured was used up"),
        ({"counters": [{"leafsight_predictions_unrecorded_total": 3.0}]}, "3 answers could not be recorded"),
        (
            {
                "parts": [
                    {"name": "proxy", "role": "proxy", "cpus_allowed": 0.1, "cpus_used": 0.099, "ended": ""}
                ]
            },
            "the proxy: 0.10 of 0.1 processors used",
        ),
        (
            {
                "parts": [
                    {
                        "name": "database",
                        "role": "database",
                        "cpus_allowed": 0.0,
                        "cpus_used": 0.95,
                        "ended": "",
                    }
                ]
            },
            "the database: 0.95 of 1 processors used",
        ),
        ({"bound": "the generator was 99 ms late (p99)"}, "the generator, from 20 a second on"),
        (
            {"used": 0.95, "part": {"cpus_allowed": 0.0, "throttled_share": None}},
            "the one thread of each process",
        ),
    ],
)
def test_every_reason_has_its_rule(folder: StudyFolder, server: dict[str, Any], reason: str) -> None:
    add_cell(folder, SetUp(1), Load(5), outcomes(50))
    add_cell(folder, SetUp(1), Load(20), over(100, 100), **server)
    reasons = saturation_of(pooled_rows(folder))["reasons"]
    assert any(reason in one for one in reasons), reasons


def test_a_ladder_that_ended_too_early_says_so_and_scales_nothing(folder: StudyFolder) -> None:
    for count in (1, 2):
        add_cell(folder, SetUp(count), Load(5), outcomes(50))
    found = results_of(folder)
    assert [one["saturated"] for one in found["saturation"]] == [False, False]
    assert "ended before" in found["saturation"][0]["reasons"][0]
    assert found["scaling"] == []
    assert any("at least" in line for line in found["in_words"])


def test_efficiency_is_taken_within_rounds_and_has_its_spread(folder: StudyFolder) -> None:
    for repeat, (single, double) in enumerate([(100, 180), (50, 100)]):
        add_cell(folder, SetUp(1), Load(20), over(single, 50), repeat=repeat)
        add_cell(folder, SetUp(2), Load(40), over(double, 50), repeat=repeat)
    two = next(one for one in scaling(folder.cells()) if one["replicas"] == 2)
    assert two["efficiency"] == pytest.approx(0.95, abs=0.02)
    assert two["efficiency_rounds"] == pytest.approx([0.9, 1.0], abs=0.03)
    assert two["rounds"] == 2


def test_a_round_that_the_generator_spoiled_is_set_aside_but_its_failures_are_not(
    folder: StudyFolder,
) -> None:
    spoiled = [*outcomes(90, took_s=3.0), *outcomes(10, kind="timeout", took_s=10.0)]
    add_cell(folder, SetUp(1), Load(10), outcomes(100, took_s=0.1))
    add_cell(folder, SetUp(1), Load(10), spoiled, repeat=1, bound="late")
    row = pooled_rows(folder)[0]
    assert row["latency_ms"]["p99"]["value"] == 100
    assert row["generator_bound"] == ""
    assert row["rounds_set_aside"] == 1
    assert row["failed"] == 10
    assert row["is_failed"]
    assert not is_carried(row)


def test_latencies_of_rounds_are_put_together_from_all_requests(folder: StudyFolder) -> None:
    add_cell(folder, SetUp(1), Load(10), outcomes(1000, took_s=0.1))
    add_cell(folder, SetUp(1), Load(10), outcomes(1000, took_s=0.3), repeat=1)
    row = pooled_rows(folder)[0]
    assert row["latency_ms"]["p50"]["value"] == 100
    assert row["latency_ms"]["p95"]["value"] == 300
    assert row["latency_ms"]["p95"]["rounds"] == [100, 300]
    assert row["latency_ms"]["p99"]["interval"] == [300, 300]
    assert row["answered_per_s"]["low"] < row["answered_per_s"]["high"] + 1


def test_the_proxy_is_compared_at_the_same_rate_only(folder: StudyFolder) -> None:
    add_cell(folder, SetUp(1), Load(5), outcomes(50, took_s=0.1))
    add_cell(folder, SetUp(1, proxy=True), Load(5), outcomes(50, took_s=0.11))
    add_cell(folder, SetUp(1, proxy=True), Load(7), outcomes(70, took_s=9.0))
    found = proxy_cost(pooled_rows(folder))
    assert [one["p50_ms"] for one in found] == [[100, 110]]


def test_capacity_is_measured_or_marked(folder: StudyFolder) -> None:
    add_cell(folder, SetUp(1), Load(10), outcomes(100, took_s=0.1))
    add_cell(folder, SetUp(1), Load(20), over(100, 100))
    add_cell(folder, SetUp(2), Load(20), outcomes(200, took_s=0.3))
    found = {
        (one["rate_per_s"], one["p99_ms"]): (one["replicas"], one["extrapolated"])
        for one in capacity(pooled_rows(folder), rates=(5, 20, 100), limits_ms=(50, 200, 500))
    }
    assert found[5, 200] == (1, False)
    assert found[20, 500] == (2, False)
    assert found[20, 200] == (2, True)  # one was measured to carry 10 within 200 ms
    assert found[100, 500] == (10, True)
    assert found[5, 50] == (None, False)


def test_set_ups_are_what_the_comparisons_need_or_all() -> None:
    few = plan_setups([1, 2], ["built-in", "b.leafsight"], [False, True], cross=False)
    assert [one.name for one in few] == [
        "1 x built-in, direct", "2 x built-in, direct", "1 x built-in, proxy", "2 x built-in, proxy",
        "1 x b, direct", "2 x b, direct",
    ]  # fmt: skip
    assert len(plan_setups([1, 2], ["built-in", "b.leafsight"], [False, True], cross=True)) == 8
    assert len({one.slug for one in few}) == 6
