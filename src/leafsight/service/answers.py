"""A prediction as JSON: plain values, advice cards by id, and the heatmap as a picture.

Enters: predictions of room ``inference``. Leaves: what ``/v1/predict`` answers. It runs on an inference
thread, because pictures are encoded here.
"""

from __future__ import annotations

import base64
import io
from typing import Any, Literal

import numpy as np
from PIL import Image

from leafsight.images import DecodeLimits, decode, overlay_heatmap
from leafsight.inference import Prediction
from leafsight.taxonomy import has_card

HeatmapKind = Literal["png", "layer"]
PICTURE_SIDE_PX = 512
"""A heatmap is shown, not measured: the photograph under it is decoded at the next scale above this."""


def plain_answer(
    prediction: Prediction, data: bytes, *, top: int, heatmap: HeatmapKind | None, limits: DecodeLimits
) -> dict[str, Any]:
    """One answer as plain values.

    Args:
        prediction: of the photograph.
        data: the photograph's bytes, for the picture under the heatmap.
        top: how many classes are listed.
        heatmap: the picture with the heat laid over it, the heat alone, or none.
        limits: of the decoder.
    """
    plain = prediction.to_dict()
    plain["top"] = plain["top"][:top]
    plain["advice"] = _cards(plain)
    plain["heatmap"] = None
    if heatmap is not None and prediction.heatmap is not None:
        picture = (
            _overlay(data, prediction.heatmap, limits) if heatmap == "png" else _layer(prediction.heatmap)
        )
        plain["heatmap"] = {"media_type": "image/png", "base64": base64.b64encode(picture).decode()}
    return plain


def _cards(plain: dict[str, Any]) -> list[str]:
    """Keys of the cards about what was named, or about what cannot be excluded."""
    named = [plain["key"]] if plain["key"] else [one["key"] for one in plain["possible"]]
    return [key for key in named if has_card(key)]


def _overlay(data: bytes, heat: np.ndarray, limits: DecodeLimits) -> bytes:
    return _png(overlay_heatmap(decode(data, limits=limits, wanted_side_px=PICTURE_SIDE_PX), heat))


def _layer(heat: np.ndarray) -> bytes:
    return _png((np.clip(heat, 0, 1) * 255 + 0.5).astype(np.uint8))


def _png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()
