"""From plain values that somebody else wrote to our records; what does not fit is named.

Enters: the JSON of one reply. Leaves: a record, or a ``RemoteError`` that names the field. It does not know
which request was asked.
"""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from pydantic import Field, ValidationError

from leafsight.client.answers import (
    Answer,
    Correction,
    Page,
    PhotoAnswer,
    Record,
    Remembered,
    ServedModel,
    Several,
)
from leafsight.client.replies import Reply, read_json, shown
from leafsight.errors import RemoteError
from leafsight.inference import VERDICTS, Combined, Prediction

Kind = TypeVar("Kind", bound=Record)
Item = TypeVar("Item")
VERSION_HINT = "the server may be older or newer than this client: compare their versions"
NAMED = ("class_name", "key", "crop", "condition", "display", "probability")
"""What only a diagnosis has."""
MAX_LAYER_SIDE_PX = 2048
MAX_LAYER_BYTES = 8 * 1024**2


class _Outer(Record):
    request_id: str
    model: ServedModel
    predictions: Several[dict[str, Any]]
    combined: dict[str, Any] | None = None
    timing_ms: dict[str, float] = Field(default_factory=dict)


class _PhotoFields(Record):
    id: str | None = None
    photo: str = ""
    recorded: bool = False
    stored: bool = False
    advice: Several[str] = ()


class _RememberedFields(Record):
    id: str
    created_at: int | None = None
    photo: str = ""
    plant_id: str | None = None
    stored: bool = False
    corrections: Several[Correction] = ()
    combined: dict[str, Any] | None = None


class _CombinedFields(Record):
    predictions: Several[str] = ()


class _Layer(Record):
    media_type: str
    base64: str


class _PageFields(Record):
    next: str | None = None


def read_record(kind: type[Kind]) -> Callable[[Reply], Kind]:
    """How a reply becomes one record.

    Raises:
        RemoteError: when used: no JSON, or a field is missing or of another type.
    """
    return lambda reply: fitted(kind, read_json(reply), "the answer")


def fitted(kind: type[Kind], plain: Any, where: str) -> Kind:
    """Plain values as a record.

    Args:
        kind: which record.
        plain: what the JSON held.
        where: what the values are, for the message.

    Raises:
        RemoteError: a field is missing or of another type.
    """
    try:
        return kind.model_validate(plain)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        field = ".".join(str(step) for step in fault["loc"])
        found = "" if fault["type"] == "missing" else f", not {shown(repr(fault.get('input')), 60)}"
        raise RemoteError(
            f"{where} cannot be used: {shown(field) or 'the whole'}: {_wanted(fault['msg'])}{found}",
            hint=VERSION_HINT,
        ) from error


def read_answer(photographs: int, *, layers: bool) -> Callable[[Reply], Answer]:
    """How the reply to a prediction is read.

    Args:
        photographs: how many were sent.
        layers: heatmaps were asked for as bare layers, and become arrays.

    Raises:
        RemoteError: when used: something does not fit, or there are not as many answers as photographs.
    """

    def read(reply: Reply) -> Answer:
        outer = fitted(_Outer, read_json(reply), "the answer")
        if len(outer.predictions) != photographs:
            raise RemoteError(
                f"predictions: {len(outer.predictions)} answers for {photographs} photographs",
                hint=VERSION_HINT,
            )
        return Answer(
            tuple(_photo(plain, at, layers) for at, plain in enumerate(outer.predictions)),
            None if outer.combined is None else _combined(outer.combined),
            outer.request_id,
            outer.model,
            outer.timing_ms,
        )

    return read


def read_page(name: str, item: Callable[[Any, str], Item]) -> Callable[[Reply], Page[Item]]:
    """How a page is read: a list under ``name``, and ``next``.

    Args:
        name: of the list.
        item: from one plain value and where it stands to a record.
    """

    def read(reply: Reply) -> Page[Item]:
        plain = _object(read_json(reply), "the answer")
        rows = plain.get(name)
        if not isinstance(rows, list):
            raise RemoteError(f"the answer has no list {name!r}", hint=VERSION_HINT)
        items = tuple(item(row, f"{name}[{at}]") for at, row in enumerate(rows))
        return Page(items, fitted(_PageFields, plain, "the answer").next or None)

    return read


