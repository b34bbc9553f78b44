"""What was done to a photograph to make the other one, read from the map between them.

Enters: affine maps. Leaves: mirrored or not, quarter turns, free angle, scale and one word for all that.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float32

Kind = Literal["exact", "pixels", "near", "flipped", "turned", "cropped", "rotated", "same_leaf"]

ROTATED_DEG = 2.0  # free angles under this are what registration leaves
CROPPED = 0.03  # share of the side that must be missing, or the centre be off by half of it


class Change(NamedTuple):
    """From the one to the other: first mirrored left to right, then turned clockwise, then cut.

    Attributes:
        mirrored: left to right; upside down is mirrored and two quarter turns.
        quarter_turns: 0 to 3, clockwise.
        angle_deg: -45 to 45, clockwise, on top of the quarter turns.
        scale: side of what the other shows, as a share of the one's side; over 1 when the one shows less.
        shift: distance of the centres as a share of the one's side.
    """

    mirrored: bool
    quarter_turns: int
    angle_deg: float
    scale: float
    shift: float


def change_of(mapped: Float32[np.ndarray, "2 3"]) -> Change:
    """What the map from points of the other to points of the one stands for."""
    linear = mapped[:, :2].astype(np.float64)
    mirrored = bool(np.linalg.det(linear) < 0)
    content = np.linalg.inv(linear)
    turn = content @ np.diag([-1.0, 1.0]) if mirrored else content
    angle_deg = float(np.rad2deg(np.arctan2(turn[1, 0] - turn[0, 1], turn[0, 0] + turn[1, 1])))
    quarters = round(angle_deg / 90)
    scale = float(np.sqrt(abs(np.linalg.det(linear))))
    shift = float(np.hypot(*mapped[:, 2]))
    return Change(mirrored, quarters % 4, angle_deg - 90 * quarters, scale, shift)


def kind_of(change: Change) -> Kind:
    """One word: the change that is hardest to see through names the pair."""
    if abs(change.angle_deg) >= ROTATED_DEG:
        return "rotated"
    if abs(np.log(change.scale)) > CROPPED or change.shift > CROPPED / 2:
        return "cropped"
    if change.quarter_turns % 2 or (change.quarter_turns and not change.mirrored):
        return "turned"
    return "flipped" if change.mirrored else "near"


def inverse_map(mapped: Float32[np.ndarray, "2 3"]) -> Float32[np.ndarray, "2 3"]:
    """From points of the one to points of the other."""
    linear = np.linalg.inv(mapped[:, :2].astype(np.float64))
    return np.concatenate([linear, -linear @ mapped[:, 2:]], axis=1).astype(np.float32)


def composed_map(
    outer: Float32[np.ndarray, "2 3"], inner: Float32[np.ndarray, "2 3"]
) -> Float32[np.ndarray, "2 3"]:
    """The inner map first, then the outer."""
    linear = outer[:, :2] @ inner[:, :2]
    return np.concatenate([linear, outer[:, :2] @ inner[:, 2:] + outer[:, 2:]], axis=1)
