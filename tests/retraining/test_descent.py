"""L-BFGS against functions whose lowest point is known."""

from __future__ import annotations

import numpy as np

from leafsight.retraining.descent import descend


def bowl(axes: np.ndarray, lowest: np.ndarray):  # type: ignore[no-untyped-def]
    def slope(at: np.ndarray) -> tuple[float, np.ndarray]:
        away = at - lowest
        return float(0.5 * (axes * away * away).sum()), axes * away

    return slope


def test_a_stretched_bowl_is_found() -> None:
    lowest = np.linspace(-3, 3, 20)
    found = descend(bowl(np.geomspace(1, 1e4, 20), lowest), np.zeros(20), most_steps=500, tolerance=1e-9)
    assert found.settled
    np.testing.assert_allclose(found.at, lowest, atol=1e-2)


def test_a_curved_valley_is_found() -> None:
    def valley(at: np.ndarray) -> tuple[float, np.ndarray]:  # Rosenbrock 1960
        x, y = at
        return float((1 - x) ** 2 + 100 * (y - x * x) ** 2), np.array(
            [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)]
        )

    found = descend(valley, np.array([-1.2, 1.0]), most_steps=500, tolerance=1e-15)
    np.testing.assert_allclose(found.at, [1, 1], atol=1e-3)


def test_it_never_goes_up_and_ends_after_the_steps_that_it_may_take() -> None:
    values: list[float] = []
    inner = bowl(np.geomspace(1, 1e6, 30), np.ones(30))

    def watched(at: np.ndarray) -> tuple[float, np.ndarray]:
        values.append(inner(at)[0])
        return inner(at)

    found = descend(watched, np.zeros(30), most_steps=4)
    assert found.steps == 4
    assert not found.settled
    assert found.value <= values[0]


def test_at_the_lowest_point_it_stays() -> None:
    found = descend(bowl(np.ones(3), np.zeros(3)), np.zeros(3), most_steps=10)
    assert found.settled
    assert found.value == 0.0
