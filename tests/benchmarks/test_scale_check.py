"""The model held against a study: which loads are compared, and what is said of the errors."""

from __future__ import annotations

from typing import Any

import pytest
from benchmarks.scale.check import Compared, compare, in_words, table
from benchmarks.scale.model import Answer

MEASURED = {
    "speed_mb_s": 100.0,
    "sizes": [
        {"weight": 3, "cpu_s": 0.02, "direct_cpu_s": 0.01, "spread": 0.1},
        {"weight": 1, "cpu_s": 0.10, "direct_cpu_s": 0.05, "spread": 0.1},
    ],
}


def row(**changed: Any) -> dict[str, Any]:
    quantiles = {name: {"value": value} for name, value in {"p50": 20.0, "p95": 100.0, "p99": 200.0}.items()}
    return {
        "setup": "1 x built-in, direct", "rate_per_s": 5.0, "proxy": False, "model": "built-in",
        "replicas": 1,
        "offered_per_s": {"mean": 5.2}, "cpus_allowed_each": 0.4, "cpus_used_each": 0.1,
        "latency_ms": quantiles, "refused_share": 0.0, "speed_mb_s": None,
    } | changed  # fmt: skip


def test_only_arrivals_at_the_measured_model_are_compared() -> None:
    others = [row(rate_per_s=0.0), row(model="fp32"), row(latency_ms=None)]
    [one] = compare(MEASURED, {"rows": [row(), *others]})
    assert one.rate == 5.2  # what came, not what was asked for
    assert one.busy == pytest.approx(0.25)
    assert one.model.busy == pytest.approx(5.2 * 0.02 / 0.4, rel=0.1)
    assert one.foretold_ms("p50") == pytest.approx(10, abs=1)


def test_behind_a_proxy_a_photograph_costs_what_it_costs_there() -> None:
    [one] = compare(MEASURED, {"rows": [row(proxy=True)]})
    assert one.model.busy == pytest.approx(5.2 * 0.04 / 0.4, rel=0.1)


def test_on_a_machine_that_was_slower_then_it_costs_more() -> None:
    [one] = compare(MEASURED, {"rows": [row(speed_mb_s=80.0)]})
    assert one.model.busy == pytest.approx(5.2 * 0.025 / 0.4, rel=0.1)


def compared(p50_s: float, busy: float, refused: float) -> Compared:
    told = Answer(p50_s=p50_s, p95_s=0.1, p99_s=0.2, mean_s=0.05, refused=refused, busy=busy)
    return Compared("1 x a", 5.0, told, {"p50": 20.0, "p95": 100.0, "p99": 250.0}, 0.1, 0.5)


def test_errors_have_a_sign_and_a_range() -> None:
    text = in_words([compared(0.022, 0.5, 0.1), compared(0.018, 0.6, 0.1), compared(9.0, 0.99, 0.3)])
    assert text.startswith("2 loads up to 85 % of the capacity: p50: +0 % at the median, -10 to +10 %")
    assert "p99: -20 % at the median, -20 to -20 %" in text
    assert "quota used: +10 % at the median, +0 to +20 %" in text
    assert text.endswith("1 loads above: refused +20.0 points on the mean, +20.0 to +20.0.")


def test_the_table_shows_both_beside_each_other() -> None:
    assert "| 1 x a | 5.0 | 22 / 20 | 100 / 100 | 200 / 250 | 10.0 / 10.0 % | 50 / 50 % |" in table(
        [compared(0.022, 0.5, 0.1)]
    )
