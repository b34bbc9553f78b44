"""Class weights and the order of an epoch, against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leafsight.errors import TrainingError
from leafsight.training.balance import (
    BalanceOptions,
    class_counts,
    class_weights,
    epoch_order,
    sampling_weights,
)

LABELS = np.repeat([0, 1, 2], [80, 16, 4])
SAMPLINGS = ("natural", "weighted", "class_aware", "square_root")


def seen(sampling: str, epochs: int = 1, **options: float) -> np.ndarray:
    """How often each class is shown."""
    chosen = BalanceOptions.model_validate({"sampling": sampling, **options})
    orders = [epoch_order(LABELS, chosen, epoch, seed=5) for epoch in range(epochs)]
    return np.bincount(LABELS[np.concatenate(orders)], minlength=3) / epochs


def test_inverse_weights_make_all_classes_count_alike() -> None:
    weights = class_weights(LABELS, 3, BalanceOptions(weights="inverse"))
    assert weights * [80, 16, 4] == pytest.approx([100 / 3] * 3)


def test_exponent_goes_half_way() -> None:
    weights = class_weights(LABELS, 3, BalanceOptions(weights="inverse", exponent=0.5))
    assert weights[2] / weights[0] == pytest.approx(np.sqrt(20))


def test_effective_number_is_cuis() -> None:
    weights = class_weights(LABELS, 3, BalanceOptions(weights="effective", effective_beta=0.9))
    effective = [(1 - 0.9**n) / (1 - 0.9) for n in (80, 16, 4)]
    assert weights[1] / weights[0] == pytest.approx(effective[0] / effective[1], rel=1e-5)
    assert weights[2] / weights[1] == pytest.approx(effective[1] / effective[2], rel=1e-5)


@pytest.mark.parametrize("kind", ["inverse", "effective"])
def test_mean_weight_of_a_photograph_is_one_and_absent_classes_get_none(kind: str) -> None:
    weights = class_weights(LABELS, 5, BalanceOptions.model_validate({"weights": kind}))
    assert float(weights[LABELS].mean()) == pytest.approx(1, rel=1e-5)
    assert weights[3:].tolist() == [0, 0]
    assert weights.dtype == np.float32


def test_no_weights_are_ones() -> None:
    assert class_weights(LABELS, 4, BalanceOptions()).tolist() == [1, 1, 1, 1]


def test_natural_epoch_shows_everything_once() -> None:
    order = epoch_order(LABELS, BalanceOptions(), 3, 7)
    assert sorted(order.tolist()) == list(range(100))
    assert order.tolist() != list(range(100))


def test_class_aware_epoch_shows_classes_equally() -> None:
    assert seen("class_aware").tolist() == pytest.approx([33, 33, 33], abs=1)


def test_square_root_epoch_follows_the_root_of_the_size() -> None:
    roots = np.sqrt([80, 16, 4])
    assert seen("square_root", epochs=50) == pytest.approx(100 * roots / roots.sum(), abs=0.5)


def test_weighted_is_class_aware_at_one_and_natural_at_zero() -> None:
    assert seen("weighted", sampling_exponent=1.0, epochs=20) == pytest.approx([33.3] * 3, abs=0.5)
    assert seen("weighted", sampling_exponent=0.0).tolist() == [80, 16, 4]


def test_rare_photographs_are_repeated_evenly() -> None:
    order = epoch_order(LABELS, BalanceOptions(sampling="class_aware"), 0, 0)
    rare = np.bincount(order[LABELS[order] == 2], minlength=100)[96:]
    assert rare.max() - rare.min() <= 1


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_sampling_weights_sum_to_one_and_agree_with_the_epochs(sampling: str) -> None:
    options = BalanceOptions.model_validate({"sampling": sampling})
    weights = sampling_weights(LABELS, 3, options)
    assert float(weights.sum()) == pytest.approx(1)
    share = np.bincount(LABELS, weights=weights)
    assert seen(sampling, epochs=50) / 100 == pytest.approx(share, abs=0.01)


@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=60),
    st.sampled_from(SAMPLINGS),
    st.integers(0, 50),
    st.integers(0, 2**31),
)
def test_an_epoch_is_as_long_as_the_data_and_repeatable(
    labels: list[int], sampling: str, epoch: int, seed: int
) -> None:
    array, options = np.array(labels), BalanceOptions.model_validate({"sampling": sampling})
    order = epoch_order(array, options, epoch, seed)
    assert len(order) == len(labels)
    assert order.dtype == np.int64
    assert 0 <= order.min() <= order.max() < len(labels)
    assert np.array_equal(order, epoch_order(array, options, epoch, seed))


def test_epochs_and_seeds_differ() -> None:
    options = BalanceOptions(sampling="square_root")
    orders = {tuple(epoch_order(LABELS, options, e, s).tolist()) for e in range(3) for s in range(3)}
    assert len(orders) == 9


def test_the_order_is_the_same_on_any_machine() -> None:
    # NumPy promises the stream of PCG64; a change here would break exact resume of old runs.
    assert epoch_order(np.array([0, 0, 1, 1, 1]), BalanceOptions(), 2, 11).tolist() == [0, 3, 2, 4, 1]


@pytest.mark.parametrize("labels", [[], [0, 3], [-1, 0]])
def test_labels_outside_are_refused(labels: list[int]) -> None:
    with pytest.raises(TrainingError, match=r"labels must lie in 0\.\.2"):
        class_counts(np.array(labels, np.int64), 3)
