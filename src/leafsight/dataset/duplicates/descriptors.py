"""Short vectors of photographs: near for copies of a photograph, however turned or mirrored, far for others.

Enters: small colour pictures. Leaves: vectors in which a distance of 1 is what a small shift, scale or change
of brightness moves them on this collection. It does not know which photographs are compared.

Source of the projection: Fisher's discriminant, with the scatter inside a class measured on small changes of
a sample of the collection itself, so no set of photographs is built in.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float32, Float64, UInt8

from leafsight.dataset.duplicates.discs import COLOUR_ORDER, ORDER, SIDE_PX, View, disc, waves
from leafsight.storage import available_cores

Planes = Float32[np.ndarray, "3 n pixels"]
Pictures = UInt8[np.ndarray, "n 32 32 3"] | Float32[np.ndarray, "n 32 32 3"]  # 0 to 255

DIMENSIONS = 24  # set by measurement: 32 found no more
FAINTEST = 1.0  # grey levels of contrast under which a picture counts as flat
SAMPLE = 1500
SHIFTS = 8
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as JPEG and Pillow have it
WHOLE = View(1.0, 0.0, 0.0)
IN_CACHE = 256  # pictures that are made smaller at once

Shares = Float32[np.ndarray, "n 32 32 3"]
Change = Callable[[Shares], Shares]


def _more_contrast(shares: Shares) -> Shares:
    mean = shares.mean((1, 2, 3), keepdims=True)
    changed: Shares = np.clip((shares - mean) * 1.25 + mean, 0, 1)
    return changed


# other gamma, brightness and contrast
RELIT: tuple[Change, ...] = (
    lambda shares: shares**1.25,
    lambda shares: shares**0.8,
    lambda shares: np.minimum(shares * 1.25, 1),
    _more_contrast,
)


def planes(pictures: Pictures) -> Planes:
    """Brightness, red against green, blue against yellow at ``SIDE_PX``, 0..255 and -255..255."""
    found = np.empty((3, len(pictures), SIDE_PX * SIDE_PX), np.float32)
    for first in range(0, len(pictures), IN_CACHE):
        some = slice(first, first + IN_CACHE)
        _opponent(_halved(pictures[some]), found[:, some])
    return found


def _halved(pictures: Pictures) -> list[Float32[np.ndarray, "n pixels"]]:
    """Red, green and blue at half the side."""
    wide = np.result_type(pictures, np.uint16)
    rows = np.add(pictures[:, 0::2], pictures[:, 1::2], dtype=wide)
    # red, green and blue of each left pixel, then of the right one: long strides, where an axis of 3 is slow
    pairs = rows.reshape(len(pictures), -1, 6)
    return [(pairs[..., c] + pairs[..., c + 3]).astype(np.float32, copy=False) / 4 for c in range(3)]


def _opponent(colours: list[Float32[np.ndarray, "n pixels"]], found: Planes) -> None:
    """Red, green and blue as brightness and two differences of colours."""
    red, green, blue = colours
    found[0] = np.float32(LUMA[0]) * red + np.float32(LUMA[1]) * green + np.float32(LUMA[2]) * blue
    np.subtract(red, green, out=found[1])
    np.subtract(blue, (red + green) / 2, out=found[2])


def coefficients(luma: Float32[np.ndarray, "n pixels"], view: View) -> Float32[np.ndarray, "n coefficients"]:
    """Zernike coefficients of brightness in one view, divided by their norm: contrast falls out."""
    found = luma @ disc(view).luma
    even: Float32[np.ndarray, "n coefficients"] = found / (
        np.sqrt((found**2).sum(1, keepdims=True)) + FAINTEST
    )
    return even


def features(pictures: Planes, view: View) -> Float32[np.ndarray, "n features"]:
    """What turning and mirroring leave as it is: absolute coefficients, and mean colour over brightness."""
    found: Float32[np.ndarray, "n features"] = many_features(pictures, (view,))[:, 0].T
    return found


def many_features(pictures: Planes, seen: tuple[View, ...]) -> Float32[np.ndarray, "features views n"]:
    """``features`` of several views at once: one product of matrices for each plane."""
    bank = _bank(seen)
    luma = (bank.luma @ pictures[0].T).reshape(-1, len(seen), pictures.shape[1])
    norm = np.sqrt(np.einsum("cvn,cvn->vn", luma[:-1], luma[:-1])) + np.float32(FAINTEST)
    over_norm, over_mean = 1 / norm, 3 / (luma[-1] + 8)
    found = [_absolute(luma[:-1], ORDER, over_norm)]
    for plane in pictures[1:]:
        colour = (bank.colour @ plane.T).reshape(-1, len(seen), pictures.shape[1])
        found.append(colour[-1:] * over_mean)
        found.append(_absolute(colour[:-1], COLOUR_ORDER, over_norm))
    every = np.concatenate(found)
    clipped: Float32[np.ndarray, "features views n"] = np.clip(every, -3, 3, out=every)
    return clipped


def _absolute(
    found: Float32[np.ndarray, "columns views n"], order: int, factor: Float32[np.ndarray, "views n"]
) -> Float32[np.ndarray, "sizes views n"]:
    """Sizes of coefficients, times a factor; they stand as ``_bank`` has them."""
    alone = int((waves(order) == 0).sum())
    cosine, sine = np.split(found[alone:], 2)
    sizes = cosine * cosine
    sizes += sine * sine
    together = np.concatenate([found[:alone], np.sqrt(sizes, out=sizes)])
    together *= factor
    return together


@dataclass(frozen=True, slots=True)
class _Bank:
    """The transposed matrices of several discs, one below the other; the mean is the last row of each.

    Row after row is one coefficient of all views: those that stand alone, all cosines, all sines.
    """

    luma: Float32[np.ndarray, "rows pixels"]
    colour: Float32[np.ndarray, "colour_rows pixels"]


@cache
def _bank(seen: tuple[View, ...]) -> _Bank:
    discs = [disc(view) for view in seen]
    means = np.stack([one.mean for one in discs])[None]

    def below(columns: list[Float32[np.ndarray, "pixels columns"]], order: int) -> np.ndarray:
        alone = int((waves(order) == 0).sum())
        rows = np.stack(columns).transpose(2, 0, 1)
        parts = [rows[:alone], rows[alone::2], rows[alone + 1 :: 2], means]
        return np.ascontiguousarray(np.concatenate(parts).reshape(-1, means.shape[-1]))

    return _Bank(
        below([one.luma for one in discs], ORDER), below([one.colour for one in discs], COLOUR_ORDER)
    )


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
    moves = rng.uniform(-0.035, 0.035, (SHIFTS, 3)).tolist()

    def shifted(move: list[float]) -> Float64[np.ndarray, "features features"]:
        right, down, scale = move
        return _scatter(features(still, View(1 + scale, right, down)) - plain) / SHIFTS

    def relit(change: Change) -> Float64[np.ndarray, "features features"]:
        return _scatter(features(planes(change(shares) * 255), WHOLE) - plain) / len(RELIT)

    shares = sample.astype(np.float32) / 255
    with ThreadPoolExecutor(available_cores()) as pool:
        for scatter in (*pool.map(shifted, moves), *pool.map(relit, RELIT)):
            within += scatter
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
