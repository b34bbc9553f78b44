"""A correction of a served prediction becomes a contribution, like a photograph that somebody sent.

Enters: a correction that names a class, and the prediction whose photograph is kept. Leaves: a contribution
in quarantine. A correction speaks against the champion, so the champion doubts it: a person decides.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from leafsight.bundle import Bundle
from leafsight.errors import NotFoundError
from leafsight.feedback.champion import Champion
from leafsight.feedback.judging import judge
from leafsight.feedback.keeping import REFUSED_BECAUSE, contribution_blob
from leafsight.feedback.known import known_of
from leafsight.feedback.looked import Looked
from leafsight.feedback.looking import ENDINGS, eight_looks, light_of, sketched
from leafsight.feedback.naming import ClassNames
from leafsight.feedback.records import MOST_PER_SOURCE, REJECTED, RULE, WAITING, Asked, Finding
from leafsight.feedback.sources import brought_by
from leafsight.images import DecodeLimits, read_header

if TYPE_CHECKING:
    from leafsight.state import Blobs, ContributionRecord, CorrectionRecord, PredictionRecord, State

UNSEEN = Finding(
    "label_doubt", "The present model has not looked at it yet.", True, {"why": "unseen"}
)  # fmt: skip


def contribution_of_correction(
    state: State,
    blobs: Blobs,
    prediction: PredictionRecord,
    correction: CorrectionRecord,
    bundle: Bundle | Champion,
    *,
    limits: DecodeLimits | None = None,
    most_per_source: int = MOST_PER_SOURCE,
    since_ms: int = 0,
) -> ContributionRecord | None:
    """Take a correction into quarantine; done twice, it is there once.

    It takes the champion's memory and about a second of computing: for the clerk, not for who answers.

    Args:
        state: the database.
        blobs: the store.
        prediction: that is corrected.
        correction: of it.
        bundle: of the champion that serves.
        limits: of the decoder.
        most_per_source: photographs of one class that one source may bring between two trainings.
        since_ms: when the last training began.

    Returns:
        The contribution, by the id of the correction; None for a correction without a class, of a prediction
        whose photograph is not kept, or of one that was corrected before: its contribution stays as it is.

    Raises:
        ImageError: the photograph cannot be read any more.
        StateBusyError, StateError: the database or the store does not answer; nothing is half done that a
            second try would not finish.
    """
    champion = bundle if isinstance(bundle, Champion) else Champion(bundle)
    if prediction.photo_blob is None or not correction.class_key:
        return None
    try:
        data = blobs.get(prediction.photo_blob)
    except NotFoundError:
        return None
    record = _record(state, correction, prediction, data, limits or DecodeLimits(), champion)
    judged = _judged(state, record, champion, most_per_source=most_per_source, since_ms=since_ms)
    blobs.put(judged.blob, data)
    state.contributions.add_many([judged])
    return state.contributions.get(judged.id)


def _record(
    state: State,
    correction: CorrectionRecord,
    prediction: PredictionRecord,
    data: bytes,
    limits: DecodeLimits,
    champion: Champion,
) -> ContributionRecord:
    from leafsight.state import ContributionRecord

    header = read_header(data, limits)
    pixels, sketch = sketched(data, header, limits)
    sha, one_id, spelling = hashlib.sha256(data).hexdigest(), correction.id, correction.class_key or ""
    names = ClassNames(champion.bundle.classes, [one.name for one in state.declared.list()])
    seen = prediction.model_hash == champion.bundle.content_hash and champion.backbone is not None
    quality = {**prediction.quality, **light_of([sketch])[0]}
    return ContributionRecord(
        id=one_id, created_ms=state.now(), prediction_id=prediction.id,
        key_id=correction.key_id or prediction.key_id, name=f"correction of {prediction.id}",
        class_name=spelling, label=names.named(spelling).label, photo_sha256=sha, pixel_hash=pixels,
        look_hash=eight_looks(sketch.cells)[0],
        blob=contribution_blob(sha, ENDINGS.get(header.format, "jpg")),
        group_id=one_id, quality={**quality, "width_px": header.width_px, "height_px": header.height_px},
        embedding=prediction.embedding if seen else None, embedded_by=champion.backbone if seen else None,
    )  # fmt: skip


def _judged(
    state: State, record: ContributionRecord, champion: Champion, *, most_per_source: int, since_ms: int
) -> ContributionRecord:
    if record.embedding is None:
        return replace(record, findings=(UNSEEN.to_dict(),))
    brought = brought_by(state, record.key_id, None, since_ms=since_ms, classes=set(champion.bundle.classes))
    asked = Asked(
        declared=[one.name for one in state.declared.list()], most_per_source=most_per_source,
        brought=dict(brought.waiting_or_accepted),
    )  # fmt: skip
    others = (one for one in state.contributions.look_alikes() if one.id != record.id)
    known = known_of(others, champion.backbone)
    looked = Looked(
        name=[record.name], class_name=[record.label], given_group=[None], pixel_hash=[record.pixel_hash],
        look=np.array([[record.look_hash or 0]], np.uint64),
        embedding=np.asarray(record.embedding, np.float32)[None], logits=None, quality=[record.quality],
    )  # fmt: skip
    (found,) = judge(looked, champion, known, asked)
    group = found.group if isinstance(found.group, str) else record.id
    return replace(
        record, findings=tuple(one.to_dict() for one in found.findings), group_id=group,
        state=REJECTED if found.refused else WAITING,
        decided_ms=record.created_ms if found.refused else None, decided_by=RULE if found.refused else None,
        reason=REFUSED_BECAUSE if found.refused else None,
    )  # fmt: skip
