from __future__ import annotations

import pytest

from leafsight.inference import interleaved_ms, median_ratio, timing


def test_calls_take_turns_and_warm_up_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    order: list[str] = []

    def work(name: str, seconds: float) -> None:
        order.append(name)
        clock[0] += seconds if len(order) > 2 * timing.WARM_UP_ROUNDS else 100.0

    monkeypatch.setattr(timing, "perf_counter", lambda: clock[0])
    times = interleaved_ms({"a": lambda: work("a", 0.002), "b": lambda: work("b", 0.004)}, 5)
    assert order == ["a", "b"] * (5 + timing.WARM_UP_ROUNDS)
    assert times == {"a": [pytest.approx(2.0)] * 5, "b": [pytest.approx(4.0)] * 5}


def test_ratio_is_within_rounds() -> None:
    # The machine is three times slower in the second round and the ratio does not care.
    assert median_ratio([4.0, 12.0, 4.0], [2.0, 6.0, 2.0]) == 2.0
