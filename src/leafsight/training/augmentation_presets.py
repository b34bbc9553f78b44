"""The named starting points of the augmentation, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LIGHT: Mapping[str, Mapping[str, Any]] = {
    "geometry": {
        "crop_area": (0.7, 1.0),
        "crop_ratio": (0.85, 1.18),
        "flip_horizontal": 0.5,
        "flip_vertical": 0.5,
    },
    "colour": {
        "probability": 0.8,
        "brightness": (0.85, 1.18),
        "contrast": (0.85, 1.18),
        "saturation": (0.9, 1.1),
    },
}

STANDARD: Mapping[str, Mapping[str, Any]] = {
    "geometry": {
        "crop_area": (0.5, 1.0),
        "crop_ratio": (0.8, 1.25),
        "flip_horizontal": 0.5,
        "flip_vertical": 0.5,
        "rotation_probability": 0.5,
        "rotation_degrees": 180,
        "shear_degrees": 5,
        "zoom_out_probability": 0.1,
        "zoom_out_area": (1.0, 1.5),
    },
    "colour": {
        "probability": 0.9,
        "brightness": (0.75, 1.3),
        "contrast": (0.75, 1.3),
        "saturation": (0.75, 1.25),
        "hue_degrees": 4,
        "temperature": 0.08,
        "tint": 0.04,
        "gamma_probability": 0.2,
        "gamma": (0.8, 1.25),
        "light_probability": 0.2,
        "gradient": 0.2,
        "vignette": 0.2,
    },
    "camera": {
        "blur_probability": 0.1,
        "blur_sigma_px": (0.3, 1.2),
        "resolution_probability": 0.1,
        "resolution_factor": (1.2, 2.0),
        "noise_probability": 0.2,
        "noise": (1.0, 6.0),
        "erase_probability": 0.1,
        "erase_area": (0.02, 0.15),
    },
}

# Far from the laboratory: any size of the leaf in the frame, any light, poor lenses and files.
FIELD: Mapping[str, Mapping[str, Any]] = {
    "geometry": {
        "crop_area": (0.35, 1.0),
        "crop_ratio": (0.7, 1.43),
        "flip_horizontal": 0.5,
        "flip_vertical": 0.5,
        "rotation_probability": 0.7,
        "rotation_degrees": 180,
        "shear_degrees": 8,
        "perspective_probability": 0.3,
        "perspective": 0.2,
        "zoom_out_probability": 0.2,
        "zoom_out_area": (1.0, 2.0),
        "fill_probability": 0.2,
    },
    "colour": {
        "probability": 0.95,
        "brightness": (0.65, 1.45),
        "contrast": (0.65, 1.4),
        "saturation": (0.5, 1.5),
        "hue_degrees": 8,
        "temperature": 0.2,
        "tint": 0.08,
        "offset": 8,
        "greyscale_probability": 0.02,
        "gamma_probability": 0.3,
        "gamma": (0.65, 1.5),
        "light_probability": 0.3,
        "gradient": 0.3,
        "vignette": 0.3,
        "shadow_probability": 0.5,
        "shadow": (0.2, 0.6),
    },
    "camera": {
        "blur_probability": 0.2,
        "blur_sigma_px": (0.3, 2.0),
        "resolution_probability": 0.2,
        "resolution_factor": (1.2, 3.0),
        "noise_probability": 0.3,
        "noise": (1.0, 12.0),
        "jpeg_probability": 0.2,
        "jpeg_quality": (25, 90),
        "erase_probability": 0.25,
        "erase_area": (0.02, 0.2),
    },
}

PRESETS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "none": {},
    "light": LIGHT,
    "standard": STANDARD,
    "field": FIELD,
}
