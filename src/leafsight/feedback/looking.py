"""Opens photographs of strangers and asks the champion: the part that runs in a process of its own.

Enters: files and a model. Leaves: ``Looked``, and what could not be used. Memory holds a few photographs at a
time, and the features of all. It knows neither database nor network.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import UInt8

from leafsight.dataset import look_hash, pixel_hash
from leafsight.errors import ImageError, LeafsightError
from leafsight.feedback.looked import Looked
from leafsight.feedback.records import Sent
from leafsight.images import (
    SKETCH_SIDE_PX,
    DecodeLimits,
    ImageFormat,
    ImageHeader,
    Sketch,
    decode,
    draw_sketch,
    measure_appearance,
    read_header,
    read_photo,
)
from leafsight.progress import Progress, Silent

if TYPE_CHECKING:
    from leafsight.inference import BundlePredictor, Prediction

AT_ONCE = 8
ENDINGS = {ImageFormat.PNG: "png", ImageFormat.WEBP: "webp"}


@dataclass(slots=True)
class Opened:
    """Photographs that could be used, and the others.

    Attributes:
        looked: what was seen.
        sent: the photograph of each row of ``looked``.
        sha256: of its bytes, hex.
        ending: of its file.
        faults: name and reason of those that could not be used.
    """

    looked: Looked
    sent: list[Sent]
    sha256: list[str]
    ending: list[str]
    faults: list[tuple[str, str]]


@dataclass(slots=True)
class _Rows:
    sent: list[Sent] = field(default_factory=list)
    sha256: list[str] = field(default_factory=list)
    ending: list[str] = field(default_factory=list)
    pixel: list[str] = field(default_factory=list)
    views: list[list[int]] = field(default_factory=list)
    quality: list[dict[str, Any]] = field(default_factory=list)
    embedding: list[np.ndarray] = field(default_factory=list)
    logits: list[np.ndarray] = field(default_factory=list)
    faults: list[tuple[str, str]] = field(default_factory=list)


def look(
    photographs: Sequence[Sent],
    predictor: BundlePredictor,
    limits: DecodeLimits | None = None,
    progress: Progress | None = None,
) -> Opened:
    """Open photographs one after another.

    Args:
        photographs: to open.
        predictor: the champion.
        limits: of the decoder.
        progress: told of every photograph.
    """
    talk, rows = progress or Silent(), _Rows()
    talk.start("diagnosing photographs", len(photographs))
    for at in range(0, len(photographs), AT_ONCE):
        some = photographs[at : at + AT_ONCE]
        _look_at(some, predictor, limits or DecodeLimits(), rows)
        talk.advance(len(some))
    talk.finish(f"{len(rows.faults)} cannot be used")
    return _opened(rows, predictor)


def eight_looks(cells: UInt8[np.ndarray, "32 32 3"]) -> list[int]:
    """Look hashes of a picture as it is (the first), turned by quarters, and the same mirrored."""
    mirrored = cells[:, ::-1]
    return [
        look_hash(np.ascontiguousarray(np.rot90(one, turn))) for one in (cells, mirrored) for turn in range(4)
    ]


def sketched(data: bytes, header: ImageHeader, limits: DecodeLimits) -> tuple[str, Sketch]:
    """Pixel hash (hex) and sketch, as an index has them.

    Raises:
        ImageError: it cannot be read.
    """
    small = decode(data, limits=limits, wanted_side_px=SKETCH_SIDE_PX, header=header)
    return pixel_hash(small, header.width_px, header.height_px), draw_sketch(small)


def light_of(sketches: Sequence[Sketch]) -> list[dict[str, float]]:
    """Measures that tell dark and over-exposed photographs, which the champion does not measure."""
    found = measure_appearance(
        np.stack([one.grey for one in sketches]), np.stack([one.rgb for one in sketches])
    )
    wanted = ("highlight", "shadow")
    return [{name: float(found[name][at]) for name in wanted} for at in range(len(sketches))]


def said_of(prediction: Prediction) -> dict[str, Any]:
    """What the champion said of a photograph, in few words."""
    return {
        "verdict": prediction.verdict,
        "class_key": prediction.key,
        "display": prediction.display,
        "probability": prediction.probability,
        "model": prediction.model_hash,
    }


def _look_at(some: Sequence[Sent], predictor: BundlePredictor, limits: DecodeLimits, rows: _Rows) -> None:
    read: list[tuple[Sent, bytes, ImageHeader, str, Sketch]] = []
    for one in some:
        try:
            data = read_photo(one.file, limits)
            header = read_header(data, limits)
            read.append((one, data, header, *sketched(data, header, limits)))
        except (LeafsightError, OSError) as error:
            rows.faults.append((one.name, _reason(error)))
    if not read:
        return
    light = light_of([sketch for *_, sketch in read])
    predictions = predictor.predict([data for _, data, *_ in read])
    for (one, data, header, pixels, sketch), measures, prediction in zip(
        read, light, predictions, strict=True
    ):
        if prediction.embedding is None or prediction.log_probabilities is None:
            rows.faults.append((one.name, prediction.reason))
            continue
        rows.sent.append(one)
        rows.sha256.append(hashlib.sha256(data).hexdigest())
        rows.ending.append(ENDINGS.get(header.format, "jpg"))
        rows.pixel.append(pixels)
        rows.views.append(eight_looks(sketch.cells))
        sizes = {"width_px": header.width_px, "height_px": header.height_px}
        rows.quality.append({**prediction.quality, **measures, **sizes, "said": said_of(prediction)})
        rows.embedding.append(prediction.embedding)
        rows.logits.append(prediction.log_probabilities)


def _opened(rows: _Rows, predictor: BundlePredictor) -> Opened:
    n = len(rows.sent)
    width, classes = predictor.network.spec.embedding.shape[1], len(predictor.bundle.labels)
    temperature = predictor.calibration.temperature
    embedding = np.stack(rows.embedding) if n else np.zeros((0, width or 1))
    logits = np.stack(rows.logits) * temperature if n else np.zeros((0, classes))
    looked = Looked(
        name=[one.name for one in rows.sent],
        class_name=[one.class_name for one in rows.sent],
        given_group=[one.group for one in rows.sent],
        pixel_hash=rows.pixel,
        look=np.array(rows.views, np.uint64).reshape(n, 8),
        embedding=embedding.astype(np.float32),
        logits=logits.astype(np.float32),
        quality=rows.quality,
    )
    return Opened(looked, rows.sent, rows.sha256, rows.ending, rows.faults)


def _reason(error: Exception) -> str:
    if isinstance(error, ImageError):
        return error.message
    return error.message if isinstance(error, LeafsightError) else "it cannot be read"
