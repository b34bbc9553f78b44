"""Which photographs people send: sizes, their weights, and why.

The weights are assumptions of the study, not measurements of a service in use; they are stated with every
report, and ``--photos FOLDER`` replaces them by photographs of one's own.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """One kind of photograph.

    Attributes:
        name: in tables.
        width_px, height_px: of the picture.
        quality: of the JPEG file.
        grain: standard deviation of the sensor's noise, of 255; it is what makes files of phones large.
        weight: of 100 photographs, so many are like this.
        why: who sends such photographs.
    """

    name: str
    width_px: int
    height_px: int
    quality: int
    grain: float
    weight: float
    why: str

    @property
    def megapixels(self) -> float:
        """Pixels of the picture, in millions."""
        return self.width_px * self.height_px / 1e6


SIZES = (
    Size("256 px", 256, 256, 90, 2.0, 12, "programs that make photographs small first; public collections"),
    Size("512 px", 512, 512, 88, 2.0, 10, "programs that make photographs small first"),
    Size(
        "0.8 MP", 1000, 750, 95, 2.0, 42, "leafsight's own page: a 12 MP photograph halved twice, quality 95"
    ),
    Size("2 MP", 1600, 1200, 80, 2.5, 16, "sent on by a messenger, which makes the long side 1600 px"),
    Size("5 MP", 2592, 1944, 90, 3.0, 8, "tablets and older phones, the file itself"),
    Size(
        "12 MP",
        4000,
        3000,
        92,
        3.0,
        12,
        "phones of today, the file itself (apps; the page when a photograph is kept)",
    ),
)
