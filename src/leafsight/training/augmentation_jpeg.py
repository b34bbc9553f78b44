"""The loss of a JPEG file without the file: block transform, rounding, back; halved chroma.

Enters and leaves: float pictures 0..255 on any device. It knows no entropy coding, which loses nothing.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

BLOCK = 8
# Annex K of ITU-T T.81, the tables that libjpeg scales by the quality.
LUMA = [
    [16, 11, 10, 16, 24, 40, 51, 61],
    [12, 12, 14, 19, 26, 58, 60, 55],
    [14, 13, 16, 24, 40, 57, 69, 56],
    [14, 17, 22, 29, 51, 87, 80, 62],
    [18, 22, 37, 56, 68, 109, 103, 77],
    [24, 35, 55, 64, 81, 104, 113, 92],
    [49, 64, 78, 87, 103, 121, 120, 101],
    [72, 92, 95, 98, 112, 100, 103, 99],
]
CHROMA = [
    [17, 18, 24, 47, 99, 99, 99, 99],
    [18, 21, 26, 66, 99, 99, 99, 99],
    [24, 26, 56, 99, 99, 99, 99, 99],
    [47, 66, 99, 99, 99, 99, 99, 99],
    *([[99] * 8] * 4),
]
# ITU-T T.871 (JFIF) without its offset of 128 on the chroma, which cancels.
TO_YCC = torch.tensor([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])


def _transform() -> Tensor:
    """The 64x64 matrix of the two-dimensional DCT-II of a flattened 8x8 block, orthonormal."""
    k, x = torch.arange(BLOCK)[:, None], torch.arange(BLOCK)
    line = torch.cos(math.pi * (2 * x + 1) * k / (2 * BLOCK)) * math.sqrt(2 / BLOCK)
    line[0] *= math.sqrt(0.5)
    return torch.kron(line, line)


def jpeg_round_trip(images: Tensor, quality: Tensor) -> Tensor:
    """Lose what JPEG with 4:2:0 chroma would lose.

    Args:
        images: float ``[n, 3, h, w]`` 0..255; any side, padded inside to a multiple of 16.
        quality: ``[n]``, 1..100, with libjpeg's meaning.

    Returns:
        Float ``[n, 3, h, w]``, not clamped.
    """
    height, width = images.shape[-2:]
    down, right = -height % (2 * BLOCK), -width % (2 * BLOCK)
    if down or right:
        images = F.pad(images, (0, right, 0, down), mode="replicate")
    matrix = TO_YCC.to(images.device)
    count, _, tall, wide = images.shape
    ycc = torch.matmul(matrix, images.reshape(count, 3, -1)).view(count, 3, tall, wide)
    luma = _quantise(ycc[:, :1] - 128, quality, LUMA) + 128
    chroma = _quantise(F.avg_pool2d(ycc[:, 1:], 2), quality, CHROMA)
    chroma = F.interpolate(chroma, scale_factor=2, mode="bilinear", align_corners=False)
    ycc = torch.cat([luma, chroma], 1).view(count, 3, -1)
    back = torch.matmul(torch.linalg.inv(TO_YCC).to(images.device), ycc)
    return back.view(count, 3, tall, wide)[:, :, :height, :width]


def quantisation(quality: Tensor, table: list[list[int]]) -> Tensor:
    """Step sizes ``[n, 64]`` for each quality ``[n]``, scaled as libjpeg does (``jpeg_quality_scaling``)."""
    quality = quality.clamp(1, 100)
    percent = torch.where(quality < 50, (5000 / quality).floor(), 200 - 2 * quality)
    steps = torch.tensor(table, dtype=torch.float32, device=quality.device).view(1, 64)
    return ((steps * percent[:, None] + 50) / 100).floor().clamp(1, 255)


def _quantise(planes: Tensor, quality: Tensor, table: list[list[int]]) -> Tensor:
    count, channels, height, width = planes.shape
    blocks = planes.reshape(count, channels, height // BLOCK, BLOCK, width // BLOCK, BLOCK)
    blocks = blocks.transpose(3, 4).reshape(count, -1, BLOCK * BLOCK)
    transform = _transform().to(planes.device)
    steps = quantisation(quality, table).unsqueeze(1)
    # Steps go into the small matrices, so the blocks are passed over three times only: in, round, back.
    coefficients = torch.matmul(blocks, transform.T / steps).round_()
    blocks = torch.matmul(coefficients, transform * steps.transpose(1, 2))
    blocks = blocks.view(count, channels, height // BLOCK, width // BLOCK, BLOCK, BLOCK)
    return blocks.transpose(3, 4).reshape(count, channels, height, width)
