"""Short vectors of photographs: near for copies of a photograph, however turned or mirrored, far for others.

Enters: small colour pictures. Leaves: vectors in which a distance of 1 is what a small shift, scale or change
of brightness moves them on this collection. It does not know which photographs are compared.

Source of the projection: Fisher's discriminant, with the scatter inside a class measured on small changes of
a sample of the collection itself, so no set of photographs is built in.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float32, Float64, UInt8

from leafsight.dataset.duplicates.discs import COLOUR_ORDER, ORDER, SIDE_PX, View, disc, waves

Planes = Float32[np.ndarray, "3 n pixels"]
Pictures = UInt8[np.ndarray, "n 32 32 3"]

DIMENSIONS = 24  # set by measurement: 32 found no more
FAINTEST = 1.0  # grey levels of contrast under which a picture counts as flat
SAMPLE = 1500
SHIFTS = 8
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as JPEG and Pillow have it
WHOLE = View(1.0, 0.0, 0.0)


def planes(pictures: Pictures) -> Planes:
    """Brightness, red against green, blue against yellow at ``SIDE_PX``, 0..255 and -255..255."""
    wide = pictures.astype(np.uint16)
    rows = wide[:, 0::2] + wide[:, 1::2]
    small = (rows[:, :, 0::2] + rows[:, :, 1::2]).astype(np.float32) * np.float32(1 / 4)
    return opponent(small.reshape(len(pictures), -1, 3))


def opponent(small: Float32[np.ndarray, "n pixels 3"]) -> Planes:
    """Red, green and blue as brightness and two differences of colours."""
    red, green, blue = small[..., 0], small[..., 1], small[..., 2]
    luma = np.float32(LUMA[0]) * red + np.float32(LUMA[1]) * green + np.float32(LUMA[2]) * blue
    return np.stack([luma, red - green, blue - (red + green) / 2]).astype(np.float32, copy=False)


def coefficients(luma: Float32[np.ndarray, "n pixels"], view: View) -> Float32[np.ndarray, "n coefficients"]:
    """Zernike coefficients of brightness in one view, divided by their norm: contrast falls out."""
    found = luma @ disc(view).luma
    even: Float32[np.ndarray, "n coefficients"] = found / (
        np.sqrt((found**2).sum(1, keepdims=True)) + FAINTEST
    )
    return even


def features(pictures: Planes, view: View) -> Float32[np.ndarray, "n features"]:
    """What turning and mirroring leave as it is: absolute coefficients, and mean colour over brightness."""
    one = disc(view)
    luma = pictures[0] @ one.luma
    norm = np.sqrt((luma * luma).sum(1, keepdims=True)) + FAINTEST
    brightness = pictures[0] @ one.mean + 8
    found = [_absolute(luma / norm, ORDER)]
    for plane in pictures[1:]:
        found.append((3 * (plane @ one.mean) / brightness)[:, None])
        found.append(_absolute((plane @ one.colour) / norm, COLOUR_ORDER))
    clipped: Float32[np.ndarray, "n features"] = np.clip(np.concatenate(found, axis=1), -3, 3)
    return clipped


def _absolute(found: Float32[np.ndarray, "n columns"], order: int) -> Float32[np.ndarray, "n sizes"]:
    alone = int((waves(order) == 0).sum())
    paired = found[:, alone:]
    squared = paired[:, 0::2] ** 2 + paired[:, 1::2] ** 2
    return np.concatenate([found[:, :alone], np.sqrt(squared)], axis=1)


def fit_projection(sample: Pictures, seed: int = 0) -> Float32[np.ndarray, "features dimensions"]:
    """From features to a vector in which small changes of a picture have variance one in each direction.

    Args:
        sample: at least two photographs of the collection.
        seed: of the small changes.
    """
    rng = np.random.default_rng(seed)
    still = planes(sample)
    plain = features(still, WHOLE)
    within = np.zeros((plain.shape[1],) * 2)
    for right, down, scale in rng.uniform(-0.035, 0.035, (SHIFTS, 3)).tolist():
        within += _scatter(features(still, View(1 + scale, right, down)) - plain) / SHIFTS
    for relit in _relit(sample):
        within += _scatter(features(relit, WHOLE) - plain) / 4
    within += 1e-3 * np.trace(within) / len(within) * np.eye(len(within)) + 1e-9 * np.eye(len(within))
    inverse = np.linalg.inv(np.linalg.cholesky(within))
    spread = inverse @ (np.cov(plain.T.astype(np.float64)) + within) @ inverse.T
    _, directions = np.linalg.eigh(spread)
    projection: Float32[np.ndarray, "features dimensions"]
    projection = (inverse.T @ directions[:, ::-1][:, :DIMENSIONS]).astype(np.float32)
    return projection


def _scatter(moved: Float32[np.ndarray, "n features"]) -> Float64[np.ndarray, "features features"]:
    exact = moved.astype(np.float64)
    scatter: Float64[np.ndarray, "features features"] = exact.T @ exact / len(exact)
    return scatter


def _relit(sample: Pictures) -> Iterator[Planes]:
    """The sample with other gamma, brightness and contrast."""
    shares = sample.astype(np.float32) / 255
    mean = shares.mean((1, 2, 3), keepdims=True)
    for changed in (
        shares**1.25,
        shares**0.8,
        np.minimum(shares * 1.25, 1),
        np.clip((shares - mean) * 1.25 + mean, 0, 1),
    ):
        small = changed.reshape(len(sample), SIDE_PX, 2, SIDE_PX, 2, 3).mean((2, 4)) * 255
        yield opponent(small.reshape(len(sample), -1, 3).astype(np.float32))
