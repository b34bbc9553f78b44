"""Shapes of the arrays that walk through this room, named once.

jaxtyping costs a tenth of a second to import, as much as NumPy itself, and ``predict`` passes here. So it is
imported only where somebody looks at the shapes: a type checker, or a test run whose import hook has
loaded it already. Everybody else gets ``Any``.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or "jaxtyping" in sys.modules:
    import numpy as np
    from jaxtyping import Bool, Float, Int, UInt8

    Logits = Float[np.ndarray, "n c"]
    Probabilities = Float[np.ndarray, "n c"]
    Embedding = Float[np.ndarray, "n d"]
    Labels = Int[np.ndarray, " n"]
    # What a caller hands in beside logits: its length is checked by the function itself, which says in words
    # what does not fit; a shape here would only hide that sentence in tests.
    GivenLabels = Int[np.ndarray, " given"]
    OtherEmbedding = Float[np.ndarray, "m d"]
    RandomFeatures = Float[np.ndarray, "n cosines"]
    OwnLabels = Int[np.ndarray, " labelled"]
    OtherLabels = Int[np.ndarray, " other"]
    OtherFloats = Float[np.ndarray, " other"]
    RowFloats = Float[np.ndarray, " n"]
    RowInts = Int[np.ndarray, " n"]
    SomeInts = Int[np.ndarray, " some"]
    RowFlags = Bool[np.ndarray, " n"]
    ClassFloats = Float[np.ndarray, " c"]
    ClassFlags = Bool[np.ndarray, " c"]
    ClassSets = Bool[np.ndarray, "n c"]
    Allowed = Bool[np.ndarray, "*rows k"]
    Photos = UInt8[np.ndarray, "n side side 3"]
    Picture = UInt8[np.ndarray, "height width 3"]
else:
    Logits = Probabilities = Embedding = Labels = RowFloats = RowInts = RowFlags = Any
    GivenLabels = OtherEmbedding = RandomFeatures = SomeInts = OwnLabels = OtherLabels = OtherFloats = Any
    ClassFloats = ClassFlags = ClassSets = Allowed = Photos = Picture = Any

__all__ = [
    "Allowed",
    "ClassFlags",
    "ClassFloats",
    "ClassSets",
    "Embedding",
    "GivenLabels",
    "Labels",
    "Logits",
    "OtherEmbedding",
    "OtherFloats",
    "OtherLabels",
    "OwnLabels",
    "Photos",
    "Picture",
    "Probabilities",
    "RandomFeatures",
    "RowFlags",
    "RowFloats",
    "RowInts",
    "SomeInts",
]
