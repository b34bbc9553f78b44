"""What a camera and a file do to a picture: softness, lost resolution, noise, JPEG, and covered parts.

Enters and leaves: float pictures 0..255. Every operation works on a random share of the batch, so its cost is
that share. It knows neither colours nor geometry.
"""

from __future__ import annotations

import math

import torch
from pydantic import Field
from torch import Tensor

from leafsight.training.augmentation_jpeg import jpeg_round_trip
from leafsight.training.draws import Draws, Options, PositiveRange, Probability, Range
from leafsight.training.resampling import apply_separable, blur_matrices, resolution_loss_matrices


class CameraOptions(Options):
    """The ranges of the camera; the defaults change nothing. Lengths are pixels of the network's side.

    Attributes:
        blur_probability: share of pictures that are blurred.
        blur_sigma_px: standard deviation along each axis on its own, so that some blur looks like motion.
        resolution_probability: share of pictures that lose resolution.
        resolution_factor: by how much they are reduced and enlarged again.
        noise_probability: share of pictures with sensor noise.
        noise: standard deviation in grey levels of light-independent noise; noise that grows with the light
            (shot noise) has the same size at mid-grey.
        jpeg_probability: share of pictures that are compressed once more.
        jpeg_quality: libjpeg's quality.
        erase_probability: share of pictures with a covered rectangle (Zhong 2020).
        erase_area: covered share of the picture.
        fourier_probability: share of pictures that take low-frequency amplitudes from another one of the
            batch (Yang 2020, FDA; Xu 2021, FACT).
        fourier_band: half width of the swapped band over the side.
        fourier_strength: share of the other picture's amplitude, uniform.
    """

    blur_probability: Probability = 0.0
    blur_sigma_px: Range = (0.0, 0.0)
    resolution_probability: Probability = 0.0
    resolution_factor: PositiveRange = (1.0, 1.0)
    noise_probability: Probability = 0.0
    noise: Range = (0.0, 0.0)
    jpeg_probability: Probability = 0.0
    jpeg_quality: PositiveRange = (100.0, 100.0)
    erase_probability: Probability = 0.0
    erase_area: PositiveRange = (0.02, 0.2)
    fourier_probability: Probability = 0.0
    fourier_band: float = Field(default=0.05, gt=0, le=0.5)
    fourier_strength: Range = (0.0, 1.0)


def soften(images: Tensor, draws: Draws, options: CameraOptions) -> Tensor:
    """Blur and resolution loss of a share of the pictures, in place, as one pair of matrices each."""
    side = images.shape[-1]
    blurred = draws.chosen(options.blur_probability)
    reduced = draws.chosen(options.resolution_probability)
    sigma_px = draws.uniform(*options.blur_sigma_px, 2) * blurred[:, None]
    factor = draws.log_uniform(*options.resolution_factor)
    factor = torch.where(reduced, factor, torch.ones_like(factor)).clamp_min(1)
    index = (blurred | reduced).nonzero().squeeze(1)
    if not len(index):
        return images
    sigma_px, factor = sigma_px[index].to(images.device), factor[index].to(images.device)
    index = index.to(images.device)
    columns, rows = blur_matrices(sigma_px[:, 0], side), blur_matrices(sigma_px[:, 1], side)
    if bool(reduced.any()):
        loss = resolution_loss_matrices(factor, side)
        columns, rows = loss @ columns, loss @ rows
    images[index] = apply_separable(images[index], rows, columns)
    return images


def add_noise(images: Tensor, draws: Draws, options: CameraOptions) -> Tensor:
    """Sensor noise on a share of the pictures, in place: half read noise, half growing with the light."""
    index = draws.chosen(options.noise_probability).nonzero().squeeze(1)
    strength = draws.uniform(*options.noise)[index].to(images.device)[:, None, None, None]
    shot = draws.chosen(0.5).float()[index].to(images.device)[:, None, None, None]
    noise = draws.pixels((len(index), *images.shape[1:]), images.device)
    index = index.to(images.device)
    if len(index):
        chosen = images[index]
        # Photon noise grows with the square root of the light; scaled to equal read noise at mid-grey.
        size = torch.lerp(torch.ones_like(chosen[:, :1]), (chosen[:, 1:2].clamp_min(0) / 128).sqrt_(), shot)
        images[index] = chosen.add_(noise.mul_(strength * size))
    return images


