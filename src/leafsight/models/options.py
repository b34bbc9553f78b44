"""What a person may choose about a network. Imports no torch, so that recipes are checked without it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from leafsight.images import ElementShape, MorphologyOperation

ARCHITECTURES = ("simple_cnn", "mobilenet_v2", "resnet9", "resnet18", "resnet34", "resnet50")
TIMM_PREFIX = "timm:"


class MorphologyOptions(BaseModel):
    """What the network does to pixels before anything else; see ``leafsight.images.apply_morphology``.

    Attributes:
        operation: ``none``, or the operation whose result replaces the photograph.
        size_px: side of the structuring element in pixels of the network's input, odd.
        shape: ``square``, ``cross`` or ``disc``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    operation: Literal["none", MorphologyOperation] = "none"
    size_px: int = Field(default=3, ge=3, le=31)
    shape: ElementShape = "square"

    @field_validator("size_px")
    @classmethod
    def _has_a_middle(cls, size_px: int) -> int:
        if size_px % 2 == 0:
            raise ValueError("an odd number, so that the element has a middle pixel")
        return size_px


class ModelOptions(BaseModel):
    """One network, without its number of classes: that comes with the photographs.

    Attributes:
        name: one of ``ARCHITECTURES``, or ``timm:NAME`` for a convolutional network of timm.
        width: multiplies the channels of ``simple_cnn``, ``mobilenet_v2`` and ``resnet9``, rounded to
            multiples of 8. The others have no width and take only 1.
        padding: for ``mobilenet_v2``. ``same`` pads right and bottom where a stride-2 convolution meets an
            even side, as TensorFlow does and as the shared ImageNet weights want; ``symmetric`` is
            torchvision's way.
        dropout: share of the embedding set to zero before each dense layer while training.
        head: sizes of hidden dense layers between embedding and logits; empty for a single dense layer,
            which is what an exact class activation map needs.
        morphology: changes the pixels inside the network, so that training and serving cannot differ.
        pretrained: a safetensors file, a bundle, or an http(s) address; None starts from random weights.
        pretrained_sha256: the SHA-256 of the file in hex; an address needs it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = "mobilenet_v2"
    width: float = Field(default=1.0, gt=0, le=4)
    padding: Literal["same", "symmetric"] = "same"
    dropout: float = Field(default=0.2, ge=0, lt=1)
    head: tuple[Annotated[int, Field(ge=1, le=8192)], ...] = Field(default=(), max_length=4)
    morphology: MorphologyOptions = MorphologyOptions()
    pretrained: str | None = None
    pretrained_sha256: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        if name in ARCHITECTURES or (name.startswith(TIMM_PREFIX) and len(name) > len(TIMM_PREFIX)):
            return name
        raise ValueError(f"one of {', '.join(ARCHITECTURES)} or {TIMM_PREFIX}NAME")

    @field_validator("width")
    @classmethod
    def _only_where_there_is_one(cls, width: float, info: object) -> float:
        name = getattr(info, "data", {}).get("name", "mobilenet_v2")
        if width != 1.0 and name not in ("simple_cnn", "mobilenet_v2", "resnet9"):
            raise ValueError(f"1.0: {name} has no width")
        return width
