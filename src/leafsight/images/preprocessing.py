"""The preprocessing contract: the same few values in training, in the bundle and in serving."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Literal, TypeAlias, get_args

from leafsight.errors import ConfigError, Fault, nearest

ResizePolicy: TypeAlias = Literal["squash", "crop", "letterbox"]
Resample: TypeAlias = Literal["bilinear", "bicubic", "box", "lanczos"]

CONTRACT_VERSION: Final = 1
SIDE_RANGE_PX: Final = (8, 2048)
LETTERBOX_GREY: Final = 128
"""Padding of ``letterbox``: the grey level next to the default mean, so that it is about 0 in the network."""


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """What happens to an upright picture before a network sees it.

    Version 1 means: the picture is decoded at the reduced scale that ``decode`` allows for
    ``wanted_side_px``; then the region is cut out; then it is resized with antialiasing to ``side_px``
    and rounded to 8 bits. The network itself takes 0..255 and computes ``(x - mean) / std``.

    A plain dataclass and no pydantic model: ``leafsight predict`` reads it at every start.

    Attributes:
        side_px: side of the square that comes out, 8 to 2048.
        resize: ``squash`` stretches the region to the square, ``crop`` takes the central square,
            ``letterbox`` keeps the proportions and pads with grey 128.
        resample: the filter; all of them widen when they shrink a picture (antialiasing).
        crop_fraction: the central part of each side that is kept before the resize, above 0, at most 1.
        mean: subtracted per channel (red, green, blue), in grey levels 0..255.
        std: divided by per channel, in grey levels, above 0.
        version: of this contract.
    """

    side_px: int = 224
    resize: ResizePolicy = "squash"
    resample: Resample = "bilinear"
    crop_fraction: float = 1.0
    mean: tuple[float, float, float] = (127.5, 127.5, 127.5)
    std: tuple[float, float, float] = (127.5, 127.5, 127.5)
    version: int = CONTRACT_VERSION

    def __post_init__(self) -> None:
        """Refuse impossible values, all of them at once."""
        faults = _faults({field.name: getattr(self, field.name) for field in fields(self)}, "preprocessing")
        if faults:
            raise _error(faults, "preprocessing")

    @property
    def wanted_side_px(self) -> int:
        """The short side that a decoded picture must have at least so that the region fills the square."""
        return math.ceil(self.side_px / self.crop_fraction)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON and TOML."""
        values = asdict(self)
        return {**values, "mean": list(self.mean), "std": list(self.std)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], where: str = "preprocessing") -> Preprocessing:
        """The contract from plain values; what is left out has its default.

        Args:
            values: as ``to_dict`` gives them.
            where: name of the source, shown in every fault.

        Raises:
            ConfigError: with every fault: unknown keys, wrong types, values out of range, a newer version.
        """
        faults = _faults(values, where)
        if faults:
            raise _error(faults, where)
        known: dict[str, Any] = {
            name: tuple(map(float, value)) if name in ("mean", "std") else value
            for name, value in values.items()
        }
        return cls(**known)


def _error(faults: list[Fault], where: str) -> ConfigError:
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    return ConfigError(f"{where}: {count}", faults=faults)


def _faults(values: Mapping[str, Any], where: str) -> list[Fault]:
    known = [field.name for field in fields(Preprocessing)]
    found = []
    for key, value in values.items():
        if key not in known:
            wanted = f"one of {', '.join(known)}"
            found.append(Fault(where, str(key), "an unknown key", wanted, nearest(str(key), known)))
        elif wanted := _wanted(key, value):
            choices = [word for word in _choices(key) if isinstance(value, str)]
            found.append(Fault(where, key, repr(value)[:80], wanted, nearest(str(value), choices)))
    return found


def _choices(key: str) -> tuple[str, ...]:
    kinds = {"resize": ResizePolicy, "resample": Resample}
    return get_args(kinds[key]) if key in kinds else ()


def _wanted(key: str, value: object) -> str:
    """What ``key`` wants instead of ``value``; empty when the value is right."""
    low, high = SIDE_RANGE_PX
    if key == "side_px":
        return "" if _is_whole(value) and low <= value <= high else f"a whole number from {low} to {high}"  # type: ignore[operator]
    if key in ("resize", "resample"):
        choices = _choices(key)
        return "" if isinstance(value, str) and value in choices else f"one of {', '.join(choices)}"
    if key == "crop_fraction":
        return "" if _is_real(value) and 0 < value <= 1 else "a number above 0 and at most 1"  # type: ignore[operator]
    if key == "version":
        right = _is_whole(value) and value == CONTRACT_VERSION
        return "" if right else f"{CONTRACT_VERSION}, the only version this leafsight knows"
    return _wanted_triple(key, value)


def _wanted_triple(key: str, value: object) -> str:
    right = isinstance(value, (list, tuple)) and len(value) == 3 and all(_is_real(part) for part in value)
    if right and (key == "mean" or all(part > 0 for part in value)):  # type: ignore[attr-defined]
        return ""
    return "three finite numbers" if key == "mean" else "three finite numbers above 0"


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_real(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