def erase(images: Tensor, draws: Draws, options: CameraOptions) -> Tensor:
    """Cover a rectangle of a share of the pictures with one colour, in place."""
    _, _, height, width = images.shape
    chosen = draws.chosen(options.erase_probability).tolist()
    area = draws.uniform(*options.erase_area)
    ratio = draws.log_uniform(0.4, 2.5)
    places = draws.uniform(0.0, 1.0, 2).tolist()
    colours = draws.muted_colours().to(images.device)
    tall = ((area * ratio).sqrt().clamp(max=1) * height).tolist()
    wide = ((area / ratio).sqrt().clamp(max=1) * width).tolist()
    boxes = torch.zeros(len(chosen), 4, dtype=torch.int64)
    for i in (i for i, wanted in enumerate(chosen) if wanted):
        rows, columns = max(round(tall[i]), 1), max(round(wide[i]), 1)
        top, left = int(places[i][0] * (height - rows + 1)), int(places[i][1] * (width - columns + 1))
        boxes[i] = torch.tensor([top, top + rows, left, left + columns])
    return (cover_one_by_one if images.device.type == "cpu" else cover)(images, boxes, colours)


def cover_one_by_one(images: Tensor, boxes: Tensor, colours: Tensor) -> Tensor:
    """Paint a box of each picture, in place: only what is covered is touched.

    Args:
        images: float ``[n, 3, h, w]``.
        boxes: int64 ``[n, 4]`` on the processor: top, bottom, left, right; an empty one covers nothing.
        colours: float ``[n, 3]``.
    """
    for i, (top, bottom, left, right) in enumerate(boxes.tolist()):
        if bottom > top:
            images[i, :, top:bottom, left:right] = colours[i][:, None, None]
    return images


def cover(images: Tensor, boxes: Tensor, colours: Tensor) -> Tensor:
    """The same in a few operations on the whole batch, as a device wants it."""
    _, _, height, width = images.shape
    top, bottom, left, right = boxes.to(images.device, non_blocking=True).unbind(1)
    row, column = torch.arange(height, device=images.device), torch.arange(width, device=images.device)
    in_rows = (row >= top[:, None]) & (row < bottom[:, None])
    in_columns = (column >= left[:, None]) & (column < right[:, None])
    covered = (in_rows[:, :, None] & in_columns[:, None, :]).unsqueeze(1)
    return images.copy_(torch.where(covered, colours[:, :, None, None], images))


def swap_amplitudes(images: Tensor, draws: Draws, options: CameraOptions) -> Tensor:
    """Give a share of the pictures, in place, the low-frequency amplitudes of another picture of the batch.

    The phase, which holds shapes, stays; the amplitude near zero frequency, which holds light and tint,
    moves.
    """
    count, _, height, width = images.shape
    index = draws.chosen(options.fourier_probability).nonzero().squeeze(1)
    partner = (torch.arange(count, device=index.device) + 1 + draws.whole(max(count - 1, 1))) % count
    partner, strength = partner[index], draws.uniform(*options.fourier_strength)[index]
    if not len(index):
        return images
    partner, index = partner.to(images.device), index.to(images.device)
    strength = strength.to(images.device)[:, None, None, None]
    band = max(math.ceil(options.fourier_band * height), 1)
    rows = torch.tensor(
        [row for row in range(height) if row < band or row >= height - band], device=images.device
    )
    spectrum, other = torch.fft.rfft2(images[index]), torch.fft.rfft2(images[partner])[:, :, rows, :band]
    low = spectrum[:, :, rows, :band]
    amplitude = torch.lerp(low.abs(), other.abs(), strength)
    spectrum[:, :, rows, :band] = torch.polar(amplitude, low.angle())
    images[index] = torch.fft.irfft2(spectrum, s=(height, width))
    return images


def compress(images: Tensor, draws: Draws, options: CameraOptions) -> Tensor:
    """What JPEG does to a share of the pictures, in place; see ``jpeg_round_trip``."""
    index = draws.chosen(options.jpeg_probability).nonzero().squeeze(1)
    quality = draws.uniform(*options.jpeg_quality)[index].to(images.device)
    index = index.to(images.device)
    if len(index):
        images[index] = jpeg_round_trip(images[index], quality)
    return images
