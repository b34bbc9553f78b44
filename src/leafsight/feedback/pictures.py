"""Photographs on which little can be seen: too blurred, dark, pale or small.

Enters: measures of one photograph. Leaves: a finding, or none. The limits of light are those of ``leafsight
check``, the limit of sharpness is the champion's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leafsight.feedback import sentences
from leafsight.feedback.records import Finding
from leafsight.inspection import QualityOptions

TINY_SHARE = 0.25
"""Of the side that the network sees: a photograph with a shorter side below it was enlarged four times."""


def picture_finding(
    quality: Mapping[str, Any], *, min_sharpness: float, side_px: int, limits: QualityOptions
) -> Finding | None:
    """What is wrong with a photograph as a picture; measures that are missing are not judged.

    Args:
        quality: measures by name.
        min_sharpness: below it the champion gives no diagnosis.
        side_px: of the square that the champion sees.
        limits: of light.
    """
    short = min(_number(quality, "width_px", 1e9), _number(quality, "height_px", 1e9))
    if short < TINY_SHARE * side_px:
        return sentences.bad_picture("tiny", f"It is only {short:.0f} px wide or high.")
    if _number(quality, "sharpness", min_sharpness) < min_sharpness:
        return sentences.bad_picture("blurred", "Hardly anything in it is sharp.")
    if _number(quality, "highlight", 1.0) < limits.min_highlight:
        return sentences.bad_picture("dark", "It is too dark to see much.")
    if _number(quality, "shadow", 0.0) > limits.max_shadow:
        return sentences.bad_picture("over_exposed", "It is too pale to see much.")
    if _number(quality, "contrast", 1.0) < limits.min_contrast:
        return sentences.bad_picture("flat", "It has hardly any contrast.")
    return None


def _number(quality: Mapping[str, Any], name: str, otherwise: float) -> float:
    value = quality.get(name)
    return float(value) if isinstance(value, int | float) else otherwise
