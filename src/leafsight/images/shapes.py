"""The shapes that walk through this room.

jaxtyping costs 40 to 80 ms at import, which a person waits for in ``leafsight predict``. So the shapes are
spelt out for the type checker and wherever jaxtyping is loaded already (the test run loads it first and
checks them), and are plain arrays otherwise. A leading underscore means: any size, not tied to another
array of the same call.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING or "jaxtyping" in sys.modules:
    from jaxtyping import Bool, Float, Float32, UInt8

    RGB: TypeAlias = UInt8[np.ndarray, "_height _width 3"]
    Square: TypeAlias = UInt8[np.ndarray, "side side 3"]
    Squares: TypeAlias = UInt8[np.ndarray, "photos side side 3"]
    Normalised: TypeAlias = Float32[np.ndarray, "photos 3 side side"]
    Mask: TypeAlias = Bool[np.ndarray, "_height _width"]
    Plane: TypeAlias = Float[np.ndarray, "_height _width"]
else:
    RGB = Square = Squares = Normalised = Mask = Plane = np.ndarray
