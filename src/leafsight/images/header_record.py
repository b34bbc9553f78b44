"""What is known of a photograph before a pixel is decoded."""

from __future__ import annotations

from dataclasses import dataclass

from leafsight.images.formats import ImageFormat


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """The header of one photograph.

    Attributes:
        format: decided by the bytes, not by the file's name.
        width_px: as stored, before the orientation is applied.
        height_px: as stored, before the orientation is applied.
        mode: what the pixels are: ``1`` black and white, ``L`` grey, ``LA`` grey with alpha, ``P`` palette,
            ``RGB``, ``RGBA``, ``CMYK`` (YCCK too), ``YCbCr``, ``LAB``.
        orientation: EXIF orientation 1..8; 1 is upright.
        frames: pictures in the file; only the first one is ever decoded.
        has_gps: the file tells where it was taken.
        bits: per channel.
        camera: make and model from EXIF.
        taken: when, from EXIF, ``"YYYY-MM-DDTHH:MM:SS"`` in the camera's local time.
    """

    format: ImageFormat
    width_px: int
    height_px: int
    mode: str
    orientation: int = 1
    frames: int = 1
    has_gps: bool = False
    bits: int = 8
    camera: str | None = None
    taken: str | None = None

    @property
    def upright_size_px(self) -> tuple[int, int]:
        """Width and height after the orientation is applied."""
        size = (self.width_px, self.height_px)
        return size[::-1] if self.orientation >= 5 else size
