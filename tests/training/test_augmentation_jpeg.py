"""The loss of JPEG without a file, against Pillow's."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from leafsight.training.augmentation_jpeg import CHROMA, LUMA, jpeg_round_trip, quantisation


def smooth_picture(side_px: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    coarse = rng.uniform(0, 255, (8, 8, 3)).astype(np.uint8)
    picture = np.asarray(
        Image.fromarray(coarse).resize((side_px, side_px), Image.Resampling.BICUBIC), np.float32
    )
    return (picture + rng.normal(0, 8, picture.shape)).clip(0, 255).astype(np.uint8)


def as_batch(picture: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float()


@pytest.mark.parametrize("quality", [15, 40, 75, 95])
def test_quantisation_tables_are_those_of_libjpeg(quality: int) -> None:
    file = io.BytesIO()
    Image.fromarray(smooth_picture(32)).save(file, "JPEG", quality=quality, subsampling=2)
    tables = Image.open(file).quantization  # type: ignore[attr-defined]
    ours = [quantisation(torch.tensor([float(quality)]), table)[0].int().tolist() for table in (LUMA, CHROMA)]
    assert ours == [list(tables[0]), list(tables[1])]


@pytest.mark.parametrize("quality", [20, 50, 90])
def test_loss_is_close_to_a_real_file(quality: int) -> None:
    picture = smooth_picture(64)
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality, subsampling=2)
    real = as_batch(np.asarray(Image.open(file)))
    ours = jpeg_round_trip(as_batch(picture), torch.tensor([float(quality)])).clamp(0, 255)
    assert float((ours - real).abs().mean()) < 1.5
    # And it is a loss: the file is nearer to ours than to the original.
    assert float((ours - real).abs().mean()) < float((as_batch(picture) - real).abs().mean()) / 2


def test_each_picture_has_its_own_quality() -> None:
    pair = as_batch(smooth_picture(32)).repeat(2, 1, 1, 1)
    changed = jpeg_round_trip(pair, torch.tensor([10.0, 95.0]))
    loss = (changed - pair).square().mean((1, 2, 3))
    assert float(loss[0]) > 2 * float(loss[1])


def test_any_side_is_padded_and_cut_back() -> None:
    picture = torch.rand(1, 3, 37, 37) * 255
    assert jpeg_round_trip(picture, torch.tensor([90.0])).shape == (1, 3, 37, 37)
