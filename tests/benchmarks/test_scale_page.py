"""docs/scale.md holds what was measured."""

from __future__ import annotations

import pytest
from benchmarks.scale.check import STUDY
from benchmarks.scale.page import HERE, PAGE, demands_said, made_blocks, put_into

SIZE = {
    "size": "12 MP", "weight": 1.0, "bytes": 2.5e6, "cpu_s": 0.08, "direct_cpu_s": 0.07, "lone_cpu_s": 0.09,
    "proxy_cpu_s": 0.01, "database_cpu_s": 0.002,
}  # fmt: skip
MEASURED = {
    "measured": "2026-01-01", "machine": "M", "photographs": "P", "sizes": [SIZE], "row_bytes": 5058.4,
    "answer_bytes": 3756, "kept_bytes": 645_097, "replica_bytes": 2**20,
} | {name: SIZE[name] for name in SIZE if name.endswith("cpu_s")}  # fmt: skip


@pytest.mark.skipif(
    not PAGE.exists() or not STUDY.exists() or not (HERE / "measured.json").exists(),
    reason="the study is not in the repository yet",
)
def test_the_page_is_that_of_the_measurements() -> None:
    told = PAGE.read_text()
    assert put_into(told, made_blocks()) == told, "python -m benchmarks.scale.page --into docs/scale.md"


def test_costs_are_in_milliseconds_and_the_mix_is_weighted() -> None:
    told = demands_said(MEASURED)
    assert "| 12 MP | 1 | 2500 | 80.0 | 70.0 | 90.0 | 10.0 | 2.0 |" in told
    assert "| the mix | 100 | 2500 | **80.0** | **70.0** | **90.0** | 10.0 | 2.0 |" in told
    assert "5,058 bytes with its indexes, an answer 3,756, a kept photograph 645 kB" in told


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    text = "a\n<!-- x -->\nold\n<!-- end of x -->\nb\n"
    assert put_into(text, {"x": "new\n"}) == "a\n<!-- x -->\nnew\n<!-- end of x -->\nb\n"
    with pytest.raises(ValueError, match="end of y"):
        put_into(text, {"y": "new\n"})
