"""The pixels of one file by Pillow, whatever its colours: the slow and complete path.

The plugin of the one format that the magic bytes announced is called directly. That is
``Image.open(formats=[...])`` without its size check, which is ours (made before, on the header) and whose
warning would otherwise leak into the caller's process.
"""

from __future__ import annotations

import io
import threading
from importlib import import_module

import numpy as np
from PIL import Image

from leafsight.errors import CorruptImageError, ImageError, ImageTooLargeError, UnsupportedImageError
from leafsight.images.formats import ImageFormat
from leafsight.images.header_record import ImageHeader
from leafsight.images.shapes import RGB

PLUGINS = {
    ImageFormat.JPEG: ("PIL.JpegImagePlugin", "JpegImageFile"),
    ImageFormat.MPO: ("PIL.JpegImagePlugin", "JpegImageFile"),
    ImageFormat.PNG: ("PIL.PngImagePlugin", "PngImageFile"),
    ImageFormat.WEBP: ("PIL.WebPImagePlugin", "WebPImageFile"),
    ImageFormat.BMP: ("PIL.BmpImagePlugin", "BmpImageFile"),
    ImageFormat.TIFF: ("PIL.TiffImagePlugin", "TiffImageFile"),
}
PILLOW_TIFF_PIXELS = 89_478_485
"""Above this Pillow's TIFF reader warns about bombs from inside ``load``; we refuse instead."""

BAND_PIXELS = 2**20
IMPORT_LOCK = threading.Lock()


def pillow_pixels(data: bytes, header: ImageHeader, reduction: int = 1) -> RGB:
    """Red, green and blue of the first picture, as stored (TIFF: upright already, Pillow turns it).

    Transparent pixels are laid over white. 16-bit and 12-bit grey keep their highest 8 bits, as Pillow does
    for 16-bit colour. ICC profiles are ignored. CMYK follows Adobe's inverted convention, as in Pillow.

    Args:
        data: the whole file.
        header: what ``read_header`` said of it.
        reduction: 1, 2, 4 or 8: libjpeg's scaled decoding. Other formats than JPEG take 1 only.

    Raises:
        CorruptImageError: truncated or damaged; the message carries the library's reason.
        ImageTooLargeError: a TIFF over 89 megapixels, or not enough memory for the pixels.
        UnsupportedImageError: a kind of pixel that we do not read.
    """
    count = header.width_px * header.height_px
    if header.format is ImageFormat.TIFF and count > PILLOW_TIFF_PIXELS:
        raise ImageTooLargeError(
            f"the TIFF has {count:,} pixels, the limit is {PILLOW_TIFF_PIXELS:,}",
            hint="save the photograph as JPEG or PNG",
        )
    try:
        with _opened(data, header) as image:
            if reduction > 1:
                image.draft(None, (header.width_px // reduction, header.height_px // reduction))
            image.load()
            return _as_rgb(image, header)
    except ImageError:
        raise
    except (MemoryError, Image.DecompressionBombError) as error:
        raise ImageTooLargeError(f"there is not enough memory for the photograph: {error}") from error
    except Exception as error:
        # Hostile bytes make the plugins raise anything: OSError, SyntaxError, KeyError, zlib.error, ...
        raise _corrupt(header, error) from error


def _opened(data: bytes, header: ImageHeader) -> Image.Image:
    module, name = PLUGINS[header.format]
    # Two threads that import one plugin for the first time may see it half made.
    with IMPORT_LOCK:
        plugin = getattr(import_module(module), name)
    image: Image.Image = plugin(io.BytesIO(data))
    if image.size != (header.width_px, header.height_px) and image.size != header.upright_size_px:
        image.close()
        raise CorruptImageError(
            f"the photograph claims two sizes, {header.width_px} x {header.height_px} px and "
            f"{image.size[0]} x {image.size[1]} px"
        )
    return image


def _corrupt(header: ImageHeader, error: Exception) -> CorruptImageError:
    reason = str(error).strip() or type(error).__name__
    return CorruptImageError(
        f"the {header.format.value} is truncated or damaged: {reason}",
        hint="copy the photograph again from where it came from",
    )


def _as_rgb(image: Image.Image, header: ImageHeader) -> RGB:
    if image.mode.startswith("I;16"):
        return _from_16_bit_grey(image, header)
    if image.mode in ("I", "F"):
        raise UnsupportedImageError(
            f"pixels of kind '{image.mode}' (32 bits) are measurements, not a photograph",
            hint="save it as an 8-bit picture",
        )
    if image.has_transparency_data:
        image = _over_white(image)
    if image.mode != "RGB":
        image = image.convert("RGB")
    return _copied(image)


def _copied(image: Image.Image) -> RGB:
    """The pixels, a band at a time: at once Pillow would hold them three times over on the way."""
    width, height = image.size
    pixels = np.empty((height, width, 3), np.uint8)
    rows = max(1, BAND_PIXELS // width)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        pixels[top:bottom] = np.asarray(image.crop((0, top, width, bottom)))
    return pixels


def _over_white(image: Image.Image) -> Image.Image:
    layer = image.convert("RGBA")
    white = Image.new("RGBA", layer.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, layer)


def _from_16_bit_grey(image: Image.Image, header: ImageHeader) -> RGB:
    levels = np.asarray(image).astype(np.uint16) >> (12 - 8 if header.bits == 12 else 16 - 8)
    grey = levels.astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)
