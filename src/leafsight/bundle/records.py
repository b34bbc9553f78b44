"""What a manifest is made of: labels, tensors, parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Label:
    """One class of the network, in the order of its logits.

    Attributes:
        class_name: the name in the training data, such as ``Tomato___Early_blight``.
        key: canonical key of the taxonomy, such as ``tomato/early-blight``.
        crop: key of the crop, or None for what is no plant.
        condition: key of the condition, or None for what is no plant.
        display: text for people.
        is_leaf: False for the class that stands for "no leaf in the picture".
    """

    class_name: str
    key: str
    crop: str | None
    condition: str | None
    display: str
    is_leaf: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the manifest."""
        return {
            "class_name": self.class_name,
            "key": self.key,
            "crop": self.crop,
            "condition": self.condition,
            "display": self.display,
            "is_leaf": self.is_leaf,
        }


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """Name, shape and type of one input or output of the graph.

    Attributes:
        name: name in the graph.
        shape: sizes; None for the batch axis, which is free.
        dtype: NumPy's name of the type, such as ``uint8``.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str = "float32"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the manifest."""
        return {"name": self.name, "shape": list(self.shape), "dtype": self.dtype}


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """The doors of the graph.

    Attributes:
        input: uint8 ``[n, side, side, 3]``, RGB values 0..255; the graph normalises.
        logits: float32 ``[n, classes]``.
        embedding: float32 ``[n, d]``, after global average pooling.
        feature_map: float32 ``[n, d, h, w]``, before it.
        precision: how the weights are stored, such as ``fp32`` or ``int8``.
    """

    input: TensorSpec
    logits: TensorSpec
    embedding: TensorSpec
    feature_map: TensorSpec
    precision: str = "fp32"

    @classmethod
    def standard(
        cls, *, side_px: int, n_classes: int, width: int, map_hw: tuple[int, int], precision: str = "fp32"
    ) -> NetworkSpec:
        """The usual doors: ``image`` in; ``logits``, ``embedding`` and ``feature_map`` out."""
        return cls(
            input=TensorSpec("image", (None, side_px, side_px, 3), "uint8"),
            logits=TensorSpec("logits", (None, n_classes)),
            embedding=TensorSpec("embedding", (None, width)),
            feature_map=TensorSpec("feature_map", (None, width, *map_hw)),
            precision=precision,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the manifest."""
        outputs = {"logits": self.logits, "embedding": self.embedding, "feature_map": self.feature_map}
        return {
            "input": self.input.to_dict(),
            "outputs": {role: spec.to_dict() for role, spec in outputs.items()},
            "precision": self.precision,
        }


@dataclass(frozen=True, slots=True)
class Part:
    """Checksum and size of one file inside the bundle."""

    sha256: str
    size_bytes: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the manifest."""
        return {"sha256": self.sha256, "size_bytes": self.size_bytes}
