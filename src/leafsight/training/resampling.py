"""Separable resampling written as matrices: a picture becomes ``rows @ picture @ columns^T``.

Blur, resolution loss, crop, scale and flip are all linear and separable, so for each picture they are two
matrices, and any chain of them is one pair of matrix products whatever the width of the blur. Enters:
pictures ``[n, c, h, w]`` and matrices. Leaves: pictures. It does not know why anything is resampled.
"""

from __future__ import annotations

import torch
from torch import Tensor


def apply_separable(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Resample pictures by one matrix for each axis.

    Args:
        images: float ``[n, c, h, w]``.
        rows: float ``[n, h_out, h]`` on the same device.
        columns: float ``[n, w_out, w]`` on the same device.

    Returns:
        Float ``[n, c, h_out, w_out]``.
    """
    count, channels, height, width = images.shape
    # The columns first, as one long product for each picture: [c*h, w] @ [w, w_out] is one BLAS call.
    narrow = torch.bmm(images.reshape(count, channels * height, width), columns.transpose(1, 2))
    return torch.matmul(rows.unsqueeze(1), narrow.view(count, channels, height, -1))


def gaussian_matrices(
    centre: Tensor, extent: Tensor, sigma_px: Tensor, size_in: int, size_out: int
) -> Tensor:
    """Matrices that cut a window out of a line of pixels and blur it by a Gaussian.

    Args:
        centre: ``[n]`` middle of the window, -1..1 over the line.
        extent: ``[n]`` half length of the window, 1 for the whole line; negative mirrors it.
        sigma_px: ``[n]`` standard deviation in source pixels. It is raised to half of the step between two
            output pixels, so that minification never aliases, and to 0.4 px, below which the samples of a
            Gaussian no longer act as an interpolation.
        size_in: pixels of the source line.
        size_out: pixels of the result.

    Returns:
        Float ``[n, size_out, size_in]``; each row sums to 1, so the border counts only what exists there.
    """
    device = centre.device
    places = (torch.arange(size_out, device=device) + 0.5) * (2 / size_out) - 1
    wanted_px = ((centre[:, None] + extent[:, None] * places) + 1) * (size_in / 2) - 0.5
    wanted_px = wanted_px.clamp(0, size_in - 1)
    step_px = extent.abs() * (size_in / size_out)
    width_px = torch.maximum(sigma_px, (step_px * 0.5).clamp_min(0.4))
    offsets = wanted_px[:, :, None] - torch.arange(size_in, device=device)
    weights = torch.exp(offsets.square_().mul_((-0.5 / width_px.square())[:, None, None]))
    return weights.div_(weights.sum(-1, keepdim=True))


def blur_matrices(sigma_px: Tensor, size: int) -> Tensor:
    """Matrices of a Gaussian blur without change of size; a sigma under 0.1 px leaves the line as it is.

    Returns:
        Float ``[n, size, size]``.
    """
    index = torch.arange(size, device=sigma_px.device)
    offsets = (index[:, None] - index).float().square_()
    weights = torch.exp(offsets * (-0.5 / sigma_px.clamp_min(0.1).square())[:, None, None])
    return weights.div_(weights.sum(-1, keepdim=True))


def resolution_loss_matrices(factor: Tensor, size: int) -> Tensor:
    """Matrices that reduce a line by a factor and enlarge it again, both with the triangle filter.

    Args:
        factor: ``[n]``, at least 1; 1 leaves the line as it is.
        size: pixels of the line.

    Returns:
        Float ``[n, size, size]``.
    """
    kept = (size / factor).round().clamp(2, size)
    most = int(kept.max())
    index = torch.arange(size, device=factor.device) + 0.5
    places = index * (kept / size)[:, None] - 0.5
    places = torch.minimum(places.clamp_min(0), kept[:, None] - 1)
    distance = (places[:, :, None] - torch.arange(most, device=factor.device)).abs_()
    enlarge = (1 - distance).clamp_min_(0)
    # Seen from the small line the same triangle, one small pixel wide, gathers the large pixels under it.
    reduce = enlarge.transpose(1, 2)
    reduce = reduce / reduce.sum(-1, keepdim=True).clamp_min(1e-6)
    return torch.bmm(enlarge, reduce)
