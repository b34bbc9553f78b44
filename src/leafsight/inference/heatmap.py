"""Where in the picture the evidence is: exact class activation maps, laid onto the photograph."""

from __future__ import annotations

import numpy as np

from leafsight.images import Preprocessing

FINE_CELLS = 56
"""Grid of a map that has to be moved onto the photograph; 8 times the 7 x 7 of most networks."""


def activation_map(feature_map: np.ndarray, class_weight: np.ndarray) -> np.ndarray:
    """The evidence for one class at every position, before any normalisation.

    ``M[y, x] = sum over k of weight[k] * feature_map[k, y, x]`` (Zhou et al. 2016, "Learning Deep Features
    for Discriminative Localization", equation 2). With average pooling and one dense layer this is no
    approximation: the mean of M over all positions plus the bias is the logit.

    Args:
        feature_map: float32 ``[d, h, w]``.
        class_weight: float32 ``[d]``, that class's row of the dense layer.

    Returns:
        float32 ``[h, w]``, any sign.
    """
    return np.asarray(np.tensordot(class_weight, feature_map, axes=1), np.float32)


def normalised_map(evidence: np.ndarray) -> np.ndarray:
    """Evidence against the class set to 0, the rest divided by its largest value: float32, 0..1.

    All zero when nothing speaks for the class. The scale is lost on purpose: the colours say where, the
    probability says how much.
    """
    positive = np.maximum(evidence, 0.0)
    largest = positive.max()
    return np.asarray(positive / largest if largest > 0 else positive, np.float32)


def onto_photo(heat: np.ndarray, preprocessing: Preprocessing, height_px: int, width_px: int) -> np.ndarray:
    """Lay a map over the square onto the whole photograph.

    The network may have seen only the middle (``crop``, ``crop_fraction``) or a padded square
    (``letterbox``). What it did not see gets 0.

    Args:
        heat: float32 ``[h, w]`` over the square.
        preprocessing: says which part of the photograph the square is.
        height_px: of the upright photograph.
        width_px: of the upright photograph.

    Returns:
        float32 over the photograph: ``heat`` itself when the square is the whole photograph, else
        ``[FINE_CELLS, FINE_CELLS]``, bilinear.
    """
    kept = preprocessing.crop_fraction
    if preprocessing.resize == "squash" and kept == 1.0:
        return heat
    square_width, square_height = kept * width_px, kept * height_px
    if preprocessing.resize == "crop":
        square_width = square_height = min(square_width, square_height)
    elif preprocessing.resize == "letterbox":
        square_width = square_height = max(square_width, square_height)
    down = _weights(heat.shape[0], square_height / height_px)
    across = _weights(heat.shape[1], square_width / width_px)
    return np.asarray(down @ heat @ across.T, np.float32)


def _weights(cells: int, share: float) -> np.ndarray:
    """float64 ``[FINE_CELLS, cells]``: interpolation of a map that covers the middle ``share`` of a side."""
    at = ((np.arange(FINE_CELLS) + 0.5) / FINE_CELLS - 0.5) / share + 0.5
    place = np.clip(at * cells - 0.5, 0, cells - 1)
    tent = np.maximum(0.0, 1.0 - np.abs(place[:, None] - np.arange(cells)))
    return np.asarray(np.where(((at >= 0) & (at <= 1))[:, None], tent, 0.0))
