"""Photographs: from bytes to an upright picture, and from there to the square that a network sees.

Enters: the bytes of one file, or a folder to find photographs in. Leaves: ``uint8[height, width, 3]``, or an
error that says why not; measures of quality, the leaf on a plain background, a heatmap laid over the
picture, grey-level morphology. It does not know what a leaf means, where files come from, or which model
asks.
"""

from leafsight.images.appearance import measure_appearance
from leafsight.images.background import PlainBackground, plain_background
from leafsight.images.contact_sheet import morphology_sheet
from leafsight.images.decoding import decode
from leafsight.images.finding import PHOTO_SUFFIXES, photographs_below
from leafsight.images.formats import ImageFormat, sniff_format
from leafsight.images.header import read_header, read_photo
from leafsight.images.header_record import ImageHeader
from leafsight.images.heatmap import overlay_heatmap
from leafsight.images.limits import DecodeLimits
from leafsight.images.morphology import (
    ELEMENT_SHAPES,
    MORPHOLOGY_OPERATIONS,
    ElementShape,
    MorphologyOperation,
    apply_morphology,
    element_boxes,
    structuring_element,
)
from leafsight.images.preparing import normalise, prepare, prepare_bytes
from leafsight.images.preprocessing import Preprocessing
from leafsight.images.quality import Quality, measure_quality
from leafsight.images.resizing import resize
from leafsight.images.sketching import COLOUR_SIDE_PX, SKETCH_SIDE_PX, Sketch, draw_sketch
from leafsight.images.stripping import strip_metadata

__all__ = [
    "COLOUR_SIDE_PX",
    "DecodeLimits",
    "ELEMENT_SHAPES",
    "ElementShape",
    "ImageFormat",
    "ImageHeader",
    "MORPHOLOGY_OPERATIONS",
    "MorphologyOperation",
    "PHOTO_SUFFIXES",
    "PlainBackground",
    "Preprocessing",
    "Quality",
    "SKETCH_SIDE_PX",
    "Sketch",
    "apply_morphology",
    "decode",
    "draw_sketch",
    "element_boxes",
    "measure_appearance",
    "measure_quality",
    "morphology_sheet",
    "normalise",
    "overlay_heatmap",
    "photographs_below",
    "plain_background",
    "prepare",
    "prepare_bytes",
    "read_header",
    "read_photo",
    "resize",
    "sniff_format",
    "strip_metadata",
    "structuring_element",
]