def read_items(name: str, item: Callable[[Any, str], Item]) -> Callable[[Reply], tuple[Item, ...]]:
    """How a list without pages is read."""
    page = read_page(name, item)
    return lambda reply: page(reply).items


def remembered(plain: Any, where: str) -> Remembered:
    """A kept prediction: the fields of the answer, and what the server knows besides."""
    fields = fitted(_RememberedFields, plain, where)
    combined = None if fields.combined is None else _combined(fields.combined)
    together = fitted(_CombinedFields, fields.combined or {}, f"{where}.combined").predictions
    return Remembered(
        fields.id,
        _prediction(_without_plant(_object(plain, where)), where),
        fields.created_at,
        fields.photo,
        fields.plant_id,
        fields.stored,
        fields.corrections,
        combined,
        together,
    )


def read_object(reply: Reply) -> dict[str, Any]:
    """A reply that is one object, as plain values."""
    return _object(read_json(reply), "the answer")


def heatmap_layer(text: str, where: str) -> np.ndarray:
    """The bare heatmap: an 8-bit grey PNG in base64 as float32 ``[h, w]``, 0..1.

    Raises:
        RemoteError: no base64, no such PNG, or one that is too large.
    """
    from PIL import Image

    hint = VERSION_HINT
    try:
        data = base64.b64decode(text, validate=True)
        if len(data) > MAX_LAYER_BYTES:
            raise RemoteError(f"{where} has {len(data)} bytes, at most {MAX_LAYER_BYTES} are read", hint=hint)
        with Image.open(io.BytesIO(data), formats=["PNG"]) as picture:
            # Before any pixel is decoded: only the header was read so far.
            if picture.mode != "L" or max(picture.size) > MAX_LAYER_SIDE_PX:
                raise RemoteError(
                    f"{where} is {picture.mode} {picture.size}, not a small grey picture", hint=hint
                )
            return np.asarray(picture, np.float32) / np.float32(255)
    except (binascii.Error, ValueError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise RemoteError(f"{where} is not a PNG in base64: {shown(str(error))}", hint=hint) from error


def _photo(plain: dict[str, Any], at: int, layers: bool) -> PhotoAnswer:
    where = f"predictions[{at}]"
    found, fields = _prediction(plain, where), fitted(_PhotoFields, plain, where)
    if layers and plain.get("heatmap") is not None:
        layer = fitted(_Layer, plain["heatmap"], f"{where}.heatmap")
        found = replace(found, heatmap=heatmap_layer(layer.base64, f"{where}.heatmap"))
    return PhotoAnswer(found, fields.id, fields.photo, fields.recorded, fields.stored, fields.advice)


def _combined(plain: dict[str, Any]) -> Combined:
    try:
        return Combined.from_dict(_known_verdict(plain))
    except RemoteError as error:
        raise RemoteError(f"combined: {error.message}", hint=error.hint) from error


def _prediction(plain: Mapping[str, Any], where: str) -> Prediction:
    known = _known_verdict(plain)
    try:
        return Prediction.from_dict({name: value for name, value in known.items() if name != "heatmap"})
    except RemoteError as error:
        raise RemoteError(f"{where}: {error.message}", hint=error.hint) from error


def _known_verdict(plain: Mapping[str, Any]) -> Mapping[str, Any]:
    """A verdict of a newer server is no diagnosis of ours, and stops no other photograph: we cannot tell."""
    verdict = plain.get("verdict")
    if not isinstance(verdict, str) or verdict in VERDICTS or not verdict:
        return plain
    kept = {name: value for name, value in plain.items() if name not in NAMED}
    said = plain.get("reason")
    reason = f"The server says {shown(verdict, 60)!r}, which is not known here"
    return {
        **kept,
        "verdict": "cannot_tell",
        "reason": f"{reason}: {said}" if isinstance(said, str) and said else reason,
        "hint": plain.get("hint") or VERSION_HINT,
    }


def _without_plant(plain: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in plain.items() if name != "combined"}


def _object(plain: Any, where: str) -> dict[str, Any]:
    if not isinstance(plain, dict):
        raise RemoteError(f"{where} is {shown(repr(plain), 60)}, not an object", hint=VERSION_HINT)
    return plain


def _wanted(message: str) -> str:
    return message[:1].lower() + message[1:]
