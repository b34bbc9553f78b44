"""Mixup and CutMix: pictures and targets must tell the same shares."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError

from leafsight.training.mixing import MixingOptions, mix_batch

COUNT, CLASSES = 64, 7


def mixed(options: MixingOptions, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Flat pictures coloured by their own class: the mean of a mix is the mean of its targets."""
    labels = torch.arange(COUNT) % CLASSES
    images = labels.float().view(-1, 1, 1, 1).expand(COUNT, 3, 16, 16).contiguous()
    return *mix_batch(images, labels, CLASSES, options, torch.Generator().manual_seed(seed)), labels


@pytest.mark.parametrize(
    "options",
    [
        MixingOptions(mixup_probability=1, mixup_alpha=1.0),
        MixingOptions(cutmix_probability=1),
        MixingOptions(mixup_probability=0.4, cutmix_probability=0.4),
    ],
)
def test_targets_are_the_shares_that_are_seen(options: MixingOptions) -> None:
    images, targets, _ = mixed(options)
    assert torch.allclose(targets.sum(1), torch.ones(COUNT), atol=1e-6)
    seen = images.mean((1, 2, 3))
    told = targets @ torch.arange(CLASSES).float()
    assert torch.allclose(seen, told, atol=1e-4)
    assert (targets.max(1).values < 0.999).float().mean() > 0.4


def test_nothing_is_mixed_by_default() -> None:
    images, targets, labels = mixed(MixingOptions())
    assert torch.equal(targets.argmax(1), labels)
    assert torch.equal(images[:, 0, 0, 0], labels.float())


def test_the_probability_is_the_share_that_is_mixed() -> None:
    shares = [
        float(
            (mixed(MixingOptions(mixup_probability=0.5, mixup_alpha=2), s)[1].max(1).values < 1)
            .float()
            .mean()
        )
        for s in range(20)
    ]
    # A partner of the same class (one in seven) leaves the target whole.
    assert sum(shares) / 20 == pytest.approx(0.5 * 6 / 7, abs=0.05)


def test_small_alpha_stays_near_one_picture_and_large_mixes_evenly() -> None:
    def uneven(alpha: float) -> float:
        targets = mixed(MixingOptions(mixup_probability=1, mixup_alpha=alpha))[1]
        return float(targets.max(1).values.mean())

    assert uneven(0.1) > 0.9
    assert uneven(20.0) < 0.7


def test_cutmix_pastes_one_rectangle() -> None:
    images, targets, labels = mixed(MixingOptions(cutmix_probability=1))
    foreign = images[:, 0] != labels.float().view(-1, 1, 1)
    rows, columns = foreign.any(2).sum(1), foreign.any(1).sum(1)
    assert torch.equal(rows * columns, foreign.sum((1, 2)))
    share = foreign.float().mean((1, 2))
    assert torch.allclose(1 - targets[torch.arange(COUNT), labels], share, atol=1e-6)


def test_seed_fixes_everything() -> None:
    options = MixingOptions(mixup_probability=0.5, cutmix_probability=0.5)
    assert torch.equal(mixed(options)[0], mixed(options)[0])
    assert not torch.equal(mixed(options)[0], mixed(options, seed=1)[0])


def test_probabilities_over_one_are_refused() -> None:
    with pytest.raises(ValidationError, match="at most 1"):
        MixingOptions(mixup_probability=0.7, cutmix_probability=0.6)
